//! Answers questions from recorded sentences in the same form as a model would.

use super::{RecordedSentence, Recording, Rows};
use crate::analysis::pair::{AttentionSection, LayerSection, NextSection, PairSection, Question, small_pattern};
use crate::analysis::{Array, Section};
use crate::error::{Error, ErrorKind, Result};
use crate::math;
use crate::model::Config;
use crate::names::{Head, PositionName};
use crate::prompts::{Prompt, PromptSet, TextSet};
use crate::result::{FORMAT, ResultFile};

impl Recording {
    /// The recorded part of the answer to `question`: attention and, where recorded, next tokens, the decomposed score,
    /// and the patterns of the head's layer if all of its heads are recorded. Further decompositions are never
    /// recorded.
    ///
    /// # Errors
    /// [`ErrorKind::Request`] for a sentence or head that is not recorded, and for positions that do not exist.
    pub fn answer(&self, question: &Question) -> Result<ResultFile> {
        let sentence = self.sentence(question).ok_or_else(|| {
            missing(format!("the sentence \"{}\" is not recorded", question.text))
                .expected("one of the recorded sentences, with BOS or without as it was recorded")
        })?;
        let (head, dest, src) = sentence.pair(question)?;
        let of_pair = |pair: &&PairSection| {
            (pair.head, pair.dest, pair.src, pair.relative) == (head, dest, src, question.relative)
        };
        let attention = sentence.attention(&self.config, head, dest, src)?;
        let next = sentence.next.get(&dest).map(|tokens| NextSection {
            dest,
            tokens: tokens.clone(),
        });
        let decomposition = sentence.pairs.iter().find(of_pair).cloned();
        let layer = question
            .layer
            .then(|| sentence.layer(&self.config, head.layer))
            .transpose()?;
        let sections = [
            Some(Section::from(attention)),
            next.map(Section::from),
            decomposition.map(Section::from),
            layer.flatten().map(Section::from),
        ];
        let set = TextSet {
            prompts: 1,
            prepend_bos: sentence.prepend_bos,
            seed: 0,
            notes: Vec::new(),
        };
        Ok(ResultFile {
            format: FORMAT.to_owned(),
            model: self.model.clone(),
            config: self.config.clone(),
            processing: self.processing,
            prompt_set: Some(PromptSet::Text(set)),
            prompts: vec![Prompt {
                text: sentence.text.clone(),
                tokens: sentence.tokens.clone(),
                positions: [(PositionName::Dest, dest), (PositionName::Src, src)].into(),
                ..Prompt::default()
            }],
            sections: sections.into_iter().flatten().collect(),
            skipped: Vec::new(),
            timing: None,
        })
    }
}

impl RecordedSentence {
    /// Whether everything about heads that `question` asks is recorded for this sentence.
    pub fn has_head(&self, question: &Question) -> bool {
        question.head.is_none_or(|head| self.heads.contains_key(&head))
    }

    /// Head, query position and key position of `question`.
    fn pair(&self, question: &Question) -> Result<(Head, usize, usize)> {
        let last = self.tokens.len() - 1;
        let dest = question.dest.unwrap_or(last);
        if dest > last {
            let cause = format!("there is no position {dest} in {} tokens", self.tokens.len());
            return Err(Error::new(ErrorKind::Request, cause).expected(format!("a position from 0 to {last}")));
        }
        let head = match question.head {
            Some(head) if self.heads.contains_key(&head) => head,
            Some(head) => {
                let known: Vec<String> = self.heads.keys().map(ToString::to_string).collect();
                return Err(missing(format!("head {head} is not recorded for this sentence"))
                    .expected(format!("one of {}", known.join(", "))));
            }
            None => self
                .begin
                .or_else(|| self.most_attending_head(dest))
                .unwrap_or(Head::new(0, 0)),
        };
        let src = question.src.unwrap_or_else(|| self.most_attended(head, dest));
        if src > dest {
            let cause = format!("the source {src} is after the destination {dest}");
            return Err(Error::new(ErrorKind::Request, cause)
                .expected("a source at the destination or before it")
                .advice("Attention is causal: a head cannot attend to later tokens."));
        }
        Ok((head, dest, src))
    }

    /// The head with the most attention from `dest` to a single token other than the first and its own; the first
    /// recorded head if there is no such token.
    fn most_attending_head(&self, dest: usize) -> Option<Head> {
        let share = |head: Head| {
            let row = self.probabilities(head, dest);
            row.iter().take(dest).skip(1).copied().fold(0.0, f32::max)
        };
        let heads = self.heads.keys().map(|&head| (head, share(head)));
        // On ties the first (`max_by` would take the last).
        heads
            .reduce(|best, other| if other.1 > best.1 { other } else { best })
            .map(|(head, _)| head)
    }

    /// The position other than 0 with the most attention of `head` from `dest`: see
    /// [`crate::analysis::pair::Sentence::most_attended`].
    fn most_attended(&self, head: Head, dest: usize) -> usize {
        let row = self.row(head, dest).iter().copied().enumerate().skip(1);
        row.reduce(|best, other| if other.1 > best.1 { other } else { best })
            .map_or(0, |(position, _)| position)
    }

    /// The recorded row of `head` from `dest`, `[dest + 1]`; empty if the head is not recorded.
    fn row(&self, head: Head, dest: usize) -> &[f32] {
        let first = dest * (dest + 1) / 2;
        let rows = self.heads.get(&head).and_then(|rows| rows.get(first..=first + dest));
        rows.unwrap_or_default()
    }

    /// The probabilities from `dest`, `[dest + 1]`.
    fn probabilities(&self, head: Head, dest: usize) -> Vec<f32> {
        let mut row = self.row(head, dest).to_vec();
        if self.rows == Rows::Scores {
            math::softmax(&mut row);
        }
        row
    }

    /// The patterns of all heads of `layer`; None where not all of them are recorded.
    fn layer(&self, config: &Config, layer: usize) -> Result<Option<LayerSection>> {
        let heads = (0..config.n_head).map(|head| Head::new(layer, head));
        if !heads.clone().all(|head| self.heads.contains_key(&head)) {
            return Ok(None);
        }
        let count = self.tokens.len();
        let pattern = |head| small_pattern(count, |position| Ok(self.probabilities(head, position)));
        let patterns: Vec<Vec<f32>> = heads.map(pattern).collect::<Result<_>>()?;
        LayerSection::new(layer, count, &patterns).map(Some)
    }

    fn attention(&self, config: &Config, head: Head, dest: usize, src: usize) -> Result<AttentionSection> {
        let numbers: Vec<f32> = self
            .heads
            .keys()
            .flat_map(|&head| self.row(head, dest))
            .copied()
            .collect();
        let whole = self.heads.len() == config.n_layer * config.n_head;
        let shape = if whole {
            vec![config.n_layer, config.n_head, dest + 1]
        } else {
            vec![self.heads.len(), dest + 1]
        };
        let rows = Array::new(shape, numbers)?;
        let (scores, probs) = match self.rows {
            Rows::Scores => (Some(rows), None),
            Rows::Probs => (None, Some(rows)),
        };
        let pattern = (0..self.tokens.len()).flat_map(|position| self.probabilities(head, position));
        Ok(AttentionSection {
            head,
            dest,
            src,
            texts: self.texts.clone(),
            heads: (!whole).then(|| self.heads.keys().copied().collect()),
            scores,
            probs,
            pattern: Array::vector(pattern.collect()),
            measures: None,
        })
    }
}

fn missing(cause: String) -> Error {
    Error::new(ErrorKind::Request, cause).advice("Choose a model: it computes what is not recorded.")
}
