//! Lists of gifts: the answer has to be looked up in the list.
//!
//! "John gave a ring to Mary. Paul gave a bone to Lisa. John gave a ring to" should end in "Mary".

use super::prompts::{Pairs, Split};
use crate::error::{Error, ErrorKind, Result};
use crate::model::Tokenizer;
use crate::prompts::ioi::random::PythonRandom;

/// Minimum and maximum number of clauses before the question.
const CLAUSES: (u32, u32) = (2, 4);

/// A drawn list, as words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct List {
    /// Giver, gift and receiver of each clause. Names and gifts are distinct.
    pub clauses: Vec<[String; 3]>,
    /// Index of the queried clause.
    pub asked: usize,
}

/// A tokenized list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListSample {
    /// Tokens: the list, then the queried clause again; its receiver is the last token.
    pub tokens: Vec<u32>,
    /// Position of the receiver in the list.
    pub answer: usize,
    /// The last position before the final name.
    pub end: usize,
}

impl List {
    /// The text, answer included.
    pub fn text(&self) -> String {
        let clause = |[giver, gift, receiver]: &[String; 3]| format!("{giver} gave a {gift} to {receiver}");
        let mut clauses: Vec<String> = self.clauses.iter().map(clause).collect();
        clauses.extend(self.clauses.get(self.asked).map(clause));
        clauses.join(". ")
    }

    /// The correct last name.
    pub fn answer(&self) -> &str {
        self.clauses.get(self.asked).map_or("", |[_, _, receiver]| receiver)
    }
}

impl Split {
    /// Draws a list of 2 to 4 clauses whose giver and receiver are a pair of `pairs`, at least in the clause that is
    /// asked for; with [`Pairs::Training`] in all clauses.
    ///
    /// # Errors
    /// [`ErrorKind::Internal`] when the dataset has too few names or objects.
    pub fn draw_list(&self, python: &mut PythonRandom, pairs: Pairs) -> Result<List> {
        let dataset = self.dataset();
        let clauses = (CLAUSES.0 + python.below(CLAUSES.1 - CLAUSES.0 + 1)) as usize;
        if dataset.names.len() <= 2 * clauses || dataset.objects.len() < clauses {
            return Err(Error::new(
                ErrorKind::Internal,
                "the IOI dataset has too few words for a list",
            ));
        }
        let asked = python.below(clauses as u32) as usize;
        loop {
            let names = distinct(python, dataset.names.len(), 2 * clauses);
            let gifts = distinct(python, dataset.objects.len(), clauses);
            let clauses: Vec<[String; 3]> = names
                .chunks_exact(2)
                .zip(gifts)
                .map(|(pair, gift)| [&dataset.names[pair[0]], &dataset.objects[gift], &dataset.names[pair[1]]])
                .map(|words| words.map(String::clone))
                .collect();
            let held_out = |[giver, _, receiver]: &[String; 3]| self.is_held_out(giver, receiver);
            let fits = match pairs {
                Pairs::Training => !clauses.iter().any(held_out),
                Pairs::HeldOut => held_out(&clauses[asked]),
                Pairs::Any => true,
            };
            if fits {
                return Ok(List { clauses, asked });
            }
        }
    }

    /// Draws and tokenizes `count` lists.
    ///
    /// # Errors
    /// [`ErrorKind::Prompt`] when a name is not one token of `tokenizer`.
    pub fn lists(
        &self,
        tokenizer: &Tokenizer,
        python: &mut PythonRandom,
        pairs: Pairs,
        count: usize,
    ) -> Result<Vec<ListSample>> {
        (0..count)
            .map(|_| ListSample::new(tokenizer, &self.draw_list(python, pairs)?))
            .collect()
    }
}

impl ListSample {
    /// Tokenizes `list`.
    ///
    /// # Errors
    /// [`ErrorKind::Prompt`] when the answer is not one token of `tokenizer`, and the same in both places.
    pub fn new(tokenizer: &Tokenizer, list: &List) -> Result<Self> {
        let text = list.text();
        let tokens = tokenizer.encode(&text)?;
        let token = tokenizer.single_token(&format!(" {}", list.answer()))?;
        let places: Vec<usize> = (0..tokens.len()).filter(|&at| tokens[at] == token).collect();
        match places[..] {
            [answer, last] if last + 1 == tokens.len() => Ok(Self {
                tokens,
                answer,
                end: last - 1,
            }),
            _ => Err(Error::new(
                ErrorKind::Prompt,
                format!("\"{text}\" does not name its answer twice"),
            )),
        }
    }

    /// The token of the answer.
    pub fn answer_token(&self) -> u32 {
        self.tokens[self.answer]
    }

    /// The tokens up to END, without the answer.
    pub fn before_final_name(&self) -> &[u32] {
        &self.tokens[..=self.end]
    }
}

/// `count` different numbers below `limit`, which is at least `count`.
pub(super) fn distinct(python: &mut PythonRandom, limit: usize, count: usize) -> Vec<usize> {
    let mut drawn = Vec::with_capacity(count);
    while drawn.len() < count {
        let number = python.below(limit as u32) as usize;
        if !drawn.contains(&number) {
            drawn.push(number);
        }
    }
    drawn
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::prompts::ioi::Dataset;

    #[test]
    fn a_list_has_one_right_answer() {
        let split = Split::new(Dataset::bundled().unwrap());
        let mut python = PythonRandom::new(3);
        let mut seen = [0; 5];
        for _ in 0..500 {
            let list = split.draw_list(&mut python, Pairs::Any).unwrap();
            seen[list.clauses.len()] += 1;
            let [giver, gift, answer] = &list.clauses[list.asked];
            assert_eq!(answer, list.answer());
            for word in [giver, gift, answer] {
                let clauses = list.clauses.iter().filter(|clause| clause.contains(word)).count();
                assert_eq!(clauses, 1, "{word} in {}", list.text());
            }
            assert!(list.text().ends_with(&format!(". {giver} gave a {gift} to {answer}")));
        }
        assert!(
            seen[2] > 100 && seen[3] > 100 && seen[4] > 100 && seen[0] + seen[1] == 0,
            "{seen:?}"
        );
    }

    #[test]
    fn no_list_of_the_training_has_a_pair_that_is_kept_back() {
        let split = Split::new(Dataset::bundled().unwrap());
        let mut python = PythonRandom::new(4);
        for _ in 0..500 {
            let list = split.draw_list(&mut python, Pairs::Training).unwrap();
            assert!(
                !list
                    .clauses
                    .iter()
                    .any(|[giver, _, receiver]| split.is_held_out(giver, receiver))
            );
            let list = split.draw_list(&mut python, Pairs::HeldOut).unwrap();
            let [giver, _, receiver] = &list.clauses[list.asked];
            assert!(split.is_held_out(giver, receiver) && split.is_held_out(receiver, giver));
        }
    }
}
