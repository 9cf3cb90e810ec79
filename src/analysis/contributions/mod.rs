//! Contributions of the components of the residual stream to the score from the destination to the source (of IOI: END to IO): the
//! heatmaps.
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
use self::variants::Captured;
use crate::analysis::scores::HeadScores;
use crate::error::Result;
use crate::forward::{HeadWeights, Model, Pass, PrefixTree, Request, Tap, Watcher};
use crate::names::{Head, HeatmapId, PositionName, Side};
use crate::prompts::Prompt;

/// Contributions to the scores of `head` from destination to source in `prompts`, prompt by prompt, under the names of the heatmaps:
/// "key", "key_subWU", ..., "query_split/q par k par". In layer 0 there is no MLP before the head, so the variants with it are absent;
/// those that subtract the score of S1 are where all prompts have such a position.
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
        other_tokens: prompts.iter().map(Prompt::src_token).collect::<Result<_>>()?,
        ..Request::default()
    };
    let mut passes = [Pass::new(tree_to_dest(model, prompts)?, request)];
    let mut schedule = model.begin(&mut passes, head.layer, watcher).await?;
    let weights = model.head_weights(head, watcher).await?;
    let ends = Ends::new(model, &weights, &passes[0].tree, prompts, head.layer)?;
    passes[0].request.taps.extend(ends.taps());
    while model.advance(&mut schedule, &mut passes, watcher).await?.is_some() {}
    let scores = HeadScores::new(&weights, &passes[0], prompts.len())?;
    ends.all(model, &scores, prompts)
}

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

/// Components at both ends of the score in every prompt, as a pass hands them over: keys' at the source and, where there is one,
/// at S1, split along MLP 0's output, and queries' at the destination, split along the source's row of W_U.
pub(crate) struct Ends {
    src: Rc<RefCell<Components>>,
    s1: Option<Rc<RefCell<Components>>>,
    dest: Rc<RefCell<Components>>,
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
        let components = |positions: Vec<usize>, side: Side, direction: Direction| {
            let rows = positions
                .iter()
                .enumerate()
                .map(|(index, position)| tree.path(index)[*position]);
            let components = Components::new(model, weights, tree, (rows.collect(), layers), side, direction)?;
            Result::Ok(Rc::new(RefCell::new(components)))
        };
        let mut w_u = Vec::with_capacity(prompts.len() * model.config().d_model);
        for prompt in prompts {
            w_u.extend(model.w_u(prompt.src_token()?)?);
        }
        let at = |position: fn(&Prompt) -> Result<usize>| prompts.iter().map(position).collect::<Result<Vec<_>>>();
        let s1: Option<Vec<usize>> = prompts
            .iter()
            .map(|prompt| prompt.position(&PositionName::S1))
            .collect();
        let s1 = s1.map(|positions| components(positions, Side::Key, Direction::MlpOfLayer0));
        Ok(Self {
            src: components(at(Prompt::src)?, Side::Key, Direction::MlpOfLayer0)?,
            s1: s1.transpose()?,
            dest: components(at(Prompt::dest)?, Side::Query, Direction::Of(w_u))?,
        })
    }

    fn all_components(&self) -> impl Iterator<Item = &Rc<RefCell<Components>>> {
        [&self.src, &self.dest].into_iter().chain(&self.s1)
    }

    /// What the pass has to hand over.
    pub(crate) fn taps(&self) -> Vec<Tap> {
        self.all_components().flat_map(Components::taps).collect()
    }

    /// All heatmaps, once the pass is through.
    pub(crate) fn all(
        &self,
        model: &Model,
        scores: &HeadScores<'_>,
        prompts: &[Prompt],
    ) -> Result<BTreeMap<HeatmapId, Contributions>> {
        for components in self.all_components() {
            components.borrow_mut().add_biases(model)?;
        }
        let s1 = self.s1.as_ref().map(|components| components.borrow());
        let captured = Captured {
            src: &self.src.borrow(),
            s1: s1.as_deref(),
            dest: &self.dest.borrow(),
        };
        variants::all(model.config(), scores, prompts, &captured)
    }
}
