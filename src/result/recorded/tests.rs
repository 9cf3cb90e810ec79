#![allow(clippy::unwrap_used)]

use serde_json::{Value, json};

use super::*;
use crate::names::PositionName;

const SHIPPED: &[u8] = include_bytes!("../../../public/recorded/gpt2-small-sentences.json");

fn shipped() -> Recording {
    Recording::from_json(SHIPPED).expect("the shipped recording reads")
}

fn canonical() -> Question {
    Question {
        text: "When John and Mary went to the shops, John gave the bag to".into(),
        prepend_bos: true,
        ..Question::default()
    }
}

#[test]
fn the_shipped_sentences_are_there_and_small() {
    let recording = shipped();
    assert!(SHIPPED.len() < 200_000, "{} bytes", SHIPPED.len());
    assert_eq!(recording.sentences.len(), 6);
    assert!(recording.source.contains("MIT"), "{}", recording.source);
    for sentence in &recording.sentences {
        let begins = usize::from(sentence.prepend_bos);
        assert_eq!(sentence.texts[begins..].concat(), sentence.text);
        let heads = if sentence.rows == Rows::Scores { 144 } else { 13 };
        assert_eq!(sentence.heads.len(), heads, "{}", sentence.text);
        let whole = recording.answer(&Question {
            text: sentence.text.clone(),
            prepend_bos: sentence.prepend_bos,
            ..Question::default()
        });
        let whole = whole.expect("it is answered");
        whole.check().expect("an answer is a result");
        assert_eq!(whole.next().is_some(), sentence.rows == Rows::Scores);
    }
    // Writing and reading gives the same recording.
    assert_eq!(
        Recording::from_json(recording.to_json().expect("is written").as_bytes()),
        Ok(recording)
    );
}

#[test]
fn patterns_of_a_layer_are_there_where_all_its_heads_are_recorded() {
    let recording = shipped();
    for sentence in &recording.sentences {
        let question = Question {
            text: sentence.text.clone(),
            prepend_bos: sentence.prepend_bos,
            layer: true,
            ..Question::default()
        };
        let result = recording.answer(&question).expect("it is answered");
        result.check().expect("an answer is a result");
        let attention = result.attention().expect("is there");
        let section = result.layer();
        assert_eq!(section.is_some(), sentence.rows == Rows::Scores, "{}", sentence.text);
        if let Some(section) = section {
            assert_eq!(
                (section.layer, section.rows()),
                (attention.head.layer, sentence.tokens.len())
            );
            assert_eq!(section.pattern(attention.head.head), attention.pattern.data());
        }
        let unasked = Question {
            layer: false,
            ..question
        };
        assert!(recording.answer(&unasked).expect("it is answered").layer().is_none());
    }
}

#[test]
fn the_canonical_sentence_begins_with_the_name_mover() {
    let result = shipped().answer(&canonical()).expect("is recorded");
    let section = result.attention().expect("is there");
    assert_eq!((section.head, section.dest, section.src), (Head::new(10, 7), 14, 4));
    assert_eq!(section.texts[4], " Mary");
    let row = section.row(section.head);
    assert!((row[4] - 0.8099).abs() < 1e-4 && row.len() == 15, "{row:?}");
    assert_eq!(section.pattern_row(14), row);
    // 13 heads, with probabilities only.
    assert!(section.scores_of(section.head).is_empty());
    assert_eq!(section.known_heads().len(), 13);
    let missing = Head::new(0, 0);
    assert_eq!((section.row(missing).len(), section.entropy(missing)), (0, None));
    let prompt = &result.prompts[0];
    assert_eq!(prompt.position(&PositionName::Src), Some(4));
    assert!(result.next().is_none() && result.pair().is_none());
}

