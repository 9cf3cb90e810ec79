//! Further decomposition of a component of a score, level by level.
//!
//! A score with one side fixed is a linear map of what was written to the residual stream at some positions. A head's
//! output is a sum over the source tokens that it attends to, an MLP's output a sum over its neurons, and what a head
//! reads at a token a sum over the components written there. Under the same map, each list sums to the contribution
//! that it decomposes. Attention patterns and the scales of LayerNorms are frozen at their values in the pass.

use super::part_path::{CheckedPath, End, Part, PartDecomposition, PartPath, positions};
use super::position_pair::Pair;
use super::relative::key_weights;
use crate::error::Result;
use crate::forward::{HeadWeights, Model, Monitor, Pass, PrefixTree, Request, Tap};
use crate::math;
use crate::names::{BlockHook, Component, Head, HookPoint, Side};

/// A linear map of the residual stream: `sum over positions of factor * (written vector . map)`.
struct Reading {
    /// `[d_model]`.
    map: Vec<f64>,
    /// Positions with factors: 1 / (scale of the LayerNorm that reads there), times attention and the weights of a
    /// relative view.
    at: Vec<(usize, f64)>,
}

/// The taps of a pass, collected before it runs.
#[derive(Default)]
struct TapPlan {
    taps: Vec<Tap>,
}

/// Where the output of a component at some positions is found after the pass.
struct Written {
    component: Component,
    positions: Vec<usize>,
    /// The tap that captures it; None for embeddings and biases.
    tap: Option<usize>,
}

/// The taps of a head on the path: its pattern at the positions that read it, its values at `sources`.
struct OfHead {
    head: Head,
    pattern: usize,
    values: usize,
    sources: Vec<usize>,
}

/// The taps for the list at the end of the path.
enum OfEnd {
    Sources(OfHead, Written),
    Neurons(usize, usize, Written),
    Components(Vec<Written>),
}

impl TapPlan {
    fn tap(&mut self, tap: Tap) -> usize {
        self.taps.push(tap);
        self.taps.len() - 1
    }

    /// Adds taps for the output of `component` at `positions`.
    fn component(&mut self, component: Component, positions: &[usize]) -> Written {
        let rows = positions.to_vec();
        let tap = match component {
            Component::Head(Head { layer, head }) => {
                Some(Tap::new(HookPoint::block(layer, BlockHook::Result), rows).of_head(head))
            }
            Component::Mlp(layer) => Some(Tap::new(HookPoint::block(layer, BlockHook::MlpOut), rows)),
            _ => None,
        };
        Written {
            component,
            positions: positions.to_vec(),
            tap: tap.map(|tap| self.tap(tap)),
        }
    }

    /// Adds taps for the pattern of `head` from `positions`, and for its values at `sources`.
    fn head(&mut self, head: Head, positions: &[usize], sources: Vec<usize>) -> OfHead {
        let tap = |hook, rows| Tap::new(HookPoint::block(head.layer, hook), rows).of_head(head.head);
        OfHead {
            head,
            pattern: self.tap(tap(BlockHook::Pattern, positions.to_vec())),
            values: self.tap(tap(BlockHook::V, sources.clone())),
            sources,
        }
    }
}

impl Written {
    /// The weighted sum of what is written at the positions in `at`, `[d_model]`.
    fn summed(&self, model: &Model, pass: &Pass, at: &[(usize, f64)]) -> Result<Vec<f64>> {
        let mut total = vec![0f64; model.config().d_model];
        for (index, &position) in self.positions.iter().enumerate() {
            let factor = at
                .iter()
                .find(|(other, _)| *other == position)
                .map_or(0.0, |(_, factor)| *factor);
            let mut add = |vector: &[f32]| {
                total
                    .iter_mut()
                    .zip(vector)
                    .for_each(|(total, &v)| *total += factor * f64::from(v));
            };
            match (self.component, self.tap) {
                (_, Some(tap)) => add(pass.captured[tap].row(index)),
                (Component::TokenEmbedding, _) => add(&model.w_e(pass.tree.token(position))?),
                (Component::PositionEmbedding, _) => add(&model.w_pos(position)?),
                (Component::AttentionBias(layer), _) => add(model.b_o(layer)?),
                // Biases of the map are not part of the residual stream.
                _ => {}
            }
        }
        Ok(total)
    }

