//! The effect of every head on a difference of two logits, as means over prompts, and the change when one head is
//! ablated.

use super::keys::{EFFECT, take_effect, write_effect};
use super::script::{self, MatrixKind};
use super::view::Effect;
use super::words::head_title;
use crate::analysis::HeadEffectsSection;
use crate::error::{Error, ErrorKind, Result};
use crate::export::{Field, Script, Table};
use crate::figure::keys::Query;
use crate::figure::kind::{FigureKind, Subject};
use crate::figure::view::View;
use crate::math::sort_descending;
use crate::names::{FigureName, Head, Row};
use crate::plot::{Colors, MatrixCell, MatrixPlot, Plot, Theme};
use crate::quantities::{counted, number};
use crate::result::ResultFile;

const NAME: FigureName = FigureName::HEAD_EFFECTS;

/// A map of all heads, colored by an [`Effect`].
pub struct Effects;

fn section(result: &ResultFile) -> Result<&HeadEffectsSection> {
    result
        .head_effects()
        .ok_or_else(|| Error::new(ErrorKind::Plot, "the result has no effects of heads"))
}

/// What is shown: what the view asks for, where that is known.
fn shown(subject: Subject<'_>) -> Result<Effect> {
    let section = section(subject.result)?;
    let asked = subject.view.sentence.effect;
    Ok(if asked.values(section).is_some() {
        asked
    } else {
        Effect::Direct
    })
}

fn title(section: &HeadEffectsSection, effect: Effect) -> String {
    let prompts = counted(section.prompts.len(), "prompt", "prompts");
    let without = section
        .without
        .as_ref()
        .map_or_else(String::new, |without| without.head.to_string());
    let what = match effect {
        Effect::Direct => "Direct effect of every head on logit(answer) \u{2212} logit(other)".into(),
        Effect::Without => format!("The same with the output of {without} at the last token set to 0"),
        Effect::Change => format!("What changes in it when the output of {without} at the last token is set to 0"),
        Effect::PatchedZ => "What the output of every head (z) restores".into(),
        Effect::PatchedV => "What the values of every head restore".into(),
        Effect::PatchedPattern => "What the pattern of every head restores".into(),
    };
    format!("{what}: mean of {prompts}")
}

fn matrix(subject: Subject<'_>) -> Result<MatrixPlot> {
    let (section, effect) = (section(subject.result)?, shown(subject)?);
    let (layers, heads) = (subject.result.config.n_layer, subject.result.config.n_head);
    let values = effect.by_head(section);
    let limit = values
        .iter()
        .map(|(_, value)| f64::from(value.abs()))
        .fold(0.0, f64::max);
    let mut cells: Vec<Vec<_>> = vec![vec![None; heads]; layers];
    for (head, value) in values {
        let lines = vec![
            head_title(head),
            format!("{} {}", effect.label(), number(f64::from(value), 3)),
        ];
        if let Some(cell) = cells.get_mut(head.layer).and_then(|row| row.get_mut(head.head)) {
            *cell = Some(MatrixCell {
                value,
                label: head.to_string(),
                lines,
            });
        }
    }
    Ok(MatrixPlot {
        title: title(section, effect),
        x_label: "Head".into(),
        y_label: "Layer".into(),
        rows: (0..layers).map(|layer| Row::Layer(layer).to_string()).collect(),
        columns: (0..heads).map(|head| head.to_string()).collect(),
        colors: Colors::Diverging(limit),
        cells: cells.into(),
        pick: None,
    })
}

impl FigureKind for Effects {
    fn names(&self) -> &'static [FigureName] {
        &[NAME]
    }

    fn is_in(&self, subject: Subject<'_>) -> bool {
        subject.result.head_effects().is_some()
    }

    fn section(&self, _name: FigureName) -> &'static str {
        "What the heads do"
    }

    fn heading(&self, _name: FigureName) -> &'static str {
        "Which heads speak for the answer, and which against it?"
    }

    fn explanation(&self, _name: FigureName, view: &View) -> String {
        match view.sentence.effect {
            Effect::Direct | Effect::Without => {
                "A row for each layer, a cell for each head: what its output adds to the difference of the two logits by itself."
            }
            Effect::Change => "A row for each layer, a cell for each head: by how much its direct effect changes.",
            Effect::PatchedZ | Effect::PatchedV | Effect::PatchedPattern => {
                "The names are exchanged; then one activation of one head is taken from the prompt as it was: 0 where that changes nothing, \
                 1 where it restores the whole difference."
            }
        }
        .into()
    }

    fn title(&self, _name: FigureName) -> String {
        "Effects of heads".into()
    }

    fn summary(&self, subject: Subject<'_>) -> String {
        let (Ok(section), Ok(effect)) = (section(subject.result), shown(subject)) else {
            return "There are no effects of heads.".into();
        };
        let mut heads = effect.by_head(section);
        sort_descending(&mut heads, |head| head.1);
        let description = |(head, value): &(Head, f32)| format!("{head} ({})", number(f64::from(*value), 2));
        let most: Vec<String> = heads.iter().take(3).map(description).collect();
        let least: Vec<String> = heads.iter().rev().take(2).map(description).collect();
        format!(
            "{}. The most of {}: {}; the least: {}.",
            title(section, effect),
            counted(heads.len(), "head", "heads"),
            most.join(", "),
            least.join(", ")
        )
    }

    fn plot(&self, subject: Subject<'_>) -> Result<Plot> {
        matrix(subject).map(Plot::from)
    }

    fn tables(&self, subject: Subject<'_>) -> Result<Vec<Table>> {
        let section = section(subject.result)?;
        let known: Vec<(Effect, Vec<f32>)> = Effect::ALL
            .into_iter()
            .filter_map(|effect| Some((effect, effect.values(section)?)))
            .collect();
        let row = |(place, (head, _)): (usize, (Head, f32))| {
            let values = known.iter().map(|(_, values)| values.get(place).copied());
            let fields = values.map(|value| value.map_or(Field::Empty, Field::Single));
            [Field::Text(head.to_string())].into_iter().chain(fields).collect()
        };
        Ok(vec![Table {
            name: "head_effects",
            title: title(section, shown(subject)?),
            caption: "A row per head: its direct effect, what becomes of it without one of them, and what its activations restore; \
                      means over the prompts."
                .into(),
            columns: ["head".to_owned()]
                .into_iter()
                .chain(known.iter().map(|(effect, _)| effect.value().to_owned()))
                .collect(),
            rows: Effect::Direct.by_head(section).into_iter().enumerate().map(row).collect(),
        }])
    }

    fn script(&self, subject: Subject<'_>, theme: &Theme) -> Result<Script> {
        let mut script = script::of_matrix(MatrixKind::Effects, &matrix(subject)?, theme);
        script.texts(&[("EFFECT", shown(subject)?.value())]);
        Ok(script)
    }

    fn is_key(&self, key: &str) -> bool {
        key == EFFECT
    }

    fn take(&self, view: &mut View, _key: &str, value: &str) -> Result<()> {
        take_effect(view, value)
    }

    fn write(&self, view: &View, query: &mut Query) {
        write_effect(view, query);
    }
}
