//! Turns interventions into edits: of the model, and of the frozen head.

use super::baseline::{Baseline, PredictionBasis};
use super::intervention::{Extent, Intervention, Replacement, Vector};
use super::means::{MeanPositions, means};
use crate::analysis::pair::Sentence;
use crate::error::{Error, ErrorKind, Result};
use crate::forward::{Edit, HeadWeights, Model, Monitor};
use crate::math;
use crate::names::{BlockHook, Component, Head, HeadActivation, HookPoint, Normalization, Side};
use crate::prompts::Prompt;

/// The edits for an intervention.
pub(super) struct Prepared {
    /// Edits of the model.
    pub(super) edits: Vec<Edit>,
    /// Edits of one frozen head for the linear prediction (whose scales of LayerNorm are frozen): queries, keys, values,
    /// patterns and `z`.
    pub(super) frozen_head_edits: Vec<Edit>,
    /// The frozen head.
    pub(super) head: Head,
}

/// The sources of replacements, and the normalization of vectors.
pub(super) struct ReplacementSources<'a> {
    /// The sentence itself.
    pub(super) sentence: &'a Sentence,
    /// The second sentence, of the same length.
    pub(super) second: Option<&'a Sentence>,
    /// A run's prompts.
    pub(super) run: &'a [Prompt],
    /// How a vector that replaces the stream is normalized.
    pub(super) normalization: Normalization,
}

/// Prepares `intervention`, which has been checked, at the pair of `basis`. The
/// embedding and unembedding rows of the tokens it names must be loaded.
///
/// # Errors
/// [`ErrorKind::Request`] where there is no second sentence, fewer than two prompts, or a vector of equal entries; read
/// errors, and those of `monitor`.
pub(super) async fn prepare(
    model: &mut Model,
    basis: PredictionBasis<'_>,
    intervention: &Intervention,
    sources: &ReplacementSources<'_>,
    monitor: &dyn Monitor,
) -> Result<Prepared> {
    let baseline = basis.baseline;
    match *intervention {
        Intervention::Substitute { side, vector } => {
            let vector = of_vector(model, baseline, (vector, side), sources, monitor).await?;
            made_from(baseline, side, (vector, sources.normalization))
        }
        Intervention::Remove { side, component, scale } => {
            let position = baseline.pair.position(side);
            let vector = of_component(model, (baseline, sources.sentence), component, position, monitor).await?;
            removal(model, basis, side, (&vector, scale))
        }
        Intervention::Set {
            head,
            activation,
            to,
            at: extent,
        } => {
            let positions = positions(baseline, activation, extent);
            let hook = activation.hook();
            let values = match to {
                Replacement::Zero => zeros(model, activation, &positions),
                Replacement::Second => {
                    let second = sources.second.ok_or_else(no_second)?;
                    let value =
                        |&position| Ok(second.pass().of_head(model.config(), head, hook, second.row(position)?));
                    positions.iter().map(value).collect::<Result<Vec<_>>>()?
                }
                Replacement::Mean => {
                    let place = mean_at(activation, extent, &positions);
                    let hook_and_head = (HookPoint::block(head.layer, hook), Some(head.head));
                    means(model, sources.run, hook_and_head, &place, monitor).await?
                }
            };
            Ok(set_to((head, activation), positions.into_iter().zip(values)))
        }
    }
}

/// Edits that compute the query or key of the pair's head from `vector [d_model]`, normalized as `normalization` says,
/// or from the bias alone.
///
/// # Errors
/// [`ErrorKind::Request`] for a vector whose entries are all equal.
pub(super) fn made_from(
    baseline: &Baseline<'_>,
    side: Side,
    (vector, normalization): (Option<Vec<f32>>, Normalization),
) -> Result<Prepared> {
    let (head, position) = (baseline.pair.head, baseline.pair.position(side));
    let mut made = match vector {
        Some(vector) => baseline
            .weights
            .read(side, &normalized(&baseline.weights, vector, normalization)?),
        None => vec![0.0; baseline.weights.d_head()],
    };
    math::add(&mut made, baseline.weights.bias(side));
    let edit = Edit::of_head(head.layer, made_hook(side), head.head, position, made);
    Ok(Prepared {
        edits: vec![edit.clone()],
        frozen_head_edits: vec![edit],
        head,
    })
}

/// Edits that set an activation of a head to `values`, one per position.
pub(super) fn set_to(
    (head, activation): (Head, HeadActivation),
    values: impl IntoIterator<Item = (usize, Vec<f32>)>,
) -> Prepared {
    let edit = |(position, value)| Edit::of_head(head.layer, activation.hook(), head.head, position, value);
    let edits: Vec<Edit> = values.into_iter().map(edit).collect();
    Prepared {
        frozen_head_edits: edits.clone(),
        edits,
        head,
    }
}

/// The positions of a pair at which an activation is set.
pub(super) fn positions(baseline: &Baseline<'_>, activation: HeadActivation, extent: Extent) -> Vec<usize> {
    match extent {
        Extent::All => (0..=baseline.pair.dest).collect(),
        Extent::Pair => vec![baseline.pair.position(activation.side())],
    }
}

