//! Results as the tests look at them and make them.

#![allow(dead_code, clippy::unwrap_used, reason = "every test uses a part of it")]

use std::collections::BTreeMap;

use keyside::analysis::{Analysis, Array, Heatmap, Observer, SubstitutionSection, analyze};
use keyside::forward::Model;
use keyside::names::{Column, Component, HeatmapId, HistogramId, Row, SeriesId, Side};
use keyside::prompts::{IoiSet, PromptSet};
use keyside::result::ResultFile;

/// Runs `analysis` and makes its result.
pub async fn run(model: &mut Model, analysis: &Analysis, observer: &dyn Observer) -> keyside::Result<ResultFile> {
    let found = analyze(model, analysis, observer).await?;
    Ok(ResultFile::new(model, analysis, found))
}

/// The heatmap `name` of `result`.
pub fn heatmap<'r>(result: &'r ResultFile, name: &HeatmapId) -> &'r Heatmap {
    result.heatmap(name).unwrap_or_else(|| panic!("no heatmap {name}"))
}

/// The heatmap "key" of `result`.
pub fn key(result: &ResultFile) -> &Heatmap {
    heatmap(result, &HeatmapId::KEY)
}

/// All heatmaps of `result`, to change.
pub fn heatmaps_mut(result: &mut ResultFile) -> &mut BTreeMap<HeatmapId, Heatmap> {
    &mut result.contributions_mut().unwrap().heatmaps
}

/// The section behind the histograms of `result`, to change.
pub fn substitution_mut(result: &mut ResultFile) -> &mut SubstitutionSection {
    result.substitution_mut().unwrap()
}

/// The values of the series `id`.
pub fn values<'r>(result: &'r ResultFile, histogram: HistogramId, id: &SeriesId) -> &'r [f32] {
    let section = result.substitution().unwrap();
    let found = section.values(histogram, id);
    found.unwrap_or_else(|| panic!("{histogram} has no series {id}"))
}

/// The head's true scores.
pub fn true_score(result: &ResultFile) -> &[f32] {
    result.true_values(HistogramId::KeysFixedScores)
}

/// Where the prompts of `result` come from.
pub fn ioi(result: &ResultFile) -> &IoiSet {
    result.ioi().unwrap()
}

/// The same, to change. The contributions are of its first batch.
pub fn set_ioi(result: &mut ResultFile, change: impl FnOnce(&mut IoiSet)) {
    let PromptSet::Ioi(set) = result.prompt_set.as_mut().unwrap();
    change(set);
    let size = set.batch_size;
    if let Some(section) = result.contributions_mut() {
        section.prompts = size;
    }
}

/// `values` of the components of `heatmap` as a table, 0 where no component is.
pub fn table(heatmap: &Heatmap, values: &[f32]) -> Vec<Vec<f32>> {
    let value = |cell: Option<(Component, f32)>| cell.map_or(0.0, |(_, value)| value);
    let rows = heatmap.table(values).into_iter();
    rows.map(|row| row.into_iter().map(value).collect()).collect()
}

/// The means of `heatmap` as a table, 0 where no component is.
pub fn means(heatmap: &Heatmap) -> Vec<Vec<f32>> {
    table(heatmap, heatmap.mean.data())
}

/// The contributions in every prompt as tables, where they are known.
pub fn per_prompt(heatmap: &Heatmap) -> Option<Vec<Vec<Vec<f32>>>> {
    let prompts = heatmap.per_prompt.as_ref()?.shape()[0];
    let of = |prompt| table(heatmap, heatmap.of_prompt(prompt).unwrap());
    Some((0..prompts).map(of).collect())
}

/// Puts contributions in every prompt into `heatmap`, given as tables.
pub fn set_per_prompt(heatmap: &mut Heatmap, tables: &[Vec<Vec<f32>>]) {
    let cells = Heatmap::cells(side(heatmap), &heatmap.rows(), &heatmap.columns()).unwrap();
    let of = |table: &Vec<Vec<f32>>| {
        cells
            .iter()
            .map(|(_, (row, column))| table[*row][*column])
            .collect::<Vec<_>>()
    };
    heatmap.per_prompt = Some(Array::of_rows(tables.iter().flat_map(of).collect(), cells.len()));
}

fn side(heatmap: &Heatmap) -> Side {
    match heatmap.components.contains(&Component::QueryBias) {
        true => Side::Query,
        false => Side::Key,
    }
}

/// A heatmap of the key's side with these rows, columns and means, whose score was not recorded. What stands beyond the third
/// column of row `misc` is left out.
pub fn heatmap_of(rows: &[Row], columns: &[Column], means: &[Vec<f32>]) -> Heatmap {
    let cells = Heatmap::cells(Side::Key, rows, columns).unwrap();
    Heatmap {
        mean: Array::vector(cells.iter().map(|(_, (row, column))| means[*row][*column]).collect()),
        components: cells.into_iter().map(|(component, _)| component).collect(),
        sum: means.iter().flatten().sum(),
        mean_score: None,
        max_abs_residual: None,
        per_prompt: None,
        note: None,
    }
}
