//! Direct effects of the components of all layers on the difference of two logits.

use super::component_map::{component_map, place_of};
use super::consequence_words::{difference, effects_sum};
use super::script::{self, MatrixKind};
use super::words::pair_words;
use crate::analysis::Heatmap;
use crate::analysis::pair::EffectsSection;
use crate::error::{Error, ErrorKind, Result};
use crate::export::{Field, Script, Table};
use crate::figure::kind::{FigureKind, Subject};
use crate::figure::view::View;
use crate::math::sort_descending;
use crate::names::{Component, FigureName};
use crate::plot::{MatrixPlot, Plot, Theme};
use crate::quantities::number;
use crate::result::ResultFile;

const NAME: FigureName = FigureName::new("effects");
/// Number of components to list.
const LISTED: usize = 4;
/// What stands for the bias of the unembedding in the table.
const BIAS: &str = "b_U";

/// The map of direct effects.
pub struct ComponentEffects;

fn section(result: &ResultFile) -> Result<&EffectsSection> {
    result
        .effects()
        .ok_or_else(|| Error::new(ErrorKind::Plot, "the result has no direct effects"))
}

fn heatmap(section: &EffectsSection) -> Heatmap {
    Heatmap::of_one(section.components.clone(), section.effects.data().to_vec())
}

fn title(result: &ResultFile, section: &EffectsSection) -> String {
    let (dest, _) = pair_words(result, section.dest, section.dest);
    format!("Direct effects at {dest} on {}", difference(section))
}

fn matrix(subject: Subject<'_>) -> Result<MatrixPlot> {
    let section = section(subject.result)?;
    let lines = |component: Component, value: f32| {
        vec![
            component.name(),
            format!("adds {} by itself", number(f64::from(value), 4)),
            format!("of {}", number(f64::from(section.difference), 4)),
        ]
    };
    let mut plot = component_map(title(subject.result, section), &heatmap(section), lines);
    plot.pick = place_of(&heatmap(section), Component::Head(section.head));
    Ok(plot)
}

impl FigureKind for ComponentEffects {
    fn names(&self) -> &'static [FigureName] {
        &[NAME]
    }

    fn is_in(&self, subject: Subject<'_>) -> bool {
        subject.result.effects().is_some()
    }

    fn section(&self, _name: FigureName) -> &'static str {
        "So what?"
    }

    fn heading(&self, _name: FigureName) -> &'static str {
        "What speaks for the one token, and what for the other?"
    }

    fn explanation(&self, _name: FigureName, _view: &View) -> String {
        "What every head and MLP of all layers adds to the difference of the two logits by itself, past all later layers, with the scale of \
         the final LayerNorm as it is. What later layers make of it is theirs. Blue raises the difference, red lowers it."
            .into()
    }

    fn title(&self, _name: FigureName) -> String {
        "Direct effects".into()
    }

    fn summary(&self, subject: Subject<'_>) -> String {
        let Ok(section) = section(subject.result) else {
            return "There are no direct effects.".into();
        };
        let mut all: Vec<(&Component, &f32)> = section.components.iter().zip(section.effects.data()).collect();
        sort_descending(&mut all, |one| one.1.abs());
        let description: Vec<String> = all
            .iter()
            .take(LISTED)
            .map(|(component, value)| format!("{} {}", component.name(), number(f64::from(**value), 3)))
            .collect();
        format!("{} The largest: {}.", effects_sum(section), description.join(", "))
    }

    fn plot(&self, subject: Subject<'_>) -> Result<Plot> {
        matrix(subject).map(Plot::from)
    }

    fn tables(&self, subject: Subject<'_>) -> Result<Vec<Table>> {
        let section = section(subject.result)?;
        let row = |(component, value): (&Component, &f32)| {
            vec![
                Field::Text(component.label()),
                Field::Text(component.name()),
                Field::Single(*value),
            ]
        };
        let bias = [BIAS, "bias of the unembedding"].map(|text| Field::Text(text.to_owned()));
        let bias: Vec<Field> = bias.into_iter().chain([Field::Single(section.bias)]).collect();
        let rows = section.components.iter().zip(section.effects.data()).map(row);
        let title = title(subject.result, section);
        let components = Table {
            name: "effects",
            title: title.clone(),
            caption: effects_sum(section),
            columns: ["component", "name", "effect"].map(str::to_owned).to_vec(),
            rows: rows.chain([bias]).collect(),
        };
        let texts = subject.result.attention().map_or(&[][..], |attention| &attention.texts);
        let source = |(position, value): (usize, &f32)| {
            vec![
                Field::Count(position),
                texts
                    .get(position)
                    .map_or(Field::Empty, |text| Field::Text(text.clone())),
                Field::Single(*value),
            ]
        };
        let by_source = Table {
            name: "sources",
            title,
            caption: format!("The effect of head {} by the token that it has read.", section.head),
            columns: ["position", "token", "effect"].map(str::to_owned).to_vec(),
            rows: section.by_source.data().iter().enumerate().map(source).collect(),
        };
        Ok(vec![components, by_source])
    }

    fn script(&self, subject: Subject<'_>, theme: &Theme) -> Result<Script> {
        let mut script = script::of_matrix(MatrixKind::Direct, &matrix(subject)?, theme);
        script::components(&mut script, &heatmap(section(subject.result)?));
        Ok(script)
    }
}
