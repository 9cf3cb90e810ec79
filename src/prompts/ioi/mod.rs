//! Indirect object identification: the prompts, their positions, and the exact draws behind them.
//!
//! Dataset of Wang et al. 2022, "Interpretability in the Wild". The same seed gives the same prompts
//! and the same random tokens as the notebook's Python, NumPy and torch.

mod dataset;
mod draw;
mod general;
pub mod random;
mod set;

use serde::{Deserialize, Serialize};

pub use self::dataset::{Dataset, Words};
pub use self::draw::{DrawnPrompt, FLIP_SEED_OFFSET, draw_slots, draw_words};
pub(crate) use self::general::RANDOM_NAME;
pub use self::set::{IoiSet, MAX_BATCH_SIZE, MAX_BATCHES, MAX_PROMPTS};
use crate::error::{Error, ErrorKind, Result};
use crate::model::Tokenizer;

/// Where the named tokens of a prompt stand, counted from 0 (BOS included, if there is one).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Positions {
    /// First occurrence of the indirect object.
    #[serde(rename = "IO")]
    pub io: usize,
    /// First occurrence of the subject.
    #[serde(rename = "S1")]
    pub s1: usize,
    /// Last occurrence of the subject.
    #[serde(rename = "S2")]
    pub s2: usize,
    /// The last position before the final name.
    #[serde(rename = "END")]
    pub end: usize,
}

/// One prompt with the data for the analysis. Also its entry in result files of version 1.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Prompt {
    /// The whole text, final name included.
    pub text: String,
    /// The tokens, final name included, after BOS if there is one.
    pub tokens: Vec<u32>,
    /// The indirect object's name.
    #[serde(rename = "IO")]
    pub io: String,
    /// The subject's name.
    #[serde(rename = "S")]
    pub s: String,
    /// Token of the indirect object, with its leading space.
    #[serde(rename = "IO_token")]
    pub io_token: u32,
    /// Token of the subject, with its leading space.
    #[serde(rename = "S_token")]
    pub s_token: u32,
    /// Token drawn from the whole vocabulary for `W_U[random]`.
    pub random_token: u32,
    /// Token of a drawn name, without leading space, for `W_U[random name]`.
    pub random_name_token: u32,
    /// Where the named tokens stand.
    pub positions: Positions,
}

/// The prompts of one seed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Batch {
    /// The seed of all draws.
    pub seed: u64,
    /// The prompts in the order they were drawn.
    pub prompts: Vec<Prompt>,
}

/// Draws the batch of `seed`: `batch_size` prompts and their random tokens.
///
/// ```
/// # use futures::executor::block_on;
/// # use keyside::checkpoint::FileSource;
/// # use keyside::model::Checkpoint;
/// use keyside::prompts::ioi::draw_batch;
///
/// # let checkpoint = block_on(Checkpoint::open(Box::new(FileSource::new("tests/fixtures/tiny"))))?;
/// let batch = draw_batch(checkpoint.tokenizer(), 0, 40, false)?;
/// let prompt = &batch.prompts[0];
/// assert!(prompt.text.ends_with(&prompt.io), "{}", prompt.text);
/// assert_eq!(prompt.tokens[prompt.positions.io], prompt.io_token);
/// # Ok::<(), keyside::Error>(())
/// ```
///
/// # Errors
/// [`ErrorKind::Request`] when `batch_size` is 0 or the seed is too large for NumPy, [`ErrorKind::Prompt`]
/// when a name is not one token of `tokenizer` (all such names are listed).
pub fn draw_batch(tokenizer: &Tokenizer, seed: u64, batch_size: usize, prepend_bos: bool) -> Result<Batch> {
    Drawing::new(tokenizer)?.batch(tokenizer, seed, batch_size, prepend_bos)
}

/// The dataset, checked against a tokenizer once for all batches of a run.
pub(super) struct Drawing {
    dataset: Dataset,
}

impl Drawing {
    /// From the bundled dataset.
    ///
    /// # Errors
    /// [`ErrorKind::Prompt`] when a name is not one token of `tokenizer`.
    pub(super) fn new(tokenizer: &Tokenizer) -> Result<Self> {
        let dataset = Dataset::bundled()?;
        check_names(tokenizer, &dataset.names)?;
        Ok(Self { dataset })
    }

    /// See [`draw_batch`].
    pub(super) fn batch(
        &self,
        tokenizer: &Tokenizer,
        seed: u64,
        batch_size: usize,
        prepend_bos: bool,
    ) -> Result<Batch> {
        let prompts = draw_words(&self.dataset, seed, batch_size, tokenizer.d_vocab())?
            .into_iter()
            .map(|drawn| tokenize(tokenizer, drawn, prepend_bos))
            .collect::<Result<_>>()?;
        Ok(Batch { seed, prompts })
    }
}

/// Checks that every name is a single token, both at the beginning of a text and after a space.
fn check_names(tokenizer: &Tokenizer, names: &[String]) -> Result<()> {
    let spellings = names.iter().flat_map(|name| [name.clone(), format!(" {name}")]);
    let split: Vec<String> = spellings
        .filter(|name| tokenizer.single_token(name).is_err())
        .map(|name| format!("\"{name}\""))
        .collect();
    if split.is_empty() {
        return Ok(());
    }
    let number = if split.len() == 1 {
        "1 name is".to_owned()
    } else {
        format!("{} names are", split.len())
    };
    Err(Error::new(
        ErrorKind::Prompt,
        format!("{number} not one token of this model's tokenizer: {}", split.join(", ")),
    )
    .expected("a tokenizer in which every name of the IOI dataset is one token, with and without a leading space")
    .advice("Use a checkpoint with GPT-2's tokenizer."))
}

fn tokenize(tokenizer: &Tokenizer, drawn: DrawnPrompt, prepend_bos: bool) -> Result<Prompt> {
    let io_token = tokenizer.single_token(&format!(" {}", drawn.io))?;
    let s_token = tokenizer.single_token(&format!(" {}", drawn.s))?;
    let random_name_token = tokenizer.single_token(&drawn.random_name)?;
    let mut tokens = tokenizer.encode(&drawn.text)?;
    if prepend_bos {
        tokens.insert(0, tokenizer.bos_token()?);
    }
    let positions = find_positions(&tokens, io_token, s_token).ok_or_else(|| {
        Error::new(
            ErrorKind::Prompt,
            format!("a name is not a token of its own in \"{}\"", drawn.text),
        )
        .expected("tokens in which the final name is the last, and both names stand before it")
        .advice("Use a checkpoint with GPT-2's tokenizer.")
    })?;
    Ok(Prompt {
        text: drawn.text,
        tokens,
        io: drawn.io,
        s: drawn.s,
        io_token,
        s_token,
        random_token: drawn.random_token,
        random_name_token,
        positions,
    })
}

/// Positions of the names in the tokens of a whole prompt; None if its last token is not the indirect object, or if a
/// name does not occur before it.
pub fn find_positions(tokens: &[u32], io_token: u32, s_token: u32) -> Option<Positions> {
    let (last, before) = tokens.split_last()?;
    if *last != io_token {
        return None;
    }
    Some(Positions {
        io: before.iter().position(|&token| token == io_token)?,
        s1: before.iter().position(|&token| token == s_token)?,
        s2: before.iter().rposition(|&token| token == s_token)?,
        end: before.len().checked_sub(1)?,
    })
}
