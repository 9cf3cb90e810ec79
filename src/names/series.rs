//! The series of a histogram.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::fmt;

use serde::{Deserialize, Serialize};

use super::{Head, Side, UnknownName};

const EARLIER_HEAD: (&str, &str) = ("NMH ", " output");

/// Makes the enum, its list and what is known of each series from one table, so that none can be left out of either.
macro_rules! series {
    ($($(#[$about:meta])+ $series:ident => $label:literal {
        side: $side:expr,
        true_values: $truth:literal,
        in_notebook: $in_notebook:literal,
        starts_visible: $visible:literal,
        color: $color:literal,
        note: $note:literal,
    })+) => {
        /// A series: the vector that is put in place of what the head reads, or the head's true values.
        ///
        /// Its text form is its label in legends, tables, links and result files. Order is that of the labels.
        ///
        /// ```
        /// use keyside::names::{Head, SeriesId};
        ///
        /// let series = SeriesId::EarlierHead(Head::new(9, 9));
        /// assert_eq!(series.to_string(), "NMH 9.9 output");
        /// assert_eq!(SeriesId::from("NMH 9.9 output"), series);
        /// ```
        #[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
        #[serde(from = "String", into = "String")]
        pub enum SeriesId {
            $($(#[$about])+ $series,)+
            /// The output of the earlier head at END.
            EarlierHead(Head),
            /// One of a file from elsewhere.
            Other(UnknownName),
        }

        impl SeriesId {
            /// All that have one text: every series of ours but [`SeriesId::EarlierHead`].
            pub const FIXED: [Self; [$($label),+].len()] = [$(Self::$series),+];

            /// Its label: "W_U\[IO\]", "NMH 9.9 output", ...
            pub fn label(&self) -> Cow<'_, str> {
                match self {
                    $(Self::$series => Cow::Borrowed($label),)+
                    Self::EarlierHead(head) => {
                        let (before, after) = EARLIER_HEAD;
                        Cow::Owned(format!("{before}{head}{after}"))
                    }
                    Self::Other(name) => Cow::Borrowed(name.as_str()),
                }
            }

            /// The side whose vector is substituted. None for what both sides have, and where it is not known.
            pub const fn side(&self) -> Option<Side> {
                match self {
                    $(Self::$series => $side,)+
                    Self::EarlierHead(_) => QUERY,
                    Self::Other(_) => BOTH,
                }
            }

            /// Whether it is the head's true values, which nothing is substituted in.
            pub const fn is_true_values(&self) -> bool {
                match self {
                    $(Self::$series => $truth,)+
                    Self::EarlierHead(_) | Self::Other(_) => false,
                }
            }

            /// Whether it is one of ours that the notebook does not have.
            pub const fn is_not_in_notebook(&self) -> bool {
                match self {
                    $(Self::$series => !$in_notebook,)+
                    Self::EarlierHead(_) | Self::Other(_) => false,
                }
            }

            /// Whether it is shown before its legend entry is clicked.
            ///
            /// As in the notebook, W_U of a random name and of the subject start hidden; so do series that the notebook
            /// does not have, so that the first sight of a live run compares with the recorded one.
            pub const fn starts_visible(&self) -> bool {
                match self {
                    $(Self::$series => $visible,)+
                    Self::EarlierHead(_) | Self::Other(_) => true,
                }
            }

            /// The number of its color among those of all figures; None where it takes one that is left. The same vector has
            /// the same color at either side, and no other vector has it.
            pub const fn color(&self) -> Option<usize> {
                match self {
                    $(Self::$series => Some($color),)+
                    Self::EarlierHead(_) => Some(5),
                    Self::Other(_) => None,
                }
            }

            /// One line on what the vector behind it is; empty where that is not known.
            pub const fn note(&self) -> &'static str {
                match self {
                    $(Self::$series => $note,)+
                    Self::EarlierHead(_) => "z W_O of the earlier head at END, without b_O: what that head writes",
                    Self::Other(_) => "",
                }
            }
        }
    };
}

const QUERY: Option<Side> = Some(Side::Query);
const KEY: Option<Side> = Some(Side::Key);
const BOTH: Option<Side> = None;

