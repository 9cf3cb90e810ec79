//! The GPU engine agrees with the CPU, and a GPU that is lost during a run costs time only.
//!
//! The tests use the available GPU: Mesa's llvmpipe in continuous integration. Without one they print a message and
//! pass; with `KEYSIDE_NEEDS_GPU` set they fail.

#![cfg(all(feature = "gpu", feature = "cli"))]
#![allow(clippy::unwrap_used)]

mod common;

use std::cell::{Cell, RefCell};
use std::process::Command;
use std::rc::Rc;

use common::{block_on, tiny};
use futures::future::LocalBoxFuture;
use keyside::analysis::{Analysis, BatchValues, Observer, Progress, Section, Timing, analyze};
use keyside::checkpoint::{Gate, NoticeBoard, Source, Store, Traffic};
use keyside::forward::{
    ComputeResources, Edit, GpuDevice, Model, Monitor, NoMonitor, Pass, PrefixTree, Request, Tap, Variant,
};
use keyside::model::Processing;
use keyside::names::{BlockHook, EngineChoice, EngineName, HookPoint};
use keyside::prompts::{IoiSet, PromptSource};
use keyside::result::ResultFile;
use keyside::worker::{FromWorker, Port, ToWorker, serve};
use keyside::{Error, ErrorKind, Result};

const TOLERANCE: f32 = 1e-4;

