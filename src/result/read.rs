//! Reads, checks and writes result files. The only place that distinguishes versions.

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;

use super::version_1;
use crate::analysis::{Section, SectionRead, Timing};
use crate::error::{Error, ErrorKind, Result};
use crate::json::{self, JsonError};
use crate::model::{Config, Processing};
use crate::prompts::{Prompt, PromptSet};
use crate::result::{FORMAT, ModelInfo, ResultFile};

/// Size limit of result files that are written or read: 64 MiB.
pub const MAX_BYTES: usize = 64 << 20;

const ADVICE: &str = "Choose a file that this program wrote with \"Download result\" or --out.";
/// Common prefix of the `format` of all versions.
const FAMILY: &str = "keyside-result/";

/// The field that identifies a result file, read before the rest.
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
            return Err(too_long(bytes.len()));
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
            Some(FORMAT) => read::<File>(bytes)?.into_document()?,
            Some(version_1::FORMAT) => read::<version_1::File>(bytes)?.into_document().map_err(ours)?,
            Some(format) => {
                let error = error(format!("the file has the format \"{format}\"")).expected(expected());
                return Err(if is_later(format) {
                    error.advice("It is of a later version: open it with a newer keyside.")
                } else {
                    error
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
    /// [`ErrorKind::ResultFile`] when [`ResultFile::check`] fails, or it would be more than [`MAX_BYTES`]: what is written can be read.
    pub fn to_json(&self) -> Result<String> {
        self.check()?;
        let text = serde_json::to_string(self)
            .map_err(|cause| error(format!("the result can't be written as JSON: {cause}")))?;
        match text.len() {
            0..=MAX_BYTES => Ok(text),
            bytes => Err(too_long(bytes).advice("Run fewer prompts at a time.")),
        }
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
            let cause = if self.skipped.is_empty() {
                "the result has no section".to_owned()
            } else {
                format!(
                    "the result has only sections of unknown kind: {}",
                    self.skipped.join(", ")
                )
            };
            return Err(error(cause).expected(format!("one of {}", Section::KINDS.join(", "))));
        }
        let count_of = |kind: &str| self.sections.iter().filter(|section| section.kind() == kind).count();
        if let Some(kind) = Section::KINDS.iter().find(|kind| count_of(kind) > 1) {
            return Err(error(format!("the result has two sections of kind {kind}")).expected("one of each"));
        }
        self.sections
            .iter()
            .try_for_each(|section| section.check(&self.config, count))
    }
}

/// The deserialized file, before the kinds of its sections are interpreted.
#[derive(Deserialize)]
struct File {
    model: ModelInfo,
    config: Config,
    processing: Processing,
    #[serde(default)]
    prompt_set: Option<PromptSet>,
    #[serde(default)]
    prompts: Vec<Prompt>,
    sections: Vec<Box<RawValue>>,
    #[serde(default)]
    skipped: Vec<String>,
    #[serde(default)]
    timing: Option<Timing>,
}

impl File {
    fn into_document(self) -> Result<ResultFile> {
        let (mut sections, mut skipped) = (Vec::new(), self.skipped);
        for (index, text) in self.sections.iter().enumerate() {
            let place = format!("sections[{index}]");
            match Section::read(text.get()).map_err(|cause| misread(&cause.within(&place)))? {
                SectionRead::Known(section) => sections.push(section),
                SectionRead::Skipped(kind) => skipped.push(kind),
            }
        }
        Ok(ResultFile {
            format: FORMAT.to_owned(),
            model: self.model,
            config: self.config,
            processing: self.processing,
            prompt_set: self.prompt_set,
            prompts: self.prompts,
            sections,
            skipped,
            timing: self.timing,
        })
    }
}

/// Parses `bytes`, with an error that tells the place in the JSON text.
fn read<T: DeserializeOwned>(bytes: &[u8]) -> Result<T> {
    json::read(bytes).map_err(|cause| misread(&cause))
}

/// The error for a result file that is too large.
fn too_long(bytes: usize) -> Error {
    error(format!("the result file is {bytes} bytes long"))
        .expected(format!("at most {MAX_BYTES} ({} MiB)", MAX_BYTES >> 20))
}

fn misread(cause: &JsonError) -> Error {
    error(format!("the result file can't be read: {cause}"))
}

/// Whether `format` is that of a later version.
fn is_later(format: &str) -> bool {
    let version = |format: &str| format.strip_prefix(FAMILY)?.parse::<u32>().ok();
    version(format) > version(FORMAT)
}

/// Turns an error into one about a result file.
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
