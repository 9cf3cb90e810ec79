//! Taps: requests to capture activations, by hook point, heads and rows.

use std::cell::RefCell;
use std::ops::Range;
use std::rc::Rc;

use crate::compute::rows::{LayersTaps, Taps};
use crate::error::{Error, ErrorKind, Result};
use crate::forward::PrefixTree;
use crate::model::Config;
use crate::names::{BlockHook, HookPoint};

/// Receives activations as they are computed, where storing them all would take too much memory.
pub trait TapSink {
    /// Receives `values [indices, ..]` at `point` for the rows `indices` (positions in the tap's list of rows).
    ///
    /// The values of a block come in the order of [`BlockHook::ALL`] for some rows, then for the next rows.
    ///
    /// # Errors
    /// Any; it ends the run.
    fn take(&mut self, point: HookPoint, indices: &[usize], values: &[f32]) -> Result<()>;
}

/// A request to capture an activation at some rows of a pass.
#[derive(Clone)]
pub struct Tap {
    /// Which activation.
    pub point: HookPoint,
    /// Which heads, ascending; empty for all. Ignored where the activation does not belong to heads.
    pub heads: Vec<usize>,
    /// Rows of the pass's [`PrefixTree`]. A row may stand for several sequences, and may be listed repeatedly.
    pub rows: Vec<usize>,
    sink: Option<Rc<RefCell<dyn TapSink>>>,
}

impl Tap {
    /// Captures all heads at `point` into a [`Captured`].
    pub fn new(point: HookPoint, rows: Vec<usize>) -> Self {
        Self {
            point,
            heads: Vec::new(),
            rows,
            sink: None,
        }
    }

    /// The same for one head.
    #[must_use]
    pub fn of_head(mut self, head: usize) -> Self {
        self.heads = vec![head];
        self
    }

    /// The same, passed to `sink` instead of being stored.
    #[must_use]
    pub fn into_sink(mut self, sink: Rc<RefCell<dyn TapSink>>) -> Self {
        self.sink = Some(sink);
        self
    }

    /// The same for other rows.
    pub(super) fn at(&self, rows: Vec<usize>) -> Self {
        Self { rows, ..self.clone() }
    }

    /// The sink, if there is one.
    pub(super) fn sink(&self) -> Option<Rc<RefCell<dyn TapSink>>> {
        self.sink.clone()
    }

    /// Whether it captures the same, and stores it.
    pub(super) fn is_same(&self, other: &Self) -> bool {
        let stored = self.sink.is_none() && other.sink.is_none();
        stored && (self.point, &self.heads, &self.rows) == (other.point, &other.heads, &other.rows)
    }

    /// Whether the activation is one of a block before `layer`.
    pub(super) fn is_before(&self, layer: usize) -> bool {
        matches!(self.point, HookPoint::Block { layer: of, .. } if of < layer)
    }

    /// Number of heads that are captured; 1 where the activation does not belong to heads.
    fn head_count(&self, config: &Config) -> usize {
        match (self.point.is_of_head(), self.heads.len()) {
            (false, _) => 1,
            (true, 0) => config.n_head,
            (true, count) => count,
        }
    }

    /// Number of values of one row at `position`.
    fn width(&self, config: &Config, position: usize) -> usize {
        self.head_count(config) * width(self.point, config, position)
    }

    /// Checks that a pass through `layers` blocks computes the activation, the rows (which must be in `computed`) and
    /// the heads.
    fn check(&self, config: &Config, layers: usize, computed: &Range<usize>) -> Result<()> {
        let error = |cause: String| Error::new(ErrorKind::Request, cause);
        let (last, there) = match self.point {
            HookPoint::Block { layer, .. } => (layer + 1, config.n_layer),
            HookPoint::LnFinalScale => (config.n_layer, config.n_layer),
        };
        if last > there {
            return Err(error(format!("there is no {} in this model", self.point))
                .expected(format!("a layer from 0 to {}", config.n_layer.saturating_sub(1))));
        }
        if last > layers {
            return Err(
                error(format!("{} is not computed by a run of {layers} layers", self.point))
                    .expected(format!("a run of {last} layers or more")),
            );
        }
        if let Some(head) = self.heads.iter().find(|head| **head >= config.n_head) {
            return Err(error(format!("head {head} of {} does not exist", self.point))
                .expected(format!("a head from 0 to {}", config.n_head.saturating_sub(1))));
        }
        match self.rows.iter().find(|row| !computed.contains(row)) {
            Some(row) => Err(
                error(format!("row {row} is not computed by this pass")).expected(format!(
                    "a row from {} to {}",
                    computed.start,
                    computed.end.saturating_sub(1)
                )),
            ),
            None => Ok(()),
        }
    }
}

