//! Version 1 of the result file, `"format": "keyside-result/1"`: it will always be readable, and is never written.
//!
//! It has one analysis: IOI prompts, histograms as four sets of series, heatmaps as tables with the names of their rows
//! and columns. [`File::into_document`] converts it to the current form.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::{FORMAT as WRITTEN, ModelInfo, ResultFile};
use crate::analysis::{Array, ContributionsSection, Heatmap, Section, SubstitutionSection, Timing};
use crate::error::{Error, ErrorKind, Result};
use crate::model::{Config, Processing};
use crate::names::{Column, Head, HeatmapId, HistogramId, Normalization, Row};
use crate::prompts::ioi::Prompt;
use crate::prompts::{IoiSet, PromptSet};

/// The value of its field `format`.
pub(super) const FORMAT: &str = "keyside-result/1";

/// The whole file.
#[derive(Deserialize)]
pub(super) struct File {
    model: ModelInfo,
    config: Config,
    processing: Processing,
    head: Head,
    earlier_head: Head,
    seed: u64,
    batches: usize,
    batch_size: usize,
    prepend_bos: bool,
    histograms: Histograms,
    heatmaps: BTreeMap<String, Table>,
    #[serde(default)]
    prompts: Vec<Prompt>,
    #[serde(default)]
    timing: Option<Timing>,
}

/// Series of one histogram: label to values, one per prompt.
#[derive(Deserialize)]
struct SeriesSet {
    series: BTreeMap<String, Vec<f32>>,
}

/// The four histograms; true values are empty where they are unknown.
#[derive(Deserialize)]
struct Histograms {
    keys_fixed_scores: SeriesSet,
    keys_fixed_probs: SeriesSet,
    queries_fixed_scores: SeriesSet,
    queries_fixed_probs: SeriesSet,
    #[serde(default)]
    true_score: Vec<f32>,
    #[serde(default)]
    true_prob: Vec<f32>,
}

impl Histograms {
    fn get(&self, histogram: HistogramId) -> &SeriesSet {
        match histogram {
            HistogramId::KeysFixedScores => &self.keys_fixed_scores,
            HistogramId::KeysFixedProbs => &self.keys_fixed_probs,
            HistogramId::QueriesFixedScores => &self.queries_fixed_scores,
            HistogramId::QueriesFixedProbs => &self.queries_fixed_probs,
        }
    }
}

/// The value under a heatmap's name: a table of values, or `facets` with tables.
#[derive(Deserialize)]
struct Table {
    facets: Option<BTreeMap<String, Table>>,
    rows: Option<Vec<Row>>,
    columns: Option<Vec<Column>>,
    values: Option<Vec<Vec<f32>>>,
    sum: Option<f32>,
    mean_score: Option<f32>,
    max_abs_residual: Option<f32>,
    per_prompt: Option<Vec<Vec<Vec<f32>>>>,
    note: Option<String>,
}

fn error(cause: String) -> Error {
    Error::new(ErrorKind::ResultFile, cause)
}

impl File {
    /// Converts it to the current form.
    ///
    /// # Errors
    /// [`crate::ErrorKind::ResultFile`] where its parts do not fit each other, naming the first that does not.
    pub(super) fn into_document(self) -> Result<ResultFile> {
        self.config.check_head(self.head)?;
        self.config.check_head(self.earlier_head)?;
        let set = PromptSet::Ioi(IoiSet {
            seed: self.seed,
            batches: self.batches,
            batch_size: self.batch_size,
            prepend_bos: self.prepend_bos,
        });
        set.check()?;
        self.check_lengths(set.count())?;
        let mut sections = vec![Section::Substitution(self.substitution())];
        let heatmaps = heatmaps(self.heatmaps, self.batch_size)?;
        if !heatmaps.is_empty() {
            sections.push(Section::Contributions(ContributionsSection {
                head: self.head,
                prompts: self.batch_size,
                heatmaps,
                left_out: Vec::new(),
            }));
        }
        Ok(ResultFile {
            format: WRITTEN.to_owned(),
            model: self.model,
            config: self.config,
            processing: self.processing,
            prompt_set: Some(set),
            prompts: self.prompts.into_iter().map(Into::into).collect(),
            sections,
            skipped: Vec::new(),
            timing: self.timing,
        })
    }

