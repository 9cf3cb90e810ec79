//! Texts about interventions.

use super::words::{percent, quoted};
use crate::analysis::pair::{
    Effect, Extent, Intervention, InterventionSection, LabeledToken, Outcome, Predicted, Replacement, Vector,
};
use crate::names::{Component, HeadActivation, Normalization, Side};
use crate::quantities::{counted, grouped, number};
use crate::result::ResultFile;

/// One number of a pair, before and after, beside the linear prediction of it.
#[derive(Debug, Clone, PartialEq)]
pub struct MeasureLine {
    /// What it is.
    pub name: String,
    /// As it is.
    pub before: f32,
    /// With the intervention, recomputed.
    pub after: f32,
    /// With it, as linearly predicted; None where it predicts nothing.
    pub predicted: Option<f32>,
    /// Whether it is a share of attention.
    pub is_share: bool,
}

impl MeasureLine {
    /// `value` of this line, which is a share or a number: "31 %", "2.60".
    pub fn text(&self, value: f32) -> String {
        if self.is_share {
            percent(value)
        } else {
            number(f64::from(value), 2)
        }
    }

    /// What is recomputed minus what is predicted, of shares in percentage points.
    pub fn difference(&self) -> Option<String> {
        let difference = f64::from(self.after - self.predicted?);
        let sign = if difference > 0.0 { "+" } else { "" };
        Some(if self.is_share {
            format!("{sign}{} points", number(100.0 * difference, 1))
        } else {
            format!("{sign}{}", number(difference, 2))
        })
    }
}

/// The text of `token` where `result` has it, in quotation marks; else its id.
fn token_name(result: &ResultFile, token: u32) -> String {
    known_tokens(result)
        .into_iter()
        .find(|known| known.token == token)
        .map_or_else(|| format!("token {token}"), |known| quoted(&[known.text], 0))
}

/// The tokens whose texts `result` has: those of the sentence, then the likeliest next ones, each once.
pub fn known_tokens(result: &ResultFile) -> Vec<LabeledToken> {
    let mut known: Vec<LabeledToken> = Vec::new();
    let mut add = |token: u32, text: &str| {
        if known.iter().all(|other| other.token != token) {
            let text = text.to_owned();
            known.push(LabeledToken { token, text });
        }
    };
    if let (Some(prompt), Some(section)) = (result.prompts.first(), result.attention()) {
        for (token, text) in prompt.tokens.iter().zip(&section.texts) {
            add(*token, text);
        }
    }
    for next in result.next().into_iter().flat_map(|section| &section.tokens) {
        add(next.token, &next.text);
    }
    if let Some(section) = result.intervention() {
        let next = section.before.next.iter().map(|next| (next.token, &next.text));
        let targets = [&section.a, &section.b].map(|target| (target.token, &target.text));
        for (token, text) in next.chain(targets) {
            add(token, text);
        }
    }
    known
}

/// An activation of a head for people.
pub const fn activation_name(activation: HeadActivation) -> &'static str {
    match activation {
        HeadActivation::Z => "weighted values (z)",
        HeadActivation::Q => "own query",
        HeadActivation::K => "own key",
        HeadActivation::V => "value",
        HeadActivation::Pattern => "pattern",
    }
}

/// Where an activation of a head is set, for people.
pub const fn place_name(at: Extent, activation: HeadActivation) -> &'static str {
    match (at, activation.side()) {
        (Extent::All, _) => "at every token",
        (Extent::Pair, Side::Query) => "at the token that looks",
        (Extent::Pair, Side::Key) => "at the token looked at",
    }
}

/// The matrix whose row of a token stands in place of what is read.
fn vector_name(result: &ResultFile, vector: Vector) -> String {
    match vector {
        Vector::Unembedding(token) => format!("W_U of {}", token_name(result, token)),
        Vector::Embedding(token) => format!("{} of {}", Component::TokenEmbedding, token_name(result, token)),
        Vector::Component(component) => format!("{} alone", component.name()),
        Vector::Mean => "the mean of what is read there".into(),
        Vector::Zero => "0, its bias alone".into(),
    }
}

/// How vectors are normalized that interventions put in place of what the head reads.
fn normalization(result: &ResultFile) -> Normalization {
    result
        .intervention()
        .map(|section| section.normalization)
        .unwrap_or_default()
}

