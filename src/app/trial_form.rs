//! The form for custom interventions, and its interpretation.

use crate::analysis::pair::{Extent, Intervention, InterventionRequest, LabeledToken, Replacement, Vector};
use crate::error::{Error, ErrorKind, Result};
use crate::figure::intervention_words::activation_name;
use crate::names::{Component, Head, HeadActivation, Side};
use crate::prompts::PromptSource;

/// The target of the intervention.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TrialTarget {
    /// The input of a query or key is replaced by a vector.
    Made(Side),
    /// A component is removed from the input of a query or key.
    Without(Side),
    /// An activation of any head is set.
    Set(HeadActivation),
}

impl TrialTarget {
    /// All of them.
    pub const ALL: [Self; 9] = [
        Self::Made(Side::Query),
        Self::Made(Side::Key),
        Self::Without(Side::Query),
        Self::Without(Side::Key),
        Self::Set(HeadActivation::Z),
        Self::Set(HeadActivation::Q),
        Self::Set(HeadActivation::K),
        Self::Set(HeadActivation::V),
        Self::Set(HeadActivation::Pattern),
    ];

    /// The value in the form.
    pub fn value(self) -> String {
        match self {
            Self::Made(side) => format!("made-{side}"),
            Self::Without(side) => format!("without-{side}"),
            Self::Set(activation) => format!("set-{activation}"),
        }
    }

    /// The label.
    pub fn label(self) -> String {
        match self {
            Self::Made(side) => format!("the {side}, made from"),
            Self::Without(side) => format!("the {side}, without"),
            Self::Set(activation) => format!("a head's {}", activation_name(activation)),
        }
    }

    /// The possible replacements.
    pub const fn puts(self) -> &'static [Put] {
        match self {
            Self::Made(_) => &[Put::Unembedding, Put::Embedding, Put::Component, Put::Mean, Put::Zero],
            Self::Without(_) => &[Put::Component],
            Self::Set(_) => &[Put::Zero, Put::Mean, Put::Second],
        }
    }
}

/// The replacement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Put {
    /// Zero.
    Zero,
    /// The row of W_U of a token.
    Unembedding,
    /// The row of W_E of a token.
    Embedding,
    /// The output of a component.
    Component,
    /// The mean of the same activation over prompts.
    Mean,
    /// The activation in the second sentence.
    Second,
}

impl Put {
    /// All of them.
    pub const ALL: [Self; 6] = [
        Self::Zero,
        Self::Unembedding,
        Self::Embedding,
        Self::Component,
        Self::Mean,
        Self::Second,
    ];

    /// The value in the form.
    pub const fn value(self) -> &'static str {
        match self {
            Self::Zero => "zero",
            Self::Unembedding => "unembedding",
            Self::Embedding => "embedding",
            Self::Component => "component",
            Self::Mean => "mean",
            Self::Second => "second",
        }
    }

    /// The label.
    pub fn label(self) -> String {
        match self {
            Self::Zero => "zero".into(),
            Self::Unembedding => "W_U of a token".into(),
            Self::Embedding => format!("{} of a token", Component::TokenEmbedding),
            Self::Component => "an earlier head's output, or another component".into(),
            Self::Mean => "its mean over many prompts".into(),
            Self::Second => "what it is in the second sentence".into(),
        }
    }

    /// Whether a token is needed.
    pub const fn is_of_token(self) -> bool {
        matches!(self, Self::Unembedding | Self::Embedding)
    }
}

/// The interpretation of a form.
#[derive(Debug, Clone, PartialEq)]
pub struct ParsedTrial {
    /// The intervention.
    pub intervention: Intervention,
    /// The text of its token, if the page does not know the token: the worker's tokenizer will read it.
    pub token_text: Option<String>,
}

impl From<Intervention> for ParsedTrial {
    fn from(intervention: Intervention) -> Self {
        Self {
            intervention,
            token_text: None,
        }
    }
}

