//! Reading, checking and writing the result file.

use serde::Deserialize;

use crate::error::{Error, ErrorKind, Result};
use crate::names::{HeatmapId, HistogramId};
use crate::result::{FORMAT, Heatmap, ResultFile};

/// Longest result file that is read: 64 MiB, some thirty times that of 1200 prompts.
pub const MAX_BYTES: usize = 64 << 20;

const ADVICE: &str = "Choose a file that this program wrote with \"Download result\" or --out.";

/// The part of any JSON document that says whether the rest is worth reading.
#[derive(Deserialize)]
struct Probe {
    #[serde(default)]
    format: Option<String>,
}

impl ResultFile {
    /// Reads a result file and checks that its parts fit each other. Unknown fields are ignored.
    ///
    /// # Errors
    /// [`ErrorKind::ResultFile`] when `bytes` are more than [`MAX_BYTES`], not JSON, of another format,
    /// lack a field, or fail [`ResultFile::check`].
    pub fn from_json(bytes: &[u8]) -> Result<Self> {
        if bytes.len() > MAX_BYTES {
            return Err(error(format!("the result file is {} bytes long", bytes.len()))
                .expected(format!("at most {MAX_BYTES} (64 MiB)")));
        }
        let probe: Probe = serde_json::from_slice(bytes).map_err(|cause| {
            let what = if cause.is_data() {
                "the file is JSON, but not a result file"
            } else {
                "the file is not JSON"
            };
            error(format!("{what} ({cause})")).expected(format!("a JSON object with \"format\": \"{FORMAT}\""))
        })?;
        match probe.format {
            Some(format) if format == FORMAT => {}
            Some(format) => {
                return Err(error(format!("the file has the format \"{format}\"")).expected(format!("\"{FORMAT}\"")));
            }
            None => {
                return Err(error("the JSON document has no field \"format\"").expected(format!("\"{FORMAT}\"")));
            }
        }
        let mut document = serde_json::Deserializer::from_slice(bytes);
        let result: Self = serde_path_to_error::deserialize(&mut document).map_err(|cause| {
            error(format!(
                "the result file can't be read: {} ({})",
                cause.path(),
                cause.inner()
            ))
        })?;
        result.check()?;
        Ok(result)
    }

    /// The result file as compact JSON; numbers are written with as few digits as bring them back.
    ///
    /// # Errors
    /// [`ErrorKind::ResultFile`] when [`ResultFile::check`] fails: what is written can be read.
    pub fn to_json(&self) -> Result<String> {
        self.check()?;
        serde_json::to_string(self).map_err(|cause| error(format!("the result can't be written as JSON: {cause}")))
    }

    /// Checks that all parts fit each other: heads exist, every series has batches x batch_size
    /// values, heatmaps are rectangular, and every number is finite.
    ///
    /// # Errors
    /// [`ErrorKind::ResultFile`] naming the first part that does not fit.
    pub fn check(&self) -> Result<()> {
        if self.format != FORMAT {
            return Err(error(format!("the result has the format \"{}\"", self.format)).expected(FORMAT));
        }
        for head in [self.head, self.earlier_head] {
            self.config.check_head(head).map_err(|cause| Error {
                kind: ErrorKind::ResultFile,
                advice: ADVICE.into(),
                ..cause
            })?;
        }
        let count = self
            .batches
            .checked_mul(self.batch_size)
            .filter(|&count| count > 0)
            .ok_or_else(|| {
                error(format!(
                    "batches is {} and batch_size {}",
                    self.batches, self.batch_size
                ))
                .expected("both at least 1")
            })?;
        if self.seed.checked_add(self.batches as u64).is_none() {
            return Err(
                error(format!("seed {} is too large for {} batches", self.seed, self.batches))
                    .expected("that every batch has a seed"),
            );
        }
        self.check_histograms(count)?;
        if !self.prompts.is_empty() && self.prompts.len() != count {
            return Err(length_error("prompts", self.prompts.len(), count));
        }
        self.heatmaps.iter().try_for_each(|(name, heatmap)| {
            let (group, facet) = name.group_and_facet();
            if facet.is_some() && self.heatmaps.contains_key(&HeatmapId::from(group.as_str())) {
                return Err(error(format!("\"{group}\" is a heatmap and has facets")).expected("one or the other"));
            }
            check_heatmap(name, heatmap, self.batch_size)
        })
    }

    fn check_histograms(&self, count: usize) -> Result<()> {
        for name in HistogramId::ALL {
            for (label, values) in &self.histograms.get(name).series {
                check_values(&format!("{name}, series \"{label}\""), values, count)?;
            }
        }
        let truth = [
            ("true_score", &self.histograms.true_score),
            ("true_prob", &self.histograms.true_prob),
        ];
        truth
            .into_iter()
            .filter(|(_, values)| !values.is_empty())
            .try_for_each(|(name, values)| check_values(name, values, count))
    }
}

fn error(cause: impl Into<String>) -> Error {
    Error::new(ErrorKind::ResultFile, cause).advice(ADVICE)
}

fn length_error(what: &str, found: usize, count: usize) -> Error {
    error(format!("{what} has {found} entries")).expected(format!("{count}, batches x batch_size"))
}

fn check_values(what: &str, values: &[f32], count: usize) -> Result<()> {
    if values.len() != count {
        return Err(length_error(what, values.len(), count));
    }
    match values.iter().position(|value| !value.is_finite()) {
        Some(index) => Err(error(format!("{what}: value {index} is {}", values[index])).expected("finite numbers")),
        None => Ok(()),
    }
}

fn check_heatmap(name: &HeatmapId, heatmap: &Heatmap, prompts: usize) -> Result<()> {
    let (rows, columns) = (heatmap.rows.len(), heatmap.columns.len());
    if rows == 0 || columns == 0 {
        return Err(
            error(format!("heatmap \"{name}\" has {rows} rows and {columns} columns")).expected("at least one"),
        );
    }
    let fits = |table: &Vec<Vec<f32>>| table.len() == rows && table.iter().all(|row| row.len() == columns);
    let per_prompt = heatmap.per_prompt.as_deref();
    if !fits(&heatmap.values) || !per_prompt.unwrap_or_default().iter().all(fits) {
        return Err(error(format!(
            "the values of heatmap \"{name}\" do not fit its {rows} rows and {columns} columns"
        )));
    }
    if let Some(per_prompt) = per_prompt
        && per_prompt.len() != prompts
    {
        let cause = format!("per_prompt of heatmap \"{name}\" has {} entries", per_prompt.len());
        return Err(error(cause).expected(format!("{prompts}, the batch size")));
    }
    let tables = std::iter::once(&heatmap.values).chain(per_prompt.unwrap_or_default());
    let others = [Some(heatmap.sum), heatmap.mean_score, heatmap.max_abs_residual];
    let mut numbers = tables.flatten().flatten().copied().chain(others.into_iter().flatten());
    match numbers.find(|number| !number.is_finite()) {
        Some(number) => {
            Err(error(format!("heatmap \"{name}\" has a number that is {number}")).expected("finite numbers"))
        }
        None => Ok(()),
    }
}
