//! Passes of one run that share common rows.

use super::{Pass, Request};
use crate::forward::Tap;
use crate::forward::shared_prefixes::SharedPrefixes;

impl Pass {
    /// One pass per batch of sequences, such that each common prefix is computed once. The passes must go through the
    /// model together, in this order.
    pub(crate) fn sharing(batches: &[Vec<&[u32]>]) -> Vec<Self> {
        let pass = |(tree, common)| Self {
            common,
            ..Self::new(tree, Request::default())
        };
        SharedPrefixes::of_batches(batches).into_iter().map(pass).collect()
    }

    /// Number of rows that it computes itself.
    pub(crate) fn computed_rows(&self) -> usize {
        self.tree.len() - self.borrowed()
    }

    /// Number of rows that other passes compute for it.
    pub(in crate::forward) fn borrowed(&self) -> usize {
        self.common.as_ref().map_or(0, SharedPrefixes::borrowed)
    }
}

/// Forwards taps: what a pass wants to capture at borrowed rows is requested from the passes that compute them. Call it
/// once, after all taps have been added to `passes`, and all that go on with others have been told so.
pub(crate) fn relay(passes: &mut [Pass]) {
    let mut asked: Vec<(usize, Tap)> = Vec::new();
    for pass in passes.iter() {
        let Some(common) = &pass.common else { continue };
        let taps = pass.request.taps.iter().enumerate();
        for (number, tap) in taps.filter(|(_, tap)| !pass.knows(tap)) {
            asked.extend(common.relayed(number, tap));
        }
    }
    for (owner, tap) in asked {
        passes[owner].request.taps.push(tap);
    }
}