series! {
    /// W_U of the indirect object in place of the normalized residual stream at END.
    WuIo => "W_U[IO]" {
        side: QUERY,
        true_values: false,
        in_notebook: true,
        starts_visible: true,
        color: 0,
        note: "Processed W_U row of the indirect object: the direction that makes the model say IO",
    }
    /// W_U of the subject at END.
    WuS => "W_U[S]" {
        side: QUERY,
        true_values: false,
        in_notebook: true,
        starts_visible: false,
        color: 1,
        note: "Processed W_U row of the subject",
    }
    /// W_U of a drawn name at END.
    WuRandomName => "W_U[random name]" {
        side: QUERY,
        true_values: false,
        in_notebook: true,
        starts_visible: false,
        color: 2,
        note: "Processed W_U row of a name drawn at random, without leading space",
    }
    /// W_U of a drawn token at END.
    WuRandom => "W_U[random]" {
        side: QUERY,
        true_values: false,
        in_notebook: true,
        starts_visible: true,
        color: 3,
        note: "Processed W_U row of a token drawn at random from the whole vocabulary",
    }
    /// W_U of each other token of a sentence, in turn.
    WuOther => "W_U[other]" {
        side: QUERY,
        true_values: false,
        in_notebook: false,
        starts_visible: true,
        color: 4,
        note: "Processed W_U rows of the other tokens of the sentence, up to the one that the head looks from",
    }
    /// W_U of the source token: at the destination, and at the source itself.
    WuSrc => "W_U[src]" {
        side: BOTH,
        true_values: false,
        in_notebook: true,
        starts_visible: true,
        color: 0,
        note: "Processed W_U row of the source token: the direction that makes the model say it",
    }
    /// The residual stream itself, normalized like all the others. Of both sides.
    NoPatching => "No patching" {
        side: BOTH,
        true_values: false,
        in_notebook: true,
        starts_visible: true,
        color: 6,
        note: "The residual stream itself (resid_pre), normalized like the other vectors: by its standard deviation it comes near the true score, by LayerNorm it is that",
    }
    /// At IO: what the notebook calls W_E, the processed W_U of the indirect object.
    WeIo => "W_E[IO]" {
        side: KEY,
        true_values: false,
        in_notebook: true,
        starts_visible: true,
        color: 0,
        note: "As in the notebook: the processed W_U row of IO, not the embedding",
    }
    /// At IO: the processed embedding of the indirect object.
    WeIoTrue => "W_E[IO] (true embedding)" {
        side: KEY,
        true_values: false,
        in_notebook: false,
        starts_visible: false,
        color: 8,
        note: "W_E row of the indirect object, which the notebook's W_E[IO] is not",
    }
    /// At IO: the embedding through layer 0 alone.
    WeeIo => "W_EE[IO]" {
        side: KEY,
        true_values: false,
        in_notebook: true,
        starts_visible: true,
        color: 9,
        note: "W_E row of IO after layer 0 alone: attention only to itself, without biases, plus its MLP",
    }
    /// At IO: the output of layer 0's MLP alone.
    WeeSubEIo => "W_EE_subE[IO]" {
        side: KEY,
        true_values: false,
        in_notebook: true,
        starts_visible: true,
        color: 10,
        note: "Output of layer 0's MLP for IO alone: W_EE[IO] without the embedding and attention",
    }
    /// At the source: its processed embedding.
    WeSrc => "W_E[src]" {
        side: KEY,
        true_values: false,
        in_notebook: true,
        starts_visible: true,
        color: 8,
        note: "Processed W_E row of the source token",
    }
    /// At the source: its embedding through layer 0 alone.
    WeeSrc => "W_EE[src]" {
        side: KEY,
        true_values: false,
        in_notebook: true,
        starts_visible: true,
        color: 9,
        note: "W_E row of the source token after layer 0 alone: attention only to itself, without biases, plus its MLP",
    }
    /// At the source: the output of layer 0's MLP alone.
    WeeSubESrc => "W_EE_subE[src]" {
        side: KEY,
        true_values: false,
        in_notebook: true,
        starts_visible: true,
        color: 10,
        note: "Output of layer 0's MLP for the source token alone: W_EE[src] without the embedding and attention",
    }
    /// The head's true scores.
    TrueScore => "true score" {
        side: BOTH,
        true_values: true,
        in_notebook: false,
        starts_visible: false,
        color: 7,
        note: "The head's own attention score from END to IO, nothing substituted",
    }
    /// The head's true probabilities.
    TrueProbability => "true probability" {
        side: BOTH,
        true_values: true,
        in_notebook: false,
        starts_visible: false,
        color: 7,
        note: "The head's own attention probability from END to IO, nothing substituted",
    }
}

