//! What the series mean, and how they are shown at first.

use crate::names::SeriesId;

/// Whether `series` is shown before its legend entry is clicked.
///
/// As in the notebook, W_U of a random name and of the subject start hidden; so do series that the notebook
/// does not have, so that the first sight of a live run compares with the recorded one.
pub fn series_starts_visible(series: &SeriesId) -> bool {
    match series {
        SeriesId::WuRandomName | SeriesId::WuS => false,
        SeriesId::WeIoTrue | SeriesId::TrueScore | SeriesId::TrueProbability => false,
        SeriesId::WuIo
        | SeriesId::WuRandom
        | SeriesId::EarlierHead(_)
        | SeriesId::NoPatching
        | SeriesId::WuSrc
        | SeriesId::WeSrc
        | SeriesId::WeeSrc
        | SeriesId::WeeSubESrc
        | SeriesId::WeIo
        | SeriesId::WeeIo
        | SeriesId::WeeSubEIo
        | SeriesId::Other(_) => true,
    }
}

/// One line on what the vector behind `series` is; empty where that is not known.
pub fn series_note(series: &SeriesId) -> &'static str {
    match series {
        SeriesId::WuIo => "Processed W_U row of the indirect object: the direction that makes the model say IO",
        SeriesId::WuS => "Processed W_U row of the subject",
        SeriesId::WuRandomName => "Processed W_U row of a name drawn at random, without leading space",
        SeriesId::WuRandom => "Processed W_U row of a token drawn at random from the whole vocabulary",
        SeriesId::NoPatching => {
            "The residual stream itself (resid_pre), divided by its standard deviation: differs a little from the true score"
        }
        SeriesId::WeIo => "As in the notebook: the processed W_U row of IO, not the embedding",
        SeriesId::WeIoTrue => "W_E row of the indirect object, which the notebook's W_E[IO] is not",
        SeriesId::WeeIo => "W_E row of IO after layer 0 alone: attention only to itself, without biases, plus its MLP",
        SeriesId::WeeSubEIo => "Output of layer 0's MLP for IO alone: W_EE[IO] without the embedding and attention",
        SeriesId::WuSrc => "Processed W_U row of the source token: the direction that makes the model say it",
        SeriesId::WeSrc => "Processed W_E row of the source token",
        SeriesId::WeeSrc => {
            "W_E row of the source token after layer 0 alone: attention only to itself, without biases, plus its MLP"
        }
        SeriesId::WeeSubESrc => {
            "Output of layer 0's MLP for the source token alone: W_EE[src] without the embedding and attention"
        }
        SeriesId::TrueScore => "The head's own attention score from END to IO, nothing substituted",
        SeriesId::TrueProbability => "The head's own attention probability from END to IO, nothing substituted",
        SeriesId::EarlierHead(_) => "z W_O of the earlier head at END, without b_O: what that head writes",
        SeriesId::Other(_) => "",
    }
}
