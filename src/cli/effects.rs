//! `keyside effects`: direct effects of all components on the next token, and the head's output.

use std::collections::BTreeMap;
use std::io::Write;

use super::interventions;
use super::listing::{LINES, largest_sizes, line};
use super::sentence::{PairArguments, Sentence, shown, write};
use crate::analysis::Array;
use crate::analysis::pair::{self, Between, DirectEffects, Pair, Writes, Written};
use crate::error::{Error, Result};
use crate::forward::NoMonitor;
use crate::math;
use crate::model::Tokenizer;
use crate::prompts::Targets;

/// The results of `keyside effects`.
struct Found {
    pair: Pair,
    targets: Between,
    written: Written,
    effects: DirectEffects,
    by_source: Vec<f32>,
    writes: Writes,
    /// The logit lens: log-probabilities before the first layer and after each layer, `[n_layer + 1][d_vocab]`.
    lens: Vec<Vec<f32>>,
}

/// `keyside effects`: direct effects of all components on the difference of two tokens' logits, the tokens that the
/// head raises and lowers, the logit lens, and interventions at the pair.
///
/// # Errors
/// Those of [`pair::Sentence`], [`crate::ErrorKind::Target`] for targets that are not two tokens, and those of writing.
pub async fn run_effects(arguments: &PairArguments, out: &mut dyn Write) -> Result<()> {
    let mut sentence = Sentence::read(&arguments.sentence).await?;
    let pair = sentence.pair(arguments)?;
    let wanted = targets(sentence.model.tokenizer(), arguments)?;
    let found = find(&mut sentence, pair, wanted).await?;
    let mut by_source = found.by_source.clone();
    by_source.resize(sentence.tokens.len(), 0.0);
    let values = |tokens: Vec<pair::Valued>| Array::vector(tokens.into_iter().map(|(_, value)| value).collect());
    let of_source = found.of_source();
    let mut description = found.description(&sentence);
    let recomputed = interventions::find(&mut sentence, (&found.pair, found.targets), arguments).await?;
    description.push_str(&recomputed.description());
    let mut arrays: BTreeMap<&'static str, Array> = [
        ("direct_effects", Array::vector(found.effects.of_components)),
        ("direct_effect_b_U", Array::vector(vec![found.effects.of_bias])),
        ("head_direct_effect_by_source", Array::vector(by_source)),
        ("ov_top", values(found.writes.raised())),
        ("ov_bottom", values(found.writes.lowered())),
        ("ov_logit_of_source_token", Array::vector(vec![of_source])),
    ]
    .into();
    arrays.extend(recomputed.arrays());
    let written = sentence.written(found.pair.head, arrays);
    write(arguments.sentence.json.as_deref(), &written, &description, out)
}

/// The target tokens in `arguments`.
///
/// # Errors
/// [`crate::ErrorKind::Target`] for a text that is not one token.
pub(super) fn targets(tokenizer: &Tokenizer, arguments: &PairArguments) -> Result<Targets> {
    let token = |name: &str, given: &Option<String>| {
        let given = given.as_deref();
        given
            .map(|given| pair::token_of(tokenizer, given))
            .transpose()
            .map_err(|error| Error {
                cause: format!("--{name} {}", error.cause),
                ..error
            })
    };
    Ok(Targets {
        a: token("a", &arguments.a)?,
        b: token("b", &arguments.b)?,
    })
}

async fn find(sentence: &mut Sentence, pair: Pair, wanted: Targets) -> Result<Found> {
    let model = &mut sentence.model;
    let read = pair::Sentence::read(model, &pair.tokens, None, &NoMonitor).await?;
    let stream = read.stream(model, pair.dest)?;
    let logits = model.logits_of(&stream, &NoMonitor).await?;
    let lens: Vec<Vec<f32>> = logits.iter().map(|logits| math::log_softmax(logits)).collect();
    let log_probs = lens.last().map(Vec::as_slice).unwrap_or_default();
    let targets = Between::of(wanted, log_probs, model.config())?;
    let written = read.written(model, pair.dest, &NoMonitor).await?;
    let effects = written.direct_effects(model, targets, &NoMonitor).await?;
    let of_head = (pair.head, pair.dest);
    let by_source = read
        .direct_effect_by_source(model, of_head, targets, &NoMonitor)
        .await?;
    let writes = read.writes(model, &pair, &NoMonitor).await?;
    Ok(Found {
        pair,
        targets,
        written,
        effects,
        by_source,
        writes,
        lens,
    })
}

