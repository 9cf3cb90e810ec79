//! Tests that every engine must pass: the results of the reference block in float64.

use std::ops::Range;

use futures::executor::block_on;

use super::cpu::{Cpu, Gemm, NativeKernels, Packed};
use super::engine::{BlockMatrix, Engine, Step, Stream};
use super::reference::{Reference, Weights};
use super::rows::{Edit, Rows, Taps};
use crate::error::{Error, ErrorKind, Result};
use crate::model::{Activation, Config};
use crate::names::{BlockHook, EngineName};

/// Maximum error in f32, relative to the largest number of an array.
fn tolerance(engine: &dyn Engine) -> f64 {
    match engine.name() {
        // A GPU's divisions and square roots need not be correctly rounded.
        EngineName::Gpu => 5e-6,
        EngineName::Gemm | EngineName::Packed | EngineName::Relaxed => 2e-6,
    }
}

/// Reproducible pseudo-random numbers.
pub(super) struct Numbers(u64);

impl Numbers {
    pub(super) fn new(seed: u64) -> Self {
        Self(seed)
    }

    fn below(&mut self, end: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        ((self.0 >> 33) as usize) % end.max(1)
    }

    fn one(&mut self) -> f32 {
        self.below(20_001) as f32 / 10_000.0 - 1.0
    }

    pub(super) fn vector(&mut self, len: usize, scale: f32) -> Vec<f32> {
        (0..len).map(|_| self.one() * scale).collect()
    }
}

/// Captures everything at the requested rows.
#[derive(Default)]
pub(super) struct All {
    rows: Vec<usize>,
    heads: Vec<usize>,
    pub(super) taken: Vec<(BlockHook, usize, Vec<f32>)>,
    /// Where it refuses to take anything.
    refuses: Option<BlockHook>,
}

impl Taps for All {
    fn wanted(&self, _hook: BlockHook, rows: &Range<usize>) -> Vec<usize> {
        self.rows.iter().copied().filter(|row| rows.contains(row)).collect()
    }

    fn heads(&self, _hook: BlockHook) -> Vec<usize> {
        self.heads.clone()
    }

    fn give(&mut self, hook: BlockHook, rows: &[usize], values: &[f32]) -> Result<()> {
        if self.refuses == Some(hook) {
            return Err(Error::new(ErrorKind::Cancelled, "no more"));
        }
        for (row, values) in rows.iter().zip(values.chunks(values.len() / rows.len().max(1))) {
            self.taken.push((hook, *row, values.to_vec()));
        }
        Ok(())
    }
}

/// One made-up case.
pub(super) struct Case {
    pub(super) config: Config,
    layer: usize,
    weights: Weights,
    pub(super) parents: Vec<Option<usize>>,
    pub(super) resid: Vec<f32>,
    edits: Vec<Edit>,
    pub(super) tapped: Vec<usize>,
    heads: Vec<usize>,
}

impl Case {
    pub(super) fn new(seed: u64, (n_head, d_head, d_mlp, rows): (usize, usize, usize, usize), edited: bool) -> Self {
        let mut numbers = Numbers::new(seed);
        let config = Config {
            n_layer: 4,
            n_head,
            d_model: n_head * d_head,
            d_mlp,
            activation_function: [
                Activation::GeluNew,
                Activation::Gelu,
                Activation::Relu,
                Activation::Silu,
            ][seed as usize % 4],
            scale_attn_weights: !seed.is_multiple_of(3),
            scale_attn_by_inverse_layer_idx: seed.is_multiple_of(2),
            ..Config::default()
        };
        // A chain, then branches from anywhere.
        let parents: Vec<Option<usize>> = (0..rows)
            .map(|row| match row {
                0 => None,
                _ if row < rows / 2 => Some(row - 1),
                _ if numbers.below(9) == 0 => None,
                _ => Some(numbers.below(row)),
            })
            .collect();
        let weights = Weights::new(&config, &mut numbers, seed.is_multiple_of(5));
        let resid = numbers.vector(rows * config.d_model, 2.0);
        let mut case = Self {
            layer: seed as usize % 4,
            weights,
            resid,
            edits: Vec::new(),
            tapped: (0..rows).filter(|row| row % 3 != 1).collect(),
            heads: (0..n_head).filter(|head| head % 2 == 0).collect(),
            parents,
            config,
        };
        if edited {
            case.edits = BlockHook::ALL
                .into_iter()
                .filter(|hook| *hook != BlockHook::Result)
                .map(|hook| case.edit(hook, &mut numbers))
                .collect();
        }
        case
    }

