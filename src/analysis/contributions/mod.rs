//! Contributions of the components of the residual stream to the score END->IO: the heatmaps.
//!
//! `components` are the parts of the residual stream; `table` is what one heatmap is; `end` is one end of the score in one prompt; `variants` puts ends together.

mod components;
mod end;
mod table;
mod variants;

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use self::components::{Components, Direction};
pub use self::table::Contributions;
use crate::analysis::scores::HeadScores;
use crate::error::Result;
use crate::forward::{HeadWeights, Model, Pass, PrefixTree, Request, Tap, Watcher};
use crate::names::{Head, HeatmapId, Side};
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
    let mut schedule = model.begin(&mut passes, head.layer, watcher).await?;
    let weights = model.head_weights(head, watcher).await?;
    let ends = Ends::new(model, &weights, &passes[0].tree, prompts, head.layer)?;
    passes[0].request.taps.extend(ends.taps());
    while model.advance(&mut schedule, &mut passes, watcher).await?.is_some() {}
    let scores = HeadScores::new(&weights, &passes[0], prompts.len())?;
    ends.all(model, &scores, prompts)
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

/// Components at both ends of the score in every prompt, as a pass hands them over: keys' at IO and S1, split along MLP 0's
/// output, and queries' at END, split along W_U\[IO\].
pub(crate) struct Ends {
    io: Rc<RefCell<Components>>,
    s1: Rc<RefCell<Components>>,
    end: Rc<RefCell<Components>>,
}

impl Ends {
    /// Of a pass over `prompts` that goes through `layers` blocks; the model has read their tokens.
    pub(crate) fn new(
        model: &Model,
        weights: &HeadWeights,
        tree: &PrefixTree,
        prompts: &[Prompt],
        layers: usize,
    ) -> Result<Self> {
        let components = |position: fn(&Positions) -> usize, side: Side, direction: Direction| {
            let row = |(index, prompt): (usize, &Prompt)| tree.path(index)[position(&prompt.positions)];
            let rows = prompts.iter().enumerate().map(row).collect();
            let components = Components::new(model, weights, tree, (rows, layers), side, direction)?;
            Result::Ok(Rc::new(RefCell::new(components)))
        };
        let mut w_u = Vec::with_capacity(prompts.len() * model.config().d_model);
        for prompt in prompts {
            w_u.extend(model.w_u(prompt.io_token)?);
        }
        Ok(Self {
            io: components(|positions| positions.io, Side::Key, Direction::MlpOfLayer0)?,
            s1: components(|positions| positions.s1, Side::Key, Direction::MlpOfLayer0)?,
            end: components(|positions| positions.end, Side::Query, Direction::Of(w_u))?,
        })
    }

    /// What the pass has to hand over.
    pub(crate) fn taps(&self) -> Vec<Tap> {
        [&self.io, &self.s1, &self.end]
            .into_iter()
            .flat_map(Components::taps)
            .collect()
    }

    /// All heatmaps, once the pass is through.
    pub(crate) fn all(
        &self,
        model: &Model,
        scores: &HeadScores<'_>,
        prompts: &[Prompt],
    ) -> Result<BTreeMap<HeatmapId, Contributions>> {
        for components in [&self.io, &self.s1, &self.end] {
            components.borrow_mut().add_biases(model)?;
        }
        let captured = [&*self.io.borrow(), &*self.s1.borrow(), &*self.end.borrow()];
        Ok(variants::all(model.config(), scores, prompts, captured))
    }
}