    /// The value of `reading` for it.
    fn read(&self, model: &Model, pass: &Pass, reading: &Reading) -> Result<f64> {
        let summed = self.summed(model, pass, &reading.at)?;
        Ok(summed.iter().zip(&reading.map).map(|(v, map)| v * map).sum())
    }
}

impl OfHead {
    /// For each source the weighted sum of the attention from all positions in `at`.
    fn attention(&self, pass: &Pass, at: &[(usize, f64)]) -> Vec<f64> {
        let mut total = vec![0f64; self.sources.len()];
        for (index, (_, factor)) in at.iter().enumerate() {
            let row = pass.captured[self.pattern].row(index);
            for (total, &source) in total.iter_mut().zip(&self.sources) {
                *total += factor * f64::from(row.get(source).copied().unwrap_or_default());
            }
        }
        total
    }
}

/// Decomposes a component of the score of `pair`, or something within it (see [`PartPath`]). The sentence goes once
/// through the layers before the head.
///
/// On the key side the map is `W_K (sum of the query's components) / sqrt(d_head) / ln_scale(src)`, on the query side
/// `W_Q (sum of the key's) / sqrt(d_head) / ln_scale(dest)`; for a single cell of the table, the sum is replaced by the
/// other side's component. A head contributes `pattern[p, j] (v_j W_O)` for each source token `j`, an MLP `post_i
/// W_out[i]` for each neuron and b_out; what a head has read at `j` is `pattern[p, j] (c_m(j) / ln_scale(j)) W_V W_O`
/// over the components `c_m` before its layer, and b_V where it is not folded. In a relative view each is `sum_j (1[j =
/// src] - w_j)` of the same.
///
/// ```
/// # use futures::executor::block_on;
/// # use keyside::checkpoint::FileSource;
/// # use keyside::forward::{Model, NoMonitor};
/// # use keyside::model::Processing;
/// use keyside::analysis::pair::{PartPath, Pair, Step, drill_down};
/// use keyside::names::{Component, Head, Side};
///
/// # let source = Box::new(FileSource::new("tests/fixtures/tiny"));
/// # let mut model = block_on(Model::open(source, Processing::default()))?;
/// let tokens = model.tokenizer().encode("When Mary and John went to the store")?;
/// let pair = Pair { dest: tokens.len() - 1, src: 1, head: Head::new(2, 1), tokens };
/// let path = vec![Step::Component(Component::Head(Head::new(1, 3)))];
/// let part_path = PartPath { side: Side::Key, against: None, relative: None, path };
/// let decomposition = block_on(drill_down(&mut model, &pair, &part_path, &NoMonitor))?;
/// assert_eq!(decomposition.parts.len(), 2, "from position 1 two tokens are seen");
/// assert!((decomposition.sum - decomposition.cell).abs() < 1e-4);
/// # Ok::<(), keyside::Error>(())
/// ```
///
/// # Errors
/// [`crate::ErrorKind::Request`] for a head or positions that do not exist, and for what can't be decomposition: embeddings, biases, what is
/// not before the layer of what reads it; [`crate::ErrorKind::Prompt`] for a sentence that does not fit the context; read errors,
/// and `monitor`'s.
pub async fn drill_down(
    model: &mut Model,
    pair: &Pair,
    part_path: &PartPath,
    monitor: &dyn Monitor,
) -> Result<PartDecomposition> {
    pair.check(model)?;
    let way = part_path.checked_path(pair, model.config())?;
    let PartPath { side, relative, .. } = *part_path;
    let n_head = model.config().n_head;
    let mut plan = TapPlan::default();
    let against = part_path
        .against
        .map(|component| plan.component(component, &positions(pair, side.other(), relative)));
    let (passed, end) = taps(&way, positions(pair, side, relative), n_head, &mut plan);

    // Rows are positions: there is only one sequence.
    let tree = PrefixTree::new([&pair.tokens[..=pair.dest]]);
    let mut passes = [Pass::new(tree, Request::of(plan.taps))];
    model.run(&mut passes, pair.head.layer, monitor).await?;
    let [pass] = passes;
    let weights = model.head_weights(pair.head, monitor).await?;
    let mut reading = of_score(model, &pass, &weights, (pair, part_path), against.as_ref())?;

    // Follows the path down to what the last head on it has read: its bias, and its total.
    let (mut bias, mut whole) = (0.0, 0.0);
    for (of_head, scale) in passed {
        let head = of_head.head;
        let attention = of_head.attention(&pass, &reading.at)[0];
        let of_values = values_map(model, head, &reading.map, monitor).await?;
        let (map, of_bias) = model.through_w_v(head, &of_values, monitor).await?;
        whole = attention * math::dot_wide(&of_values, pass.captured[of_head.values].row(0));
        bias = attention * of_bias;
        let ln_scale = f64::from(pass.captured[scale].values[0]);
        reading = Reading {
            map,
            at: vec![(of_head.sources[0], attention / ln_scale)],
        };
    }
    match end {
        OfEnd::Sources(of_head, written) => {
            let of_values = values_map(model, of_head.head, &reading.map, monitor).await?;
            let attention = of_head.attention(&pass, &reading.at);
            let parts = of_head.sources.iter().zip(&attention).enumerate();
            let part = |(index, (&source, attention))| {
                let value = pass.captured[of_head.values].row(index);
                (Part::Source(source), attention * math::dot_wide(&of_values, value))
            };
            Ok(PartDecomposition::new(
                parts.map(part).collect(),
                written.read(model, &pass, &reading)?,
            ))
        }
        OfEnd::Neurons(layer, tap, written) => {
            let (of_neurons, of_bias) = model.through_w_out(layer, &reading.map, monitor).await?;
            let mut post = vec![0f64; of_neurons.len()];
            for (index, (_, factor)) in reading.at.iter().enumerate() {
                let row = pass.captured[tap].row(index);
                post.iter_mut()
                    .zip(row)
                    .for_each(|(total, &v)| *total += factor * f64::from(v));
            }
            let neurons = post.iter().zip(&of_neurons).enumerate();
            let mut parts: Vec<(Part, f64)> = neurons
                .map(|(neuron, (post, out))| (Part::Neuron(neuron), post * out))
                .collect();
            let factors: f64 = reading.at.iter().map(|(_, factor)| factor).sum();
            parts.push((Part::OutBias, factors * of_bias));
            Ok(PartDecomposition::new(parts, written.read(model, &pass, &reading)?))
        }
        OfEnd::Components(all) => {
            let part = |written: &Written| {
                Ok((
                    Part::Component(written.component),
                    written.read(model, &pass, &reading)?,
                ))
            };
            let mut parts: Vec<(Part, f64)> = all.iter().map(part).collect::<Result<_>>()?;
            let processing = model.processing();
            // Without fold_ln, the contribution of LayerNorm's bias to the values remains, too.
            if !(processing.fold_value_biases && processing.fold_ln) {
                parts.push((Part::ValueBias, bias));
            }
            Ok(PartDecomposition::new(parts, whole))
        }
    }
}

