//! Passes that begin where an earlier one over the same sequences has ended.

use super::Pass;
use crate::forward::Tap;
use crate::forward::snapshot::{PIECE, Snapshot};
use crate::model::Config;

impl Pass {
    /// What this finished pass leaves of the blocks before `layer`: `resid [rows, d_model]` before that block, and what
    /// it has captured.
    pub(crate) fn into_snapshot(self, layer: usize, resid: Vec<f32>) -> Snapshot {
        let borrowed = self.borrowed() * (resid.len() / self.tree.len().max(1));
        let taps = self.request.taps.into_iter().zip(self.captured);
        Snapshot {
            layer,
            resid: resid[borrowed..].chunks(PIECE).map(Box::from).collect(),
            captured: taps
                .filter(|(tap, _)| tap.is_before(layer) && tap.sink().is_none())
                .collect(),
        }
    }

    /// Whether it can begin at `snapshot`, of a pass over the same sequences, and go through `layers` blocks: everything
    /// that it captures in earlier blocks was captured then.
    pub(crate) fn can_resume(&self, snapshot: &Snapshot, layers: usize) -> bool {
        let earlier = |tap: &&Tap| tap.is_before(snapshot.layer);
        snapshot.layer <= layers
            && self.request.keep_from.is_none()
            && self
                .request
                .taps
                .iter()
                .filter(earlier)
                .all(|tap| snapshot.captured_for(tap).is_some())
    }

    /// Begins at `snapshot` in place of the embedding (see [`Pass::can_resume`]). The passes that it borrows rows from
    /// must compute them from that block on, too.
    pub(crate) fn resume(&mut self, snapshot: Snapshot) {
        self.progress.layers = snapshot.layer;
        self.resumed = Some(snapshot);
    }

    /// Whether what `tap` captures is known from the pass that it goes on with.
    pub(super) fn knows(&self, tap: &Tap) -> bool {
        self.resumed
            .as_ref()
            .is_some_and(|snapshot| tap.is_before(snapshot.layer))
    }

    /// Takes over residual stream and captured activations of `snapshot`. Borrowed rows are filled in at the end.
    pub(super) fn take_over(&mut self, snapshot: Snapshot, config: &Config) {
        for (tap, captured) in self.request.taps.iter().zip(&mut self.captured) {
            if let Some(known) = snapshot.captured_for(tap) {
                captured.clone_from(known);
            }
        }
        self.resid.resize(self.borrowed() * config.d_model, 0.0);
        // Piece by piece, so that each is freed as soon as it is copied.
        for piece in snapshot.resid {
            self.resid.extend_from_slice(&piece);
        }
    }
}
