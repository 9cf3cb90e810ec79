//! Times a run and tells its observer how far it is.

use futures::future::LocalBoxFuture;
use web_time::Instant;

use crate::attribution::{BatchValues, Observer, Phase, Progress};
use crate::error::Result;
use crate::gpt2::Watcher;
use crate::result::Timing;

/// Turns what a model does into [`Progress`].
pub(crate) struct Meter<'a> {
    observer: &'a mut dyn Observer,
    progress: Progress,
    began: Instant,
    /// When what happens now began to count as loading or computing.
    mark: Instant,
    loading_seconds: f64,
    computing_seconds: f64,
    /// Positions times layers, done and in all.
    work_done: usize,
    work: usize,
}

impl<'a> Meter<'a> {
    /// A meter of a run of `batches` batches that starts now, in phase `phase`.
    pub(crate) fn new(observer: &'a mut dyn Observer, phase: Phase, batches: usize, layers: usize) -> Self {
        let now = Instant::now();
        let progress = Progress {
            phase,
            batches_done: 0,
            batches,
            layers_done: 0,
            layers,
            bytes_read: 0,
            bytes: 0,
            positions_done: 0,
            seconds: 0.0,
            positions_per_second: None,
            seconds_left: None,
        };
        Self {
            observer,
            progress,
            began: now,
            mark: now,
            loading_seconds: 0.0,
            computing_seconds: 0.0,
            work_done: 0,
            work: 0,
        }
    }

    /// What there is to do: `positions` through all layers, after reading `bytes` of weights.
    pub(crate) fn plan(&mut self, positions: usize, bytes: u64) {
        self.work = positions * self.work_per_position();
        self.progress.bytes = bytes;
        self.mark = Instant::now();
        self.tell();
    }

    /// Batch `index`, of `positions` positions, is finished.
    pub(crate) fn finished_batch(&mut self, index: usize, positions: usize, values: &BatchValues) {
        self.computing_seconds += self.lap();
        self.progress.batches_done += 1;
        self.progress.positions_done += positions;
        self.observer.batch(index, values);
        self.tell();
    }

    /// How long it all took.
    pub(crate) fn timing(&self) -> Timing {
        Timing {
            seconds: self.began.elapsed().as_secs_f64(),
            loading_seconds: self.loading_seconds,
            positions: self.progress.positions_done,
            positions_per_second: self.progress.positions_done as f64 / self.computing_seconds.max(f64::EPSILON),
            bytes_read: self.progress.bytes_read,
            peak_linear_memory: linear_memory(),
        }
    }

    /// Layers that a position goes through; a head of layer 0 still reads the embedding.
    fn work_per_position(&self) -> usize {
        self.progress.layers.max(1)
    }

    /// Seconds since the last lap.
    fn lap(&mut self) -> f64 {
        let now = Instant::now();
        let seconds = now.duration_since(self.mark).as_secs_f64();
        self.mark = now;
        seconds
    }

    fn tell(&mut self) {
        self.progress.seconds = self.began.elapsed().as_secs_f64();
        if self.work_done > 0 && self.computing_seconds > 0.0 {
            let rate = self.work_done as f64 / self.computing_seconds;
            let left = self.work.saturating_sub(self.work_done) as f64;
            self.progress.positions_per_second = Some(rate / self.work_per_position() as f64);
            self.progress.seconds_left = Some(left / rate);
        }
        self.observer.progress(&self.progress);
    }
}

impl Watcher for Meter<'_> {
    fn loading(&mut self) {
        self.computing_seconds += self.lap();
        self.progress.phase = Phase::Loading;
        self.tell();
    }

    fn loaded(&mut self, bytes: u64) {
        self.loading_seconds += self.lap();
        self.progress.bytes_read += bytes;
        self.tell();
    }

    fn computed(&mut self, _pass: usize, layer: usize, positions: usize) {
        self.computing_seconds += self.lap();
        self.work_done += positions;
        self.progress.phase = Phase::Computing;
        self.progress.layers_done = layer + 1;
        self.tell();
    }

    fn breathe(&mut self) -> LocalBoxFuture<'_, Result<()>> {
        self.observer.breathe()
    }
}

/// Size of wasm's linear memory, which never shrinks: its peak. None natively.
fn linear_memory() -> Option<u64> {
    #[cfg(target_arch = "wasm32")]
    return Some(core::arch::wasm32::memory_size::<0>() as u64 * 65_536);
    #[cfg(not(target_arch = "wasm32"))]
    None
}
