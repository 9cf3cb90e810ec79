//! Contributions of components to a score: the section behind the heatmaps.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::analysis::{Array, OmittedHeatmap, SectionType};
use crate::error::{Error, ErrorKind, Result};
use crate::model::Config;
use crate::names::{Column, Component, Grid, Head, HeatmapId, Row, Side};

/// Limit of the cells of a heatmap's grid, including empty ones: some fifty times that of the largest GPT-2.
const MAX_CELLS: usize = 1 << 16;

/// Contributions of components to the score dest -> src, or to variants of it in which something is removed or
/// replaced.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(from = "Packed", into = "Packed")]
pub struct ContributionsSection {
    /// The head.
    pub head: Head,
    /// Number of prompts that the heatmaps are of: the first ones of the run.
    pub prompts: usize,
    /// The heatmaps, in the order in which they are offered.
    pub heatmaps: BTreeMap<HeatmapId, Heatmap>,
    /// Omitted heatmaps, whose values are not finite in some prompts.
    pub left_out: Vec<OmittedHeatmap>,
}

/// The section as it is serialized. The list of components that most heatmaps of a side share is written once.
#[derive(Serialize, Deserialize)]
struct Packed {
    head: Head,
    prompts: usize,
    #[serde(default)]
    components: SideComponents,
    heatmaps: BTreeMap<HeatmapId, Heatmap>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    left_out: Vec<OmittedHeatmap>,
}

/// The shared components of a side's heatmaps.
#[derive(Default, Serialize, Deserialize)]
#[serde(default)]
struct SideComponents {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    key: Vec<Component>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    query: Vec<Component>,
}

impl SideComponents {
    fn of(&mut self, side: Side) -> &mut Vec<Component> {
        match side {
            Side::Key => &mut self.key,
            Side::Query => &mut self.query,
        }
    }
}

impl From<ContributionsSection> for Packed {
    fn from(mut section: ContributionsSection) -> Self {
        let mut components = SideComponents::default();
        for (name, heatmap) in &mut section.heatmaps {
            let of_side = components.of(name.side());
            let own = std::mem::take(&mut heatmap.components);
            if of_side.is_empty() {
                *of_side = own;
            } else if *of_side != own {
                heatmap.components = own;
            }
        }
        Self {
            head: section.head,
            prompts: section.prompts,
            components,
            heatmaps: section.heatmaps,
            left_out: section.left_out,
        }
    }
}

impl From<Packed> for ContributionsSection {
    fn from(mut read: Packed) -> Self {
        for (name, heatmap) in &mut read.heatmaps {
            if heatmap.components.is_empty() {
                heatmap.components.clone_from(read.components.of(name.side()));
            }
        }
        Self {
            head: read.head,
            prompts: read.prompts,
            heatmaps: read.heatmaps,
            left_out: read.left_out,
        }
    }
}

/// Contributions of components to a score.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Heatmap {
    /// The components, in the order of the numbers. In a file, the section may list them instead.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub components: Vec<Component>,
    /// Mean contribution of each over the prompts, `[components]`.
    pub mean: Array,
    /// Sum over all components.
    pub sum: f32,
    /// Mean over the prompts of the score that the contributions add up to, computed independently. For a facet: the
    /// score of its two parts, of query and key. None where it was not recorded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mean_score: Option<f32>,
    /// Largest |sum of contributions - the score computed independently| over the prompts, a rounding error; None where it was not computed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_abs_residual: Option<f32>,
    /// The same relative to the sum of the absolute contributions in the prompt, which bounds the rounding errors.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_relative_residual: Option<f32>,
    /// Contributions in every prompt, `[prompts, components]`. None for facets, in recorded runs, and where there would
    /// be too many.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub per_prompt: Option<Array>,
    /// A remark on this heatmap, if it differs from the rest of the run: recorded ones may be of other prompts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

impl Heatmap {
    /// The heatmap of one prompt, in which `components` contribute `values`, `[components]`.
    pub fn of_one(components: Vec<Component>, values: Vec<f32>) -> Self {
        let sum: f64 = values.iter().map(|&value| f64::from(value)).sum();
        Self {
            components,
            mean: Array::vector(values),
            sum: sum as f32,
            mean_score: None,
            max_abs_residual: None,
            max_relative_residual: None,
            per_prompt: None,
            note: None,
        }
    }

    /// The rows of its grid from the top: `misc` where there are components of no layer, then the layers.
    pub fn rows(&self) -> Vec<Row> {
        let layers: BTreeSet<usize> = self
            .components
            .iter()
            .filter_map(|component| component.layer())
            .collect();
        let embeddings = self.of_no_layer().next().map(|_| Row::Embeddings);
        embeddings
            .into_iter()
            .chain(layers.into_iter().map(Row::Layer))
            .collect()
    }

