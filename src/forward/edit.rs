//! Edits replace an activation by a vector. This module also determines which rows an edit makes necessary to
//! recompute.

use crate::error::{Error, ErrorKind, Result};
use crate::forward::tap::width;
use crate::forward::{ActivationCache, PrefixTree};
use crate::model::Config;
use crate::names::{BlockHook, HookPoint};

/// Replaces the activation at one position by a vector.
#[derive(Debug, Clone, PartialEq)]
pub struct Edit {
    /// Which activation: any but [`BlockHook::Result`], which is made from [`BlockHook::Z`].
    pub point: HookPoint,
    /// Which head, where heads have one of their own; else None.
    pub head: Option<usize>,
    /// The position in the sequence.
    pub position: usize,
    /// The vector, as wide as the activation: `d_model`, `d_head`, `d_mlp`, `position + 1` for a row of scores or
    /// probabilities, 1 for a scale. Of several edits of the same activation, the last one counts.
    pub value: Vec<f32>,
}

impl Edit {
    /// Replaces an activation that each head has, by `value`.
    pub fn of_head(layer: usize, hook: BlockHook, head: usize, position: usize, value: Vec<f32>) -> Self {
        Self {
            point: HookPoint::block(layer, hook),
            head: Some(head),
            position,
            value,
        }
    }

    /// The first layer whose output changes at the edited position, and at later positions: one layer later, unless
    /// they read the activation in the same layer.
    fn first_layers(&self, n_layer: usize) -> (usize, usize) {
        match self.point {
            HookPoint::Block { layer, hook } if hook.is_seen_by_later_positions() => (layer, layer),
            HookPoint::Block { layer, .. } => (layer, (layer + 1).min(n_layer)),
            // Only the logits change, and only at this position.
            HookPoint::LnFinalScale => (n_layer, n_layer),
        }
    }

    /// Checks that the activation exists in a sequence of `positions` positions, and that the vector has its width.
    fn check(&self, config: &Config, positions: usize) -> Result<()> {
        let error = |cause: String| Error::new(ErrorKind::Request, cause);
        let point = self.point;
        match point {
            HookPoint::Block { layer, .. } if layer >= config.n_layer => {
                return Err(error(format!("{point} can't be edited: there is no layer {layer}"))
                    .expected(format!("a layer from 0 to {}", config.n_layer.saturating_sub(1))));
            }
            HookPoint::Block {
                hook: BlockHook::Result,
                ..
            } => {
                return Err(error(format!("{point} can be captured, but not edited"))
                    .advice("Edit attn.hook_z, from which it is made."));
            }
            _ => {}
        }
        let head = self
            .head
            .map_or_else(|| "no head".to_owned(), |head| format!("head {head}"));
        match (point.is_of_head(), self.head) {
            (true, Some(number)) if number < config.n_head => {}
            (false, None) => {}
            (true, _) => {
                return Err(error(format!("{point} can't be edited for {head}"))
                    .expected(format!("a head from 0 to {}", config.n_head.saturating_sub(1))));
            }
            (false, Some(_)) => {
                return Err(
                    error(format!("{point} can't be edited for {head}")).expected("no head, as all heads share it")
                );
            }
        }
        if self.position >= positions {
            let cause = format!("{point} can't be edited at position {}", self.position);
            return Err(error(cause).expected(format!("a position from 0 to {}", positions.saturating_sub(1))));
        }
        let width = width(point, config, self.position);
        if self.value.len() != width {
            let cause = format!("the vector for {point} has {} numbers", self.value.len());
            return Err(error(cause).expected(format!("{width}")));
        }
        match self.value.iter().position(|value| !value.is_finite()) {
            Some(index) => Err(error(format!(
                "number {index} of the vector for {point} is {}",
                self.value[index]
            ))
            .expected("finite numbers")),
            None => Ok(()),
        }
    }
}

/// A sequence of a finished pass, with edits.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Variant {
    /// Number of the sequence in the pass's [`PrefixTree`].
    pub sequence: usize,
    /// The edits. Without any, nothing is recomputed.
    pub edits: Vec<Edit>,
    /// The last position of interest; None for the whole sequence. Later positions are not recomputed.
    pub until: Option<usize>,
    /// Whether only the last position is read after the last layer. Then, in that layer, only keys and values are
    /// computed for the other positions. [`Pass::edited`](crate::forward::Pass::edited) skips the rest of the layer if
    /// this is set in all variants; logits of these positions do not exist then.
    pub only_last: bool,
}

/// A row to recompute: a copy of a row of the original pass, from some layer on.
#[derive(Debug, Clone, Copy)]
struct Copied {
    variant: usize,
    position: usize,
    from_layer: usize,
    /// Whether the row is read after the last layer.
    is_read: bool,
}

