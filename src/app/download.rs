//! Words and numbers about the download of a model.

use crate::analysis::Progress;
use crate::quantities::{duration, size};

/// Whether weights still have to be read.
pub fn is_under_way(progress: &Progress) -> bool {
    progress.bytes_read < progress.bytes
}

/// Share of the weights that has been read, from 0 to 1.
pub fn fraction(progress: &Progress) -> f64 {
    match progress.bytes {
        0 => 0.0,
        bytes => (progress.bytes_read as f64 / bytes as f64).min(1.0),
    }
}

/// Source, rate and remaining time: "120.0 of 450.5 MB · 11.2 MB/s · about 30 s left · 100.0 MB from the network, 20.0
/// MB from storage".
pub fn details(progress: &Progress, paused: bool) -> String {
    let mut parts = vec![format!("{} of {}", size(progress.bytes_read), size(progress.bytes))];
    match progress.bytes_per_second.filter(|rate| *rate > 0.0 && !paused) {
        Some(rate) if is_under_way(progress) => {
            let left = progress.bytes.saturating_sub(progress.bytes_read) as f64 / rate;
            parts.push(format!("{}/s", size(rate as u64)));
            parts.push(format!("about {} left", duration(left)));
        }
        _ if paused => parts.push("paused".into()),
        _ => {}
    }
    let network = format!("{} from the network", size(progress.bytes_from_network));
    parts.push(match progress.bytes_from_storage {
        0 => network,
        stored => format!("{network}, {} from storage", size(stored)),
    });
    parts.join(" \u{b7} ")
}

/// The worker's memory. It never shrinks, so that it is also the peak.
pub fn memory(progress: &Progress) -> Option<String> {
    let bytes = progress.linear_memory?;
    Some(format!("memory {}", size(bytes)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::Phase;

    fn progress() -> Progress {
        Progress {
            phase: Phase::Loading,
            batches_done: 0,
            batches: 1,
            layers_done: 0,
            layers: 10,
            bytes_read: 120_000_000,
            bytes: 450_500_000,
            bytes_from_network: 101_400_000,
            bytes_from_storage: 20_000_000,
            bytes_per_second: Some(11_016_667.0),
            linear_memory: Some(310_000_000),
            computed: 0.1,
            positions_done: 0,
            seconds: 9.0,
            positions_per_second: None,
            seconds_left: None,
        }
    }

    #[test]
    fn a_download_says_how_much_how_fast_and_from_where() {
        let mut progress = progress();
        assert_eq!(
            details(&progress, false),
            "120.0 MB of 450.5 MB \u{b7} 11.0 MB/s \u{b7} about 30 s left \u{b7} 101.4 MB from the network, 20.0 MB from storage"
        );
        assert!((fraction(&progress) - 0.2664).abs() < 1e-3);
        assert!(details(&progress, true).contains("paused"));
        progress.bytes_from_storage = 0;
        progress.bytes_per_second = None;
        assert_eq!(
            details(&progress, false),
            "120.0 MB of 450.5 MB \u{b7} 101.4 MB from the network"
        );
        assert_eq!(memory(&progress).as_deref(), Some("memory 310.0 MB"));
    }

    #[test]
    fn a_download_ends() {
        let mut progress = progress();
        assert!(is_under_way(&progress));
        progress.bytes_read = progress.bytes;
        assert!(!is_under_way(&progress));
        assert_eq!(fraction(&progress), 1.0);
        progress.bytes = 0;
        assert_eq!(fraction(&progress), 0.0);
        assert_eq!(size(6_231_000_000), "6.2 GB");
    }
}
