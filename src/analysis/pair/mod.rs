//! One sentence and one pair of its positions: where every head looks from one of them, and what makes the score of one head
//! between the two, taken apart on both sides at once, and further down.
//!
//! `attention` is the first, `account` the second, `down` the third; `question` is what all are asked, `opening` what `down` is asked
//! and answers besides. A `sentence` that has gone through the model is kept for the next question, and `ask` answers in `sections` of a
//! result. `measures` looks over all heads, before one is chosen.

mod account;
mod ask;
mod attention;
mod direct;
mod directions;
mod down;
mod measures;
mod opening;
mod question;
mod relative;
mod sections;
mod sentence;
mod targets;
mod writes;

pub use account::{Account, account, key_side, query_side};
pub use ask::{Known, Question, ask, go_on};
pub use attention::{Attention, attention, likeliest};
pub use direct::{DirectEffects, Written};
pub use directions::{AlongDirection, DirectionTokens, Directions, Factors, TokenEnds, direction_tokens};
pub use down::down;
pub use measures::{FirstPair, Measures, Survey, survey};
pub use opening::{NEURONS_SHOWN, Opened, Opening, Part, RestOfNeurons, Step};
pub use question::Pair;
pub use sections::{AttentionSection, DownSection, NextSection, NextToken, PairSection};
pub use sentence::Sentence;
pub use targets::Between;
pub use writes::{Valued, Writes};
