//! Replaces the position names of the IOI task, END and IO, in sentences about other prompts.

use super::ResultFile;
use crate::names::PositionName;

impl ResultFile {
    /// Whether its prompts are of the IOI dataset. Old files, which do not say it, always are.
    pub fn is_ioi(&self) -> bool {
        self.prompt_set.is_none() || self.ioi().is_some()
    }

    /// `text`, a sentence about END and IO, in the position names of this result's prompts: `dest` and `src` if they
    /// are not of the IOI dataset.
    pub fn with_position_names(&self, text: impl Into<String>) -> String {
        let text = text.into();
        if self.is_ioi() {
            text
        } else {
            replace_position_names(&text)
        }
    }
}

/// Replaces END and IO in `text` by `dest` and `src`.
fn replace_position_names(text: &str) -> String {
    let names = [
        (PositionName::End, PositionName::Dest),
        (PositionName::Io, PositionName::Src),
    ];
    let mut description = String::with_capacity(text.len());
    let mut rest = text;
    while !rest.is_empty() {
        let end = rest.find(|c: char| !c.is_alphanumeric()).unwrap_or(rest.len());
        let word = &rest[..end];
        let name = names.iter().find(|(ours, _)| ours.as_str() == word);
        description.push_str(name.map_or(word, |(_, other)| other.as_str()));
        let after = &rest[end..];
        let next = after.find(char::is_alphanumeric).unwrap_or(after.len());
        description.push_str(&after[..next]);
        rest = &after[next..];
    }
    description
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_are_called_as_in_any_prompt() {
        for (text, other) in [
            ("", ""),
            (
                "Which query makes the head look at IO?",
                "Which query makes the head look at src?",
            ),
            (
                "END\u{2019}s attention (END -> IO)",
                "dest\u{2019}s attention (dest -> src)",
            ),
            ("W_U[IO], 0.5 of IOI, ENDED", "W_U[src], 0.5 of IOI, ENDED"),
        ] {
            assert_eq!(replace_position_names(text), other);
        }
    }

    #[test]
    fn prompts_of_the_dataset_keep_their_words() {
        let bytes = include_bytes!("../../public/recorded/gpt2-small-10.7.json");
        let mut result = ResultFile::from_json(bytes).expect("the recorded run");
        assert_eq!(result.with_position_names("from END to IO"), "from END to IO");
        result.prompt_set = Some(crate::prompts::PromptSet::Text(crate::prompts::TextSet {
            prompts: 3,
            prepend_bos: false,
            seed: 0,
            notes: Vec::new(),
        }));
        assert_eq!(result.with_position_names("from END to IO"), "from dest to src");
    }
}
