//! What a pass over edited sequences need not compute: unchanged rows, unchanged queries, keys and values, and parts of
//! the last layer that nothing reads.

use std::ops::Range;

use super::Pass;
use crate::error::{Error, ErrorKind, Result};
use crate::model::Config;
use crate::names::{BlockHook, HookPoint};

impl Pass {
    /// The first recomputed layer of `row` in an edited pass; None where the row is unchanged.
    pub(crate) fn computed_from(&self, row: usize) -> Option<usize> {
        let edited = self.edited.as_ref()?;
        let copied = edited.copied.get(row.checked_sub(edited.unchanged)?)?;
        Some(copied.1)
    }

    /// Number of row-layer steps that an edited pass computes in `layers` layers.
    pub(crate) fn steps(&self, layers: usize) -> usize {
        let copied = self.edited.iter().flat_map(|edited| &edited.copied);
        copied.map(|(_, from_layer)| layers.saturating_sub(*from_layer)).sum()
    }

    /// Whether the residual stream after the last layer is computed at `row`.
    pub(crate) fn is_read(&self, row: usize) -> bool {
        let edited = self.edited.as_ref();
        edited.is_none_or(|edited| row < edited.unchanged || row >= edited.read_from)
    }

    /// The first recomputed row that is read after the last layer.
    pub(super) fn read_from(&self) -> usize {
        self.edited.as_ref().map_or(0, |edited| edited.read_from)
    }

    /// Checks that no tap asks for activations that are skipped in the last of `layers` layers: of rows that have only
    /// keys and values there.
    pub(super) fn check_read(&self, layers: usize) -> Result<()> {
        let is_late = |point: HookPoint| match point {
            HookPoint::Block { layer, hook } => layer + 1 == layers && hook > BlockHook::V,
            HookPoint::LnFinalScale => true,
        };
        let mut taps = self.request.taps.iter().filter(|tap| is_late(tap.point));
        match taps.find(|tap| tap.rows.iter().any(|row| !self.is_read(*row))) {
            None => Ok(()),
            Some(tap) => Err(Error::new(
                ErrorKind::Request,
                format!("{} is captured where only the last position is read", tap.point),
            )
            .expected("the last position of a variant")),
        }
    }

    /// End of a step that begins at the next row and takes at most `most` of the rows `of_layer` through the next layer
    /// of `layers`. A step never mixes rows of different kinds.
    pub(super) fn end_of_step(&self, of_layer: &Range<usize>, most: usize, layers: usize) -> usize {
        let (layer, row) = (self.progress.layers, self.progress.row);
        let last = (layer + 1 == layers).then(|| self.read_from());
        let limits = [self.begin_at(layer), last];
        let limits = limits.into_iter().flatten().filter(|end| *end > row);
        limits.fold(of_layer.end.min(row + most), usize::min)
    }

    /// The first of the rows that begin in `layer` (they are the last rows of the layer). None for a pass whose rows
    /// all begin at the embedding.
    fn begin_at(&self, layer: usize) -> Option<usize> {
        let edited = self.edited.as_ref()?;
        let before = edited.copied.partition_point(|(_, from_layer)| *from_layer < layer);
        Some(edited.unchanged + before)
    }

    /// Queries, keys and values of the rows `range` of `layer`, taken from the original pass. Only if all of these rows
    /// begin in this layer with an unchanged residual stream. Edits are not applied yet.
    pub(super) fn known_qkv(&self, layer: usize, range: &Range<usize>, config: &Config) -> Option<Vec<f32>> {
        let edited = self.edited.as_ref()?;
        let changes_stream = |point: HookPoint| {
            [BlockHook::ResidPre, BlockHook::Ln1Scale]
                .map(|hook| HookPoint::block(layer, hook))
                .contains(&point)
        };
        let mut edits = edited.edits.iter().filter(|(row, _)| range.contains(row));
        if self.begin_at(layer)? > range.start || edits.any(|(_, edit)| changes_stream(edit.point)) {
            return None;
        }
        let (width, of_base) = (3 * config.d_model, edited.base.qkv(layer));
        let copied = edited
            .copied
            .get(range.start - edited.unchanged..range.end - edited.unchanged)?;
        let rows = copied.iter().map(|(origin, _)| &of_base[origin * width..][..width]);
        Some(rows.flatten().copied().collect())
    }
}
