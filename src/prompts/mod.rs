//! Prompts and the makers they come from.

pub mod ioi;
