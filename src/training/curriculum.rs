//! The sequences of a training step: IOI prompts, lists and repeats, drawn at random.

use super::lists::ListSample;
use super::prompts::{Pairs, Split, Templates};
use super::repeats::Repeats;
use super::sequence::{Guide, Sequence, Target};
use crate::error::Result;
use crate::model::Tokenizer;
use crate::names::Head;
use crate::prompts::ioi::Positions;
use crate::prompts::ioi::random::PythonRandom;

/// Guided from each token of a second copy to the token after its first occurrence.
pub const INDUCTION_HEAD: Head = Head::new(1, 0);

/// Guided from END to the subject's last occurrence.
pub const SUBJECT_HEAD: Head = Head::new(1, 1);

/// Guided from END to the indirect object.
pub const CONTENT_HEAD: Head = Head::new(2, 0);

/// Weight of the guidance to the subject, relative to the other two.
const SUBJECT_GUIDANCE: f32 = 0.5;

/// Number of tokens before the final name to predict in each prompt.
const TEXT_TARGETS: usize = 4;

/// Number of tokens to predict in each sequence of repeats.
const REPEAT_TARGETS: usize = 16;

/// Limit of a prompt's length, such that padding to the longest one of a step stays within the context.
const LONGEST_PROMPT: usize = 64;

/// Minimum and maximum length of a repeated segment, in tokens.
const SEGMENT: (usize, usize) = (4, 24);

/// Number of sequences per task in a step, and their weights.
#[derive(Debug, Clone, PartialEq)]
pub struct Curriculum {
    /// IOI prompts.
    pub ioi: usize,
    /// Lists.
    pub lists: usize,
    /// Sequences of random tokens, repeated.
    pub repeats: usize,
    /// Length of these, in tokens.
    pub repeats_length: usize,
    /// Random tokens are below this number.
    pub d_vocab: usize,
    /// Positions of the model.
    pub n_ctx: usize,
    /// Weight of a token before the final name, relative to the final name.
    pub text_weight: f32,
}

impl Curriculum {
    /// The prompts of a step: IOI prompts, then lists; pairs of names and templates of the training.
    ///
    /// Every other IOI prompt is disturbed ([`super::Sample::disturbed`]). Half of all prompts begin at a random position.
    ///
    /// # Errors
    /// Those of [`Split::samples`] and [`Split::lists`].
    pub fn prompts(&self, split: &Split, tokenizer: &Tokenizer, python: &mut PythonRandom) -> Result<Vec<Sequence>> {
        let kind = (Pairs::Training, Templates::Training);
        let ioi = split.samples(tokenizer, python, kind, self.ioi)?;
        let lists = split.lists(tokenizer, python, Pairs::Training, self.lists)?;
        let mut prompts = Vec::with_capacity(self.ioi + self.lists);
        for (index, sample) in ioi.into_iter().enumerate() {
            let disturbed = index % 2 == 1;
            let sample = if disturbed {
                sample.disturbed(python, self.d_vocab)
            } else {
                sample
            };
            let text_targets = if disturbed { 0 } else { TEXT_TARGETS };
            let mut prompt = self.prompt(python, sample.tokens, self.ioi, text_targets);
            prompt.guides = ioi_guides(&sample.positions, 1.0 / self.ioi as f32);
            prompts.push(prompt);
        }
        for ListSample { tokens, .. } in lists {
            prompts.push(self.prompt(python, tokens, self.lists, TEXT_TARGETS));
        }
        Ok(prompts)
    }

    /// A prompt, one of `count` in the step: predicts its final token and `text_targets` tokens before it.
    fn prompt(&self, python: &mut PythonRandom, tokens: Vec<u32>, count: usize, text_targets: usize) -> Sequence {
        let end = tokens.len().saturating_sub(2);
        let target = |after, weight| Target {
            after,
            token: tokens[after + 1],
            weight,
        };
        let mut targets = vec![target(end, 1.0 / count as f32)];
        let text_weight = self.text_weight / (TEXT_TARGETS * (self.ioi + self.lists)) as f32;
        targets.extend((0..text_targets).map(|_| target(python.below(end as u32) as usize, text_weight)));
        Sequence {
            first_position: self.first_position(python, tokens.len()),
            tokens,
            targets,
            guides: Vec::new(),
        }
    }

    /// The first position of a sequence of `length` tokens: 0, or in half of the cases any, so that all positions are
    /// trained with short sequences.
    fn first_position(&self, python: &mut PythonRandom, length: usize) -> usize {
        let starts = self.n_ctx.saturating_sub(length.max(LONGEST_PROMPT)) as u32 + 1;
        match python.below(2) {
            0 => 0,
            _ => python.below(starts) as usize,
        }
    }

    /// The repeats of a step; half of them begin at a random position.
    pub fn repeats(&self, python: &mut PythonRandom) -> Vec<Sequence> {
        let weight = 1.0 / (REPEAT_TARGETS * self.repeats) as f32;
        let mut sequences = Vec::with_capacity(self.repeats);
        for _ in 0..self.repeats {
            let segment = SEGMENT.0 + python.below((SEGMENT.1 - SEGMENT.0 + 1) as u32) as usize;
            let drawn = Repeats::draw(python, self.d_vocab, segment, self.repeats_length);
            let mut sequence = Sequence {
                tokens: Vec::new(),
                first_position: self.first_position(python, self.repeats_length),
                targets: Vec::with_capacity(REPEAT_TARGETS),
                guides: Vec::with_capacity(REPEAT_TARGETS),
            };
            let predictable = drawn.predictable();
            for _ in 0..REPEAT_TARGETS {
                let after = predictable.start + python.below(predictable.len() as u32) as usize;
                sequence.targets.push(Target {
                    after,
                    token: drawn.tokens[after + 1],
                    weight,
                });
                // Later tokens have several earlier occurrences.
                if after < 2 * segment {
                    sequence.guides.push(Guide {
                        head: INDUCTION_HEAD,
                        query: after,
                        key: drawn.first_occurrence(after) + 1,
                        weight,
                    });
                }
            }
            sequence.tokens = drawn.tokens;
            sequences.push(sequence);
        }
        sequences
    }
}

/// The cells to which heads are guided in an IOI prompt.
fn ioi_guides(positions: &Positions, weight: f32) -> Vec<Guide> {
    let from_end = |head, key, weight| Guide {
        head,
        query: positions.end,
        key,
        weight,
    };
    vec![
        from_end(CONTENT_HEAD, positions.io, weight),
        from_end(SUBJECT_HEAD, positions.s2, SUBJECT_GUIDANCE * weight),
    ]
}
