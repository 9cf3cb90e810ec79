//! `keyside record`: records what a model computes for sentences, in a small file that answers questions without the
//! model.

use std::io::Write;
use std::path::PathBuf;

use clap::Args;

use super::files::{cannot_write, check_writable, model_source};
use super::record_effects::{EffectsRequest, record_effects};
use crate::error::Result;
use crate::forward::{Model, NoMonitor};
use crate::model::Processing;
use crate::names::Head;
use crate::result::{PairToRecord, Recorded, Recording};

/// The options of `keyside record`.
#[derive(Debug, Clone, Args)]
pub struct RecordArguments {
    /// Folder or http(s) URL of the checkpoint, or `hub:NAME@REVISION`.
    #[arg(long, value_name = "DIR_OR_URL")]
    pub model: String,
    /// A sentence, may be given several times.
    #[arg(
        long = "text",
        value_name = "TEXT",
        required_unless_present = "effects",
        allow_hyphen_values = true
    )]
    pub texts: Vec<String>,
    /// What the heads do for two tokens in place of sentences: a JSON list of prompts, {"text", "answer", "other"} each, two and two with
    /// exchanged tokens; BOS is put before them. Writes a result file with the section head_effects.
    #[arg(
        long,
        value_name = "FILE",
        conflicts_with_all = ["texts", "bos", "pairs", "every_next", "begin"]
    )]
    pub effects: Option<PathBuf>,
    /// With --effects: the head that is taken out at the last token.
    #[arg(long, value_name = "L.H", requires = "effects", conflicts_with = "texts")]
    pub without: Option<Head>,
    /// Begin the sentences with the BOS token.
    #[arg(long)]
    pub bos: bool,
    /// A score that is decomposed, in every sentence: head, position that it looks from, position that it looks to,
    /// counted from 0, from the end where they are negative, or the words there, such as 10.7:-1:1 or 10.7:-1:Mary; may
    /// be given several times.
    #[arg(long = "pair", value_name = "HEAD:FROM:TO")]
    pub pairs: Vec<PairToRecord>,
    /// Record what comes next after every position [default: after the last one].
    #[arg(long)]
    pub every_next: bool,
    /// The head to begin with [default: the one that looks most at a single token].
    #[arg(long, value_name = "L.H")]
    pub begin: Option<Head>,
    /// Where the numbers come from, for readers of the file [default: this program and the model's address].
    #[arg(long, value_name = "TEXT")]
    pub source: Option<String>,
    /// File to write to.
    #[arg(long, value_name = "FILE")]
    pub out: PathBuf,
}

/// `keyside record`: writes a recording and reports it on `out`.
///
/// # Errors
/// Those of reading the model, of sentences that it can't take and positions that they have not, and of writing.
pub async fn run_record(arguments: &RecordArguments, out: &mut dyn Write) -> Result<()> {
    match &arguments.effects {
        Some(prompts) => {
            let asked = EffectsRequest {
                model: &arguments.model,
                prompts,
                without: arguments.without,
                source: arguments.source.as_deref(),
                file: &arguments.out,
            };
            record_effects(&asked, out).await
        }
        None => record_sentences(arguments, out).await,
    }
}

async fn record_sentences(arguments: &RecordArguments, out: &mut dyn Write) -> Result<()> {
    check_writable(&arguments.out)?;
    let mut model = Model::open(model_source(&arguments.model)?, Processing::default()).await?;
    let asked = Recorded {
        texts: arguments.texts.clone(),
        prepend_bos: arguments.bos,
        pairs: arguments.pairs.clone(),
        every_next: arguments.every_next,
        begin: arguments.begin,
        source: arguments.source.clone(),
    };
    let recording = Recording::of(&mut model, &asked, &NoMonitor).await?;
    let text = recording.to_json()?;
    std::fs::write(&arguments.out, &text).map_err(|cause| cannot_write(&arguments.out, &cause))?;
    // A closed pipe is no failure.
    let _ = writeln!(
        out,
        "{} of {}: {} bytes, {}",
        crate::quantities::counted(recording.sentences.len(), "sentence", "sentences"),
        recording.model.name,
        text.len(),
        arguments.out.display()
    );
    Ok(())
}