/// The rows of an edited pass: first those of the original pass, unchanged, then the recomputed ones, sorted by their
/// first recomputed layer.
pub(crate) struct Rows {
    pub(crate) tree: PrefixTree,
    /// Number of unchanged rows.
    pub(crate) unchanged: usize,
    /// For each recomputed row, the row of the original pass that it copies, and the first recomputed layer.
    pub(crate) copied: Vec<(usize, usize)>,
    /// The first recomputed row that is read after the last layer. It is followed only by such rows where all variants
    /// set `only_last`.
    pub(crate) read_from: usize,
    /// Edits with the rows that they apply to.
    pub(crate) edits: Vec<(usize, Edit)>,
}

impl Rows {
    /// The rows for `variants` of the sequences of `tree`. `kept` is the activation cache of their pass.
    pub(crate) fn new(
        tree: &PrefixTree,
        kept: &ActivationCache,
        config: &Config,
        variants: &[Variant],
    ) -> Result<Self> {
        let mut copies = Vec::new();
        for (number, variant) in variants.iter().enumerate() {
            check(variant, tree, kept, config)?;
            copies.extend(copies_of(number, variant, tree, config.n_layer));
        }
        // An ancestor starts no later than its descendants and is not the last of its sequence, so that a stable sort
        // keeps it before them.
        copies.sort_by_key(|copy| (copy.from_layer, copy.is_read));
        let unchanged = tree.len();
        let mut paths: Vec<Vec<usize>> = variants
            .iter()
            .map(|variant| positions_of(variant, tree).to_vec())
            .collect();
        let mut rows = Self {
            tree: tree.without_paths(),
            unchanged,
            copied: Vec::with_capacity(copies.len()),
            read_from: unchanged + copies.iter().position(|copy| copy.is_read).unwrap_or(copies.len()),
            edits: Vec::new(),
        };
        for copy in copies {
            let path = &mut paths[copy.variant];
            let origin = path[copy.position];
            let parent = copy.position.checked_sub(1).map(|before| path[before]);
            path[copy.position] = rows.tree.push(tree.token(origin), copy.position, parent);
            rows.copied.push((origin, copy.from_layer));
        }
        for (variant, path) in variants.iter().zip(&paths) {
            let edits = variant.edits.iter().map(|edit| (path[edit.position], edit.clone()));
            rows.edits.extend(edits);
        }
        rows.tree.set_paths(paths);
        Ok(rows)
    }
}

/// The rows of a variant's sequence by position, up to the last position of interest.
fn positions_of<'t>(variant: &Variant, tree: &'t PrefixTree) -> &'t [usize] {
    let path = tree.path(variant.sequence);
    let end = variant
        .until
        .map_or(path.len(), |until| path.len().min(until.saturating_add(1)));
    &path[..end]
}

fn check(variant: &Variant, tree: &PrefixTree, kept: &ActivationCache, config: &Config) -> Result<()> {
    let error = |cause: String| Error::new(ErrorKind::Request, cause);
    if variant.sequence >= tree.sequences() {
        return Err(error(format!("there is no sequence {} to edit", variant.sequence))
            .expected(format!("one of {}, counted from 0", tree.sequences())));
    }
    let positions = positions_of(variant, tree).len();
    for edit in &variant.edits {
        edit.check(config, positions)?;
        let (layer, _) = edit.first_layers(config.n_layer);
        if !kept.has(layer) {
            return Err(error(format!(
                "{} can't be edited: the pass has not kept layer {layer}",
                edit.point
            ))
            .expected("a pass that has kept this layer and all after it"));
        }
    }
    Ok(())
}

/// The positions of a variant to recompute, each with its first recomputed layer.
fn copies_of(number: usize, variant: &Variant, tree: &PrefixTree, n_layer: usize) -> Vec<Copied> {
    let positions = positions_of(variant, tree).len();
    let mut from_layers = vec![None::<usize>; positions];
    for edit in &variant.edits {
        let (here, later) = edit.first_layers(n_layer);
        for (position, from_layer) in from_layers.iter_mut().enumerate().skip(edit.position) {
            let from = match (position == edit.position, edit.point) {
                (true, _) => here,
                (false, HookPoint::LnFinalScale) => break,
                (false, HookPoint::Block { .. }) => later,
            };
            *from_layer = Some(from_layer.map_or(from, |known| known.min(from)));
        }
    }
    // A row needs the keys and values of its ancestors from its own first layer on.
    let mut least = usize::MAX;
    for from_layer in from_layers.iter_mut().rev().flatten() {
        least = least.min(*from_layer);
        *from_layer = least;
    }
    let copies = from_layers.into_iter().enumerate();
    copies
        .filter_map(|(position, from_layer)| {
            Some(Copied {
                variant: number,
                position,
                from_layer: from_layer?,
                is_read: !variant.only_last || position + 1 == positions,
            })
        })
        .collect()
}
