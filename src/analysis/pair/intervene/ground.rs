//! A pair as it is before anything is put in its place, and a head of it that is frozen at the destination.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use crate::analysis::pair::direct::direction;
use crate::analysis::pair::{Between, Pair, Sentence, Written};
use crate::error::{Error, ErrorKind, Result};
use crate::forward::{Edit, HeadWeights, Model, Pass, Watcher};
use crate::math;
use crate::model::Config;
use crate::names::{BlockHook, Head, HookPoint};

/// A pair in a sentence that has gone through the model, and the two tokens whose logits are compared after its destination.
pub(super) struct Ground<'a> {
    pub(super) pair: &'a Pair,
    pub(super) sentence: &'a Sentence,
    /// The tokens.
    pub(super) targets: Between,
    /// Of the pair's head.
    pub(super) weights: HeadWeights,
    /// What the logit of the first token is more than that of the second.
    pub(super) logit_difference: f64,
    /// What a unit of each number of the last normalized stream adds to that difference, `[d_model]`.
    direction: Vec<f64>,
    /// What components have written, `[components][d_model]`, at the positions at which that is known.
    written: RefCell<BTreeMap<usize, Rc<Vec<Vec<f32>>>>>,
}

impl<'a> Ground<'a> {
    /// Of `pair` in `sentence`, after whose destination `log_probs [d_vocab]` are those of the next token. The rows of the targets are read.
    /// `written` is what was written at the destination, where that is known.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Prompt`] for a token beyond the vocabulary, errors of reading, and `watcher`'s.
    pub(super) async fn new(
        model: &mut Model,
        (pair, sentence): (&'a Pair, &'a Sentence),
        targets: Between,
        (log_probs, written): (&[f32], Option<&Written>),
        watcher: &dyn Watcher,
    ) -> Result<Self> {
        let (direction, _) = direction(model, targets, watcher).await?;
        let log_prob = |token: u32| f64::from(log_probs.get(token as usize).copied().unwrap_or_default());
        Ok(Self {
            pair,
            sentence,
            targets,
            weights: model.head_weights(pair.head, watcher).await?,
            logit_difference: log_prob(targets.a) - log_prob(targets.b),
            direction,
            written: RefCell::new(
                written
                    .map(|at_dest| (pair.dest, Rc::new(at_dest.vectors.clone())))
                    .into_iter()
                    .collect(),
            ),
        })
    }

