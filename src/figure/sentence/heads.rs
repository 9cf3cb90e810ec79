//! The map of all heads by their attention from one token to another.

use super::consequence_words::difference;
use super::keys::{MEASURE, take_measure, write_measure};
use super::script::{self, MatrixKind};
use super::view::Measure;
use super::words::{attention, head_title, pair_words, percent};
use crate::error::Result;
use crate::export::{Field, Script, Table};
use crate::figure::keys::Query;
use crate::figure::kind::{FigureKind, Subject};
use crate::figure::view::View;
use crate::math::sort_descending;
use crate::names::{FigureName, Head, Row};
use crate::plot::{MatrixCell, MatrixPlot, Plot, Theme};
use crate::quantities::number;

const NAME: FigureName = FigureName::new("heads");

/// A map of all heads, colored by a [`Measure`].
pub struct Heads;

fn matrix(subject: Subject<'_>) -> Result<MatrixPlot> {
    let (section, measure, result) = (attention(subject.result)?, measure(subject)?, subject.result);
    let (layers, heads) = (subject.result.config.n_layer, subject.result.config.n_head);
    let cell = |layer: usize, head: usize| {
        let head = Head::new(layer, head);
        let value = measure.of(result, head)?;
        let attention = Measure::Attention.of(result, head).map(percent);
        let score = Measure::Score.of(result, head);
        let entropy = Measure::Entropy.of(result, head);
        let direct = Measure::DirectEffect.of(result, head);
        let lines = [
            Some(head_title(head)),
            attention.map(|share| format!("attention {share}")),
            score.map(|score| format!("score {}", number(f64::from(score), 3))),
            entropy.map(|entropy| format!("entropy {}", number(f64::from(entropy), 2))),
            direct.map(|effect| format!("direct effect {}", number(f64::from(effect), 3))),
        ];
        let of_sentence = Measure::ALL.into_iter().filter(|measure| measure.is_of_sentence());
        let of_sentence = of_sentence
            .filter_map(|measure| Some(format!("{} {}", measure.label(), percent(measure.of(result, head)?))));
        Some(MatrixCell {
            value,
            label: head.to_string(),
            lines: lines.into_iter().flatten().chain(of_sentence).collect(),
        })
    };
    let cells: Vec<Vec<_>> = (0..layers)
        .map(|layer| (0..heads).map(|head| cell(layer, head)).collect())
        .collect();
    let values = cells.iter().flatten().flatten().map(|cell| cell.value);
    Ok(MatrixPlot {
        title: title(subject)?,
        x_label: "Head".into(),
        y_label: "Layer".into(),
        rows: (0..layers).map(|layer| Row::Layer(layer).to_string()).collect(),
        columns: (0..heads).map(|head| head.to_string()).collect(),
        colors: measure.colors(values),
        cells: cells.into(),
        pick: Some((section.head.layer, section.head.head)),
    })
}

/// What is shown: what the view asks for, where that is known.
fn measure(subject: Subject<'_>) -> Result<Measure> {
    attention(subject.result).map(|_| subject.view.sentence.measure.or_known(subject.result))
}

fn title(subject: Subject<'_>) -> Result<String> {
    let section = attention(subject.result)?;
    let (dest, src) = pair_words(subject.result, section.dest, section.src);
    let (known, all) = (
        section.known_heads().len(),
        subject.result.config.n_layer * subject.result.config.n_head,
    );
    let heads = if known == all {
        "every head".to_owned()
    } else {
        format!("{known} of {all} heads")
    };
    Ok(match measure(subject)? {
        Measure::Attention => format!("Attention of {heads} from {dest} to {src}"),
        Measure::Score => format!("Score of {heads} from {dest} to {src}"),
        Measure::Entropy => format!("How widely {heads} look from {dest} (entropy in nats)").replacen(
            "every head look",
            "every head looks",
            1,
        ),
        Measure::PreviousToken => format!("Mean attention of {heads} to the token before"),
        Measure::FirstToken => format!("Mean attention of {heads} to the first token"),
        Measure::DuplicateToken => format!("Mean attention of {heads} to earlier copies of the token"),
        Measure::DirectEffect => match subject.result.effects() {
            Some(section) => format!("Direct effect of {heads} at {dest} on {}", difference(section)),
            None => format!("Direct effect of {heads} at {dest}"),
        },
    })
}

