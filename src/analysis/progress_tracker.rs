//! Measures times during a run and reports progress to its observer.

use std::cell::RefCell;

use futures::future::LocalBoxFuture;
use web_time::Instant;

use crate::analysis::Timing;
use crate::analysis::run_cache::Resumed;
use crate::analysis::{BatchValues, Observer, Phase, Progress};
use crate::checkpoint::Traffic;
use crate::error::Result;
use crate::forward::{Model, Monitor, linear_memory};

/// Turns the reports of a model ([`Monitor`]) into [`Progress`].
pub(crate) struct ProgressTracker<'a> {
    observer: &'a dyn Observer,
    state: RefCell<State>,
}

struct State {
    progress: Progress,
    /// Traffic before this run.
    before: Traffic,
    began: Instant,
    /// Start of the current interval of waiting or computing.
    mark: Instant,
    waiting_seconds: f64,
    computing_seconds: f64,
    /// When the first bytes of weights arrived.
    loading_since: Option<Instant>,
    /// Completed and total work: positions times layers.
    work_done: usize,
    work: usize,
    /// The block with which passes have gone on that an earlier run has begun.
    resumed_from: Option<usize>,
}

impl<'a> ProgressTracker<'a> {
    /// A tracker for a run of `batches` batches that starts now in phase `phase`. `before` is the traffic until now.
    pub(crate) fn new(
        observer: &'a dyn Observer,
        phase: Phase,
        batches: usize,
        layers: usize,
        before: Traffic,
    ) -> Self {
        let now = Instant::now();
        let progress = Progress {
            phase,
            batches_done: 0,
            batches,
            layers_done: 0,
            layers,
            bytes_read: 0,
            bytes: 0,
            bytes_from_network: 0,
            bytes_from_storage: 0,
            bytes_per_second: None,
            linear_memory: linear_memory(),
            computed: 0.0,
            positions_done: 0,
            seconds: 0.0,
            positions_per_second: None,
            seconds_left: None,
        };
        Self {
            observer,
            state: RefCell::new(State {
                progress,
                before,
                began: now,
                mark: now,
                waiting_seconds: 0.0,
                computing_seconds: 0.0,
                loading_since: None,
                work_done: 0,
                work: 0,
                resumed_from: None,
            }),
        }
    }

    /// Sets the number of batches, once it is known.
    pub(crate) fn batches(&self, batches: usize) {
        self.state.borrow_mut().progress.batches = batches;
    }

    /// Adds a second pass of `batches` batches through `layers` layers.
    pub(crate) fn begin_second_pass(&self, batches: usize, layers: usize) {
        let mut state = self.state.borrow_mut();
        state.progress.batches += batches;
        (state.progress.layers_done, state.progress.layers) = (0, layers);
    }

    /// Sets the total work: `positions` through all layers, and `bytes` of weights to read.
    pub(crate) fn plan(&self, positions: usize, bytes: u64) {
        let layers = self.state.borrow().work_per_position();
        self.plan_steps(positions * layers, bytes);
    }

    /// Sets the remaining work where positions do not go through all layers: `steps` of one position through one layer,
    /// and `bytes` of weights to read.
    pub(crate) fn plan_steps(&self, steps: usize, bytes: u64) {
        let mut state = self.state.borrow_mut();
        state.work = state.work_done + steps;
        state.progress.bytes = bytes;
        state.mark = Instant::now();
        self.tell(state);
    }

    /// Takes back the planned work that need not be computed, as an earlier run has left it.
    pub(crate) fn resume(&self, resumed: &Resumed) {
        let mut state = self.state.borrow_mut();
        state.work = state.work.saturating_sub(resumed.steps);
        state.resumed_from = Some(resumed.layer);
    }

    /// Reports that batch `index`, of `positions` positions, is finished, with `values` to show.
    pub(crate) fn finished_batch(&self, index: usize, positions: usize, values: &[&BatchValues]) {
        let mut state = self.state.borrow_mut();
        state.lap();
        state.progress.batches_done += 1;
        state.progress.positions_done += positions;
        values.iter().for_each(|values| self.observer.batch(index, values));
        self.tell(state);
    }