    /// The residual stream before the pair's head at `position`, `[d_model]`.
    pub(super) fn stream(&self, config: &Config, position: usize) -> Result<&'a [f32]> {
        let row = self.sentence.row(position)?;
        Ok(self.sentence.pass().resid_pre(config, self.pair.head.layer, row))
    }

    /// The logit difference at `row` of an edited `pass` that is through all layers.
    pub(super) fn logit_difference_at(&self, config: &Config, pass: &Pass, row: usize) -> Result<f64> {
        let of_sentence = self.sentence.row(self.pair.dest)?;
        let direct = |pass: &Pass, row: usize| {
            let scale = pass.final_scales(&[row], config).first().copied().unwrap_or(f32::NAN);
            math::dot_wide(&self.direction, pass.resid_at(row)) / f64::from(scale)
        };
        Ok(self.logit_difference + direct(pass, row) - direct(self.sentence.pass(), of_sentence))
    }

    /// What embeddings and components before the pair's head have written at each of `positions`, `[positions][components][d_model]`: in
    /// the order of [`crate::names::Component::before`], and others may follow. What is not known yet is computed, all of it together.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Request`] for a position that is not there, errors of reading, and `watcher`'s.
    pub(super) async fn written(
        &self,
        model: &mut Model,
        positions: &[usize],
        watcher: &dyn Watcher,
    ) -> Result<Vec<Rc<Vec<Vec<f32>>>>> {
        let mut missing = positions.to_vec();
        missing.retain(|position| !self.written.borrow().contains_key(position));
        missing.sort_unstable();
        missing.dedup();
        if !missing.is_empty() {
            let layers = self.pair.head.layer;
            let found = self.sentence.written_before(model, layers, &missing, watcher).await?;
            let found = missing.into_iter().zip(found.into_iter().map(Rc::new));
            self.written.borrow_mut().extend(found);
        }
        let known = self.written.borrow();
        let at = |position| known.get(position).map(Rc::clone).ok_or_else(|| not_written(position));
        positions.iter().map(at).collect()
    }

    /// What a unit of each number of the stream after the last layer adds to the logit difference at the destination, the scale of the
    /// final LayerNorm frozen, `[d_model]`.
    fn direct(&self, model: &Model) -> Result<Vec<f64>> {
        let scale = f64::from(self.sentence.final_scale(model, self.pair.dest)?);
        Ok(self.direction.iter().map(|v| v / scale).collect())
    }

    /// `head` at the pair's destination, frozen.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Request`] for a head that there is not, errors of reading, and `watcher`'s.
    pub(super) async fn frozen(&self, model: &mut Model, head: Head, watcher: &dyn Watcher) -> Result<Frozen> {
        model.config().check_head(head)?;
        let config = model.config().clone();
        let of_layer = model.through_w_o(head.layer, &self.direct(model)?, watcher).await?;
        let width = config.d_head();
        let at = |hook, position| {
            let row = self.sentence.row(position)?;
            Result::Ok(self.sentence.pass().of_head(&config, head, hook, row))
        };
        let all = |hook| {
            (0..=self.pair.dest)
                .map(|position| at(hook, position))
                .collect::<Result<_>>()
        };
        let mut frozen = Frozen {
            head,
            dest: self.pair.dest,
            divisor: config.score_divisor(head.layer),
            query: at(BlockHook::Q, self.pair.dest)?,
            keys: all(BlockHook::K)?,
            values: all(BlockHook::V)?,
            to_logits: of_layer[head.head * width..][..width].to_vec(),
            before: AtDest::default(),
        };
        frozen.before = frozen.with(&[]);
        Ok(frozen)
    }
}

fn not_written(position: &usize) -> Error {
    Error::new(
        ErrorKind::Internal,
        format!("what was written at position {position} is gone"),
    )
}

/// A head at the destination: its query, the keys and values that it sees, and its direct path to the logits.
pub(super) struct Frozen {
    pub(super) head: Head,
    dest: usize,
    /// What a product of query and key is divided by.
    divisor: f64,
    pub(super) query: Vec<f32>,
    /// `[dest + 1][d_head]`.
    pub(super) keys: Vec<Vec<f32>>,
    /// `[dest + 1][d_head]`.
    values: Vec<Vec<f32>>,
    /// What a unit of each number of its `z` adds to the logit difference, `[d_head]`.
    to_logits: Vec<f64>,
    /// What it makes of that.
    pub(super) before: AtDest,
}

/// What a head makes at the destination.
#[derive(Debug, Clone, Default)]
pub(super) struct AtDest {
    /// `[dest + 1]`.
    pub(super) scores: Vec<f64>,
    /// `[dest + 1]`.
    pub(super) pattern: Vec<f64>,
    /// What it adds to the logit difference.
    pub(super) direct: f64,
}

impl Frozen {
    /// The same with `edits` of the head's queries, keys, values, pattern and `z` at the destination and what it sees: nothing before the
    /// head changes, and after it only what it writes itself. Edits of other heads and rows are passed over.
    pub(super) fn with(&self, edits: &[Edit]) -> AtDest {
        let edit = |hook, position| {
            let point = HookPoint::block(self.head.layer, hook);
            let of =
                |edit: &&Edit| edit.point == point && edit.head == Some(self.head.head) && edit.position == position;
            edits.iter().rev().find(of).map(|edit| edit.value.as_slice())
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
