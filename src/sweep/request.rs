//! The user's input for a sweep: names with wildcards, revisions, ranges.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read;
use std::path::Path;

use super::fingerprint::fingerprint;
use super::head_pattern::{HeadPattern, seeds_of};
use super::plan::{Kind, Sweep, SweptMaker, SweptModel, SweptPrompts};
use super::prepared::{PreparedSweep, SourceOf};
use crate::checkpoint::hub_url;
use crate::error::{Error, ErrorKind, Result};
use crate::names::EngineChoice;
use crate::prompts::text::{MAX_BYTES, TextPrompts};

/// The name of the IOI dataset in requests and rows.
pub const IOI: &str = "ioi";
const HUB: &str = "hub:";

/// The user's input for a sweep.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SweepRequest {
    /// Folders (also with `*` and `?`), http(s) URLs, or `hub:NAME`.
    pub models: Vec<String>,
    /// Revisions of models on the hub. If there are none, the pinned commit.
    pub revisions: Vec<String>,
    /// Patterns of the heads of each model.
    pub heads: Vec<HeadPattern>,
    /// [`IOI`] for drawn prompts, and files of prompts (with wildcards `*` and `?`).
    pub prompts: Vec<String>,
    /// Seeds of drawn prompts, as [`seeds_of`] reads them.
    pub seeds: String,
    /// Batches of drawn prompts per seed.
    pub batches: usize,
    /// Prompts per batch.
    pub batch_size: usize,
    /// Whether prompts begin with BOS.
    pub prepend_bos: bool,
    /// What a row covers.
    pub rows: Kind,
    /// The compute engine.
    pub engine: EngineChoice,
}

impl SweepRequest {
    /// Checks the request and turns it into a sweep, before anything is written. `source_of` finds models.
    ///
    /// # Errors
    /// [`ErrorKind::Request`] for names that lead nowhere and lists that make no sense, and those of [`PreparedSweep::new`].
    pub async fn plan(&self, source_of: &SourceOf<'_>) -> Result<PreparedSweep> {
        let mut models = Vec::new();
        for name in &self.models {
            models.extend(models_of(name, &self.revisions)?);
        }
        for model in &mut models {
            let source = source_of(&model.address())?;
            model.fingerprint = fingerprint(source.as_ref()).await?;
        }
        let (mut prompts, mut texts) = (Vec::new(), BTreeMap::new());
        for name in &self.prompts {
            if name == IOI {
                let (batches, batch_size) = (self.batches, self.batch_size);
                prompts.push(SweptPrompts {
                    name: IOI.to_owned(),
                    maker: SweptMaker::Ioi { batches, batch_size },
                });
                continue;
            }
            for file in matching(name)? {
                let text = read_prompts(Path::new(&file))?;
                prompts.push(SweptPrompts::of_text(&file, &text));
                texts.insert(file, text);
            }
        }
        let sweep = Sweep {
            keyside: env!("CARGO_PKG_VERSION").to_owned(),
            models,
            heads: self.heads.clone(),
            prompts,
            seeds: seeds_of(&self.seeds)?,
            prepend_bos: self.prepend_bos,
            engine: self.engine,
            rows: self.rows,
        };
        PreparedSweep::new(sweep.sorted()?, texts, source_of).await
    }
}

/// The models that `name` matches, with each of `revisions` if it is on the hub.
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
    let model_at = |revision: &String| {
        // The pinned commit, which becomes part of the rows.
        let url = hub_url(on_hub, revision)?;
        let revision = url.rsplit_once("/resolve/").map(|(_, revision)| revision.to_owned());
        Ok(model(format!("{HUB}{on_hub}"), revision))
    };
    revisions.iter().map(model_at).collect()
}

/// The text of the prompts in `file`.
fn read_prompts(file: &Path) -> Result<String> {
    let mut bytes = Vec::new();
    // One byte more than allowed shows that the file is too large.
    let read = File::open(file).and_then(|file| file.take(MAX_BYTES as u64 + 1).read_to_end(&mut bytes));
    read.map_err(|cause| {
        Error::new(
            ErrorKind::Prompt,
            format!("the prompts {} can't be read ({cause})", file.display()),
        )
        .expected("ioi, or a file of prompts, a line each or CSV")
    })?;
    TextPrompts::text_of(&bytes).map(str::to_owned)
}

/// The paths that match `wildcards`; the path itself if it has no wildcards.
fn matching(wildcards: &str) -> Result<Vec<String>> {
    if !wildcards.contains(['*', '?']) {
        return Ok(vec![wildcards.to_owned()]);
    }
    let wrong = |cause: &dyn std::fmt::Display| {
        Error::new(
            ErrorKind::Request,
            format!("nothing can be found by {wildcards} ({cause})"),
        )
        .expected("a path with * or ? for what may be anything")
    };
    let mut found = Vec::new();
    for path in glob::glob(wildcards).map_err(|cause| wrong(&cause))? {
        found.push(path.map_err(|cause| wrong(&cause))?.to_string_lossy().into_owned());
    }
    if found.is_empty() {
        Err(wrong(&"there is no such path"))
    } else {
        Ok(found)
    }
}
