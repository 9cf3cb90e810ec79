//! Interventions at a pair, as plain data.

use serde::{Deserialize, Serialize};

use crate::error::{Error, ErrorKind, Result};
use crate::model::Config;
use crate::names::{Component, Head, HeadActivation, Side};
use crate::prompts::{Prompt, PromptSource};

/// One intervention at a [`crate::analysis::pair::Pair`].
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Intervention {
    /// Computes the head's query at the destination, or its key at the source, from a vector: normalized as
    /// [`crate::analysis::pair::Question::normalization`] says, then W and b, as in the histograms.
    Substitute {
        /// Query or key.
        side: Side,
        /// The vector.
        vector: Vector,
    },
    /// Removes a component from the input of the head's query at the destination, or of its key at the source, before
    /// LayerNorm.
    Remove {
        /// Query or key.
        side: Side,
        /// The component.
        component: Component,
        /// The factor: 1 removes all of it.
        #[serde(default = "all", skip_serializing_if = "is_all")]
        scale: f32,
    },
    /// Sets an activation of any head to another value. Zero means the zero vector: b_O remains.
    Set {
        /// The head.
        head: Head,
        /// Which of its activations.
        activation: HeadActivation,
        /// What it is set to.
        to: Replacement,
        /// At which positions.
        at: Extent,
    },
}

/// A vector that replaces the residual stream as the input of a query or key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Vector {
    /// The processed row of W_U of a token.
    Unembedding(u32),
    /// The processed row of W_E of a token.
    Embedding(u32),
    /// What a component writes at the position, such as the output of an earlier head.
    Component(Component),
    /// The mean over a run's prompts of the residual stream before the head's layer at the same position: see
    /// [`InterventionRequest::run`].
    Mean,
    /// 0, so that only the bias remains.
    Zero,
}

/// The value that an activation is set to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Replacement {
    /// 0.
    Zero,
    /// The mean of the same activation over a run's prompts: see [`InterventionRequest::run`].
    Mean,
    /// The value in the second sentence: see [`InterventionRequest::second`].
    Second,
}

/// The positions at which an activation is set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Extent {
    /// All of them.
    All,
    /// Keys and values at the source, other activations at the destination.
    Pair,
}

/// Interventions at the pair of a question, with the data they need.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct InterventionRequest {
    /// Each is applied separately.
    pub interventions: Vec<Intervention>,
    /// The second sentence. It must have as many tokens as the question's; BOS is prepended if it is in the question.
    #[serde(default)]
    pub second: Option<String>,
    /// The prompts over which means are taken: at least two. Means at the pair use each prompt's own named positions;
    /// means at all positions, and means of patterns, need prompts of equal length.
    #[serde(default)]
    pub run: Vec<Prompt>,
    /// What makes the prompts of `run`, if they are not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub maker: Option<PromptSource>,
    /// The token that `interventions` use, as typed by the user: a text that is a single token, or an id. It replaces
    /// their token ids.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token_text: Option<String>,
}

fn all() -> f32 {
    1.0
}

fn is_all(scale: &f32) -> bool {
    *scale == all()
}

impl Intervention {
    /// Checks that it can be applied at a pair with head `pair_head` in a model of `config`.
    ///
    /// # Errors
    /// [`ErrorKind::Request`] for a head that does not exist, a component that is not before `pair_head`, and a factor that is
    /// not finite.
    pub(super) fn check(&self, pair_head: Head, config: &Config) -> Result<()> {
        match *self {
            Self::Substitute {
                vector: Vector::Component(component),
                ..
            } => check_component(component, pair_head, config),
            Self::Substitute { .. } => Ok(()),
            Self::Remove { scale, .. } if !scale.is_finite() => Err(Error::new(
                ErrorKind::Request,
                format!("a component can't be taken out {scale} times"),
            )
            .expected("a finite number, 1 for all of it")),
            Self::Remove { component, .. } => check_component(component, pair_head, config),
            Self::Set { head, .. } => config.check_head(head),
        }
    }

