//! An IOI prompt as a prompt like any other: the head looks from END to IO, and the model decides between IO and S.

use super::Prompt;
use crate::names::PositionName;
use crate::prompts::{Prompt as General, RANDOM, Targets};

/// The part that the subject's name plays; the indirect object's is called as its position is.
const S: &str = "S";
/// What a drawn token is for.
pub(crate) const RANDOM_NAME: &str = "random_name";

impl From<Prompt> for General {
    fn from(prompt: Prompt) -> Self {
        let positions = prompt.positions;
        Self {
            text: prompt.text,
            tokens: prompt.tokens,
            positions: [
                (PositionName::Dest, positions.end),
                (PositionName::Src, positions.io),
                (PositionName::S1, positions.s1),
                (PositionName::S2, positions.s2),
            ]
            .into(),
            targets: Targets {
                a: Some(prompt.io_token),
                b: Some(prompt.s_token),
            },
            names: [(PositionName::Io.to_string(), prompt.io), (S.to_owned(), prompt.s)].into(),
            drawn: [
                (RANDOM.to_owned(), prompt.random_token),
                (RANDOM_NAME.to_owned(), prompt.random_name_token),
            ]
            .into(),
        }
    }
}
