//! What a reader asks of a sentence, and the answer as sections of a result.

use serde::{Deserialize, Serialize};

use super::sections::{AttentionSection, NextSection, NextToken, PairSection};
use super::{Pair, Sentence, account, attention, likeliest};
use crate::analysis::meter::Meter;
use crate::analysis::{Observer, Phase, Section};
use crate::error::{Error, ErrorKind, Result};
use crate::forward::Model;
use crate::names::{Head, PositionName, Relative};
use crate::prompts::Prompt;

/// Likeliest next tokens in an answer.
const NEXT: usize = 20;

/// A sentence, and what is asked of it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Question {
    /// The sentence.
    pub text: String,
    /// Whether BOS stands before it.
    pub prepend_bos: bool,
    /// The position that heads look from; None for the last one.
    pub dest: Option<usize>,
    /// The position that the head looks to; None for the one that is found.
    pub src: Option<usize>,
    /// The head; None for the one that is found.
    pub head: Option<Head>,
    /// What its score is relative to; None for the score itself.
    pub relative: Option<Relative>,
}

impl Question {
    /// The sentence as a prompt, its tokens read.
    ///
    /// # Errors
    /// [`ErrorKind::Prompt`] for a text without a token, one that does not fit the context, and a model without BOS where there
    /// is to be one.
    pub fn prompt(&self, model: &Model) -> Result<Prompt> {
        let tokenizer = model.tokenizer();
        let mut tokens = tokenizer.encode(&self.text)?;
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
}

/// Answers `question` part by part, the quickest first: each part goes to `give` with the sentence. `before` is the last sentence that
/// has gone through `model`; what the two have in common is not computed again.
///
/// # Errors
/// Those of [`Question::prompt`]; [`ErrorKind::Request`] for a head or positions that there are not, errors of reading, and
/// `observer`'s.
pub async fn ask(
    model: &mut Model,
    before: &mut Option<Sentence>,
    question: &Question,
    observer: &dyn Observer,
    mut give: impl FnMut(&Model, &Prompt, Section),
) -> Result<()> {
    let mut prompt = question.prompt(model)?;
    let (layers, traffic) = (model.config().n_layer, model.checkpoint().traffic());
    let meter = Meter::new(observer, Phase::Loading, 1, layers, traffic);
    meter.plan(prompt.tokens.len(), model.bytes_to_read(&[], layers, None));
    let known = before.as_ref().filter(|known| known.tokens() == prompt.tokens);
    if known.is_none() {
        // Until it is there the old one stays: it may be what the next question is about.
        let read = Sentence::read(model, &prompt.tokens, before.as_ref(), &meter).await?;
        *before = Some(read);
    }
    let Some(sentence) = before.as_ref() else {
        return Err(Error::new(ErrorKind::Internal, "a sentence that was read is gone"));
    };
    let dest = question.dest.unwrap_or(prompt.tokens.len() - 1);
    // The likeliest next token tells which pair to begin with, and passes by all of W_U: only where it must it comes first.
    let mut log_probs = None;
    let (head, src) = match (question.head, question.src) {
        (Some(head), Some(src)) => (head, src),
        (Some(head), None) => (head, sentence.most_attended(model, head, dest)?),
        (None, src) => {
            let found = sentence.log_probs(model, dest, &meter).await?;
            let first = sentence.first_pair(model, dest, &found, &meter).await?;
            log_probs = Some(found);
            (first.head, src.unwrap_or(first.src))
        }
    };
    let pair = Pair {
        tokens: prompt.tokens.clone(),
        dest,
        src,
        head,
    };
    prompt.positions = [(PositionName::Dest, dest), (PositionName::Src, src)].into();
    let found = attention(model, sentence, &pair)?;
    let texts = prompt
        .tokens
        .iter()
        .map(|&token| model.tokenizer().label(token))
        .collect();
    give(model, &prompt, AttentionSection::new(&pair, texts, &found)?.into());

    let log_probs = match log_probs {
        Some(found) => found,
        None => sentence.log_probs(model, dest, &meter).await?,
    };
    let tokens = likeliest(&log_probs, NEXT)
        .into_iter()
        .map(|(token, logprob)| NextToken {
            token,
            text: model.tokenizer().label(token),
            logprob,
        });
    let tokens = tokens.collect();
    give(model, &prompt, NextSection { dest, tokens }.into());

    let account = account(model, &pair, &meter).await?;
    give(
        model,
        &prompt,
        PairSection::new(&pair, &account, question.relative)?.into(),
    );
    Ok(())
}