    /// Whether it copies something from the second sentence.
    pub fn needs_second(&self) -> bool {
        matches!(
            self,
            Self::Set {
                to: Replacement::Second,
                ..
            }
        )
    }

    /// Whether it needs a mean over a run's prompts.
    pub fn needs_run(&self) -> bool {
        matches!(
            self,
            Self::Substitute {
                vector: Vector::Mean,
                ..
            } | Self::Set {
                to: Replacement::Mean,
                ..
            }
        )
    }

    /// The side of the pair at whose position in each prompt the mean is taken. None where no mean is needed, and where
    /// it is taken position by position.
    pub fn mean_at(&self) -> Option<Side> {
        match *self {
            Self::Substitute {
                side,
                vector: Vector::Mean,
            } => Some(side),
            Self::Set {
                activation,
                to: Replacement::Mean,
                at: Extent::Pair,
                ..
            } if activation != HeadActivation::Pattern => Some(activation.side()),
            _ => None,
        }
    }

    /// The same with `token` instead of its token, if it has one.
    pub(super) fn of_token(self, token: u32) -> Self {
        match self {
            Self::Substitute {
                side,
                vector: Vector::Unembedding(_),
            } => Self::Substitute {
                side,
                vector: Vector::Unembedding(token),
            },
            Self::Substitute {
                side,
                vector: Vector::Embedding(_),
            } => Self::Substitute {
                side,
                vector: Vector::Embedding(token),
            },
            other => other,
        }
    }

    /// The tokens whose rows of W_E or W_U it needs.
    pub(super) fn token(&self) -> Option<u32> {
        match *self {
            Self::Substitute {
                vector: Vector::Unembedding(token) | Vector::Embedding(token),
                ..
            } => Some(token),
            _ => None,
        }
    }
}

/// Checks that `component` is written before `head` reads the residual stream.
fn check_component(component: Component, head: Head, config: &Config) -> Result<()> {
    let layer = head.layer;
    if Component::before(layer, config.n_head).any(|before| before == component) {
        return Ok(());
    }
    let cause = match component.layer() {
        Some(of) if of >= layer => format!("{} writes nothing that head {head} reads", component.name()),
        _ => format!(
            "{} is not written to the residual stream of this model",
            component.name()
        ),
    };
    let [first, second] = [Component::TokenEmbedding, Component::PositionEmbedding];
    let expected = match layer {
        0 => format!("{first} or {second}: no head and no MLP is before layer 0"),
        _ => format!("{first}, {second}, or a head, an MLP or a bias of a layer before {layer}"),
    };
    Err(Error::new(ErrorKind::Request, cause)
        .expected(expected)
        .advice("Choose an earlier component, or a head of a later layer."))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn interventions_are_read_as_they_are_written() {
        let head = Head::new(9, 6);
        for (intervention, json) in [
            (
                Intervention::Substitute {
                    side: Side::Query,
                    vector: Vector::Unembedding(7),
                },
                r#"{"substitute":{"side":"query","vector":{"unembedding":7}}}"#,
            ),
            (
                Intervention::Substitute {
                    side: Side::Key,
                    vector: Vector::Zero,
                },
                r#"{"substitute":{"side":"key","vector":"zero"}}"#,
            ),
            (
                Intervention::Remove {
                    side: Side::Key,
                    component: Component::Head(head),
                    scale: 1.0,
                },
                r#"{"remove":{"side":"key","component":"9.6"}}"#,
            ),
            (
                Intervention::Set {
                    head,
                    activation: HeadActivation::Pattern,
                    to: Replacement::Second,
                    at: Extent::All,
                },
                r#"{"set":{"head":"9.6","activation":"pattern","to":"second","at":"all"}}"#,
            ),
        ] {
            assert_eq!(serde_json::to_string(&intervention).expect("is written"), json);
            assert_eq!(
                serde_json::from_str::<Intervention>(json).expect("is read"),
                intervention
            );
        }
    }
}
