//! The tables behind a figure.

use std::collections::BTreeSet;

use super::table::{Field, Table, markdown_text};
use super::{Figure, number};
use crate::analysis::Heatmap;
use crate::error::Result;
use crate::names::{Column, HistogramId, Row};
use crate::plot::{Cell, HeatmapPlot, HistogramPlot, Series};
use crate::result::{Bins, ResultFile};

/// The tables behind `figure`, all of the data whatever is zoomed to or hidden.
///
/// A histogram has `statistics` (a row per series), `bins` (a row per bin, a column per series), `values` (a row per prompt, a
/// column per series) and `outliers` (the values beyond the whiskers). A heatmap has `cells` (a row per layer, a column per
/// component, as drawn), `components` (a row per component) and, where the result has them, `prompts` (a row per prompt, a column
/// per component).
///
/// # Errors
/// [`crate::ErrorKind::Plot`] when `result` does not have the figure.
pub fn tables(figure: &Figure, result: &ResultFile) -> Result<Vec<Table>> {
    Ok(match &figure.whole() {
        Figure::Histogram(name, view, _) => histogram(result, *name, &HistogramPlot::of_result(result, *name, view)),
        Figure::Heatmap(view, prompt) => {
            let plot = HeatmapPlot::of_result(result, view, *prompt)?;
            let prompts = result
                .heatmap(&view.name)
                .and_then(|heatmap| per_prompt(result, &plot, heatmap));
            [cells(&plot), components(&plot)].into_iter().chain(prompts).collect()
        }
    })
}

/// The tables of `figure` in Markdown, under its title: a histogram's statistics and bins, a heatmap's cells.
///
/// # Errors
/// [`crate::ErrorKind::Plot`] when `result` does not have the figure.
pub fn markdown(figure: &Figure, result: &ResultFile) -> Result<String> {
    let short = |table: &Table| matches!(table.name, "statistics" | "bins" | "cells");
    let tables = tables(figure, result)?;
    let title = tables
        .first()
        .map(|table| format!("**{}**\n", markdown_text(&table.title)));
    let texts = tables.iter().filter(|table| short(table)).map(Table::markdown);
    Ok(title.into_iter().chain(texts).collect::<Vec<_>>().join("\n"))
}

fn histogram(result: &ResultFile, name: HistogramId, plot: &HistogramPlot) -> Vec<Table> {
    let values: Vec<&[f32]> = plot
        .series
        .iter()
        .map(|series| result.values(name, &series.id))
        .collect();
    vec![
        statistics(plot),
        bins(plot),
        prompts(result, plot, &values),
        outliers(result, plot, &values),
    ]
}

fn statistics(plot: &HistogramPlot) -> Table {
    let columns = [
        "series",
        "shown",
        "count",
        "mean",
        "min",
        "lower whisker",
        "first quartile",
        "median",
        "third quartile",
        "upper whisker",
        "max",
        "half notch",
        "outliers",
    ];
    let row = |series: &Series| {
        let mut row = vec![
            series.label.as_str().into(),
            if series.visible { "yes" } else { "no" }.into(),
        ];
        if let Some(stats) = &series.stats {
            let numbers = [
                stats.mean,
                stats.min,
                stats.lower_whisker,
                stats.q1,
                stats.median,
                stats.q3,
                stats.upper_whisker,
                stats.max,
                stats.notch,
            ];
            row.push(Field::Count(stats.count));
            row.extend(numbers.map(Field::Double));
            row.push(Field::Count(stats.outliers.len()));
        }
        row.resize(columns.len(), Field::Empty);
        row
    };
    Table {
        name: "statistics",
        title: plot.title.clone(),
        caption: "Statistics of each series over all prompts.".into(),
        columns: columns.map(str::to_owned).to_vec(),
        rows: plot.series.iter().map(row).collect(),
    }
}

fn bins(plot: &HistogramPlot) -> Table {
    let row = |bins: &Bins, index: usize| {
        let (low, high) = bins.edges(index);
        let counts = plot.series.iter().map(|series| match series.counts.get(index) {
            Some(count) => Field::Count(*count),
            None => Field::Empty,
        });
        [Field::Double(edge(low, bins)), Field::Double(edge(high, bins))]
            .into_iter()
            .chain(counts)
            .collect()
    };
    let rows = plot
        .bins
        .map(|bins| (0..bins.count).map(|index| row(&bins, index)).collect());
    Table {
        name: "bins",
        title: plot.title.clone(),
        caption: "Number of values of each series in each bin, from its lower edge up to its upper edge.".into(),
        columns: with_series(["from", "to"], plot),
        rows: rows.unwrap_or_default(),
    }
}