impl Found {
    /// The effect on the logit of the source token itself.
    fn of_source(&self) -> f32 {
        let token = self.pair.tokens[self.pair.src];
        self.writes.logits.get(token as usize).copied().unwrap_or(f32::NAN)
    }

    fn description(&self, sentence: &Sentence) -> String {
        let mut description = self.describe_effects(sentence);
        description.push_str(&self.describe_writes(sentence));
        description.push_str(&self.describe_lens(sentence));
        description
    }

    fn describe_effects(&self, sentence: &Sentence) -> String {
        let tokenizer = sentence.model.tokenizer();
        let Between { a, b } = self.targets;
        let (of_a, of_b) = (shown(tokenizer, a), shown(tokenizer, b));
        let last = self.lens.last().map(Vec::as_slice).unwrap_or_default();
        let at = |token: u32| f64::from(last.get(token as usize).copied().unwrap_or(f32::NAN));
        let effects = &self.effects.of_components;
        let sum = math::sum(effects) + f64::from(self.effects.of_bias);
        let dest = self.pair.dest;
        let mut description = format!(
            "After {:?} (position {dest}) the logit of {of_a:?} minus that of {of_b:?} is {:.4}; {} components and b_U add up to {sum:.4}:\n",
            sentence.token(dest),
            at(a) - at(b),
            effects.len(),
        );
        let components = &self.written.components;
        for index in largest_sizes(effects).take(LINES) {
            line(
                &mut description,
                format_args!("{:>+9.4}  {}", effects[index], components[index].name()),
            );
        }
        let head = self.pair.head;
        line(
            &mut description,
            format_args!("Of these head {head} adds by what it has read at:"),
        );
        for position in largest_sizes(&self.by_source).take(LINES) {
            let (value, token) = (self.by_source[position], sentence.token(position));
            line(
                &mut description,
                format_args!("{value:>+9.4}  {token:?} (position {position})"),
            );
        }
        description
    }

    fn describe_writes(&self, sentence: &Sentence) -> String {
        let tokenizer = sentence.model.tokenizer();
        let Pair { head, src, .. } = self.pair;
        let source = sentence.token(src);
        let attention = self.writes.attention;
        let mut description = format!(
            "Head {head} attends {:.1} % to {source:?} (position {src}). Per unit of attention it writes to the logits, relative to their mean:\n",
            100.0 * attention
        );
        let rank = self.writes.rank(self.pair.tokens[src]).unwrap_or_default();
        line(
            &mut description,
            format_args!(
                "{:>+9.4}  {source:?} itself, rank {rank} of {}",
                self.of_source(),
                self.writes.logits.len()
            ),
        );
        for (what, tokens) in [("raised", self.writes.raised()), ("lowered", self.writes.lowered())] {
            line(&mut description, format_args!("Most {what}, and times its attention:"));
            for (token, value) in tokens {
                let text = shown(tokenizer, token);
                line(
                    &mut description,
                    format_args!("{value:>+9.4} {:>+9.4}  {text:?}", value * attention),
                );
            }
        }
        description
    }

    fn describe_lens(&self, sentence: &Sentence) -> String {
        let tokenizer = sentence.model.tokenizer();
        let Between { a, b } = self.targets;
        let (of_a, of_b) = (shown(tokenizer, a), shown(tokenizer, b));
        let mut description =
            format!("After each layer, the log-probabilities of {of_a:?} and {of_b:?}, and what is likeliest:\n");
        for (layer, log_probs) in self.lens.iter().enumerate() {
            let name = match layer.checked_sub(1) {
                None => "embedding".to_owned(),
                Some(layer) => format!("layer {layer}"),
            };
            let at = |token: u32| log_probs.get(token as usize).copied().unwrap_or(f32::NAN);
            let likeliest = pair::likeliest(log_probs, 3).into_iter();
            let texts: Vec<String> = likeliest
                .map(|(token, _)| format!("{:?}", shown(tokenizer, token)))
                .collect();
            line(
                &mut description,
                format_args!("{name:>10} {:>9.4} {:>9.4}  {}", at(a), at(b), texts.join(" ")),
            );
        }
        description
    }
}
