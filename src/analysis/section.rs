//! The sections of a result: the findings of each analysis, by kind.

use serde::Deserialize;

use crate::json::{self, JsonError};

/// Defines `Section` from one list of analyses: the kind of the section in result files, its variant and type, and its
/// analyzer, if it is found by runs over many prompts. Paths are relative to the file that contains the list.
macro_rules! sections {
    ($($(#[$about:meta])+ $kind:literal => $variant:ident($module:ident::$section:ident) $(by $analyzer:ident)?;)+) => {
        $(pub use self::$module::$section;)+

        /// One section of a result.
        #[derive(Debug, Clone, PartialEq, serde::Serialize)]
        #[serde(tag = "kind")]
        pub enum Section {
            $($(#[$about])+ #[serde(rename = $kind)] $variant($section),)+
        }

        impl Section {
            /// All kinds of sections, as in result files.
            pub const KINDS: &'static [&'static str] = &[$($kind),+];

            /// The kind, as in result files.
            pub fn kind(&self) -> &'static str {
                match self { $(Self::$variant(_) => $kind,)+ }
            }

            /// The head that it is about, if any.
            pub fn head(&self) -> Option<$crate::names::Head> {
                match self { $(Self::$variant(section) => $crate::analysis::section_type::SectionType::head(section),)+ }
            }

            /// Number of prompts, if it has values for all prompts of the run.
            pub fn prompt_count(&self) -> Option<usize> {
                match self { $(Self::$variant(section) => $crate::analysis::section_type::SectionType::prompt_count(section),)+ }
            }

            /// Checks that its parts fit each other and a result with `config` and `prompts` prompts.
            ///
            /// # Errors
            /// [`crate::ErrorKind::ResultFile`] naming the first part that does not fit.
            pub fn check(&self, config: &$crate::model::Config, prompts: usize) -> $crate::error::Result<()> {
                match self { $(Self::$variant(section) => $crate::analysis::section_type::SectionType::check(section, config, prompts),)+ }
            }

            /// The analyzers for a run of `analysis`.
            pub(crate) fn analyzers(
                analysis: &$crate::analysis::request::Analysis,
            ) -> Vec<Box<dyn $crate::analysis::analyzer::AnyAnalyzer<Self>>> {
                vec![$($(Box::new(<$module::$analyzer as $crate::analysis::analyzer::Analyzer>::new(analysis)),)?)+]
            }

            /// Reads a section of any kind.
            pub(crate) fn read(
                text: &str,
            ) -> std::result::Result<$crate::analysis::section::SectionRead<Self>, $crate::json::JsonError> {
                let kind = $crate::analysis::section::kind_of(text)?;
                let section = match kind.as_str() {
                    $($kind => Self::$variant($crate::json::read(text.as_bytes())?),)+
                    _ => return Ok($crate::analysis::section::SectionRead::Skipped(kind)),
                };
                Ok($crate::analysis::section::SectionRead::Known(section))
            }
        }

        $(impl From<$section> for Section {
            fn from(section: $section) -> Self {
                Self::$variant(section)
            }
        })+
    };
}

/// A deserialized section of a known or unknown kind.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum SectionRead<S> {
    /// A section of a known kind.
    Known(S),
    /// A section of a kind that this version does not know.
    Skipped(String),
}

/// The field of a section that tells its kind.
#[derive(Deserialize)]
#[serde(expecting = "a section: an object with the field `kind`")]
struct Probe {
    kind: String,
}

/// The kind of the section `text`. The field may come after the others.
pub(super) fn kind_of(text: &str) -> Result<String, JsonError> {
    let Probe { kind } = json::read(text.as_bytes())?;
    Ok(kind)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::Section;
    use crate::names::Head;

    const CONTRIBUTIONS: &str = r#""head": "1.0", "prompts": 2, "heatmaps": {}"#;

    fn read(text: &str) -> Result<SectionRead<Section>, JsonError> {
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
        for text in [r#"{"kind": "later", "head": 7}"#, r#"{"head": 7, "kind": "later"}"#] {
            assert_eq!(read(text).expect("skips"), SectionRead::Skipped("later".to_owned()));
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
        assert_eq!(
            kinds,
            [
                "substitution",
                "contributions",
                "run_writes",
                "run_directions",
                "attention",
                "next",
                "pair",
                "layer",
                "down",
                "head_effects",
                "effects",
                "writes",
                "lens",
                "directions",
                "substituted",
                "intervention",
                "causal",
                "changes"
            ]
        );
    }
}