#[test]
fn any_recorded_head_and_position_is_answered() {
    let recording = shipped();
    let question = Question {
        text: "Data visualization empowers users to".into(),
        ..Question::default()
    };
    let first = recording.answer(&question).expect("is recorded");
    let section = first.attention().expect("is there");
    assert_eq!((section.dest, section.known_heads().len()), (5, 144));
    let most = |head: Head| section.row(head)[1..5].iter().copied().fold(0.0, f32::max);
    let largest = section.known_heads().into_iter().map(most).fold(0.0, f32::max);
    assert_eq!(
        (most(section.head), section.row(section.head)[section.src]),
        (largest, largest)
    );
    assert_eq!(first.next().map(|next| (next.dest, next.tokens.len())), Some((5, 20)));
    let other = recording.answer(&Question {
        head: Some(Head::new(11, 11)),
        dest: Some(3),
        src: Some(2),
        ..question
    });
    let other = other.expect("is recorded");
    let section = other.attention().expect("is there");
    assert_eq!((section.head, section.dest, section.src), (Head::new(11, 11), 3, 2));
    let rows = &recording.sentences[1].heads[&Head::new(11, 11)];
    assert_eq!(section.scores_of(section.head), &rows[6..10]);
    assert!(other.next().is_none(), "nothing is recorded after position 3");
}

#[test]
fn what_is_not_recorded_says_so() {
    type Change = fn(&mut Question);
    let changes: [(Change, &str); 5] = [
        (|question| question.text.push('!'), "is not recorded"),
        (|question| question.prepend_bos = false, "is not recorded"),
        (
            |question| question.head = Some(Head::new(0, 0)),
            "head 0.0 is not recorded",
        ),
        (|question| question.dest = Some(15), "position 15"),
        (
            |question| (question.dest, question.src) = (Some(3), Some(4)),
            "after the destination",
        ),
    ];
    for (change, part) in changes {
        let mut question = canonical();
        change(&mut question);
        let error = shipped().answer(&question).expect_err(part);
        assert!(error.cause.contains(part) && !error.expected.is_empty(), "{error}");
        assert_eq!(error.kind, ErrorKind::Request);
    }
}

#[test]
fn parts_that_do_not_fit_are_refused() {
    let whole: Value = serde_json::from_slice(SHIPPED).expect("JSON");
    type Change = fn(&mut Value);
    let changes: [(Change, &str); 14] = [
        (|file| *file = json!([1]), "can't be read"),
        (|file| file["format"] = json!("keyside-result/2"), "keyside-result/2"),
        (|file| _ = file.as_object_mut().unwrap().remove("format"), "no field"),
        (|file| _ = file.as_object_mut().unwrap().remove("model"), "model"),
        (|file| file["sentences"] = json!([]), "no sentence"),
        (
            |file| file["sentences"][1] = file["sentences"][2].clone(),
            "there twice",
        ),
        (
            |file| file["sentences"][0]["tokens"] = json!([]),
            "sentences[0]: it has 0 tokens",
        ),
        (|file| file["sentences"][0]["texts"] = json!([]), "texts"),
        (|file| file["sentences"][0]["heads"] = json!({}), "no head"),
        (|file| file["sentences"][0]["heads"]["12.0"] = json!([1.0]), "12.0"),
        (
            |file| file["sentences"][0]["heads"]["10.7"] = json!([1.0]),
            "head 10.7 has 1 numbers",
        ),
        (
            |file| file["sentences"][0]["heads"]["10.7"][3] = json!(1.5),
            "a number of head 10.7 is 1.5",
        ),
        (
            |file| file["sentences"][0]["begin"] = json!("1.1"),
            "begins with head 1.1",
        ),
        (
            |file| file["sentences"][1]["next"]["9"] = file["sentences"][1]["next"]["5"].clone(),
            "after position 9",
        ),
    ];
    for (number, (change, part)) in changes.into_iter().enumerate() {
        let mut file = whole.clone();
        change(&mut file);
        let error = Recording::from_json(file.to_string().as_bytes()).expect_err("it is refused");
        assert!(error.to_string().contains(part), "change {number}: {error}");
        assert!(
            error.kind == ErrorKind::ResultFile && !error.advice.is_empty(),
            "change {number}: {error}"
        );
    }
    for bytes in [&b""[..], b"{", b"\xff", b"null", &SHIPPED[..SHIPPED.len() / 2]] {
        assert!(Recording::from_json(bytes).is_err());
    }
}
