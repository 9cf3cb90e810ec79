//! The results of a sweep by set: the heads of one model on one set of prompts, as a map.

use std::collections::BTreeMap;

use super::rows::SweepRow;
use crate::error::{Error, ErrorKind, Result};
use crate::json;
use crate::math::sort_descending;
use crate::names::Head;
use crate::plot::{Colors, MatrixCell, MatrixPlot};
use crate::quantities::{counted, number};

/// Limit of heads and layers of a map; larger numbers in a row are errors.
const MOST: usize = 1_000;

/// The value shown by the colors of a map of heads.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum SweepMeasure {
    /// The mean attention probability from the destination to the source.
    #[default]
    Attention,
    /// The mean attention score.
    Score,
    /// The share of prompts in which the source gets the most attention.
    Largest,
}

impl SweepMeasure {
    /// All of them, in display order.
    pub const ALL: [Self; 3] = [Self::Attention, Self::Score, Self::Largest];

    /// The name in URLs.
    pub const fn value(self) -> &'static str {
        match self {
            Self::Attention => "attention",
            Self::Score => "score",
            Self::Largest => "largest",
        }
    }

    /// The label in the page.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Attention => "Attention",
            Self::Score => "Score",
            Self::Largest => "Largest",
        }
    }

    /// The title of a map of it.
    const fn title(self) -> &'static str {
        match self {
            Self::Attention => "Attention to the source",
            Self::Score => "Attention score from destination to source",
            Self::Largest => "How often the source gets the most attention",
        }
    }

    fn of(self, row: &SweepRow) -> Option<f64> {
        match self {
            Self::Attention => row.prob,
            Self::Score => row.score,
            Self::Largest => Some(row.largest),
        }
    }
}

/// The heads of one model on one set of prompts.
#[derive(Debug, Clone, PartialEq)]
pub struct SweptSet {
    /// The first row, with model, revision, prompts and seed of all its rows.
    pub first_row: SweepRow,
    /// For each head its rows: one, or one per prompt.
    heads: BTreeMap<Head, Vec<SweepRow>>,
}

/// Parses rows: a line of JSON each.
///
/// # Errors
/// [`ErrorKind::ResultFile`] where a line is something else, with its number, or there is none.
///
/// ```
/// let row = r#"{"model":"m","revision":null,"head":"2.0","prompts":"ioi","seed":0,"prompt":null,"count":40,
///   "score":10.3,"score_sd":2.6,"prob":0.99,"prob_sd":0.03,"largest":1.0}"#.replace('\n', "");
/// let rows = keyside::sweep::read_rows(row.as_bytes())?;
/// assert_eq!(rows[0].head.to_string(), "2.0");
/// assert!(keyside::sweep::read_rows(b"{}").is_err());
/// # Ok::<(), keyside::Error>(())
/// ```
pub fn read_rows(text: &[u8]) -> Result<Vec<SweepRow>> {
    let wrong = |cause: String| {
        Error::new(ErrorKind::ResultFile, cause)
            .expected("rows.jsonl of keyside sweep: a line of JSON for each head and set of prompts")
    };
    let lines = text.split(|byte| *byte == b'\n').zip(1..);
    let lines = lines.filter(|(line, _)| !line.trim_ascii().is_empty());
    let row = |(line, number): (&[u8], usize)| {
        let row: SweepRow =
            json::read(line).map_err(|cause| wrong(format!("line {number} is no row of a sweep: {cause}")))?;
        if row.head.layer < MOST && row.head.head < MOST && row.count > 0 {
            Ok(row)
        } else {
            Err(wrong(format!(
                "line {number} is of head {} and {}",
                row.head,
                counted(row.count, "prompt", "prompts")
            )))
        }
    };
    let rows = lines.map(row).collect::<Result<Vec<_>>>()?;
    if rows.is_empty() {
        Err(wrong("there is no row of a sweep in it".into()))
    } else {
        Ok(rows)
    }
}

/// Groups consecutive `rows` of the same model, revision, prompts and seed. The rows of a set are written one after the
/// other, so that a set that is interrupted by rows of another set is returned as two.
pub fn sets_of(rows: &[SweepRow]) -> Vec<SweptSet> {
    let mut sets: Vec<SweptSet> = Vec::new();
    for row in rows {
        match sets.last_mut().filter(|set| key_of(&set.first_row) == key_of(row)) {
            Some(set) => set.heads.entry(row.head).or_default().push(row.clone()),
            None => sets.push(SweptSet {
                first_row: row.clone(),
                heads: BTreeMap::from([(row.head, vec![row.clone()])]),
            }),
        }
    }
    sets
}

/// The fields that the rows of one set share.
fn key_of(row: &SweepRow) -> (&str, Option<&str>, &str, Option<u64>) {
    (&row.model, row.revision.as_deref(), &row.prompts, row.seed)
}

impl SweptSet {
    /// Model and prompts: "hub:gpt2 at main, ioi, seed 0".
    pub fn name(&self) -> String {
        let first_row = &self.first_row;
        let revision = first_row.revision.as_ref();
        let revision = revision.map_or_else(String::new, |revision| format!(" at {revision}"));
        let seed = first_row.seed.map_or_else(String::new, |seed| format!(", seed {seed}"));
        format!("{}{revision}, {}{seed}", first_row.model, first_row.prompts)
    }

    /// Number of its prompts.
    pub fn prompts(&self) -> usize {
        let rows = self.heads.values().next();
        rows.map_or(0, |rows| rows.iter().map(|row| row.count).sum())
    }

    /// Number of its heads.
    pub fn count(&self) -> usize {
        self.heads.len()
    }

