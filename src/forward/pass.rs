//! A batch on its way through the model: its residual stream, its requested activations, and those captured so far.

mod continued;
mod edited;
mod resumed;
mod several;
mod sharing;
mod skipped;

pub(crate) use sharing::relay;

use std::ops::Range;
use std::rc::Rc;

use crate::compute::engine::{Block, Step, Stream};
use crate::compute::rows::Rows;
use crate::error::{Error, ErrorKind, Result};
use crate::forward::activation_cache::ActivationCache;
use crate::forward::edit;
use crate::forward::embedding::Embedding;
use crate::forward::shared_prefixes::SharedPrefixes;
use crate::forward::snapshot::Snapshot;
use crate::forward::tap::{self, LayerTaps};
use crate::forward::{Captured, PrefixTree, Tap};
use crate::model::Config;
use crate::model::layer_norm::LayerNorm;
use crate::names::HookPoint;

/// Number of rows that go through a block at a time. Bounds the memory, and the time until a cancellation takes effect.
pub const CHUNK: usize = 512;

/// The same while weights are being read: smaller, so that arriving data is handled soon.
pub(crate) const CHUNK_WHILE_LOADING: usize = 128;

/// The activations that a pass captures and caches. Rows are those of its [`PrefixTree`].
#[derive(Clone, Default)]
pub struct Request {
    /// What to capture.
    pub taps: Vec<Tap>,
    /// The first layer to cache, so that sequences can be edited from this layer on (see [`Pass::edited`]); None to
    /// cache nothing.
    pub keep_from: Option<usize>,
    /// Further tokens whose rows of W_E or columns of W_U will be needed.
    pub other_tokens: Vec<u32>,
}

impl Request {
    /// Captures `taps`.
    pub fn of(taps: Vec<Tap>) -> Self {
        Self {
            taps,
            ..Self::default()
        }
    }
}

/// A batch on its way through the model.
pub struct Pass {
    /// The positions, with shared prefixes merged.
    pub tree: PrefixTree,
    /// Residual stream, `[rows, d_model]`: `resid_pre` of the next layer.
    pub resid: Vec<f32>,
    /// The activations to capture.
    pub request: Request,
    /// The captured activations, in the order of the request's taps.
    pub captured: Vec<Captured>,
    /// Queries, keys and values of the current layer, `[rows, 3 * d_model]`, as far as computed.
    qkv: Vec<f32>,
    /// Progress of the pass.
    pub(crate) progress: PassProgress,
    kept: Rc<ActivationCache>,
    edited: Option<Edited>,
    continued: Option<Continued>,
    /// What it begins with in place of the embedding.
    resumed: Option<Snapshot>,
    /// Rows shared with other passes.
    common: Option<SharedPrefixes>,
}

/// Additional data of a pass that continues another one with more tokens.
struct Continued {
    /// Activation cache of the original pass.
    base: Rc<ActivationCache>,
    /// Number of rows in common.
    shared: usize,
}

/// Additional data of a pass over edited sequences.
struct Edited {
    /// Activation cache of the original pass.
    base: Rc<ActivationCache>,
    /// Number of rows that are unchanged in `base`.
    unchanged: usize,
    /// For each recomputed row, the row that it copies and its first recomputed layer; ascending by layer.
    copied: Vec<(usize, usize)>,
    /// The first recomputed row that is read after the last layer. Of earlier ones only keys and values are computed
    /// there.
    read_from: usize,
    edits: Vec<(usize, edit::Edit)>,
}

/// Progress of a pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct PassProgress {
    /// Whether the residual stream is initialized.
    pub(crate) begun: bool,
    /// The first block that it goes through.
    pub(crate) first: usize,
    /// Number of blocks that all rows have gone through.
    pub(crate) layers: usize,
    /// The first row that has not gone through the next block.
    pub(crate) row: usize,
}

impl Pass {
    /// A pass over `tree` that captures `request`.
    pub fn new(tree: PrefixTree, request: Request) -> Self {
        Self {
            tree,
            resid: Vec::new(),
            request,
            captured: Vec::new(),
            qkv: Vec::new(),
            progress: PassProgress::default(),
            kept: Rc::default(),
            edited: None,
            continued: None,
            resumed: None,
            common: None,
        }
    }

