//! Cached results of earlier questions.

use super::direct::Written;
use super::directions::{DirectionTokens, QkSvd, direction_tokens};
use super::layer::LayerSection;
use super::measures::Measures;
use super::position_pair::Pair;
use super::score_decomposition::{ScoreDecomposition, decomposition, query_side};
use super::sentence::Sentence;
use super::substituted::{largest_head, substituted};
use super::substituted_section::SubstitutedSection;
use super::writes::Writes;
use crate::error::{Error, ErrorKind, Result};
use crate::forward::{Model, Monitor};
use crate::math;
use crate::names::{Head, Normalization};

/// Results for the sentence and head of the last question, so that the next question need not start over.
///
/// Each entry is stored with its parameters, and recomputed if they differ.
#[derive(Default)]
pub struct QuestionCache {
    sentence: Option<Sentence>,
    /// Log-probabilities after a position.
    log_probs: Option<(usize, Vec<f32>)>,
    /// Logits before the first layer and after each layer, at a position.
    lens: Option<(usize, Vec<Vec<f32>>)>,
    decomposition: Option<(Pair, ScoreDecomposition)>,
    measures: Option<Measures>,
    /// Patterns of all heads of a layer.
    layer: Option<(usize, LayerSection)>,
    /// The vectors written at a position.
    written: Option<(usize, Written)>,
    writes: Option<(Pair, Writes)>,
    substituted: Option<(SubstitutedOf, SubstitutedSection)>,
    of_model: OfModel,
}

/// The parameters of substituted vectors: a pair, the requested earlier head, and a normalization.
type SubstitutedOf = (Pair, (Option<Head>, Normalization));

/// What does not depend on the sentence.
#[derive(Default)]
struct OfModel {
    svd: Option<(Head, QkSvd)>,
    /// Tokens of one direction of a head.
    tokens: Option<((Head, usize), DirectionTokens)>,
}

impl QuestionCache {
    /// Takes `tokens` through `model`, unless they are cached.
    pub(super) async fn read(&mut self, model: &mut Model, tokens: &[u32], monitor: &dyn Monitor) -> Result<()> {
        if self.sentence.as_ref().is_none_or(|known| known.tokens() != tokens) {
            // The old sentence stays until the new one is finished: the next question may be about it.
            let read = Sentence::read(model, tokens, self.sentence.as_ref(), monitor).await?;
            *self = Self {
                sentence: Some(read),
                of_model: std::mem::take(&mut self.of_model),
                ..Self::default()
            };
        }
        Ok(())
    }

    pub(super) fn sentence(&self) -> Result<&Sentence> {
        self.sentence.as_ref().ok_or_else(gone)
    }

    /// Statistics of every head over all positions of the sentence.
    pub(super) async fn measures(&mut self, model: &Model, monitor: &dyn Monitor) -> Result<&Measures> {
        if self.measures.is_none() {
            self.measures = Some(self.sentence()?.measures(model, monitor).await?);
        }
        self.measures.as_ref().ok_or_else(gone)
    }

    /// The patterns of all heads of `layer`.
    pub(super) async fn layer(&mut self, model: &Model, layer: usize, monitor: &dyn Monitor) -> Result<&LayerSection> {
        if !is_of(&self.layer, &layer) {
            let found = self.sentence()?.layer(model, layer, monitor).await?;
            self.layer = Some((layer, found));
        }
        taken(&self.layer)
    }

    /// Log-probabilities of the token after `dest`. If the `lens` is going to be requested, both are computed while W_U
    /// is streamed once.
    pub(super) async fn log_probs(
        &mut self,
        model: &Model,
        (dest, lens): (usize, bool),
        monitor: &dyn Monitor,
    ) -> Result<&[f32]> {
        if !is_of(&self.log_probs, &dest) {
            let found = if lens {
                let last = self.lens(model, dest, monitor).await?.last();
                last.map(|logits| math::log_softmax(logits)).ok_or_else(gone)?
            } else {
                self.sentence()?.log_probs(model, dest, monitor).await?
            };
            self.log_probs = Some((dest, found));
        }
        taken(&self.log_probs).map(Vec::as_slice)
    }

