//! `keyside sweep`: many heads, models, revisions, seeds and sets of prompts; a row for each.

use std::io::Write;
use std::path::PathBuf;

use clap::Args;

use super::files::model_source;
use super::progress;
use crate::error::Result;
use crate::forward::Model;
use crate::names::EngineChoice;
use crate::quantities::counted;
use crate::sweep::{Folder, HeadPattern, IOI, Kind, SweepRequest};

const EXAMPLE: &str = "\
Examples:
  keyside sweep --models path/to/gpt2 --heads '9.*,10.7' --seeds 0..3 --out sweep
  keyside sweep --models hub:gpt2 --revisions main,v2 --prompts ioi,sets/*.txt --per-prompt --out sweep

  The folder gets rows.jsonl, a line of JSON for each head and set of prompts (or prompt), sorted; times stand
  in times.jsonl, and maps.html shows the heads of each set. A sweep that was stopped goes on where it was when it is started again.";

/// The options of `keyside sweep`.
#[derive(Debug, Clone, Args)]
#[command(after_help = EXAMPLE)]
pub struct SweepArguments {
    /// Folders (also with * and ?), http(s) URLs, or hub:NAME; several with commas, or the option several times.
    #[arg(long, value_name = "LIST", value_delimiter = ',', required = true)]
    pub models: Vec<String>,
    /// Revisions of models on the hub: branches, tags or commits [default: the known commit].
    #[arg(long, value_name = "LIST", value_delimiter = ',')]
    pub revisions: Vec<String>,
    /// Heads, with * for any layer or head, such as 0.*,10.7.
    #[arg(long, value_name = "LIST", value_delimiter = ',', default_value = "*")]
    pub heads: Vec<HeadPattern>,
    /// Sets of prompts: ioi for drawn ones, and files with a text per line or CSV (also with * and ?).
    #[arg(long, value_name = "LIST", value_delimiter = ',', default_value = IOI)]
    pub prompts: Vec<String>,
    /// Seeds of drawn prompts: numbers and ranges, such as 0,7 or 0..3, which is 0, 1, 2.
    #[arg(long, value_name = "LIST", default_value = "0")]
    pub seeds: String,
    /// Batches of drawn prompts for each seed; batch i has the seed SEED + i.
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub batches: usize,
    /// Prompts per batch.
    #[arg(long, value_name = "N", default_value_t = 40)]
    pub batch_size: usize,
    /// Begin every prompt with the BOS token.
    #[arg(long)]
    pub bos: bool,
    /// A row for each prompt, not one for each set.
    #[arg(long)]
    pub per_prompt: bool,
    /// What computes: auto, packed or gemm, such as "packed on 2".
    #[arg(long, value_name = "NAME", default_value = "auto")]
    pub engine: EngineChoice,
    /// Folder of the sweep: a new one, or that of the same sweep, which then goes on.
    #[arg(long, value_name = "DIR")]
    pub out: PathBuf,
}

impl SweepArguments {
    /// The request.
    fn asked(&self) -> SweepRequest {
        SweepRequest {
            models: self.models.clone(),
            revisions: self.revisions.clone(),
            heads: self.heads.clone(),
            prompts: self.prompts.clone(),
            seeds: self.seeds.clone(),
            batches: self.batches,
            batch_size: self.batch_size,
            prepend_bos: self.bos,
            rows: if self.per_prompt { Kind::Prompts } else { Kind::Sets },
            engine: self.engine,
        }
    }
}

/// `keyside sweep`: computes the missing shards, combines the rows, and reports on `out`.
///
/// # Errors
/// Those of [`SweepRequest::plan`], before anything is written; those of [`Folder::open`] and of computing. What was finished stays.
pub async fn run_sweep(arguments: &SweepArguments, out: &mut dyn Write) -> Result<()> {
    let planned = arguments.asked().plan(&model_source).await?;
    let folder = Folder::open(&arguments.out, &planned.sweep)?;
    let (missing, all) = (folder.missing(), planned.sweep.shards().len());
    let mut open: Option<(usize, Model)> = None;
    for shard in &missing {
        let model = match &mut open {
            Some((of, model)) if *of == shard.model => model,
            _ => &mut open.insert((shard.model, planned.open(shard, &model_source).await?)).1,
        };
        let bar = progress::Bar::new();
        let (rows, finished) = planned.rows(shard, model, &bar).await?;
        folder.keep(shard, &rows, &finished)?;
    }
    let done = folder.finish()?;
    let there = match all - missing.len() {
        0 => String::new(),
        before => format!(", {before} of them there before"),
    };
    // A closed pipe is no failure.
    let _ = writeln!(
        out,
        "{} of {}{there}: {}\nmaps of heads: {}",
        counted(done.count, "row", "rows"),
        counted(all, "shard", "shards"),
        done.rows.display(),
        done.maps.display()
    );
    Ok(())
}
