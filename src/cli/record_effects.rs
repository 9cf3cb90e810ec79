//! `keyside record --effects`: records the direct effects of a model's heads on two tokens, as means over prompts.

use std::io::Write;
use std::path::Path;

use super::files::{cannot_write, check_writable, model_source};
use crate::analysis::pair::{TargetText, head_effects};
use crate::error::{Error, ErrorKind, Result};
use crate::forward::{Model, NoMonitor};
use crate::model::Processing;
use crate::names::Head;
use crate::result::ResultFile;

/// What to record, and where to write it.
pub(super) struct EffectsRequest<'a> {
    /// Folder or URL of the checkpoint.
    pub(super) model: &'a str,
    /// The file of the prompts.
    pub(super) prompts: &'a Path,
    /// The head to ablate.
    pub(super) without: Option<Head>,
    /// Source of the numbers, for readers of the file.
    pub(super) source: Option<&'a str>,
    /// The file to write.
    pub(super) file: &'a Path,
}

/// Writes a result file with the section `head_effects` for `asked`, and reports it on `out`.
///
/// # Errors
/// Those of reading the prompts and the model, of prompts that do not fit it, and of writing.
pub(super) async fn record_effects(asked: &EffectsRequest<'_>, out: &mut dyn Write) -> Result<()> {
    check_writable(asked.file)?;
    let prompts = read_prompts(asked.prompts)?;
    let mut model = Model::open(model_source(asked.model)?, Processing::default()).await?;
    let section = head_effects(&mut model, &prompts, asked.without, &NoMonitor).await?;
    let mut result = ResultFile::of_section(&model, section.into());
    if let Some(source) = asked.source {
        source.clone_into(&mut result.model.source);
    }
    let text = result.to_json()?;
    std::fs::write(asked.file, &text).map_err(|cause| cannot_write(asked.file, &cause))?;
    // A closed pipe is no failure.
    let _ = writeln!(
        out,
        "effects of the heads of {} after {}: {} bytes, {}",
        result.model.name,
        crate::quantities::counted(prompts.len(), "prompt", "prompts"),
        text.len(),
        asked.file.display()
    );
    Ok(())
}

/// The prompts in `file`: a JSON list in the form of the section's `prompts`.
fn read_prompts(file: &Path) -> Result<Vec<TargetText>> {
    let expected = r#"a list such as [{"text": "When Mary and John ...", "answer": " Mary", "other": " John"}]"#;
    let bytes = std::fs::read(file).map_err(|cause| {
        let cause = format!("the prompts {} can't be read ({cause})", file.display());
        Error::new(ErrorKind::Prompt, cause).expected(expected)
    })?;
    serde_json::from_slice(&bytes).map_err(|cause| {
        let cause = format!("the prompts {} can't be understood ({cause})", file.display());
        Error::new(ErrorKind::Prompt, cause).expected(expected)
    })
}
