//! Creates recordings: what a model computes for given sentences.

use std::collections::BTreeMap;
use std::str::FromStr;

use super::recorded::{RECORDING_FORMAT, RecordedSentence, Recording, Rows};
use crate::analysis::pair::{self, NextToken, Pair, PairSection, Question, Sentence};
use crate::error::{Error, ErrorKind, Result};
use crate::forward::{Model, Monitor};
use crate::names::{Head, PositionName};
use crate::prompts::text::Place;
use crate::result::ModelInfo;

/// Number of most likely next tokens to record.
const NEXT: usize = 20;

/// What to record.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Recorded {
    /// The sentences.
    pub texts: Vec<String>,
    /// Whether BOS is prepended.
    pub prepend_bos: bool,
    /// Scores to decompose, in every sentence.
    pub pairs: Vec<PairToRecord>,
    /// Whether to record the next tokens after every position, or only after the last one.
    pub every_next: bool,
    /// The initial head; None for the one with the most attention to a single token.
    pub begin: Option<Head>,
    /// Source of the numbers as shown to the user; None for this program and the model's location.
    pub source: Option<String>,
}

/// A head and two positions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PairToRecord {
    /// The head.
    pub head: Head,
    /// The query position.
    pub dest: Place,
    /// The key position.
    pub src: Place,
}

impl FromStr for PairToRecord {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let mut parts = text.split(':');
        let read = |part: Option<&str>| part.filter(|part| !part.is_empty())?.parse::<Place>().ok();
        let head = parts.next().and_then(|head| head.parse().ok());
        let (dest, src) = (read(parts.next()), read(parts.next()));
        match (head, dest, src, parts.next()) {
            (Some(head), Some(dest), Some(src), None) => Ok(Self { head, dest, src }),
            _ => Err(Error::new(ErrorKind::Request, format!("{text:?} is no pair"))
                .expected("a head and two positions, such as 10.7:-1:1 or 10.7:-1:Mary")),
        }
    }
}

impl Recording {
    /// Records the sentences of `asked` with `model`.
    ///
    /// # Errors
    /// Those of sentences that the model can't take, [`ErrorKind::Request`] for heads and positions that they have not,
    /// [`ErrorKind::Checkpoint`] where a score is not finite, read errors, and those of `monitor`.
    pub async fn of(model: &mut Model, asked: &Recorded, monitor: &dyn Monitor) -> Result<Self> {
        if let Some(head) = asked.begin {
            model.config().check_head(head)?;
        }
        let mut sentences = Vec::with_capacity(asked.texts.len());
        for text in &asked.texts {
            sentences.push(record(model, text, asked, monitor).await?);
        }
        let info = ModelInfo::of(model);
        Ok(Self {
            format: RECORDING_FORMAT.to_owned(),
            config: model.config().clone(),
            processing: model.processing(),
            source: asked.source.clone().unwrap_or_else(|| {
                let version = env!("CARGO_PKG_VERSION");
                format!("Written by keyside {version} from {}", info.source)
            }),
            model: info,
            sentences,
        })
    }
}

/// Records the sentence `text`.
async fn record(model: &mut Model, text: &str, asked: &Recorded, monitor: &dyn Monitor) -> Result<RecordedSentence> {
    let question = Question {
        text: text.to_owned(),
        prepend_bos: asked.prepend_bos,
        ..Question::default()
    };
    let tokens = question.prompt(model)?.tokens;
    let sentence = Sentence::read(model, &tokens, None, monitor).await?;
    let (layers, in_layer) = (model.config().n_layer, model.config().n_head);
    let mut heads = BTreeMap::new();
    for head in (0..layers).flat_map(|layer| (0..in_layer).map(move |head| Head::new(layer, head))) {
        let mut rows = Vec::with_capacity(tokens.len() * (tokens.len() + 1) / 2);
        for dest in 0..tokens.len() {
            rows.extend(sentence.scores(model, head, dest)?);
        }
        heads.insert(head, rows);
    }
    let first = if asked.every_next { 0 } else { tokens.len() - 1 };
    let mut next = BTreeMap::new();
    for dest in first..tokens.len() {
        let log_probs = sentence.log_probs(model, dest, monitor).await?;
        let likely = pair::likeliest(&log_probs, NEXT).into_iter();
        let named = likely.map(|(token, logprob)| NextToken {
            token,
            text: model.tokenizer().label(token),
            logprob,
        });
        next.insert(dest, named.collect());
    }
    let mut pairs: Vec<PairSection> = Vec::new();
    for PairToRecord { head, dest, src } in &asked.pairs {
        let place = |name: PositionName, place: &Place| {
            let found = place.find(name.as_str(), text, model.tokenizer(), asked.prepend_bos);
            found.map_err(|error| Error {
                cause: format!("of the pair {head}:{dest}:{src} {}", error.cause),
                ..error
            })
        };
        let pair = Pair {
            dest: place(PositionName::Dest, dest)?,
            src: place(PositionName::Src, src)?,
            tokens: tokens.clone(),
            head: *head,
        };
        let decomposition = pair::decomposition(model, &pair, monitor).await?;
        pairs.push(PairSection::new(&pair, &decomposition, None)?);
    }
    if let Some(head) = heads
        .iter()
        .find(|(_, rows)| rows.iter().any(|value| !value.is_finite()))
    {
        let cause = format!("a score of head {} is not finite", head.0);
        return Err(Error::new(ErrorKind::Checkpoint, cause).advice("Check the model's weights."));
    }
    Ok(RecordedSentence {
        text: text.to_owned(),
        prepend_bos: asked.prepend_bos,
        texts: tokens.iter().map(|&token| model.tokenizer().label(token)).collect(),
        tokens,
        rows: Rows::Scores,
        heads,
        next,
        pairs,
        begin: asked.begin,
        note: None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pair_is_a_head_and_two_positions() {
        let pair = PairToRecord {
            head: Head::new(10, 7),
            dest: Place::At(-1),
            src: Place::Word("Mary".to_owned()),
        };
        assert_eq!("10.7:-1:Mary".parse(), Ok(pair));
        for text in ["", "10.7", "10.7:1", "10:1:1", "10.7:1:1:1", "10.7::1"] {
            assert!(text.parse::<PairToRecord>().is_err(), "{text}");
        }
    }
}