/// Number of values of an activation at `position`, per head where it belongs to heads.
pub(crate) fn width(point: HookPoint, config: &Config, position: usize) -> usize {
    let HookPoint::Block { hook, .. } = point else {
        return 1;
    };
    match hook {
        BlockHook::ResidPre
        | BlockHook::QInput
        | BlockHook::KInput
        | BlockHook::VInput
        | BlockHook::Result
        | BlockHook::MlpOut => config.d_model,
        BlockHook::Ln1Scale => 1,
        BlockHook::Q | BlockHook::K | BlockHook::V | BlockHook::Z => config.d_head(),
        BlockHook::AttnScores | BlockHook::Pattern => position + 1,
        BlockHook::MlpPost => config.d_mlp,
    }
}

/// The activations that a tap has captured.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Captured {
    /// Values of all rows, `[rows, heads, ..]` (without the axis of heads where the activation does not belong to
    /// heads). Scores and probabilities have one value per source position.
    pub values: Vec<f32>,
    /// Offset of each row, and the end.
    starts: Vec<usize>,
}

impl Captured {
    /// Allocates space for the values of `tap`.
    pub(crate) fn new(tap: &Tap, tree: &PrefixTree, config: &Config) -> Self {
        if tap.sink.is_some() {
            return Self::default();
        }
        let mut starts = Vec::with_capacity(tap.rows.len() + 1);
        let mut end = 0;
        starts.push(end);
        for &row in &tap.rows {
            end += tap.width(config, tree.position(row));
            starts.push(end);
        }
        Self {
            values: vec![0.0; end],
            starts,
        }
    }

    /// Stores `values` as those of the tap's row number `index`.
    pub(super) fn set_row(&mut self, index: usize, values: &[f32]) {
        if let Some(&[start, end]) = self.starts.get(index..index + 2) {
            self.values[start..end].copy_from_slice(values);
        }
    }

    /// The values of the tap's row number `index`, `[heads, ..]`; empty where it does not exist.
    pub fn row(&self, index: usize) -> &[f32] {
        match self.starts.get(index..index + 2) {
            Some(&[start, end]) => &self.values[start..end],
            _ => &[],
        }
    }
}

/// Checks that a pass through `layers` blocks, with the rows `computed`, computes everything that `taps` ask for.
pub(crate) fn check(taps: &[Tap], config: &Config, layers: usize, computed: &Range<usize>) -> Result<()> {
    taps.iter().try_for_each(|tap| tap.check(config, layers, computed))
}

/// The taps of one layer, as an engine sees them.
pub(crate) struct LayerTaps<'a> {
    layer: usize,
    n_head: usize,
    /// The taps of this layer, each with its destination.
    taps: Vec<(ResolvedTap<'a>, &'a mut Captured)>,
}

/// A tap, and whether its rows are sorted. Determined once per layer, as it is needed for every attending row.
#[derive(Clone, Copy)]
struct ResolvedTap<'a> {
    tap: &'a Tap,
    /// Whether its rows are sorted.
    sorted: bool,
}

impl<'a> ResolvedTap<'a> {
    fn new(tap: &'a Tap) -> Self {
        Self {
            tap,
            sorted: tap.rows.is_sorted(),
        }
    }

    /// Indices of the tap's rows that include all those in `range`: exactly these if the rows are sorted, else all.
    fn indices(&self, range: &Range<usize>) -> Range<usize> {
        if self.sorted {
            let before = |end: usize| self.tap.rows.partition_point(|row| *row < end);
            before(range.start)..before(range.end)
        } else {
            0..self.tap.rows.len()
        }
    }
}

impl<'a> LayerTaps<'a> {
    pub(crate) fn new(layer: usize, config: &Config, taps: &'a [Tap], captured: &'a mut [Captured]) -> Self {
        let here = |tap: &Tap| matches!(tap.point, HookPoint::Block { layer: of, .. } if of == layer);
        Self {
            layer,
            n_head: config.n_head,
            taps: taps
                .iter()
                .zip(captured)
                .filter(|(tap, _)| here(tap))
                .map(|(tap, captured)| (ResolvedTap::new(tap), captured))
                .collect(),
        }
    }

