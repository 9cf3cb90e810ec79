//! What an engine must do that takes rows through several blocks at once: the same as through one after the other.

use super::contract::{All, Case, Numbers, check};
use super::engine::{Block, Engine, Stage, Step, Stream};
use super::reference::Weights;
use super::rows::{LayersTaps, Rows, Taps};
use crate::error::Result;
use crate::model::Config;
use crate::names::BlockHook;

const BLOCKS: usize = 3;

impl<T: Taps> Taps for &mut T {
    fn wanted(&self, hook: BlockHook, rows: &std::ops::Range<usize>) -> Vec<usize> {
        (**self).wanted(hook, rows)
    }

    fn heads(&self, hook: BlockHook) -> Vec<usize> {
        (**self).heads(hook)
    }

    fn give(&mut self, hook: BlockHook, rows: &[usize], values: &[f32]) -> Result<()> {
        (**self).give(hook, rows, values)
    }
}

/// Takes everything, layer by layer.
struct Layers(Vec<All>);

impl LayersTaps for Layers {
    fn of_layer(&mut self, layer: usize) -> Box<dyn Taps + '_> {
        Box::new(&mut self.0[layer])
    }
}

fn step(config: &Config, layer: usize) -> Step<'_> {
    Step {
        config,
        layer,
        edits: &[],
        known_qkv: None,
        keys_only: false,
    }
}

/// What is known of one block.
struct OfLayer {
    /// The stream of all rows before it.
    entered: Vec<f32>,
    /// Queries, keys and values of all rows.
    qkv: Vec<f32>,
    taps: All,
}

/// Rows `first..` of `case` through all `blocks`, one after the other, after those before them: the stream, and what is known of each block.
async fn one_by_one(case: &Case, blocks: &[Box<dyn Block>], first: usize) -> (Vec<f32>, Vec<OfLayer>) {
    let rows = case.parents.len();
    let mut resid = case.resid.clone();
    let mut of_layers = Vec::new();
    for (layer, block) in blocks.iter().enumerate() {
        let (entered, mut qkv, mut taps) = (resid.clone(), Vec::new(), case.taps());
        for range in [0..first, first..rows] {
            let of_step = Rows {
                range,
                parents: &case.parents,
            };
            let stream = Stream {
                resid: &mut resid,
                qkv: &mut qkv,
            };
            taps.taken.clear();
            if !of_step.range.is_empty() {
                block
                    .forward(&step(&case.config, layer), &of_step, stream, &mut taps)
                    .await
                    .unwrap();
            }
        }
        of_layers.push(OfLayer { entered, qkv, taps });
    }
    (resid, of_layers)
}

/// Holds `engine` to it, where it does that at all.
pub(super) async fn holds(engine: &dyn Engine) {
    let Some(several) = engine.several() else { return };
    for (seed, shape) in [(0, (3, 5, 37, 23)), (1, (2, 16, 64, 40)), (4, (12, 8, 100, 130))] {
        let mut case = Case::new(seed, shape, false);
        let (config, d) = (case.config.clone(), case.config.d_model);
        let mut numbers = Numbers::new(seed);
        let blocks = (0..BLOCKS).map(|_| Weights::new(&config, &mut numbers, true).given_to(engine));
        let blocks: Vec<Box<dyn Block>> = blocks.collect();
        for (first, tapped) in [(0, true), (9, true), (9, false), (case.parents.len() - 1, true)] {
            case.tapped = (0..case.parents.len()).filter(|row| tapped && row % 3 != 1).collect();
            let what = format!(
                "{}, several blocks, case {seed}, rows from {first} on, tapped {tapped}",
                engine.name()
            );
            let (expected, of_layers) = one_by_one(&case, &blocks, first).await;
            let rows = first..case.parents.len();
            let asked = |layer: usize| match layer {
                0 => rows.clone().collect(),
                1 => rows.clone().filter(|row| row % 4 != 1).collect(),
                _ => Vec::new(),
            };
            let stages: Vec<Stage<'_>> = (0..BLOCKS)
                .map(|layer| Stage {
                    block: blocks[layer].as_ref(),
                    layer,
                    known: of_layers[layer].qkv[..first * 3 * d].to_vec(),
                    resid: layer != 1,
                    qkv_of: asked(layer),
                })
                .collect();
            let of_tree = Rows {
                range: rows.clone(),
                parents: &case.parents,
            };
            // What the rows before are in the end is known, and stays.
            let mut resid = case.resid.clone();
            resid[..first * d].copy_from_slice(&expected[..first * d]);
            let mut taps = Layers((0..BLOCKS).map(|_| case.taps()).collect());
            let passed = several
                .through(&config, &stages, &of_tree, &mut resid, &mut taps)
                .await
                .unwrap();
            assert_eq!(passed.len(), BLOCKS, "{what}");
            same(engine, &what, &resid, &expected);
            for (layer, (passed, expected)) in passed.iter().zip(&of_layers).enumerate() {
                let what = format!("{what}, layer {layer}");
                let entered = if layer == 1 {
                    &[]
                } else {
                    &expected.entered[first * d..]
                };
                same(engine, &what, &passed.resid, entered);
                let asked: Vec<f32> = asked(layer)
                    .into_iter()
                    .flat_map(|row: usize| &expected.qkv[row * 3 * d..][..3 * d])
                    .copied()
                    .collect();
                same(engine, &what, &passed.qkv, &asked);
                let (found, expected) = (&taps.0[layer].taken, &expected.taps.taken);
                assert_eq!(found.len(), expected.len(), "{what}");
                for (found, expected) in found.iter().zip(expected) {
                    assert_eq!((found.0, found.1), (expected.0, expected.1), "{what}");
                    same(engine, &format!("{what}, {:?}", found.0), &found.2, &expected.2);
                }
            }
        }
    }
}

fn same(engine: &dyn Engine, what: &str, found: &[f32], expected: &[f32]) {
    let expected: Vec<f64> = expected.iter().copied().map(f64::from).collect();
    check(engine, what, found, &expected);
}
