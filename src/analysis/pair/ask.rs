//! Questions about a sentence, and their answers as sections of a result.

use std::collections::BTreeSet;

use super::direction_section::DirectionsSection;
use super::effect_sections::{EffectsSection, LensSection, WritesSection};
use super::question_cache::QuestionCache;
use super::sections::{AttentionSection, DrillDownSection, NextSection, NextToken, PairSection};
use super::{Between, Pair, PartPath, Question, attention, drill_down, likeliest};
use futures::future::LocalBoxFuture;

use crate::analysis::progress_tracker::ProgressTracker;
use crate::analysis::{Observer, Phase, Section, Timing};
use crate::error::{Error, ErrorKind, Result};
use crate::forward::{Model, Monitor, Sampling, continue_with};
use crate::names::PositionName;
use crate::prompts::Prompt;

/// Number of most likely next tokens in an answer.
const NEXT: usize = 20;

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
