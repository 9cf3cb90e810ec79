//! The sections of a result: what each analysis found, by kind.

use std::fmt;

use serde::de::value::MapAccessDeserializer;
use serde::de::{Error as _, IgnoredAny, MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Map, Value};

use crate::analysis::{ContributionsSection, SectionType, SubstitutionSection};
use crate::error::Result;
use crate::model::Config;
use crate::names::Head;

/// The field that says of which kind a section is.
const KIND: &str = "kind";

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

            /// The section of `kind` with the fields that `fields` holds; None where the kind is not known.
            fn read<'de, D: Deserializer<'de>>(kind: &str, fields: D) -> std::result::Result<Option<Self>, D::Error> {
                Ok(match kind {
                    $($kind => Some(Self::$variant(<$section>::deserialize(fields)?)),)+
                    _ => {
                        IgnoredAny::deserialize(fields)?;
                        None
                    }
                })
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
pub enum SectionRead {
    /// A section that can be shown.
    Known(Section),
    /// A section of this kind, which this version does not know.
    Skipped(String),
}

impl<'de> Deserialize<'de> for SectionRead {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        deserializer.deserialize_map(SectionVisitor)
    }
}

struct SectionVisitor;

impl<'de> Visitor<'de> for SectionVisitor {
    type Value = SectionRead;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a section: an object with the field `{KIND}`")
    }

    fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> std::result::Result<SectionRead, M::Error> {
        // What stands before the kind waits until it is known; in files that this program wrote nothing does.
        let mut before = Map::new();
        let kind: String = loop {
            match map.next_key::<String>()? {
                Some(name) if name == KIND => break map.next_value()?,
                Some(name) => {
                    let value: Value = map.next_value()?;
                    before.insert(name, value);
                }
                None => return Err(M::Error::missing_field(KIND)),
            }
        };
        let section = if before.is_empty() {
            Section::read(&kind, MapAccessDeserializer::new(map))?
        } else {
            while let Some((name, value)) = map.next_entry()? {
                before.insert(name, value);
            }
            let mut track = serde_path_to_error::Track::new();
            let fields = Value::Object(before);
            Section::read(&kind, serde_path_to_error::Deserializer::new(fields, &mut track))
                .map_err(|cause| M::Error::custom(format!("{}: {cause}", track.path())))?
        };
        Ok(section.map_or(SectionRead::Skipped(kind), SectionRead::Known))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CONTRIBUTIONS: &str = r#""head": "1.0", "prompts": 2, "heatmaps": {}"#;

    fn read(text: &str) -> serde_json::Result<SectionRead> {
        serde_json::from_str(text)
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
            (r#"[1]"#, "a section"),
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
