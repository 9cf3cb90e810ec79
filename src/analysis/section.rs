//! The sections of a result: what each analysis found, by kind.

use serde::{Deserialize, Serialize};

use crate::analysis::{ContributionsSection, SectionType, SubstitutionSection};
use crate::error::Result;
use crate::json::{self, Misread};
use crate::model::Config;
use crate::names::Head;

/// Defines [`Section`] from one list of kinds: text form in the result file, variant, type.
macro_rules! sections {
    ($($(#[$about:meta])+ $kind:literal => $variant:ident($section:ty),)+) => {
        /// One section of a result.
        #[derive(Debug, Clone, PartialEq, Serialize)]
        #[serde(tag = "kind")]
        pub enum Section {
            $($(#[$about])+ #[serde(rename = $kind)] $variant($section),)+
        }

        impl Section {
            /// The kinds of sections that there are, as in the result file.
            pub const KINDS: &'static [&'static str] = &[$($kind),+];

            /// Of which kind it is, as in the result file.
            pub fn kind(&self) -> &'static str {
                match self { $(Self::$variant(_) => $kind,)+ }
            }

            /// The head that it is about, if it is about one.
            pub fn head(&self) -> Option<Head> {
                match self { $(Self::$variant(section) => SectionType::head(section),)+ }
            }

            /// The number of prompts that it has values for, where it has values for all prompts of the run.
            pub fn prompt_count(&self) -> Option<usize> {
                match self { $(Self::$variant(section) => SectionType::prompt_count(section),)+ }
            }

            /// Checks that its parts fit each other and a result with `config` and `prompts` prompts.
            ///
            /// # Errors
            /// [`crate::ErrorKind::ResultFile`] naming the first part that does not fit.
            pub fn check(&self, config: &Config, prompts: usize) -> Result<()> {
                match self { $(Self::$variant(section) => SectionType::check(section, config, prompts),)+ }
            }

            /// Reads a section of any kind.
            pub(crate) fn read(text: &str) -> std::result::Result<SectionRead, Misread> {
                // The kind may stand behind the fields that it gives a meaning to.
                let Probe { kind } = json::read(text.as_bytes())?;
                let section = match kind.as_str() {
                    $($kind => Self::$variant(json::read(text.as_bytes())?),)+
                    _ => return Ok(SectionRead::Skipped(kind)),
                };
                Ok(SectionRead::Known(section))
            }
        }
    };
}

sections! {
    /// Scores and probabilities with substituted vectors: the histograms.
    "substitution" => Substitution(SubstitutionSection),
    /// Contributions of components to the score: the heatmaps.
    "contributions" => Contributions(ContributionsSection),
}

/// A section as it is read: of a kind that is known, or of a later one.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum SectionRead {
    /// A section that can be shown.
    Known(Section),
    /// A section of this kind, which this version does not know.
    Skipped(String),
}

/// The part of any section that says what the rest is.
#[derive(Deserialize)]
#[serde(expecting = "a section: an object with the field `kind`")]
struct Probe {
    kind: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    const CONTRIBUTIONS: &str = r#""head": "1.0", "prompts": 2, "heatmaps": {}"#;

    fn read(text: &str) -> std::result::Result<SectionRead, Misread> {
        Section::read(text)
    }

    #[test]
    fn the_kind_may_stand_anywhere() {
        let first = read(&format!(r#"{{"kind": "contributions", {CONTRIBUTIONS}}}"#)).expect("reads");
        let last = read(&format!(r#"{{{CONTRIBUTIONS}, "kind": "contributions", "new": [1]}}"#)).expect("reads");
        assert_eq!(first, last);
        let SectionRead::Known(section) = first else {
            panic!("a known kind")
        };
        assert_eq!(
            (section.kind(), section.head()),
            ("contributions", Some(Head::new(1, 0)))
        );
        let written = serde_json::to_string(&section).expect("writes");
        assert!(written.starts_with(r#"{"kind":"contributions","#), "{written}");
        assert_eq!(read(&written).expect("reads"), SectionRead::Known(section));
    }

    #[test]
    fn unknown_kinds_are_skipped_and_others_must_be_whole() {
        for text in [r#"{"kind": "pair", "head": 7}"#, r#"{"head": 7, "kind": "pair"}"#] {
            assert_eq!(read(text).expect("skips"), SectionRead::Skipped("pair".to_owned()));
        }
        for (text, word) in [
            (r#"{"head": "1.0"}"#, "missing field `kind`"),
            (r#"{"kind": "contributions", "head": "1.0"}"#, "missing field `prompts`"),
            (r#"{"head": "1.0", "kind": "contributions"}"#, "missing field `prompts`"),
            ("7", "a section"),
        ] {
            let error = read(text).expect_err(text).to_string();
            assert!(error.contains(word), "{error}");
        }
    }

    #[test]
    fn every_kind_is_listed_once() {
        let mut kinds = Section::KINDS.to_vec();
        kinds.dedup();
        assert_eq!(kinds, ["substitution", "contributions"]);
    }
}