/// The positions over which the mean for an activation at `positions` is taken. Rows of patterns differ in length
/// between prompts, so their mean is taken at equal positions.
pub(super) fn mean_at(activation: HeadActivation, extent: Extent, positions: &[usize]) -> MeanPositions {
    if extent == Extent::Pair && activation != HeadActivation::Pattern {
        MeanPositions::OfSide(activation.side())
    } else {
        MeanPositions::At(positions.to_vec())
    }
}

/// Edits that remove `scale` times `vector [d_model]` from the input of the pair's query or key. In the model,
/// LayerNorm sees the remainder; in the linear prediction its scale is frozen.
pub(super) fn removal(
    model: &Model,
    basis: PredictionBasis<'_>,
    side: Side,
    (vector, scale): (&[f32], f32),
) -> Result<Prepared> {
    let baseline = basis.baseline;
    let (head, position) = (baseline.pair.head, baseline.pair.position(side));
    let stream = baseline.stream(model.config(), position)?;
    let left = stream.iter().zip(vector).map(|(x, c)| x - scale * c).collect();
    let (input, made) = match side {
        Side::Query => (BlockHook::QInput, &basis.frozen_head.query),
        Side::Key => (BlockHook::KInput, &basis.frozen_head.keys[position]),
    };
    let (_, ln_scale) = baseline.weights.normalize(stream);
    let factor = f64::from(scale) / f64::from(ln_scale.first().copied().unwrap_or(f32::NAN));
    let wide: Vec<f64> = vector.iter().map(|&v| f64::from(v) * factor).collect();
    let gone = baseline.weights.read_wide(side, &wide);
    let made = made
        .iter()
        .zip(gone)
        .map(|(&made, gone)| (f64::from(made) - gone) as f32);
    let of_head = |hook, value| Edit::of_head(head.layer, hook, head.head, position, value);
    Ok(Prepared {
        edits: vec![of_head(input, left)],
        frozen_head_edits: vec![of_head(made_hook(side), made.collect())],
        head,
    })
}

fn made_hook(side: Side) -> BlockHook {
    match side {
        Side::Query => BlockHook::Q,
        Side::Key => BlockHook::K,
    }
}

/// Zeros in place of `activation` at each of `positions`.
pub(super) fn zeros(model: &Model, activation: HeadActivation, positions: &[usize]) -> Vec<Vec<f32>> {
    let zeros = |&position| vec![0.0; width(model, activation, position)];
    positions.iter().map(zeros).collect()
}

/// Number of values of `activation` at `position`.
fn width(model: &Model, activation: HeadActivation, position: usize) -> usize {
    match activation {
        HeadActivation::Pattern => position + 1,
        _ => model.config().d_head(),
    }
}

/// The vector that replaces the stream on `side`, `[d_model]`; None for 0.
async fn of_vector(
    model: &mut Model,
    baseline: &Baseline<'_>,
    (vector, side): (Vector, Side),
    sources: &ReplacementSources<'_>,
    monitor: &dyn Monitor,
) -> Result<Option<Vec<f32>>> {
    let position = baseline.pair.position(side);
    Ok(Some(match vector {
        Vector::Unembedding(token) => model.w_u(token)?,
        Vector::Embedding(token) => model.w_e(token)?,
        Vector::Component(component) => {
            of_component(model, (baseline, sources.sentence), component, position, monitor).await?
        }
        Vector::Mean => {
            let point = HookPoint::block(baseline.pair.head.layer, BlockHook::ResidPre);
            let found = means(model, sources.run, (point, None), &MeanPositions::OfSide(side), monitor).await?;
            found.into_iter().next().unwrap_or_default()
        }
        Vector::Zero => return Ok(None),
    }))
}

/// What `component` writes at `position`, `[d_model]`.
async fn of_component(
    model: &mut Model,
    (baseline, sentence): (&Baseline<'_>, &Sentence),
    component: Component,
    position: usize,
    monitor: &dyn Monitor,
) -> Result<Vec<f32>> {
    let n_head = model.config().n_head;
    let index = Component::before(baseline.pair.head.layer, n_head).position(|other| other == component);
    let written = baseline.written(model, sentence, &[position], monitor).await?;
    let at_position = written.first().zip(index);
    let vector = at_position.and_then(|(written, index)| written.get(index));
    vector.cloned().ok_or_else(|| {
        let cause = format!("{} is not written at a position", component.name());
        Error::new(ErrorKind::Internal, cause)
    })
}

/// `vector [d_model]`, normalized as `normalization` says, as input of the head with `weights`.
fn normalized(weights: &HeadWeights, vector: Vec<f32>, normalization: Normalization) -> Result<Vec<f32>> {
    let deviation = math::standard_deviation(&vector);
    if deviation > 0.0 && deviation.is_finite() {
        return Ok(match normalization {
            Normalization::Notebook => vector.into_iter().map(|v| (f64::from(v) / deviation) as f32).collect(),
            Normalization::LayerNorm => weights.normalize(&vector).0,
        });
    }
    Err(Error::new(
        ErrorKind::Request,
        "all numbers of the vector that is to stand for the stream are the same",
    )
    .expected("a vector with a direction")
    .advice("Choose another vector. With zero, only the bias remains."))
}

fn no_second() -> Error {
    Error::new(
        ErrorKind::Request,
        "there is no second sentence to take an activation from",
    )
    .expected("a second sentence of as many tokens")
}