    /// The tokens whose embeddings it needs. None for an edited pass, which starts from cached activations.
    pub(crate) fn tokens(&self) -> impl Iterator<Item = u32> {
        let rows = if self.edited.is_some() { 0 } else { self.tree.len() };
        let tree = (0..rows).map(|row| self.tree.token(row));
        tree.chain(self.request.other_tokens.iter().copied())
    }

    /// The residual stream at `row`, `[d_model]`.
    pub fn resid_at(&self, row: usize) -> &[f32] {
        let d_model = self.resid.len() / self.tree.len().max(1);
        &self.resid[row * d_model..][..d_model]
    }

    /// Whether `layer` is cached. Edited passes cache nothing, because their rows begin at different layers.
    fn keeps(&self, layer: usize) -> bool {
        self.request.keep_from.is_some_and(|from| from <= layer) && self.edited.is_none()
    }

    /// The first of `layers` blocks that it goes through.
    pub(crate) fn first_layer(&self, layers: usize) -> usize {
        match &self.edited {
            Some(edited) => edited.copied.first().map_or(layers, |(_, from_layer)| *from_layer),
            None => self.resumed.as_ref().map_or(0, Snapshot::layer),
        }
    }

    /// The rows that go through block `layer`.
    fn rows_of(&self, layer: usize) -> Range<usize> {
        match &self.edited {
            Some(edited) => {
                let started = edited.copied.partition_point(|(_, from_layer)| *from_layer <= layer);
                edited.unchanged..edited.unchanged + started
            }
            None => self.shared()..self.tree.len(),
        }
    }

    /// Starts from the beginning: from the embedding, the cached activations of the original pass, or what an earlier one
    /// has left. The pass will go through `layers` blocks.
    pub(crate) fn begin(&mut self, embedding: &Embedding, config: &Config, layers: usize) -> Result<()> {
        let known = self.edited.as_ref().map_or(self.shared(), |edited| edited.unchanged);
        let computed = known..self.tree.len();
        // Borrowed rows are captured by the passes that compute them.
        let captured = known - self.borrowed()..self.tree.len();
        tap::check(&self.request.taps, config, layers, &captured)?;
        self.check_read(layers)?;
        if self.borrowed() > 0 && self.request.keep_from.is_some() {
            return Err(
                Error::new(ErrorKind::Request, "a pass that borrows rows can't keep its layers")
                    .expected("one that computes all its rows"),
            );
        }
        let taps = self.request.taps.iter();
        self.captured = taps.map(|tap| Captured::new(tap, &self.tree, config)).collect();
        self.qkv = Vec::new();
        self.kept = Rc::new(
            self.request
                .keep_from
                .map_or_else(|| ActivationCache::new(usize::MAX), ActivationCache::new),
        );
        self.progress = PassProgress {
            begun: true,
            first: self.first_layer(layers),
            layers: self.first_layer(layers),
            row: computed.start,
        };
        self.resid = Vec::with_capacity(self.tree.len() * config.d_model);
        match (&self.edited, self.resumed.take()) {
            (None, Some(snapshot)) => self.take_over(snapshot, config),
            (Some(edited), _) => {
                let unchanged = (0..edited.unchanged).map(|row| (row, config.n_layer));
                for (row, layer) in unchanged.chain(edited.copied.iter().copied()) {
                    self.resid.extend_from_slice(edited.base.resid_pre(layer, row, config));
                }
            }
            (None, None) => {
                if let Some(Continued { base, shared }) = &self.continued {
                    (0..*shared).for_each(|row| {
                        self.resid
                            .extend_from_slice(base.resid_pre(config.n_layer, row, config))
                    });
                }
                // Borrowed rows are filled in at the end.
                self.resid.resize(known * config.d_model, 0.0);
                for row in known..self.tree.len() {
                    let w_e = embedding.w_e(self.tree.token(row))?;
                    let w_pos = embedding.w_pos(self.tree.position(row))?;
                    self.resid
                        .extend(w_e.iter().zip(&w_pos).map(|(w_e, w_pos)| w_e + w_pos));
                }
            }
        }
        if self.progress.layers >= layers {
            self.finish(config, layers)?;
        }
        Ok(())
    }

