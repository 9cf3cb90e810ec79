//! Text generation: samples one token after the other.

use candle_core::{Device, Tensor};
use candle_transformers::generation::{LogitsProcessor, Sampling as Strategy};
use serde::{Deserialize, Serialize};

use crate::error::{Error, ErrorKind, Result};
use crate::forward::{Model, Monitor, Pass, PrefixTree, Request};

/// At temperatures below this, the most likely token is always taken.
const GREEDY_BELOW: f64 = 1e-7;

/// How the next token is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Sampling {
    /// Divisor of the logits: 1 for the model's own probabilities, 0 for always the most likely token.
    pub temperature: f64,
    /// Sample only from this many of the most likely tokens; on ties those with the lower ids.
    pub top_k: Option<usize>,
    /// Sample only from the most likely tokens that together have this probability (among those that `top_k` leaves).
    pub top_p: Option<f64>,
    /// Seed of the random numbers: the same seed samples the same tokens.
    pub seed: u64,
}

impl Default for Sampling {
    /// The model's own probabilities, with seed 0.
    fn default() -> Self {
        Self {
            temperature: 1.0,
            top_k: None,
            top_p: None,
            seed: 0,
        }
    }
}

impl Sampling {
    /// Checks the settings.
    ///
    /// # Errors
    /// [`ErrorKind::Request`] naming the first setting that makes no sense.
    pub fn check(&self) -> Result<()> {
        let error = |cause: String| Error::new(ErrorKind::Request, cause);
        if !(self.temperature.is_finite() && self.temperature >= 0.0) {
            return Err(error(format!("the temperature is {}", self.temperature))
                .expected("a number from 0, which takes the likeliest token, upward"));
        }
        if self.top_k == Some(0) {
            return Err(error("there are 0 tokens to draw from".to_owned()).expected("a top-k of 1 or more"));
        }
        match self.top_p {
            Some(top_p) if !(top_p > 0.0 && top_p <= 1.0) => {
                Err(error(format!("top-p is {top_p}")).expected("a probability above 0, and at most 1"))
            }
            _ => Ok(()),
        }
    }

    fn processor(&self) -> LogitsProcessor {
        let temperature = self.temperature;
        let strategy = match self.top_p {
            _ if temperature < GREEDY_BELOW => Strategy::ArgMax,
            Some(p) if p < 1.0 => Strategy::TopP { p, temperature },
            _ => Strategy::All { temperature },
        };
        LogitsProcessor::from_sampling(self.seed, strategy)
    }
}

/// Samples up to `count` tokens that continue `tokens`, as `sampling` says (with candle's `LogitsProcessor`). Fewer
/// where the context is full: the sentence and its continuation must fit into it together.
///
/// Each token is computed once: residual streams, queries, keys and values of all layers are cached, about `16 *
/// n_layer * d_model` bytes per token (0.15 MB in GPT-2 small). W_U is streamed once per token, and W_E once per token
/// that did not occur before.
///
/// ```
/// # use futures::executor::block_on;
/// # use keyside::checkpoint::FileSource;
/// # use keyside::model::Processing;
/// use keyside::forward::{Model, Sampling, NoMonitor, continue_with};
///
/// # let source = Box::new(FileSource::new("tests/fixtures/tiny"));
/// # let mut model = block_on(Model::open(source, Processing::default()))?;
/// let tokens = model.tokenizer().encode("The keys to the cabinet")?;
/// let sampling = Sampling { temperature: 0.7, top_k: Some(40), ..Sampling::default() };
/// let continuation = block_on(continue_with(&mut model, &tokens, 5, &sampling, &NoMonitor))?;
/// assert_eq!(continuation.len(), 5);
/// # Ok::<(), keyside::Error>(())
/// ```
///
/// # Errors
/// [`ErrorKind::Request`] for a sampling that makes no sense, [`ErrorKind::Prompt`] for a sentence that does not fit the context, errors
/// of reading, and those of `monitor`.
pub async fn continue_with(
    model: &mut Model,
    tokens: &[u32],
    count: usize,
    sampling: &Sampling,
    monitor: &dyn Monitor,
) -> Result<Vec<u32>> {
    sampling.check()?;
    model.check_sequence(tokens)?;
    let layers = model.config().n_layer;
    let count = count.min(model.config().n_ctx - tokens.len());
    let mut processor = sampling.processor();
    let request = Request {
        keep_from: Some(0),
        ..Request::default()
    };
    let mut passes = [Pass::new(PrefixTree::new([tokens]), request)];
    let mut all = tokens.to_vec();
    let mut continuation = Vec::with_capacity(count);
    while continuation.len() < count {
        if all.len() > passes[0].tree.len() {
            passes[0] = passes[0].continued(model.config(), &all)?;
        }
        model.run(&mut passes, layers, monitor).await?;
        let last = passes[0].tree.len() - 1;
        let logits = model.logits(&passes[0], &[last], monitor).await?;
        let logits = logits.into_iter().next().unwrap_or_default();
        let logits = Tensor::from_vec(logits, model.config().d_vocab, &Device::Cpu)?;
        let keep = |probabilities: &mut [f32]| keep_largest(probabilities, sampling.top_k);
        let token = processor.sample_f(&logits, keep)?;
        continuation.push(token);
        all.push(token);
    }
    Ok(continuation)
}

/// Sets all but the `count` largest of `probabilities` to 0; on ties the first ones are kept.
///
/// Not left to `LogitsProcessor`: its top-k samples from the tokens in an order that depends on probabilities far below
/// the kept ones.
fn keep_largest(probabilities: &mut [f32], count: Option<usize>) {
    let Some(count) = count.filter(|count| *count < probabilities.len()) else {
        return;
    };
    let mut order: Vec<usize> = (0..probabilities.len()).collect();
    order.sort_by(|&left, &right| probabilities[right].total_cmp(&probabilities[left]));
    for index in order.split_off(count) {
        probabilities[index] = 0.0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_largest_are_kept_in_their_places() {
        let mut probabilities = [0.1, 0.3, 0.2, 0.3, 0.1];
        keep_largest(&mut probabilities, Some(3));
        assert_eq!(probabilities, [0.0, 0.3, 0.2, 0.3, 0.0]);
        keep_largest(&mut probabilities, Some(1));
        assert_eq!(probabilities, [0.0, 0.3, 0.0, 0.0, 0.0]);
        let mut few = [0.5, 0.5];
        keep_largest(&mut few, Some(7));
        keep_largest(&mut few, None);
        assert_eq!(few, [0.5, 0.5]);
    }

    #[test]
    fn samplings_that_make_no_sense_are_refused() {
        let sampling = Sampling::default();
        assert!(sampling.check().is_ok());
        for (sampling, part) in [
            (
                Sampling {
                    temperature: -0.5,
                    ..sampling
                },
                "the temperature is -0.5",
            ),
            (
                Sampling {
                    temperature: f64::NAN,
                    ..sampling
                },
                "NaN",
            ),
            (
                Sampling {
                    top_k: Some(0),
                    ..sampling
                },
                "0 tokens to draw from",
            ),
            (
                Sampling {
                    top_p: Some(0.0),
                    ..sampling
                },
                "top-p is 0",
            ),
            (
                Sampling {
                    top_p: Some(1.5),
                    ..sampling
                },
                "top-p is 1.5",
            ),
        ] {
            let error = sampling.check().expect_err(part);
            assert!(error.cause.contains(part) && !error.expected.is_empty(), "{error}");
        }
    }
}
