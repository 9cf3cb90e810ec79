//! `keyside sweep`: many heads, models, revisions, seeds and sets of prompts; a row for each.

use std::io::Write;
use std::path::{Path, PathBuf};

use clap::Args;

use super::files::model_source;
use super::progress;
use crate::analysis::scores_of_heads;
use crate::checkpoint::{Source, hub_url};
use crate::error::{Error, ErrorKind, Result};
use crate::forward::{Model, native_engine};
use crate::model::{Checkpoint, Processing};
use crate::names::{EngineChoice, Head};
use crate::prompts::text::{MAX_BYTES, TextPrompts};
use crate::quantities::counted;
use crate::sweep::{
    Finished, Folder, HeadPattern, Kind, PromptsOf, Sweep, SweptModel, SweptPrompts, fingerprint, heads_of, lines,
    rows_of, seeds_of,
};

const EXAMPLE: &str = "\
Examples:
  keyside sweep --models path/to/gpt2 --heads '9.*,10.7' --seeds 0..3 --out sweep
  keyside sweep --models hub:gpt2 --revisions main,v2 --prompts ioi,sets/*.txt --per-prompt --out sweep

  The folder gets rows.jsonl, a line of JSON for each head and set of prompts (or prompt), sorted; times stand
  in times.jsonl, and maps.html shows the heads of each set. A sweep that was stopped goes on where it was when it is started again.";

/// What rows call the IOI dataset, and how it is asked for.
const IOI: &str = "ioi";
const HUB: &str = "hub:";

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

/// `keyside sweep`: does the shards that are missing, puts the rows together, and says so on `out`.
///
/// # Errors
/// Those of opening models and reading prompts, before anything is written; those of [`Folder::open`] and of computing. What was finished
/// stays.
pub async fn run_sweep(arguments: &SweepArguments, out: &mut dyn Write) -> Result<()> {
    let asked = asked(arguments).await?;
    let (sweep, heads) = (&asked.sweep, &asked.heads);
    let folder = Folder::open(&arguments.out, sweep)?;
    let (missing, all) = (folder.missing(), sweep.shards().len());
    let mut open: Option<(usize, Model)> = None;
    for shard in &missing {
        let model = match &mut open {
            Some((of, model)) if *of == shard.model => model,
            _ => {
                let mut model = Model::open(source_of(&sweep.models[shard.model])?, Processing::default()).await?;
                model.set_engine(native_engine(sweep.engine).await?);
                &mut open.insert((shard.model, model)).1
            }
        };
        let source = sweep.source(shard, |name| read_prompts(Path::new(name)))?;
        let bar = progress::Bar::new();
        let found = scores_of_heads(model, &heads[shard.model], &source, &bar).await?;
        let finished = Finished {
            shard: shard.index,
            heads: found.heads.len(),
            prompts: found.prompts.len(),
            seconds: found.timing.seconds,
            loading_seconds: found.timing.loading_seconds,
        };
        folder.keep(shard, &lines(&rows_of(sweep, shard, &found))?, &finished)?;
    }
    let done = folder.finish()?;
    let there = match all - missing.len() {
        0 => String::new(),
        before => format!(", {before} of them there before"),
    };
    // A reader that closes its end is no failure.
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

/// A sweep, and the heads of each of its models.
struct Asked {
    sweep: Sweep,
    heads: Vec<Vec<Head>>,
}

/// What was asked for, as far as that can be checked before anything is written.
async fn asked(arguments: &SweepArguments) -> Result<Asked> {
    let mut models = Vec::new();
    for name in &arguments.models {
        models.extend(models_of(name, &arguments.revisions)?);
    }
    for model in &mut models {
        let source = source_of(model)?;
        model.fingerprint = fingerprint(source.as_ref()).await?;
    }
    let mut prompts = Vec::new();
    for name in &arguments.prompts {
        prompts.extend(prompts_of(name, arguments)?);
    }
    let sweep = Sweep {
        keyside: env!("CARGO_PKG_VERSION").to_owned(),
        models,
        heads: arguments.heads.clone(),
        prompts,
        seeds: seeds_of(&arguments.seeds)?,
        prepend_bos: arguments.bos,
        engine: arguments.engine,
        rows: if arguments.per_prompt {
            Kind::Prompts
        } else {
            Kind::Sets
        },
    };
    let sweep = sweep.sorted()?;
    for shard in sweep.shards() {
        sweep.source(&shard, |name| read_prompts(Path::new(name)))?.check()?;
    }
    let mut heads = Vec::new();
    for model in &sweep.models {
        let (config, _) = Checkpoint::describe(source_of(model)?.as_ref()).await?;
        let found = heads_of(&sweep.heads, &config);
        heads.push(found.map_err(|mut error| {
            error.cause = format!("{}: {}", model.model, error.cause);
            error
        })?);
    }
    Ok(Asked { sweep, heads })
}

/// The models that `name` stands for, with each of `revisions` where it is on the hub.
fn models_of(name: &str, revisions: &[String]) -> Result<Vec<SweptModel>> {
    let model = |model: String, revision: Option<String>| SweptModel {
        model,
        revision,
        fingerprint: None,
    };
    let Some(on_hub) = name.strip_prefix(HUB) else {
        if !revisions.is_empty() {
            let cause = format!("{name} has no revisions");
            return Err(Error::new(ErrorKind::Request, cause).expected("models on the hub, such as hub:gpt2"));
        }
        let found = if name.contains("://") {
            vec![name.to_owned()]
        } else {
            matching(name)?
        };
        return Ok(found.into_iter().map(|name| model(name, None)).collect());
    };
    let (on_hub, own) = match on_hub.split_once('@') {
        Some((name, revision)) => (name, vec![revision.to_owned()]),
        None => (on_hub, vec![String::new()]),
    };
    let revisions = if revisions.is_empty() { &own } else { revisions };
    let of = |revision: &String| {
        // The known commit, where none is named: it is part of the row then.
        let url = hub_url(on_hub, revision)?;
        let revision = url.rsplit_once("/resolve/").map(|(_, revision)| revision.to_owned());
        Ok(model(format!("{HUB}{on_hub}"), revision))
    };
    revisions.iter().map(of).collect()
}

/// Where the files of `model` come from.
fn source_of(model: &SweptModel) -> Result<Box<dyn Source>> {
    match &model.revision {
        Some(revision) => model_source(&format!("{}@{revision}", model.model)),
        None => model_source(&model.model),
    }
}

/// The sets of prompts that `name` stands for.
fn prompts_of(name: &str, arguments: &SweepArguments) -> Result<Vec<SweptPrompts>> {
    if name == IOI {
        return Ok(vec![SweptPrompts {
            name: IOI.to_owned(),
            of: PromptsOf::Ioi {
                batches: arguments.batches,
                batch_size: arguments.batch_size,
            },
        }]);
    }
    let of_file = |file: String| Ok(SweptPrompts::of_text(&file, &read_prompts(Path::new(&file))?));
    matching(name)?.into_iter().map(of_file).collect()
}

/// The text of the prompts in `file`.
fn read_prompts(file: &Path) -> Result<String> {
    let bytes = super::files::read_at_most(file, MAX_BYTES as u64 + 1).map_err(|cause| {
        Error::new(
            ErrorKind::Prompt,
            format!("the prompts {} can't be read ({cause})", file.display()),
        )
        .expected("ioi, or a file of prompts, a line each or CSV")
    })?;
    TextPrompts::text_of(&bytes).map(str::to_owned)
}

/// The paths that `pattern` stands for: itself, where it has no star or question mark.
fn matching(pattern: &str) -> Result<Vec<String>> {
    if !pattern.contains(['*', '?']) {
        return Ok(vec![pattern.to_owned()]);
    }
    let wrong = |cause: &dyn std::fmt::Display| {
        Error::new(
            ErrorKind::Request,
            format!("nothing can be found by {pattern} ({cause})"),
        )
        .expected("a path with * or ? for what may be anything")
    };
    let mut found = Vec::new();
    for path in glob::glob(pattern).map_err(|cause| wrong(&cause))? {
        found.push(path.map_err(|cause| wrong(&cause))?.to_string_lossy().into_owned());
    }
    match found.is_empty() {
        true => Err(wrong(&"there is no such path")),
        false => Ok(found),
    }
}
