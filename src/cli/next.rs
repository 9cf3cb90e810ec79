//! `keyside next`: the most likely tokens after a position, or a sampled continuation.

use clap::Args;
use serde::Serialize;
use std::io::Write;

use super::listing::{largest, line};
use super::sentence::{NEXT, Sentence, SentenceArguments, shown, write};
use crate::error::Result;
use crate::forward::{NoMonitor, Sampling, continue_with};

/// The options of `keyside next`.
#[derive(Debug, Clone, Args)]
pub struct NextArguments {
    /// The sentence.
    #[command(flatten)]
    pub sentence: SentenceArguments,
    /// Go on with this many tokens, each drawn from what the model expects, instead of listing the most likely.
    #[arg(long, value_name = "N")]
    pub count: Option<usize>,
    /// What logits are divided by before a token is drawn; 0 takes the most likely [default: 1].
    #[arg(long, value_name = "T", requires = "count", allow_negative_numbers = true)]
    pub temperature: Option<f64>,
    /// Draw from this many of the most likely tokens only [default: all].
    #[arg(long, value_name = "K", requires = "count")]
    pub top_k: Option<usize>,
    /// Draw only from the most likely tokens that have this probability together [default: 1].
    #[arg(long, value_name = "P", requires = "count", allow_negative_numbers = true)]
    pub top_p: Option<f64>,
    /// Seed of the draw [default: 0].
    #[arg(long, value_name = "S", requires = "count")]
    pub seed: Option<u64>,
}

/// A possible next token.
#[derive(Serialize)]
struct Next {
    token: u32,
    text: String,
    logprob: f32,
}

/// The continuation of a sentence.
#[derive(Serialize)]
struct Continued<'a> {
    /// The sentence's tokens up to the position.
    tokens: &'a [u32],
    /// The tokens of the continuation.
    continuation: &'a [u32],
    /// Their text.
    text: &'a str,
}

impl NextArguments {
    fn sampling(&self) -> Sampling {
        let default = Sampling::default();
        Sampling {
            temperature: self.temperature.unwrap_or(default.temperature),
            top_k: self.top_k,
            top_p: self.top_p,
            seed: self.seed.unwrap_or(default.seed),
        }
    }
}

/// `keyside next`: the most likely tokens after a position, or a sampled continuation.
///
/// # Errors
/// Those of [`crate::forward::Model::log_probs`] and [`continue_with`], and of writing.
pub async fn run_next(arguments: &NextArguments, out: &mut dyn Write) -> Result<()> {
    arguments.sampling().check()?;
    let mut sentence = Sentence::read(&arguments.sentence).await?;
    let seen = sentence.tokens[..=sentence.dest].to_vec();
    let json = arguments.sentence.json.as_deref();
    if let Some(count) = arguments.count {
        let model = &mut sentence.model;
        let continuation = continue_with(model, &seen, count, &arguments.sampling(), &NoMonitor).await?;
        let text = sentence.model.tokenizer().text(&continuation);
        let continued = Continued {
            tokens: &seen,
            continuation: &continuation,
            text: &text,
        };
        return write(
            json,
            &continued,
            &describe_continuation(&sentence, &continued, count),
            out,
        );
    }
    let found = sentence.model.log_probs(&[&seen], &NoMonitor).await?;
    let log_probs = found.into_iter().next().unwrap_or_default();
    let next: Vec<Next> = largest(&log_probs)
        .take(NEXT)
        .map(|token| Next {
            token: token as u32,
            text: shown(sentence.model.tokenizer(), token as u32),
            logprob: log_probs[token],
        })
        .collect();
    let mut description = after(&sentence);
    for Next { token, text, logprob } in &next {
        line(
            &mut description,
            format_args!("{:>6.2} %  {text:?} ({token})", 100.0 * f64::from(*logprob).exp()),
        );
    }
    write(json, &next, &description, out)
}

/// The continuation, and why it is shorter than `count` if it is.
fn describe_continuation(sentence: &Sentence, continued: &Continued<'_>, count: usize) -> String {
    let mut description = after(sentence);
    line(&mut description, format_args!("{:?}", continued.text));
    let found = continued.continuation.len();
    if found < count {
        line(
            &mut description,
            format_args!("{found} tokens instead of {count}: the model's context ends there."),
        );
    }
    description
}

fn after(sentence: &Sentence) -> String {
    let dest = sentence.dest;
    format!("After {:?} (position {dest}):\n", sentence.token(dest))
}
