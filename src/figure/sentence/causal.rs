//! The causal map: the effect of removing each component of one side, recomputed and as linearly predicted.

use super::causal_words::{agreement, measure_name};
use super::keys::{CAUSAL, CAUSAL_SIDE, take_causal, take_causal_side, write_causal};
use super::script::{self, MatrixKind};
use super::words::{head_title, pair_words};
use crate::analysis::Heatmap;
use crate::analysis::pair::CausalSection;
use crate::error::{Error, ErrorKind, Result};
use crate::export::{Field, Script, Table, quoted};
use crate::figure::keys::Query;
use crate::figure::kind::{FigureKind, Subject};
use crate::figure::view::View;
use crate::names::{Component, FigureName, Side};
use crate::plot::{Colors, MatrixCell, MatrixPlot, Plot, Theme};
use crate::quantities::number;
use crate::result::ResultFile;

const RECOMPUTED: FigureName = FigureName::new("causal");
const PREDICTED: FigureName = FigureName::new("causal_predicted");

/// Both maps of a side, in the same colors.
pub struct Causal;

fn section(result: &ResultFile) -> Result<&CausalSection> {
    result
        .causal()
        .ok_or_else(|| Error::new(ErrorKind::Plot, "the result has no causal map"))
}

/// What is recomputed and what is predicted of each component of `side`; None where it is not recomputed yet.
fn cells(subject: Subject<'_>, section: &CausalSection, side: Side) -> Vec<(Option<f32>, f32)> {
    let measure = subject.view.sentence.causal;
    let side = section.side(side);
    let recomputed = side.recomputed.of(measure);
    let predicted = side.predicted.of(measure).iter().enumerate();
    predicted
        .map(|(index, &predicted)| (recomputed.get(index).copied(), predicted))
        .collect()
}

/// The components where they stand.
fn grid(section: &CausalSection) -> Heatmap {
    Heatmap::of_one(section.components.clone(), vec![0.0; section.components.len()])
}

fn title(subject: Subject<'_>) -> Result<String> {
    let section = section(subject.result)?;
    let sentence = subject.view.sentence;
    let (dest, src) = pair_words(subject.result, section.dest, section.src);
    let how = if subject.name == PREDICTED {
        "as linearly predicted"
    } else {
        "recomputed"
    };
    Ok(format!(
        "{}, {dest} \u{2192} {src}: change of the {} without each component of the {}, {how}",
        head_title(section.head),
        measure_name(sentence.causal),
        sentence.causal_side
    ))
}

fn matrix(subject: Subject<'_>) -> Result<MatrixPlot> {
    let section = section(subject.result)?;
    let side = subject.view.sentence.causal_side;
    let predicted = subject.name == PREDICTED;
    let values = cells(subject, section, side);
    // Of both maps, so that one color is one number.
    let sizes = values.iter().flat_map(|&(one, other)| [one.unwrap_or_default(), other]);
    let limit = sizes.map(|value| f64::from(value).abs()).fold(0.0, f64::max);
    let cell = |(component, (recomputed, of_split)): (Component, (Option<f32>, f32))| {
        let value = if predicted { of_split } else { recomputed? };
        let mut lines = vec![format!("without {}", component.name())];
        lines.extend(recomputed.map(|value| format!("recomputed {}", number(f64::from(value), 4))));
        lines.push(format!("predicted {}", number(f64::from(of_split), 4)));
        Some(MatrixCell {
            value,
            label: component.label(),
            lines,
        })
    };
    let grid = grid(section);
    let rows = grid.table(&values).into_iter();
    Ok(MatrixPlot {
        title: title(subject)?,
        x_label: "Component (attn heads & MLP)".into(),
        y_label: "Layer".into(),
        rows: grid.rows().iter().map(ToString::to_string).collect(),
        columns: grid.columns().iter().map(ToString::to_string).collect(),
        colors: Colors::Diverging(limit),
        cells: rows
            .map(|row| row.into_iter().map(|found| found.and_then(cell)).collect())
            .collect::<Vec<_>>()
            .into(),
        pick: None,
    })
}

