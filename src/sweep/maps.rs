//! The rows of a sweep as maps of heads, a web page of one file.

use std::collections::BTreeMap;

use super::rows::Row;
use crate::error::Result;
use crate::export::{Around, fragment, page};
use crate::names::Head;
use crate::plot::{Colors, MatrixCell, MatrixPlot, Plot};
use crate::quantities::{counted, number};

/// Most maps of one page: it is opened as a whole.
const MOST: usize = 60;

/// A web page with a map of heads for each model, revision, set of prompts and seed of `rows`, the first 60 of them; rows of single prompts
/// are taken together. The color of a head is how much of its attention goes from the destination to the source.
///
/// # Errors
/// Those of [`fragment`].
pub fn maps(rows: &[Row]) -> Result<String> {
    let mut sets: Vec<(&Row, BTreeMap<Head, Vec<&Row>>)> = Vec::new();
    for row in rows {
        let is_of = |(of, _): &&mut (&Row, _)| set_of(of) == set_of(row);
        match sets.last_mut().filter(is_of) {
            Some((_, heads)) => heads.entry(row.head).or_default().push(row),
            None => sets.push((row, BTreeMap::from([(row.head, vec![row])]))),
        }
    }
    let shown = sets.iter().take(MOST);
    let fragments: Result<Vec<String>> = shown.map(|(of, heads)| map(of, heads)).collect();
    let title = match sets.len() {
        all if all > MOST => format!("Heads of a sweep, the first {MOST} of {all} maps"),
        _ => "Heads of a sweep".to_owned(),
    };
    Ok(page(&title, &fragments?))
}

/// What rows of one map have in common.
fn set_of(row: &Row) -> (&str, Option<&str>, &str, Option<u64>) {
    (&row.model, row.revision.as_deref(), &row.prompts, row.seed)
}

fn map(of: &Row, heads: &BTreeMap<Head, Vec<&Row>>) -> Result<String> {
    let layers = heads.keys().map(|head| head.layer + 1).max().unwrap_or(0);
    let columns = heads.keys().map(|head| head.head + 1).max().unwrap_or(0);
    let cell = |head: Head| heads.get(&head).map(|rows| cell_of(head, rows));
    let row = |layer| (0..columns).map(|number| cell(Head::new(layer, number))).collect();
    let cells: Vec<Vec<Option<MatrixCell>>> = (0..layers).map(row).collect();
    let revision = of
        .revision
        .as_ref()
        .map_or(String::new(), |revision| format!(" at {revision}"));
    let seed = of.seed.map_or(String::new(), |seed| format!(", seed {seed}"));
    let mut largest: Vec<(Head, f64)> = heads
        .iter()
        .map(|(head, rows)| (*head, mean(rows, |row| row.prob)))
        .collect();
    largest.sort_by(|left, right| right.1.total_cmp(&left.1));
    let told: Vec<String> = largest
        .iter()
        .take(3)
        .map(|(head, prob)| format!("{head} with {}", number(*prob, 3)))
        .collect();
    let plot = MatrixPlot {
        title: format!("Attention to the source: {}{revision}, {}{seed}", of.model, of.prompts),
        x_label: "Head".into(),
        y_label: "Layer".into(),
        rows: (0..layers).map(|layer| layer.to_string()).collect(),
        columns: (0..columns).map(|number| number.to_string()).collect(),
        cells: cells.into(),
        colors: Colors::UpTo(1.0),
        pick: None,
    };
    let prompts: usize = heads
        .values()
        .next()
        .map_or(0, |rows| rows.iter().map(|row| row.count).sum());
    let around = Around {
        summary: format!(
            "Of {} heads, those that look most to the source are {}.",
            heads.len(),
            told.join(", ")
        ),
        source: format!(
            "keyside {} \u{b7} {}",
            env!("CARGO_PKG_VERSION"),
            counted(prompts, "prompt", "prompts")
        ),
    };
    fragment(&Plot::from(plot), &around)
}

/// Of one head in a set of prompts, or in each of them.
fn cell_of(head: Head, rows: &[&Row]) -> MatrixCell {
    let of = |value: f64, sd: Option<f64>| match sd {
        Some(sd) => format!("{}, standard deviation {}", number(value, 4), number(sd, 4)),
        None => number(value, 4),
    };
    let sd = |sd: fn(&Row) -> Option<f64>| match rows {
        [row] => sd(row),
        _ => None,
    };
    let prob = mean(rows, |row| row.prob);
    let count: usize = rows.iter().map(|row| row.count).sum();
    let share = 100.0 * mean(rows, |row| Some(row.largest));
    MatrixCell {
        value: prob as f32,
        label: head.to_string(),
        lines: vec![
            format!("head {head}"),
            format!("attention {}", of(prob, sd(|row| row.prob_sd))),
            format!("score {}", of(mean(rows, |row| row.score), sd(|row| row.score_sd))),
            format!(
                "the largest in {} % of {}",
                number(share, 1),
                counted(count, "prompt", "prompts")
            ),
        ],
    }
}

/// The mean over prompts; NaN where there is a value that is no number.
fn mean(rows: &[&Row], value: fn(&Row) -> Option<f64>) -> f64 {
    let count: usize = rows.iter().map(|row| row.count).sum();
    let sum: f64 = rows
        .iter()
        .map(|row| value(row).unwrap_or(f64::NAN) * row.count as f64)
        .sum();
    sum / count.max(1) as f64
}