    fn edit(&self, hook: BlockHook, numbers: &mut Numbers) -> Edit {
        let row = numbers.below(self.parents.len());
        let sources = std::iter::successors(Some(row), |&row| self.parents[row]).count();
        let width = match hook {
            BlockHook::Ln1Scale => 1,
            BlockHook::Q | BlockHook::K | BlockHook::V | BlockHook::Z => self.config.d_head(),
            BlockHook::AttnScores | BlockHook::Pattern => sources,
            BlockHook::MlpPost => self.config.d_mlp,
            _ => self.config.d_model,
        };
        let mut value = numbers.vector(width, 1.0);
        if hook == BlockHook::Ln1Scale {
            value[0] = 1.5;
        }
        Edit {
            hook,
            head: hook.is_of_head().then(|| numbers.below(self.config.n_head)),
            row,
            value,
        }
    }

    /// What takes everything at some rows and heads.
    pub(super) fn taps(&self) -> All {
        All {
            rows: self.tapped.clone(),
            heads: self.heads.clone(),
            ..All::default()
        }
    }

    fn step<'a>(&'a self, known_qkv: Option<&'a [f32]>, keys_only: bool) -> Step<'a> {
        Step {
            config: &self.config,
            layer: self.layer,
            edits: &self.edits,
            known_qkv,
            keys_only,
        }
    }

    /// Takes all rows through the block, `at_once` at a time: residual stream, queries, keys and values, and captured
    /// activations.
    async fn through(&self, engine: &dyn Engine, at_once: usize) -> (Vec<f32>, Vec<f32>, All) {
        let block = self.weights.given_to(engine);
        let (mut resid, mut qkv) = (self.resid.clone(), Vec::new());
        let mut taps = self.taps();
        let rows = self.parents.len();
        for start in (0..rows).step_by(at_once) {
            let of_step = Rows {
                range: start..(start + at_once).min(rows),
                parents: &self.parents,
            };
            let edits: Vec<Edit> = self
                .edits
                .iter()
                .filter(|edit| of_step.range.contains(&edit.row))
                .cloned()
                .collect();
            let step = Step {
                edits: &edits,
                ..self.step(None, false)
            };
            let stream = Stream {
                resid: &mut resid,
                qkv: &mut qkv,
            };
            block.forward(&step, &of_step, stream, &mut taps).await.unwrap();
        }
        (resid, qkv, taps)
    }
}

pub(super) fn check(engine: &dyn Engine, what: &str, found: &[f32], expected: &[f64]) {
    assert_eq!(found.len(), expected.len(), "{what}");
    let size = expected.iter().fold(1f64, |most, v| most.max(v.abs()));
    for (index, (found, expected)) in found.iter().zip(expected).enumerate() {
        let off = (f64::from(*found) - expected).abs();
        assert!(
            off <= tolerance(engine) * size,
            "{what}, number {index}: {found} is not {expected} ({off:e} off)"
        );
    }
}

/// Tests that `engine` fulfills the contract.
pub(crate) async fn holds(engine: &dyn Engine) {
    goes_through_blocks(engine).await;
    goes_through_blocks_as_they_are_known(engine).await;
    gives_back_weights(engine).await;
    passes_on_errors(engine).await;
}

async fn goes_through_blocks(engine: &dyn Engine) {
    let shapes = [
        (3, 5, 37, 23),
        (2, 16, 64, 40),
        (1, 8, 32, 1),
        (4, 4, 7, 9),
        (12, 8, 100, 130),
    ];
    for (seed, shape) in (0..20).zip(shapes.iter().cycle()) {
        for edited in [false, true] {
            let case = Case::new(seed, *shape, edited);
            let expected = Reference::through(
                &case.config,
                case.layer,
                &case.weights,
                &case.parents,
                &case.resid,
                &case.edits,
            );
            for at_once in [case.parents.len(), 7] {
                let what = format!("{}, case {seed}, edited {edited}, {at_once} at once", engine.name());
                let (resid, qkv, taps) = case.through(engine, at_once).await;
                check(engine, &format!("{what}: resid"), &resid, &expected.resid);
                check(engine, &format!("{what}: qkv"), &qkv, &expected.qkv);
                let count = BlockHook::ALL.len() * case.tapped.len();
                assert_eq!(taps.taken.len(), count, "{what}: each tapped row once at each hook");
                for (hook, row, values) in &taps.taken {
                    let of_row = expected.tapped(&case.config, *hook, *row, &case.heads);
                    check(engine, &format!("{what}: {hook:?} of row {row}"), values, &of_row);
                }
            }
        }
    }
}

