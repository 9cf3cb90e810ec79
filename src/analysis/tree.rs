//! The positions that have a part in a score.

use crate::error::Result;
use crate::forward::{Model, PrefixTree};
use crate::prompts::Prompt;

/// The prefix tree of `prompts` up to the destination: nothing after it has a part in the score.
pub(crate) fn tree_to_dest(model: &Model, prompts: &[Prompt]) -> Result<PrefixTree> {
    let up_to = |prompt| {
        let Prompt { tokens, .. }: &Prompt = prompt;
        model.check_sequence(tokens)?;
        Ok(&tokens[..=prompt.dest()?])
    };
    let texts: Vec<&[u32]> = prompts.iter().map(up_to).collect::<Result<_>>()?;
    Ok(PrefixTree::new(texts))
}
