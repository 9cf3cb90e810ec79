//! A test that a GPU computes the same as the CPU, since some drivers compute wrong results.

use std::rc::Rc;
use std::sync::OnceLock;

use super::device::GpuDevice;
use super::engine::Gpu;
use crate::compute::cpu::{Cpu, Gemm};
use crate::compute::engine::{Block, Engine, Step, Stream};
use crate::compute::rows::{NoTaps, Rows};
use crate::error::{Error, ErrorKind, Result};
use crate::model::Config;
use crate::model::block::{AttentionInputWeights, BlockRestWeights};
use crate::model::layer_norm::{Affine, LayerNorm};

/// Number of rows and width of the test block: products of 64 x 64 x 64.
const SIZE: usize = 64;
const HEADS: usize = 2;
/// Largest difference, relative to the largest number.
const TOLERANCE: f32 = 1e-5;

impl GpuDevice {
    /// Opens a GPU and tests that it agrees with the CPU. Where it is not requested by name (`asked`), returns None for
    /// software emulation.
    ///
    /// # Errors
    /// Those of [`GpuDevice::open`], and [`ErrorKind::Engine`] for a GPU that computes something else.
    pub async fn tested(asked: bool) -> Result<Option<Rc<Self>>> {
        /// Whether there is a hardware GPU, once that is known: detection takes a tenth of a second.
        static IS_REAL: OnceLock<bool> = OnceLock::new();
        if !asked && IS_REAL.get() == Some(&false) {
            return Ok(None);
        }
        let opened = Self::open().await;
        let is_real = opened.as_ref().is_ok_and(|device| !device.info().is_software);
        let is_real = *IS_REAL.get_or_init(|| is_real);
        let device = opened?;
        if !asked && !is_real {
            return Ok(None);
        }
        agrees(&device).await?;
        Ok(Some(device))
    }
}

/// Runs test rows through a test block on `device` and on the CPU, and compares.
///
/// # Errors
/// [`ErrorKind::Engine`] where they differ, or the GPU fails.
async fn agrees(device: &Rc<GpuDevice>) -> Result<()> {
    let expected = through(&Cpu::new(Gemm)).await?;
    let found = through(&Gpu::new(Rc::clone(device))).await?;
    let largest = expected.iter().fold(0f32, |most, v| most.max(v.abs()));
    let off = found
        .iter()
        .zip(&expected)
        .map(|(found, expected)| (found - expected).abs());
    // NaN must count as a difference.
    let is_near = |off: f32| off <= TOLERANCE * largest;
    match off.clone().all(is_near) && found.len() == expected.len() {
        true => Ok(()),
        false => {
            let most = off.fold(0f32, f32::max);
            let cause = format!(
                "{} computes something else than the processor ({most:e} off)",
                device.info().name
            );
            Err(Error::new(ErrorKind::Engine, cause).advice("Choose another engine."))
        }
    }
}

/// The residual stream after a block, then its queries, keys and values.
async fn through(engine: &dyn Engine) -> Result<Vec<f32>> {
    let mut next = 1u32;
    let mut numbers = |count: usize, size: f32| -> Vec<f32> {
        let one = |_| {
            next = next.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (next >> 8) as f32 / (1 << 23) as f32 * size - size
        };
        (0..count).map(one).collect()
    };
    let (d, d_mlp) = (SIZE, 4 * SIZE);
    let config = Config {
        n_layer: 1,
        n_head: HEADS,
        d_model: d,
        d_mlp,
        ..Config::default()
    };
    let mut norm = || LayerNorm {
        eps: 1e-5,
        affine: Some(Affine {
            weight: numbers(d, 1.0),
            bias: numbers(d, 0.1),
        }),
    };
    let (ln_1, ln_2) = (norm(), norm());
    let mut block: Box<dyn Block> = engine.take(AttentionInputWeights {
        ln_1,
        w_qkv: numbers(3 * d * d, 0.2),
        b_qkv: numbers(3 * d, 0.2),
        folded_b_v: None,
    })?;
    block.take_rest(BlockRestWeights {
        w_o: numbers(d * d, 0.2),
        b_o: numbers(d, 0.2),
        ln_2,
        w_in: numbers(d * d_mlp, 0.2),
        b_in: numbers(d_mlp, 0.2),
        w_out: numbers(d_mlp * d, 0.2),
        b_out: numbers(d, 0.2),
    })?;
    let parents: Vec<Option<usize>> = (0..SIZE).map(|row| row.checked_sub(1)).collect();
    let rows = Rows {
        range: 0..SIZE,
        parents: &parents,
    };
    let step = Step {
        config: &config,
        layer: 0,
        edits: &[],
        known_qkv: None,
        keys_only: false,
    };
    let (mut resid, mut qkv) = (numbers(SIZE * d, 2.0), Vec::new());
    let stream = Stream {
        resid: &mut resid,
        qkv: &mut qkv,
    };
    block.forward(&step, &rows, stream, &mut NoTaps).await?;
    resid.extend(qkv);
    Ok(resid)
}
