//! The nouns of the domain as types, and their text forms.

mod head;
mod hook;

pub use head::Head;
pub use hook::{BlockHook, HookPoint};