    /// Takes at most `most` of the next rows through the next one of `layers` blocks. Returns how many.
    pub(crate) async fn step(
        &mut self,
        block: &dyn Block,
        config: &Config,
        most: usize,
        layers: usize,
    ) -> Result<usize> {
        let layer = self.progress.layers;
        let of_layer = self.rows_of(layer);
        if self.progress.row == of_layer.start {
            self.begin_layer(layer, config);
        }
        let range = self.progress.row..self.end_of_step(&of_layer, most, layers);
        let edits = self.edits_in(layer, &range);
        let known_qkv = self.known_qkv(layer, &range, config);
        let step = Step {
            config,
            layer,
            edits: &edits,
            known_qkv: known_qkv.as_deref(),
            keys_only: layer + 1 == layers && range.end <= self.read_from(),
        };
        let rows = Rows {
            range: range.clone(),
            parents: self.tree.parents(),
        };
        let mut taps = LayerTaps::new(layer, config, &self.request.taps, &mut self.captured);
        let stream = Stream {
            resid: &mut self.resid,
            qkv: &mut self.qkv,
        };
        // Empty where other passes compute all rows: prompts that stand in earlier batches, too.
        if !range.is_empty() {
            block.forward(&step, &rows, stream, &mut taps).await?;
        }
        self.progress.row = range.end;
        if range.end == of_layer.end {
            let qkv = std::mem::take(&mut self.qkv);
            if let Some(common) = &self.common {
                common.lend_qkv_of_all(layer, config.d_model, (0, &qkv));
            }
            if self.keeps(layer) {
                Rc::make_mut(&mut self.kept).keep_qkv(layer, qkv);
            }
            self.end_layer(config, layers)?;
        }
        Ok(range.len())
    }

    /// Moves on to the next layer after all rows have gone through a block; `layers` is the number of blocks of the pass.
    fn end_layer(&mut self, config: &Config, layers: usize) -> Result<()> {
        self.progress.layers += 1;
        self.progress.row = self.rows_of(self.progress.layers).start;
        if self.progress.layers >= layers {
            self.finish(config, layers)
        } else {
            Ok(())
        }
    }

    /// Allocates queries, keys and values of block `layer`, and fills in those that are known from the cache.
    fn begin_layer(&mut self, layer: usize, config: &Config) {
        if self.keeps(layer) {
            let resid = self.resid_to_keep(layer, (0, &[]), config);
            Rc::make_mut(&mut self.kept).keep_resid(layer, resid);
        }
        self.qkv = self.known_rows(layer, config);
        let all = self.tree.len() * 3 * config.d_model;
        self.qkv.reserve_exact(all.saturating_sub(self.qkv.len()));
    }

    /// Completes the pass after all rows have gone through all `layers` blocks.
    fn finish(&mut self, config: &Config, layers: usize) -> Result<()> {
        if let Some(common) = &self.common {
            common.exchange_resid(config.d_model, &mut self.resid);
            common.take_captured(&mut self.captured);
        }
        if self.keeps(layers) {
            let resid = self.resid_to_keep(layers, (0, &[]), config);
            Rc::make_mut(&mut self.kept).keep_resid(layers, resid);
        }
        let rows: Vec<usize> = self.rows_of(layers).collect();
        let asked = |tap: &Tap| tap.point == HookPoint::LnFinalScale;
        if layers == config.n_layer && self.request.taps.iter().any(asked) {
            let scales = self.final_scales(&rows, config);
            tap::give_final_scales(&self.request.taps, &mut self.captured, &rows, &scales)?;
        }
        if layers == config.n_layer {
            // Everything needed has been copied, so that the original pass can be dropped.
            self.continued = None;
        }
        Ok(())
    }

    /// The scales of the final LayerNorm at `rows`. The residual stream must be that after the last layer.
    pub(crate) fn final_scales(&self, rows: &[usize], config: &Config) -> Vec<f32> {
        let ln_final = LayerNorm {
            eps: config.layer_norm_epsilon,
            affine: None,
        };
        let scale = |&row: &usize| {
            let edits = self.edited.iter().flat_map(|edited| &edited.edits);
            let edit = edits
                .rev()
                .find(|(edited_row, edit)| *edited_row == row && edit.point == HookPoint::LnFinalScale);
            match edit {
                Some((_, edit)) => edit.value.first().copied().unwrap_or_default(),
                None => ln_final
                    .normalize(self.resid_at(row), config.d_model)
                    .1
                    .first()
                    .copied()
                    .unwrap_or_default(),
            }
        };
        rows.iter().map(scale).collect()
    }
}
