//! The GPU engine agrees with the CPU, and a GPU that is lost during a run costs time only.
//!
//! The tests use the available GPU: Mesa's llvmpipe in continuous integration. Without one they print a message and
//! pass; with `KEYSIDE_NEEDS_GPU` set they fail.

#![cfg(all(feature = "gpu", feature = "cli"))]
#![allow(clippy::unwrap_used)]

mod common;
mod gpu_faults;

use std::cell::{Cell, RefCell};
use std::process::Command;
use std::rc::Rc;

use common::{block_on, tiny};
use futures::future::LocalBoxFuture;
use gpu_faults::analysis;
use keyside::analysis::{Analysis, Timing};
use keyside::checkpoint::{Gate, NoticeBoard, Source, Store};
use keyside::forward::GpuDevice;
use keyside::names::{EngineChoice, EngineName};
use keyside::result::ResultFile;
use keyside::worker::{FromWorker, Port, ToWorker, serve};
use keyside::{Error, ErrorKind, Result};

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

/// Runs a test that browsers run, too, where there is a GPU.
fn run(test: impl AsyncFnOnce(gpu_faults::Tiny)) {
    if gpu().is_some() {
        block_on(test(tiny));
    }
}

#[test]
fn a_gpu_that_is_lost_in_the_middle_is_followed_by_the_cpu() {
    run(gpu_faults::a_lost_gpu_is_followed_by_the_cpu);
}

#[test]
fn weights_come_and_go_within_the_budget() {
    run(gpu_faults::weights_come_and_go_within_the_budget);
}

#[test]
fn a_gpu_that_takes_no_matrix_is_followed_by_the_cpu_and_one_that_takes_few_rows_is_not() {
    run(gpu_faults::a_gpu_without_room_for_a_matrix_is_followed_by_the_cpu);
}

#[test]
fn a_run_goes_on_where_its_gpu_is_lost() {
    run(gpu_faults::a_run_goes_on_where_its_gpu_is_lost);
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
    let error = Error::new(ErrorKind::Engine, "the GPU Abacus computes something else");
    let (timings, told, looked) = two_runs(Err(error), 0.0, open);
    assert_eq!((by(&timings), looked), (vec![EngineName::Gemm; 2], 1));
    let said = "The engine \"gemm\" goes on: the GPU Abacus computes something else.";
    assert_eq!(told, [said]);
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
