//! The interface of compute engines: an engine takes a block's weights once, then computes rows with taps and edits.

use std::any::Any;
use std::ops::Range;

use futures::future::LocalBoxFuture;

use crate::compute::block::{AttentionInput, BlockRest};
use crate::compute::rows::{Edit, LayersTaps, Rows, Taps};
use crate::error::Result;
use crate::model::Config;
use crate::model::block::{AttentionInputWeights, BlockRestWeights, size_in_memory};
use crate::names::EngineName;

/// Computes blocks.
///
/// All engines agree within 1e-4; `contract.rs` tests each of them.
pub(crate) trait Engine {
    /// The name of the engine.
    fn name(&self) -> EngineName;

    /// Number of threads; 1 where the engine does not decide it.
    fn threads(&self) -> usize;

    /// Name of the GPU that it computes on; None for engines on the CPU.
    fn device(&self) -> Option<String> {
        None
    }

    /// Bytes that a whole block of a model of `config` takes in its memory.
    fn block_bytes(&self, config: &Config) -> u64 {
        size_in_memory(config)
    }

    /// Number of rows to compute at a time, where other engines get at most `most`.
    fn rows_at_once(&self, _config: &Config, most: usize) -> usize {
        most
    }

    /// This engine as [`Several`], if it computes several blocks faster than one after the other.
    fn several(&self) -> Option<&dyn Several> {
        None
    }

    /// Takes over the weights of a block's first part. The engine holds the only copy.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Request`] where there is no room for it.
    fn take(&self, weights: AttentionInputWeights) -> Result<Box<dyn Block>>;
}

/// Takes rows through several blocks. Between the blocks the rows stay in the memory of the engine.
pub(crate) trait Several {
    /// How many of the blocks of a model of `config` so many rows may go through at once, of a tree of which `end` rows are there; 0 where there
    /// is no room for that.
    fn blocks_at_once(&self, config: &Config, rows: usize, end: usize) -> usize;

    /// Takes `rows`, of which nothing is edited, through the blocks of `stages`, at least through the first. For each one that they have gone
    /// through it gives what is asked for; `resid [tree's rows, d_model]` is what goes on from the last of them. Nothing has changed where it
    /// fails, or is given up.
    ///
    /// # Errors
    /// As [`Block::forward`], and [`crate::ErrorKind::Internal`] for the block of another engine.
    fn through<'a>(
        &'a self,
        config: &'a Config,
        stages: &'a [Stage<'a>],
        rows: &'a Rows<'a>,
        resid: &'a mut [f32],
        taps: &'a mut dyn LayersTaps,
    ) -> LocalBoxFuture<'a, Result<Vec<Passed>>>;
}

/// One of the blocks that rows go through together.
pub(crate) struct Stage<'a> {
    pub(crate) block: &'a (dyn Block + 'static),
    pub(crate) layer: usize,
    /// Queries, keys and values of all rows before, `[rows, 3 * d_model]`.
    pub(crate) known: Vec<f32>,
    /// Whether what enters the block is asked for.
    pub(crate) resid: bool,
    /// The rows whose queries, keys and values are asked for, ascending.
    pub(crate) qkv_of: Vec<usize>,
}

/// What is given of a [`Stage`], as far as it was asked for.
pub(crate) struct Passed {
    /// What has entered the block, `[rows, d_model]`.
    pub(crate) resid: Vec<f32>,
    /// `[qkv_of, 3 * d_model]`.
    pub(crate) qkv: Vec<f32>,
}

/// A block's weights as an engine holds them. Its memory is free when it is dropped.
pub(crate) trait Block: Any {
    /// What is asked of the first part apart from products.
    fn input(&self) -> &AttentionInput;

    /// The small weights of the second part; None until it is taken.
    fn rest(&self) -> Option<&BlockRest>;

    /// Takes over the weights of the second part.
    ///
    /// # Errors
    /// As [`Engine::take`].
    fn take_rest(&mut self, weights: BlockRestWeights) -> Result<()>;

    /// Takes `rows` through the block, see [`Step`].
    ///
    /// On the CPU, the future is ready at its first poll. It must be polled to completion: in between, the state of the
    /// rows is undefined.
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

    /// The effective embedding: `x [rows, d_model]` through the block, each row attending only to itself: `x + ln1(x)
    /// W_V W_O` summed over heads, without biases, then the MLP with its biases. Returns the sum, and the output of the
    /// MLP.
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
    /// [`crate::ErrorKind::Internal`] for a part that does not exist.
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

/// The computation of rows in one block.
pub(crate) struct Step<'a> {
    pub(crate) config: &'a Config,
    pub(crate) layer: usize,
    /// Edits of this layer.
    pub(crate) edits: &'a [Edit],
    /// Queries, keys and values of the rows before edits, `[rows, 3 * d_model]`, if they are known.
    pub(crate) known_qkv: Option<&'a [f32]>,
    /// Whether only queries, keys and values are needed: the residual stream is left unchanged.
    pub(crate) keys_only: bool,
}

/// The state passed from block to block and from row to row.
pub(crate) struct Stream<'a> {
    /// The residual stream of all rows of the tree, `[tree's rows, d_model]`, updated in place.
    pub(crate) resid: &'a mut [f32],
    /// Queries, keys and values of all preceding rows; those of the rows are appended.
    pub(crate) qkv: &'a mut Vec<f32>,
}
