//! What a finished pass leaves for the next one over the same sequences.

use crate::forward::{Captured, Tap};

/// Numbers of a residual stream that are kept in one piece: as many as the keys and values that passes lend each other,
/// whose places in memory they take. In one piece for each pass, the notebook's run in a browser took 422 MB at most in
/// place of 404.
pub(super) const PIECE: usize = 1536;

/// What a pass leaves, so that another one over the same sequences need not begin at the embedding.
pub(crate) struct Snapshot {
    /// The block before which it was.
    pub(super) layer: usize,
    /// The residual stream there of the rows that it has computed itself, `[rows, d_model]`, in pieces.
    pub(super) resid: Vec<Box<[f32]>>,
    /// What was captured in the blocks before.
    pub(super) captured: Vec<(Tap, Captured)>,
}

impl Snapshot {
    /// The block with which a pass goes on that begins here.
    pub(crate) fn layer(&self) -> usize {
        self.layer
    }

    pub(super) fn captured_for(&self, tap: &Tap) -> Option<&Captured> {
        let same = self.captured.iter().find(|(other, _)| other.is_same(tap));
        same.map(|(_, captured)| captured)
    }
}