/// What was done: "Took MLP 7 out of the key".
pub fn done(result: &ResultFile, intervention: &Intervention) -> String {
    match *intervention {
        Intervention::Substitute { side, vector } => {
            let exact = vector != Vector::Zero && normalization(result).is_exact();
            let how = if exact {
                format!(", {}", normalization(result).done())
            } else {
                String::new()
            };
            format!("Made the {side} from {}{how}", vector_name(result, vector))
        }
        Intervention::Remove { side, component, scale } => {
            let times = if (scale - 1.0).abs() < f32::EPSILON {
                String::new()
            } else {
                format!("{scale} times ")
            };
            format!("Took {times}{} out of the {side}", component.name())
        }
        Intervention::Set {
            head,
            activation,
            to,
            at,
        } => {
            let place = place_name(at, activation);
            match (activation, to) {
                (HeadActivation::Z, Replacement::Zero) => format!("Knocked out {head} {place}"),
                (_, Replacement::Zero) => format!("Set the {} of {head} to 0 {place}", activation_name(activation)),
                (_, Replacement::Mean) => {
                    format!("Set the {} of {head} to its mean {place}", activation_name(activation))
                }
                (_, Replacement::Second) => format!(
                    "Copied the {} of {head} from the second sentence {place}",
                    activation_name(activation)
                ),
            }
        }
    }
}

/// The difference of logits for people: "logit Mary \u{2212} John".
fn difference_name(section: &InterventionSection) -> String {
    format!(
        "logit {} \u{2212} {}",
        super::words::name(&section.a.text),
        super::words::name(&section.b.text)
    )
}

/// The numbers of the pair before `effect` and after it.
pub fn lines(section: &InterventionSection, effect: &Effect) -> [MeasureLine; 4] {
    let Effect { after, predicted, .. } = effect;
    let Predicted {
        attention,
        score,
        logit_difference,
    } = *predicted;
    let line = |name: String, value: &dyn Fn(&Outcome) -> f32, predicted, is_share| MeasureLine {
        name,
        before: value(&section.before),
        after: value(after),
        predicted,
        is_share,
    };
    let src = section.src;
    [
        line("score".into(), &|outcome| outcome.score, Some(score), false),
        line(
            "attention".into(),
            &|outcome| outcome.attention(src),
            Some(attention),
            true,
        ),
        line(
            difference_name(section),
            &|outcome| outcome.logit_difference,
            Some(logit_difference),
            false,
        ),
        line(
            format!("probability of {}", super::words::name(&section.a.text)),
            &|outcome| outcome.logprob_a.exp(),
            None,
            true,
        ),
    ]
}

/// Before and after in one sentence: "Knocked out 9.9 at every token: score 4.90 \u{2192} 2.60, attention 71 % \u{2192} 31 %, \u{2026}"
pub fn description(result: &ResultFile, section: &InterventionSection, effect: &Effect) -> String {
    let lines = lines(section, effect);
    let description: Vec<String> = lines
        .iter()
        .filter(|line| line.predicted.is_some())
        .map(|line| {
            let (before, after) = (line.text(line.before), line.text(line.after));
            format!("{} {before} \u{2192} {after}", line.name)
        })
        .collect();
    let mean = mean_words(result, section, &effect.intervention);
    let mean = mean.map_or_else(String::new, |words| format!(" {words}"));
    format!(
        "{}: {}.{mean}",
        done(result, &effect.intervention),
        description.join(", ")
    )
}

/// What the mean that `intervention` puts there is over; None where there is none.
fn mean_words(result: &ResultFile, section: &InterventionSection, intervention: &Intervention) -> Option<String> {
    if !intervention.needs_run() {
        return None;
    }
    let prompts = counted(section.prompts, "prompt", "prompts");
    let (Some(side), Some(same)) = (intervention.mean_at(), section.same_tokens) else {
        return Some(format!("The mean is over {prompts}, position by position."));
    };
    let (position, same) = match side {
        Side::Query => (section.dest, same[0]),
        Side::Key => (section.src, same[1]),
    };
    let token = result
        .attention()
        .map_or_else(String::new, |attention| quoted(&attention.texts, position));
    Some(match same {
        same if same == section.prompts => format!("The mean is over {prompts}, which all have {token} there."),
        0 => format!("The mean is over {prompts}, of which none has {token} there: it is of other tokens."),
        same => format!(
            "The mean is over {prompts}, of which {} {} {token} there: it is of other tokens, too.",
            grouped(same),
            if same == 1 { "has" } else { "have" }
        ),
    })
}

/// How far the linear prediction is from that, in one sentence.
pub fn prediction(section: &InterventionSection, effect: &Effect) -> String {
    let lines = lines(section, effect);
    let description: Vec<String> = lines
        .iter()
        .filter_map(|line| {
            let (predicted, difference) = (line.predicted?, line.difference()?);
            Some(format!("{} {} ({difference})", line.name, line.text(predicted)))
        })
        .collect();
    format!(
        "The linear prediction, with LayerNorm's scales frozen and the direct path alone, gives {}; in brackets, by how much what is recomputed differs.",
        description.join(", ")
    )
}
