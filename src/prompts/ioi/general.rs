//! Converts an IOI prompt to the general form: the head attends from END to IO, the target tokens are IO and S.

use super::Prompt;
use crate::names::PositionName;
use crate::prompts::{Prompt as General, RANDOM, Targets};

/// The role of the subject's name. The indirect object's role is named like its position.
const S: &str = "S";
/// The purpose of a random token.
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
