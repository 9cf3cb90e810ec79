//! Interventions at the pair of a question, and their answers as sections of a result.

use super::baseline::{Baseline, PredictionBasis};
use super::causal::Map;
use super::causal_section::{CausalSection, CausalSide};
use super::intervention::InterventionRequest;
use super::prepare::{ReplacementSources, prepare};
use super::recompute::{before, effects};
use super::sections::InterventionSection;
use futures::future::LocalBoxFuture;

use crate::analysis::pair::ask::asked_pair;
use crate::analysis::pair::{LabeledToken, Pair, Question, QuestionCache, Sentence, token_of};
use crate::analysis::progress_tracker::ProgressTracker;
use crate::analysis::{Observer, Phase, Section, Timing};
use crate::error::{Error, ErrorKind, Result};
use crate::forward::{Model, Monitor};
use crate::prompts::{Prompt, PromptSource};

/// Applies the interventions of `request` at the pair of `question`. One section is passed to `give` with the
/// sentence and the times. `cache` holds results of earlier questions to `model`.
///
/// # Errors
/// Those of [`Question::prompt`]; [`ErrorKind::Request`] for a head, positions or a component that do not exist, for
/// the same token as both targets, for a second sentence of another length, and for a mean over less than two prompts;
/// those of [`token_of`] for a token that is typed, and of [`PromptSource::make`]; read errors, and those of
/// `observer`.
pub async fn intervene(
    model: &mut Model,
    cache: &mut QuestionCache,
    (question, request): (&Question, &InterventionRequest),
    observer: &dyn Observer,
    mut give: impl FnMut(&Model, &Prompt, Section, Timing),
) -> Result<()> {
    intervene_with(model, cache, (question, request), observer, &mut give).await
}

/// The same with `give` as a trait object.
fn intervene_with<'a>(
    model: &'a mut Model,
    cache: &'a mut QuestionCache,
    (question, request): (&'a Question, &'a InterventionRequest),
    observer: &'a dyn Observer,
    give: &'a mut dyn FnMut(&Model, &Prompt, Section, Timing),
) -> LocalBoxFuture<'a, Result<()>> {
    Box::pin(async move {
        let (layers, traffic) = (model.config().n_layer, model.checkpoint().traffic());
        let tracker = ProgressTracker::new(observer, Phase::Loading, 1, layers, traffic);
        let (mut prompt, pair) = asked_pair(model, cache, question, &tracker).await?;
        let mut interventions = request.interventions.clone();
        if let Some(text) = &request.token_text {
            let token = token_of(model.tokenizer(), text)?;
            interventions
                .iter_mut()
                .for_each(|intervention| *intervention = intervention.of_token(token));
        }
        interventions
            .iter()
            .try_for_each(|intervention| intervention.check(pair.head, model.config()))?;
        let tokens = interventions.iter().filter_map(|intervention| intervention.token());
        model.load_embedding(&tokens.collect(), &tracker).await?;
        let second = match &request.second {
            Some(text) => Some(second_sentence(model, cache, (question, text), &tracker).await?),
            None => None,
        };
        let log_probs = cache.log_probs(model, (pair.dest, false), &tracker).await?.to_vec();
        let targets = question.between(model, &log_probs)?;
        prompt.targets = targets.into();
        let asked = (targets, targets.difference(&log_probs));
        let baseline = Baseline::new(model, (&pair, cache.sentence()?.into()), asked, &tracker).await?;
        if let Some(written) = cache.written_at(pair.dest) {
            baseline.know(pair.dest, written);
        }
        let made = match &request.maker {
            Some(maker) if request.run.is_empty() => Some(made_by(maker, model, &tracker).await?),
            _ => None,
        };
        let run = made.as_ref().unwrap_or(&request.run);
        let sources = ReplacementSources {
            sentence: cache.sentence()?,
            second: second.as_ref(),
            run,
            normalization: question.normalization,
        };
        let frozen_head = baseline.frozen_head(model, pair.head, &tracker).await?;
        let basis = PredictionBasis {
            baseline: &baseline,
            frozen_head: &frozen_head,
        };
        let mut all = Vec::with_capacity(interventions.len());
        for intervention in &interventions {
            let prepared = prepare(model, basis, intervention, &sources, &tracker).await?;
            let frozen = baseline.frozen_head(model, prepared.head, &tracker).await?;
            all.push((*intervention, prepared, frozen));
        }
        let before = before(model, &baseline, &log_probs)?;
        let effects = effects(model, &baseline, &all, &before, &tracker).await?;
        let text = |token: &u32| model.tokenizer().label(*token);
        let [a, b] = [targets.a, targets.b].map(|token| LabeledToken::new(model.tokenizer(), token));
        let section = InterventionSection {
            head: pair.head,
            dest: pair.dest,
            src: pair.src,
            a,
            b,
            second: second.map(|second| second.tokens().iter().map(text).collect()),
            prompts: run.len(),
            normalization: question.normalization,
            same_tokens: same_tokens(run, &prompt, &pair),
            before,
            effects,
        };
        give(model, &prompt, section.into(), tracker.timing());
        Ok(())
    })
}