    /// The columns of its grid from the left: heads, `MLP`, `b_O`, as far as they have components.
    pub fn columns(&self) -> Vec<Column> {
        let head = |component: &Component| match component {
            Component::Head(head) => Some(head.head),
            _ => None,
        };
        let heads: BTreeSet<usize> = self.components.iter().filter_map(head).collect();
        let has = |wanted: fn(&Component) -> bool| self.components.iter().any(wanted);
        let mut columns: Vec<Column> = heads.into_iter().map(Column::Head).collect();
        columns.extend(has(|component| matches!(component, Component::Mlp(_))).then_some(Column::Mlp));
        columns.extend(self.has_attention_biases().then_some(Column::AttentionBias));
        // Row `misc` needs as many columns as it has components.
        for column in [Column::Mlp, Column::AttentionBias, Column::Head(0)] {
            if columns.len() < self.of_no_layer().count() && !columns.contains(&column) {
                columns.push(column);
            }
        }
        columns
    }

    /// Whether attention output biases are among the components (the notebook omits them).
    pub fn has_attention_biases(&self) -> bool {
        self.components
            .iter()
            .any(|component| matches!(component, Component::AttentionBias(_)))
    }

    /// Contributions in prompt `prompt`, `[components]`; None where they are not known.
    pub fn of_prompt(&self, prompt: usize) -> Option<&[f32]> {
        self.per_prompt.as_ref()?.row(prompt)
    }

    /// Contributions in `prompt`, `[components]`, and the prompt's number, if they are known; otherwise the means, and
    /// None.
    pub fn of_prompt_or_mean(&self, prompt: Option<usize>) -> (Option<usize>, &[f32]) {
        let of_prompt = prompt.and_then(|prompt| Some((Some(prompt), self.of_prompt(prompt)?)));
        of_prompt.unwrap_or((None, self.mean.data()))
    }

    /// Contributions of component `index` in every prompt, `[prompts]`; None where they are not known.
    pub fn of_component(&self, index: usize) -> Option<Vec<f32>> {
        let per_prompt = self.per_prompt.as_ref()?;
        let prompts = 0..*per_prompt.shape().first()?;
        prompts
            .map(|prompt| per_prompt.row(prompt)?.get(index).copied())
            .collect()
    }

    /// The index of the component in row and column `place` of the grid; None for an empty cell.
    pub fn index_at(&self, place: (usize, usize)) -> Option<usize> {
        let indices: Vec<usize> = (0..self.components.len()).collect();
        let (_, index) = (*self.table(&indices).get(place.0)?.get(place.1)?)?;
        Some(index)
    }

    /// `values` (in the order of the components) as a table with the heatmap's rows and columns; None in empty cells.
    pub fn table<T: Copy>(&self, values: &[T]) -> Vec<Vec<Option<(Component, T)>>> {
        let (rows, columns) = (self.rows(), self.columns());
        let grid = Grid {
            rows: &rows,
            columns: &columns,
        };
        let mut table = vec![vec![None; columns.len()]; rows.len()];
        for (&component, &value) in self.components.iter().zip(values) {
            let cell = grid
                .place(component)
                .and_then(|(row, column)| table.get_mut(row)?.get_mut(column));
            if let Some(cell) = cell {
                *cell = Some((component, value));
            }
        }
        table
    }

    /// The components of `side` in a grid of `rows` and `columns`, row by row, each with its row and column.
    ///
    /// # Errors
    /// [`ErrorKind::ResultFile`] where a row or column is none of ours.
    pub fn cells(side: Side, rows: &[Row], columns: &[Column]) -> Result<Vec<(Component, (usize, usize))>> {
        let grid = Grid { rows, columns };
        let places = (0..rows.len()).flat_map(|row| (0..columns.len()).map(move |column| (row, column)));
        let cells = places.filter_map(|place| Some((grid.cell(side, place)?, place)));
        cells
            .map(|(cell, place)| match cell.component() {
                Some(component) => Ok((component, place)),
                None => Err(Error::new(
                    ErrorKind::ResultFile,
                    format!("a heatmap has a cell \"{}\"", cell.label()),
                )
                .expected(format!(
                    "rows {}, 0, 1, ... and columns {}, {}, ..., {}, {}",
                    Row::Embeddings,
                    Column::Head(0),
                    Column::Head(1),
                    Column::Mlp,
                    Column::AttentionBias
                ))),
            })
            .collect()
    }

    fn of_no_layer(&self) -> impl Iterator<Item = &Component> {
        self.components.iter().filter(|component| component.layer().is_none())
    }

