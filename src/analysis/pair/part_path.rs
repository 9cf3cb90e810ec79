//! The part of a score that is decomposed further, and its decomposition.

use serde::{Deserialize, Serialize};

use super::position_pair::Pair;
use super::relative::check;
use crate::error::{Error, ErrorKind, Result};
use crate::math::sort_descending;
use crate::model::Config;
use crate::names::{Component, Head, Relative, Side};

/// Number of neurons that [`PartDecomposition::shown`] lists one by one.
pub const NEURONS_SHOWN: usize = 20;

/// The part of a score to decompose: a component on one side, or something within it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PartPath {
    /// The side of the score that the component is on.
    pub side: Side,
    /// The other side's component, for a single cell of the table. None for the whole other side: a row or column sum.
    pub against: Option<Component>,
    /// What the keys are relative to; None for the score itself.
    pub relative: Option<Relative>,
    /// The path to the part: a component, then a source token, then a component that was written there, and so on.
    pub path: Vec<Step>,
}

/// One step of the path.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Step {
    /// Decomposes the output of a component: a head's into source tokens, an MLP's into neurons and b_out.
    Component(Component),
    /// Decomposes what a head has read at the source token at this position, into the components written there before
    /// its layer.
    Source(usize),
}

/// A part of a decomposition.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Part {
    /// Of a head: what it reads at the source token at this position.
    Source(usize),
    /// Of an MLP: the output of this neuron.
    Neuron(usize),
    /// Of an MLP: its b_out.
    OutBias,
    /// Of what a head reads at a token: what this component wrote there.
    Component(Component),
    /// Of what a head reads at a token: its b_V, which is part of every value. Only if b_V is not folded into b_O.
    ValueBias,
}

/// A decomposition.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PartDecomposition {
    /// All parts with their contributions to the score: tokens in order up to the last one that is read, neurons in
    /// order and b_out, or components in the order of the table.
    pub parts: Vec<(Part, f32)>,
    /// Their sum.
    pub sum: f32,
    /// The decomposed contribution, computed from the component or value as a whole: the cell (or sum of cells) of the
    /// table, or the part of the level above. It should equal the sum.
    pub cell: f32,
    /// The sum of absolute contributions: the scale to which rounding errors have to be compared.
    pub scale: f32,
}

/// The neurons that [`PartDecomposition::shown`] does not list.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct RestOfNeurons {
    /// Number of neurons.
    pub count: usize,
    /// Sum of their contributions.
    pub sum: f32,
}

impl PartDecomposition {
    pub(super) fn new(parts: Vec<(Part, f64)>, cell: f64) -> Self {
        Self {
            sum: parts.iter().map(|(_, value)| value).sum::<f64>() as f32,
            scale: parts.iter().map(|(_, value)| value.abs()).sum::<f64>() as f32,
            cell: cell as f32,
            parts: parts.into_iter().map(|(part, value)| (part, value as f32)).collect(),
        }
    }

    /// The parts to list: of neurons, only the [`NEURONS_SHOWN`] that contribute most in absolute value (on ties the
    /// first), in descending order; and the sum of the other neurons, if there are others.
    pub fn shown(&self) -> (Vec<(Part, f32)>, Option<RestOfNeurons>) {
        let is_neuron = |(part, _): &(Part, f32)| matches!(part, Part::Neuron(_));
        let (mut neurons, others): (Vec<_>, Vec<_>) = self.parts.iter().copied().partition(is_neuron);
        sort_descending(&mut neurons, |neuron| neuron.1.abs());
        let rest = neurons.split_off(neurons.len().min(NEURONS_SHOWN));
        neurons.extend(others);
        let rest = (!rest.is_empty()).then(|| RestOfNeurons {
            count: rest.len(),
            sum: rest.iter().map(|(_, value)| f64::from(*value)).sum::<f64>() as f32,
        });
        (neurons, rest)
    }
}

/// A checked path.
pub(super) struct CheckedPath {
    /// Heads that the path goes through, each with the source position at which it continues.
    pub(super) passed: Vec<(Head, usize)>,
    pub(super) end: End,
}

/// The end of a path.
pub(super) enum End {
    /// A head, decomposed into source tokens.
    Sources(Head),
    /// The MLP of a layer, decomposed into neurons.
    Neurons(usize),
    /// The token that the last head has read, decomposed into components.
    Components,
}

