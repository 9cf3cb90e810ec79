//! Serializes names by their text forms.

use std::fmt;
use std::marker::PhantomData;
use std::str::FromStr;

use serde::de::Visitor;

use crate::error::Error;

/// Deserializes a `T` from its text. Errors are raised at the text, so that the JSON path of the error is right.
pub(super) struct ByText<T>(pub PhantomData<T>);

impl<T: FromStr<Err = Error>> Visitor<'_> for ByText<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string")
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<T, E> {
        text.parse().map_err(E::custom)
    }
}

/// Implements serialization by `Display` and deserialization by `FromStr`.
macro_rules! by_text {
    ($($name:ty),+) => {$(
        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
                deserializer.deserialize_str(ByText(PhantomData))
            }
        }
    )+};
}

by_text!(
    super::Component,
    super::Head,
    super::HeadActivation,
    super::HistogramId,
    super::Measure,
    super::Normalization,
    super::Relative,
    super::Side
);
