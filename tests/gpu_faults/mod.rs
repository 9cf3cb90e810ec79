//! What happens to a run whose GPU fails, layer by layer: natively and in a browser.

#![allow(clippy::unwrap_used, reason = "for tests")]

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use futures::future::LocalBoxFuture;
use keyside::Result;
use keyside::analysis::{Analysis, BatchValues, Observer, Progress, Section, analyze};
use keyside::checkpoint::{MemorySource, Traffic};
use keyside::forward::{
    ComputeResources, Edit, GpuDevice, Model, Monitor, NoMonitor, Pass, PrefixTree, Request, Tap, Variant,
};
use keyside::model::Processing;
use keyside::names::{BlockHook, EngineName, HookPoint};
use keyside::prompts::{IoiSet, PromptSource};

const TOLERANCE: f32 = 1e-4;

/// The tiny checkpoint.
pub type Tiny = fn() -> MemorySource;

async fn gpu() -> Rc<GpuDevice> {
    GpuDevice::tested(true, None).await.unwrap().unwrap()
}

async fn model(tiny: Tiny, gpu: Option<Rc<GpuDevice>>) -> Model {
    let mut model = Model::open(Box::new(tiny()), Processing::default()).await.unwrap();
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
async fn everything(model: &mut Model, monitor: &dyn Monitor) -> Pass {
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
    model.run(&mut passes, layers, monitor).await.unwrap();
    let [pass] = passes;
    pass
}

/// `pass` without the output of head 1.2 at position 3, continued from the stored layers.
async fn edited(model: &mut Model, pass: &Pass) -> Pass {
    let without = Edit::of_head(1, BlockHook::Z, 2, 3, vec![0.0; model.config().d_head()]);
    let variant = Variant {
        edits: vec![without],
        ..Variant::default()
    };
    let mut passes = [pass.edited(model.config(), &[variant]).unwrap()];
    let layers = model.config().n_layer;
    model.run(&mut passes, layers, &NoMonitor).await.unwrap();
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

/// Loses the GPU after each piece of work, with several numbers of blocks in one.
pub async fn a_lost_gpu_is_followed_by_the_cpu(tiny: Tiny) {
    let first = gpu().await;
    let expected = everything(&mut model(tiny, None).await, &NoMonitor).await;
    let mut on_gpu = model(tiny, Some(Rc::clone(&first))).await;
    same(&everything(&mut on_gpu, &NoMonitor).await, &expected);
    assert_eq!(on_gpu.engine(), EngineName::Gpu);
    assert!(on_gpu.take_engine_failure().is_none());
    let layers = on_gpu.config().n_layer;
    drop(on_gpu);
    for (at_once, pieces) in [(1, layers), (2, 2), (layers, 1)] {
        for left in 0..=pieces {
            let gpu = self::gpu().await;
            gpu.limit_blocks(at_once);
            let mut model = model(tiny, Some(Rc::clone(&gpu))).await;
            let monitor = Loses {
                gpu,
                left: Cell::new(left),
                done: RefCell::default(),
            };
            let what = format!("{at_once} blocks at once, lost after {left} pieces of work");
            let pass = everything(&mut model, &monitor).await;
            same(&pass, &expected);
            let original = edited(&mut self::model(tiny, None).await, &expected).await;
            same(&edited(&mut model, &pass).await, &original);
            // Every layer once, whoever has computed it.
            let rows = pass.tree.len();
            let all: Vec<(usize, usize)> = (0..layers).map(|layer| (layer, rows)).collect();
            assert_eq!(*monitor.done.borrow(), all, "{what}");
            let failed = left < pieces;
            let engine = if failed { EngineName::Gemm } else { EngineName::Gpu };
            assert_eq!(model.engine(), engine, "{what}");
            assert_eq!(model.take_engine_failure().is_some(), failed, "{what}");
            assert!(model.take_engine_failure().is_none(), "it is said once");
        }
    }
}

/// Computes with room for all blocks, and for two.
pub async fn weights_come_and_go_within_the_budget(tiny: Tiny) {
    let first = gpu().await;
    let tokens = |model: &Model| {
        model
            .tokenizer()
            .encode("When Mary and John went to the store,")
            .unwrap()
    };
    let mut on_gpu = model(tiny, Some(Rc::clone(&first))).await;
    let layers = on_gpu.config().n_layer;
    let expected = {
        let tokens = tokens(&on_gpu);
        on_gpu.log_probs(&[&tokens], &NoMonitor).await.unwrap()
    };
    // All of them stay.
    let all = first.held();
    assert!(all > 0 && first.most_held() == all);
    drop(on_gpu);
    assert_eq!(first.held(), 0, "memory is given back");
    // One that is computed, and one that comes.
    let budget = all / layers as u64 * 2;
    let gpu = self::gpu().await;
    let mut on_gpu = model(tiny, Some(Rc::clone(&gpu))).await;
    on_gpu.set_block_budget(budget);
    for _ in 0..2 {
        let tokens = tokens(&on_gpu);
        let found = on_gpu.log_probs(&[&tokens], &NoMonitor).await.unwrap();
        let off = found[0].iter().zip(&expected[0]).map(|(a, b)| (a - b).abs());
        assert!(off.fold(0f32, f32::max) <= TOLERANCE);
        assert_eq!(on_gpu.engine(), EngineName::Gpu);
    }
    assert_eq!(gpu.most_held(), budget);
    drop(on_gpu);
    assert_eq!(gpu.held(), 0, "memory is given back");
}

/// Computes on GPUs that take pieces of several sizes.
pub async fn a_gpu_without_room_for_a_matrix_is_followed_by_the_cpu(tiny: Tiny) {
    let first = gpu().await;
    let expected = everything(&mut model(tiny, None).await, &NoMonitor).await;
    // The largest matrices as they are there, 64 x 128, and less than these.
    for (piece, fits) in [(4 * 64 * 128, true), (4 * 64 * 128 - 4, false), (1000, false)] {
        let gpu = self::gpu().await;
        gpu.limit_pieces(piece);
        let mut model = model(tiny, Some(Rc::clone(&gpu))).await;
        same(&everything(&mut model, &NoMonitor).await, &expected);
        let failure = model.take_engine_failure();
        assert_eq!(failure.is_none(), fits, "{piece}: {failure:?}");
        if let Some(error) = failure {
            let (name, said) = (first.info().to_string(), error.cause);
            assert!(said.contains(&name) && said.contains("takes at most"), "{said}");
            assert_eq!(model.engine(), EngineName::Gemm);
        }
        drop(model);
        assert_eq!(gpu.held(), 0, "memory is given back");
    }
}

/// A run of `batches` batches.
pub fn analysis(batches: usize) -> Analysis {
    let set = IoiSet {
        batches,
        batch_size: 8,
        ..IoiSet::default()
    };
    Analysis {
        head: "2.1".parse().unwrap(),
        earlier_head: "1.3".parse().unwrap(),
        prompts: PromptSource::Ioi(set),
        ..Analysis::default()
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

/// Loses the GPU at several moments of a run.
pub async fn a_run_goes_on_where_its_gpu_is_lost(tiny: Tiny) {
    let gpu = gpu().await;
    let analysis = analysis(3);
    let run = async |model: &mut Model, left: usize, gpu: &Rc<GpuDevice>| {
        let observer = Run(Loses {
            gpu: Rc::clone(gpu),
            left: Cell::new(left),
            done: RefCell::default(),
        });
        let found = analyze(model, &analysis, &observer).await.unwrap();
        let scores = found.sections.into_iter().find_map(|section| match section {
            Section::Substitution(section) => section.true_score,
            _ => None,
        });
        scores.unwrap().data().to_vec()
    };
    let expected = run(&mut model(tiny, None).await, usize::MAX, &gpu).await;
    let mut failed = 0;
    for left in [0, 3, 6, 12, 24] {
        let gpu = self::gpu().await;
        // As if it were slow: more pieces of work, of which any may be the last.
        gpu.limit_blocks(1);
        let mut model = model(tiny, Some(Rc::clone(&gpu))).await;
        let found = run(&mut model, left, &gpu).await;
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
    assert!(failed >= 3, "only {failed} runs have lost their GPU");
}