impl PartPath {
    /// The checked path in the score of `pair`, which fits the model of `config`.
    ///
    /// # Errors
    /// [`ErrorKind::Request`] for what can't be opened, is not there or is not before the layer of what reads it.
    pub(super) fn checked_path(&self, pair: &Pair, config: &Config) -> Result<CheckedPath> {
        self.relative.map_or(Ok(()), |to| check(to, pair.dest + 1))?;
        self.check_against(pair, config)?;
        let (mut passed, mut before) = (Vec::new(), pair.head.layer);
        let mut last_seen = positions(pair, self.side, self.relative)
            .last()
            .copied()
            .unwrap_or_default();
        let mut steps = self.path.iter().copied();
        loop {
            let end = match steps.next() {
                None if passed.is_empty() => return Err(no_component()),
                None => End::Components,
                Some(Step::Source(position)) => {
                    return Err(Error::new(
                        ErrorKind::Request,
                        format!("there is no head whose source token {position} could be opened"),
                    )
                    .expected("a head before each source token"));
                }
                Some(Step::Component(component)) => end(component, before, config)?,
            };
            let head = match (&end, steps.next()) {
                (_, None) => return Ok(CheckedPath { passed, end }),
                (End::Sources(head), Some(Step::Source(position))) if position <= last_seen => {
                    last_seen = position;
                    passed.push((*head, position));
                    *head
                }
                (End::Sources(head), Some(Step::Source(position))) => {
                    let cause = format!("head {head} has read no token at position {position}");
                    return Err(Error::new(ErrorKind::Request, cause)
                        .expected(format!("a position from 0 to {last_seen}"))
                        .advice("Attention is causal: a head cannot attend to later tokens."));
                }
                (End::Neurons(_), Some(_)) => {
                    return Err(Error::new(ErrorKind::Request, "a neuron can't be opened")
                        .expected("an MLP at the end of the way"));
                }
                (_, Some(_)) => {
                    return Err(Error::new(
                        ErrorKind::Request,
                        "a head is opened into source tokens, not components",
                    )
                    .expected("a source token after a head"));
                }
            };
            before = head.layer;
        }
    }

    /// Checks that the other side has the component `against`.
    fn check_against(&self, pair: &Pair, config: &Config) -> Result<()> {
        let Some(against) = self.against else {
            return Ok(());
        };
        let (other, layers) = (self.side.other(), pair.head.layer);
        let bias = Component::bias(other);
        if against == bias || Component::before(layers, config.n_head).any(|component| component == against) {
            return Ok(());
        }
        let cause = format!("{} is no part of the {other} of head {}", against.name(), pair.head);
        Err(Error::new(ErrorKind::Request, cause).expected(format!("a component before layer {layers}, or {bias}")))
    }
}

/// The positions at which `side` of `pair` is read, ascending: in a relative view, also those of the other keys.
pub(super) fn positions(pair: &Pair, side: Side, relative: Option<Relative>) -> Vec<usize> {
    match (side, relative) {
        (Side::Query, _) => vec![pair.dest],
        (Side::Key, None) => vec![pair.src],
        (Side::Key, Some(Relative::Mean | Relative::Attention)) => (0..=pair.dest).collect(),
        (Side::Key, Some(Relative::Position(position))) => {
            let mut both = vec![pair.src, position];
            both.sort_unstable();
            both.dedup();
            both
        }
    }
}

/// The end of a path whose last step is `component`, read in layer `before`.
fn end(component: Component, before: usize, config: &Config) -> Result<End> {
    let end = match component {
        Component::Head(head) => {
            config.check_head(head)?;
            End::Sources(head)
        }
        Component::Mlp(layer) => End::Neurons(layer),
        _ => {
            return Err(
                Error::new(ErrorKind::Request, format!("{} can't be opened", component.name()))
                    .expected("a head, which is a sum over source tokens, or an MLP, which is one over neurons"),
            );
        }
    };
    if component.layer().is_some_and(|layer| layer < before) {
        return Ok(end);
    }
    let cause = format!("{} writes nothing that is read in layer {before}", component.name());
    Err(Error::new(ErrorKind::Request, cause).expected("a head or an MLP of an earlier layer"))
}

fn no_component() -> Error {
    Error::new(ErrorKind::Request, "nothing is opened").expected("a component to begin with: a head or an MLP")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_but_twenty_neurons_are_one() {
        let mut parts: Vec<(Part, f64)> = (0..30)
            .map(|neuron| {
                (
                    Part::Neuron(neuron),
                    if neuron % 2 == 0 { -1.0 } else { 1.0 } * neuron as f64,
                )
            })
            .collect();
        parts.push((Part::OutBias, 0.5));
        let opened = PartDecomposition::new(parts, 15.5);
        assert_eq!((opened.sum, opened.scale), (15.5, 435.5));
        let (shown, rest) = opened.shown();
        assert_eq!(shown.len(), NEURONS_SHOWN + 1);
        assert_eq!(shown[..2], [(Part::Neuron(29), 29.0), (Part::Neuron(28), -28.0)]);
        assert_eq!(shown[20], (Part::OutBias, 0.5));
        assert_eq!(rest, Some(RestOfNeurons { count: 10, sum: 5.0 }));
        let tokens = PartDecomposition::new(vec![(Part::Source(0), 1.0); 40], 40.0);
        assert_eq!(tokens.shown(), (tokens.parts.clone(), None));
    }

    #[test]
    fn an_opening_is_read_as_it_is_written() {
        let part_path = PartPath {
            side: Side::Key,
            against: Some(Component::QueryBias),
            relative: Some(Relative::Position(3)),
            path: vec![Step::Component(Component::Head(Head::new(1, 3))), Step::Source(2)],
        };
        let json = serde_json::to_string(&part_path).expect("is written");
        assert!(
            json.ends_with(r#""path":[{"component":"1.3"},{"source":2}]}"#),
            "{json}"
        );
        assert_eq!(serde_json::from_str::<PartPath>(&json).expect("is read"), part_path);
    }
}
