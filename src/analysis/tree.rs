//! The positions that contribute to a score.

use crate::error::Result;
use crate::forward::{Model, PrefixTree};
use crate::prompts::Prompt;

/// The prefix tree of `prompts` up to the destination. Later positions do not affect the score.
pub(crate) fn tree_to_dest(model: &Model, prompts: &[Prompt]) -> Result<PrefixTree> {
    Ok(PrefixTree::new(up_to_dest(model, prompts)?))
}

/// The tokens of each of `prompts` up to its destination.
pub(crate) fn up_to_dest<'p>(model: &Model, prompts: &'p [Prompt]) -> Result<Vec<&'p [u32]>> {
    let up_to = |prompt: &'p Prompt| {
        model.check_sequence(&prompt.tokens)?;
        Ok(&prompt.tokens[..=prompt.dest()?])
    };
    prompts.iter().map(up_to).collect()
}
