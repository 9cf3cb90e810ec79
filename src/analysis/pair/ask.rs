//! What a reader asks of a sentence, and the answer as sections of a result.

use serde::{Deserialize, Serialize};

use super::sections::{AttentionSection, DownSection, NextSection, NextToken, PairSection};
use super::{Account, Opening, Pair, Sentence, account, attention, down, likeliest};
use crate::analysis::meter::Meter;
use crate::analysis::{Observer, Phase, Section, Timing};
use crate::error::{Error, ErrorKind, Result};
use crate::forward::{Model, Sampling, Watcher, continue_with};
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
    /// What of the score is opened, if anything is; relative to the same as the score, whatever it says itself.
    #[serde(default)]
    pub down: Option<Opening>,
}

/// What is known of the last sentence that was asked about, so that the next question need not begin anew.
#[derive(Default)]
pub struct Known {
    sentence: Option<Sentence>,
    /// Log-probabilities after a position.
    log_probs: Option<(usize, Vec<f32>)>,
    account: Option<(Pair, Account)>,
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

/// Answers `question` part by part, the quickest first: each part goes to `give` with the sentence and how long it took so far. `known` is what earlier questions to
/// `model` have left: what the sentences have in common is not computed again.
///
/// # Errors
/// Those of [`Question::prompt`]; [`ErrorKind::Request`] for a head or positions that there are not, errors of reading, and
/// `observer`'s.
pub async fn ask(
    model: &mut Model,
    known: &mut Known,
    question: &Question,
    observer: &dyn Observer,
    mut give: impl FnMut(&Model, &Prompt, Section, Timing),
) -> Result<()> {
    let mut prompt = question.prompt(model)?;
    let (layers, traffic) = (model.config().n_layer, model.checkpoint().traffic());
    let meter = Meter::new(observer, Phase::Loading, 1, layers, traffic);
    meter.plan(prompt.tokens.len(), model.bytes_to_read(&[], layers, None));
    known.read(model, &prompt.tokens, &meter).await?;
    let dest = question.dest.unwrap_or(prompt.tokens.len() - 1);
    // The likeliest next token tells which pair to begin with, and passes by all of W_U: only where it must it comes first.
    let (head, src) = match (question.head, question.src) {
        (Some(head), Some(src)) => (head, src),
        (Some(head), None) => (head, known.sentence()?.most_attended(model, head, dest)?),
        (None, src) => {
            let log_probs = known.log_probs(model, dest, &meter).await?.to_vec();
            let sentence = known.sentence()?;
            let first = sentence.first_pair(model, dest, &log_probs, &meter).await?;
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
    let found = attention(model, known.sentence()?, &pair)?;
    let texts = prompt.tokens.iter().map(|&token| model.tokenizer().label(token));
    let section = AttentionSection::new(&pair, texts.collect(), &found)?;
    give(model, &prompt, section.into(), meter.timing());

    let log_probs = known.log_probs(model, dest, &meter).await?;
    let tokens = likeliest(log_probs, NEXT)
        .into_iter()
        .map(|(token, logprob)| NextToken {
            token,
            text: model.tokenizer().label(token),
            logprob,
        });
    let tokens = tokens.collect();
    give(model, &prompt, NextSection { dest, tokens }.into(), meter.timing());

    let account = known.account(model, &pair, &meter).await?;
    let section = PairSection::new(&pair, account, question.relative)?;
    give(model, &prompt, section.into(), meter.timing());
    if let Some(opening) = &question.down {
        let opening = Opening {
            relative: question.relative,
            ..opening.clone()
        };
        let opened = down(model, &pair, &opening, &meter).await?;
        let section = DownSection {
            head,
            dest,
            src,
            opening,
            opened,
        };
        give(model, &prompt, section.into(), meter.timing());
    }
    Ok(())
}

/// The text of `question` up to the position that is looked from, and up to `count` tokens that `model` goes on with, drawn as `sampling`
/// says.
///
/// # Errors
/// Those of [`Question::prompt`] and [`continue_with`]; [`ErrorKind::Request`] for a position that there is not.
pub async fn go_on(
    model: &mut Model,
    question: &Question,
    (count, sampling): (usize, &Sampling),
    observer: &dyn Observer,
) -> Result<String> {
    let mut tokens = question.prompt(model)?.tokens;
    let (layers, traffic) = (model.config().n_layer, model.checkpoint().traffic());
    let meter = Meter::new(observer, Phase::Loading, 1, layers, traffic);
    meter.plan(tokens.len() + count, model.bytes_to_read(&[], layers, None));
    if let Some(dest) = question.dest {
        if dest >= tokens.len() {
            let cause = format!("there is no position {dest} in {} tokens", tokens.len());
            return Err(Error::new(ErrorKind::Request, cause).expected(format!("one from 0 to {}", tokens.len() - 1)));
        }
        tokens.truncate(dest + 1);
    }
    let more = continue_with(model, &tokens, count, sampling, &meter).await?;
    tokens.extend(more);
    Ok(model.tokenizer().text(&tokens[usize::from(question.prepend_bos)..]))
}

impl Known {
    /// Takes `tokens` through `model`, unless they have been.
    async fn read(&mut self, model: &mut Model, tokens: &[u32], watcher: &dyn Watcher) -> Result<()> {
        if self.sentence.as_ref().is_none_or(|known| known.tokens() != tokens) {
            // Until it is there the old one stays: it may be what the next question is about.
            let read = Sentence::read(model, tokens, self.sentence.as_ref(), watcher).await?;
            *self = Self {
                sentence: Some(read),
                ..Self::default()
            };
        }
        Ok(())
    }

    fn sentence(&self) -> Result<&Sentence> {
        self.sentence.as_ref().ok_or_else(gone)
    }

    async fn log_probs(&mut self, model: &Model, dest: usize, watcher: &dyn Watcher) -> Result<&[f32]> {
        if self.log_probs.as_ref().is_none_or(|(known, _)| *known != dest) {
            let found = self.sentence()?.log_probs(model, dest, watcher).await?;
            self.log_probs = Some((dest, found));
        }
        self.log_probs.as_ref().map(|(_, found)| &found[..]).ok_or_else(gone)
    }

    async fn account(&mut self, model: &mut Model, pair: &Pair, watcher: &dyn Watcher) -> Result<&Account> {
        if self.account.as_ref().is_none_or(|(known, _)| known != pair) {
            let found = account(model, pair, watcher).await?;
            self.account = Some((pair.clone(), found));
        }
        self.account.as_ref().map(|(_, found)| found).ok_or_else(gone)
    }
}

fn gone() -> Error {
    Error::new(ErrorKind::Internal, "what was just read is gone")
}