fn gpu() -> Option<Rc<GpuDevice>> {
    match block_on(GpuDevice::tested(true, None)) {
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
fn a_gpu_that_is_lost_in_the_middle_is_followed_by_the_processor() {
    let Some(first) = gpu() else { return };
    let expected = everything(&mut model(None), &NoMonitor);
    let mut on_gpu = model(Some(Rc::clone(&first)));
    same(&everything(&mut on_gpu, &NoMonitor), &expected);
    assert_eq!(on_gpu.engine(), EngineName::Gpu);
    assert!(on_gpu.take_engine_failure().is_none());
    let layers = on_gpu.config().n_layer;
    drop(on_gpu);
    for (at_once, pieces) in [(1, layers), (2, 2), (layers, 1)] {
        for left in 0..=pieces {
            let gpu = gpu().unwrap();
            gpu.limit_blocks(at_once);
            let mut model = model(Some(Rc::clone(&gpu)));
            let monitor = Loses {
                gpu,
                left: Cell::new(left),
                done: RefCell::default(),
            };
            let what = format!("{at_once} blocks at once, lost after {left} pieces of work");
            let pass = everything(&mut model, &monitor);
            same(&pass, &expected);
            same(&edited(&mut model, &pass), &edited(&mut self::model(None), &expected));
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

#[test]
fn weights_come_and_go_within_the_budget() {
    let Some(first) = gpu() else { return };
    let tokens = |model: &Model| {
        model
            .tokenizer()
            .encode("When Mary and John went to the store,")
            .unwrap()
    };
    let mut on_gpu = model(Some(Rc::clone(&first)));
    let layers = on_gpu.config().n_layer;
    let expected = {
        let tokens = tokens(&on_gpu);
        block_on(on_gpu.log_probs(&[&tokens], &NoMonitor)).unwrap()
    };
    // All of them stay.
    let all = first.held();
    assert!(all > 0 && first.most_held() == all);
    drop(on_gpu);
    assert_eq!(first.held(), 0, "memory is given back");
    // One that is computed, and one that comes.
    let budget = all / layers as u64 * 2;
    let gpu = gpu().unwrap();
    let mut on_gpu = model(Some(Rc::clone(&gpu)));
    on_gpu.set_block_budget(budget);
    for _ in 0..2 {
        let tokens = tokens(&on_gpu);
        let found = block_on(on_gpu.log_probs(&[&tokens], &NoMonitor)).unwrap();
        let off = found[0].iter().zip(&expected[0]).map(|(a, b)| (a - b).abs());
        assert!(off.fold(0f32, f32::max) <= TOLERANCE);
        assert_eq!(on_gpu.engine(), EngineName::Gpu);
    }
    assert_eq!(gpu.most_held(), budget);
    drop(on_gpu);
    assert_eq!(gpu.held(), 0, "memory is given back");
}

#[test]
fn a_gpu_that_takes_no_matrix_is_followed_by_the_processor_and_one_that_takes_few_rows_is_not() {
    let Some(first) = gpu() else { return };
    let expected = everything(&mut model(None), &NoMonitor);
    // The largest matrices as they are there, 64 x 128, and less than these.
    for (piece, fits) in [(4 * 64 * 128, true), (4 * 64 * 128 - 4, false), (1000, false)] {
        let gpu = self::gpu().unwrap();
        gpu.limit_pieces(piece);
        let mut model = model(Some(Rc::clone(&gpu)));
        same(&everything(&mut model, &NoMonitor), &expected);
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

/// A page that has a GPU for large work.
struct Page {
    gpu: Result<Option<Rc<GpuDevice>>>,
    large: f64,
    looked: Cell<usize>,
    posted: RefCell<Vec<FromWorker>>,
    notices: NoticeBoard,
}

impl Port for Page {
    fn post(&self, message: FromWorker) {
        self.posted.borrow_mut().push(message);
    }

    fn yield_now(&self) -> LocalBoxFuture<'_, ()> {
        Box::pin(std::future::ready(()))
    }

    fn source(&self, _url: &str) -> Result<Box<dyn Source>> {
        Ok(Box::new(tiny()))
    }

    fn store(&self) -> Option<Rc<dyn Store>> {
        None
    }

    fn gate(&self) -> Gate {
        Gate::default()
    }

    fn notices(&self) -> NoticeBoard {
        self.notices.clone()
    }

    fn gpu(&self) -> LocalBoxFuture<'_, Result<Option<Rc<GpuDevice>>>> {
        self.looked.set(self.looked.get() + 1);
        Box::pin(std::future::ready(self.gpu.clone()))
    }

    fn large(&self) -> f64 {
        self.large
    }
}

/// What computed two runs, and what was told, in a page with `gpu`, for which work is large from `large` operations on.
fn two_runs(gpu: Result<Option<Rc<GpuDevice>>>, large: f64, engine: EngineChoice) -> (Vec<Timing>, Vec<String>, usize) {
    let page = Page {
        gpu,
        large,
        looked: Cell::new(0),
        posted: RefCell::default(),
        notices: NoticeBoard::default(),
    };
    let (sender, inbox) = futures::channel::mpsc::unbounded();
    for id in 1..=2 {
        let analysis = Analysis { engine, ..analysis(1) };
        let url = "memory:tiny".to_owned();
        sender.unbounded_send(ToWorker::Analyze { id, url, analysis }).unwrap();
    }
    drop(sender);
    block_on(serve(&page, inbox));
    let (mut timings, mut told) = (Vec::new(), Vec::new());
    for message in page.posted.into_inner() {
        match message {
            FromWorker::Finished { result, .. } => timings.extend(result.timing),
            FromWorker::Notices { notices, .. } => told.extend(notices.engine),
            FromWorker::Failed { error, .. } => panic!("{error}"),
            _ => {}
        }
    }
    (timings, told, page.looked.get())
}

#[test]
fn a_gpu_is_taken_for_large_work_where_the_choice_is_left_open() {
    let Some(gpu) = gpu() else { return };
    let by = |timings: &[Timing]| timings.iter().map(|timing| timing.engine.unwrap()).collect::<Vec<_>>();
    let open = EngineChoice::default();
    let (timings, told, looked) = two_runs(Ok(Some(Rc::clone(&gpu))), 0.0, open);
    assert_eq!(by(&timings), [EngineName::Gpu; 2]);
    assert_eq!(
        (timings[1].adapter.clone(), timings[1].threads),
        (Some(gpu.info().to_string()), None)
    );
    assert_eq!((told, looked), (Vec::new(), 1));
    // Small work, and an engine that was chosen.
    let (timings, _, looked) = two_runs(Ok(Some(Rc::clone(&gpu))), 1e15, open);
    assert_eq!((by(&timings), looked), (vec![EngineName::Gemm; 2], 0));
    assert_eq!((timings[0].adapter.clone(), timings[0].threads), (None, Some(1)));
    let chosen = EngineChoice {
        engine: Some(EngineName::Gemm),
        threads: None,
    };
    let (timings, _, looked) = two_runs(Ok(Some(gpu)), 0.0, chosen);
    assert_eq!((by(&timings), looked), (vec![EngineName::Gemm; 2], 0));
    // None, and one that computes something else: that is said, once.
    let (timings, told, looked) = two_runs(Ok(None), 0.0, open);
    assert_eq!((by(&timings), told, looked), (vec![EngineName::Gemm; 2], Vec::new(), 1));
    let error = Error::new(
        ErrorKind::Engine,
        "the graphics processor Abacus computes something else",
    );
    let (timings, told, looked) = two_runs(Err(error), 0.0, open);
    assert_eq!((by(&timings), looked), (vec![EngineName::Gemm; 2], 1));
    let said = "The engine \"gemm\" goes on: the graphics processor Abacus computes something else.";
    assert_eq!(told, [said]);
}

fn analysis(batches: usize) -> Analysis {
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

#[test]
fn a_run_goes_on_where_its_gpu_is_lost() {
    let Some(gpu) = gpu() else { return };
    let analysis = analysis(3);
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
        let gpu = self::gpu().unwrap();
        // As if it were slow: more pieces of work, of which any may be the last.
        gpu.limit_blocks(1);
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
    assert!(failed >= 3, "only {failed} runs have lost their GPU");
}

#[test]
fn the_command_line_and_its_result_name_the_gpu() {
    let Some(gpu) = gpu() else { return };
    let name = gpu.info().to_string();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("result.json");
    let file = file.to_str().unwrap();
    let keyside = |arguments: &[&str]| {
        let program = Command::new(env!("CARGO_BIN_EXE_keyside")).args(arguments).output();
        let output = program.unwrap();
        let told = String::from_utf8(output.stderr).unwrap();
        assert!(output.status.success(), "{told}");
        String::from_utf8(output.stdout).unwrap()
    };
    let heads = ["--head", "2.1", "--earlier-head", "1.3", "--batches", "1"];
    let run = ["analyze", "--model", common::TINY, "--engine", "gpu", "--out", file];
    let summary = keyside(&[&run[..], &heads].concat());
    assert!(summary.contains(&format!("\nengine gpu on {name}, ")), "{summary}");
    let result = ResultFile::from_json(&std::fs::read(file).unwrap()).unwrap();
    let timing = result.timing.unwrap();
    assert_eq!((timing.engine, timing.adapter), (Some(EngineName::Gpu), Some(name)));
    keyside(&["validate", file]);
}
