//! The tokens of a sentence in lines, each with the attention to it from one token, and arcs to the most attended ones.

use crate::math::sort_ascending;

/// Arcs are drawn to tokens with at least this share of the attention.
const ARC_FROM: f32 = 0.02;

/// The tokens of a sentence, and where a head looks from one of them.
#[derive(Debug, Clone, PartialEq)]
pub struct TokensPlot {
    /// Title.
    pub title: String,
    /// The tokens, `[pos]`.
    pub tokens: Vec<TokenChip>,
    /// The position that the head looks from. Tokens after it are not seen.
    pub dest: usize,
    /// The position that it is asked about.
    pub src: usize,
    /// What is written above `dest` and above `src`.
    pub labels: [String; 2],
}

/// One token of a [`TokensPlot`].
#[derive(Debug, Clone, PartialEq)]
pub struct TokenChip {
    /// Its text, in which everything can be seen.
    pub text: String,
    /// How much of the attention goes there, 0 to 1.
    pub attention: f32,
    /// What is to be said about it, a line each.
    pub lines: Vec<String>,
}

impl TokensPlot {
    /// The other tokens that the head looks at, those with the least attention first.
    pub(super) fn looked_at(&self) -> Vec<(usize, f32)> {
        let seen = self.tokens.iter().enumerate().take(self.dest);
        let mut shares: Vec<(usize, f32)> = seen
            .map(|(index, token)| (index, token.attention))
            .filter(|(_, share)| *share >= ARC_FROM)
            .collect();
        sort_ascending(&mut shares, |share| share.1);
        shares
    }
}
