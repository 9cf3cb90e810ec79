//! The nouns of the domain as types, and their text forms.

mod head;

pub use head::Head;
