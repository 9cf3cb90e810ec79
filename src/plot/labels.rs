//! What the labels of series mean, and how series are shown at first.

use crate::result::HistogramName;

/// Label of the key-side series that the notebook does not have.
pub const TRUE_EMBEDDING: &str = "W_E[IO] (true embedding)";

/// Whether the series `label` is shown before its legend entry is clicked.
///
/// As in the notebook, `W_U[random name]` and `W_U[S]` start hidden; so do series that the notebook
/// does not have, so that the first sight of a live run compares with the recorded one.
pub fn series_starts_visible(label: &str) -> bool {
    !matches!(label, "W_U[random name]" | "W_U[S]") && !is_extra(label)
}

/// Whether the notebook does not have the series `label`.
pub(super) fn is_extra(label: &str) -> bool {
    label == TRUE_EMBEDDING
        || label == true_label(HistogramName::KeysFixedScores)
        || label == true_label(HistogramName::KeysFixedProbs)
}

/// Label of the head's true values.
pub(super) fn true_label(name: HistogramName) -> &'static str {
    if name.probs() { "true probability" } else { "true score" }
}

/// Whether two labels name the same thing in different figures: the true score and the true probability do.
pub fn same_series(one: &str, other: &str) -> bool {
    let is_true = |label: &str| HistogramName::all().into_iter().any(|name| label == true_label(name));
    one == other || is_true(one) && is_true(other)
}

/// One line on what the vector behind `label` is; empty for a label that is not known.
pub fn series_note(label: &str) -> &'static str {
    match label {
        "W_U[IO]" => "Processed W_U row of the indirect object: the direction that makes the model say IO",
        "W_U[S]" => "Processed W_U row of the subject",
        "W_U[random name]" => "Processed W_U row of a name drawn at random, without leading space",
        "W_U[random]" => "Processed W_U row of a token drawn at random from the whole vocabulary",
        "No patching" => {
            "The residual stream itself (resid_pre), divided by its standard deviation: differs a little from the true score"
        }
        "W_E[IO]" => "As in the notebook: the processed W_U row of IO, not the embedding",
        TRUE_EMBEDDING => "W_E row of the indirect object, which the notebook's W_E[IO] is not",
        "W_EE[IO]" => "W_E row of IO after layer 0 alone: attention only to itself, without biases, plus its MLP",
        "W_EE_subE[IO]" => "Output of layer 0's MLP for IO alone: W_EE[IO] without the embedding and attention",
        "true score" => "The head's own attention score from END to IO, nothing substituted",
        "true probability" => "The head's own attention probability from END to IO, nothing substituted",
        _ if label.starts_with("NMH ") => "z W_O of the earlier head at END, without b_O: what that head writes",
        _ => "",
    }
}
