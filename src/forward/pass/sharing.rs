//! Passes of one run that share the rows they have in common.

use super::{Pass, Request};
use crate::forward::Tap;
use crate::forward::shared_prefixes::SharedPrefixes;

impl Pass {
    /// A pass for each of `batches` of sequences, in which no prefix is computed twice. They must go through the model
    /// together, in this order.
    pub(crate) fn sharing(batches: &[Vec<&[u32]>]) -> Vec<Self> {
        let pass = |(tree, common)| Self {
            common,
            ..Self::new(tree, Request::default())
        };
        SharedPrefixes::of_batches(batches).into_iter().map(pass).collect()
    }

    /// Rows that it computes, and does not borrow.
    pub(crate) fn computed_rows(&self) -> usize {
        self.tree.len() - self.borrowed()
    }

    /// Number of its rows that others compute.
    pub(in crate::forward) fn borrowed(&self) -> usize {
        self.common.as_ref().map_or(0, SharedPrefixes::borrowed)
    }
}

/// Asks the passes that compute rows which others borrow for what these others want to capture of them. To be called once,
/// when all `passes` have been asked for all that they are asked for.
pub(crate) fn relay(passes: &mut [Pass]) {
    let mut asked: Vec<(usize, Tap)> = Vec::new();
    for Pass { request, common, .. } in passes.iter() {
        let Some(common) = common else { continue };
        for (number, tap) in request.taps.iter().enumerate() {
            asked.extend(common.relayed(number, tap));
        }
    }
    for (owner, tap) in asked {
        passes[owner].request.taps.push(tap);
    }
}
