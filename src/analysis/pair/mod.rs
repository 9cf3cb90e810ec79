//! One sentence and one pair of its positions: where every head looks from one of them, and what makes the score of one head
//! between the two, taken apart on both sides at once.
//!
//! `attention` is the first, `account` the second; `question` is what both are asked.

mod account;
mod attention;
mod question;

pub use account::{Account, Relative, account, key_side, query_side};
pub use attention::{Attention, attention};
pub use question::Pair;
