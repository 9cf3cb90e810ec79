//! The form of any intervention: what is typed and chosen, and what that means.

use crate::analysis::pair::{Extent, Intervention, Named, Replacement, Vector};
use crate::error::{Error, ErrorKind, Result};
use crate::figure::intervention_words::activation_name;
use crate::names::{Component, Head, HeadActivation, Side};

/// Where something else is put.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// A query or a key is made from a vector.
    Made(Side),
    /// A component is taken out of what a query or a key is made from.
    Without(Side),
    /// An activation of any head is set.
    Set(HeadActivation),
}

impl Place {
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

    /// Its value in the form.
    pub fn value(self) -> String {
        match self {
            Self::Made(side) => format!("made-{side}"),
            Self::Without(side) => format!("without-{side}"),
            Self::Set(activation) => format!("set-{activation}"),
        }
    }

    /// What a reader sees.
    pub fn label(self) -> String {
        match self {
            Self::Made(side) => format!("the {side}, made from"),
            Self::Without(side) => format!("the {side}, without"),
            Self::Set(activation) => format!("a head's {}", activation_name(activation)),
        }
    }

    /// What can be put there.
    pub const fn puts(self) -> &'static [Put] {
        match self {
            Self::Made(_) => &[Put::Unembedding, Put::Embedding, Put::Component, Put::Zero],
            Self::Without(_) => &[Put::Component],
            Self::Set(_) => &[Put::Zero, Put::Second],
        }
    }
}

/// What is put there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Put {
    /// Zero.
    Zero,
    /// The row of W_U of a token.
    Unembedding,
    /// The row of W_E of a token.
    Embedding,
    /// What a component writes.
    Component,
    /// What it is in the second sentence.
    Second,
}

impl Put {
    /// All of them.
    pub const ALL: [Self; 5] = [
        Self::Zero,
        Self::Unembedding,
        Self::Embedding,
        Self::Component,
        Self::Second,
    ];

    /// Its value in the form.
    pub const fn value(self) -> &'static str {
        match self {
            Self::Zero => "zero",
            Self::Unembedding => "unembedding",
            Self::Embedding => "embedding",
            Self::Component => "component",
            Self::Second => "second",
        }
    }

    /// What a reader sees.
    pub fn label(self) -> String {
        match self {
            Self::Zero => "zero".into(),
            Self::Unembedding => "W_U of a token".into(),
            Self::Embedding => format!("{} of a token", Component::TokenEmbedding),
            Self::Component => "an earlier head's output, or another component".into(),
            Self::Second => "what it is in the second sentence".into(),
        }
    }

    /// Whether a token has to be named.
    pub const fn is_of_token(self) -> bool {
        matches!(self, Self::Unembedding | Self::Embedding)
    }
}

/// What is chosen and typed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrialForm {
    /// Where.
    pub place: Place,
    /// What; the first that the place can have where it can't have this.
    pub put: Put,
    /// A token: its text, or its id.
    pub token: String,
    /// A component: its label.
    pub component: String,
    /// The head whose activation is set; the pair's where nothing is typed.
    pub head: String,
    /// Whether it is set at all tokens.
    pub everywhere: bool,
}

impl Default for TrialForm {
    fn default() -> Self {
        Self {
            place: Place::Made(Side::Query),
            put: Put::Unembedding,
            token: String::new(),
            component: String::new(),
            head: String::new(),
            everywhere: false,
        }
    }
}

impl TrialForm {
    /// What is put there.
    pub fn put(&self) -> Put {
        let puts = self.place.puts();
        let first = puts.first().copied().unwrap_or(self.put);
        puts.iter().copied().find(|put| *put == self.put).unwrap_or(first)
    }

