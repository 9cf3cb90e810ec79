//! What an engine is: it takes a block's weights once, then rows with taps and edits, and gives back what was tapped.

use std::ops::Range;

use futures::future::LocalBoxFuture;

use crate::compute::block::{AttentionInput, BlockRest};
use crate::compute::rows::{Edit, Rows, Taps};
use crate::error::Result;
use crate::model::Config;
use crate::model::block::{AttentionInputWeights, BlockRestWeights};
use crate::names::EngineName;

/// Computes blocks.
///
/// What it computes agrees with every other engine within 1e-4; `tests/engines.rs` holds each to the same contract.
pub(crate) trait Engine {
    /// Which one it is.
    fn name(&self) -> EngineName;

    /// How many threads share its work, where it says that itself; 1 where the number is the surroundings'.
    fn threads(&self) -> usize;

    /// Takes over the weights of a block's first part: an engine's copy is the only one.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Request`] where there is no room for it.
    fn take(&self, weights: AttentionInputWeights) -> Result<Box<dyn Block>>;
}

/// A block's weights as an engine holds them. Its memory is free when it is dropped.
pub(crate) trait Block {
    /// What is asked of the first part apart from products.
    fn input(&self) -> &AttentionInput;

    /// The same of the second part; None while it has not been taken over.
    fn rest(&self) -> Option<&BlockRest>;

    /// Takes over the weights of the second part.
    ///
    /// # Errors
    /// As [`Engine::take`].
    fn take_rest(&mut self, weights: BlockRestWeights) -> Result<()>;

    /// Takes `rows` through the block, see [`Step`].
    ///
    /// Where the engine computes on the processor the future ends when it is first polled. It must be polled to its end: half-way, the
    /// rows are neither what they were nor what they are going to be.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Internal`] where the second part is not there, errors of `taps`.
    fn forward<'a>(
        &'a self,
        step: &'a Step<'a>,
        rows: &'a Rows<'a>,
        stream: Stream<'a>,
        taps: &'a mut dyn Taps,
    ) -> LocalBoxFuture<'a, Result<()>>;

    /// `x [rows, d_model]` through the block alone, each row attending to itself: `x + ln1(x) W_V W_O` summed over heads,
    /// without biases, then the MLP with its biases. The sum, and what the MLP writes.
    ///
    /// # Errors
    /// As [`Block::forward`].
    fn effective_embedding<'a>(
        &'a self,
        config: &'a Config,
        x: Vec<f32>,
    ) -> LocalBoxFuture<'a, Result<(Vec<f32>, Vec<f32>)>>;

    /// The elements of `matrix` in `rows` and `columns`, in row order.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Internal`] for a part that is not there.
    fn read(
        &self,
        matrix: BlockMatrix,
        rows: Range<usize>,
        columns: Range<usize>,
    ) -> LocalBoxFuture<'_, Result<Vec<f32>>>;
}

/// The matrices of a block, `[in, out]`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum BlockMatrix {
    /// W_Q, W_K and W_V side by side, `[d_model, 3 * d_model]`.
    Qkv,
    /// `[n_head * d_head, d_model]`.
    O,
    /// `[d_mlp, d_model]`.
    Out,
}

/// What is done with rows in one block.
pub(crate) struct Step<'a> {
    pub(crate) config: &'a Config,
    pub(crate) layer: usize,
    /// Edits of this layer.
    pub(crate) edits: &'a [Edit],
    /// Queries, keys and values of the rows before edits, `[rows, 3 * d_model]`, where they are known.
    pub(crate) known_qkv: Option<&'a [f32]>,
    /// Whether only queries, keys and values are asked for: the residual stream stays what enters the block.
    pub(crate) keys_only: bool,
}

/// What goes on from block to block, and what rows leave for later ones.
pub(crate) struct Stream<'a> {
    /// The residual stream of all rows of the tree, `[tree's rows, d_model]`, changed in place.
    pub(crate) resid: &'a mut [f32],
    /// Queries, keys and values of all rows before, to which those of the rows are appended.
    pub(crate) qkv: &'a mut Vec<f32>,
}
