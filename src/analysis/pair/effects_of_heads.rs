//! Direct effects of every head on a logit difference, as means over prompts: without intervention, with one head
//! ablated, and with activation patching. The same analysis as recorded for GPT-2 small, for any model. For a single
//! prompt, the ablation of the head with the largest effect.

use serde::{Deserialize, Serialize};

use super::direct::direction;
use super::{Between, Question, Sentence};
use crate::analysis::progress_tracker::ProgressTracker;
use crate::analysis::{Array, HeadEffectsSection, Observer, Patched, Phase, TargetPrompt, Without};
use crate::error::{Error, ErrorKind, Result};
use crate::forward::{Edit, Model, Monitor, Pass, Tap, Variant};
use crate::math;
use crate::model::Config;
use crate::names::{BlockHook, Component, Head, HookPoint};

/// A prompt, and the two tokens that are compared after it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TargetText {
    /// The prompt, without BOS, which is prepended.
    pub text: String,
    /// The correct token, with its leading space.
    pub answer: String,
    /// The incorrect token.
    pub other: String,
}

/// A prompt that has gone through the model.
struct TracedPrompt {
    sentence: Sentence,
    targets: Between,
    /// How much a unit of each number of the final normalized stream adds to `logit(answer) - logit(other)`,
    /// `[d_model]`, and how much ln_f's bias adds.
    direction: (Vec<f64>, f64),
    /// `logit(answer) - logit(other)` after the prompt.
    difference: f64,
}

/// Sums over prompts, for means.
struct Sums(Vec<f64>);

/// The effects of all heads of `model` on `logit(answer) - logit(other)` after `prompts` (BOS is prepended): direct
/// effects, direct effects with the output of the head `without` set to zero at the last token, and the effects of
/// patching each head's activations.
///
/// For patching, each prompt is paired with the one of `prompts` that has the same number of tokens and its two target
/// tokens exchanged. The run of that partner is the base; one activation is copied into it, at all positions, from the
/// run of the prompt, which is clean. The reported value is `(patched - base) / (clean - base)`, of means over the prompts.
///
/// # Errors
/// [`ErrorKind::Prompt`] for no prompt, texts that are not one token, the same token as both, and a prompt without
/// another that has its two tokens exchanged, or with several; [`ErrorKind::Request`] for a head that does not exist;
/// read errors, and those of `monitor`.
pub async fn head_effects(
    model: &mut Model,
    prompts: &[TargetText],
    without: Option<Head>,
    monitor: &dyn Monitor,
) -> Result<HeadEffectsSection> {
    if prompts.is_empty() {
        return Err(
            Error::new(ErrorKind::Prompt, "there is no prompt").expected("some, two and two with exchanged tokens")
        );
    }
    let config = model.config().clone();
    without.map_or(Ok(()), |head| config.check_head(head))?;
    let mut all = Vec::with_capacity(prompts.len());
    for prompt in prompts {
        all.push(trace(model, prompt, monitor).await?);
    }
    let partners = prompts
        .iter()
        .enumerate()
        .map(|(index, prompt)| partner_of(&all, index, &prompt.text))
        .collect::<Result<Vec<usize>>>()?;
    let heads = config.n_layer * config.n_head;
    let mut direct = Sums(vec![0.0; heads]);
    let mut ablated = Sums(vec![0.0; heads + 1]);
    for prompt in &all {
        direct.add(&of_heads(
            &direct_effects(model, prompt, None, monitor).await?.0,
            &config,
        ));
        if let Some(head) = without {
            let (effects, difference) = direct_effects(model, prompt, Some(head), monitor).await?;
            let mut found = of_heads(&effects, &config);
            found.push(difference);
            ablated.add(&found);
        }
    }
    let mut patched = [(); 3].map(|()| Sums(vec![0.0; heads]));
    let (mut clean, mut base) = (0.0, 0.0);
    for (prompt, &other) in all.iter().zip(&partners) {
        let into = &all[other];
        clean += prompt.difference;
        // The direction of the clean prompt's two tokens, in the other run.
        base += prompt.difference_at(&into.sentence.pass, into.sentence.row(into.last())?, &config);
        for layer in 0..config.n_layer {
            let found = patch_layer(model, (prompt, into), layer, monitor).await?;
            for (sums, found) in patched.iter_mut().zip(found) {
                let start = layer * config.n_head;
                sums.0[start..].iter_mut().zip(found).for_each(|(sum, v)| *sum += v);
            }
        }
    }
    if (clean - base).abs() < f64::EPSILON {
        let cause = "the prompts and those with exchanged tokens have the same difference of logits";
        return Err(
            Error::new(ErrorKind::Prompt, cause).expected("prompts after which the model tells the two tokens apart")
        );
    }
    let shape = vec![config.n_layer, config.n_head];
    let count = all.len() as f64;
    let share_restored = |sums: &Sums| {
        let values = sums.0.iter().map(|sum| ((sum - base) / (clean - base)) as f32);
        Array::new(shape.clone(), values.collect())
    };
    let [z, v, pattern] = &patched;
    Ok(HeadEffectsSection {
        prompts: prompts
            .iter()
            .zip(&all)
            .map(|(prompt, read)| read.for_result(prompt))
            .collect(),
        logit_difference: (clean / count) as f32,
        direct: Array::new(shape.clone(), direct.means(count))?,
        without: match without {
            Some(head) => {
                let mut means = ablated.means(count);
                let logit_difference = means.pop().unwrap_or(f32::NAN);
                let direct = Array::new(shape.clone(), means)?;
                Some(Without {
                    head,
                    logit_difference,
                    direct,
                })
            }
            None => None,
        },
        patched: Some(Patched {
            z: share_restored(z)?,
            v: share_restored(v)?,
            pattern: share_restored(pattern)?,
        }),
    })
}