    /// The intervention at a pair of `head` that it means; a token is one of `known` by its text, or any by its id.
    ///
    /// # Errors
    /// [`ErrorKind::Request`] for a token, a component or a head that it is not.
    pub fn read(&self, head: Head, known: &[Named]) -> Result<Intervention> {
        Ok(match self.place {
            Place::Made(side) => Intervention::Substitute {
                side,
                vector: self.vector(known)?,
            },
            Place::Without(side) => Intervention::Remove {
                side,
                component: self.component.trim().parse()?,
                scale: 1.0,
            },
            Place::Set(activation) => Intervention::Set {
                head: match self.head.trim() {
                    "" => head,
                    typed => typed.parse()?,
                },
                activation,
                to: match self.put() {
                    Put::Second => Replacement::Second,
                    _ => Replacement::Zero,
                },
                at: if self.everywhere { Extent::All } else { Extent::Pair },
            },
        })
    }

    fn vector(&self, known: &[Named]) -> Result<Vector> {
        Ok(match self.put() {
            Put::Unembedding => Vector::Unembedding(self.token(known)?),
            Put::Embedding => Vector::Embedding(self.token(known)?),
            Put::Component => Vector::Component(self.component.trim().parse()?),
            Put::Zero | Put::Second => Vector::Zero,
        })
    }

    fn token(&self, known: &[Named]) -> Result<u32> {
        let typed = self.token.trim();
        let exactly = known.iter().find(|token| token.text == self.token);
        let found = exactly.or_else(|| {
            known
                .iter()
                .find(|token| !typed.is_empty() && token.text.trim() == typed)
        });
        let id = found.map(|token| token.token).or_else(|| typed.parse().ok());
        id.ok_or_else(|| {
            let cause = match typed {
                "" => "no token is named".to_owned(),
                typed => format!("\"{typed}\" is no token of this sentence, and none of the likeliest next ones"),
            };
            Error::new(ErrorKind::Request, cause)
                .expected("a token of the sentence, one of the likeliest next ones, or the id of any, such as 262")
        })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn known() -> Vec<Named> {
        let named = |token, text: &str| Named {
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
            Ok(Intervention::Substitute {
                side: Side::Query,
                vector: Vector::Unembedding(token),
            })
        };
        assert_eq!(read(token(" Mary")), made(5));
        assert_eq!(read(token("Mary")), made(6));
        assert_eq!(read(token("Mary ")), made(5));
        assert_eq!(read(token("12")), made(7), "a text before an id");
        assert_eq!(read(token("13")), made(13));
        for wrong in ["", "  ", "zebra", "-1", "4294967296"] {
            assert!(read(token(wrong)).unwrap_err().expected.contains("id"), "{wrong}");
        }
        let without = TrialForm {
            place: Place::Without(Side::Key),
            component: "MLP2".into(),
            ..TrialForm::default()
        };
        assert_eq!(
            read(without.clone()),
            Ok(Intervention::Remove {
                side: Side::Key,
                component: Component::Mlp(2),
                scale: 1.0
            })
        );
        assert!(
            read(TrialForm {
                component: "MLP".into(),
                ..without
            })
            .is_err()
        );
        let set = TrialForm {
            place: Place::Set(HeadActivation::Z),
            everywhere: true,
            ..TrialForm::default()
        };
        assert_eq!(set.put(), Put::Zero, "what can't be put there is not");
        let at = |head, to, at| {
            Ok(Intervention::Set {
                head,
                activation: HeadActivation::Z,
                to,
                at,
            })
        };
        assert_eq!(read(set.clone()), at(head, Replacement::Zero, Extent::All));
        let second = TrialForm {
            put: Put::Second,
            head: " 1.2".into(),
            everywhere: false,
            ..set
        };
        assert_eq!(read(second), at(Head::new(1, 2), Replacement::Second, Extent::Pair));
    }

    #[test]
    fn values_are_of_one_choice_each() {
        let places: std::collections::BTreeSet<String> = Place::ALL.map(Place::value).into();
        assert_eq!(places.len(), Place::ALL.len());
        for put in Put::ALL {
            assert!(Place::ALL.iter().any(|place| place.puts().contains(&put)), "{put:?}");
        }
    }
}
