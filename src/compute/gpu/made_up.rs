//! A made-up block, the same on every engine.

use crate::compute::engine::{Block, Engine};
use crate::error::Result;
use crate::model::Config;
use crate::model::block::{AttentionInputWeights, BlockRestWeights};
use crate::model::layer_norm::{Affine, LayerNorm};

/// Numbers that look random, the same in every run.
pub(super) struct Numbers(u32);

impl Numbers {
    /// From the beginning.
    pub(super) fn new() -> Self {
        Self(1)
    }

    /// The next `count`, none further from 0 than `size`.
    pub(super) fn vector(&mut self, count: usize, size: f32) -> Vec<f32> {
        let one = |_| {
            self.0 = self.0.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (self.0 >> 8) as f32 / (1 << 23) as f32 * size - size
        };
        (0..count).map(one).collect()
    }

    fn norm(&mut self, d: usize) -> LayerNorm {
        LayerNorm {
            eps: 1e-5,
            affine: Some(Affine {
                weight: self.vector(d, 1.0),
                bias: self.vector(d, 0.1),
            }),
        }
    }
}

/// A block of a model of `config` on `engine`, its weights no larger than `size`.
///
/// # Errors
/// Those of [`Engine::take`].
pub(super) fn block(engine: &dyn Engine, config: &Config, size: f32, numbers: &mut Numbers) -> Result<Box<dyn Block>> {
    let (d, d_mlp) = (config.d_model, config.d_mlp);
    let mut block = engine.take(AttentionInputWeights {
        ln_1: numbers.norm(d),
        w_qkv: numbers.vector(3 * d * d, size),
        b_qkv: numbers.vector(3 * d, size),
        folded_b_v: None,
    })?;
    block.take_rest(BlockRestWeights {
        w_o: numbers.vector(d * d, size),
        b_o: numbers.vector(d, size),
        ln_2: numbers.norm(d),
        w_in: numbers.vector(d * d_mlp, size),
        b_in: numbers.vector(d_mlp, size),
        w_out: numbers.vector(d_mlp * d, size),
        b_out: numbers.vector(d, size),
    })?;
    Ok(block)
}