async fn goes_through_blocks_as_they_are_known(engine: &dyn Engine) {
    let case = Case::new(7, (2, 16, 64, 40), false);
    let (resid, qkv, _) = case.through(engine, 40).await;
    let block = case.weights.given_to(engine);
    let rows = Rows {
        range: 0..40,
        parents: &case.parents,
    };
    for keys_only in [false, true] {
        let (mut again, mut again_qkv) = (case.resid.clone(), Vec::new());
        let stream = Stream {
            resid: &mut again,
            qkv: &mut again_qkv,
        };
        block
            .forward(&case.step(Some(&qkv), keys_only), &rows, stream, &mut All::default())
            .await
            .unwrap();
        assert_eq!(again_qkv, qkv);
        let expected = if keys_only { &case.resid } else { &resid };
        let expected: Vec<f64> = expected.iter().copied().map(f64::from).collect();
        check(engine, &format!("known, keys only: {keys_only}"), &again, &expected);
    }
    let effective_embedding = Reference::effective_embedding(&case.config, &case.weights, &case.resid);
    let (resid_post, mlp_out) = block
        .effective_embedding(&case.config, case.resid.clone())
        .await
        .unwrap();
    check(engine, "alone: resid_post", &resid_post, &effective_embedding.0);
    check(engine, "alone: mlp_out", &mlp_out, &effective_embedding.1);
}

async fn gives_back_weights(engine: &dyn Engine) {
    let case = Case::new(3, (3, 5, 37, 2), false);
    let block = case.weights.given_to(engine);
    let d = case.config.d_model;
    for (matrix, elements, rows, columns) in [
        (BlockMatrix::Qkv, &case.weights.w_qkv, 0..d, 6..11),
        (BlockMatrix::O, &case.weights.w_o, 5..10, 0..d),
        (BlockMatrix::Out, &case.weights.w_out, 0..37, 3..9),
    ] {
        let width = if matrix == BlockMatrix::Qkv { 3 * d } else { d };
        let expected: Vec<f32> = elements
            .chunks_exact(width)
            .skip(rows.start)
            .take(rows.len())
            .flat_map(|row| &row[columns.clone()])
            .copied()
            .collect();
        assert_eq!(block.read(matrix, rows, columns).await.unwrap(), expected, "{matrix:?}");
    }
}

async fn passes_on_errors(engine: &dyn Engine) {
    let case = Case::new(4, (2, 16, 64, 40), false);
    let rows = Rows {
        range: 0..40,
        parents: &case.parents,
    };
    let attempt = async |block: &dyn super::engine::Block, refuses| {
        let (mut resid, mut qkv) = (case.resid.clone(), Vec::new());
        let stream = Stream {
            resid: &mut resid,
            qkv: &mut qkv,
        };
        let mut taps = All {
            refuses: Some(refuses),
            ..case.taps()
        };
        block
            .forward(&case.step(None, false), &rows, stream, &mut taps)
            .await
            .unwrap_err()
            .kind
    };
    let whole = case.weights.given_to(engine);
    for hook in BlockHook::ALL {
        assert_eq!(attempt(whole.as_ref(), hook).await, ErrorKind::Cancelled, "{hook:?}");
    }
    let first_part = engine.take(case.weights.input()).unwrap();
    assert_eq!(attempt(first_part.as_ref(), BlockHook::Z).await, ErrorKind::Internal);
}

#[test]
fn kernels_hold_and_give_back_memory() {
    for threads in [1, 3] {
        let kernels = std::rc::Rc::new(NativeKernels::new(threads));
        let engine = Cpu::new(Packed::new(std::rc::Rc::clone(&kernels) as _));
        block_on(holds(&engine));
        assert_eq!(engine.threads(), threads);
        assert_eq!(kernels.held(), 0, "matrices of blocks that were dropped");
    }
}

#[test]
fn gemm_holds() {
    block_on(holds(&Cpu::new(Gemm)));
}