    fn at(&self, hook: BlockHook) -> impl Iterator<Item = ResolvedTap<'a>> {
        let point = HookPoint::block(self.layer, hook);
        self.taps
            .iter()
            .map(|(resolved, _)| *resolved)
            .filter(move |resolved| resolved.tap.point == point)
    }
}

impl Taps for LayerTaps<'_> {
    fn wanted(&self, hook: BlockHook, rows: &Range<usize>) -> Vec<usize> {
        let resolved = self
            .at(hook)
            .flat_map(|resolved| &resolved.tap.rows[resolved.indices(rows)])
            .copied();
        let mut wanted: Vec<usize> = resolved.filter(|row| rows.contains(row)).collect();
        wanted.sort_unstable();
        wanted.dedup();
        wanted
    }

    fn heads(&self, hook: BlockHook) -> Vec<usize> {
        let mut resolved: Vec<usize> = Vec::new();
        for ResolvedTap { tap, .. } in self.at(hook) {
            if tap.heads.is_empty() {
                return (0..self.n_head).collect();
            } else {
                resolved.extend(&tap.heads)
            }
        }
        resolved.sort_unstable();
        resolved.dedup();
        resolved
    }

    fn give(&mut self, hook: BlockHook, rows: &[usize], values: &[f32]) -> Result<()> {
        let point = HookPoint::block(self.layer, hook);
        let given = Given {
            rows,
            heads: if hook.is_of_head() { self.heads(hook) } else { vec![0] },
            values,
        };
        for (resolved, captured) in self.taps.iter_mut().filter(|(resolved, _)| resolved.tap.point == point) {
            given.hand_to(*resolved, captured)?;
        }
        Ok(())
    }
}

/// The taps of all layers.
pub(crate) struct AllTaps<'a> {
    pub(crate) config: &'a Config,
    pub(crate) taps: &'a [Tap],
    pub(crate) captured: &'a mut [Captured],
}

impl LayersTaps for AllTaps<'_> {
    fn of_layer(&mut self, layer: usize) -> Box<dyn Taps + '_> {
        Box::new(LayerTaps::new(layer, self.config, self.taps, self.captured))
    }
}

/// Captures the scales of the final LayerNorm at `rows` for the taps that ask for them.
pub(crate) fn give_final_scales(taps: &[Tap], captured: &mut [Captured], rows: &[usize], scales: &[f32]) -> Result<()> {
    let given = Given {
        rows,
        heads: vec![0],
        values: scales,
    };
    let resolved = taps.iter().zip(captured);
    resolved
        .filter(|(tap, _)| tap.point == HookPoint::LnFinalScale)
        .try_for_each(|(tap, captured)| given.hand_to(ResolvedTap::new(tap), captured))
}

/// Values of some rows and heads, as an engine computes them.
struct Given<'a> {
    /// Ascending.
    rows: &'a [usize],
    /// Ascending.
    heads: Vec<usize>,
    /// `[rows, heads, ..]`.
    values: &'a [f32],
}

impl Given<'_> {
    /// Gives a tap the part that it asks for.
    fn hand_to(&self, resolved: ResolvedTap<'_>, captured: &mut Captured) -> Result<()> {
        let tap = resolved.tap;
        let (mut indices, mut taken) = (Vec::new(), Vec::new());
        let [Some(first), Some(last)] = [self.rows.first(), self.rows.last()] else {
            return Ok(());
        };
        for index in resolved.indices(&(*first..last + 1)) {
            let Ok(place) = self.rows.binary_search(&tap.rows[index]) else {
                continue;
            };
            let width = self.values.len() / self.rows.len();
            let of_row = &self.values[place * width..][..width];
            indices.push(index);
            let start = taken.len();
            self.take_heads(tap, of_row, &mut taken);
            if tap.sink.is_none() {
                let at = captured.starts[index];
                captured.values[at..][..taken.len() - start].copy_from_slice(&taken[start..]);
                taken.truncate(start);
            }
        }
        match &tap.sink {
            Some(sink) if !indices.is_empty() => sink.borrow_mut().take(tap.point, &indices, &taken),
            _ => Ok(()),
        }
    }

    /// Appends the values of the tap's heads in one row.
    fn take_heads(&self, tap: &Tap, of_row: &[f32], taken: &mut Vec<f32>) {
        if tap.heads.is_empty() || !tap.point.is_of_head() {
            taken.extend_from_slice(of_row);
            return;
        }
        let width = of_row.len() / self.heads.len();
        for (of_head, head) in of_row.chunks_exact(width).zip(&self.heads) {
            if tap.heads.contains(head) {
                taken.extend_from_slice(of_head);
            }
        }
    }
}
