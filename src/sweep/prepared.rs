//! A sweep with everything that is needed to compute its shards in any process.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::fingerprint::fingerprint;
use super::folder::Finished;
use super::head_pattern::heads_of;
use super::plan::{Shard, Sweep};
use super::rows::{lines, rows_of};
use crate::analysis::{Observer, scores_of_heads};
use crate::checkpoint::Source;
use crate::error::{Error, ErrorKind, Result};
use crate::forward::{Model, native_engine};
use crate::model::{Checkpoint, Processing};
use crate::names::Head;
use crate::prompts::PromptSource;

/// Finds the files of a model by its folder or URL.
pub type SourceOf<'a> = dyn Fn(&str) -> Result<Box<dyn Source>> + 'a;

/// A sweep with everything its shards need, except the models. As JSON it can be sent to another process or machine.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PreparedSweep {
    /// The plan.
    pub sweep: Sweep,
    /// The heads of each model.
    heads: Vec<Vec<Head>>,
    /// The texts of the user's own prompts, by the names of their sets.
    texts: BTreeMap<String, String>,
}

impl PreparedSweep {
    /// Prepares `sweep`; `texts` are the user's own prompts, by the names of their sets.
    ///
    /// # Errors
    /// [`ErrorKind::Prompt`] and [`ErrorKind::Request`] for prompts that can't be made and heads that a model has not,
    /// and read errors configurations.
    pub async fn new(sweep: Sweep, texts: BTreeMap<String, String>, source_of: &SourceOf<'_>) -> Result<Self> {
        let mut planned = Self {
            heads: Vec::with_capacity(sweep.models.len()),
            sweep,
            texts,
        };
        for shard in planned.sweep.shards() {
            planned.prompts(&shard)?.check()?;
        }
        for model in &planned.sweep.models {
            let (config, _) = Checkpoint::describe(source_of(&model.address())?.as_ref()).await?;
            let found = heads_of(&planned.sweep.heads, &config);
            planned.heads.push(found.map_err(|mut error| {
                error.cause = format!("{}: {}", model.model, error.cause);
                error
            })?);
        }
        Ok(planned)
    }

    /// Opens the model of `shard`.
    ///
    /// # Errors
    /// [`ErrorKind::Changed`] where it is not the model that the sweep began with, and those of [`Model::open`].
    pub async fn open(&self, shard: &Shard, source_of: &SourceOf<'_>) -> Result<Model> {
        let model = &self.sweep.models[shard.model];
        let source = source_of(&model.address())?;
        if model.fingerprint.is_some() && fingerprint(source.as_ref()).await? != model.fingerprint {
            let cause = format!("the model {} is not the one that the sweep began with", model.model);
            return Err(Error::new(ErrorKind::Changed, cause)
                .expected("the same files wherever the sweep is done")
                .advice("Put them there, or begin another sweep, in another folder."));
        }
        let mut model = Model::open(source, Processing::default()).await?;
        model.set_engine(native_engine(self.sweep.engine).await?);
        Ok(model)
    }

    /// Computes the rows of `shard` as JSON lines, with times. `model` must be the one that [`Self::open`] returned for
    /// a shard of the same model.
    ///
    /// # Errors
    /// Those of [`scores_of_heads`].
    pub async fn rows(&self, shard: &Shard, model: &mut Model, observer: &dyn Observer) -> Result<(String, Finished)> {
        let found = scores_of_heads(model, &self.heads[shard.model], &self.prompts(shard)?, observer).await?;
        let finished = Finished {
            shard: shard.index,
            heads: found.heads.len(),
            prompts: found.prompts.len(),
            seconds: found.timing.seconds,
            loading_seconds: found.timing.loading_seconds,
        };
        Ok((lines(&rows_of(&self.sweep, shard, &found))?, finished))
    }

    /// The prompt source of `shard`.
    fn prompts(&self, shard: &Shard) -> Result<PromptSource> {
        self.sweep.source(shard, |name| {
            let text = self.texts.get(name).cloned();
            text.ok_or_else(|| {
                Error::new(
                    ErrorKind::Internal,
                    format!("the text of the prompts {name} is missing"),
                )
            })
        })
    }
}