impl FigureKind for Causal {
    fn names(&self) -> &'static [FigureName] {
        &[RECOMPUTED, PREDICTED]
    }

    fn is_in(&self, subject: Subject<'_>) -> bool {
        subject.result.causal().is_some()
    }

    fn section(&self, _name: FigureName) -> &'static str {
        "Does it matter?"
    }

    fn heading(&self, name: FigureName) -> &'static str {
        if name == PREDICTED {
            "What is predicted linearly for each component?"
        } else {
            "What happens without each component?"
        }
    }

    fn explanation(&self, name: FigureName, view: &View) -> String {
        let sentence = view.sentence;
        let how = if name == PREDICTED {
            "as linearly predicted, with LayerNorm's scales frozen and the direct path alone"
        } else {
            "recomputed to the end of the model"
        };
        format!(
            "The change of the {} when each component in turn is taken out of what the {} is made from, {how}. Blue: it rises, red: it falls.",
            measure_name(sentence.causal),
            sentence.causal_side
        )
    }

    fn title(&self, name: FigureName) -> String {
        if name == PREDICTED {
            "Causal map, predicted".into()
        } else {
            "Causal map".into()
        }
    }

    fn summary(&self, subject: Subject<'_>) -> String {
        match section(subject.result) {
            Ok(section) => agreement(section, subject.view.sentence.causal),
            Err(_) => "There is no causal map.".into(),
        }
    }

    fn plot(&self, subject: Subject<'_>) -> Result<Plot> {
        matrix(subject).map(Plot::from)
    }

    fn tables(&self, subject: Subject<'_>) -> Result<Vec<Table>> {
        let section = section(subject.result)?;
        let rows = Side::ALL.into_iter().flat_map(|side| {
            let values = section.components.iter().zip(cells(subject, section, side));
            values.map(move |(component, (recomputed, predicted))| {
                vec![
                    Field::Text(side.to_string()),
                    Field::Text(component.label()),
                    recomputed.map_or(Field::Empty, Field::Single),
                    Field::Single(predicted),
                ]
            })
        });
        Ok(vec![Table {
            name: "causal_map",
            title: title(subject)?,
            caption: format!(
                "A row per component and side: change of the {} without it.",
                measure_name(subject.view.sentence.causal)
            ),
            columns: ["side", "component", "recomputed", "predicted"]
                .map(str::to_owned)
                .to_vec(),
            rows: rows.collect(),
        }])
    }

    fn script(&self, subject: Subject<'_>, theme: &Theme) -> Result<Script> {
        let section = section(subject.result)?;
        let sentence = subject.view.sentence;
        let mut script = script::of_matrix(MatrixKind::Causal, &matrix(subject)?, theme);
        let map = if subject.name == PREDICTED {
            "predicted"
        } else {
            "recomputed"
        };
        script.texts(&[
            ("SIDE", sentence.causal_side.as_str()),
            ("MEASURE", sentence.causal.as_str()),
            ("MAP", map),
        ]);
        let grid = grid(section);
        let labels = grid.table(grid.mean.data()).into_iter().map(|row| {
            let label = |cell: Option<(Component, f32)>| match cell {
                Some((component, _)) => quoted(&component.label()),
                None => "None".to_owned(),
            };
            format!("[{}]", row.into_iter().map(label).collect::<Vec<_>>().join(", "))
        });
        script.comment("Which component stands where.");
        script.rows("COMPONENTS", &labels.collect::<Vec<_>>());
        Ok(script)
    }

    fn is_key(&self, key: &str) -> bool {
        [CAUSAL, CAUSAL_SIDE].contains(&key)
    }

    fn take(&self, view: &mut View, key: &str, value: &str) -> Result<()> {
        match key {
            CAUSAL => take_causal(view, value),
            _ => take_causal_side(view, value),
        }
    }

    fn write(&self, view: &View, query: &mut Query) {
        write_causal(view, query);
    }
}
