//! Progress of a run as a number and in words, for progress bars.

use super::request::{Phase, Progress};

impl Progress {
    /// Completed share of the run, from 0 to 1.
    pub fn fraction(&self) -> f64 {
        // The estimated remaining time is the best measure; before it is known, finished batches are counted.
        match self.seconds_left {
            Some(left) => self.seconds / (self.seconds + left).max(f64::MIN_POSITIVE),
            None => self.batches_done as f64 / self.batches.max(1) as f64,
        }
    }

    /// The current phase and progress in one line.
    pub fn description(&self) -> String {
        let doing = match self.phase {
            Phase::Opening => "opening the model".to_owned(),
            Phase::Prompts => "drawing prompts".to_owned(),
            Phase::Loading => format!(
                "reading weights, {:.0} of {:.0} MB",
                self.bytes_read as f64 / 1e6,
                self.bytes as f64 / 1e6
            ),
            Phase::Computing => format!("computing, layer {} of {}", self.layers_done, self.layers),
        };
        let mut message = format!("{doing}; {} of {} batches done", self.batches_done, self.batches);
        if let Some(rate) = self.positions_per_second {
            message.push_str(&format!(", {rate:.0} positions/s"));
        }
        if let Some(left) = self.seconds_left {
            message.push_str(&format!(", {left:.0} s left"));
        }
        message
    }
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
        assert_eq!(
            progress.description(),
            "reading weights, 5 of 20 MB; 1 of 4 batches done"
        );
        assert_eq!(progress.fraction(), 0.25);
        progress.phase = Phase::Computing;
        progress.positions_per_second = Some(812.4);
        progress.seconds_left = Some(6.0);
        assert_eq!(
            progress.description(),
            "computing, layer 2 of 10; 1 of 4 batches done, 812 positions/s, 6 s left"
        );
        assert!((progress.fraction() - 1.0 / 3.0).abs() < 1e-12);
    }
}
