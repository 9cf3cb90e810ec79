//! Contributions of the components of the residual stream to the score END->IO: the heatmaps.
//!
//! `table` is what one heatmap is; `end` is one end of the score in one prompt; `variants` puts ends together.

mod end;
mod table;
mod variants;

use std::collections::BTreeMap;

pub use self::table::Contributions;
pub(crate) use self::variants::all;
use crate::analysis::scores::HeadScores;
use crate::error::Result;
use crate::forward::{Direction, HeadWeights, Model, Pass, PrefixTree, Readout, Request, Side, Watcher};
use crate::names::{Head, HeatmapId};
use crate::prompts::ioi::{Positions, Prompt};

/// Contributions to the scores END->IO of `head` in `prompts`, prompt by prompt, under the names of the heatmaps: "key",
/// "key_subWU", ..., "query_split/q par k par". In layer 0 there is no MLP before the head, so the variants with it are absent.
///
/// # Errors
/// [`crate::ErrorKind::Request`] where the head does not exist, [`crate::ErrorKind::Prompt`] where a
/// prompt does not fit the context, errors of reading, and `watcher`'s.
pub async fn contributions(
    model: &mut Model,
    prompts: &[Prompt],
    head: Head,
    watcher: &dyn Watcher,
) -> Result<BTreeMap<HeatmapId, Contributions>> {
    model.config().check_head(head)?;
    let request = Request {
        other_tokens: prompts.iter().map(|prompt| prompt.io_token).collect(),
        ..Request::default()
    };
    let mut passes = [Pass::new(tree_to_end(model, prompts)?, request)];
    let mut walk = model.begin(&mut passes, head.layer, watcher).await?;
    let weights = model.head_weights(head, watcher).await?;
    passes[0].request.readouts = readouts(model, &weights, &passes[0].tree, prompts)?;
    while model.advance(&mut walk, &mut passes, watcher).await?.is_some() {}
    let scores = HeadScores::new(&weights, &passes[0], prompts.len())?;
    all(model.config(), &scores, prompts)
}

/// The prefix tree of `prompts` up to END: nothing after it has a part in the score END->IO.
pub(crate) fn tree_to_end(model: &Model, prompts: &[Prompt]) -> Result<PrefixTree> {
    prompts
        .iter()
        .try_for_each(|prompt| model.check_sequence(&prompt.tokens))?;
    Ok(PrefixTree::new(
        prompts.iter().map(|prompt| &prompt.tokens[..=prompt.positions.end]),
    ))
}

/// Which readout is of which position.
const IO: usize = 0;
const S1: usize = 1;
const END: usize = 2;

/// What a pass over `prompts` has to capture for [`all`]: keys' components at IO and S1, split along MLP 0's output, and
/// queries' at END, split along W_U\[IO\] (whose tokens the model has read).
pub(crate) fn readouts(
    model: &Model,
    weights: &HeadWeights,
    tree: &PrefixTree,
    prompts: &[Prompt],
) -> Result<Vec<Readout>> {
    let rows = |position: fn(&Positions) -> usize| -> Vec<usize> {
        let row = |(index, prompt): (usize, &Prompt)| tree.path(index)[position(&prompt.positions)];
        prompts.iter().enumerate().map(row).collect()
    };
    let mut w_u = Vec::with_capacity(prompts.len() * model.config().d_model);
    for prompt in prompts {
        w_u.extend(model.w_u(prompt.io_token)?);
    }
    let key = |rows| -> Result<Readout> {
        Ok(Readout {
            rows,
            map: weights.weight(Side::Key)?,
            direction: Direction::MlpOfLayer0,
        })
    };
    Ok(vec![
        key(rows(|positions| positions.io))?,
        key(rows(|positions| positions.s1))?,
        Readout {
            rows: rows(|positions| positions.end),
            map: weights.weight(Side::Query)?,
            direction: Direction::Of(w_u),
        },
    ])
}
