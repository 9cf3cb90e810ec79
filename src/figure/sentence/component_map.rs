//! A map of components in the layout of the heatmaps: one row per layer, heads and MLP side by side.

use crate::analysis::Heatmap;
use crate::names::Component;
use crate::plot::{Colors, MatrixCell, MatrixPlot};

/// The map of what the components of `heatmap` add; `lines` are the texts of each.
pub(super) fn component_map(
    title: String,
    heatmap: &Heatmap,
    lines: impl Fn(Component, f32) -> Vec<String>,
) -> MatrixPlot {
    let cell = |(component, value): (Component, f32)| MatrixCell {
        value,
        label: component.label(),
        lines: lines(component, value),
    };
    let table = heatmap.table(heatmap.mean.data());
    let cells: Vec<Vec<_>> = table
        .into_iter()
        .map(|row| row.into_iter().map(|found| found.map(cell)).collect())
        .collect();
    let sizes = cells.iter().flatten().flatten().map(|cell| f64::from(cell.value).abs());
    MatrixPlot {
        title,
        x_label: "Component (attn heads & MLP)".into(),
        y_label: "Layer".into(),
        rows: heatmap.rows().iter().map(ToString::to_string).collect(),
        columns: heatmap.columns().iter().map(ToString::to_string).collect(),
        colors: Colors::Diverging(sizes.fold(0.0, f64::max)),
        cells: cells.into(),
        pick: None,
    }
}

/// Row and column of `component` in the map of `heatmap`; None where it is not in it.
pub(super) fn place_of(heatmap: &Heatmap, component: Component) -> Option<(usize, usize)> {
    let table = heatmap.table(heatmap.mean.data());
    let mut rows = table.iter().enumerate();
    rows.find_map(|(row, cells)| {
        let is_it = |cell: &Option<(Component, f32)>| cell.is_some_and(|(other, _)| other == component);
        cells.iter().position(is_it).map(|column| (row, column))
    })
}
