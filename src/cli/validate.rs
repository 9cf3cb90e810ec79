//! `keyside validate`: checks result files against the JSON schema and by reading them.

use std::io::Write;

use serde_json::Value;

use super::ValidateArguments;
use super::files::read_result;
use crate::error::{Error, ErrorKind, Result};
use crate::result::{FORMAT, ResultFile};

/// The JSON schema of the result file, version 2.
pub const SCHEMA: &str = include_str!("../../docs/result.schema.json");

/// Number of faults per file that are listed.
const LISTED: usize = 20;

/// The faults of the result file `bytes`, as sentences that name the place; none if it is valid.
///
/// Files of version 2 are checked against [`SCHEMA`]. All versions are also parsed, which checks what a schema cannot
/// express: that heads exist, that arrays have the right shapes.
///
/// ```
/// use keyside::cli::faults;
///
/// let broken = br#"{"format": "keyside-result/2", "model": {"name": "GPT-2", "source": 7}}"#;
/// let found = faults(broken)?;
/// assert!(found.iter().any(|fault| fault.starts_with("/model/source: ")), "{found:?}");
/// # Ok::<(), keyside::Error>(())
/// ```
///
/// # Errors
/// [`ErrorKind::Internal`] if the schema itself can't be used.
pub fn faults(bytes: &[u8]) -> Result<Vec<String>> {
    let mut found = match serde_json::from_slice::<Value>(bytes) {
        Ok(file) if file.get("format").and_then(Value::as_str) == Some(FORMAT) => by_schema(&file)?,
        _ => Vec::new(),
    };
    if let Err(error) = ResultFile::from_json(bytes) {
        found.push(error.to_string());
    }
    Ok(found)
}

/// The violations of the schema.
fn by_schema(file: &Value) -> Result<Vec<String>> {
    let unusable = |cause: String| {
        Error::new(
            ErrorKind::Internal,
            format!("the schema of results can't be used ({cause})"),
        )
    };
    let schema: Value = serde_json::from_str(SCHEMA).map_err(|cause| unusable(cause.to_string()))?;
    let validator = jsonschema::validator_for(&schema).map_err(|cause| unusable(cause.to_string()))?;
    let said = validator.iter_errors(file).map(|error| {
        let (place, what) = (error.instance_path().to_string(), error.masked());
        match place.as_str() {
            "" => format!("{what}"),
            place => format!("{place}: {what}"),
        }
    });
    Ok(said.take(LISTED).collect())
}

/// `keyside validate`: reports on `out` for each file whether it is a valid result file, and its faults.
///
/// # Errors
/// [`ErrorKind::ResultFile`] where one is not, after all were looked at; [`ErrorKind::Source`] where one can't be read.
pub fn run_validate(arguments: &ValidateArguments, out: &mut dyn Write) -> Result<()> {
    if arguments.schema {
        // A closed pipe is no failure.
        let _ = write!(out, "{SCHEMA}");
        return Ok(());
    }
    let mut broken = 0;
    for file in &arguments.files {
        let found = faults(&read_result(file)?)?;
        broken += usize::from(!found.is_empty());
        let description = if found.is_empty() {
            "a result file, all of whose parts fit".to_owned()
        } else {
            format!("not a result file that can be used\n  {}", found.join("\n  "))
        };
        let _ = writeln!(out, "{}: {description}", file.display());
    }
    match broken {
        0 => Ok(()),
        _ => {
            let files = crate::quantities::counted(arguments.files.len(), "file", "files");
            Err(
                Error::new(ErrorKind::ResultFile, format!("{broken} of {files} can't be used"))
                    .expected("files that keyside wrote, or that fit its schema (keyside validate --schema)"),
            )
        }
    }
}
