//! The words that a first-time visitor needs.

/// A word and what it means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Term {
    /// Its name in the page.
    pub id: &'static str,
    /// The word.
    pub word: &'static str,
    /// What it means, in a sentence or two.
    pub meaning: &'static str,
}

const fn term(id: &'static str, word: &'static str, meaning: &'static str) -> Term {
    Term { id, word, meaning }
}

/// All of them, in the order in which they build on each other.
pub const TERMS: [Term; 15] = [
    term(
        "prompt",
        "prompt",
        "A text that the model continues. Here: two people, one of whom gives something away, as in \u{201c}When Mary and John went to \
         the store, John gave a drink to\u{201d}.",
    ),
    term(
        "io",
        "IO",
        "The indirect object: the name that is mentioned once and is the right answer. Also the position of that name.",
    ),
    term(
        "s",
        "S",
        "The subject: the name that is mentioned twice, and so is the wrong answer.",
    ),
    term(
        "end",
        "END",
        "The last position of the prompt, where the model decides what comes next.",
    ),
    term(
        "head",
        "attention head",
        "A part of a layer that moves information: at one position it looks at earlier ones and copies something from there. Head 10.7 is \
         number 7 of layer 10, both counted from 0.",
    ),
    term(
        "residual",
        "residual stream",
        "The vector that the model keeps for each position. Every head and every MLP reads it and adds something to it.",
    ),
    term(
        "query",
        "query",
        "What a head asks for: a vector that it makes from the residual stream where it looks from, here END.",
    ),
    term(
        "key",
        "key",
        "What a position offers: a vector that the head makes from the residual stream there, here at IO.",
    ),
    term(
        "score",
        "score",
        "Query times key, divided by the square root of their length: how well the offer fits what is asked for. Higher means more attention.",
    ),
    term(
        "probability",
        "attention probability",
        "The share of the head\u{2019}s attention that a position gets: the softmax makes shares that add up to 1 out of the scores.",
    ),
    term(
        "wu",
        "W_U",
        "The unembedding: one row for each token. A residual stream that points along W_U[IO] makes the model say the name IO.",
    ),
    term(
        "we",
        "W_E",
        "The embedding: one row for each token, with which the residual stream begins. W_EE is what it is after layer 0 alone.",
    ),
    term(
        "mover",
        "name mover",
        "A head that looks from END to IO and writes that name, so that the model says it. Head 9.9 is one.",
    ),
    term(
        "negative",
        "negative name mover",
        "A head that looks at IO as well, but writes against the name and makes it less likely. Heads 10.7 and 11.10 of GPT-2 small do.",
    ),
    term(
        "patching",
        "No patching",
        "The head as it is: nothing is put in the place of what it reads. Every other series is held against it.",
    ),
];

/// A part of a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phrase {
    /// Plain words.
    Words(&'static str),
    /// The word of the term `id`, or another form of it.
    Term {
        /// The term's name.
        id: &'static str,
        /// The word as it stands in the sentence.
        word: &'static str,
    },
    /// The term `id` in parentheses that are not parted from it.
    Bracketed {
        /// The term's name.
        id: &'static str,
        /// The word as it stands in the sentence.
        word: &'static str,
    },
}

/// What the page is about, below its title.
pub const LEAD: [Phrase; 11] = [
    Phrase::Words(
        "After \u{201c}When Mary and John went to the store, John gave a drink to\u{201d} comes \u{201c}Mary\u{201d}. To know that, some ",
    ),
    Phrase::Term {
        id: "head",
        word: "attention heads",
    },
    Phrase::Words(" of GPT-2 look from the last word "),
    Phrase::Bracketed { id: "end", word: "END" },
    Phrase::Words(" back to the name that is missing, the indirect object "),
    Phrase::Bracketed { id: "io", word: "IO" },
    Phrase::Words(". This page takes one such head and asks: what must its "),
    Phrase::Term {
        id: "query",
        word: "query",
    },
    Phrase::Words(" and its "),
    Phrase::Term { id: "key", word: "key" },
    Phrase::Words(" contain for it to look there, and which parts of the model put that in?"),
];

/// The term `id`.
pub fn find(id: &str) -> Option<&'static Term> {
    TERMS.iter().find(|term| term.id == id)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_term_has_its_own_name_and_a_sentence() {
        let ids: BTreeSet<&str> = TERMS.iter().map(|term| term.id).collect();
        assert_eq!(ids.len(), TERMS.len());
        for term in TERMS {
            assert!(term.meaning.ends_with('.') && term.id.chars().all(|c| c.is_ascii_lowercase()));
            assert_eq!(find(term.id), Some(&term));
        }
        assert_eq!(find("none"), None);
    }

    #[test]
    fn the_lead_uses_terms_that_there_are() {
        for phrase in LEAD {
            if let Phrase::Term { id, .. } | Phrase::Bracketed { id, .. } = phrase {
                assert!(find(id).is_some(), "{id}");
            }
        }
    }
}
