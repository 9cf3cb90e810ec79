//! A progress bar on stderr.

use futures::future::LocalBoxFuture;
use indicatif::{ProgressBar, ProgressStyle};

use crate::analysis::{BatchValues, Observer, Progress};
use crate::error::Result;

/// Resolution of the bar: finer than the width of a terminal.
const STEPS: u64 = 1000;

/// A progress bar, if stderr is a terminal. It is removed when dropped.
pub(crate) struct Bar(ProgressBar);

impl Bar {
    pub(crate) fn new() -> Self {
        let bar = ProgressBar::new(STEPS);
        // The template is a constant, and a bar without a style is still useful.
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
