//! The residual streams of the last run, kept so that a run about another head need not compute them again.

use crate::forward::{Model, Pass, Snapshot};
use crate::model::Processing;
use crate::names::EngineName;

/// Limit of the bytes that are kept. The notebook's run takes 48 MB with GPT-2 small, and 64 MB with GPT-2 medium.
const BUDGET: usize = if cfg!(target_arch = "wasm32") {
    80 << 20
} else {
    1 << 30
};

/// What the last run with a model has computed before the layer of its head: the next run over the same prompts goes on
/// from there, see [`analyze_next`](crate::analysis::analyze_next).
#[derive(Default)]
pub struct RunCache {
    of: Option<RunKey>,
    /// By batch; None for those that are not kept.
    batches: Vec<Option<Snapshot>>,
}

/// What the residual streams of a run depend on.
#[derive(PartialEq)]
pub(crate) struct RunKey {
    processing: Processing,
    /// Engines differ by rounding.
    engine: (EngineName, Option<String>),
    /// The tokens of all prompts up to the destination, by batch.
    batches: Vec<Vec<Vec<u32>>>,
}

impl RunKey {
    /// Of a run of `model` over `batches` of sequences.
    pub(crate) fn new(model: &Model, batches: &[Vec<&[u32]>]) -> Self {
        let owned = |sequences: &Vec<&[u32]>| sequences.iter().map(|tokens| tokens.to_vec()).collect();
        Self {
            processing: model.processing(),
            engine: (model.engine(), model.device()),
            batches: batches.iter().map(owned).collect(),
        }
    }
}

/// What a run need not compute.
pub(crate) struct Resumed {
    /// The block with which all batches but the first go on.
    pub(crate) layer: usize,
    /// The number of steps (a row through a block) before it.
    pub(crate) steps: usize,
}

impl RunCache {
    /// Lets all of `passes` but the first go on with what is kept, if that is of a run `of` the same and has all that they
    /// capture; the first one's heatmaps take what every component writes, which is not kept. The cache is empty then.
    pub(crate) fn resume(&mut self, of: &RunKey, passes: &mut [Pass], layers: usize) -> Option<Resumed> {
        let batches = std::mem::take(&mut self.batches);
        if self.of.take().as_ref() != Some(of) {
            return None;
        }
        let snapshots: Vec<Snapshot> = batches.into_iter().skip(1).collect::<Option<_>>()?;
        // All or none: one that begins at the embedding would have nobody to borrow rows from in the first layers.
        let mut pairs = passes.iter().skip(1).zip(&snapshots);
        if !pairs.all(|(pass, snapshot)| pass.can_resume(snapshot, layers)) {
            return None;
        }
        let layer = snapshots.first()?.layer();
        let rows: usize = passes.iter().skip(1).map(Pass::computed_rows).sum();
        for (pass, snapshot) in passes.iter_mut().skip(1).zip(snapshots) {
            pass.resume(snapshot);
        }
        Some(Resumed {
            layer,
            steps: rows * layer,
        })
    }

    /// Prepares to keep what a run `of` this leaves, if there is room for the residual streams of `passes`, of `d_model`
    /// numbers a row.
    pub(crate) fn prepare(&mut self, of: RunKey, passes: &[Pass], d_model: usize) {
        let rows: usize = passes.iter().skip(1).map(Pass::computed_rows).sum();
        if rows * d_model * size_of::<f32>() <= BUDGET {
            self.of = Some(of);
            self.batches = passes.iter().map(|_| None).collect();
        }
    }

    /// Keeps what the finished `pass` of batch `index` leaves before layer `layer`, where all `layers` blocks were computed.
    pub(crate) fn keep(&mut self, index: usize, mut pass: Pass, (layer, layers): (usize, usize)) {
        let Some(place) = self.batches.get_mut(index).filter(|_| index > 0) else {
            return;
        };
        let resid = if layers > layer {
            // The first tap of a run that goes on after its head: see `Run::ask`.
            pass.captured
                .first_mut()
                .map(|captured| std::mem::take(&mut captured.values))
        } else {
            Some(std::mem::take(&mut pass.resid))
        };
        *place = resid.map(|resid| pass.into_snapshot(layer, resid));
    }
}