/// The direct effects of all heads of `model` on `logit(answer) - logit(other)` after `prompt` (BOS is prepended), and
/// those with the output of the head with the largest effect set to zero at the last token. Corresponds to a recording
/// over several prompts, for one prompt of any model, without patching.
///
/// # Errors
/// [`ErrorKind::Prompt`] for texts that are not one token, read errors, and those of `observer`.
pub async fn without_largest(
    model: &mut Model,
    prompt: &TargetText,
    observer: &dyn Observer,
) -> Result<HeadEffectsSection> {
    let config = model.config().clone();
    let traffic = model.checkpoint().traffic();
    let tracker = ProgressTracker::new(observer, Phase::Loading, 1, config.n_layer, traffic);
    let read = trace(model, prompt, &tracker).await?;
    let direct = of_heads(&direct_effects(model, &read, None, &tracker).await?.0, &config);
    let largest = (0..direct.len()).max_by(|&one, &other| direct[one].total_cmp(&direct[other]));
    let largest = largest.unwrap_or_default();
    let head = Head::new(largest / config.n_head, largest % config.n_head);
    let (without, logit_difference) = direct_effects(model, &read, Some(head), &tracker).await?;
    let array = |effects: Vec<f64>| Array::new(vec![config.n_layer, config.n_head], Sums(effects).means(1.0));
    Ok(HeadEffectsSection {
        prompts: vec![read.for_result(prompt)],
        logit_difference: read.difference as f32,
        direct: array(direct)?,
        without: Some(Without {
            head,
            logit_difference: logit_difference as f32,
            direct: array(of_heads(&without, &config))?,
        }),
        patched: None,
    })
}

impl TracedPrompt {
    /// `prompt` in the form of the result.
    fn for_result(&self, prompt: &TargetText) -> TargetPrompt {
        TargetPrompt {
            text: prompt.text.clone(),
            answer: prompt.answer.clone(),
            other: prompt.other.clone(),
            logit_difference: self.difference as f32,
        }
    }

    /// The last position.
    fn last(&self) -> usize {
        self.sentence.tokens().len() - 1
    }

    /// `logit(answer) - logit(other)` at `row` of a `pass` that has gone through all layers.
    fn difference_at(&self, pass: &Pass, row: usize, config: &Config) -> f64 {
        let scale = pass.final_scales(&[row], config).first().copied().unwrap_or(f32::NAN);
        let (direction, bias) = &self.direction;
        math::dot_wide(direction, pass.resid_at(row)) / f64::from(scale) + bias
    }
}

impl Sums {
    fn add(&mut self, values: &[f64]) {
        self.0.iter_mut().zip(values).for_each(|(sum, v)| *sum += v);
    }

    fn means(&self, count: f64) -> Vec<f32> {
        self.0.iter().map(|sum| (sum / count) as f32).collect()
    }
}

/// Takes `prompt` through `model`.
async fn trace(model: &mut Model, prompt: &TargetText, monitor: &dyn Monitor) -> Result<TracedPrompt> {
    let question = Question {
        text: prompt.text.clone(),
        prepend_bos: true,
        ..Question::default()
    };
    let tokens = question.prompt(model)?.tokens;
    let targets = Between {
        a: model.tokenizer().single_token(&prompt.answer)?,
        b: model.tokenizer().single_token(&prompt.other)?,
    };
    let sentence = Sentence::read(model, &tokens, None, monitor).await?;
    let mut read = TracedPrompt {
        direction: direction(model, targets, monitor).await?,
        sentence,
        targets,
        difference: 0.0,
    };
    let row = read.sentence.row(read.last())?;
    read.difference = read.difference_at(&read.sentence.pass, row, model.config());
    Ok(read)
}

