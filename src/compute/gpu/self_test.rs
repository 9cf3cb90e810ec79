//! A test that a GPU computes the same as the CPU, since some drivers compute wrong results.

use std::rc::Rc;
use std::sync::OnceLock;

use super::device::{GpuDevice, GpuInfo};
use super::engine::Gpu;
use super::made_up::{Numbers, block};
use crate::compute::cpu::{Cpu, Gemm};
use crate::compute::engine::{Engine, Step, Stream};
use crate::compute::rows::{NoTaps, Rows};
use crate::error::{Error, ErrorKind, Result};
use crate::model::Config;

/// Number of rows and width of the test block: products of 64 x 64 x 64.
const SIZE: usize = 64;
const HEADS: usize = 2;
/// Largest difference, relative to the largest number.
const TOLERANCE: f32 = 1e-5;

impl GpuDevice {
    /// A GPU whose results are the CPU's: one that is `asked` for by name, or else a hardware adapter. None where nobody asked, and there is
    /// none, or only a software adapter. `known_as`: see [`GpuDevice::open_as`].
    ///
    /// # Errors
    /// [`ErrorKind::Engine`] for a GPU that computes something else, and those of [`GpuDevice::open`] where one was asked for.
    pub async fn tested(asked: bool, known_as: Option<String>) -> Result<Option<Rc<Self>>> {
        /// Whether there is a real one, once that is known: to look costs a tenth of a second.
        static IS_REAL: OnceLock<bool> = OnceLock::new();
        if !asked && IS_REAL.get() == Some(&false) {
            return Ok(None);
        }
        let opened = Self::open_as(known_as).await;
        let is_real = opened.as_ref().is_ok_and(|device| !device.info().is_software);
        let is_real = *IS_REAL.get_or_init(|| is_real);
        if !asked && !is_real {
            return Ok(None);
        }
        let device = opened?;
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
    check(device.info(), &found, &expected)
}

/// Checks what the GPU called so has `found`.
///
/// # Errors
/// [`ErrorKind::Engine`], naming it, where that is something else than `expected`.
fn check(device: &GpuInfo, found: &[f32], expected: &[f32]) -> Result<()> {
    let largest = expected.iter().fold(0f32, |most, v| most.max(v.abs()));
    let off = found
        .iter()
        .zip(expected)
        .map(|(found, expected)| (found - expected).abs());
    // NaN must count as a difference.
    let is_near = |off: f32| off <= TOLERANCE * largest;
    if off.clone().all(is_near) && found.len() == expected.len() {
        return Ok(());
    }
    let most = off.fold(0f32, |most, off| if off <= most { most } else { off });
    let cause = format!("the GPU {device} computes something else than the CPU ({most:e} off)");
    Err(Error::new(ErrorKind::Engine, cause).advice("Choose another engine."))
}

/// The residual stream after a block, then its queries, keys and values.
async fn through(engine: &dyn Engine) -> Result<Vec<f32>> {
    let config = Config {
        n_layer: 1,
        n_head: HEADS,
        d_model: SIZE,
        d_mlp: 4 * SIZE,
        ..Config::default()
    };
    let mut numbers = Numbers::new();
    let block = block(engine, &config, 0.2, &mut numbers)?;
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
    let (mut resid, mut qkv) = (numbers.vector(SIZE * SIZE, 2.0), Vec::new());
    let stream = Stream {
        resid: &mut resid,
        qkv: &mut qkv,
    };
    block.forward(&step, &rows, stream, &mut NoTaps).await?;
    resid.extend(qkv);
    Ok(resid)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gpu_that_is_wrong_is_named() {
        let info = GpuInfo {
            name: "Abacus 9000".to_owned(),
            is_software: true,
        };
        let expected = [1.0, -2.0, 3.0];
        assert!(check(&info, &expected, &expected).is_ok());
        assert!(check(&info, &[1.000_01, -2.0, 3.0], &expected).is_ok());
        for found in [&[1.0, -2.0, 3.01][..], &[1.0, f32::NAN, 3.0], &[1.0, -2.0]] {
            let error = check(&info, found, &expected).unwrap_err();
            assert_eq!(error.kind, ErrorKind::Engine);
            assert!(error.cause.contains("GPU Abacus 9000 (software) computes"), "{error}");
        }
    }
}