/// Removes every component of the query side and of the key side of the pair of `question`, one at a time. The
/// linear prediction is passed to `give` at once, then repeatedly with the components recomputed so far,
/// at last with all.
///
/// # Errors
/// Those of [`intervene`] as far as they concern the sentence, the pair and the targets.
pub async fn causal_map(
    model: &mut Model,
    cache: &mut QuestionCache,
    question: &Question,
    observer: &dyn Observer,
    mut give: impl FnMut(&Model, &Prompt, Section, Timing),
) -> Result<()> {
    causal_map_with(model, cache, question, observer, &mut give).await
}

/// The same with `give` as a trait object.
fn causal_map_with<'a>(
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
        let log_probs = cache.log_probs(model, (pair.dest, false), &tracker).await?.to_vec();
        let targets = question.between(model, &log_probs)?;
        prompt.targets = targets.into();
        let asked = (targets, targets.difference(&log_probs));
        let baseline = Baseline::new(model, (&pair, cache.sentence()?.into()), asked, &tracker).await?;
        if let Some(written) = cache.written_at(pair.dest) {
            baseline.know(pair.dest, written);
        }
        let frozen_head = baseline.frozen_head(model, pair.head, &tracker).await?;
        let basis = PredictionBasis {
            baseline: &baseline,
            frozen_head: &frozen_head,
        };
        let [a, b] = [targets.a, targets.b].map(|token| LabeledToken::new(model.tokenizer(), token));
        let at_src = |values: &[f64]| values.get(pair.src).map_or(f32::NAN, |&value| value as f32);
        let section = CausalSection {
            head: pair.head,
            dest: pair.dest,
            src: pair.src,
            a,
            b,
            score: at_src(&frozen_head.before.scores),
            attention: at_src(&frozen_head.before.pattern),
            logit_difference: baseline.logit_difference as f32,
            components: Vec::new(),
            query: CausalSide::default(),
            key: CausalSide::default(),
        };
        let mut map = Map::predicted(model, basis, cache.sentence()?, section, &tracker).await?;
        give(model, &prompt, map.section.clone().into(), tracker.timing());
        let done = |model: &Model, section: &CausalSection| {
            give(model, &prompt, section.clone().into(), tracker.timing());
        };
        map.recompute(model, basis, &tracker, done).await
    })
}

/// The prompts that `maker` makes for `model`.
async fn made_by(maker: &PromptSource, model: &Model, monitor: &dyn Monitor) -> Result<Vec<Prompt>> {
    maker.check()?;
    let n_ctx = model.config().n_ctx;
    let made = maker
        .make(model.tokenizer(), n_ctx, async || monitor.yield_now().await)
        .await?;
    Ok(made.batches.into_iter().flatten().collect())
}

/// Number of prompts of `run` whose tokens at destination and source equal those of `pair` in `prompt`; None where
/// there is no run.
fn same_tokens(run: &[Prompt], prompt: &Prompt, pair: &Pair) -> Option<[usize; 2]> {
    let count = |position: usize, position_in: fn(&Prompt) -> Result<usize>| {
        let token = prompt.tokens.get(position);
        let same = |other: &&Prompt| position_in(other).ok().and_then(|position| other.tokens.get(position)) == token;
        run.iter().filter(same).count()
    };
    (!run.is_empty()).then(|| [count(pair.dest, Prompt::dest), count(pair.src, Prompt::src)])
}

/// Takes the second sentence of `question` through the model, reusing the common beginning.
async fn second_sentence(
    model: &mut Model,
    cache: &QuestionCache,
    (question, text): (&Question, &str),
    monitor: &dyn Monitor,
) -> Result<Sentence> {
    let second = Question {
        text: text.to_owned(),
        ..question.clone()
    };
    let tokens = second.prompt(model)?.tokens;
    let sentence = cache.sentence()?;
    let count = sentence.tokens().len();
    if tokens.len() != count {
        let cause = format!("the second sentence has {} tokens, the first one {count}", tokens.len());
        return Err(Error::new(ErrorKind::Prompt, cause)
            .expected(format!("{count} tokens"))
            .advice("Put a word in another's place that is as many tokens long."));
    }
    Sentence::read(model, &tokens, Some(sentence), monitor).await
}
