//! One sentence and one pair of its positions: where every head looks from one of them, and what makes the score of one head
//! between the two, taken apart on both sides at once.
//!
//! `attention` is the first, `account` the second; `question` is what both are asked. A `sentence` that has gone through the model is kept
//! for the next question, and `ask` answers in `sections` of a result.

mod account;
mod ask;
mod attention;
mod question;
mod sections;
mod sentence;

pub use account::{Account, account, key_side, query_side};
pub use ask::{Question, ask};
pub use attention::{Attention, attention, likeliest};
pub use question::Pair;
pub use sections::{AttentionSection, NextSection, NextToken, PairSection};
pub use sentence::Sentence;
