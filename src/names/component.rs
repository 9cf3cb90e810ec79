//! The components of the residual stream, and the biases of a score's map.

use std::fmt;
use std::str::FromStr;

use super::{Head, Side};
use crate::error::{Error, ErrorKind, Result};

const W_E: &str = "W_E";
const W_POS: &str = "W_pos";
pub(super) const MLP: &str = "MLP";
pub(super) const B_O: &str = "b_O";
const B_Q: &str = "b_Q";
const B_K: &str = "b_K";

/// A component of the residual stream or of the map that reads it: one term of a score.
///
/// The short form is written on cells and in tables, its long one ([`Component::name`]) for people:
///
/// ```
/// use keyside::names::{Component, Head};
///
/// let head = Component::Head(Head::new(9, 3));
/// assert_eq!((head.to_string(), head.name()), ("9.3".to_owned(), "head 9.3".to_owned()));
/// assert_eq!("MLP6".parse(), Ok(Component::Mlp(6)));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Component {
    /// The token embedding, "W_E".
    TokenEmbedding,
    /// The position embedding, "W_pos".
    PositionEmbedding,
    /// b_Q, a term of every query.
    QueryBias,
    /// b_K, a term of every key.
    KeyBias,
    /// What a head writes (`z W_O`), "9.3".
    Head(Head),
    /// What the MLP of a layer writes, "MLP6".
    Mlp(usize),
    /// The attention output bias of a layer, "b_O3".
    AttentionBias(usize),
}

impl Component {
    /// The bias of the map on `side`: b_Q or b_K.
    pub const fn bias(side: Side) -> Self {
        match side {
            Side::Query => Self::QueryBias,
            Side::Key => Self::KeyBias,
        }
    }

    /// The components of the residual stream before `layers` layers of `n_head` heads each, without a bias: both embeddings, then
    /// layer by layer the heads, the MLP, b_O.
    pub fn before(layers: usize, n_head: usize) -> impl Iterator<Item = Self> {
        let of_layer = move |layer| {
            (0..n_head)
                .map(move |head| Self::Head(Head::new(layer, head)))
                .chain([Self::Mlp(layer), Self::AttentionBias(layer)])
        };
        [Self::TokenEmbedding, Self::PositionEmbedding]
            .into_iter()
            .chain((0..layers).flat_map(of_layer))
    }

    /// The short form: "9.3", "MLP6", "W_E". Equal to its `Display` form, which can be parsed.
    pub fn label(self) -> String {
        self.to_string()
    }

    /// The long form: "head 9.3", "MLP 6", "W_E (token embedding)".
    pub fn name(self) -> String {
        match self {
            Self::TokenEmbedding => format!("{self} (token embedding)"),
            Self::PositionEmbedding => format!("{self} (position embedding)"),
            Self::QueryBias | Self::KeyBias => format!("{self} (bias of the map)"),
            Self::Head(head) => format!("head {head}"),
            Self::Mlp(layer) => format!("{MLP} {layer}"),
            Self::AttentionBias(layer) => format!("{B_O} of layer {layer}"),
        }
    }

    /// The layer; None for those that belong to none.
    pub const fn layer(self) -> Option<usize> {
        match self {
            Self::Head(Head { layer, .. }) | Self::Mlp(layer) | Self::AttentionBias(layer) => Some(layer),
            Self::TokenEmbedding | Self::PositionEmbedding | Self::QueryBias | Self::KeyBias => None,
        }
    }
}

impl fmt::Display for Component {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TokenEmbedding => f.pad(W_E),
            Self::PositionEmbedding => f.pad(W_POS),
            Self::QueryBias => f.pad(B_Q),
            Self::KeyBias => f.pad(B_K),
            Self::Head(head) => head.fmt(f),
            Self::Mlp(layer) => f.pad(&format!("{MLP}{layer}")),
            Self::AttentionBias(layer) => f.pad(&format!("{B_O}{layer}")),
        }
    }
}

impl FromStr for Component {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let of_layer = |begin: &str| text.strip_prefix(begin)?.parse().ok();
        let found = match text {
            W_E => Some(Self::TokenEmbedding),
            W_POS => Some(Self::PositionEmbedding),
            B_Q => Some(Self::QueryBias),
            B_K => Some(Self::KeyBias),
            _ => of_layer(MLP)
                .map(Self::Mlp)
                .or_else(|| of_layer(B_O).map(Self::AttentionBias))
                .or_else(|| text.parse().ok().map(Self::Head)),
        };
        // Only the canonical form is valid: " 9.3" and "MLP06" are not.
        found.filter(|found| found.to_string() == text).ok_or_else(|| {
            Error::new(ErrorKind::Request, format!("\"{text}\" is not a component")).expected(format!(
                "{W_E}, {W_POS}, {B_Q}, {B_K}, a head such as 9.3, {MLP} or {B_O} with a layer such as {MLP}6"
            ))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: [(Component, &str, &str); 7] = [
        (Component::TokenEmbedding, "W_E", "W_E (token embedding)"),
        (Component::PositionEmbedding, "W_pos", "W_pos (position embedding)"),
        (Component::QueryBias, "b_Q", "b_Q (bias of the map)"),
        (Component::KeyBias, "b_K", "b_K (bias of the map)"),
        (Component::Head(Head::new(10, 11)), "10.11", "head 10.11"),
        (Component::Mlp(6), "MLP6", "MLP 6"),
        (Component::AttentionBias(3), "b_O3", "b_O of layer 3"),
    ];

    #[test]
    fn a_component_is_read_as_it_is_written() {
        for (component, label, name) in ALL {
            assert_eq!((component.label().as_str(), component.name().as_str()), (label, name));
            assert_eq!(label.parse(), Ok(component));
            let json = serde_json::to_string(&component).expect("is written");
            assert_eq!(json, format!("\"{label}\""));
            assert_eq!(serde_json::from_str::<Component>(&json).expect("is read"), component);
        }
        assert_eq!(format!("{:>6}|", Component::Mlp(6)), "  MLP6|");
    }

    #[test]
    fn what_is_no_component_is_an_error() {
        for text in [
            "", "W_U", "MLP", "MLP 6", "MLP06", "MLP-1", "b_O", "b_V", "9", " 9.3", "9.+3", "head 9.3", "b_O3 ",
        ] {
            let error = text.parse::<Component>().expect_err(text);
            assert!(error.to_string().contains("W_pos"), "{error}");
        }
        assert!(serde_json::from_str::<Component>("\"MLP\"").is_err());
    }

    #[test]
    fn layers_and_sides() {
        assert_eq!(Component::bias(Side::Query), Component::QueryBias);
        assert_eq!(Component::bias(Side::Key), Component::KeyBias);
        assert_eq!(
            ALL.map(|(component, ..)| component.layer()),
            [None, None, None, None, Some(10), Some(6), Some(3)]
        );
    }
}
