//! A batch on its way through the model: its residual stream, what was asked for, what was captured.

use std::ops::Range;

use crate::error::Result;
use crate::forward::embedding::Embedding;
use crate::forward::{Components, PrefixTree, Readout};
use crate::model::Config;
use crate::names::Head;

/// Rows that go through a block at a time: bounds memory, and how long a cancel can take.
pub const CHUNK: usize = 512;

/// The same while weights are being read: what has arrived must not wait long.
pub(crate) const CHUNK_WHILE_LOADING: usize = 128;

/// What a pass captures on its way. Rows are those of its [`PrefixTree`].
#[derive(Debug, Clone, Default)]
pub struct Request {
    /// The output of one head, `z W_O` without b_O, at these rows.
    pub head_output: Option<(Head, Vec<usize>)>,
    /// Components of the residual stream, as a head reads them.
    pub readouts: Vec<Readout>,
    /// W_E rows of these tokens sent through layer 0 alone.
    pub layer_0_alone: Vec<u32>,
    /// Other tokens whose rows of W_E or columns of W_U are going to be asked for.
    pub other_tokens: Vec<u32>,
}

/// What a pass has captured.
#[derive(Debug, Clone, Default)]
pub struct Captured {
    /// `z W_O` of the requested head, `[rows, d_model]`.
    pub head_output: Vec<f32>,
    /// What every readout has captured, in the order of the request.
    pub components: Vec<Components>,
    /// Requested W_E rows through layer 0 alone.
    pub layer_0_alone: LayerZeroAlone,
}

/// Vectors sent through layer 0 alone, each attending only to itself.
///
/// Attention is the linear part: `ln1(x) W_V W_O` summed over heads, no biases. The MLP has its biases.
#[derive(Debug, Clone, Default)]
pub struct LayerZeroAlone {
    /// `x + attention + mlp_out`, `[tokens, d_model]`: W_EE.
    pub resid_post: Vec<f32>,
    /// Output of the MLP, `[tokens, d_model]`: W_EE_subE.
    pub mlp_out: Vec<f32>,
}

/// A batch on its way through the model.
pub struct Pass {
    /// Its positions, shared prefixes once.
    pub tree: PrefixTree,
    /// Residual stream, `[rows, d_model]`: resid_pre of the layer that comes next.
    pub resid: Vec<f32>,
    /// What is captured.
    pub request: Request,
    /// What has been captured.
    pub captured: Captured,
    /// Queries, keys and values of the current layer, `[rows, 3 * d_model]`, as far as computed.
    pub(crate) qkv: Vec<f32>,
    /// How far it is.
    pub(crate) place: Place,
}

/// How far a pass is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Place {
    /// Whether the residual stream holds the embedding, or more.
    pub(crate) begun: bool,
    /// Blocks that all rows have gone through.
    pub(crate) layers: usize,
    /// Rows that have gone through the next one.
    pub(crate) rows: usize,
}

impl Pass {
    /// A pass over `tree` that captures `request`.
    pub fn new(tree: PrefixTree, request: Request) -> Self {
        Self {
            tree,
            resid: Vec::new(),
            request,
            captured: Captured::default(),
            qkv: Vec::new(),
            place: Place::default(),
        }
    }

    /// The tokens whose embedding it needs.
    pub(crate) fn tokens(&self) -> impl Iterator<Item = u32> {
        let tree = (0..self.tree.len()).map(|row| self.tree.token(row));
        let asked = self.request.layer_0_alone.iter().chain(&self.request.other_tokens);
        tree.chain(asked.copied())
    }

    /// The residual stream at `row`, `[d_model]`.
    pub fn resid_at(&self, row: usize) -> &[f32] {
        let d_model = self.resid.len() / self.tree.len().max(1);
        &self.resid[row * d_model..][..d_model]
    }

    /// Starts over at the embedding.
    pub(crate) fn begin(&mut self, embedding: &Embedding, config: &Config) -> Result<()> {
        self.captured = Captured::default();
        self.qkv = Vec::new();
        self.place = Place {
            begun: true,
            ..Place::default()
        };
        self.resid = Vec::with_capacity(self.tree.len() * config.d_model);
        for row in 0..self.tree.len() {
            let w_e = embedding.w_e(self.tree.token(row))?;
            let w_pos = embedding.w_pos(self.tree.position(row))?;
            self.resid
                .extend(w_e.iter().zip(&w_pos).map(|(w_e, w_pos)| w_e + w_pos));
        }
        for readout in &self.request.readouts {
            let mut components = Components::new(readout, config.d_model);
            for &row in &readout.rows {
                components.w_e.extend(embedding.w_e(self.tree.token(row))?);
                components.w_pos.extend(embedding.w_pos(self.tree.position(row))?);
            }
            self.captured.components.push(components);
        }
        Ok(())
    }

    /// The next rows to go through a block, at most `most`.
    pub(crate) fn next_rows(&self, most: usize) -> Range<usize> {
        let start = self.place.rows;
        start..self.tree.len().min(start + most)
    }
}
