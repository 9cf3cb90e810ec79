//! Questions about a sentence.

use serde::{Deserialize, Serialize};

use super::substituted::SubstitutionRequest;
use super::{Between, PartPath, TargetTexts};
use crate::error::{Error, ErrorKind, Result};
use crate::forward::Model;
use crate::names::{Head, Normalization, Relative};
use crate::prompts::{Prompt, Targets};

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
    /// Whether to compute statistics of all heads over all positions: [`super::AttentionSection::measures`].
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
        let mut tokens = if self.special_as_text {
            tokenizer.encode_as_text(&self.text)?
        } else {
            tokenizer.encode(&self.text)?
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
