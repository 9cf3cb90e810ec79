//! Output and direct effects of a head as sections of a result.

use serde::{Deserialize, Serialize};

use super::attention::likeliest;
use super::check::{check_finite, check_positions, check_targets};
use super::direct::{DirectEffects, Written};
use super::position_pair::Pair;
use super::sections::NextToken;
use super::targets::Between;
use super::token::{LabeledToken, TokenValue};
use super::writes::Writes;
use crate::analysis::{Array, SectionType};
use crate::error::{Error, ErrorKind, Result};
use crate::math;
use crate::model::{Config, Tokenizer};
use crate::names::{Component, Head};

/// Number of tokens that are listed after each layer.
const LENS_TOKENS: usize = 5;

/// Direct effects of all components at one position of a sentence on the difference of two tokens' logits, `logit(a) -
/// logit(b)`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct EffectsSection {
    /// The head whose effect is also split by source token.
    pub head: Head,
    /// The position.
    pub dest: usize,
    /// The first token of the difference.
    pub a: LabeledToken,
    /// The second token.
    pub b: LabeledToken,
    /// The components of all layers.
    pub components: Vec<Component>,
    /// Contribution of each to the difference, `[components]`, with the scale of the final LayerNorm frozen.
    pub effects: Array,
    /// Contribution of b_U.
    pub bias: f32,
    /// The sum of all, computed without them: the difference of the logits.
    pub difference: f32,
    /// Contribution of the head by source token, `[dest + 1]`; sums to its direct effect.
    pub by_source: Array,
}

/// The head's output at `dest` per unit of attention to `src`: the logits that it raises and lowers, relative to their
/// mean over the vocabulary.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct WritesSection {
    /// The head.
    pub head: Head,
    /// The query position.
    pub dest: usize,
    /// The key position.
    pub src: usize,
    /// The attention between them. Multiply the effects by it.
    pub attention: f32,
    /// The source token with the effect on its own logit: positive means copying, negative means suppression.
    pub source: TokenValue,
    /// Rank of the source token among all tokens; 1 is the most raised.
    pub rank: usize,
    /// Size of the vocabulary.
    pub vocabulary: usize,
    /// The most raised tokens, in descending order.
    pub raised: Vec<TokenValue>,
    /// The most lowered tokens, the lowest first.
    pub lowered: Vec<TokenValue>,
}

/// The logit lens: predictions if the model ended after each of its layers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LensSection {
    /// The position.
    pub dest: usize,
    /// The first target token.
    pub a: LabeledToken,
    /// The second target token.
    pub b: LabeledToken,
    /// Before the first layer, then after each layer, through the final LayerNorm and W_U.
    pub layers: Vec<LensLayer>,
}

/// Predictions after one layer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LensLayer {
    /// The most likely tokens, most likely first.
    pub tokens: Vec<NextToken>,
    /// Log-probability of the token `a`.
    pub logprob_a: f32,
    /// Log-probability of the token `b`. `logprob_a - logprob_b` is the difference of the logits.
    pub logprob_b: f32,
}

impl EffectsSection {
    /// From the `effects` of the vectors `written` at the destination of `pair` on `targets`, and those of the head
    /// `by_source`; `log_probs [d_vocab]` are those of the next token.
    pub(super) fn new(
        (pair, targets): (&Pair, Between),
        written: &Written,
        effects: DirectEffects,
        by_source: Vec<f32>,
        (log_probs, tokenizer): (&[f32], &Tokenizer),
    ) -> Self {
        let [of_a, of_b] = [targets.a, targets.b].map(|token| value_of(log_probs, token));
        Self {
            head: pair.head,
            dest: pair.dest,
            a: LabeledToken::new(tokenizer, targets.a),
            b: LabeledToken::new(tokenizer, targets.b),
            components: written.components.clone(),
            effects: Array::vector(effects.of_components),
            bias: effects.of_bias,
            difference: (f64::from(of_a) - f64::from(of_b)) as f32,
            by_source: Array::vector(by_source),
        }
    }

    /// The sum of all effects and the bias: equal to [`EffectsSection::difference`], but for rounding.
    pub fn sum(&self) -> f32 {
        (math::sum(self.effects.data()) + f64::from(self.bias)) as f32
    }

    /// The sum of absolute effects: the scale to which rounding errors have to be compared.
    pub fn scale(&self) -> f32 {
        let sizes: Vec<f32> = self.effects.data().iter().map(|effect| effect.abs()).collect();
        (math::sum(&sizes) + f64::from(self.bias.abs())) as f32
    }

