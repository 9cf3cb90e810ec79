//! Blocks that are read from a checkpoint.

use crate::compute::block::{AttentionInput, Block, BlockRest};
use crate::error::Result;
use crate::forward::loader::Loader;
use crate::model::Processing;
use crate::model::block::{AttentionInputWeights, BlockRestWeights};
use crate::model::tensors::{Part, of_layer};

/// What [`load`] has read.
pub(crate) struct Parts {
    input: Option<AttentionInput>,
    rest: Option<BlockRest>,
}

/// Reads and processes block `layer`, its second part only where it is wanted (`whole`). Where the first part is there
/// already (`input`), it is not read again.
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
        wanted.extend(of_layer(config, layer, Part::AttentionInput));
    }
    if whole {
        wanted.extend(of_layer(config, layer, Part::BlockRest));
    }
    let mut tensors = loader.tensors(&wanted).await?;
    let new = match input {
        Some(_) => None,
        None => Some(AttentionInput::new(AttentionInputWeights::new(
            &mut tensors,
            config,
            layer,
            processing,
        )?)?),
    };
    let rest = match input.or(new.as_ref()) {
        Some(input) if whole => {
            let folded_b_v = input.folded_b_v.as_deref();
            let weights = BlockRestWeights::new(&mut tensors, config, layer, folded_b_v, processing)?;
            Some(BlockRest::new(weights)?)
        }
        _ => None,
    };
    Ok(Parts { input: new, rest })
}

impl Parts {
    /// Puts the parts where they belong.
    pub(crate) fn install(self, block: &mut Option<Block>) {
        if let Some(input) = self.input {
            *block = Some(Block { input, rest: None });
        }
        if let Some(block) = block
            && self.rest.is_some()
        {
            block.rest = self.rest;
        }
    }
}
