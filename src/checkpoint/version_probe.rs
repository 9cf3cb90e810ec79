//! Detects whether a file on a server is still the version that was read before.

use std::collections::BTreeSet;
use std::ops::Range;

use crate::error::{Error, ErrorKind};

/// Bytes kept per sample.
const SAMPLE: usize = 64;
/// Limit of the number of samples.
const MAX_SAMPLES: usize = 64;
/// Number of samples that are read again to compare versions.
pub(crate) const COMPARED: usize = 8;
/// Samples of the bytes that were read of a file, and the server's version label (`ETag` or `Last-Modified`).
///
/// A new label alone proves nothing, because the servers behind one address may label the same file differently. So
/// after a label change, and whenever time has passed, the samples are compared.
#[derive(Debug, Clone, Default)]
pub(crate) struct VersionProbe {
    label: Option<String>,
    samples: Vec<(u64, Vec<u8>)>,
    doubted: bool,
}

impl VersionProbe {
    /// The server's latest label.
    pub(crate) fn label(&self) -> Option<&String> {
        self.label.as_ref()
    }

    /// Requires a comparison before more is read.
    pub(crate) fn mark_stale(&mut self) {
        self.doubted = !self.samples.is_empty();
    }

    /// Whether a comparison is required.
    pub(crate) fn is_stale(&self) -> bool {
        self.doubted
    }

    /// Whether `label` differs from the latest one, so that the file may be another version.
    pub(crate) fn is_new_label(&self, label: Option<&str>) -> bool {
        let pair = self.label.as_deref().zip(label);
        !self.samples.is_empty() && pair.is_some_and(|(before, now)| before != now)
    }

    /// Notes that the samples have been compared successfully.
    pub(crate) fn mark_verified(&mut self) {
        self.doubted = false;
    }

    /// Records a sample of the bytes read at offset `at`, and the response's `label`.
    pub(crate) fn record(&mut self, at: u64, bytes: &[u8], label: Option<&String>) {
        if label.is_some() {
            self.label = label.cloned();
        }
        let known = self.samples.iter().any(|(known, _)| *known == at);
        if !bytes.is_empty() && self.samples.len() < MAX_SAMPLES && !known {
            self.samples.push((at, bytes[..bytes.len().min(SAMPLE)].to_vec()));
        }
    }

    /// Samples to compare, spread over everything that has been read.
    pub(crate) fn samples(&self) -> Vec<(Range<u64>, Vec<u8>)> {
        let spread = spread(self.samples.len(), COMPARED);
        let samples = spread.into_iter().filter_map(|index| self.samples.get(index));
        samples
            .map(|(at, bytes)| (*at..*at + bytes.len() as u64, bytes.clone()))
            .collect()
    }
}

/// At most `most` numbers below `count`, evenly spread, including the first and the last.
pub(crate) fn spread(count: usize, most: usize) -> BTreeSet<usize> {
    let last = count.saturating_sub(1);
    let steps = most.saturating_sub(1).max(1);
    (0..most.min(count))
        .map(|step| step * last / steps.min(last.max(1)))
        .collect()
}

/// The error for a file that has changed.
pub(crate) fn changed(file: &str, location: &str) -> Error {
    Error::new(
        ErrorKind::Changed,
        format!("{file} at {location} has changed since parts of it were read"),
    )
    .expected("the files of one version")
    .advice("Run again, with the files as they are now.")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn samples_are_spread_from_the_first_to_the_last() {
        let all = |count| spread(count, COMPARED).into_iter().collect::<Vec<_>>();
        assert_eq!(all(0), Vec::<usize>::new());
        assert_eq!(all(1), [0]);
        assert_eq!(all(3), [0, 1, 2]);
        assert_eq!(all(8), [0, 1, 2, 3, 4, 5, 6, 7]);
        assert_eq!(all(57), [0, 8, 16, 24, 32, 40, 48, 56]);
        assert_eq!(all(9).len(), 8);
    }

    #[test]
    fn what_was_read_is_compared_when_the_label_changes_and_when_time_has_passed() {
        let (a, b) = ("a".to_owned(), "b".to_owned());
        let mut version_probe = VersionProbe::default();
        assert!(!version_probe.is_new_label(Some("a")), "nothing was read yet");
        version_probe.mark_stale();
        assert!(!version_probe.is_stale(), "nothing was read yet");
        version_probe.record(0, b"abc", Some(&a));
        assert!(
            !version_probe.is_new_label(Some("a"))
                && !version_probe.is_new_label(None)
                && version_probe.is_new_label(Some("b"))
        );
        version_probe.record(3, b"def", Some(&b));
        assert!(version_probe.is_new_label(Some("a")) && !version_probe.is_new_label(Some("b")));
        version_probe.record(6, b"ghi", None);
        assert_eq!(version_probe.label(), Some(&b));
        version_probe.mark_stale();
        assert!(version_probe.is_stale());
        version_probe.mark_verified();
        assert!(!version_probe.is_stale());
    }

    #[test]
    fn samples_are_few_and_short() {
        let mut version_probe = VersionProbe::default();
        for at in 0..1000 {
            version_probe.record(at * 1000, &[1; 500], None);
            version_probe.record(at * 1000, &[2; 500], None);
        }
        let samples = version_probe.samples();
        assert_eq!(samples.len(), COMPARED);
        assert!(
            samples
                .iter()
                .all(|(range, bytes)| range.end - range.start == 64 && bytes == &[1; 64])
        );
    }
}