/// An edge without the rounding errors of its sum: edges are multiples of half a bin's size, which has one digit.
fn edge(value: f64, bins: &Bins) -> f64 {
    let half = bins.size / 2.0;
    let multiple = (value / half).round();
    // One over a power of ten divides exactly where multiplying by the power would not.
    let decimals = (1.0 - half.log10().floor()).clamp(0.0, 300.0);
    let power = 10f64.powf(decimals);
    let rounded = (multiple * (half * power).round()) / power;
    if (rounded - value).abs() <= 1e-6 * bins.size {
        rounded
    } else {
        value
    }
}

/// What is known of each prompt: its number, counted from 1, its names by the part that they play, and its text.
fn prompt_columns(result: &ResultFile) -> Vec<&str> {
    let mut columns = vec!["prompt"];
    if !result.prompts.is_empty() {
        columns.extend(parts(result));
        columns.push("text");
    }
    columns
}

/// The parts that names play in the prompts.
fn parts(result: &ResultFile) -> BTreeSet<&str> {
    let names = result.prompts.iter().flat_map(|prompt| prompt.names.keys());
    names.map(String::as_str).collect()
}

fn prompt_fields(result: &ResultFile, parts: &BTreeSet<&str>, index: usize) -> Vec<Field> {
    let mut fields = vec![Field::Count(index + 1)];
    if result.prompts.is_empty() {
        return fields;
    }
    let prompt = result.prompts.get(index);
    let names = parts
        .iter()
        .map(|part| prompt.and_then(|prompt| prompt.names.get(*part)));
    let texts = names.chain([prompt.map(|prompt| &prompt.text)]);
    fields.extend(texts.map(|text| text.map_or(Field::Empty, |text| text.as_str().into())));
    fields
}

fn prompts(result: &ResultFile, plot: &HistogramPlot, values: &[&[f32]]) -> Table {
    let count = values.iter().map(|values| values.len()).max().unwrap_or(0);
    let parts = parts(result);
    let row = |index: usize| {
        let numbers = values.iter().map(|values| match values.get(index) {
            Some(value) => Field::Single(*value),
            None => Field::Empty,
        });
        prompt_fields(result, &parts, index)
            .into_iter()
            .chain(numbers)
            .collect()
    };
    Table {
        name: "values",
        title: plot.title.clone(),
        caption: "The value of each prompt in each series.".into(),
        columns: with_series(prompt_columns(result), plot),
        rows: (0..count).map(row).collect(),
    }
}

fn outliers(result: &ResultFile, plot: &HistogramPlot, values: &[&[f32]]) -> Table {
    let parts = parts(result);
    let mut rows = Vec::new();
    for (series, values) in plot.series.iter().zip(values) {
        let Some(stats) = &series.stats else { continue };
        let within = stats.lower_whisker..=stats.upper_whisker;
        for (index, value) in values.iter().enumerate().filter(|(_, value)| value.is_finite()) {
            if !within.contains(&f64::from(*value)) {
                let mut row = vec![series.label.as_str().into(), Field::Single(*value)];
                row.extend(prompt_fields(result, &parts, index));
                rows.push(row);
            }
        }
    }
    let columns = ["series", "value"].into_iter().chain(prompt_columns(result));
    Table {
        name: "outliers",
        title: plot.title.clone(),
        caption: "The values beyond the whiskers.".into(),
        columns: columns.map(str::to_owned).collect(),
        rows,
    }
}

fn with_series<'a>(columns: impl IntoIterator<Item = &'a str>, plot: &HistogramPlot) -> Vec<String> {
    let labels = plot.series.iter().map(|series| series.label.clone());
    columns.into_iter().map(str::to_owned).chain(labels).collect()
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
        Some(name @ (Row::Misc | Row::Other(_))) => format!(" The row {name} holds {}.", misc.join(", ")),
        Some(Row::Layer(_)) | None => String::new(),
    };
    Table {
        name: "cells",
        title: plot.title.clone(),
        caption: format!(
            "A row per layer, a column per component.{of_misc} The sum of all is {}.",
            number::single(plot.sum as f32)
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

#[cfg(test)]
#[path = "data_tests.rs"]
mod tests;
