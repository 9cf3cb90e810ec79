//! Checks of a recording's consistency.

use super::{ADVICE, RECORDING_FORMAT, RecordedSentence, Recording, Rows, error};
use crate::analysis::SectionType;
use crate::analysis::pair::NextSection;
use crate::error::{Error, ErrorKind, Result};
use crate::model::Config;

impl Recording {
    /// Checks that all parts fit each other: sentences are distinct, heads exist, positions are within their sentence,
    /// every head has a number for each pair of positions, and every number is finite.
    ///
    /// # Errors
    /// [`ErrorKind::ResultFile`] naming the sentence and what does not fit.
    pub fn check(&self) -> Result<()> {
        if self.format != RECORDING_FORMAT {
            return Err(error(format!("the recording has the format \"{}\"", self.format)).expected(RECORDING_FORMAT));
        }
        if self.sentences.is_empty() {
            return Err(error("the recording has no sentence").expected("one at least"));
        }
        for (index, sentence) in self.sentences.iter().enumerate() {
            let ours = |cause: Error| Error {
                kind: ErrorKind::ResultFile,
                cause: format!("sentences[{index}]: {}", cause.cause),
                advice: ADVICE.into(),
                ..cause
            };
            sentence.check(&self.config).map_err(ours)?;
            let same =
                |other: &&RecordedSentence| (&other.text, other.prepend_bos) == (&sentence.text, sentence.prepend_bos);
            if self.sentences[..index].iter().any(|other| same(&other)) {
                return Err(ours(
                    error("the sentence is there twice").expected("each sentence once"),
                ));
            }
        }
        Ok(())
    }
}

impl RecordedSentence {
    fn check(&self, config: &Config) -> Result<()> {
        let count = self.tokens.len();
        if count == 0 || count > config.n_ctx {
            return Err(error(format!("it has {count} tokens")).expected(format!("from 1 to {}", config.n_ctx)));
        }
        if self.texts.len() != count {
            return Err(error(format!("it has {} texts of tokens", self.texts.len())).expected(count.to_string()));
        }
        if self.heads.is_empty() {
            return Err(error("no head is recorded").expected("one at least"));
        }
        let numbers = count * (count + 1) / 2;
        for (head, rows) in &self.heads {
            config.check_head(*head)?;
            if rows.len() != numbers {
                let expected = format!("{numbers}, one for each pair of {count} positions");
                return Err(error(format!("head {head} has {} numbers", rows.len())).expected(expected));
            }
            let fits = |value: &f32| match self.rows {
                Rows::Scores => value.is_finite(),
                Rows::Probs => (0.0..=1.0).contains(value),
            };
            if let Some(value) = rows.iter().find(|value| !fits(value)) {
                let expected = match self.rows {
                    Rows::Scores => "finite scores",
                    Rows::Probs => "probabilities, from 0 to 1",
                };
                return Err(error(format!("a number of head {head} is {value}")).expected(expected));
            }
        }
        if let Some(head) = self.begin.filter(|head| !self.heads.contains_key(head)) {
            return Err(error(format!("it begins with head {head}, which is not recorded")).expected("a recorded head"));
        }
        for (&dest, tokens) in &self.next {
            if dest >= count {
                return Err(error(format!("there are tokens after position {dest} of {count}"))
                    .expected(format!("a position from 0 to {}", count - 1)));
            }
            let tokens = tokens.clone();
            NextSection { dest, tokens }.check(config, 1)?;
        }
        for pair in &self.pairs {
            pair.check(config, 1)?;
            if pair.dest >= count {
                return Err(
                    error(format!("there is a decomposition of position {} of {count}", pair.dest))
                        .expected(format!("a position from 0 to {}", count - 1)),
                );
            }
        }
        Ok(())
    }
}
