//! `keyside record`: a recording has the model's answers, and is parsed back; wrong options give clear errors.

#![cfg(feature = "cli")]
#![allow(clippy::unwrap_used)]

mod golden_file;

use std::path::Path;
use std::process::{Command, Output};

use futures::executor::block_on;
use golden_file::recordings;
use golden_file::results::Nobody;
use keyside::analysis::pair::{
    Extent, Intervention, InterventionRequest, Question, QuestionCache, Replacement, TargetText, TargetTexts, ask,
    intervene, without_largest,
};
use keyside::analysis::{Array, HeadEffectsSection, Section};
use keyside::checkpoint::FileSource;
use keyside::forward::Model;
use keyside::model::Processing;
use keyside::names::{Component, Head, HeadActivation, Relative};
use keyside::prompts::Prompt;
use keyside::result::{Recording, ResultFile};

const TINY: &str = "tests/fixtures/tiny";
const TEXTS: [&str; 2] = [
    "When Mary and John went to the store, John gave a drink to",
    "na\u{ef}ve \u{6771}",
];

fn record(out: &Path, more: &[&str]) -> Output {
    let options = ["record", "--model", TINY, "--out", out.to_str().unwrap()];
    let mut command = Command::new(env!("CARGO_BIN_EXE_keyside"));
    command.args([&options[..], more].concat()).output().unwrap()
}

/// A recording of both texts, with every next token and two decompositions.
fn recorded(folder: &Path) -> Recording {
    let out = folder.join("recorded.json");
    let more = ["--text", TEXTS[0], "--text", TEXTS[1], "--every-next"];
    let pairs = ["--pair", "2.1:-1:1", "--pair", "1.0:2:2"];
    let output = record(&out, &[&more[..], &pairs].concat());
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let told = String::from_utf8(output.stdout).unwrap();
    assert!(told.starts_with("2 sentences of "), "{told}");
    Recording::from_json(&std::fs::read(out).unwrap()).unwrap()
}

fn model() -> Model {
    block_on(Model::open(Box::new(FileSource::new(TINY)), Processing::default())).unwrap()
}

/// The model's own answer.
fn asked(question: &Question) -> ResultFile {
    let mut result: Option<ResultFile> = None;
    let give = |model: &Model, prompt: &Prompt, section: Section, _| {
        let part = ResultFile::of_sentence(model, question, prompt, section);
        match &mut result {
            Some(result) => result.take(part),
            None => result = Some(part),
        }
    };
    block_on(ask(
        &mut model(),
        &mut QuestionCache::default(),
        question,
        &Nobody,
        give,
    ))
    .unwrap();
    result.unwrap()
}

fn close(what: &str, one: &[f32], other: &[f32]) {
    assert_eq!(one.len(), other.len(), "{what}");
    let pairs = one.iter().zip(other);
    let largest = pairs.map(|(one, other)| (one - other).abs()).fold(0.0, f32::max);
    assert!(largest <= 1e-3, "{what} differs by {largest}");
}

#[test]
fn a_recording_answers_as_the_model_does() {
    let folder = tempfile::tempdir().unwrap();
    let recording = recorded(folder.path());
    for (text, head, dest, src) in [
        (TEXTS[0], Head::new(2, 1), None, Some(1)),
        (TEXTS[0], Head::new(0, 3), Some(6), None),
        (TEXTS[0], Head::new(1, 0), Some(2), Some(2)),
        (TEXTS[1], Head::new(1, 2), Some(0), None),
    ] {
        let question = Question {
            text: text.to_owned(),
            head: Some(head),
            dest,
            src,
            ..Question::default()
        };
        let (found, expected) = (recording.answer(&question).unwrap(), asked(&question));
        assert_eq!(
            (&found.model, &found.config, &found.prompts, &found.prompt_set),
            (
                &expected.model,
                &expected.config,
                &expected.prompts,
                &expected.prompt_set
            )
        );
        let (one, other) = (found.attention().unwrap(), expected.attention().unwrap());
        assert_eq!(
            (one.head, one.dest, one.src, &one.texts, &one.heads, &one.probs),
            (
                other.head,
                other.dest,
                other.src,
                &other.texts,
                &other.heads,
                &other.probs
            )
        );
        let (scores, theirs) = (one.scores.as_ref().unwrap(), other.scores.as_ref().unwrap());
        assert_eq!(scores.shape(), theirs.shape());
        close("scores", scores.data(), theirs.data());
        close("the pattern", one.pattern.data(), other.pattern.data());
        let tokens = |result: &ResultFile| -> (Vec<u32>, Vec<f32>) {
            let tokens = &result.next().unwrap().tokens;
            tokens.iter().map(|next| (next.token, next.logprob)).unzip()
        };
        let ((one, logprobs), (other, theirs)) = (tokens(&found), tokens(&expected));
        assert_eq!(one, other);
        close("next", &logprobs, &theirs);
        // The two pairs that were asked for have their decomposition, and only as it was recorded.
        let recorded = (dest, src) != (Some(6), None) && text == TEXTS[0];
        assert_eq!(found.pair().is_some(), recorded, "{question:?}");
        if let Some(pair) = found.pair() {
            let theirs = expected.pair().unwrap();
            assert_eq!(pair.components, theirs.components);
            close("the table", pair.table.data(), theirs.table.data());
            let sum: f64 = pair.table.data().iter().map(|&cell| f64::from(cell)).sum();
            assert!(
                (sum - f64::from(pair.score)).abs() < 3e-4,
                "{sum} is not {}",
                pair.score
            );
            let relative = Question {
                relative: Some(Relative::Mean),
                ..question.clone()
            };
            assert!(recording.answer(&relative).unwrap().pair().is_none());
        }
        // The answer is a valid result file.
        let text = found.to_json().unwrap();
        assert_eq!(ResultFile::from_json(text.as_bytes()).unwrap(), found);
    }
}

