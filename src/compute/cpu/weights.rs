//! A block's weights in the CPU engine.

use std::rc::Rc;

use super::products::Products;
use crate::compute::block::{AttentionInput, BlockRest};

/// A block in two parts: of the destination head's layer, only the first is needed.
pub(super) struct CpuBlock<P: Products> {
    pub(super) products: Rc<P>,
    /// `[d_model, 3 * d_model]`.
    pub(super) w_qkv: P::Matrix,
    pub(super) small: AttentionInput,
    /// None until it is needed.
    pub(super) rest: Option<Rest<P>>,
}

/// The second part.
pub(super) struct Rest<P: Products> {
    /// `[n_head * d_head, d_model]`.
    pub(super) w_o: P::Matrix,
    /// `[d_model, d_mlp]`.
    pub(super) w_in: P::Matrix,
    /// `[d_mlp, d_model]`.
    pub(super) w_out: P::Matrix,
    pub(super) small: BlockRest,
}
