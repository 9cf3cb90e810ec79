//! Edits: a vector in place of an activation, and which rows have to be computed again.

use crate::error::{Error, ErrorKind, Result};
use crate::forward::tap::width;
use crate::forward::{ActivationCache, PrefixTree};
use crate::model::Config;
use crate::names::{BlockHook, HookPoint};

/// A vector that is put in place of an activation at one position.
#[derive(Debug, Clone, PartialEq)]
pub struct Edit {
    /// Which activation: any but [`BlockHook::Result`], which is made from [`BlockHook::Z`].
    pub point: HookPoint,
    /// Which head, where heads have one of their own; else None.
    pub head: Option<usize>,
    /// The position in its sequence.
    pub position: usize,
    /// The vector, as wide as the activation: `d_model`, `d_head`, `d_mlp`, `position + 1` for a row of scores or
    /// probabilities, 1 for a scale. Of several edits of the same activation the last one holds.
    pub value: Vec<f32>,
}

impl Edit {
    /// `value` in place of an activation that each head has one of.
    pub fn of_head(layer: usize, hook: BlockHook, head: usize, position: usize, value: Vec<f32>) -> Self {
        Self {
            point: HookPoint::block(layer, hook),
            head: Some(head),
            position,
            value,
        }
    }

    /// The first layer whose rows change at its position; of later positions one more, unless they see it there.
    fn first_layers(&self, n_layer: usize) -> (usize, usize) {
        match self.point {
            HookPoint::Block { layer, hook } if hook.is_seen_by_later_positions() => (layer, layer),
            HookPoint::Block { layer, .. } => (layer, (layer + 1).min(n_layer)),
            // Logits alone change, and only here.
            HookPoint::LnFinalScale => (n_layer, n_layer),
        }
    }

    /// Checks that the activation is there in a sequence of `positions`, and as wide as the vector.
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

/// A sequence of a finished pass with edits.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Variant {
    /// Which sequence of the pass, by its number in the [`PrefixTree`].
    pub sequence: usize,
    /// What is put in its place. Without edits nothing is computed again.
    pub edits: Vec<Edit>,
    /// The last position that is of interest; None for the whole sequence. Later ones are not computed again.
    pub until: Option<usize>,
    /// Whether the last position alone is read after the last layer: in that layer the others have keys and values, and nothing else.
    /// [`Pass::edited`](crate::forward::Pass::edited) leaves the rest of the layer out where all variants say so, and has no logits there.
    pub only_last: bool,
}

/// A row that is computed again: a copy of another pass's row, from some layer on.
#[derive(Debug, Clone, Copy)]
struct Copied {
    variant: usize,
    position: usize,
    from_layer: usize,
    /// Whether it is read after the last layer.
    is_read: bool,
}

/// The rows of an edited pass: those of the pass it was made from, which stay as they are, then those that are computed
/// again, sorted by the layer from which they are.
pub(crate) struct Rows {
    pub(crate) tree: PrefixTree,
    /// Number of rows that stay as they are.
    pub(crate) frozen: usize,
    /// For every other row the row that it is a copy of, and the layer from which it is computed.
    pub(crate) copied: Vec<(usize, usize)>,
    /// The first of the others that is read after the last layer, as are all after it that variants say so of.
    pub(crate) read_from: usize,
    /// Edits with the row that they are of.
    pub(crate) edits: Vec<(usize, Edit)>,
}

impl Rows {
    /// The rows for `variants` of the sequences of `tree`, whose pass has `kept` its layers.
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
        // A row's ancestors start no later than itself, and are not the last of their sequence: with a stable order they come before it.
        copies.sort_by_key(|copy| (copy.from_layer, copy.is_read));
        let frozen = tree.len();
        let mut paths: Vec<Vec<usize>> = variants
            .iter()
            .map(|variant| positions_of(variant, tree).to_vec())
            .collect();
        let mut rows = Self {
            tree: tree.without_paths(),
            frozen,
            copied: Vec::with_capacity(copies.len()),
            read_from: frozen + copies.iter().position(|copy| copy.is_read).unwrap_or(copies.len()),
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

/// The rows of a variant's sequence by position, as far as they are of interest.
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

/// The positions of a variant that are computed again, each from which layer on.
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
    // A row needs its ancestors' keys and values from its own first layer on.
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