#[test]
fn a_recording_holds_against_its_model() {
    let folder = tempfile::tempdir().unwrap();
    let recording = recorded(folder.path());
    assert!(recordings::check(&mut model(), &recording, 1e-3) > 2 * 12);
}

#[test]
fn wrong_options_say_so() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("recorded.json");
    for (more, part) in [
        (&["--text", ""][..], "no word"),
        (&["--text", "a", "--pair", "2.1:-9:0"], "2.1:-9:0 dest is -9"),
        (&["--text", "a", "--pair", "7.1:0:0"], "7.1"),
        (&["--text", "a b", "--pair", "2.1:0:1"], "after the destination"),
        (&["--text", "a", "--begin", "7.1"], "7.1"),
        (&["--text", "a", "--text", "a"], "there twice"),
    ] {
        let output = record(&out, more);
        let message = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1), "{message}");
        assert!(message.contains(part) && message.lines().count() == 1, "{message}");
        assert!(!out.exists(), "something was written");
    }
    // clap's own: no sentence, and what is no pair.
    for more in [&[][..], &["--text", "a", "--pair", "2.1"]] {
        assert_eq!(record(&out, more).status.code(), Some(2));
    }
}

/// Something that is recorded otherwise.
type Change = fn(&mut HeadEffectsSection);

/// Prompts for the tiny checkpoint, two and two with exchanged tokens.
const EFFECTS_OF: &str = r#"[
    {"text": "When John and Mark went to the store, John gave a drink to", "answer": " Mark", "other": " John"},
    {"text": "When John and Mark went to the store, Mark gave a drink to", "answer": " John", "other": " Mark"},
    {"text": "After Will and Pat went to the park, Will gave the keys to", "answer": " Pat", "other": " Will"},
    {"text": "After Will and Pat went to the park, Pat gave the keys to", "answer": " Will", "other": " Pat"}
]"#;

/// `array` with another number at `index`.
fn moved(array: &Array, index: usize) -> Array {
    let mut data = array.data().to_vec();
    data[index] += 1e-2;
    Array::new(array.shape().to_vec(), data).unwrap()
}

fn record_effects(folder: &Path, prompts: &str, more: &[&str]) -> Output {
    let (file, out) = (folder.join("prompts.json"), folder.join("effects.json"));
    std::fs::write(&file, prompts).unwrap();
    record(&out, &[&["--effects", file.to_str().unwrap()], more].concat())
}