/// The index in `all` of the prompt that has the target tokens of number `index` exchanged. `text` is for the error.
fn partner_of(all: &[TracedPrompt], index: usize, text: &str) -> Result<usize> {
    let TracedPrompt { targets, sentence, .. } = &all[index];
    let exchanged = |other: &&usize| {
        let TracedPrompt {
            targets: of,
            sentence: theirs,
            ..
        } = &all[**other];
        (of.a, of.b) == (targets.b, targets.a) && theirs.tokens().len() == sentence.tokens().len()
    };
    let numbers: Vec<usize> = (0..all.len()).collect();
    let found: Vec<usize> = numbers.iter().filter(exchanged).copied().collect();
    match found[..] {
        [other] => Ok(other),
        _ => Err(Error::new(
            ErrorKind::Prompt,
            format!("{} prompts have the tokens of {text:?} exchanged", found.len()),
        )
        .expected("one, of as many tokens: activations are taken from one and put into the other")),
    }
}

/// The effects of heads among those of all components, `[layer, head]`.
fn of_heads(effects: &[f64], config: &Config) -> Vec<f64> {
    let components = Component::before(config.n_layer, config.n_head).zip(effects);
    components
        .filter(|(component, _)| matches!(component, Component::Head(_)))
        .map(|(_, &effect)| effect)
        .collect()
}

/// Direct effects of all components at the last token of `prompt`, and the logit difference; with the output of the
/// head `without` set to 0, if given. Outputs of earlier layers are not recomputed.
async fn direct_effects(
    model: &mut Model,
    prompt: &TracedPrompt,
    without: Option<Head>,
    monitor: &dyn Monitor,
) -> Result<(Vec<f64>, f64)> {
    let (last, config) = (prompt.last(), model.config().clone());
    let written = prompt.sentence.written(model, last, monitor).await?;
    let (mut vectors, mut scale) = (written.vectors, written.final_scale);
    let mut difference = prompt.difference;
    if let Some(head) = without {
        let zero = Edit::of_head(head.layer, BlockHook::Z, head.head, last, vec![0.0; config.d_head()]);
        let variant = Variant {
            edits: vec![zero],
            ..Variant::default()
        };
        let mut pass = prompt.sentence.pass.edited(&config, &[variant])?;
        let row = pass.tree.path(0)[last];
        let hooks = [BlockHook::Result, BlockHook::MlpOut];
        let points = (head.layer..config.n_layer).flat_map(|layer| hooks.map(|hook| HookPoint::block(layer, hook)));
        pass.request.taps = points.map(|point| Tap::new(point, vec![row])).collect();
        let mut passes = [pass];
        model.run(&mut passes, config.n_layer, monitor).await?;
        let [pass] = passes;
        // Two embeddings, then heads, MLP and output bias of each layer.
        let of_layer = config.n_head + 2;
        for (layer, captured) in (head.layer..).zip(pass.captured.chunks_exact(hooks.len())) {
            let start = 2 + layer * of_layer;
            let heads = captured[0].row(0).chunks_exact(config.d_model);
            for (vector, found) in vectors[start..].iter_mut().zip(heads.chain([captured[1].row(0)])) {
                vector.copy_from_slice(found);
            }
        }
        scale = pass.final_scales(&[row], &config).first().copied().unwrap_or(f32::NAN);
        difference = prompt.difference_at(&pass, row, &config);
    }
    let effect = |vector: &Vec<f32>| math::dot_wide(&prompt.direction.0, vector) / f64::from(scale);
    Ok((vectors.iter().map(effect).collect(), difference))
}

/// Logit differences after `z`, values and pattern of each head of `layer` are copied from `prompt` into the run of
/// `into`, at all positions: `[3, head]`.
async fn patch_layer(
    model: &mut Model,
    (prompt, into): (&TracedPrompt, &TracedPrompt),
    layer: usize,
    monitor: &dyn Monitor,
) -> Result<[Vec<f64>; 3]> {
    let (last, config) = (prompt.last(), model.config().clone());
    let hooks = [BlockHook::Z, BlockHook::V, BlockHook::Pattern];
    let variant = |hook: BlockHook, head: usize| {
        let edit = |position: usize| {
            let from = prompt.sentence.row(position)?;
            let value = prompt
                .sentence
                .pass
                .of_head(&config, Head::new(layer, head), hook, from);
            Ok(Edit::of_head(layer, hook, head, position, value))
        };
        Ok(Variant {
            sequence: 0,
            edits: (0..=last).map(edit).collect::<Result<_>>()?,
            until: None,
            only_last: true,
        })
    };
    let variants = hooks
        .iter()
        .flat_map(|&hook| (0..config.n_head).map(move |head| (hook, head)))
        .map(|(hook, head)| variant(hook, head))
        .collect::<Result<Vec<_>>>()?;
    let mut passes = [into.sentence.pass.edited(&config, &variants)?];
    model.run(&mut passes, config.n_layer, monitor).await?;
    let [pass] = passes;
    let found: Vec<f64> = (0..variants.len())
        .map(|variant| prompt.difference_at(&pass, pass.tree.path(variant)[last], &config))
        .collect();
    let mut by_hook = found.chunks_exact(config.n_head).map(<[f64]>::to_vec);
    Ok([(); 3].map(|()| by_hook.next().unwrap_or_default()))
}