    /// The logit lens: logits at `dest` before the first layer and after each layer, `[n_layer + 1][d_vocab]`.
    pub(super) async fn lens(&mut self, model: &Model, dest: usize, monitor: &dyn Monitor) -> Result<&[Vec<f32>]> {
        if !is_of(&self.lens, &dest) {
            let stream = self.sentence()?.stream(model, dest)?;
            self.lens = Some((dest, model.logits_of(&stream, monitor).await?));
        }
        taken(&self.lens).map(Vec::as_slice)
    }

    pub(super) async fn decomposition(
        &mut self,
        model: &mut Model,
        pair: &Pair,
        monitor: &dyn Monitor,
    ) -> Result<&ScoreDecomposition> {
        if !is_of(&self.decomposition, pair) {
            self.decomposition = Some((pair.clone(), decomposition(model, pair, monitor).await?));
        }
        taken(&self.decomposition)
    }

    /// The vectors written at `dest` by each component.
    pub(super) async fn written(&mut self, model: &mut Model, dest: usize, monitor: &dyn Monitor) -> Result<&Written> {
        if !is_of(&self.written, &dest) {
            let found = self.sentence()?.written(model, dest, monitor).await?;
            self.written = Some((dest, found));
        }
        taken(&self.written)
    }

    /// The same if they are cached.
    pub(super) fn written_at(&self, dest: usize) -> Option<&Written> {
        let known = self.written.as_ref().filter(|(position, _)| *position == dest);
        known.map(|(_, written)| written)
    }

    /// The output of `pair`'s head per unit of attention.
    pub(super) async fn writes(&mut self, model: &mut Model, pair: &Pair, monitor: &dyn Monitor) -> Result<&Writes> {
        if !is_of(&self.writes, pair) {
            let found = self.sentence()?.writes(model, pair, monitor).await?;
            self.writes = Some((pair.clone(), found));
        }
        taken(&self.writes)
    }

    /// Values of substituted vectors for `pair`. The earlier head is that of `named`, or else the head that contributes
    /// most to the query. `is_bos`: BOS is prepended to the sentence.
    pub(super) async fn substituted(
        &mut self,
        model: &mut Model,
        pair: &Pair,
        ((named, normalization), is_bos): ((Option<Head>, Normalization), bool),
        monitor: &dyn Monitor,
    ) -> Result<&SubstitutedSection> {
        let key = (pair.clone(), (named, normalization));
        if !is_of(&self.substituted, &key) {
            let earlier_head = match named {
                Some(named) => Some(named),
                None => {
                    let decomposition = self.decomposition(model, pair, monitor).await?;
                    let added = query_side(&decomposition.table());
                    largest_head(decomposition.components.iter().copied().zip(added))
                }
            };
            let how = (earlier_head, normalization);
            let found = substituted(model, self.sentence()?, pair, (how, is_bos), monitor).await?;
            self.substituted = Some((key, found));
        }
        taken(&self.substituted)
    }

    /// The decomposition of the score of `pair`, and the singular directions of its head.
    pub(super) async fn directions(
        &mut self,
        model: &mut Model,
        pair: &Pair,
        monitor: &dyn Monitor,
    ) -> Result<(&ScoreDecomposition, &QkSvd)> {
        self.decomposition(model, pair, monitor).await?;
        if !is_of(&self.of_model.svd, &pair.head) {
            let weights = model.head_weights(pair.head, monitor).await?;
            self.of_model.svd = Some((pair.head, QkSvd::new(&weights)));
        }
        Ok((taken(&self.decomposition)?, taken(&self.of_model.svd)?))
    }

    /// The tokens of a direction of the head whose directions were requested last.
    pub(super) async fn direction_tokens(
        &mut self,
        model: &Model,
        (head, direction): (Head, usize),
        monitor: &dyn Monitor,
    ) -> Result<&DirectionTokens> {
        let OfModel { svd, tokens } = &mut self.of_model;
        if !is_of(tokens, &(head, direction)) {
            let found = direction_tokens(model, taken(svd)?, direction, monitor).await?;
            *tokens = Some(((head, direction), found));
        }
        taken(tokens)
    }
}

fn is_of<K: PartialEq, T>(known: &Option<(K, T)>, key: &K) -> bool {
    known.as_ref().is_some_and(|(known, _)| known == key)
}

fn taken<K, T>(known: &Option<(K, T)>) -> Result<&T> {
    known.as_ref().map(|(_, found)| found).ok_or_else(gone)
}

fn gone() -> Error {
    Error::new(ErrorKind::Internal, "what was just read is gone")
}
