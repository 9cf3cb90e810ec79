//! The prefix tree of a batch: positions with the same prefix are computed once.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

/// Positions of many token sequences, with shared prefixes merged.
///
/// This is exact: attention is causal, so a position's residual stream depends on its prefix alone. A *row* is a node
/// of the tree: a token at a position after one particular prefix. Rows are numbered so that a row's ancestors come
/// before it.
#[derive(Debug, Clone, Default)]
pub struct PrefixTree {
    tokens: Vec<u32>,
    positions: Vec<usize>,
    /// The row of the preceding position; None at position 0.
    parents: Vec<Option<usize>>,
    /// Rows of each sequence, by position.
    paths: Vec<Vec<usize>>,
}

impl PrefixTree {
    /// The tree of `sequences`, in their order.
    ///
    /// ```
    /// use keyside::forward::PrefixTree;
    ///
    /// let tree = PrefixTree::new([&[5, 6, 7][..], &[5, 6, 8]]);
    /// assert_eq!(tree.len(), 4, "the first two positions are computed once");
    /// assert_eq!(tree.path(1), [0, 1, 3]);
    /// ```
    pub fn new<'a>(sequences: impl IntoIterator<Item = &'a [u32]>) -> Self {
        let mut tree = Self::default();
        let mut rows = HashMap::new();
        for sequence in sequences {
            let mut parent = None;
            let mut path = Vec::with_capacity(sequence.len());
            for (position, &token) in sequence.iter().enumerate() {
                let row = match rows.entry((parent, token)) {
                    Entry::Occupied(entry) => *entry.get(),
                    Entry::Vacant(entry) => *entry.insert(tree.push(token, position, parent)),
                };
                path.push(row);
                parent = Some(row);
            }
            tree.paths.push(path);
        }
        tree
    }

    /// A copy with the same rows and without sequences.
    pub(crate) fn without_paths(&self) -> Self {
        Self {
            paths: Vec::new(),
            ..self.clone()
        }
    }

    /// Sets the rows of each sequence, by position.
    pub(crate) fn set_paths(&mut self, paths: Vec<Vec<usize>>) {
        self.paths = paths;
    }

    /// Appends a row as a child of `parent`, and returns its number.
    pub(crate) fn push(&mut self, token: u32, position: usize, parent: Option<usize>) -> usize {
        self.tokens.push(token);
        self.positions.push(position);
        self.parents.push(parent);
        self.tokens.len() - 1
    }

    /// Number of rows.
    pub fn len(&self) -> usize {
        self.tokens.len()
    }

    /// Whether there are no rows.
    pub fn is_empty(&self) -> bool {
        self.tokens.is_empty()
    }

    /// The token at `row`.
    pub fn token(&self, row: usize) -> u32 {
        self.tokens[row]
    }

    /// The position of `row` in its sequences, from 0.
    pub fn position(&self, row: usize) -> usize {
        self.positions[row]
    }

    /// The rows of sequence `index`, by position.
    pub fn path(&self, index: usize) -> &[usize] {
        &self.paths[index]
    }

    /// Number of sequences.
    pub fn sequences(&self) -> usize {
        self.paths.len()
    }

    /// For each row the row of the preceding position; None at position 0.
    pub(crate) fn parents(&self) -> &[Option<usize>] {
        &self.parents
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shared_prefixes_are_one_row_each() {
        let sequences: [&[u32]; 4] = [&[1, 2, 3], &[1, 2, 4], &[2, 2], &[1, 2]];
        let tree = PrefixTree::new(sequences);
        assert_eq!(tree.len(), 6);
        assert_eq!(tree.path(0), [0, 1, 2]);
        assert_eq!(tree.path(1), [0, 1, 3]);
        assert_eq!(tree.path(2), [4, 5]);
        assert_eq!(tree.path(3), [0, 1]);
        assert_eq!((tree.token(3), tree.position(3)), (4, 2));
        assert_eq!(tree.parents()[3], Some(1));
        assert_eq!(tree.parents()[1], Some(0));
        assert_eq!(tree.sequences(), 4);
    }
}
