//! The pair without intervention, and a head frozen at its destination, on which predictions are based.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use crate::analysis::pair::direct::direction;
use crate::analysis::pair::{Between, Pair, Sentence, Written};
use crate::error::{Error, ErrorKind, Result};
use crate::forward::{Edit, HeadWeights, Model, Monitor, Pass};
use crate::math;
use crate::model::Config;
use crate::names::{BlockHook, Head, HookPoint};

/// A sequence (a sentence, or one of many prompts) of a pass that has gone through all layers and has cached those from
/// the first edited layer on.
#[derive(Clone, Copy)]
pub(super) struct Sequence<'a> {
    pub(super) pass: &'a Pass,
    /// The number in the pass.
    pub(super) number: usize,
}

impl Sequence<'_> {
    /// The row of `position` in the pass.
    ///
    /// # Errors
    /// [`ErrorKind::Request`] for a position that does not exist.
    pub(super) fn row(self, position: usize) -> Result<usize> {
        let rows = self.pass.tree.path(self.number);
        rows.get(position).copied().ok_or_else(|| {
            let cause = format!("there is no position {position} in {} tokens", rows.len());
            Error::new(ErrorKind::Request, cause)
                .expected(format!("a position from 0 to {}", rows.len().saturating_sub(1)))
        })
    }
}

impl<'a> From<&'a Sentence> for Sequence<'a> {
    fn from(sentence: &'a Sentence) -> Self {
        Self {
            pass: sentence.pass(),
            number: 0,
        }
    }
}

/// A pair in a sequence without intervention, and the two tokens whose logits are compared after its destination.
pub(super) struct Baseline<'a> {
    pub(super) pair: &'a Pair,
    pub(super) sequence: Sequence<'a>,
    /// The two tokens.
    pub(super) targets: Between,
    /// Weights of the pair's head.
    pub(super) weights: HeadWeights,
    /// Logit of the first token minus that of the second.
    pub(super) logit_difference: f64,
    /// How much a unit of each number of the final normalized stream adds to that difference, `[d_model]`.
    direction: Vec<f64>,
    /// Vectors written by components, `[components][d_model]`, for positions where they have been computed.
    written: RefCell<BTreeMap<usize, Rc<Vec<Vec<f32>>>>>,
}

impl<'a> Baseline<'a> {
    /// For `pair` in `sequence`; `logit_difference` is that of `targets` after its destination. Reads the rows of the
    /// targets.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Prompt`] for a token beyond the vocabulary, read errors, and those of `monitor`.
    pub(super) async fn new(
        model: &mut Model,
        (pair, sequence): (&'a Pair, Sequence<'a>),
        (targets, logit_difference): (Between, f64),
        monitor: &dyn Monitor,
    ) -> Result<Self> {
        let (direction, _) = direction(model, targets, monitor).await?;
        Ok(Self {
            pair,
            sequence,
            targets,
            weights: model.head_weights(pair.head, monitor).await?,
            logit_difference,
            direction,
            written: RefCell::default(),
        })
    }

    /// The residual stream before the pair's head at `position`, `[d_model]`.
    pub(super) fn stream(&self, config: &Config, position: usize) -> Result<&'a [f32]> {
        let row = self.sequence.row(position)?;
        Ok(self.sequence.pass.resid_pre(config, self.pair.head.layer, row))
    }

    /// The logit difference at `row` of a finished edited `pass`.
    pub(super) fn logit_difference_at(&self, config: &Config, pass: &Pass, row: usize) -> Result<f64> {
        let of_sequence = self.sequence.row(self.pair.dest)?;
        let direct = |pass: &Pass, row: usize| {
            let scale = pass.final_scales(&[row], config).first().copied().unwrap_or(f32::NAN);
            math::dot_wide(&self.direction, pass.resid_at(row)) / f64::from(scale)
        };
        Ok(self.logit_difference + direct(pass, row) - direct(self.sequence.pass, of_sequence))
    }

    /// Adds known vectors written at `position`.
    pub(super) fn know(&self, position: usize, written: &Written) {
        let vectors = Rc::new(written.vectors.clone());
        self.written.borrow_mut().insert(position, vectors);
    }

    /// The vectors written by embeddings and components before the pair's head at each of `positions` of `sentence`,
    /// `[positions][components][d_model]`, in the order of [`crate::names::Component::before`] (others may follow).
    /// Missing positions are computed in one pass.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Request`] for a position that does not exist, read errors, and those of `monitor`.
    pub(super) async fn written(
        &self,
        model: &mut Model,
        sentence: &Sentence,
        positions: &[usize],
        monitor: &dyn Monitor,
    ) -> Result<Vec<Rc<Vec<Vec<f32>>>>> {
        let mut missing = positions.to_vec();
        missing.retain(|position| !self.written.borrow().contains_key(position));
        missing.sort_unstable();
        missing.dedup();
        if !missing.is_empty() {
            let layers = self.pair.head.layer;
            let found = sentence.written_before(model, layers, &missing, monitor).await?;
            let found = missing.into_iter().zip(found.into_iter().map(Rc::new));
            self.written.borrow_mut().extend(found);
        }
        let known = self.written.borrow();
        let at = |position| known.get(position).map(Rc::clone).ok_or_else(|| not_written(position));
        positions.iter().map(at).collect()
    }

    /// How much a unit of each number of the stream after the last layer adds to the logit difference at the
    /// destination, `[d_model]`, with the scale of the final LayerNorm frozen.
    fn direct(&self, model: &Model) -> Result<Vec<f64>> {
        let row = self.sequence.row(self.pair.dest)?;
        let scales = self.sequence.pass.final_scales(&[row], model.config());
        let scale = f64::from(scales.first().copied().unwrap_or(f32::NAN));
        Ok(self.direction.iter().map(|v| v / scale).collect())
    }

    /// `head` at the pair's destination, frozen.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Request`] for a head that does not exist, read errors, and those of `monitor`.
    pub(super) async fn frozen_head(&self, model: &mut Model, head: Head, monitor: &dyn Monitor) -> Result<FrozenHead> {
        model.config().check_head(head)?;
        let config = model.config().clone();
        let of_layer = model.through_w_o(head.layer, &self.direct(model)?, monitor).await?;
        let width = config.d_head();
        let at = |hook, position| {
            let row = self.sequence.row(position)?;
            Result::Ok(self.sequence.pass.of_head(&config, head, hook, row))
        };
        let all = |hook| {
            (0..=self.pair.dest)
                .map(|position| at(hook, position))
                .collect::<Result<_>>()
        };
        let mut frozen = FrozenHead {
            head,
            dest: self.pair.dest,
            divisor: config.score_divisor(head.layer),
            query: at(BlockHook::Q, self.pair.dest)?,
            keys: all(BlockHook::K)?,
            values: all(BlockHook::V)?,
            to_logits: of_layer[head.head * width..][..width].to_vec(),
            before: AtDest::default(),
        };
        frozen.before = frozen.with_edits(&[]);
        Ok(frozen)
    }
}

