//! Questions about a sentence, and their answers as sections of a result.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::direction_section::DirectionsSection;
use super::effect_sections::{EffectsSection, LensSection, WritesSection};
use super::question_cache::QuestionCache;
use super::sections::{AttentionSection, DrillDownSection, NextSection, NextToken, PairSection};
use super::substituted::SubstitutionRequest;
use super::{Between, Pair, PartPath, TargetTexts, attention, drill_down, likeliest};
use futures::future::LocalBoxFuture;

use crate::analysis::progress_tracker::ProgressTracker;
use crate::analysis::{Observer, Phase, Section, Timing};
use crate::error::{Error, ErrorKind, Result};
use crate::forward::{Model, Monitor, Sampling, continue_with};
use crate::names::{Head, Normalization, PositionName, Relative};
use crate::prompts::{Prompt, Targets};

/// Number of most likely next tokens in an answer.
const NEXT: usize = 20;

/// A sentence, and what to analyze in it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Question {
    /// The sentence.
    pub text: String,
    /// Whether BOS is prepended.
    pub prepend_bos: bool,
    /// The position of the query; None for the last one.
    pub dest: Option<usize>,
    /// The position of the key; None to choose one automatically.
    pub src: Option<usize>,
    /// The head; None to choose one automatically.
    pub head: Option<Head>,
    /// What the score is relative to; None for the score itself.
    pub relative: Option<Relative>,
    /// The part of the score to decompose further, if any. Its own `relative` is ignored: the score's counts.
    #[serde(default)]
    pub down: Option<PartPath>,
    /// The tokens whose logits are compared. The most likely next tokens replace those that are None.
    #[serde(default, skip_serializing_if = "Targets::is_empty")]
    pub targets: Targets,
    /// The same tokens as typed by the user; takes precedence.
    #[serde(default, skip_serializing_if = "TargetTexts::is_empty")]
    pub target_texts: TargetTexts,
    /// Whether to compute direct effects on these logits.
    #[serde(default)]
    pub effects: bool,
    /// Whether to compute which tokens the head raises and lowers.
    #[serde(default)]
    pub writes: bool,
    /// Whether to compute the logit lens.
    #[serde(default)]
    pub lens: bool,
    /// Whether to decompose the score into directions, relative to the same as the score.
    #[serde(default)]
    pub directions: bool,
    /// The direction to decompose further, counted from 0; None for the one that contributes most.
    #[serde(default)]
    pub direction: Option<usize>,
    /// The vectors to substitute for the head's input, if any.
    #[serde(default)]
    pub substituted: Option<SubstitutionRequest>,
    /// How vectors are normalized that replace the head's input, here and in interventions.
    #[serde(default, skip_serializing_if = "Normalization::is_usual")]
    pub normalization: Normalization,
    /// Whether the text of a special token, such as `<|endoftext|>`, is read as characters. Otherwise it is that token.
    #[serde(default)]
    pub special_as_text: bool,
    /// Whether to compute statistics of all heads over all positions: [`AttentionSection::measures`].
    #[serde(default)]
    pub measures: bool,
    /// Whether to compute the patterns of all heads of the head's layer.
    #[serde(default)]
    pub layer: bool,
}

impl Question {
    /// The sentence as a tokenized prompt.
    ///
    /// # Errors
    /// [`ErrorKind::Prompt`] for a text without a token, one that does not fit the context, and a model without BOS where there
    /// is to be one.
    pub fn prompt(&self, model: &Model) -> Result<Prompt> {
        let tokenizer = model.tokenizer();
        let mut tokens = match self.special_as_text {
            true => tokenizer.encode_as_text(&self.text)?,
            false => tokenizer.encode(&self.text)?,
        };
        if tokens.is_empty() {
            return Err(Error::new(ErrorKind::Prompt, "there is no word to look at").expected("a sentence"));
        }
        if self.prepend_bos {
            tokens.insert(0, tokenizer.bos_token()?);
        }
        model.check_sequence(&tokens)?;
        Ok(Prompt {
            text: self.text.clone(),
            tokens,
            ..Prompt::default()
        })
    }

    /// The two target tokens, given the log-probabilities of the next token, `log_probs [d_vocab]`.
    ///
    /// # Errors
    /// [`ErrorKind::Target`] for a text that is not one token, the same token twice, and one that is not in the vocabulary.
    pub(super) fn between(&self, model: &Model, log_probs: &[f32]) -> Result<Between> {
        let wanted = self.target_texts.tokens(model.tokenizer(), self.targets)?;
        Between::of(wanted, log_probs, model.config())
    }
}

