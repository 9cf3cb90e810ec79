//! Measures how well a model solves its tasks.

use super::lists::ListSample;
use super::prompts::Sample;
use super::repeats::Repeats;
use crate::error::Result;
use crate::forward::{Model, NoMonitor, Pass, PrefixTree, Request};

/// How often the final name is predicted correctly.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Accuracy {
    /// Number of prompts.
    pub prompts: usize,
    /// Share of prompts with P(IO) > P(S) after END.
    pub io_over_s: f64,
    /// Share of prompts where IO is the most likely of all tokens after END.
    pub io_top_1: f64,
}

/// Counts correct predictions; `after_end` are the logits or log-probabilities at END, `[d_vocab]` for each sample.
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
    let log_probs = futures::executor::block_on(model.log_probs(&texts, &NoMonitor))?;
    Ok(measure(samples, log_probs.iter().map(Vec::as_slice)))
}

/// The share of `lists` in which `model` finds the answer the most likely of all tokens after END.
///
/// # Errors
/// Those of [`Model::log_probs`].
pub fn lists_accuracy(model: &mut Model, lists: &[ListSample]) -> Result<f64> {
    let texts: Vec<&[u32]> = lists.iter().map(ListSample::before_final_name).collect();
    let log_probs = futures::executor::block_on(model.log_probs(&texts, &NoMonitor))?;
    let right = lists.iter().zip(&log_probs);
    let right = right.filter(|(list, log_probs)| likeliest(log_probs) == Some(list.answer_token()));
    Ok(right.count() as f64 / lists.len().max(1) as f64)
}

/// The share of the predictable tokens of `repeats` that `model` finds the most likely.
///
/// # Errors
/// Those of [`Model::run`].
pub fn repeats_accuracy(model: &mut Model, repeats: &[Repeats]) -> Result<f64> {
    let (mut right, mut all) = (0usize, 0usize);
    let n_layer = model.config().n_layer;
    for repeats in repeats {
        let tree = PrefixTree::new([&repeats.tokens[..]]);
        let rows: Vec<usize> = repeats.predictable().map(|position| tree.path(0)[position]).collect();
        let mut pass = Pass::new(tree, Request::default());
        futures::executor::block_on(model.run(std::slice::from_mut(&mut pass), n_layer, &NoMonitor))?;
        let logits = futures::executor::block_on(model.logits(&pass, &rows, &NoMonitor))?;
        for (position, logits) in repeats.predictable().zip(&logits) {
            all += 1;
            right += usize::from(likeliest(logits) == Some(repeats.tokens[position + 1]));
        }
    }
    Ok(right as f64 / all.max(1) as f64)
}

/// The token with the largest of `logits`.
fn likeliest(logits: &[f32]) -> Option<u32> {
    let token = (0..logits.len()).max_by(|&a, &b| logits[a].total_cmp(&logits[b]));
    token.map(|token| token as u32)
}