/// Adds the taps for the path `way`, which begins at `positions`: for each head on the path (with the scale of its
/// LayerNorm where the path goes on), and for the list at the end.
fn taps(
    way: &CheckedPath,
    mut positions: Vec<usize>,
    n_head: usize,
    plan: &mut TapPlan,
) -> (Vec<(OfHead, usize)>, OfEnd) {
    let mut passed = Vec::new();
    for &(head, source) in &way.passed {
        let of_head = plan.head(head, &positions, vec![source]);
        let scale = Tap::new(HookPoint::block(head.layer, BlockHook::Ln1Scale), vec![source]);
        passed.push((of_head, plan.tap(scale)));
        positions = vec![source];
    }
    let end = match way.end {
        End::Sources(head) => {
            let sources = (0..=positions.last().copied().unwrap_or_default()).collect();
            let of_head = plan.head(head, &positions, sources);
            OfEnd::Sources(of_head, plan.component(Component::Head(head), &positions))
        }
        End::Neurons(layer) => {
            let post = Tap::new(HookPoint::block(layer, BlockHook::MlpPost), positions.clone());
            let tap = plan.tap(post);
            OfEnd::Neurons(layer, tap, plan.component(Component::Mlp(layer), &positions))
        }
        End::Components => {
            let layers = way.passed.last().map_or(0, |(head, _)| head.layer);
            let all = Component::before(layers, n_head);
            OfEnd::Components(all.map(|component| plan.component(component, &positions)).collect())
        }
    };
    (passed, end)
}