/// Answers `question` in parts, the fastest first. Each part is passed to `give` with the sentence and the times so
/// far. `cache` holds results of earlier questions to `model`: the common beginning of the sentences is not computed
/// again.
///
/// # Errors
/// Those of [`Question::prompt`]; [`ErrorKind::Request`] for a head, positions or a direction that do not exist,
/// [`ErrorKind::Target`] for targets that are not two tokens, read errors, and those of `observer`.
pub async fn ask(
    model: &mut Model,
    cache: &mut QuestionCache,
    question: &Question,
    observer: &dyn Observer,
    mut give: impl FnMut(&Model, &Prompt, Section, Timing),
) -> Result<()> {
    ask_with(model, cache, question, observer, &mut give).await
}

/// The same with `give` as a trait object.
fn ask_with<'a>(
    model: &'a mut Model,
    cache: &'a mut QuestionCache,
    question: &'a Question,
    observer: &'a dyn Observer,
    give: &'a mut dyn FnMut(&Model, &Prompt, Section, Timing),
) -> LocalBoxFuture<'a, Result<()>> {
    Box::pin(async move {
        let (layers, traffic) = (model.config().n_layer, model.checkpoint().traffic());
        let tracker = ProgressTracker::new(observer, Phase::Loading, 1, layers, traffic);
        let (mut prompt, pair) = asked_pair(model, cache, question, &tracker).await?;
        let Pair { dest, src, head, .. } = pair;
        let found = attention(model, cache.sentence()?, &pair)?;
        let texts = prompt.tokens.iter().map(|&token| model.tokenizer().label(token));
        let mut section = AttentionSection::new(&pair, texts.collect(), &found)?;
        if question.measures {
            section.measures = Some(cache.measures(model, &tracker).await?.clone());
        }
        give(model, &prompt, section.into(), tracker.timing());

        let log_probs = cache.log_probs(model, (dest, question.lens), &tracker).await?.to_vec();
        let tokens = likeliest(&log_probs, NEXT)
            .into_iter()
            .map(|(token, logprob)| NextToken {
                token,
                text: model.tokenizer().label(token),
                logprob,
            });
        let tokens = tokens.collect();
        give(model, &prompt, NextSection { dest, tokens }.into(), tracker.timing());

        let between = (question.lens || question.effects).then(|| question.between(model, &log_probs));
        let targets = between.as_ref().and_then(|found| found.as_ref().ok().copied());
        if let Some(targets) = targets {
            prompt.targets = targets.into();
            if question.lens {
                let logits = cache.lens(model, dest, &tracker).await?;
                let section = LensSection::new(dest, targets, logits, model.tokenizer());
                give(model, &prompt, section.into(), tracker.timing());
            }
        }

        let decomposition = cache.decomposition(model, &pair, &tracker).await?;
        let section = PairSection::new(&pair, decomposition, question.relative)?;
        give(model, &prompt, section.into(), tracker.timing());
        if let Some(part_path) = &question.down {
            let part_path = PartPath {
                relative: question.relative,
                ..part_path.clone()
            };
            let decomposition = drill_down(model, &pair, &part_path, &tracker).await?;
            let section = DrillDownSection {
                head,
                dest,
                src,
                part_path,
                decomposition,
            };
            give(model, &prompt, section.into(), tracker.timing());
        }
        if question.layer {
            let section = cache.layer(model, head.layer, &tracker).await?.clone();
            give(model, &prompt, section.into(), tracker.timing());
        }
        if let Some(targets) = targets.filter(|_| question.effects) {
            load_likeliest(model, question, &log_probs, &tracker).await?;
            let section = effects(model, cache, (targets, &pair), &log_probs, &tracker).await?;
            give(model, &prompt, section.into(), tracker.timing());
        }
        if question.writes {
            let writes = cache.writes(model, &pair, &tracker).await?;
            let section = WritesSection::new(&pair, writes, model.tokenizer());
            give(model, &prompt, section.into(), tracker.timing());
        }
        if question.directions {
            let (decomposition, svd) = cache.directions(model, &pair, &tracker).await?;
            let of_pair = (&pair, decomposition, svd);
            let (section, found) = DirectionsSection::new(of_pair, question.relative, question.direction)?;
            give(model, &prompt, section.clone().into(), tracker.timing());
            // Finding the tokens of a direction needs all of W_E and W_U, so the section is given without them first.
            let direction = section.opened.direction;
            let mut tokens = cache
                .direction_tokens(model, (head, direction), &tracker)
                .await?
                .clone();
            if found.flip_sign.get(direction) == Some(&true) {
                tokens = tokens.negated();
            }
            let section = section.with_tokens(tokens, model.tokenizer());
            give(model, &prompt, section.into(), tracker.timing());
        }
        if let Some(substituting) = &question.substituted {
            let named = substituting.earlier_head(head);
            let how = (named, question.normalization);
            let section = cache.substituted(model, &pair, (how, question.prepend_bos), &tracker);
            let section = section.await?.clone();
            give(model, &prompt, section.into(), tracker.timing());
        }
        // Errors in the targets are returned last: everything else is answered before.
        between.transpose().map(|_| ())
    })
}

