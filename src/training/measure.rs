//! How well a model does the task, and which head looks from END to the indirect object.

use candle_core::Tensor;

use super::prompts::Sample;
use super::transformer::Transformer;
use crate::error::{Error, ErrorKind, Result};
use crate::forward::{Model, Unwatched};
use crate::names::Head;

/// How often the final name is right.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Accuracy {
    /// Number of prompts.
    pub prompts: usize,
    /// Share of prompts with P(IO) > P(S) after END.
    pub io_over_s: f64,
    /// Share of prompts where IO is the likeliest of all tokens after END.
    pub io_top_1: f64,
}

/// Counts right answers; `after_end` are the logits or log-probabilities at END, `[d_vocab]` for each sample.
pub fn measure<'a>(samples: &[Sample], after_end: impl IntoIterator<Item = &'a [f32]>) -> Accuracy {
    let (mut io_over_s, mut io_top_1, mut prompts) = (0, 0, 0);
    for (sample, logits) in samples.iter().zip(after_end) {
        let io = logits[sample.io_token as usize];
        prompts += 1;
        io_over_s += usize::from(io > logits[sample.s_token as usize]);
        io_top_1 += usize::from(
            logits
                .iter()
                .zip(0..)
                .all(|(&logit, token)| token == sample.io_token || logit < io),
        );
    }
    let share = |count: usize| count as f64 / prompts.max(1) as f64;
    Accuracy {
        prompts,
        io_over_s: share(io_over_s),
        io_top_1: share(io_top_1),
    }
}

/// The accuracy of `model` on `samples`, through its own forward pass.
///
/// # Errors
/// Those of [`Model::log_probs`].
pub fn accuracy(model: &mut Model, samples: &[Sample]) -> Result<Accuracy> {
    let texts: Vec<&[u32]> = samples.iter().map(Sample::before_final_name).collect();
    let log_probs = futures::executor::block_on(model.log_probs(&texts, &Unwatched))?;
    Ok(measure(samples, log_probs.iter().map(Vec::as_slice)))
}

/// Mean attention from END to the indirect object of every head.
#[derive(Debug, Clone)]
pub struct Attention {
    /// `[layer][head]`, each from 0 to 1.
    pub means: Vec<Vec<f64>>,
}

impl Attention {
    /// Measures it on `samples`.
    ///
    /// # Errors
    /// [`ErrorKind::Internal`] when a tensor operation fails.
    pub fn of(model: &Transformer, samples: &[Sample]) -> Result<Self> {
        let config = model.config();
        let mut means = vec![vec![0.0; config.n_head]; config.n_layer];
        for samples in samples.chunks(100) {
            for (pattern, means) in model.forward(samples)?.attention.iter().zip(&mut means) {
                add_end_to_io(pattern, samples, means)?;
            }
        }
        means
            .iter_mut()
            .flatten()
            .for_each(|sum| *sum /= samples.len().max(1) as f64);
        Ok(Self { means })
    }

    /// The head with the largest mean among the layers that have one before them, and the earlier head with
    /// the largest mean in the layers before it.
    ///
    /// # Errors
    /// [`ErrorKind::Internal`] when the model has only one layer.
    pub fn heads(&self) -> Result<(Head, Head)> {
        let destination = self.largest(1..self.means.len());
        let earlier = destination.and_then(|head| self.largest(0..head.layer));
        destination
            .zip(earlier)
            .ok_or_else(|| Error::new(ErrorKind::Internal, "a model of one layer has no earlier head"))
    }

    /// The mean of `head`; 0 where there is none.
    pub fn mean(&self, head: Head) -> f64 {
        self.means
            .get(head.layer)
            .and_then(|means| means.get(head.head))
            .copied()
            .unwrap_or(0.0)
    }

    fn largest(&self, layers: std::ops::Range<usize>) -> Option<Head> {
        layers
            .flat_map(|layer| (0..self.means[layer].len()).map(move |head| Head::new(layer, head)))
            .max_by(|a, b| self.mean(*a).total_cmp(&self.mean(*b)))
    }
}

/// Adds to each head's sum its attention from END to IO; `pattern` is `[batch, head, query pos, key pos]`.
fn add_end_to_io(pattern: &Tensor, samples: &[Sample], sums: &mut [f64]) -> Result<()> {
    for (index, sample) in samples.iter().enumerate() {
        let to_io: Vec<f32> = pattern
            .get(index)?
            .narrow(1, sample.positions.end, 1)?
            .narrow(2, sample.positions.io, 1)?
            .flatten_all()?
            .to_vec1()?;
        sums.iter_mut()
            .zip(to_io)
            .for_each(|(sum, weight)| *sum += f64::from(weight));
    }
    Ok(())
}
