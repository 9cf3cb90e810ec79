//! The GPU engine agrees with the CPU, and a GPU that is lost during a run costs time only.
//!
//! The tests use the available GPU: Mesa's llvmpipe in continuous integration. Without one they print a message and
//! pass; with `KEYSIDE_NEEDS_GPU` set they fail.

#![cfg(feature = "gpu")]
#![allow(clippy::unwrap_used)]

mod common;

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use common::{block_on, tiny};
use futures::future::LocalBoxFuture;
use keyside::Result;
use keyside::analysis::{Analysis, BatchValues, Observer, Progress, Section, analyze};
use keyside::checkpoint::Traffic;
use keyside::forward::{
    ComputeResources, Edit, GpuDevice, Model, Monitor, NoMonitor, Pass, PrefixTree, Request, Tap, Variant,
};
use keyside::model::Processing;
use keyside::names::{BlockHook, EngineName, HookPoint};
use keyside::prompts::{IoiSet, PromptSource};

const TOLERANCE: f32 = 1e-4;

fn gpu() -> Option<Rc<GpuDevice>> {
    match block_on(GpuDevice::tested(true)) {
        Ok(gpu) => gpu,
        Err(error) => {
            assert!(std::env::var_os("KEYSIDE_NEEDS_GPU").is_none(), "{error}");
            eprintln!("not tested: {error}");
            None
        }
    }
}

fn model(gpu: Option<Rc<GpuDevice>>) -> Model {
    let mut model = block_on(Model::open(Box::new(tiny()), Processing::default())).unwrap();
    model.set_engine(ComputeResources {
        gpu,
        ..ComputeResources::default()
    });
    model
}

/// Loses `gpu` after so many pieces of work.
struct Loses {
    gpu: Rc<GpuDevice>,
    left: Cell<usize>,
    /// Layer and rows of all pieces of work.
    done: RefCell<Vec<(usize, usize)>>,
}

impl Monitor for Loses {
    fn waiting(&self) {}

    fn computing(&self) {
        match self.left.get() {
            0 => self.gpu.lose(),
            left => self.left.set(left - 1),
        }
    }

    fn loaded(&self, _bytes: u64, _traffic: &Traffic) {}

    fn computed(&self, _pass: usize, layer: usize, positions: usize) {
        self.done.borrow_mut().push((layer, positions));
    }

    fn yield_now(&self) -> LocalBoxFuture<'_, Result<()>> {
        Box::pin(std::future::ready(Ok(())))
    }
}

/// A sentence through all layers with everything captured.
fn everything(model: &mut Model, monitor: &dyn Monitor) -> Pass {
    let tokens = model
        .tokenizer()
        .encode("When Mary and John went to the store, John gave a drink to")
        .unwrap();
    let layers = model.config().n_layer;
    let points = (0..layers).flat_map(|layer| BlockHook::ALL.map(|hook| HookPoint::block(layer, hook)));
    let rows: Vec<usize> = (0..tokens.len()).collect();
    let taps = points.map(|point| Tap::new(point, rows.clone())).collect();
    let request = Request {
        keep_from: Some(0),
        ..Request::of(taps)
    };
    let mut passes = [Pass::new(PrefixTree::new([&tokens[..]]), request)];
    block_on(model.run(&mut passes, layers, monitor)).unwrap();
    let [pass] = passes;
    pass
}

/// `pass` without the output of head 1.2 at position 3, continued from the stored layers.
fn edited(model: &mut Model, pass: &Pass) -> Pass {
    let without = Edit::of_head(1, BlockHook::Z, 2, 3, vec![0.0; model.config().d_head()]);
    let variant = Variant {
        edits: vec![without],
        ..Variant::default()
    };
    let mut passes = [pass.edited(model.config(), &[variant]).unwrap()];
    let layers = model.config().n_layer;
    block_on(model.run(&mut passes, layers, &NoMonitor)).unwrap();
    let [pass] = passes;
    pass
}

