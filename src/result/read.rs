//! Reading, checking and writing the result file. Versions are told apart here and nowhere else.

use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::version_1;
use crate::analysis::Section;
use crate::error::{Error, ErrorKind, Result};
use crate::result::{FORMAT, ResultFile};

/// Longest result file that is read: 64 MiB, some thirty times that of 1200 prompts.
pub const MAX_BYTES: usize = 64 << 20;

const ADVICE: &str = "Choose a file that this program wrote with \"Download result\" or --out.";
/// What the formats of all versions begin with.
const FAMILY: &str = "keyside-result/";

/// The part of any JSON document that says whether the rest is worth reading.
#[derive(Deserialize)]
struct Probe {
    #[serde(default)]
    format: Option<String>,
}

impl ResultFile {
    /// Reads a result file of any version and checks that its parts fit each other. Unknown fields are ignored; sections of
    /// unknown kind are skipped, and listed in [`ResultFile::skipped`].
    ///
    /// # Errors
    /// [`ErrorKind::ResultFile`] when `bytes` are more than [`MAX_BYTES`], not JSON, of another format,
    /// lack a field, or fail [`ResultFile::check`].
    pub fn from_json(bytes: &[u8]) -> Result<Self> {
        if bytes.len() > MAX_BYTES {
            return Err(error(format!("the result file is {} bytes long", bytes.len()))
                .expected(format!("at most {MAX_BYTES} (64 MiB)")));
        }
        let expected = || format!("\"{FORMAT}\" or \"{}\"", version_1::FORMAT);
        let probe: Probe = serde_json::from_slice(bytes).map_err(|cause| {
            let what = if cause.is_data() {
                "the file is JSON, but not a result file"
            } else {
                "the file is not JSON"
            };
            error(format!("{what} ({cause})")).expected(format!("a JSON object with \"format\": {}", expected()))
        })?;
        let result: Self = match probe.format.as_deref() {
            Some(FORMAT) => read(bytes)?,
            Some(version_1::FORMAT) => read::<version_1::File>(bytes)?.into_document().map_err(ours)?,
            Some(format) => {
                let error = error(format!("the file has the format \"{format}\"")).expected(expected());
                return Err(match is_later(format) {
                    true => error.advice("It is of a later version: open it with a newer keyside."),
                    false => error,
                });
            }
            None => return Err(error("the JSON document has no field \"format\"").expected(expected())),
        };
        result.check()?;
        Ok(result)
    }

    /// The result file as compact JSON, of version 2; numbers are written with as few digits as bring them back.
    ///
    /// # Errors
    /// [`ErrorKind::ResultFile`] when [`ResultFile::check`] fails: what is written can be read.
    pub fn to_json(&self) -> Result<String> {
        self.check()?;
        serde_json::to_string(self).map_err(|cause| error(format!("the result can't be written as JSON: {cause}")))
    }

    /// Checks that all parts fit each other: there is a section that can be shown, heads exist, arrays have the shape that
    /// the number of prompts and of components asks for, positions are within their prompt, and every number is finite.
    ///
    /// # Errors
    /// [`ErrorKind::ResultFile`] naming the first part that does not fit.
    pub fn check(&self) -> Result<()> {
        self.check_parts().map_err(ours)
    }

    fn check_parts(&self) -> Result<()> {
        if self.format != FORMAT {
            return Err(error(format!("the result has the format \"{}\"", self.format)).expected(FORMAT));
        }
        if let Some(set) = &self.prompt_set {
            set.check()?;
        }
        let count = self.prompt_count();
        if !self.prompts.is_empty() && self.prompts.len() != count {
            return Err(error(format!("prompts has {} entries", self.prompts.len()))
                .expected(format!("{count}, as the prompt set says")));
        }
        let mut prompts = self.prompts.iter().zip(1..);
        prompts.try_for_each(|(prompt, number)| prompt.check(number))?;
        if self.sections.is_empty() {
            let cause = match self.skipped.is_empty() {
                true => "the result has no section".to_owned(),
                false => format!(
                    "the result has only sections of unknown kind: {}",
                    self.skipped.join(", ")
                ),
            };
            return Err(error(cause).expected(format!("one of {}", Section::KINDS.join(", "))));
        }
        let mut kinds: Vec<&str> = self.sections.iter().map(Section::kind).collect();
        kinds.sort_unstable();
        if let Some(twice) = kinds.windows(2).find(|pair| pair[0] == pair[1]) {
            return Err(error(format!("the result has two sections of kind {}", twice[0])).expected("one of each"));
        }
        self.sections
            .iter()
            .try_for_each(|section| section.check(&self.config, count))
    }
}

/// Reads what `bytes` hold, and says where it is not what it should be.
fn read<T: DeserializeOwned>(bytes: &[u8]) -> Result<T> {
    let mut document = serde_json::Deserializer::from_slice(bytes);
    serde_path_to_error::deserialize(&mut document).map_err(|cause| {
        error(format!(
            "the result file can't be read: {} ({})",
            cause.path(),
            cause.inner()
        ))
    })
}

/// Whether `format` is that of a version to come.
fn is_later(format: &str) -> bool {
    let version = |format: &str| format.strip_prefix(FAMILY)?.parse::<u32>().ok();
    version(format) > version(FORMAT)
}

/// The same error as one of a result file.
fn ours(cause: Error) -> Error {
    Error {
        kind: ErrorKind::ResultFile,
        advice: ADVICE.into(),
        ..cause
    }
}

fn error(cause: impl Into<String>) -> Error {
    Error::new(ErrorKind::ResultFile, cause).advice(ADVICE)
}
