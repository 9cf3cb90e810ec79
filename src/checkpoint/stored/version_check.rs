//! Checks whether stored pieces match the version that the inner source has now.

use std::collections::BTreeMap;
use std::ops::Range;

use futures::future::try_join_all;

use super::super::manifest;
use super::super::piece_writer::Piece;
use super::super::source::Source;
use super::super::version_probe::{COMPARED, changed, spread};
use super::StoredSource;
use crate::error::Result;

/// Limit of the bytes that are compared per piece.
const SAMPLE: u64 = 1024;
/// At most one byte in this many is compared of a small piece.
const SHARE: u64 = 16;
/// Files up to this size, in bytes, are compared whole.
const SMALL_FILE: u64 = 4 << 10;

/// A range of a stored piece to compare.
struct Probe {
    file: String,
    piece: Piece,
    /// None: the whole file.
    range: Option<Range<u64>>,
}

impl StoredSource {
    /// Before the first piece of weights is added to those of an earlier visit or another tab, checks that all are of
    /// one version. The header, the small files and bytes from the middle of some pieces are read again; if the
    /// server's version label has changed, of all pieces.
    pub(super) async fn compare(&self, file: &str) -> Result<()> {
        // The offset at which the data of each weights file begins.
        let data: BTreeMap<String, u64> = {
            let state = self.state.borrow();
            if state.compared || !state.pieces.contains_key(file) {
                return Ok(());
            }
            let first = |pieces: &[Range<u64>]| pieces.first().map_or(0, |piece| piece.start);
            let files = state.pieces.iter();
            files.map(|(file, pieces)| (file.clone(), first(pieces))).collect()
        };
        let is_data = |probe: &Probe| {
            let start = data.get(&probe.file).zip(probe.range.as_ref());
            start.is_some_and(|(data, range)| range.start >= *data)
        };
        let (weights, others): (Vec<_>, Vec<_>) = self.earlier().into_iter().partition(is_data);
        // Headers first: the version labels in their responses decide how much else is compared.
        let is_header = |probe: &Probe| data.contains_key(&probe.file);
        self.all_agree(others.iter().filter(|probe| is_header(probe))).await?;
        self.all_agree(others.iter().filter(|probe| !is_header(probe))).await?;
        let weights: Vec<Probe> = weights.into_iter().filter_map(Probe::sampled).collect();
        let most = match (
            self.inner.reads_from_the_start(),
            data.keys().any(|file| self.has_new_label(file)),
        ) {
            (true, _) => 1,
            (false, true) => weights.len(),
            (false, false) => COMPARED,
        };
        let chosen = match most {
            1 => [0].into(),
            most => spread(weights.len(), most),
        };
        self.all_agree(chosen.into_iter().filter_map(|index| weights.get(index)))
            .await?;
        let labels = data
            .into_keys()
            .filter_map(|file| Some((self.inner.label(&file)?, file)));
        let labels: Vec<_> = labels.collect();
        let mut state = self.state.borrow_mut();
        if let Some(manifest) = &mut state.manifest {
            // Saved with the next piece.
            manifest
                .labels
                .extend(labels.into_iter().map(|(label, file)| (file, label)));
        }
        state.compared = true;
        Ok(())
    }

    /// The stored pieces that this source has not read itself, as probes of the whole piece.
    fn earlier(&self) -> Vec<Probe> {
        let state = self.state.borrow();
        let Some(manifest) = &state.manifest else {
            return Vec::new();
        };
        let names = manifest.pieces.keys().filter(|name| !state.fresh.contains(*name));
        let mut probes: Vec<Probe> = names
            .map(|name| {
                let (file, range) = manifest::of_piece(name);
                let length = manifest.pieces.get(name).map_or(0, |kept| kept.length);
                let piece = Piece {
                    name: name.clone(),
                    range: range.clone(),
                };
                let probe = Probe { file, piece, range };
                if probe.range.is_none() && length > SMALL_FILE {
                    Probe {
                        range: middle(0..length),
                        ..probe
                    }
                } else {
                    probe
                }
            })
            .collect();
        probes.sort_by_key(|probe| probe.range.as_ref().map(|range| range.start));
        probes
    }

    fn has_new_label(&self, file: &str) -> bool {
        let state = self.state.borrow();
        let known = state.manifest.as_ref().and_then(|manifest| manifest.labels.get(file));
        known
            .zip(self.inner.label(file))
            .is_some_and(|(known, label)| *known != label)
    }

    /// Whether all `probes` agree. If one does not, everything that is stored is dropped.
    async fn all_agree<'p>(&self, probes: impl Iterator<Item = &'p Probe>) -> Result<()> {
        let probes: Vec<&Probe> = probes.collect();
        let answers = try_join_all(probes.iter().map(|probe| self.agrees(probe))).await?;
        if let Some((probe, _)) = probes.iter().zip(answers).find(|(_, agrees)| !agrees) {
            self.forget(|_| true).await;
            return Err(changed(&probe.file, &self.location()));
        }
        Ok(())
    }

    async fn agrees(&self, probe: &Probe) -> Result<bool> {
        let Ok(Some(stored)) = self.store.open(&self.folder, &probe.piece.name).await else {
            return Ok(true);
        };
        let range = probe.range.clone().unwrap_or(0..stored.length());
        let start = probe.piece.range.as_ref().map_or(0, |piece| piece.start);
        let mut before = vec![0; usize::try_from(range.end - range.start).unwrap_or(0)];
        if stored.read_at(range.start - start, &mut before).is_err() {
            return Ok(true);
        }
        let mut now = self.inner.read(&probe.file, probe.range.clone()).await;
        if probe.piece.range.is_none() && now.is_err() {
            // The new version of the file may be shorter.
            now = self.inner.read(&probe.file, None).await;
        }
        // A damaged stored piece is no sign of another version.
        Ok(now? == before || self.whole(&probe.piece).await.is_none())
    }
}

impl Probe {
    /// Reduces the probe to a few bytes. None for an empty range.
    fn sampled(self) -> Option<Self> {
        let range = middle(self.range.clone()?)?;
        Some(Self {
            range: Some(range),
            ..self
        })
    }
}

/// A few bytes from the middle of `range`, aligned to four: complete numbers, whose last bits any training step
/// changes.
fn middle(range: Range<u64>) -> Option<Range<u64>> {
    let length = range.end.saturating_sub(range.start);
    let count = (length / SHARE).clamp(1, SAMPLE);
    let start = range.start + (length.saturating_sub(count) / 2) / 4 * 4;
    (length > 0).then_some(start..start + count)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn samples_are_short_and_inside() {
        assert_eq!(middle(0..0), None);
        assert_eq!(middle(5..6), Some(5..6));
        assert_eq!(middle(100..200), Some(144..150));
        let sample = middle(1 << 20..9 << 20).expect("bytes");
        assert_eq!(sample.end - sample.start, SAMPLE);
        assert_eq!(sample.start, (5 << 20) - SAMPLE / 2);
    }
}