    /// Checks that the numbers of values and of prompts (if there are any) equal batches x batch_size.
    fn check_lengths(&self, count: usize) -> Result<()> {
        let check = |what: &str, found: usize| {
            if found == count {
                Ok(())
            } else {
                Err(error(format!("{what} has {found} entries")).expected(format!("{count}, batches x batch_size")))
            }
        };
        for histogram in HistogramId::ALL {
            for (label, values) in &self.histograms.get(histogram).series {
                check(&format!("{histogram}, series \"{label}\""), values.len())?;
            }
        }
        for (what, found) in [
            ("true_score", self.histograms.true_score.len()),
            ("true_prob", self.histograms.true_prob.len()),
            ("prompts", self.prompts.len()),
        ] {
            if found > 0 {
                check(what, found)?;
            }
        }
        Ok(())
    }

    fn substitution(&self) -> SubstitutionSection {
        let mut section = SubstitutionSection::empty(self.head, self.earlier_head, Normalization::Notebook);
        for histogram in HistogramId::ALL {
            for (label, values) in &self.histograms.get(histogram).series {
                section.extend(histogram, label.as_str().into(), values);
            }
        }
        let known = |values: &[f32]| (!values.is_empty()).then(|| Array::vector(values.to_vec()));
        section.true_score = known(&self.histograms.true_score);
        section.true_prob = known(&self.histograms.true_prob);
        section
    }
}

/// The heatmaps and facets of `tables`. Names with a slash are rejected, because a slash separates the facet's name.
fn heatmaps(tables: BTreeMap<String, Table>, prompts: usize) -> Result<BTreeMap<HeatmapId, Heatmap>> {
    let mut heatmaps = BTreeMap::new();
    for (name, mut table) in tables {
        if !HeatmapId::is_group(&name) {
            return Err(error(format!("heatmap \"{name}\" has a slash in its name")));
        }
        let named: Vec<(HeatmapId, Table)> = match table.facets.take() {
            Some(facets) => {
                let named = |(facet, table): (String, Table)| (HeatmapId::of_facet(&name, &facet), table);
                facets.into_iter().map(named).collect()
            }
            None => vec![(name.as_str().into(), table)],
        };
        for (name, table) in named {
            let heatmap = table.into_heatmap(&name, prompts)?;
            heatmaps.insert(name, heatmap);
        }
    }
    Ok(heatmaps)
}

impl Table {
    /// Converts it to a heatmap by component; `prompts` is the batch size.
    fn into_heatmap(self, name: &HeatmapId, prompts: usize) -> Result<Heatmap> {
        let missing = |field: &str| error(format!("heatmap \"{name}\": missing field `{field}`"));
        let row_names = self.rows.ok_or_else(|| missing("rows"))?;
        let column_names = self.columns.ok_or_else(|| missing("columns"))?;
        let mean = self.values.ok_or_else(|| missing("values"))?;
        let sum = self.sum.ok_or_else(|| missing("sum"))?;
        let (rows, columns) = (row_names.len(), column_names.len());
        if rows == 0 || columns == 0 {
            return Err(
                error(format!("heatmap \"{name}\" has {rows} rows and {columns} columns")).expected("at least one"),
            );
        }
        let fits = |table: &Vec<Vec<f32>>| table.len() == rows && table.iter().all(|row| row.len() == columns);
        if !fits(&mean) || !self.per_prompt.iter().flatten().all(fits) {
            return Err(error(format!(
                "the values of heatmap \"{name}\" do not fit its {rows} rows and {columns} columns"
            )));
        }
        if let Some(per_prompt) = &self.per_prompt
            && per_prompt.len() != prompts
        {
            let cause = format!("per_prompt of heatmap \"{name}\" has {} entries", per_prompt.len());
            return Err(error(cause).expected(format!("{prompts}, the batch size")));
        }
        let cells = Heatmap::cells(name.side(), &row_names, &column_names)?;
        let values =
            |table: &[Vec<f32>]| -> Vec<f32> { cells.iter().map(|(_, (row, column))| table[*row][*column]).collect() };
        let per_prompt = self.per_prompt.as_ref().map(|tables| {
            let numbers = tables.iter().flat_map(|table| values(table));
            Array::of_rows(numbers.collect(), cells.len())
        });
        Ok(Heatmap {
            mean: Array::vector(values(&mean)),
            components: cells.iter().map(|(component, _)| *component).collect(),
            sum,
            mean_score: self.mean_score,
            max_abs_residual: self.max_abs_residual,
            max_relative_residual: None,
            per_prompt,
            note: self.note,
        })
    }
}
