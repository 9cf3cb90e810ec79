//! Statistics of every head's attention in a sentence, and the automatic choice of a pair of positions.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::rc::Rc;

use serde::{Deserialize, Serialize};

use crate::analysis::Array;
use crate::analysis::cell_attention::{AttentionSums, CellAttention, Cells};
use crate::error::{Error, ErrorKind, Result};
use crate::forward::{Model, Monitor, Pass, PrefixTree, Request, Tap};
use crate::math;
use crate::names::{BlockHook, Head, HookPoint};

/// The attention of every head to certain kinds of positions, `[layer, head]` each, from 0 to 1: means over positions
/// from 1 on. None where there is no such position.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Measures {
    /// To the position before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub previous_token: Option<Array>,
    /// To position 0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first_token: Option<Array>,
    /// To all earlier copies of the token together; positions without any are not counted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub duplicate_token: Option<Array>,
}

impl Measures {
    /// The available measures with their names.
    pub fn all(&self) -> impl Iterator<Item = (&'static str, &Array)> {
        let all = [
            ("previous_token", &self.previous_token),
            ("first_token", &self.first_token),
            ("duplicate_token", &self.duplicate_token),
        ];
        all.into_iter()
            .filter_map(|(name, array)| Some((name, array.as_ref()?)))
    }
}

/// The automatically chosen head and source position: what the head writes from there has the largest effect on the
/// logit of the most likely next token.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct FirstPair {
    /// The head.
    pub head: Head,
    /// The source position.
    pub src: usize,
    /// The effect on the logit of the next token, relative to the mean over the vocabulary.
    pub effect: f32,
    /// The most likely next token.
    pub next: u32,
}

/// The result of [`survey`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Survey {
    /// Statistics of every head in the sentence.
    pub measures: Measures,
    /// The automatically chosen pair.
    pub first: FirstPair,
    /// Log-probabilities of the token after the destination, `[d_vocab]`.
    pub log_probs: Vec<f32>,
}

/// Takes a sentence through the whole model and measures all its heads, before one is chosen; also chooses a head and a
/// source for the destination.
///
/// The chosen head and position `j` have the largest absolute value of `pattern[dest, j] v_j W_O / sigma_f . W_U[most
/// likely next token]`, with `sigma_f` the scale of the final LayerNorm and W_U relative to its mean over the
/// vocabulary, whatever the processing. Position 0, where idle heads attend, is chosen only if there is no other.
///
/// Patterns are summed as they are computed. The values of all layers are held, `4 * n_layer * (dest + 1) * d_model`
/// bytes: 38 MB for 1,024 tokens of GPT-2 small.
///
/// # Errors
/// [`ErrorKind::Request`] for a destination that does not exist, [`ErrorKind::Prompt`] for a sentence that does not fit
/// the context, read errors, and those of `monitor`.
pub async fn survey(model: &mut Model, tokens: &[u32], dest: usize, monitor: &dyn Monitor) -> Result<Survey> {
    model.check_sequence(tokens)?;
    if dest >= tokens.len() {
        let cause = format!("the destination is position {dest} of {} tokens", tokens.len());
        return Err(
            Error::new(ErrorKind::Request, cause).expected(format!("a position from 0 to {}", tokens.len() - 1))
        );
    }
    let layers = model.config().n_layer;
    let tree = PrefixTree::new([tokens]);
    let seen = tree.path(0)[..=dest].to_vec();
    let row = seen[dest];
    let attention_sums = Rc::new(RefCell::new(AttentionSums::new(model.config(), GROUPS)));
    let mut taps = AttentionSums::taps(&attention_sums, &tree, &cells(tokens));
    let kept = taps.len();
    for layer in 0..layers {
        taps.push(Tap::new(HookPoint::block(layer, BlockHook::Pattern), vec![row]));
        taps.push(Tap::new(HookPoint::block(layer, BlockHook::V), seen.clone()));
    }
    taps.push(Tap::new(HookPoint::LnFinalScale, vec![row]));
    let mut passes = [Pass::new(tree, Request::of(taps))];
    model.run(&mut passes, layers, monitor).await?;
    let [pass] = passes;
    let log_probs = model.log_probs_at(&pass, &[row], monitor).await?;
    let log_probs = log_probs.into_iter().next().unwrap_or_default();
    let (of_layers, scale) = pass.captured[kept..].split_at(2 * layers);
    let scale = scale.first().and_then(|scale| scale.values.first()).copied();
    let read = |layer: usize| {
        Ok((
            of_layers[2 * layer].row(0).to_vec(),
            of_layers[2 * layer + 1].values.clone(),
        ))
    };
    let first = first_pair(model, read, (scale.unwrap_or(f32::NAN), &log_probs), monitor).await?;
    let cell_attention = attention_sums.borrow().cell_attention();
    Ok(Survey {
        measures: measures(cell_attention)?,
        first,
        log_probs,
    })
}

/// Sums of attention per head, for [`Measures`].
#[derive(Debug, Default)]
pub(super) struct Sums {
    /// Per head: to the position before, to position 0, to earlier copies.
    heads: Vec<[f64; GROUPS]>,
    /// Number of positions added for the last head, per group.
    counts: [usize; GROUPS],
}

