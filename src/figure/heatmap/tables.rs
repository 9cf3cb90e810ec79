//! The tables behind a heatmap.

use crate::analysis::Heatmap;
use crate::export::{Field, Table, single};
use crate::figure::prompts::{parts, prompt_columns, prompt_fields};
use crate::names::{Column, Row};
use crate::plot::{Cell, HeatmapPlot};
use crate::result::ResultFile;

/// The names of the tables, and what each is called where it is offered; the last one only where the result has it.
pub(super) const OFFERED: [(&str, &str); 3] = [
    ("cells", "Cells"),
    ("components", "Components"),
    ("prompts", "Components per prompt"),
];

/// Whether the table `name` has a row per layer, not per component or prompt.
pub(super) fn is_short(name: &str) -> bool {
    name == "cells"
}

/// `cells` (a row per layer, a column per component, as drawn), `components` (a row per component) and, where the result has
/// them, `prompts` (a row per prompt, a column per component).
pub(super) fn tables(result: &ResultFile, heatmap: Option<&Heatmap>, plot: &HeatmapPlot) -> Vec<Table> {
    let prompts = heatmap.and_then(|heatmap| per_prompt(result, plot, heatmap));
    [cells(plot), components(plot)].into_iter().chain(prompts).collect()
}

fn cells(plot: &HeatmapPlot) -> Table {
    let row = |(name, cells): (&Row, &Vec<Option<Cell>>)| {
        let values = cells
            .iter()
            .map(|cell| cell.as_ref().map_or(Field::Empty, |cell| Field::Single(cell.value)));
        std::iter::once(Field::Text(name.to_string())).chain(values).collect()
    };
    let misc: Vec<&str> = plot
        .cells
        .first()
        .into_iter()
        .flatten()
        .flatten()
        .map(|cell| cell.label.as_str())
        .collect();
    let of_misc = match plot.rows.first() {
        Some(name @ (Row::Embeddings | Row::Other(_))) => format!(" The row {name} holds {}.", misc.join(", ")),
        Some(Row::Layer(_)) | None => String::new(),
    };
    Table {
        name: "cells",
        title: plot.title.clone(),
        caption: format!(
            "A row per layer, a column per component.{of_misc} The sum of all is {}.",
            single(plot.sum as f32)
        ),
        columns: std::iter::once("layer".to_owned())
            .chain(plot.columns.iter().map(Column::to_string))
            .collect(),
        rows: plot.rows.iter().zip(&plot.cells).map(row).collect(),
    }
}

fn components(plot: &HeatmapPlot) -> Table {
    let of_row = |(row, cells): (&Row, &Vec<Option<Cell>>)| -> Vec<Vec<Field>> {
        let cell = |cell: &Cell| {
            let value = f64::from(cell.value);
            let share = if plot.sum == 0.0 {
                Field::Empty
            } else {
                Field::Double(value / plot.sum)
            };
            vec![
                cell.label.as_str().into(),
                cell.name.as_str().into(),
                Field::Text(row.to_string()),
                Field::Single(cell.value),
                share,
            ]
        };
        cells.iter().flatten().map(cell).collect()
    };
    Table {
        name: "components",
        title: plot.title.clone(),
        caption: "A row per component, with its share of the sum of all.".into(),
        columns: ["component", "name", "layer", "contribution", "share of sum"]
            .map(str::to_owned)
            .to_vec(),
        rows: plot.rows.iter().zip(&plot.cells).flat_map(of_row).collect(),
    }
}

/// The contributions in every prompt, where the result has them.
fn per_prompt(result: &ResultFile, plot: &HeatmapPlot, heatmap: &Heatmap) -> Option<Table> {
    let prompts = *heatmap.per_prompt.as_ref()?.shape().first()?;
    let shown = || plot.cells.iter().flatten().flatten();
    let indices: Vec<Option<usize>> = shown().map(|cell| heatmap.index_at(cell.place)).collect();
    let parts = parts(result);
    let row = |prompt: usize| {
        let values = heatmap.of_prompt(prompt);
        let value = |index: &Option<usize>| values?.get((*index)?).copied();
        let numbers = indices
            .iter()
            .map(|index| value(index).map_or(Field::Empty, Field::Single));
        prompt_fields(result, &parts, prompt)
            .into_iter()
            .chain(numbers)
            .collect()
    };
    let columns = prompt_columns(result).into_iter().map(str::to_owned);
    Some(Table {
        name: "prompts",
        title: plot.title.clone(),
        caption: "The contribution of each component in each prompt of the first batch.".into(),
        columns: columns.chain(shown().map(|cell| cell.label.clone())).collect(),
        rows: (0..prompts).map(row).collect(),
    })
}
