//! Loading transformer blocks from a checkpoint.

use crate::compute::block::AttentionInput;
use crate::compute::engine::{Block, Engine};
use crate::error::Result;
use crate::forward::loader::Loader;
use crate::model::Processing;
use crate::model::block::{AttentionInputWeights, BlockRestWeights};
use crate::model::tensors::{TensorGroup, of_layer};

/// The processed weights that [`load`] has read.
pub(crate) struct Parts {
    input: Option<AttentionInputWeights>,
    rest: Option<BlockRestWeights>,
}

/// Reads and processes block `layer`: all of it if `whole`, else only the part that makes queries, keys and values.
/// That part is not read again if `input` says that it is in memory.
pub(crate) async fn load(
    loader: Loader<'_>,
    layer: usize,
    input: Option<&AttentionInput>,
    whole: bool,
    processing: Processing,
) -> Result<Parts> {
    let config = loader.config();
    let mut wanted = Vec::new();
    if input.is_none() {
        wanted.extend(of_layer(config, layer, TensorGroup::AttentionInput));
    }
    if whole {
        wanted.extend(of_layer(config, layer, TensorGroup::BlockRest));
    }
    let mut tensors = loader.tensors(&wanted).await?;
    let new = match input {
        Some(_) => None,
        None => Some(AttentionInputWeights::new(&mut tensors, config, layer, processing)?),
    };
    let folded_b_v = match &new {
        Some(new) => new.folded_b_v.as_deref(),
        None => input.and_then(|input| input.folded_b_v.as_deref()),
    };
    let rest = if whole {
        Some(BlockRestWeights::new(
            &mut tensors,
            config,
            layer,
            folded_b_v,
            processing,
        )?)
    } else {
        None
    };
    Ok(Parts { input: new, rest })
}

impl Parts {
    /// Passes the weights to `engine`, and stores the result in `block`.
    pub(crate) fn install(self, engine: &dyn Engine, block: &mut Option<Box<dyn Block>>) -> Result<()> {
        if let Some(input) = self.input {
            *block = Some(engine.take(input)?);
        }
        match (block, self.rest) {
            (Some(block), Some(rest)) => block.take_rest(rest),
            _ => Ok(()),
        }
    }
}
