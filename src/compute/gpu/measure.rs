//! The speed of a GPU, and of the CPU beside it, for the benchmark.

use std::rc::Rc;

use web_time::Instant;

use super::device::GpuDevice;
use super::engine::Gpu;
use super::made_up::{Numbers, block};
use super::matrix::{Matrix, bias};
use super::upload::{padded, stride_of};
use super::work::{Epilogue, Work};
use crate::compute::cpu::{Cpu, Gemm};
use crate::compute::engine::{Engine, Stage, Step, Stream};
use crate::compute::rows::{LayersTaps, NoTaps, Rows, Taps};
use crate::compute::tensor;
use crate::error::Result;
use crate::model::Config;

/// Products that one piece of work has room for.
const PRODUCTS: usize = 64;

/// How long something is measured.
#[derive(Debug, Clone, Copy)]
pub struct MeasureLimits {
    /// Rounds, of which the best counts; one more warms up.
    pub rounds: usize,
    /// Seconds after which no further round begins.
    pub seconds: f64,
}

impl MeasureLimits {
    /// The least time that `round` says it took, of as many as `self` allows: two at least, as the first one warms up.
    async fn least(&self, mut round: impl AsyncFnMut() -> Result<f64>) -> Result<f64> {
        let begun = Instant::now();
        round().await?;
        let mut least = round().await?;
        for _ in 1..self.rounds {
            if begun.elapsed().as_secs_f64() > self.seconds {
                break;
            }
            least = least.min(round().await?);
        }
        Ok(least)
    }
}

/// Measures a GPU, or the gemm crate on the CPU.
pub struct GpuBenchmark {
    gpu: Option<Rc<GpuDevice>>,
}

impl GpuBenchmark {
    /// Of `gpu`; None for the CPU.
    pub fn new(gpu: Option<Rc<GpuDevice>>) -> Self {
        Self { gpu }
    }

    /// Seconds of a product `[rows, inner] x [inner, outer]`. What is multiplied is where it is computed, and the product stays there; a GPU is
    /// given `times` products at once.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Engine`] where the GPU fails, or has no room.
    pub async fn product(&self, [rows, inner, outer]: [usize; 3], times: usize, limits: MeasureLimits) -> Result<f64> {
        let mut numbers = Numbers::new();
        let (x, w) = (numbers.vector(rows * inner, 1.0), numbers.vector(inner * outer, 1.0));
        if let Some(gpu) = &self.gpu {
            return product_on(gpu, (&x, rows), (&w, outer), times, limits).await;
        }
        let (x, w) = (tensor::matrix(x, inner)?, tensor::matrix(w, outer)?);
        let round = async || {
            let begun = Instant::now();
            x.matmul(&w)?;
            Ok(begun.elapsed().as_secs_f64())
        };
        limits.least(round).await
    }

    /// Seconds of `rows` rows, in sequences of `length`, through `blocks` blocks of a model of `config`. The residual stream is here
    /// before and afterwards, and nothing else is asked for.
    ///
    /// # Errors
    /// As [`GpuBenchmark::product`].
    pub async fn blocks(
        &self,
        config: &Config,
        (rows, length): (usize, usize),
        blocks: usize,
        limits: MeasureLimits,
    ) -> Result<f64> {
        let engine: Box<dyn Engine> = match &self.gpu {
            Some(gpu) => Box::new(Gpu::new(Rc::clone(gpu))),
            None => Box::new(Cpu::new(Gemm)),
        };
        let mut numbers = Numbers::new();
        let block = block(engine.as_ref(), config, 0.05, &mut numbers)?;
        let resid = numbers.vector(rows * config.d_model, 2.0);
        let parents: Vec<Option<usize>> = (0..rows).map(|row| (row % length > 0).then(|| row - 1)).collect();
        let rows = Rows {
            range: 0..rows,
            parents: &parents,
        };
        let stage = |layer| Stage {
            block: block.as_ref(),
            layer,
            known: Vec::new(),
            resid: false,
            qkv_of: Vec::new(),
        };
        let stages: Vec<Stage<'_>> = (0..blocks).map(stage).collect();
        let round = async || {
            let mut resid = resid.clone();
            let begun = Instant::now();
            match engine.several() {
                Some(several) => {
                    let mut ahead = &stages[..];
                    while !ahead.is_empty() {
                        let passed = several
                            .through(config, ahead, &rows, &mut resid, &mut NoLayersTaps)
                            .await?;
                        ahead = &ahead[passed.len()..];
                    }
                }
                None => {
                    for layer in 0..blocks {
                        let step = Step {
                            config,
                            layer,
                            edits: &[],
                            known_qkv: None,
                            keys_only: false,
                        };
                        let stream = Stream {
                            resid: &mut resid,
                            qkv: &mut Vec::new(),
                        };
                        block.forward(&step, &rows, stream, &mut NoTaps).await?;
                    }
                }
            }
            Ok(begun.elapsed().as_secs_f64())
        };
        limits.least(round).await
    }
}

/// Takes nothing of any layer.
struct NoLayersTaps;

impl LayersTaps for NoLayersTaps {
    fn of_layer(&mut self, _layer: usize) -> Box<dyn Taps + '_> {
        Box::new(NoTaps)
    }
}

async fn product_on(
    gpu: &Rc<GpuDevice>,
    (x, rows): (&[f32], usize),
    (w, outer): (&[f32], usize),
    times: usize,
    limits: MeasureLimits,
) -> Result<f64> {
    let times = times.min(PRODUCTS);
    let matrix = Matrix::new(gpu, w, outer)?;
    let none = bias(gpu, &vec![0.0; outer])?;
    let round = async || {
        let mut work = Work::new(gpu)?;
        let on_gpu = work.upload(&padded(x, matrix.inputs))?;
        let y = work.buffer(rows * stride_of(outer))?;
        // What is uploaded is there before the clock starts.
        work.read(&on_gpu, (0, 1), matrix.inputs);
        let (_, mut work) = work.so_far().await?;
        for _ in 0..times {
            work.product((&on_gpu, rows), &matrix, &none.buffer, (&y, 0), Epilogue::Store);
        }
        work.read(&y, (rows - 1, 1), outer);
        let begun = Instant::now();
        work.done().await?;
        Ok(begun.elapsed().as_secs_f64() / times as f64)
    };
    limits.least(round).await
}
