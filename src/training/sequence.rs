//! One sequence of a training batch, with its targets.

use crate::names::Head;

/// Tokens, predictions to make after some of them, and cells to which heads are guided.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Sequence {
    /// The tokens.
    pub tokens: Vec<u32>,
    /// Position of the first token: the row of W_pos that is added to it.
    pub first_position: usize,
    /// The predictions.
    pub targets: Vec<Target>,
    /// The cells to which heads are guided during the first part of the training.
    pub guides: Vec<Guide>,
}

/// A prediction.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Target {
    /// Index of the token after which it is made.
    pub after: usize,
    /// The correct token.
    pub token: u32,
    /// Weight of its cross-entropy in the loss.
    pub weight: f32,
}

/// A cell of a head's attention pattern whose probability should be large.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Guide {
    /// The head.
    pub head: Head,
    /// Index of the query token.
    pub query: usize,
    /// Index of the key token.
    pub key: usize,
    /// Weight of the cell's negative logarithm in the loss.
    pub weight: f32,
}
