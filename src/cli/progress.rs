//! A progress bar on stderr.

use futures::future::LocalBoxFuture;
use indicatif::{ProgressBar, ProgressStyle};

use crate::analysis::{BatchValues, Observer, Phase, Progress};
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
        self.0.set_position(step(progress));
        self.0.set_message(message(progress));
    }

    fn batch(&self, _index: usize, _values: &BatchValues) {}

    fn breathe(&self) -> LocalBoxFuture<'_, Result<()>> {
        Box::pin(async { Ok(()) })
    }
}

/// How far a run is, in [`STEPS`].
fn step(progress: &Progress) -> u64 {
    // The time left is the best measure of what there is to do; before it is known, batches are.
    let fraction = match progress.seconds_left {
        Some(left) => progress.seconds / (progress.seconds + left).max(f64::MIN_POSITIVE),
        None => progress.batches_done as f64 / progress.batches.max(1) as f64,
    };
    (fraction * STEPS as f64) as u64
}

fn message(progress: &Progress) -> String {
    let doing = match progress.phase {
        Phase::Opening => "opening the model".to_owned(),
        Phase::Prompts => "drawing prompts".to_owned(),
        Phase::Loading => format!(
            "reading weights, {:.0} of {:.0} MB",
            progress.bytes_read as f64 / 1e6,
            progress.bytes as f64 / 1e6
        ),
        Phase::Computing => format!("computing, layer {} of {}", progress.layers_done, progress.layers),
    };
    let mut message = format!(
        "{doing}; {} of {} batches done",
        progress.batches_done, progress.batches
    );
    if let Some(rate) = progress.positions_per_second {
        message.push_str(&format!(", {rate:.0} positions/s"));
    }
    if let Some(left) = progress.seconds_left {
        message.push_str(&format!(", {left:.0} s left"));
    }
    message
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_message_says_what_and_how_far() {
        let mut progress = Progress {
            phase: Phase::Loading,
            batches_done: 1,
            batches: 4,
            layers_done: 2,
            layers: 10,
            bytes_read: 5_000_000,
            bytes: 20_000_000,
            bytes_from_network: 0,
            bytes_from_storage: 0,
            bytes_per_second: None,
            linear_memory: None,
            computed: 0.0,
            positions_done: 700,
            seconds: 3.0,
            positions_per_second: None,
            seconds_left: None,
        };
        assert_eq!(message(&progress), "reading weights, 5 of 20 MB; 1 of 4 batches done");
        assert_eq!(step(&progress), 250);
        progress.phase = Phase::Computing;
        progress.positions_per_second = Some(812.4);
        progress.seconds_left = Some(6.0);
        assert_eq!(
            message(&progress),
            "computing, layer 2 of 10; 1 of 4 batches done, 812 positions/s, 6 s left"
        );
        assert_eq!(step(&progress), 333);
    }
}