impl ParsedTrial {
    /// The request for it, with the `second` sentence and the prompts of `run` if it needs them.
    ///
    /// # Errors
    /// Those of `run`.
    pub fn intervening(
        self,
        second: String,
        run: impl FnOnce() -> Result<PromptSource>,
    ) -> Result<InterventionRequest> {
        let Self {
            intervention,
            token_text,
        } = self;
        Ok(InterventionRequest {
            interventions: vec![intervention],
            second: intervention.needs_second().then_some(second),
            run: Vec::new(),
            maker: intervention.needs_run().then(run).transpose()?,
            token_text,
        })
    }
}

/// The form's values as selected and typed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrialForm {
    /// The changed activation.
    pub place: TrialTarget,
    /// The replacement; if it is impossible here, the first possible one is used.
    pub put: Put,
    /// A token: its text, or its id.
    pub token: String,
    /// A component: its label.
    pub component: String,
    /// The head whose activation is set; the pair's if it is empty.
    pub head: String,
    /// Whether the activation is set at all positions.
    pub everywhere: bool,
}

impl Default for TrialForm {
    fn default() -> Self {
        Self {
            place: TrialTarget::Made(Side::Query),
            put: Put::Unembedding,
            token: String::new(),
            component: String::new(),
            head: String::new(),
            everywhere: false,
        }
    }
}

impl TrialForm {
    /// The effective replacement.
    pub fn put(&self) -> Put {
        let puts = self.place.puts();
        let first = puts.first().copied().unwrap_or(self.put);
        puts.iter().copied().find(|put| *put == self.put).unwrap_or(first)
    }

    /// Interprets the form for a pair with head `head`. A token is given by its id, by the text of one of `known`, or
    /// by a text for the model's tokenizer.
    ///
    /// # Errors
    /// [`ErrorKind::Request`] for no token, and for a component or a head that it is not.
    pub fn read(&self, head: Head, known: &[LabeledToken]) -> Result<ParsedTrial> {
        let intervention = match self.place {
            TrialTarget::Made(side) => {
                let (vector, token_text) = self.vector(known)?;
                return Ok(ParsedTrial {
                    intervention: Intervention::Substitute { side, vector },
                    token_text,
                });
            }
            TrialTarget::Without(side) => Intervention::Remove {
                side,
                component: self.component.trim().parse()?,
                scale: 1.0,
            },
            TrialTarget::Set(activation) => Intervention::Set {
                head: match self.head.trim() {
                    "" => head,
                    typed => typed.parse()?,
                },
                activation,
                to: match self.put() {
                    Put::Second => Replacement::Second,
                    Put::Mean => Replacement::Mean,
                    Put::Zero | Put::Unembedding | Put::Embedding | Put::Component => Replacement::Zero,
                },
                at: if self.everywhere { Extent::All } else { Extent::Pair },
            },
        };
        Ok(intervention.into())
    }

    /// The vector, and the text of its token if that is unknown.
    fn vector(&self, known: &[LabeledToken]) -> Result<(Vector, Option<String>)> {
        let of_token = |vector: fn(u32) -> Vector| {
            let token = self.token(known)?;
            Result::Ok((
                vector(token.unwrap_or_default()),
                token.is_none().then(|| self.token.clone()),
            ))
        };
        Ok(match self.put() {
            Put::Unembedding => return of_token(Vector::Unembedding),
            Put::Embedding => return of_token(Vector::Embedding),
            Put::Component => (Vector::Component(self.component.trim().parse()?), None),
            Put::Mean => (Vector::Mean, None),
            Put::Zero | Put::Second => (Vector::Zero, None),
        })
    }

