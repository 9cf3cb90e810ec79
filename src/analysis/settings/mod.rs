//! The settings of a run. The form's controls, the keys of URLs, the options of the command line and the citation are
//! all generated from the list [`SETTINGS`].

mod heads;
mod list;
mod setting;

pub use heads::put_heads_of_card;
pub use list::{
    BATCH_SIZE, BATCHES, CSV, EARLIER_HEAD, ENGINE, EXACT_LN, HEAD, INTERVENTION, PREPEND_BOS, SEED, SETTINGS,
};
pub use setting::{Field, Group, Setting};

pub use crate::prompts::ioi::{MAX_BATCH_SIZE, MAX_BATCHES};

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
