//! IOI prompts for training and measuring, and the split between them.

use std::collections::HashSet;

use crate::error::{Error, ErrorKind, Result};
use crate::model::Tokenizer;
use crate::prompts::ioi::random::PythonRandom;
use crate::prompts::ioi::{Dataset, Positions, draw_slots, find_positions};

/// Templates never seen in training, in both orders of the names.
///
/// Their words are nearly all known from other templates, in another composition: 7 ends as no other
/// ("decided to give the ring to") after the clause of 6; 8 has the opening of 9, the clause of 2 and the ending
/// of 5; 11 has the sentences of 0 and 10 after an opening of its own. So they test whether the task was learned
/// rather than the sentences.
pub const HELD_OUT_TEMPLATES: [usize; 3] = [7, 8, 11];

/// One in how many unordered pairs of names is never seen in training.
const HELD_OUT_PAIRS: usize = 10;

/// In a disturbed prompt, one in this many tokens is replaced, and before one in this many another token is inserted.
const DISTURBED: u32 = 8;

/// Seed of the choice of pairs, so that tests use the same split as the training did.
const PAIR_SEED: u64 = 109;

/// Which pairs of names a prompt may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pairs {
    /// The pairs of names in the training data.
    Training,
    /// The pairs of names never seen in training, in both orders.
    HeldOut,
    /// All.
    Any,
}

/// Which templates a prompt may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Templates {
    /// The templates in the training data.
    Training,
    /// [`HELD_OUT_TEMPLATES`].
    HeldOut,
}

/// A tokenized prompt.
#[derive(Debug, Clone)]
pub struct Sample {
    /// Tokens, final name included, without BOS.
    pub tokens: Vec<u32>,
    /// Token of the indirect object, with its leading space; also the last of `tokens`.
    pub io_token: u32,
    /// Token of the subject, with its leading space.
    pub s_token: u32,
    /// Where the names stand.
    pub positions: Positions,
}

/// The split into training data and held-out data.
pub struct Split {
    dataset: Dataset,
    held_out_pairs: HashSet<(String, String)>,
}

impl Split {
    /// The split of `dataset`; the same on every machine.
    pub fn new(dataset: Dataset) -> Self {
        let names = &dataset.names;
        let mut pairs: Vec<(String, String)> = (0..names.len())
            .flat_map(|i| (i + 1..names.len()).map(move |j| ordered(&names[i], &names[j])))
            .collect();
        PythonRandom::new(PAIR_SEED).shuffle(&mut pairs);
        pairs.truncate(pairs.len() / HELD_OUT_PAIRS);
        Self {
            dataset,
            held_out_pairs: pairs.into_iter().collect(),
        }
    }

    /// Number of unordered pairs of names that are never seen in training.
    pub fn held_out_pairs(&self) -> usize {
        self.held_out_pairs.len()
    }

    /// Whether the two names are a pair that is never seen in training, in either order.
    pub fn is_held_out(&self, a: &str, b: &str) -> bool {
        self.held_out_pairs.contains(&ordered(a, b))
    }

    /// The words of the prompts.
    pub fn dataset(&self) -> &Dataset {
        &self.dataset
    }

    /// Draws the text of one prompt, with its indirect object and subject.
    ///
    /// # Errors
    /// [`ErrorKind::Internal`] when the dataset is empty.
    pub fn draw(&self, python: &mut PythonRandom, pairs: Pairs, templates: Templates) -> Result<[String; 3]> {
        let words = loop {
            let words = draw_slots(&self.dataset, python)?;
            let held_out = self.is_held_out(words.io, words.s);
            if pairs == Pairs::Any || held_out == (pairs == Pairs::HeldOut) {
                break words;
            }
        };
        let orders = [&self.dataset.baba_templates, &self.dataset.abba_templates];
        let allowed: Vec<&String> = orders
            .iter()
            .flat_map(|order| order.iter().enumerate())
            .filter(|(index, _)| HELD_OUT_TEMPLATES.contains(index) == (templates == Templates::HeldOut))
            .map(|(_, template)| template)
            .collect();
        let template = python
            .choice(&allowed)
            .ok_or_else(|| Error::new(ErrorKind::Internal, "the IOI dataset has no templates"))?;
        Ok([words.fill(template), words.io.to_owned(), words.s.to_owned()])
    }

    /// Draws and tokenizes `count` prompts.
    ///
    /// # Errors
    /// [`ErrorKind::Prompt`] when a name is not one token of `tokenizer`.
    pub fn samples(
        &self,
        tokenizer: &Tokenizer,
        python: &mut PythonRandom,
        (pairs, templates): (Pairs, Templates),
        count: usize,
    ) -> Result<Vec<Sample>> {
        (0..count)
            .map(|_| {
                let [text, io, s] = self.draw(python, pairs, templates)?;
                Sample::new(tokenizer, &text, &io, &s)
            })
            .collect()
    }
}