impl FigureKind for Heads {
    fn names(&self) -> &'static [FigureName] {
        &[NAME]
    }

    fn is_in(&self, subject: Subject<'_>) -> bool {
        subject.result.attention().is_some()
    }

    fn section(&self, _name: FigureName) -> &'static str {
        "Which head?"
    }

    fn heading(&self, _name: FigureName) -> &'static str {
        "Which heads look there?"
    }

    fn explanation(&self, _name: FigureName, view: &View) -> String {
        match view.sentence.measure {
            Measure::Attention => "A row for each layer, a cell for each head: how much of its attention goes from the one token to the other.",
            Measure::Score => "A row for each layer, a cell for each head: its score between the two tokens, before softmax.",
            Measure::Entropy => "A row for each layer, a cell for each head: 0 where it looks at one token alone, more the wider it looks.",
            Measure::PreviousToken => "A row for each layer, a cell for each head: its attention to the token before, the mean over the sentence from the second token on.",
            Measure::FirstToken => "A row for each layer, a cell for each head: its attention to the first token, the mean over the sentence from the second token on.",
            Measure::DuplicateToken => "A row for each layer, a cell for each head: its attention to earlier copies of the token, the mean over the tokens that have one.",
            Measure::DirectEffect => "A row for each layer, a cell for each head: what its output adds to the difference of the two logits by itself, past all later layers.",
        }
        .into()
    }

    fn title(&self, _name: FigureName) -> String {
        "Map of heads".into()
    }

    fn summary(&self, subject: Subject<'_>) -> String {
        let Ok(section) = attention(subject.result) else {
            return "There is no attention of a sentence.".into();
        };
        let shares = section.known_heads().into_iter();
        let mut by_size: Vec<(Head, f32)> = shares
            .filter_map(|head| Some((head, Measure::Attention.of(subject.result, head)?)))
            .collect();
        sort_descending(&mut by_size, |head| head.1);
        let (dest, src) = pair_words(subject.result, section.dest, section.src);
        let description: Vec<String> = by_size
            .iter()
            .take(3)
            .map(|(head, share)| format!("{head} with {}", percent(*share)))
            .collect();
        format!(
            "Of {} heads, those that look most from {dest} to {src} are {}.",
            by_size.len(),
            description.join(", ")
        )
    }

    fn plot(&self, subject: Subject<'_>) -> Result<Plot> {
        matrix(subject).map(Plot::from)
    }

    fn tables(&self, subject: Subject<'_>) -> Result<Vec<Table>> {
        let section = attention(subject.result)?;
        let row = |head: Head| {
            let value = |measure: Measure| measure.of(subject.result, head).map_or(Field::Empty, Field::Single);
            let values = Measure::known(subject.result).map(value);
            [Field::Text(head.to_string())].into_iter().chain(values).collect()
        };
        let caption = match section.scores {
            Some(_) => {
                "A row per head: its attention and its score from the one token to the other, and the entropy of its whole row in nats."
            }
            None => {
                "A row per head: its attention from the one token to the other, and the entropy of its whole row in nats."
            }
        };
        Ok(vec![Table {
            name: "heads",
            title: title(subject)?,
            caption: caption.into(),
            columns: ["head".to_owned()]
                .into_iter()
                .chain(Measure::known(subject.result).map(|measure| measure.value().to_owned()))
                .collect(),
            rows: section.known_heads().into_iter().map(row).collect(),
        }])
    }

    fn script(&self, subject: Subject<'_>, theme: &Theme) -> Result<Script> {
        let mut script = script::of_matrix(MatrixKind::Heads, &matrix(subject)?, theme);
        script.texts(&[("MEASURE", measure(subject)?.value())]);
        Ok(script)
    }

    fn is_key(&self, key: &str) -> bool {
        key == MEASURE
    }

    fn take(&self, view: &mut View, _key: &str, value: &str) -> Result<()> {
        take_measure(view, value)
    }

    fn write(&self, view: &View, query: &mut Query) {
        write_measure(view, query);
    }
}
