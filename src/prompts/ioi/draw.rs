//! The random draws of one batch, as words and numbers. No tokenizer is needed.

use super::dataset::{Dataset, Words};
use super::random::{NumpyRandom, PythonRandom, TorchRandom};
use crate::error::{Error, ErrorKind, Result};

/// The notebook uses the first 15 / 2 templates of either order.
const TEMPLATES_PER_ORDER: usize = 7;

/// Added to the seed before random tokens are drawn. The notebook adds the sum of the character codes of its first
/// flip, "ABB->XYZ, BAB->XYZ".
pub const FLIP_SEED_OFFSET: u64 = 1218;

/// One drawn prompt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DrawnPrompt {
    /// The whole text, final name included.
    pub text: String,
    /// The template that it fills: `[A]` is the indirect object, `[B]` the subject.
    pub template: String,
    /// The indirect object's name.
    pub io: String,
    /// The subject's name.
    pub s: String,
    /// The name for `W_U[random name]`.
    pub random_name: String,
    /// The token for `W_U[random]`, below the `d_vocab` of the draw.
    pub random_token: u32,
}

/// Draws the prompts of `seed`, and the random names and tokens that the notebook draws with them.
///
/// The prompts come from Python's generator, seeded with `seed`; random tokens come from torch's and random names from
/// NumPy's, both freshly seeded with `seed` + [`FLIP_SEED_OFFSET`].
///
/// # Errors
/// [`ErrorKind::Request`] when `batch_size` is 0 or the seed too large for NumPy.
pub fn draw_words(dataset: &Dataset, seed: u64, batch_size: usize, d_vocab: usize) -> Result<Vec<DrawnPrompt>> {
    if batch_size == 0 {
        return Err(Error::new(ErrorKind::Request, "the batch size is 0").expected("at least 1 prompt per batch"));
    }
    let token_seed = token_seed(seed)?;
    let mut torch = TorchRandom::new(token_seed);
    let mut numpy = NumpyRandom::new(token_seed);
    let mut python = PythonRandom::new(seed);

    let mut templates: Vec<&str> = Vec::with_capacity(2 * TEMPLATES_PER_ORDER);
    for order in [&dataset.baba_templates, &dataset.abba_templates] {
        templates.extend(order.iter().take(TEMPLATES_PER_ORDER).map(String::as_str));
    }
    python.shuffle(&mut templates);

    (0..batch_size)
        .map(|_| {
            let template = choice(&mut python, &templates)?;
            let words = draw_slots(dataset, &mut python)?;
            Ok(DrawnPrompt {
                text: words.fill(template),
                template: (*template).to_owned(),
                io: words.io.to_owned(),
                s: words.s.to_owned(),
                random_name: dataset.names[numpy.choice_index(dataset.names.len() as u32) as usize].clone(),
                random_token: torch.below(u32::try_from(d_vocab).unwrap_or(u32::MAX)),
            })
        })
        .collect()
}

/// Draws names, place and object like the notebook: three names (although no template uses a third), repeated until all
/// differ; place and object even if the template has none.
pub fn draw_slots<'a>(dataset: &'a Dataset, python: &mut PythonRandom) -> Result<Words<'a>> {
    loop {
        let io = choice(python, &dataset.names)?;
        let s = choice(python, &dataset.names)?;
        let third = choice(python, &dataset.names)?;
        if io != s && s != third && io != third {
            let place = choice(python, &dataset.places)?;
            let object = choice(python, &dataset.objects)?;
            return Ok(Words { io, s, place, object });
        }
    }
}

fn choice<'a, T>(python: &mut PythonRandom, items: &'a [T]) -> Result<&'a T> {
    python
        .choice(items)
        .ok_or_else(|| Error::new(ErrorKind::Internal, "the IOI dataset has an empty list"))
}

fn token_seed(seed: u64) -> Result<u32> {
    let flipped = seed
        .checked_add(FLIP_SEED_OFFSET)
        .and_then(|seed| u32::try_from(seed).ok());
    flipped.ok_or_else(|| {
        Error::new(ErrorKind::Request, format!("seed {seed} is too large")).expected(format!(
            "at most {}, so that NumPy can take the seed + {FLIP_SEED_OFFSET}",
            u64::from(u32::MAX) - FLIP_SEED_OFFSET
        ))
    })
}