#[test]
fn recorded_effects_hold_against_their_model_and_no_other_ones_do() {
    let folder = tempfile::tempdir().unwrap();
    let output = record_effects(folder.path(), EFFECTS_OF, &["--without", "1.2"]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let bytes = std::fs::read(folder.path().join("effects.json")).unwrap();
    let recorded = ResultFile::from_json(&bytes).unwrap();
    let section = recorded.head_effects().unwrap();
    let mut model = model();
    let (differ, compared) = recordings::effects_that_differ(&mut model, section, 1e-4);
    assert_eq!(differ, [""; 0]);
    // Differences of four prompts and their mean, five maps of three layers of four heads, a difference.
    assert_eq!(compared, 4 + 1 + 5 * 12 + 1);
    let without = section.without.as_ref().unwrap();
    assert_ne!(without.logit_difference, section.logit_difference);
    assert_eq!(without.direct.data()[4 + 2], 0.0, "what is taken out adds nothing");

    // Every part that is recorded otherwise is found.
    let changes: [(&str, Change); 8] = [
        ("logit differences", |section| {
            section.prompts[1].logit_difference += 1e-2
        }),
        ("their mean", |section| section.logit_difference += 1e-2),
        ("direct effects", |section| section.direct = moved(&section.direct, 3)),
        ("difference without", |section| {
            section.without.as_mut().unwrap().logit_difference += 1e-2;
        }),
        ("direct effects without", |section| {
            let without = section.without.as_mut().unwrap();
            without.direct = moved(&without.direct, 11);
        }),
        ("patched z", |section| {
            let patched = section.patched.as_mut().unwrap();
            patched.z = moved(&patched.z, 0);
        }),
        ("patched v", |section| {
            let patched = section.patched.as_mut().unwrap();
            patched.v = moved(&patched.v, 5);
        }),
        ("patched pattern", |section| {
            let patched = section.patched.as_mut().unwrap();
            patched.pattern = moved(&patched.pattern, 7);
        }),
    ];
    for (name, change) in changes {
        let mut other = section.clone();
        change(&mut other);
        let (differ, _) = recordings::effects_that_differ(&mut model, &other, 1e-3);
        let [only] = &differ[..] else {
            panic!("{name}: {differ:?}");
        };
        assert!(only.starts_with(name), "{name}: {only}");
    }
}

#[test]
fn what_a_prompt_loses_with_its_largest_head_is_what_an_intervention_finds() {
    let text = "When John and Mark went to the store, John gave a drink to";
    let prompt = TargetText {
        text: text.into(),
        answer: " Mark".into(),
        other: " John".into(),
    };
    let mut model = model();
    let section = block_on(without_largest(&mut model, &prompt, &Nobody)).unwrap();
    let without = section.without.as_ref().unwrap();
    let largest = section.direct.data().iter().copied().fold(f32::MIN, f32::max);
    let place = without.head.layer * 4 + without.head.head;
    assert_eq!(section.direct.data()[place], largest, "another head adds more");
    assert_eq!(without.direct.data()[place], 0.0, "what is taken out adds nothing");
    assert!(section.patched.is_none());

    // The same by the parts that answer a reader's own sentence.
    let question = Question {
        text: text.into(),
        prepend_bos: true,
        target_texts: TargetTexts {
            a: Some(" Mark".into()),
            b: Some(" John".into()),
        },
        effects: true,
        ..Question::default()
    };
    let answer = asked(&question);
    let effects = answer.effects().unwrap();
    for (component, effect) in effects.components.iter().zip(effects.effects.data()) {
        if let Component::Head(head) = component {
            let found = section.direct.data()[head.layer * 4 + head.head];
            assert!((found - effect).abs() < 1e-4, "{head}: {found} is not {effect}");
        }
    }
    let dest = answer.prompts[0].tokens.len() - 1;
    let set = Intervention::Set {
        head: without.head,
        activation: HeadActivation::Z,
        to: Replacement::Zero,
        at: Extent::Pair,
    };
    let intervening = InterventionRequest {
        interventions: vec![set],
        ..InterventionRequest::default()
    };
    let question = Question {
        dest: Some(dest),
        src: Some(1),
        head: Some(without.head),
        ..question
    };
    let mut found = None;
    let give = |_: &Model, _: &Prompt, section: Section, _| found = Some(section);
    block_on(intervene(
        &mut model,
        &mut QuestionCache::default(),
        (&question, &intervening),
        &Nobody,
        give,
    ))
    .unwrap();
    let Some(Section::Intervention(found)) = found else {
        panic!("{found:?}")
    };
    assert!((found.before.logit_difference - section.logit_difference).abs() < 1e-4);
    assert!((found.effects[0].after.logit_difference - without.logit_difference).abs() < 1e-4);
    assert_ne!(without.logit_difference, section.logit_difference);
}

#[test]
fn effects_that_can_t_be_recorded_say_so() {
    let folder = tempfile::tempdir().unwrap();
    let one = r#"{"text": "When John and Mark went", "answer": " Mark", "other": " John"}"#;
    let longer = r#"{"text": "When John and Mark went to", "answer": " John", "other": " Mark"}"#;
    let same = r#"{"text": "When John and Mark went", "answer": " John", "other": " John"}"#;
    let long = r#"{"text": "When John and Mark went", "answer": " Zanzibar", "other": " John"}"#;
    let (alone, lengths) = (format!("[{one}]"), format!("[{one}, {longer}]"));
    for (prompts, more, part) in [
        ("[]", &[][..], "no prompt"),
        ("{", &[], "can't be understood"),
        (&alone, &[], "0 prompts have the tokens"),
        (&lengths, &[], "0 prompts have the tokens"),
        (&format!("[{same}]"), &[], "against itself"),
        (&format!("[{long}]"), &[], "Zanzibar"),
        (EFFECTS_OF, &["--without", "7.1"], "7.1"),
    ] {
        let output = record_effects(folder.path(), prompts, more);
        let message = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1), "{message}");
        assert!(message.contains(part) && message.lines().count() == 1, "{message}");
        assert!(!folder.path().join("effects.json").exists(), "something was written");
    }
    // clap's own: sentences beside effects, and a head that is left out of nothing.
    let status = |more: &[&str]| record_effects(folder.path(), EFFECTS_OF, more).status.code();
    assert_eq!(status(&["--text", "a"]), Some(2));
    let out = folder.path().join("recorded.json");
    assert_eq!(
        record(&out, &["--text", "a", "--without", "1.2"]).status.code(),
        Some(2)
    );
}
