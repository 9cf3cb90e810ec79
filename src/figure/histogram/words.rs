//! Titles and texts of the histograms.

use crate::names::{HistogramId, Side};
use crate::quantities::written;
use crate::result::ResultFile;

/// The keyboard help of a histogram.
pub(super) const KEYS: &str = "Left and right walk along the bins, up and down through the boxes above them; Home and End go to \
    the first and the last. Enter keeps the values below the plot, Escape lets go. Plus and minus zoom, Shift and an arrow key move what \
    is shown, 0 shows all.";

/// The heading of the page's part with the histogram.
pub(super) fn section(name: HistogramId) -> &'static str {
    match name.side() {
        Side::Query => "Keys fixed: what does END ask for?",
        Side::Key => "Queries fixed: what does IO offer?",
    }
}

/// A short title of the histogram.
pub(super) fn title(name: HistogramId) -> String {
    let values = if name.probs() { "probabilities" } else { "scores" };
    let fixed = if name.keys_fixed() { "keys" } else { "queries" };
    format!("Attention {values} with {fixed} fixed")
}

/// Heading of a histogram's figure.
pub(super) fn heading(name: HistogramId) -> &'static str {
    match name {
        HistogramId::KeysFixedScores => "Which query makes the head look at IO?",
        HistogramId::KeysFixedProbs => "How much of its attention would IO get?",
        HistogramId::QueriesFixedScores => "Which key makes IO worth looking at?",
        HistogramId::QueriesFixedProbs => "And how much attention would that key get?",
    }
}

/// What a histogram shows, in a sentence or two.
pub(super) fn explanation(name: HistogramId) -> &'static str {
    match name {
        HistogramId::KeysFixedScores => {
            "Keys stay as they are; the vector the query is made from, at END, is replaced. The attention score from \
             END to IO is then a linear function of that vector: further right means more attention to IO."
        }
        HistogramId::KeysFixedProbs => {
            "The same replacements after the softmax: only the score from END to IO changes, the other scores of the \
             row stay."
        }
        HistogramId::QueriesFixedScores => {
            "Now the query stays, and the vector the key is made from, at IO, is replaced: the token\u{2019}s embedding, or \
             what layer 0 alone makes of it."
        }
        HistogramId::QueriesFixedProbs => "The same key replacements after the softmax.",
    }
}

/// A text alternative for the figure: the mean of every visible series.
pub(super) fn summary(result: &ResultFile, name: HistogramId) -> String {
    let series = result.series(name).into_iter();
    let means: Vec<_> = series
        .filter_map(|(label, values)| Some((label, crate::result::mean(values)?)))
        .collect();
    let largest = means.iter().map(|(_, mean)| mean.abs()).fold(0.0, f64::max);
    let decimals = if name.probs() { 3 } else { 2 };
    let description = means
        .iter()
        .map(|(label, mean)| format!("{label} {}", written(*mean, decimals, largest)));
    let means: Vec<String> = description.collect();
    let what = if name.probs() { "probabilities" } else { "scores" };
    result.with_position_names(format!(
        "Histogram of attention {what} from END to IO of head {}. Means: {}.",
        result.head_name(),
        means.join(", ")
    ))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    #[test]
    fn every_histogram_has_words_of_its_own() {
        let headings: BTreeMap<_, _> = HistogramId::ALL.map(|name| (heading(name), explanation(name))).into();
        assert_eq!(headings.len(), 4);
        for name in HistogramId::ALL {
            let text = explanation(name);
            // The fixed side, the replaced side, and whether values are before or after the softmax.
            let (stays, replaced) = if name.keys_fixed() {
                (
                    "Keys stay as they are",
                    "the vector the query is made from, at END, is replaced",
                )
            } else {
                (
                    "Now the query stays",
                    "the vector the key is made from, at IO, is replaced",
                )
            };
            assert_eq!(
                text.contains(stays) && text.contains(replaced),
                !name.probs(),
                "{name}: {text}"
            );
            assert_eq!(text.contains("after the softmax"), name.probs(), "{name}: {text}");
            assert_eq!(
                heading(name).contains("much"),
                name.probs(),
                "{name}: {}",
                heading(name)
            );
        }
    }
}