fn not_written(position: &usize) -> Error {
    Error::new(
        ErrorKind::Internal,
        format!("what was written at position {position} is gone"),
    )
}

/// A pair without intervention, and its frozen head: the basis of linear predictions.
#[derive(Clone, Copy)]
pub(super) struct PredictionBasis<'a> {
    pub(super) baseline: &'a Baseline<'a>,
    pub(super) frozen_head: &'a FrozenHead,
}

/// A head at the destination with frozen inputs: its query, the keys and values that it sees, and its direct path to
/// the logits.
pub(super) struct FrozenHead {
    pub(super) head: Head,
    dest: usize,
    /// Divisor of the product of query and key.
    divisor: f64,
    pub(super) query: Vec<f32>,
    /// `[dest + 1][d_head]`.
    pub(super) keys: Vec<Vec<f32>>,
    /// `[dest + 1][d_head]`.
    values: Vec<Vec<f32>>,
    /// How much a unit of each number of its `z` adds to the logit difference, `[d_head]`.
    to_logits: Vec<f64>,
    /// The outputs without edits.
    pub(super) before: AtDest,
}

/// The outputs of a head at the destination.
#[derive(Debug, Clone, Default)]
pub(super) struct AtDest {
    /// `[dest + 1]`.
    pub(super) scores: Vec<f64>,
    /// `[dest + 1]`.
    pub(super) pattern: Vec<f64>,
    /// The contribution to the logit difference.
    pub(super) direct: f64,
}

impl FrozenHead {
    /// The outputs with `edits` of the head's queries, keys, values, pattern and `z` at the positions it involves. Only
    /// the head's own output changes. Edits of other heads and rows are ignored.
    pub(super) fn with_edits(&self, edits: &[Edit]) -> AtDest {
        let edit = |hook, position| {
            let point = HookPoint::block(self.head.layer, hook);
            let applies =
                |edit: &&Edit| edit.point == point && edit.head == Some(self.head.head) && edit.position == position;
            edits.iter().rev().find(applies).map(|edit| edit.value.as_slice())
        };
        let query = edit(BlockHook::Q, self.dest).unwrap_or(&self.query);
        let keys = self.keys.iter().enumerate();
        let scores: Vec<f64> = keys
            .map(|(position, key)| math::dot(query, edit(BlockHook::K, position).unwrap_or(key)) / self.divisor)
            .collect();
        let mut pattern = softmax(&scores);
        if let Some(row) = edit(BlockHook::Pattern, self.dest) {
            pattern = row.iter().copied().map(f64::from).collect();
        }
        let mut z = vec![0f64; self.to_logits.len()];
        for (position, (probability, value)) in pattern.iter().zip(&self.values).enumerate() {
            let value = edit(BlockHook::V, position).unwrap_or(value);
            z.iter_mut()
                .zip(value)
                .for_each(|(z, &v)| *z += probability * f64::from(v));
        }
        if let Some(value) = edit(BlockHook::Z, self.dest) {
            z = value.iter().copied().map(f64::from).collect();
        }
        AtDest {
            scores,
            pattern,
            direct: z.iter().zip(&self.to_logits).map(|(z, to_logits)| z * to_logits).sum(),
        }
    }
}

/// Probabilities of `scores`.
fn softmax(scores: &[f64]) -> Vec<f64> {
    let log_sum = math::log_sum_exp(scores);
    scores.iter().map(|score| (score - log_sum).exp()).collect()
}