impl Sums {
    /// Starts the next head.
    pub fn begin(&mut self) {
        self.heads.push([0.0; GROUPS]);
        self.counts = [0; GROUPS];
    }

    /// Adds the probabilities `row [dest + 1]` of the current head from position `dest` of `tokens`.
    pub fn add(&mut self, row: &[f32], tokens: &[u32]) {
        let (Some(sums), Some(dest)) = (self.heads.last_mut(), row.len().checked_sub(1)) else {
            return;
        };
        let copies = (0..dest).filter(|&key| tokens.get(key) == tokens.get(dest));
        let groups = [vec![dest.saturating_sub(1)], vec![0], copies.collect::<Vec<_>>()];
        for ((sum, count), keys) in sums.iter_mut().zip(&mut self.counts).zip(groups) {
            *count += usize::from(!keys.is_empty());
            *sum += keys.iter().map(|&key| f64::from(row[key])).sum::<f64>();
        }
    }

    /// The means over the added positions, for `n_head` heads in each of `layers`.
    ///
    /// # Errors
    /// [`ErrorKind::Internal`] where other heads were added.
    pub fn measures(&self, layers: usize, n_head: usize) -> Result<Measures> {
        let array = |group: usize| {
            let count = self.counts[group];
            let means = self
                .heads
                .iter()
                .map(|sums| (sums[group] / count as f64).min(1.0) as f32);
            (count > 0)
                .then(|| Array::new(vec![layers, n_head], means.collect()))
                .transpose()
        };
        Ok(Measures {
            previous_token: array(0)?,
            first_token: array(1)?,
            duplicate_token: array(2)?,
        })
    }
}

/// Number of groups of cells: the position before, position 0, earlier copies.
const GROUPS: usize = 3;

/// The measured cells of every position from 1 on.
fn cells(tokens: &[u32]) -> Vec<Cells> {
    let mut all = Vec::new();
    for query in 1..tokens.len() {
        let copies = (0..query).filter(|&key| tokens[key] == tokens[query]).collect();
        for (group, keys) in [vec![query - 1], vec![0], copies].into_iter().enumerate() {
            if !keys.is_empty() {
                all.push(Cells {
                    group,
                    sequence: 0,
                    query,
                    keys,
                });
            }
        }
    }
    all
}

fn measures(cell_attention: Vec<Option<Vec<Vec<CellAttention>>>>) -> Result<Measures> {
    let array = |cell_attention: Option<Vec<Vec<CellAttention>>>| {
        let cell_attention = cell_attention.map(|cell_attention| {
            let shape = vec![cell_attention.len(), cell_attention.first().map_or(0, Vec::len)];
            let means = cell_attention.iter().flatten().map(|look| look.mean as f32);
            Array::new(shape, means.collect())
        });
        cell_attention.transpose()
    };
    let mut cell_attention = cell_attention.into_iter();
    let mut next = || array(cell_attention.next().flatten());
    Ok(Measures {
        previous_token: next()?,
        first_token: next()?,
        duplicate_token: next()?,
    })
}

/// Chooses the pair. `read` returns, for a layer, the probabilities of its heads from the destination, `[head, dest +
/// 1]`, and the values at all positions up to it, `[dest + 1, d_model]`; `scale` is that of the final LayerNorm at the
/// destination.
pub(super) async fn first_pair(
    model: &mut Model,
    read: impl Fn(usize) -> Result<(Vec<f32>, Vec<f32>)>,
    (scale, log_probs): (f32, &[f32]),
    monitor: &dyn Monitor,
) -> Result<FirstPair> {
    let likeliest = (0u32..)
        .zip(log_probs)
        .fold((0, f32::NEG_INFINITY), |best, (token, &log_prob)| {
            if log_prob > best.1 { (token, log_prob) } else { best }
        });
    let next = likeliest.0;
    model.load_embedding(&BTreeSet::from([next]), monitor).await?;
    let direction = model.logit_direction(next)?;
    let scale = f64::from(scale);
    let (n_head, d_head, d) = (model.config().n_head, model.config().d_head(), model.config().d_model);
    let mut best = FirstPair {
        head: Head::new(0, 0),
        src: 0,
        effect: 0.0,
        next,
    };
    for layer in 0..model.config().n_layer {
        let of_heads = model.through_w_o(layer, &direction, monitor).await?;
        let (pattern, values) = read(layer)?;
        let seen = pattern.len() / n_head;
        for (head, (pattern, of_head)) in pattern
            .chunks_exact(seen)
            .zip(of_heads.chunks_exact(d_head))
            .enumerate()
        {
            // Position 0 only if there is no other.
            for src in (1..seen).chain((seen == 1).then_some(0)) {
                let value = &values[src * d + head * d_head..][..d_head];
                let effect = (f64::from(pattern[src]) * math::dot_wide(of_head, value) / scale) as f32;
                if effect.abs() > best.effect.abs() || (best.src == 0 && src > 0) {
                    best = FirstPair {
                        head: Head::new(layer, head),
                        src,
                        effect,
                        next,
                    };
                }
            }
        }
    }
    Ok(best)
}