/// The score of `pair` as a map of the residual stream on one side. The other side is fixed: as a whole, or as the
/// component `against`.
fn of_score(
    model: &Model,
    pass: &Pass,
    weights: &HeadWeights,
    (pair, part_path): (&Pair, &PartPath),
    against: Option<&Written>,
) -> Result<Reading> {
    let d = model.config().d_model;
    let (normalized, ln_scale) = weights.normalize(&pass.resid);
    let row = |position: usize| &normalized[position * d..][..d];
    let factors_of_keys = match part_path.relative {
        None => vec![(pair.src, 1.0)],
        Some(relative) => {
            let query = weights.queries(row(pair.dest).to_vec())?;
            let keys = weights.keys(normalized.clone())?;
            let keys = keys.chunks_exact(weights.d_head());
            let scores: Vec<f32> = keys.map(|key| weights.score(&query, key)).collect();
            let subtracted = key_weights(relative, &scores)?;
            let factor = |position: usize| f64::from(u8::from(position == pair.src)) - subtracted[position];
            let positions = positions(pair, Side::Key, Some(relative)).into_iter();
            positions.map(|position| (position, factor(position))).collect()
        }
    };
    let factors = |side| match side {
        Side::Query => vec![(pair.dest, 1.0)],
        Side::Key => factors_of_keys.clone(),
    };
    let scaled = |factors: Vec<(usize, f64)>| -> Vec<(usize, f64)> {
        let by_scale = |(position, factor)| (position, factor / f64::from(ln_scale[position]));
        factors.into_iter().map(by_scale).collect()
    };
    let other = part_path.side.other();
    let stream = match against {
        Some(written) => written.summed(model, pass, &scaled(factors(other)))?,
        None => {
            let mut total = vec![0f64; d];
            for (position, factor) in factors(other) {
                let row = row(position).iter();
                total
                    .iter_mut()
                    .zip(row)
                    .for_each(|(total, &v)| *total += factor * f64::from(v));
            }
            total
        }
    };
    let mut fixed = weights.read_wide(other, &stream);
    let bias = Component::bias(other);
    // b_K is the same in every key, so that it cancels in a relative view.
    let has_bias = other == Side::Query || part_path.relative.is_none();
    if has_bias && part_path.against.is_none_or(|against| against == bias) {
        let bias = weights.bias(other);
        fixed.iter_mut().zip(bias).for_each(|(v, &b)| *v += f64::from(b));
    }
    Ok(Reading {
        map: weights.map_wide(part_path.side, &fixed),
        at: scaled(factors(part_path.side)),
    })
}

/// `W_O map` of `head`, `[d_head]`.
async fn values_map(model: &mut Model, head: Head, map: &[f64], monitor: &dyn Monitor) -> Result<Vec<f64>> {
    let of_layer = model.through_w_o(head.layer, map, monitor).await?;
    let width = model.config().d_head();
    Ok(of_layer[head.head * width..][..width].to_vec())
}