impl Sample {
    /// Tokenizes the prompt `text` with the names `io` and `s`.
    ///
    /// # Errors
    /// [`ErrorKind::Prompt`] when a name is not one token of `tokenizer`.
    pub fn new(tokenizer: &Tokenizer, text: &str, io: &str, s: &str) -> Result<Self> {
        let io_token = tokenizer.single_token(&format!(" {io}"))?;
        let s_token = tokenizer.single_token(&format!(" {s}"))?;
        let tokens = tokenizer.encode(text)?;
        let positions = find_positions(&tokens, io_token, s_token).ok_or_else(|| {
            Error::new(
                ErrorKind::Prompt,
                format!("a name is not a token of its own in \"{text}\""),
            )
        })?;
        Ok(Self {
            tokens,
            io_token,
            s_token,
            positions,
        })
    }

    /// The same prompt among other words: tokens other than the names and END are replaced by random ones below
    /// `d_vocab`, and random ones are put between them, each with probability 1/8.
    ///
    /// Only the names of the prompt, in order, at positions that no template has.
    pub fn disturbed(&self, python: &mut PythonRandom, d_vocab: usize) -> Self {
        let names = [self.io_token, self.s_token];
        let random = |python: &mut PythonRandom| loop {
            let token = python.below(d_vocab as u32);
            if !names.contains(&token) {
                return token;
            }
        };
        let mut tokens = Vec::with_capacity(2 * self.tokens.len());
        for (position, &token) in self.tokens.iter().enumerate() {
            let fixed = names.contains(&token) || position >= self.positions.end;
            match python.below(DISTURBED) {
                0 if !fixed => tokens.push(random(python)),
                1 if position < self.positions.end => tokens.extend([random(python), token]),
                _ => tokens.push(token),
            }
        }
        let positions = find_positions(&tokens, self.io_token, self.s_token).unwrap_or(self.positions);
        Self {
            tokens,
            positions,
            ..*self
        }
    }

    /// The tokens up to END, without the indirect object.
    pub fn before_final_name(&self) -> &[u32] {
        &self.tokens[..=self.positions.end]
    }
}

/// A pair of names in canonical order.
fn ordered(a: &str, b: &str) -> (String, String) {
    if a < b {
        (a.to_owned(), b.to_owned())
    } else {
        (b.to_owned(), a.to_owned())
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_back_is_not_trained_on() {
        let split = Split::new(Dataset::bundled().unwrap());
        let python = &mut PythonRandom::new(1);
        let dataset = split.dataset();
        let templates = dataset.baba_templates.iter().chain(&dataset.abba_templates);
        let begins = |text: &str, template: &str| text.starts_with(template.split('[').next().unwrap());
        let kept_back = |text: &str| templates.clone().nth(11).is_some_and(|template| begins(text, template));
        for _ in 0..500 {
            let [text, io, s] = split.draw(python, Pairs::Training, Templates::Training).unwrap();
            assert!(!split.is_held_out(&io, &s) && !split.is_held_out(&s, &io));
            assert!(!kept_back(&text), "{text}");
            let [_, io, s] = split.draw(python, Pairs::HeldOut, Templates::Training).unwrap();
            assert!(split.is_held_out(&io, &s) && split.is_held_out(&s, &io));
        }
    }

    #[test]
    fn a_disturbed_prompt_has_the_same_names_in_the_same_order() {
        // Then, A and B went. B gave to A
        let tokens = vec![1, 2, 50, 3, 60, 4, 5, 60, 6, 7, 50];
        let positions = find_positions(&tokens, 50, 60).unwrap();
        let sample = Sample {
            tokens,
            io_token: 50,
            s_token: 60,
            positions,
        };
        let python = &mut PythonRandom::new(2);
        let (mut longer, mut changed) = (0, 0);
        for _ in 0..200 {
            let disturbed = sample.disturbed(python, 100);
            let names = |sample: &Sample| {
                let names = sample.tokens.iter().copied().filter(|token| [50, 60].contains(token));
                names.collect::<Vec<_>>()
            };
            assert_eq!(names(&disturbed), [50, 60, 60, 50]);
            assert_eq!(disturbed.tokens[disturbed.positions.end..], [7, 50]);
            assert_eq!(disturbed.tokens[disturbed.positions.s2], 60);
            longer += usize::from(disturbed.tokens.len() > sample.tokens.len());
            changed += usize::from(disturbed.tokens != sample.tokens);
        }
        assert!(longer > 50 && changed > longer && changed < 200, "{longer} {changed}");
    }
}