    /// The typed token; None for a text that is none of `known`.
    fn token(&self, known: &[LabeledToken]) -> Result<Option<u32>> {
        let typed = self.token.trim();
        if typed.is_empty() {
            return Err(Error::new(ErrorKind::Request, "no token is named")
                .expected("a token\u{2019}s text, or its id, such as 262")
                .advice("Most words have a space before them: \" Mary\"."));
        }
        let exactly = known.iter().find(|token| token.text == self.token);
        let found = exactly.or_else(|| known.iter().find(|token| token.text.trim() == typed));
        Ok(found.map(|token| token.token).or_else(|| typed.parse().ok()))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn known() -> Vec<LabeledToken> {
        let named = |token, text: &str| LabeledToken {
            token,
            text: text.into(),
        };
        vec![named(5, " Mary"), named(6, "Mary"), named(7, " 12")]
    }

    #[test]
    fn a_form_means_an_intervention() {
        let head = Head::new(3, 1);
        let read = |form: TrialForm| form.read(head, &known());
        let token = |text: &str| TrialForm {
            token: text.into(),
            ..TrialForm::default()
        };
        let made = |token| {
            Ok(ParsedTrial::from(Intervention::Substitute {
                side: Side::Query,
                vector: Vector::Unembedding(token),
            }))
        };
        assert_eq!(read(token(" Mary")), made(5));
        assert_eq!(read(token("Mary")), made(6));
        assert_eq!(read(token("Mary ")), made(5));
        assert_eq!(read(token("12")), made(7), "a text before an id");
        assert_eq!(read(token("13")), made(13));
        for nothing in ["", "  "] {
            assert!(read(token(nothing)).unwrap_err().expected.contains("id"), "{nothing}");
        }
        // Unknown texts are passed on unchanged to the model's tokenizer.
        for other in [" zebra", "-1", "4294967296"] {
            let meant = read(token(other)).unwrap();
            assert_eq!(meant.token_text.as_deref(), Some(other));
            assert_eq!(
                meant.intervention,
                Intervention::Substitute {
                    side: Side::Query,
                    vector: Vector::Unembedding(0)
                }
            );
        }
        let without = TrialForm {
            place: TrialTarget::Without(Side::Key),
            component: "MLP2".into(),
            ..TrialForm::default()
        };
        assert_eq!(
            read(without.clone()),
            Ok(ParsedTrial::from(Intervention::Remove {
                side: Side::Key,
                component: Component::Mlp(2),
                scale: 1.0
            }))
        );
        assert!(
            read(TrialForm {
                component: "MLP".into(),
                ..without
            })
            .is_err()
        );
        let set = TrialForm {
            place: TrialTarget::Set(HeadActivation::Z),
            everywhere: true,
            ..TrialForm::default()
        };
        assert_eq!(set.put(), Put::Zero, "what can't be put there is not");
        let at = |head, to, at| {
            Ok(ParsedTrial::from(Intervention::Set {
                head,
                activation: HeadActivation::Z,
                to,
                at,
            }))
        };
        assert_eq!(read(set.clone()), at(head, Replacement::Zero, Extent::All));
        let mean = TrialForm {
            put: Put::Mean,
            ..set.clone()
        };
        assert_eq!(read(mean), at(head, Replacement::Mean, Extent::All));
        let second = TrialForm {
            put: Put::Second,
            head: " 1.2".into(),
            everywhere: false,
            ..set
        };
        assert_eq!(read(second), at(Head::new(1, 2), Replacement::Second, Extent::Pair));
    }

    #[test]
    fn what_is_sent_has_what_it_needs_and_nothing_else() {
        let sent = |intervention: Intervention| {
            let run = || Ok(PromptSource::default());
            ParsedTrial::from(intervention)
                .intervening("second".into(), run)
                .unwrap()
        };
        let set = |to| Intervention::Set {
            head: Head::new(1, 0),
            activation: HeadActivation::V,
            to,
            at: Extent::Pair,
        };
        let [zero, mean, second] = [Replacement::Zero, Replacement::Mean, Replacement::Second].map(|to| sent(set(to)));
        assert_eq!((zero.second, zero.maker), (None, None));
        assert_eq!((mean.second, mean.maker), (None, Some(PromptSource::default())));
        assert_eq!((second.second.as_deref(), second.maker), (Some("second"), None));
        // The prompts are only requested if they are needed.
        let none = || Err(Error::new(ErrorKind::Request, "no prompts"));
        let made = |to| ParsedTrial::from(set(to)).intervening(String::new(), none);
        assert!(made(Replacement::Zero).is_ok());
        assert_eq!(made(Replacement::Mean).unwrap_err().cause, "no prompts");
    }

    #[test]
    fn values_are_of_one_choice_each() {
        let places: std::collections::BTreeSet<String> = TrialTarget::ALL.map(TrialTarget::value).into();
        assert_eq!(places.len(), TrialTarget::ALL.len());
        for put in Put::ALL {
            assert!(
                TrialTarget::ALL.iter().any(|place| place.puts().contains(&put)),
                "{put:?}"
            );
        }
    }
}