impl SeriesId {
    /// Whether two name the same thing in different figures: the true score and the true probability do.
    pub fn is_same_as(&self, other: &Self) -> bool {
        self == other || self.is_true_values() && other.is_true_values()
    }
}

impl From<&str> for SeriesId {
    fn from(text: &str) -> Self {
        let (before, after) = EARLIER_HEAD;
        let earlier_head = || text.strip_prefix(before)?.strip_suffix(after)?.parse().ok();
        let fixed = Self::FIXED.into_iter().find(|known| known.label() == text);
        let found = fixed.or_else(|| earlier_head().map(Self::EarlierHead));
        // What is read is what would be written: "NMH 09.9 output" is none of ours.
        let same = found.filter(|found| found.label() == text);
        same.unwrap_or_else(|| Self::Other(UnknownName::new(text)))
    }
}

impl From<String> for SeriesId {
    fn from(text: String) -> Self {
        text.as_str().into()
    }
}

impl From<SeriesId> for String {
    fn from(series: SeriesId) -> Self {
        series.label().into_owned()
    }
}

impl fmt::Display for SeriesId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.label())
    }
}

impl Ord for SeriesId {
    // Once in the page's wasm, not in every map and sort: 20 kB of one sort.
    #[inline(never)]
    fn cmp(&self, other: &Self) -> Ordering {
        self.label().cmp(&other.label())
    }
}

impl PartialOrd for SeriesId {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use super::*;

    fn ours() -> Vec<SeriesId> {
        let earlier_head = SeriesId::EarlierHead(Head::new(9, 11));
        SeriesId::FIXED.into_iter().chain([earlier_head]).collect()
    }

    #[test]
    fn a_series_is_read_as_it_is_written() {
        let labels: BTreeSet<String> = ours().iter().map(SeriesId::to_string).collect();
        assert_eq!(labels.len(), ours().len());
        for series in ours() {
            assert_eq!(SeriesId::from(series.to_string()), series);
            assert!(!matches!(SeriesId::from(series.to_string()), SeriesId::Other(_)));
        }
        assert_eq!(SeriesId::from("W_EE_subE[IO]"), SeriesId::WeeSubEIo);
        assert_eq!(format!("{:<8}|", SeriesId::WuS), "W_U[S]  |");
    }

    #[test]
    fn labels_from_elsewhere_stand_for_themselves() {
        for label in [
            "",
            "W_U",
            "w_u[io]",
            "W_U[IO] ",
            "NMH 9.9",
            "NMH  output",
            "NMH 09.9 output",
            "NMH 9.9 output ",
            "other",
        ] {
            let series = SeriesId::from(label);
            assert_eq!(series, SeriesId::Other(UnknownName::new(label)));
            assert_eq!(series.to_string(), label);
            assert_eq!(series.side(), None);
            assert!(!series.is_not_in_notebook() && !series.is_true_values());
        }
    }

    #[test]
    fn series_are_keys_of_json_in_the_order_of_their_labels() {
        let all = ours().into_iter().chain([SeriesId::from("a"), SeriesId::from("Z")]);
        let map: BTreeMap<SeriesId, usize> = all.map(|series| (series, 1)).collect();
        let labels: Vec<String> = map.keys().map(SeriesId::to_string).collect();
        assert!(labels.is_sorted());
        let json = serde_json::to_string(&map).expect("is written");
        let texts: BTreeMap<String, usize> = serde_json::from_str(&json).expect("texts");
        assert_eq!(texts.into_keys().collect::<Vec<_>>(), labels);
        assert_eq!(
            serde_json::from_str::<BTreeMap<SeriesId, usize>>(&json).expect("ids"),
            map
        );
    }

    #[test]
    fn sides_and_true_values() {
        let sides = |series: SeriesId| series.side();
        assert_eq!([SeriesId::WuS, SeriesId::WeIo].map(sides), [QUERY, KEY]);
        assert_eq!([SeriesId::NoPatching, SeriesId::TrueScore].map(sides), [BOTH, BOTH]);
        assert_eq!(sides(SeriesId::EarlierHead(Head::new(9, 9))), QUERY);
        let (score, probability) = (SeriesId::TrueScore, SeriesId::TrueProbability);
        assert!(score.is_same_as(&probability) && score.is_same_as(&score));
        assert!(!score.is_same_as(&SeriesId::NoPatching) && !SeriesId::WuIo.is_same_as(&SeriesId::WeIo));
    }
}