    /// Whether it contains `head`.
    pub fn has(&self, head: Head) -> bool {
        self.heads.contains_key(&head)
    }

    /// The `most` heads with the largest means of `measure`, with these means; heads without a finite mean are omitted.
    pub fn largest(&self, measure: SweepMeasure, most: usize) -> Vec<(Head, f64)> {
        let means = self
            .heads
            .iter()
            .map(|(head, rows)| (*head, mean(rows, |row| measure.of(row))));
        let mut means: Vec<(Head, f64)> = means.filter(|(_, mean)| mean.is_finite()).collect();
        sort_descending(&mut means, |mean| mean.1);
        means.truncate(most);
        means
    }

    /// The map: layers as rows, heads as columns.
    pub fn plot(&self, measure: SweepMeasure) -> MatrixPlot {
        let layers = self.heads.keys().map(|head| head.layer + 1).max().unwrap_or(0);
        let columns = self.heads.keys().map(|head| head.head + 1).max().unwrap_or(0);
        let cell = |head: Head| self.heads.get(&head).map(|rows| cell_of(head, rows, measure));
        let row = |layer| (0..columns).map(|number| cell(Head::new(layer, number))).collect();
        let cells: Vec<Vec<Option<MatrixCell>>> = (0..layers).map(row).collect();
        let values = self.heads.values().map(|rows| mean(rows, |row| measure.of(row)).abs());
        let widest = values.filter(|value| value.is_finite()).fold(0.0, f64::max);
        MatrixPlot {
            title: format!("{}: {}", measure.title(), self.name()),
            x_label: "Head".into(),
            y_label: "Layer".into(),
            rows: (0..layers).map(|layer| layer.to_string()).collect(),
            columns: (0..columns).map(|number| number.to_string()).collect(),
            cells: cells.into(),
            colors: match measure {
                SweepMeasure::Attention | SweepMeasure::Largest => Colors::UpTo(1.0),
                SweepMeasure::Score => Colors::Diverging(widest),
            },
            pick: None,
        }
    }
}

/// The cell of one head, from its rows.
fn cell_of(head: Head, rows: &[SweepRow], measure: SweepMeasure) -> MatrixCell {
    let text = |value: f64, sd: Option<f64>| match sd {
        Some(sd) => format!("{}, standard deviation {}", number(value, 4), number(sd, 4)),
        None => number(value, 4),
    };
    let sd = |sd: fn(&SweepRow) -> Option<f64>| match rows {
        [row] => sd(row),
        _ => None,
    };
    let count: usize = rows.iter().map(|row| row.count).sum();
    let share = 100.0 * mean(rows, |row| Some(row.largest));
    MatrixCell {
        value: mean(rows, |row| measure.of(row)) as f32,
        label: head.to_string(),
        lines: vec![
            format!("head {head}"),
            format!("attention {}", text(mean(rows, |row| row.prob), sd(|row| row.prob_sd))),
            format!("score {}", text(mean(rows, |row| row.score), sd(|row| row.score_sd))),
            format!(
                "the largest in {} % of {}",
                number(share, 1),
                counted(count, "prompt", "prompts")
            ),
        ],
    }
}

/// The mean over prompts; NaN where a value is missing.
fn mean(rows: &[SweepRow], value: impl Fn(&SweepRow) -> Option<f64>) -> f64 {
    let count: usize = rows.iter().map(|row| row.count).sum();
    let sum: f64 = rows
        .iter()
        .map(|row| value(row).unwrap_or(f64::NAN) * row.count as f64)
        .sum();
    sum / count.max(1) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(head: &str, seed: u64, prob: f64) -> String {
        format!(
            r#"{{"model":"m","revision":null,"head":"{head}","prompts":"ioi","seed":{seed},"prompt":null,"count":40,"batch_size":40,"prepend_bos":false,"score":-2.5,"score_sd":1.0,"prob":{prob},"prob_sd":0.1,"largest":0.5}}"#
        )
    }

    #[test]
    fn rows_become_maps_of_their_sets() {
        let text = [line("0.0", 0, 0.1), line("1.1", 0, 0.9), line("1.1", 1, 0.2)].join("\n") + "\n";
        let sets = sets_of(&read_rows(text.as_bytes()).unwrap());
        let names: Vec<String> = sets.iter().map(SweptSet::name).collect();
        assert_eq!(names, ["m, ioi, seed 0", "m, ioi, seed 1"]);
        assert_eq!((sets[0].count(), sets[0].prompts()), (2, 40));
        assert_eq!(sets[0].largest(SweepMeasure::Attention, 1), [(Head::new(1, 1), 0.9)]);
        let plot = sets[0].plot(SweepMeasure::Score);
        assert_eq!((plot.rows.len(), plot.columns.len()), (2, 2));
        assert_eq!(plot.value(1, 1), Some(-2.5));
        assert_eq!(plot.value(0, 1), None);
        assert_eq!(plot.colors, Colors::Diverging(2.5));
    }

    #[test]
    fn what_is_no_row_is_named_with_its_line() {
        let text = line("0.0", 0, 0.1) + "\n{\"head\":\"1.0\"}\n";
        let error = read_rows(text.as_bytes()).unwrap_err().to_string();
        assert!(error.contains("line 2 is no row of a sweep"), "{error}");
        let error = read_rows(line("5000000.0", 0, 0.1).as_bytes()).unwrap_err().to_string();
        assert!(error.contains("line 1 is of head 5000000.0"), "{error}");
        assert!(read_rows(b"\n \n").is_err());
        assert!(read_rows(b"\xff\xfe\x00{").is_err());
    }
}