/// Checks that both passes have found the same.
fn same(found: &Pass, expected: &Pass) {
    let near = |found: &[f32], expected: &[f32], what: &str| {
        assert_eq!(found.len(), expected.len(), "{what}");
        let off = found
            .iter()
            .zip(expected)
            .map(|(a, b)| (a - b).abs())
            .fold(0f32, f32::max);
        assert!(off <= TOLERANCE, "{what}: {off:e} off");
    };
    near(&found.resid, &expected.resid, "residual stream");
    for (tap, (found, expected)) in expected
        .request
        .taps
        .iter()
        .zip(found.captured.iter().zip(&expected.captured))
    {
        for row in 0..tap.rows.len() {
            near(found.row(row), expected.row(row), &tap.point.to_string());
        }
    }
}

#[test]
fn a_card_that_is_lost_in_the_middle_is_followed_by_the_processor() {
    let Some(first) = gpu() else { return };
    let expected = everything(&mut model(None), &NoMonitor);
    let mut on_card = model(Some(Rc::clone(&first)));
    same(&everything(&mut on_card, &NoMonitor), &expected);
    assert_eq!(on_card.engine(), EngineName::Gpu);
    assert!(on_card.take_engine_failure().is_none());
    let layers = on_card.config().n_layer;
    drop(on_card);
    for left in 0..=layers {
        let gpu = gpu().unwrap();
        let mut model = model(Some(Rc::clone(&gpu)));
        let monitor = Loses {
            gpu,
            left: Cell::new(left),
            done: RefCell::default(),
        };
        let pass = everything(&mut model, &monitor);
        same(&pass, &expected);
        same(&edited(&mut model, &pass), &edited(&mut self::model(None), &expected));
        // Every layer once, whichever engine has computed it.
        let rows = pass.tree.len();
        let all: Vec<(usize, usize)> = (0..layers).map(|layer| (layer, rows)).collect();
        assert_eq!(*monitor.done.borrow(), all, "lost after {left}");
        let failed = left < layers;
        assert_eq!(model.engine(), if failed { EngineName::Gemm } else { EngineName::Gpu });
        assert_eq!(model.take_engine_failure().is_some(), failed);
        assert!(model.take_engine_failure().is_none(), "it is said once");
    }
}

/// An observer that loses the GPU in the middle of a run.
struct Run(Loses);

impl Observer for Run {
    fn progress(&self, _: &Progress) {
        self.0.computing();
    }

    fn batch(&self, _: usize, _: &BatchValues) {}

    fn yield_now(&self) -> LocalBoxFuture<'_, Result<()>> {
        self.0.yield_now()
    }
}

#[test]
fn a_run_goes_on_where_its_card_is_lost() {
    let Some(gpu) = gpu() else { return };
    let set = IoiSet {
        batches: 3,
        batch_size: 8,
        ..IoiSet::default()
    };
    let analysis = Analysis {
        head: "2.1".parse().unwrap(),
        earlier_head: "1.3".parse().unwrap(),
        prompts: PromptSource::Ioi(set),
        ..Analysis::default()
    };
    let run = |model: &mut Model, left: usize, gpu: &Rc<GpuDevice>| {
        let observer = Run(Loses {
            gpu: Rc::clone(gpu),
            left: Cell::new(left),
            done: RefCell::default(),
        });
        let found = block_on(analyze(model, &analysis, &observer)).unwrap();
        let scores = found.sections.into_iter().find_map(|section| match section {
            Section::Substitution(section) => section.true_score,
            _ => None,
        });
        scores.unwrap().data().to_vec()
    };
    let expected = run(&mut model(None), usize::MAX, &gpu);
    let mut failed = 0;
    for left in [0, 3, 6, 12, 24] {
        let gpu = GpuDevice::tested(true);
        let gpu = block_on(gpu).unwrap().unwrap();
        let mut model = model(Some(Rc::clone(&gpu)));
        let found = run(&mut model, left, &gpu);
        let off = found
            .iter()
            .zip(&expected)
            .map(|(a, b)| (a - b).abs())
            .fold(0f32, f32::max);
        assert!(
            found.len() == expected.len() && off <= TOLERANCE,
            "lost after {left}: {off:e} off"
        );
        failed += usize::from(model.take_engine_failure().is_some());
    }
    assert!(failed >= 3, "only {failed} runs have lost their card");
}
