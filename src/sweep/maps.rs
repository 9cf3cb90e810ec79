//! The rows of a sweep as maps of heads, in a single HTML file.

use super::rows::SweepRow;
use super::sets::{SweepMeasure, SweptSet, sets_of};
use crate::error::Result;
use crate::export::{Around, fragment, page};
use crate::plot::Plot;
use crate::quantities::{counted, number};

/// Limit of the maps per page, because the page is loaded as a whole.
const MOST: usize = 60;

/// A web page with a map of heads for each model, revision, set of prompts and seed of `rows`, at most 60; rows of
/// single prompts are averaged. The color of a head is its mean attention from the destination to the source.
///
/// # Errors
/// Those of [`fragment`].
pub fn maps(rows: &[SweepRow]) -> Result<String> {
    let sets = sets_of(rows);
    let fragments: Result<Vec<String>> = sets.iter().take(MOST).map(map).collect();
    let title = match sets.len() {
        all if all > MOST => format!("Heads of a sweep, the first {MOST} of {all} maps"),
        _ => "Heads of a sweep".to_owned(),
    };
    Ok(page(&title, &fragments?))
}

fn map(set: &SweptSet) -> Result<String> {
    let told: Vec<String> = set
        .largest(SweepMeasure::Attention, 3)
        .iter()
        .map(|(head, prob)| format!("{head} with {}", number(*prob, 3)))
        .collect();
    let around = Around {
        summary: format!(
            "Of {} heads, those that look most to the source are {}.",
            set.count(),
            told.join(", ")
        ),
        source: format!(
            "keyside {} \u{b7} {}",
            env!("CARGO_PKG_VERSION"),
            counted(set.prompts(), "prompt", "prompts")
        ),
    };
    fragment(&Plot::from(set.plot(SweepMeasure::Attention)), &around)
}
