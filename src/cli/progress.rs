//! A progress bar on stderr.

use futures::future::LocalBoxFuture;
use indicatif::{ProgressBar, ProgressStyle};

use crate::analysis::{BatchValues, Observer, Progress};
use crate::error::Result;

/// Steps of the bar: finer than a terminal is wide.
const STEPS: u64 = 1000;

/// Shows how far a run is, where stderr is a terminal; disappears when it is dropped.
pub(crate) struct Bar(ProgressBar);

impl Bar {
    pub(crate) fn new() -> Self {
        let bar = ProgressBar::new(STEPS);
        // The template is a constant, and a bar without style still shows how far the run is.
        if let Ok(style) = ProgressStyle::with_template("{bar:30} {percent:>3} %  {msg}") {
            bar.set_style(style);
        }
        Self(bar)
    }
}

impl Drop for Bar {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}

impl Observer for Bar {
    fn progress(&self, progress: &Progress) {
        self.0.set_position((progress.fraction() * STEPS as f64) as u64);
        self.0.set_message(progress.description());
    }

    fn batch(&self, _index: usize, _values: &BatchValues) {}

    fn yield_now(&self) -> LocalBoxFuture<'_, Result<()>> {
        Box::pin(async { Ok(()) })
    }
}
