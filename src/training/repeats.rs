//! Repeated random tokens: from the second copy on, the next token can be predicted from the repetition alone.

use super::lists::distinct;
use crate::prompts::ioi::random::PythonRandom;

/// A segment of random tokens, repeated.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Repeats {
    /// The tokens.
    pub tokens: Vec<u32>,
    /// Length of the segment, whose tokens are distinct.
    pub segment: usize,
}

impl Repeats {
    /// Draws a segment of `segment` different tokens below `d_vocab` and repeats it until there are `length` tokens.
    pub fn draw(python: &mut PythonRandom, d_vocab: usize, segment: usize, length: usize) -> Self {
        let drawn = distinct(python, d_vocab, segment);
        Self {
            tokens: drawn.iter().map(|&token| token as u32).cycle().take(length).collect(),
            segment,
        }
    }

    /// The positions from the second copy on that have a next token.
    pub fn predictable(&self) -> std::ops::Range<usize> {
        self.segment..self.tokens.len().saturating_sub(1)
    }

    /// Position of the first occurrence of the token at `position`.
    pub fn first_occurrence(&self, position: usize) -> usize {
        position % self.segment.max(1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_follows_is_what_followed_the_first_occurrence() {
        let repeats = Repeats::draw(&mut PythonRandom::new(1), 300, 7, 20);
        assert_eq!((repeats.tokens.len(), repeats.predictable()), (20, 7..19));
        for position in repeats.predictable() {
            let first = repeats.first_occurrence(position);
            assert_eq!(repeats.tokens[position], repeats.tokens[first]);
            assert_eq!(repeats.tokens[position + 1], repeats.tokens[first + 1]);
        }
        let mut segment = repeats.tokens[..7].to_vec();
        segment.sort_unstable();
        segment.dedup();
        assert_eq!(segment.len(), 7);
    }
}
