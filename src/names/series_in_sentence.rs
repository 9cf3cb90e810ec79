//! Names of series in single sentences, which need not be of the IOI dataset.

use super::SeriesId;

impl SeriesId {
    /// The corresponding series in any prompt: with the source instead of the indirect object. Itself if there is none.
    ///
    /// ```
    /// use keyside::names::SeriesId;
    ///
    /// assert_eq!(SeriesId::WuIo.of_any_prompt(), SeriesId::WuSrc);
    /// // What the notebook calls W_E is a row of W_U.
    /// assert_eq!(SeriesId::WeIo.of_any_prompt(), SeriesId::WuSrc);
    /// assert_eq!(SeriesId::WuS.of_any_prompt(), SeriesId::WuS);
    /// ```
    pub fn of_any_prompt(&self) -> Self {
        match self {
            Self::WuIo | Self::WeIo => Self::WuSrc,
            Self::WeIoTrue => Self::WeSrc,
            Self::WeeIo => Self::WeeSrc,
            Self::WeeSubEIo => Self::WeeSubESrc,
            other => other.clone(),
        }
    }

    /// The name in a sentence whose source token is `source`: "W_U\[Mary\]", "what 9.9 wrote", "as it is".
    pub fn in_sentence(&self, source: &str) -> String {
        match self {
            Self::WuSrc | Self::WeSrc | Self::WeeSrc | Self::WeeSubESrc => self.label().replace("src", source),
            Self::NoPatching => "as it is".to_owned(),
            Self::EarlierHead(head) => format!("what {head} wrote"),
            Self::WuOther => "other tokens here".to_owned(),
            Self::WuRandomName => "random names".to_owned(),
            Self::WuRandom => "random tokens".to_owned(),
            other => other.label().into_owned(),
        }
    }
}