    /// Times and amounts so far.
    pub(crate) fn timing(&self) -> Timing {
        let state = self.state.borrow();
        Timing {
            seconds: state.began.elapsed().as_secs_f64(),
            loading_seconds: state.waiting_seconds,
            positions: state.progress.positions_done,
            positions_per_second: state.progress.positions_done as f64 / state.computing_seconds.max(f64::EPSILON),
            bytes_read: state.progress.bytes_read,
            bytes_from_network: state.progress.bytes_from_network,
            peak_linear_memory: linear_memory(),
            resumed_from: state.resumed_from,
            ..Timing::default()
        }
    }

    /// The same, with engine and rate, for passes through whole blocks of `model`.
    pub(crate) fn timing_of_blocks(&self, model: &Model) -> Timing {
        let (steps, seconds) = {
            let state = self.state.borrow();
            (state.work_done, state.computing_seconds)
        };
        self.timing().on(model, steps, seconds)
    }

    fn tell(&self, mut state: std::cell::RefMut<'_, State>) {
        state.update();
        self.observer.progress(&state.progress);
    }
}

impl State {
    /// Number of layers per position, at least 1: for a head of layer 0 the embedding is still read.
    fn work_per_position(&self) -> usize {
        self.progress.layers.max(1)
    }

    /// Adds the time since the last call to waiting or computing.
    fn lap(&mut self) {
        let now = Instant::now();
        let seconds = now.duration_since(self.mark).as_secs_f64();
        match self.progress.phase {
            Phase::Computing => self.computing_seconds += seconds,
            _ => self.waiting_seconds += seconds,
        }
        self.mark = now;
    }

    fn update(&mut self) {
        self.progress.seconds = self.began.elapsed().as_secs_f64();
        self.progress.linear_memory = linear_memory();
        self.progress.computed = self.work_done as f64 / self.work.max(1) as f64;
        let bytes_left = self.progress.bytes.saturating_sub(self.progress.bytes_read);
        let loading = self.loading_since.filter(|_| bytes_left > 0);
        let loading = loading.map(|since| since.elapsed().as_secs_f64());
        self.progress.bytes_per_second = loading.map(|seconds| self.progress.bytes_read as f64 / seconds.max(1e-3));
        if self.work_done > 0 && self.computing_seconds > 0.0 {
            let rate = self.work_done as f64 / self.computing_seconds;
            let left = self.work.saturating_sub(self.work_done) as f64 / rate;
            // Reading and computing overlap.
            let loading = self
                .progress
                .bytes_per_second
                .map_or(0.0, |rate| bytes_left as f64 / rate.max(1.0));
            self.progress.positions_per_second = Some(rate / self.work_per_position() as f64);
            self.progress.seconds_left = Some(left.max(loading));
        } else if let Some(rate) = self.progress.bytes_per_second {
            self.progress.seconds_left = Some(bytes_left as f64 / rate.max(1.0));
        }
    }
}

impl Monitor for ProgressTracker<'_> {
    fn waiting(&self) {
        let mut state = self.state.borrow_mut();
        state.lap();
        state.progress.phase = Phase::Loading;
        self.tell(state);
    }

    fn computing(&self) {
        let mut state = self.state.borrow_mut();
        state.lap();
        state.progress.phase = Phase::Computing;
    }

    fn loaded(&self, bytes: u64, traffic: &Traffic) {
        let mut state = self.state.borrow_mut();
        state.loading_since.get_or_insert_with(Instant::now);
        state.progress.bytes_read += bytes;
        state.progress.bytes_from_network = traffic.network.saturating_sub(state.before.network);
        state.progress.bytes_from_storage = traffic.storage.saturating_sub(state.before.storage);
        self.tell(state);
    }

    fn computed(&self, _pass: usize, layer: usize, positions: usize) {
        let mut state = self.state.borrow_mut();
        state.lap();
        state.work_done += positions;
        state.progress.layers_done = layer + 1;
        self.tell(state);
    }

    fn yield_now(&self) -> LocalBoxFuture<'_, Result<()>> {
        self.observer.yield_now()
    }
}