/// Takes the sentence of `question` through `model` (unless it is cached) and determines the pair that the question is
/// about.
///
/// # Errors
/// Those of [`Question::prompt`]; [`ErrorKind::Request`] for a head or positions that do not exist, read errors, and
/// those of the observer of `tracker`.
pub(super) async fn asked_pair(
    model: &mut Model,
    cache: &mut QuestionCache,
    question: &Question,
    tracker: &ProgressTracker<'_>,
) -> Result<(Prompt, Pair)> {
    let mut prompt = question.prompt(model)?;
    let layers = model.config().n_layer;
    tracker.plan(prompt.tokens.len(), model.bytes_to_read(&[], layers, None));
    cache.read(model, &prompt.tokens, tracker).await?;
    let dest = question.dest.unwrap_or(prompt.tokens.len() - 1);
    // The automatic choice of the pair needs the most likely next token, for which all of W_U is streamed: only where
    // it is necessary.
    let (head, src) = match (question.head, question.src) {
        (Some(head), Some(src)) => (head, src),
        (Some(head), None) => (head, cache.sentence()?.most_attended(model, head, dest)?),
        (None, src) => {
            let log_probs = cache.log_probs(model, (dest, question.lens), tracker).await?.to_vec();
            load_likeliest(model, question, &log_probs, tracker).await?;
            let sentence = cache.sentence()?;
            let first = sentence.first_pair(model, dest, &log_probs, tracker).await?;
            (first.head, src.unwrap_or(first.src))
        }
    };
    let pair = Pair {
        tokens: prompt.tokens.clone(),
        dest,
        src,
        head,
    };
    pair.check(model)?;
    prompt.positions = [(PositionName::Dest, dest), (PositionName::Src, src)].into();
    Ok((prompt, pair))
}

/// Reads the rows of the most likely next tokens in one go, if direct effects on their logits are requested: W_U is
/// streamed for one as for all, and the user may choose another of them next.
async fn load_likeliest(
    model: &mut Model,
    question: &Question,
    log_probs: &[f32],
    monitor: &dyn Monitor,
) -> Result<()> {
    if !question.effects {
        return Ok(());
    }
    // Errors in the targets are reported elsewhere.
    let targets = question.between(model, log_probs).ok();
    let targets = targets.into_iter().flat_map(|Between { a, b }| [a, b]);
    let likeliest = likeliest(log_probs, NEXT).into_iter().map(|(token, _)| token);
    let tokens: BTreeSet<u32> = likeliest.chain(targets).collect();
    model.load_embedding(&tokens, monitor).await
}

/// Direct effects on the logits of `targets`; for the head of `pair` also by source token.
async fn effects(
    model: &mut Model,
    cache: &mut QuestionCache,
    (targets, pair): (Between, &Pair),
    log_probs: &[f32],
    monitor: &dyn Monitor,
) -> Result<EffectsSection> {
    let written = cache.written(model, pair.dest, monitor).await?;
    let effects = written.direct_effects(model, targets, monitor).await?;
    let sentence = cache.sentence()?;
    let of_head = (pair.head, pair.dest);
    let by_source = sentence
        .direct_effect_by_source(model, of_head, targets, monitor)
        .await?;
    let written = cache.written(model, pair.dest, monitor).await?;
    let next = (log_probs, model.tokenizer());
    Ok(EffectsSection::new((pair, targets), written, effects, by_source, next))
}

/// The text of `question` up to the query position, and up to `count` sampled tokens that continue it.
///
/// # Errors
/// Those of [`Question::prompt`] and [`continue_with`]; [`ErrorKind::Request`] for a position that does not exist.
pub async fn go_on(
    model: &mut Model,
    question: &Question,
    (count, sampling): (usize, &Sampling),
    observer: &dyn Observer,
) -> Result<String> {
    let mut tokens = question.prompt(model)?.tokens;
    let (layers, traffic) = (model.config().n_layer, model.checkpoint().traffic());
    let tracker = ProgressTracker::new(observer, Phase::Loading, 1, layers, traffic);
    tracker.plan(tokens.len() + count, model.bytes_to_read(&[], layers, None));
    if let Some(dest) = question.dest {
        if dest >= tokens.len() {
            let cause = format!("there is no position {dest} in {} tokens", tokens.len());
            return Err(Error::new(ErrorKind::Request, cause).expected(format!("one from 0 to {}", tokens.len() - 1)));
        }
        tokens.truncate(dest + 1);
    }
    let more = continue_with(model, &tokens, count, sampling, &tracker).await?;
    // If special tokens are read as text, the text of a sampled special token would not be read back as that token.
    let stays = |token: &u32| {
        let text = model.tokenizer().label(*token);
        !question.special_as_text || model.tokenizer().special_tokens_in(&text).is_empty()
    };
    tokens.extend(more.into_iter().take_while(stays));
    Ok(model.tokenizer().text(&tokens[usize::from(question.prepend_bos)..]))
}
