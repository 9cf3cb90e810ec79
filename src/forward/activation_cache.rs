//! The activations that a pass keeps, so that later passes with edits or appended tokens need not start over.

use crate::model::Config;

/// Cached residual streams, queries, keys and values of a pass, from one layer on.
#[derive(Debug, Clone, Default)]
pub(crate) struct ActivationCache {
    first_layer: usize,
    /// `resid_pre` of each cached layer, and the residual stream after the last layer, `[rows, d_model]` each.
    resid_pre: Vec<Vec<f32>>,
    /// Queries, keys and values of each layer, `[rows, 3 * d_model]` each.
    qkv: Vec<Vec<f32>>,
}

impl ActivationCache {
    pub(crate) fn new(first_layer: usize) -> Self {
        Self {
            first_layer,
            ..Self::default()
        }
    }

    /// Caches the residual stream before `layer`. Does nothing if it is cached already: a layer whose first step was
    /// interrupted begins again.
    pub(crate) fn keep_resid(&mut self, layer: usize, resid: Vec<f32>) {
        if layer >= self.first_layer && !self.has(layer) {
            self.resid_pre.push(resid);
        }
    }

    /// Caches queries, keys and values of `layer`.
    pub(crate) fn keep_qkv(&mut self, layer: usize, qkv: Vec<f32>) {
        if layer >= self.first_layer {
            self.qkv.push(qkv);
        }
    }

    /// Whether the residual stream before `layer` is cached.
    pub(crate) fn has(&self, layer: usize) -> bool {
        layer
            .checked_sub(self.first_layer)
            .is_some_and(|index| index < self.resid_pre.len())
    }

    /// The residual stream before `layer` at `row`, `[d_model]`; empty where it is not cached.
    pub(crate) fn resid_pre(&self, layer: usize, row: usize, config: &Config) -> &[f32] {
        let kept = layer
            .checked_sub(self.first_layer)
            .and_then(|index| self.resid_pre.get(index));
        kept.and_then(|resid| resid.get(row * config.d_model..(row + 1) * config.d_model))
            .unwrap_or_default()
    }

    /// Queries, keys and values of `layer`, `[rows, 3 * d_model]`; empty where they are not cached.
    pub(crate) fn qkv(&self, layer: usize) -> &[f32] {
        let kept = layer
            .checked_sub(self.first_layer)
            .and_then(|index| self.qkv.get(index));
        kept.map_or(&[], Vec::as_slice)
    }
}
