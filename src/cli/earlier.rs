//! The further decomposition in `keyside pair`: an earlier head by source token, its layer's MLP by neuron.

use super::listing::{LINES, largest_sizes, line};
use crate::analysis::Array;
use crate::analysis::pair::{Pair, Part, PartDecomposition, PartPath, Step, drill_down};
use crate::error::Result;
use crate::forward::{Model, NoMonitor};
use crate::names::{Component, Head, Side};

/// The decompositions of an earlier head and of its layer's MLP.
pub(super) struct Earlier {
    head: Head,
    /// The head on each side, by source token.
    head_by: [(Side, PartDecomposition); 2],
    /// The MLP on each side, by neuron.
    mlp_by: [(Side, PartDecomposition); 2],
    /// Number of tokens of the sentence.
    count: usize,
    /// The source token with the largest absolute contribution on the key side, and the decomposition of what was
    /// written there.
    twice: (usize, PartDecomposition),
}

/// Decomposes `earlier`, and the MLP of its layer, on both sides of the score of `pair`.
///
/// # Errors
/// Those of [`drill_down`].
pub(super) async fn open(model: &mut Model, pair: &Pair, earlier: Head) -> Result<Earlier> {
    let head = Step::Component(Component::Head(earlier));
    let mlp = Step::Component(Component::Mlp(earlier.layer));
    let part_path = |side, path: &[Step]| PartPath {
        side,
        against: None,
        relative: None,
        path: path.to_vec(),
    };
    let [query, key] = [Side::Query, Side::Key];
    let by_key = drill_down(model, pair, &part_path(key, &[head]), &NoMonitor).await?;
    let position = largest_sizes(&values(&by_key)).next().unwrap_or_default();
    let twice = part_path(key, &[head, Step::Source(position)]);
    Ok(Earlier {
        head: earlier,
        twice: (position, drill_down(model, pair, &twice, &NoMonitor).await?),
        head_by: [
            (key, by_key),
            (
                query,
                drill_down(model, pair, &part_path(query, &[head]), &NoMonitor).await?,
            ),
        ],
        mlp_by: [
            (key, drill_down(model, pair, &part_path(key, &[mlp]), &NoMonitor).await?),
            (
                query,
                drill_down(model, pair, &part_path(query, &[mlp]), &NoMonitor).await?,
            ),
        ],
        count: pair.tokens.len(),
    })
}

impl Earlier {
    /// The arrays for JSON with their names.
    pub(super) fn arrays(&self) -> Vec<(&'static str, Array)> {
        let [by_source, by_source_query] = self.head_by.each_ref().map(|(_, decomposition)| {
            let mut by_source = values(decomposition);
            by_source.resize(self.count, 0.0);
            Array::vector(by_source)
        });
        let split = |decomposition: &PartDecomposition| {
            let mut neurons = values(decomposition);
            let b_out = neurons.pop().unwrap_or_default();
            (Array::vector(neurons), Array::vector(vec![b_out]))
        };
        let [(_, of_key), (_, of_query)] = &self.mlp_by;
        let (by_neuron, b_out) = split(of_key);
        let (position, twice) = &self.twice;
        vec![
            ("earlier_head_by_source", by_source),
            ("earlier_head_by_source_query", by_source_query),
            ("mlp_by_neuron", by_neuron),
            ("mlp_b_out", b_out),
            ("mlp_by_neuron_query", split(of_query).0),
            ("down_twice_position", Array::vector(vec![*position as f32])),
            ("down_twice", Array::vector(values(twice))),
        ]
    }

    /// The largest parts of each list; `token` returns the text at a position.
    pub(super) fn description(&self, pair: &Pair, token: impl Fn(usize) -> String) -> String {
        let mut description = String::new();
        let mut list = |decomposition: &PartDecomposition, name: &str| {
            let (parts, rest) = decomposition.shown();
            let (sum, cell) = (decomposition.sum, decomposition.cell);
            line(
                &mut description,
                format_args!("{name} adds {cell:.4}; its parts add up to {sum:.4}:"),
            );
            let values: Vec<f32> = parts.iter().map(|(_, value)| *value).collect();
            for index in largest_sizes(&values).take(LINES) {
                let name = match parts[index].0 {
                    Part::Source(position) => format!("{:?} (position {position})", token(position)),
                    Part::Neuron(neuron) => format!("neuron {neuron}"),
                    Part::OutBias => "the MLP's bias".to_owned(),
                    Part::Component(component) => component.name(),
                    Part::ValueBias => "the bias of the value".to_owned(),
                };
                line(&mut description, format_args!("{:>+9.4}  {name}", values[index]));
            }
            let unlisted = rest.map_or(0, |rest| rest.count) + values.len().saturating_sub(LINES);
            if unlisted > 0 {
                let listed = largest_sizes(&values).take(LINES);
                let listed: f64 = listed.map(|index| f64::from(values[index])).sum();
                let left = f64::from(sum) - listed;
                line(
                    &mut description,
                    format_args!("{left:>+9.4}  {unlisted} others together"),
                );
            }
        };
        for (side, decomposition) in &self.head_by {
            let at = token(position(pair, *side));
            list(
                decomposition,
                &format!("Head {} at {at:?}, on the {side} side,", self.head),
            );
        }
        let (from, twice) = &self.twice;
        list(
            twice,
            &format!(
                "What head {} has read at {:?} (position {from})",
                self.head,
                token(*from)
            ),
        );
        for (side, decomposition) in &self.mlp_by {
            let at = token(position(pair, *side));
            let mlp = Component::Mlp(self.head.layer).name();
            list(decomposition, &format!("{mlp} at {at:?}, on the {side} side,"));
        }
        description
    }
}

/// The position at which a side of the score is read.
fn position(pair: &Pair, side: Side) -> usize {
    match side {
        Side::Query => pair.dest,
        Side::Key => pair.src,
    }
}

fn values(decomposition: &PartDecomposition) -> Vec<f32> {
    decomposition.parts.iter().map(|(_, value)| *value).collect()
}
