//! What one row of a training batch asks of the model.

use crate::names::Head;

/// Tokens, what is to be predicted after some of them, and where heads are guided to look.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Sequence {
    /// The tokens.
    pub tokens: Vec<u32>,
    /// Position of the first token, that is, the row of W_pos that is added to it.
    pub first_position: usize,
    /// What is to be predicted.
    pub targets: Vec<Target>,
    /// Where heads are to look, as long as the training guides them.
    pub guides: Vec<Guide>,
}

/// A prediction to be made.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Target {
    /// Index of the token after which it is made.
    pub after: usize,
    /// The token that is right.
    pub token: u32,
    /// Weight of its cross-entropy in the loss.
    pub weight: f32,
}

/// A cell of a head's attention pattern that is to be large.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Guide {
    /// The head.
    pub head: Head,
    /// Index of the token that it looks from.
    pub query: usize,
    /// Index of the token that it is to look at.
    pub key: usize,
    /// Weight of the cell's negative logarithm in the loss.
    pub weight: f32,
}
