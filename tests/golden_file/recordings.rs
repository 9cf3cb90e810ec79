//! A model held against what was recorded of it.

use futures::executor::block_on;
use keyside::analysis::pair::{Question, Sentence};
use keyside::forward::{Model, Unwatched};
use keyside::result::{Recording, Rows};

use super::Golden;

/// Holds what `model` makes of every sentence of `recording` against it, and gives back the number of arrays that were compared.
/// What differs by more than `tolerance` fails the test.
pub fn check(model: &mut Model, recording: &Recording, tolerance: f32) -> usize {
    let mut golden = Golden::without_file(tolerance);
    for sentence in &recording.sentences {
        let question = Question {
            text: sentence.text.clone(),
            prepend_bos: sentence.prepend_bos,
            ..Question::default()
        };
        let tokens = question.prompt(model).unwrap().tokens;
        assert_eq!(tokens, sentence.tokens, "{}", sentence.text);
        let read = block_on(Sentence::read(model, &tokens, None, &Unwatched)).unwrap();
        for (&head, expected) in &sentence.heads {
            let mut found = Vec::new();
            for dest in 0..tokens.len() {
                let mut row = read.scores(model, head, dest).unwrap();
                if sentence.rows == Rows::Probs {
                    let most = row.iter().copied().fold(f32::MIN, f32::max);
                    row.iter_mut().for_each(|score| *score = (*score - most).exp());
                    let sum: f32 = row.iter().sum();
                    row.iter_mut().for_each(|power| *power /= sum);
                }
                found.extend(row);
            }
            golden.check_values(&format!("{} {head}", sentence.text), &found, expected);
        }
        for (&dest, tokens) in &sentence.next {
            let log_probs = block_on(read.log_probs(model, dest, &Unwatched)).unwrap();
            let (found, expected): (Vec<f32>, Vec<f32>) = tokens
                .iter()
                .map(|next| (log_probs[next.token as usize], next.logprob))
                .unzip();
            golden.check_values(&format!("{} next after {dest}", sentence.text), &found, &expected);
        }
    }
    let compared = golden.compared;
    golden.finish();
    compared
}