    /// The effect of `component`; None where the model does not have it.
    pub fn of(&self, component: Component) -> Option<f32> {
        let place = self.components.iter().position(|other| *other == component)?;
        self.effects.data().get(place).copied()
    }
}

impl WritesSection {
    /// From the computed `writes` for `pair`.
    pub(super) fn new(pair: &Pair, writes: &Writes, tokenizer: &Tokenizer) -> Self {
        let token = pair.tokens.get(pair.src).copied().unwrap_or_default();
        let value = value_of(&writes.logits, token);
        Self {
            head: pair.head,
            dest: pair.dest,
            src: pair.src,
            attention: writes.attention,
            source: TokenValue::new(tokenizer, (token, value)),
            rank: writes.rank(token).unwrap_or_default(),
            vocabulary: writes.logits.len(),
            raised: TokenValue::all(tokenizer, writes.raised()),
            lowered: TokenValue::all(tokenizer, writes.lowered()),
        }
    }
}

impl LensSection {
    /// From `logits` before the first layer and after each, `[n_layer + 1][d_vocab]`.
    pub(super) fn new(dest: usize, targets: Between, logits: &[Vec<f32>], tokenizer: &Tokenizer) -> Self {
        let layer = |logits: &Vec<f32>| {
            let log_probs = math::log_softmax(logits);
            let tokens = likeliest(&log_probs, LENS_TOKENS).into_iter();
            LensLayer {
                tokens: tokens
                    .map(|(token, logprob)| NextToken {
                        token,
                        text: tokenizer.label(token),
                        logprob,
                    })
                    .collect(),
                logprob_a: value_of(&log_probs, targets.a),
                logprob_b: value_of(&log_probs, targets.b),
            }
        };
        Self {
            dest,
            a: LabeledToken::new(tokenizer, targets.a),
            b: LabeledToken::new(tokenizer, targets.b),
            layers: logits.iter().map(layer).collect(),
        }
    }
}

/// The entry of `token` in `values [d_vocab]`.
fn value_of(values: &[f32], token: u32) -> f32 {
    values.get(token as usize).copied().unwrap_or(f32::NAN)
}

impl SectionType for EffectsSection {
    fn head(&self) -> Option<Head> {
        Some(self.head)
    }

    fn check(&self, config: &Config, _prompts: usize) -> Result<()> {
        config.check_head(self.head).map_err(Error::into_result_file_error)?;
        check_targets(&self.a, &self.b, config)?;
        let count = self.components.len();
        if !Component::before(config.n_layer, config.n_head).eq(self.components.iter().copied()) {
            return Err(Error::new(
                ErrorKind::ResultFile,
                "effects: the components are not those of all layers",
            )
            .expected("embeddings, then heads, MLP and output bias of each layer"));
        }
        self.effects.check("effects: effects", &[count])?;
        self.by_source.check("effects: by_source", &[self.dest + 1])?;
        check_finite("effects: a value", [self.bias, self.difference])
    }
}

impl SectionType for WritesSection {
    fn head(&self) -> Option<Head> {
        Some(self.head)
    }

    fn check(&self, config: &Config, _prompts: usize) -> Result<()> {
        config.check_head(self.head).map_err(Error::into_result_file_error)?;
        check_positions(self.dest, self.src, None)?;
        let listed = self.raised.iter().chain(&self.lowered).chain([&self.source]);
        check_finite(
            "writes: a value",
            listed.map(|token| token.value).chain([self.attention]),
        )?;
        if (1..=self.vocabulary).contains(&self.rank) {
            return Ok(());
        }
        let cause = format!("writes: the source token has rank {}", self.rank);
        Err(Error::new(ErrorKind::ResultFile, cause).expected(format!("a rank from 1 to {}", self.vocabulary)))
    }
}

impl SectionType for LensSection {
    fn head(&self) -> Option<Head> {
        None
    }

    fn check(&self, config: &Config, _prompts: usize) -> Result<()> {
        check_targets(&self.a, &self.b, config)?;
        let (count, expected) = (self.layers.len(), config.n_layer + 1);
        if count != expected {
            let cause = format!("lens: there are {count} layers");
            return Err(Error::new(ErrorKind::ResultFile, cause)
                .expected(format!("{expected}: before the first layer, and after each")));
        }
        let description = self.layers.iter().flat_map(|layer| {
            let tokens = layer.tokens.iter().map(|token| token.logprob);
            tokens.chain([layer.logprob_a, layer.logprob_b])
        });
        check_finite("lens: a log-probability", description)
    }
}
