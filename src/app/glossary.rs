//! The glossary for first-time visitors.

/// A term and its meaning.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Term {
    /// The id in the page.
    pub id: &'static str,
    /// The word.
    pub word: &'static str,
    /// The definition, in a sentence or two.
    pub meaning: &'static str,
}

const fn term(id: &'static str, word: &'static str, meaning: &'static str) -> Term {
    Term { id, word, meaning }
}

/// All of them; later terms build on earlier ones.
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

/// A part of the lead text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phrase {
    /// Plain words.
    Words(&'static str),
    /// The term `id`, possibly in another form.
    Term {
        /// The term's name.
        id: &'static str,
        /// The word as it occurs in the text.
        word: &'static str,
    },
    /// The term `id` in parentheses, kept together with them.
    Bracketed {
        /// The term's name.
        id: &'static str,
        /// The word as it occurs in the text.
        word: &'static str,
    },
}

/// The lead text below the title.
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
    use crate::names::{HistogramId, SeriesId};
    use crate::result::ResultFile;

    #[test]
    fn every_term_has_its_own_name_word_and_meaning() {
        for of in [
            |term: &Term| term.id,
            |term: &Term| term.word,
            |term: &Term| term.meaning,
        ] {
            let all: BTreeSet<&str> = TERMS.iter().map(of).collect();
            assert_eq!(all.len(), TERMS.len());
        }
        for term in TERMS {
            assert!(term.id.chars().all(|c| c.is_ascii_lowercase()), "{}", term.id);
            assert_eq!(find(term.id), Some(&term));
        }
        assert_eq!(find("none"), None);
    }

    #[test]
    fn meanings_name_the_heads_and_series_of_the_recorded_run() {
        let bytes = include_bytes!("../../public/recorded/gpt2-small-10.7.json");
        let recorded = ResultFile::from_json(bytes).expect("the recorded run");
        let head = recorded.head().expect("recorded");
        let earlier = recorded.earlier_head().expect("recorded");
        let known = |series: &SeriesId| !recorded.values(HistogramId::KeysFixedScores, series).is_empty();
        for (id, words) in [
            (
                "head",
                format!("Head {head} is number {} of layer {}", head.head, head.layer),
            ),
            ("mover", format!("Head {earlier} is one")),
            (
                "negative",
                format!("Heads {head} and 11.10 of {} do", recorded.model.name),
            ),
        ] {
            let meaning = find(id).expect(id).meaning;
            assert!(meaning.contains(&words), "{meaning}\nlacks {words}");
        }
        assert!(known(&find("patching").expect("the series").word.into()));
        assert!(find("wu").expect("W_U").meaning.contains("W_U[IO]") && known(&SeriesId::WuIo));
    }

    #[test]
    fn the_lead_reads_as_sentences_and_its_words_are_those_of_their_terms() {
        let mut text = String::new();
        let mut used = Vec::new();
        for phrase in LEAD {
            match phrase {
                Phrase::Words(words) => text += words,
                Phrase::Term { id, word } => {
                    used.push((id, word));
                    text += word;
                }
                Phrase::Bracketed { id, word } => {
                    used.push((id, word));
                    text += &format!("({word})");
                }
            }
        }
        assert_eq!(used.len(), 5);
        for (id, word) in used {
            let term = find(id).expect(id);
            assert!(word.contains(term.word), "{word} is not {}", term.word);
        }
        assert!(
            text.contains(
                "some attention heads of GPT-2 look from the last word (END) back to the name that is missing"
            ),
            "{text}"
        );
        assert!(
            text.contains("what must its query and its key contain for it to look there"),
            "{text}"
        );
    }
}
