//! What the heatmaps capture from a pass: the components at both ends of the score.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use super::components::{Components, Direction};
use super::table::Contributions;
use super::variants::{self, Captured};
use crate::analysis::scores::HeadScores;
use crate::error::Result;
use crate::forward::{HeadWeights, Model, PrefixTree, Tap};
use crate::names::{HeatmapId, Normalization, PositionName, Side};
use crate::prompts::Prompt;

/// The components at both ends of the score in every prompt: of keys at the source and (if there is one) at S1, split
/// along MLP 0's output, and of queries at the destination, split along the source's row of W_U.
pub(super) struct CapturedComponents {
    src: Rc<RefCell<Components>>,
    s1: Option<Rc<RefCell<Components>>>,
    dest: Rc<RefCell<Components>>,
}

impl CapturedComponents {
    /// For a pass over `prompts` through `layers` blocks. The model must have read the prompts' tokens.
    pub(super) fn new(
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

    /// The taps that the pass needs.
    pub(super) fn taps(&self) -> Vec<Tap> {
        self.all_components().flat_map(Components::taps).collect()
    }

    /// All heatmaps, after the pass is finished. Vectors that replace an end are normalized as `normalization` says.
    pub(super) fn all(
        &self,
        model: &Model,
        scores: &HeadScores<'_>,
        (prompts, normalization): (&[Prompt], Normalization),
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
        variants::all(model.config(), scores, (prompts, normalization), &captured)
    }
}
