//! Guided examples: heads of all well-known kinds in sentences, with two explanatory sentences each.

use super::form::ModelChoice;
use crate::analysis::pair::{Question, TargetTexts};
use crate::names::Head;

/// An example: it opens the sentence with a head and a pair of positions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GuidedExample {
    /// The kind of head: "Previous-token head".
    pub name: &'static str,
    /// The bundled model, or the recorded GPT-2 small.
    pub model: ModelChoice,
    /// The sentence.
    pub text: &'static str,
    /// Whether BOS is prepended.
    pub prepend_bos: bool,
    /// The head.
    pub head: Head,
    /// The query position.
    pub dest: usize,
    /// The key position.
    pub src: usize,
    /// Two explanatory sentences. A test checks every number and claim against the model or the recording.
    pub description: [&'static str; 2],
}

/// An IOI prompt like those the bundled model was trained on.
const IOI: &str = "When Mary and John went to the store, John gave a drink to";
/// A list of gifts, the first of which is queried.
const LIST: &str = "John gave a ring to Mary. Paul gave a bone to Lisa. John gave a ring to";
/// The recorded IOI sentence.
const RECORDED: &str = "When John and Mary went to the shops, John gave the bag to";

/// All of them, in display order.
pub const GUIDED_EXAMPLES: [GuidedExample; 10] = [
    GuidedExample {
        name: "Previous-token head",
        model: ModelChoice::Bundled,
        text: IOI,
        prepend_bos: false,
        head: Head::new(0, 0),
        dest: 13,
        src: 12,
        description: [
            "From the last “to” head 0.0 looks at “drink”, the token before, with over 99.9 % of its attention.",
            "It looks at the token before from every token of this sentence after the first, with at least 88 % of its attention.",
        ],
    },
    GuidedExample {
        name: "Duplicate-token head",
        model: ModelChoice::Bundled,
        text: IOI,
        prepend_bos: false,
        head: Head::new(0, 2),
        dest: 9,
        src: 3,
        description: [
            "At the second “John” head 0.2 looks back at the first one, with 92 % of its attention.",
            "Where a word has not been there before, it looks most at that word itself.",
        ],
    },
    GuidedExample {
        name: "Induction head",
        model: ModelChoice::Bundled,
        text: LIST,
        prepend_bos: false,
        head: Head::new(1, 0),
        dest: 18,
        src: 5,
        description: [
            "“ring to” was followed by “Mary” before: at the last “to” head 1.0 looks at that “Mary”, with 99 % of its attention.",
            "The model goes on in the same way: “Mary” is the likeliest next token, with a probability of over 99.9 %.",
        ],
    },
    GuidedExample {
        name: "Name mover",
        model: ModelChoice::Bundled,
        text: IOI,
        prepend_bos: false,
        head: Head::new(2, 0),
        dest: 13,
        src: 1,
        description: [
            "From the last “to” head 2.0 looks at “Mary”, the name that is not the subject, with 99 % of its attention; with the first two names swapped it looks at “Mary” again.",
            "What it reads there raises the logit of “Mary” as the next token, by 1.9.",
        ],
    },
    GuidedExample {
        name: "Negative head",
        model: ModelChoice::Bundled,
        text: IOI,
        prepend_bos: false,
        head: Head::new(1, 1),
        dest: 13,
        src: 9,
        description: [
            "From the last “to” head 1.1 looks at the second “John”, the subject, with 100 % of its attention.",
            "What it reads there lowers the logit of “John” as the next token, by 4.3.",
        ],
    },
    GuidedExample {
        name: "Previous-token head",
        model: ModelChoice::Recorded,
        text: "Data visualization empowers users to",
        prepend_bos: false,
        head: Head::new(4, 11),
        dest: 5,
        src: 4,
        description: [
            "From “to” head 4.11 looks at “users”, the token before, with over 99.9 % of its attention.",
            "It looks at the token before from every token of this sentence after the first, with at least 99 % of its attention.",
        ],
    },
    GuidedExample {
        name: "Duplicate-token head",
        model: ModelChoice::Recorded,
        text: RECORDED,
        prepend_bos: true,
        head: Head::new(3, 0),
        dest: 10,
        src: 2,
        description: [
            "At the second “John” head 3.0 looks back at the first one, with 66 % of its attention.",
            "At “gave”, which has not been there before, 94 % of its attention goes to the beginning of the text instead.",
        ],
    },
    GuidedExample {
        name: "Induction head",
        model: ModelChoice::Recorded,
        text: RECORDED,
        prepend_bos: true,
        head: Head::new(5, 5),
        dest: 10,
        src: 3,
        description: [
            "“John” was followed by “and” before: at the second “John” head 5.5 looks at that “and”, with 57 % of its attention.",
            "At “gave”, which has not been there before, 89 % of its attention goes to the beginning of the text instead.",
        ],
    },
    GuidedExample {
        name: "Name mover",
        model: ModelChoice::Recorded,
        text: RECORDED,
        prepend_bos: true,
        head: Head::new(9, 9),
        dest: 14,
        src: 4,
        description: [
            "From the last “to” head 9.9 looks at “Mary”, the name that is not the subject, with 81 % of its attention.",
            "Wang et al. (2022) count it among the name movers, which copy the name that they look at.",
        ],
    },
    GuidedExample {
        name: "Negative head",
        model: ModelChoice::Recorded,
        text: RECORDED,
        prepend_bos: true,
        head: Head::new(10, 7),
        dest: 14,
        src: 4,
        description: [
            "From the last “to” head 10.7 looks at “Mary”, the name that is not the subject, with 81 % of its attention.",
            "Wang et al. (2022) count it among the negative name movers, which speak against the name that they look at.",
        ],
    },
];

impl GuidedExample {
    /// The question that it asks.
    pub fn question(&self) -> Question {
        Question {
            text: self.text.to_owned(),
            prepend_bos: self.prepend_bos,
            head: Some(self.head),
            dest: Some(self.dest),
            src: Some(self.src),
            ..Question::default()
        }
    }

    /// The example that `question` to `model` matches, whatever the score is relative to and whatever is opened.
    pub fn of(model: ModelChoice, question: &Question) -> Option<&'static Self> {
        let asked = Question {
            relative: None,
            down: None,
            target_texts: TargetTexts::default(),
            effects: false,
            writes: false,
            lens: false,
            directions: false,
            direction: None,
            ..question.clone()
        };
        GUIDED_EXAMPLES
            .iter()
            .find(|guided| guided.model == model && guided.question() == asked)
    }
}

#[cfg(test)]
#[path = "guided_examples_tests.rs"]
mod tests;