    /// Checks that its parts fit each other. `name` is used in errors.
    fn check(&self, name: &HeatmapId, config: &Config, prompts: usize) -> Result<()> {
        let error = |cause: String| Error::new(ErrorKind::ResultFile, cause);
        let count = self.components.len();
        if count == 0 {
            return Err(error(format!("heatmap \"{name}\" has no components")).expected("at least one"));
        }
        let mut seen = BTreeSet::new();
        for component in &self.components {
            if !seen.insert(*component) {
                return Err(
                    error(format!("heatmap \"{name}\" has the component {component} twice")).expected("it once")
                );
            }
            let head = match component {
                Component::Head(head) => *head,
                // Every layer has a head 0: this checks the layer.
                other => Head::new(other.layer().unwrap_or(0), 0),
            };
            config.check_head(head).map_err(|cause| {
                error(format!(
                    "heatmap \"{name}\" has the component {component}: {}",
                    cause.cause
                ))
            })?;
        }
        let cells = self.rows().len().saturating_mul(self.columns().len());
        if cells > MAX_CELLS {
            return Err(error(format!("heatmap \"{name}\" has {cells} cells")).expected(format!("at most {MAX_CELLS}")));
        }
        self.mean
            .check_shape(&format!("the mean of heatmap \"{name}\""), &[count])?;
        let per_prompt = self.per_prompt.as_ref();
        if let Some(per_prompt) = per_prompt {
            per_prompt.check_shape(&format!("per_prompt of heatmap \"{name}\""), &[prompts, count])?;
        }
        let arrays = [Some(&self.mean), per_prompt]
            .into_iter()
            .flatten()
            .flat_map(Array::data);
        let residuals = [self.max_abs_residual, self.max_relative_residual];
        let others = [Some(self.sum), self.mean_score].into_iter().chain(residuals);
        let mut numbers = arrays.copied().chain(others.flatten());
        match numbers.find(|number| !number.is_finite()) {
            Some(number) => {
                Err(error(format!("heatmap \"{name}\" has a number that is {number}")).expected("finite numbers"))
            }
            None => Ok(()),
        }
    }
}

impl SectionType for ContributionsSection {
    fn head(&self) -> Option<Head> {
        Some(self.head)
    }

    fn check(&self, config: &Config, prompts: usize) -> Result<()> {
        config.check_head(self.head)?;
        if self.prompts == 0 || self.prompts > prompts {
            let cause = format!("the contributions are of {} prompts", self.prompts);
            return Err(Error::new(ErrorKind::ResultFile, cause).expected(format!("1 to {prompts}, the run's")));
        }
        for (name, heatmap) in &self.heatmaps {
            let (group, facet) = name.group_and_facet();
            if facet.is_some() && self.heatmaps.contains_key(&HeatmapId::from(group.as_str())) {
                let cause = format!("\"{group}\" is a heatmap and has facets");
                return Err(Error::new(ErrorKind::ResultFile, cause).expected("one or the other"));
            }
            heatmap.check(name, config, self.prompts)?;
        }
        Ok(())
    }
}

#[cfg(test)]
impl Heatmap {
    /// A heatmap of the key's side, without score, prompts and note, from a table. What is beyond the third column of
    /// row `misc` is dropped.
    pub(crate) fn of_table(rows: &[&str], columns: &[&str], values: &[Vec<f32>]) -> Self {
        let rows: Vec<Row> = rows.iter().map(|row| (*row).into()).collect();
        let columns: Vec<Column> = columns.iter().map(|column| (*column).into()).collect();
        let cells = Self::cells(Side::Key, &rows, &columns).expect("rows and columns of ours");
        Self {
            mean: Array::vector(cells.iter().map(|(_, (row, column))| values[*row][*column]).collect()),
            components: cells.into_iter().map(|(component, _)| component).collect(),
            sum: values.iter().flatten().sum(),
            mean_score: None,
            max_abs_residual: None,
            max_relative_residual: None,
            per_prompt: None,
            note: None,
        }
    }

    /// The means as a table, with 0 in empty cells.
    pub(crate) fn values(&self) -> Vec<Vec<f32>> {
        let table = self.table(self.mean.data()).into_iter();
        let value = |cell: Option<(Component, f32)>| cell.map_or(0.0, |(_, value)| value);
        table.map(|row| row.into_iter().map(value).collect()).collect()
    }

    /// The values of the components in a table with this heatmap's rows and columns.
    pub(crate) fn numbers(&self, table: &[Vec<f32>]) -> Vec<f32> {
        let indices: Vec<usize> = (0..self.components.len()).collect();
        let mut numbers = vec![0.0; self.components.len()];
        for (cells, values) in self.table(&indices).into_iter().zip(table) {
            for (cell, value) in cells.into_iter().zip(values) {
                if let Some((_, index)) = cell {
                    numbers[index] = *value;
                }
            }
        }
        numbers
    }
}
