//! The JSON schema of the result file: written files conform to it, and what it rejects the program rejects, too.
#![allow(clippy::unwrap_used)]

mod common;
mod results;

use common::tiny;
use keyside::analysis::pair::Question;
use keyside::names::Relative;
use keyside::prompts::PromptSource;
use keyside::prompts::text::TextPrompts;
use keyside::result::{Recording, ResultFile};
use results::{example, live, live_of, live_with, live_with_intervention, read, sentence, sentence_in_full, written};
use serde_json::{Value, json};

const RECORDED: &[u8] = include_bytes!("../public/recorded/gpt2-small-10.7.json");
const RECORDED_SENTENCES: &[u8] = include_bytes!("../public/recorded/gpt2-small-sentences.json");
const VERSION_1: &[u8] = include_bytes!("fixtures/result-version-1.json");
const SCHEMA: &str = include_str!("../docs/result.schema.json");

/// Forbids fields that the schema does not name, so that a field of the file that it forgot is found.
fn close(schema: &mut Value) {
    match schema {
        Value::Object(fields) => {
            let open = fields.contains_key("allOf") || fields.contains_key("additionalProperties");
            if fields.get("type") == Some(&json!("object")) && fields.contains_key("properties") && !open {
                fields.insert("additionalProperties".into(), json!(false));
            }
            fields.values_mut().for_each(close);
        }
        Value::Array(values) => values.iter_mut().for_each(close),
        _ => {}
    }
}

fn validator(closed: bool) -> jsonschema::Validator {
    let mut schema: Value = serde_json::from_str(SCHEMA).unwrap();
    jsonschema::meta::validate(&schema).unwrap();
    if closed {
        close(&mut schema);
    }
    jsonschema::validator_for(&schema).unwrap()
}

#[test]
fn every_file_that_is_written_is_what_the_schema_says() {
    let validator = validator(true);
    let mut partial = live(Box::new(tiny()));
    partial.sections.truncate(1);
    (partial.prompts, partial.timing) = (Vec::new(), None);
    let mut without_set = live(Box::new(tiny()));
    without_set.prompt_set = None;
    // A marked word of several tokens gets a note.
    let own = PromptSource::Text(TextPrompts {
        text: "When [[Zanzibar]] and John\nThen [[Mary]] went [[to]] the store".to_owned(),
        ..TextPrompts::default()
    });
    let recording = Recording::from_json(RECORDED_SENTENCES).unwrap();
    let recorded = |index: usize| {
        let sentence = &recording.sentences[index];
        let question = Question {
            text: sentence.text.clone(),
            prepend_bos: sentence.prepend_bos,
            ..Question::default()
        };
        recording.answer(&question).unwrap()
    };
    let results = [
        ("recorded sentence, probabilities of some heads", recorded(0)),
        ("recorded sentence, scores of all heads", recorded(1)),
        ("live", live(Box::new(tiny()))),
        (
            "own prompts, with what the head writes",
            live_with(Box::new(tiny()), own.clone(), true),
        ),
        ("own prompts", live_of(Box::new(tiny()), own)),
        (
            "an intervention in every prompt",
            live_with_intervention("query without 1.3"),
        ),
        ("partial", partial),
        ("without prompt set", without_set),
        ("sentence", sentence(None)),
        ("sentence, relative to attention", sentence(Some(Relative::Attention))),
        (
            "sentence, relative to a position",
            sentence(Some(Relative::Position(3))),
        ),
        ("sentence, all that can be asked", sentence_in_full(None)),
        (
            "sentence, all that can be asked, relative",
            sentence_in_full(Some(Relative::Mean)),
        ),
        ("recorded", ResultFile::from_json(RECORDED).unwrap()),
        ("version 1", ResultFile::from_json(VERSION_1).unwrap()),
        ("example", read(&example()).unwrap()),
    ];
    for (name, result) in results {
        let value = written(&result);
        let errors: Vec<String> = validator.iter_errors(&value).map(|error| error.to_string()).collect();
        assert!(errors.is_empty(), "{name}: {errors:#?}");
        // And it is the same again when it is read.
        assert_eq!(read(&value).unwrap(), result, "{name}");
        assert_eq!(value["format"], "keyside-result/2", "{name}");
    }
}

#[test]
fn the_schema_refuses_what_the_program_refuses() {
    let validator = validator(false);
    assert!(validator.is_valid(&example()));
    type Change = fn(&mut Value);
    let changes: [Change; 10] = [
        |file| file["format"] = json!("keyside-result/1"),
        |file| _ = file.as_object_mut().unwrap().remove("model"),
        |file| file["sections"] = json!([]),
        |file| _ = file["sections"][0].as_object_mut().unwrap().remove("kind"),
        |file| file["sections"][0]["head"] = json!("ten"),
        |file| file["sections"][0]["series"]["query"]["W_U[IO]"]["scores"] = json!([1.5, 2.0]),
        |file| file["sections"][1]["components"]["key"][0] = json!("L.0"),
        |file| file["sections"][1]["heatmaps"]["key"]["mean"]["data"][0] = Value::Null,
        |file| file["prompts"][0]["positions"]["src"] = json!(-1),
        |file| file["prompt_set"]["batches"] = json!(0),
    ];
    for (number, change) in changes.into_iter().enumerate() {
        let mut file = example();
        change(&mut file);
        assert!(!validator.is_valid(&file), "the schema takes change {number}");
        assert!(read(&file).is_err(), "the program takes change {number}");
    }
    let whole = written(&sentence(None));
    assert!(validator.is_valid(&whole) && read(&whole).is_ok());
    let changes: [Change; 12] = [
        |file| file["sections"][0]["head"] = json!("2,1"),
        |file| file["sections"][0]["src"] = json!(-1),
        |file| file["sections"][0]["texts"] = json!([]),
        |file| file["sections"][0]["scores"] = json!([1.5, 2.0]),
        |file| _ = file["sections"][0].as_object_mut().unwrap().remove("pattern"),
        |file| file["sections"][1]["tokens"][0]["logprob"] = json!(0.5),
        |file| file["sections"][1]["tokens"][0]["token"] = json!("to"),
        |file| file["sections"][2]["components"][0] = json!("W_X"),
        |file| file["sections"][2]["relative"] = json!("median"),
        |file| file["sections"][2]["score"] = Value::Null,
        |file| file["sections"][3]["block"] = json!(0),
        |file| file["sections"][3]["layer"] = json!("2"),
    ];
    for (number, change) in changes.into_iter().enumerate() {
        let mut file = whole.clone();
        change(&mut file);
        assert!(
            !validator.is_valid(&file),
            "the schema takes change {number} of a sentence"
        );
        assert!(read(&file).is_err(), "the program takes change {number} of a sentence");
    }
    let mut later = example();
    later["sections"][0] = json!({"kind": "later", "head": 7});
    assert!(validator.is_valid(&later) && read(&later).is_ok());
}

#[test]
fn parts_of_a_sentence_that_do_not_fit_each_other_are_refused() {
    let whole = written(&sentence(Some(Relative::Mean)));
    assert_eq!(read(&whole).unwrap().pair().unwrap().relative, Some(Relative::Mean));
    type Change = fn(&mut Value);
    let changes: [(Change, &str); 17] = [
        (
            |file| _ = file["sections"][0].as_object_mut().unwrap().remove("scores"),
            "neither of scores and probs",
        ),
        (
            |file| file["sections"][0]["probs"] = file["sections"][0]["scores"].clone(),
            "both of scores and probs",
        ),
        (
            |file| file["sections"][0]["heads"] = json!(["2.1", "2.1"]),
            "2.1 is listed twice",
        ),
        (|file| file["sections"][0]["heads"] = json!(["2.0"]), "2.1 is not among"),
        (
            |file| file["sections"][0]["scores"]["shape"] = json!([3, 14, 4]),
            "attention: scores",
        ),
        (
            |file| file["sections"][0]["pattern"] = json!({"shape": [2], "data": [1.0, 0.5]}),
            "attention: pattern",
        ),
        (
            |file| _ = file["sections"][0]["texts"].as_array_mut().unwrap().pop(),
            "position 13",
        ),
        (|file| file["sections"][0]["src"] = json!(14), "position 14"),
        (|file| file["sections"][0]["head"] = json!("3.0"), "3.0"),
        (|file| file["sections"][2]["src"] = json!(14), "position 14"),
        (
            |file| file["sections"][2]["components"][1] = json!("W_E"),
            "the components",
        ),
        (|file| file["sections"][2]["head"] = json!("1.1"), "the components"),
        (
            |file| file["sections"][2]["table"]["shape"] = json!([225]),
            "pair: table",
        ),
        (|file| file["sections"][3]["layer"] = json!(3), "3.0"),
        (
            |file| file["sections"][3]["patterns"] = json!({"shape": [4, 2], "data": [1, 1, 1, 1, 1, 1, 1, 1]}),
            "a pattern has 2 numbers",
        ),
        (
            |file| file["sections"][3]["patterns"]["shape"] = json!([2, 210]),
            "layer: patterns",
        ),
        (
            |file| file["sections"][3]["patterns"]["data"][7] = json!(1.5),
            "value 7 is 1.5",
        ),
    ];
    for (number, (change, part)) in changes.into_iter().enumerate() {
        let mut file = whole.clone();
        change(&mut file);
        let error = read(&file).unwrap_err().to_string();
        assert!(error.contains(part), "change {number}: {error}");
    }
}

#[test]
fn effects_and_directions_that_do_not_fit_are_refused() {
    let validator = validator(false);
    let whole = written(&sentence_in_full(None));
    assert!(validator.is_valid(&whole));
    let read_back = read(&whole).unwrap();
    let kinds: Vec<&str> = read_back.sections.iter().map(|section| section.kind()).collect();
    assert_eq!(
        kinds,
        [
            "attention",
            "next",
            "lens",
            "pair",
            "effects",
            "writes",
            "directions",
            "substituted"
        ]
    );
    let effects = read_back.effects().unwrap();
    assert!((effects.sum() - effects.difference).abs() < 1e-4 * effects.scale().max(1.0));
    let directions = read_back.directions().unwrap();
    assert!((directions.sum() - directions.score).abs() < 1e-4);
    assert_eq!(directions.opened.tokens.len(), 4);
    let groups: f32 = directions.of_groups().iter().map(|(_, _, sum)| sum).sum();
    assert!((groups + directions.biases.data().iter().sum::<f32>() - directions.score).abs() < 1e-4);
    assert_eq!(
        (read_back.prompts[0].targets.a, read_back.lens().unwrap().layers.len()),
        (Some(effects.a.token), 4)
    );
    type Change = fn(&mut Value);
    // The index of the section, the change, the error of the program, and whether the schema rejects it, too.
    let changes: [(usize, Change, &str, bool); 17] = [
        (
            2,
            |lens| _ = lens["layers"].as_array_mut().unwrap().pop(),
            "there are 3 layers",
            false,
        ),
        (
            2,
            |lens| lens["layers"][0]["logprob_a"] = Value::Null,
            "logprob_a",
            true,
        ),
        (2, |lens| lens["a"]["token"] = json!(989), "no token 989", false),
        (
            4,
            |effects| effects["a"] = effects["b"].clone(),
            "held against itself",
            false,
        ),
        (
            4,
            |effects| effects["components"][1] = json!("W_E"),
            "not those of all layers",
            true,
        ),
        (
            4,
            |effects| effects["effects"]["shape"] = json!([2, 10]),
            "effects: effects",
            false,
        ),
        (
            4,
            |effects| effects["by_source"] = json!({"shape": [1], "data": [0.5]}),
            "effects: by_source",
            false,
        ),
        (4, |effects| effects["bias"] = json!("none"), "bias", true),
        (5, |writes| writes["rank"] = json!(0), "rank 0", true),
        (5, |writes| writes["rank"] = json!(990), "rank 990", false),
        (5, |writes| writes["src"] = json!(14), "position 14", false),
        (5, |writes| writes["head"] = json!("3.0"), "3.0", false),
        (
            6,
            |section| section["values"]["shape"] = json!([2, 4]),
            "directions: values",
            false,
        ),
        (
            6,
            |section| section["groups"] = json!([7]),
            "do not add up to d_head",
            false,
        ),
        (6, |section| section["explaining"] = json!(9), "explaining is 9", false),
        (
            6,
            |section| section["opened"]["direction"] = json!(8),
            "direction 8 of 8",
            false,
        ),
        (
            6,
            |section| section["opened"]["components"][0] = json!("MLP0"),
            "not those before head 2.1",
            true,
        ),
    ];
    for (section, change, part, seen) in changes {
        let mut file = whole.clone();
        change(&mut file["sections"][section]);
        let error = read(&file).unwrap_err().to_string();
        assert!(error.contains(part), "{part}: {error}");
        assert_eq!(validator.is_valid(&file), !seen, "{part}");
    }
}

/// The result file `name` of other tests, which holds `found` as it was recorded; written again with
/// `UPDATE_SNAPSHOTS=1`.
fn recorded_as(name: &str, found: &ResultFile) -> ResultFile {
    let fixtures = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures");
    let path = fixtures.join(name);
    if std::env::var_os("UPDATE_SNAPSHOTS").is_some_and(|value| value == "1") {
        std::fs::write(&path, found.to_json().unwrap()).unwrap();
    }
    ResultFile::from_json(&std::fs::read(path).unwrap()).unwrap()
}

/// Checks that no number differs by more than 1e-4; what is no number differs.
fn near(recorded: &[f32], found: &[f32]) {
    assert_eq!(recorded.len(), found.len());
    let mut pairs = recorded.iter().zip(found);
    assert!(
        pairs.all(|(one, other)| (one - other).abs() <= 1e-4),
        "{recorded:?} {found:?}"
    );
}

#[test]
fn what_a_head_does_in_other_tests_is_what_the_tiny_checkpoint_gives() {
    let found = sentence_in_full(None);
    let recorded = recorded_as("tiny-so-what-2.1.json", &found);
    let (one, other) = (recorded.effects().unwrap(), found.effects().unwrap());
    assert_eq!(
        (&one.a, &one.b, &one.components),
        (&other.a, &other.b, &other.components)
    );
    near(one.effects.data(), other.effects.data());
    near(one.by_source.data(), other.by_source.data());
    let (one, other) = (recorded.writes().unwrap(), found.writes().unwrap());
    assert_eq!((one.rank, &one.source.text), (other.rank, &other.source.text));
    near(&[one.source.value], &[other.source.value]);
    let (one, other) = (recorded.lens().unwrap(), found.lens().unwrap());
    let of_a = |section: &keyside::analysis::pair::LensSection| -> Vec<f32> {
        section.layers.iter().map(|layer| layer.logprob_a).collect()
    };
    near(&of_a(one), &of_a(other));
    let (one, other) = (recorded.directions().unwrap(), found.directions().unwrap());
    assert_eq!(
        (&one.groups, one.opened.direction),
        (&other.groups, other.opened.direction)
    );
    near(one.contributions.data(), other.contributions.data());
    near(one.opened.query.data(), other.opened.query.data());
}

#[test]
fn the_sentence_of_other_tests_is_what_the_tiny_checkpoint_gives() {
    let found = sentence(None);
    let recorded = recorded_as("tiny-sentence-2.1.json", &found);
    assert_eq!((&recorded.model, &recorded.prompts), (&found.model, &found.prompts));
    let (one, other) = (recorded.attention().unwrap(), found.attention().unwrap());
    assert_eq!(
        (one.head, one.dest, one.src, &one.texts),
        (other.head, other.dest, other.src, &other.texts)
    );
    near(
        one.scores.as_ref().unwrap().data(),
        other.scores.as_ref().unwrap().data(),
    );
    near(one.pattern.data(), other.pattern.data());
    let (of_layer, again) = (recorded.layer().unwrap(), found.layer().unwrap());
    assert_eq!((of_layer.layer, of_layer.block, of_layer.rows()), (2, 1, 14));
    near(of_layer.patterns.data(), again.patterns.data());
    // The whole pattern of the chosen head.
    near(of_layer.pattern(1), one.pattern.data());
    near(
        recorded.pair().unwrap().table.data(),
        found.pair().unwrap().table.data(),
    );
    let next =
        |result: &ResultFile| -> Vec<f32> { result.next().unwrap().tokens.iter().map(|next| next.logprob).collect() };
    near(&next(&recorded), &next(&found));
    let (one, other) = (recorded.substituted().unwrap(), found.substituted().unwrap());
    assert_eq!((&one.samples, one.earlier_head), (&other.samples, other.earlier_head));
    for histogram in keyside::names::HistogramId::ALL {
        for ((id, one), (same, other)) in one.series(histogram).zip(other.series(histogram)) {
            assert_eq!(id, same);
            near(one, other);
        }
    }
}

#[test]
fn the_interventions_of_other_tests_are_what_the_tiny_checkpoint_gives() {
    let mut found = sentence(None);
    found.take(results::intervened());
    let recorded = recorded_as("tiny-causes-2.1.json", &found);
    assert_eq!((&recorded.model, &recorded.prompts), (&found.model, &found.prompts));
    let (one, other) = (recorded.intervention().unwrap(), found.intervention().unwrap());
    assert_eq!(one.effects.len(), other.effects.len());
    for (one, other) in one.effects.iter().zip(&other.effects) {
        assert_eq!(one.intervention, other.intervention);
        near(&one.after.row, &other.after.row);
    }
    let (one, other) = (recorded.causal().unwrap(), found.causal().unwrap());
    for side in keyside::names::Side::ALL {
        near(
            &one.side(side).recomputed.logit_difference,
            &other.side(side).recomputed.logit_difference,
        );
    }
}

#[test]
fn interventions_are_what_the_schema_says() {
    let (whole, strict) = (results::intervened(), validator(true));
    let file = written(&whole);
    let errors: Vec<String> = strict.iter_errors(&file).map(|error| error.to_string()).collect();
    assert!(errors.is_empty(), "{errors:#?}");
    assert_eq!(read(&file).unwrap(), whole);
    let open = validator(false);
    type Change = fn(&mut Value);
    let changes: [Change; 10] = [
        |file| file["sections"][0]["effects"][0]["intervention"]["substitute"]["side"] = json!("value"),
        |file| file["sections"][0]["effects"][1]["intervention"]["remove"]["component"] = json!("L.0"),
        |file| file["sections"][0]["effects"][2]["intervention"]["set"]["activation"] = json!("x"),
        |file| file["sections"][0]["effects"][2]["intervention"]["set"]["at"] = json!("nowhere"),
        |file| file["sections"][0]["effects"][0]["after"]["row"][0] = json!(1.5),
        |file| file["sections"][0]["before"]["next"][0]["logprob"] = json!(0.5),
        |file| file["sections"][0]["effects"][0]["predicted"]["score"] = Value::Null,
        |file| file["sections"][1]["attention"] = Value::Null,
        |file| file["sections"][1]["query"]["predicted"]["score"][0] = Value::Null,
        |file| _ = file["sections"][1]["key"].as_object_mut().unwrap().remove("recomputed"),
    ];
    for (number, change) in changes.into_iter().enumerate() {
        let mut file = file.clone();
        change(&mut file);
        assert!(!open.is_valid(&file), "the schema takes change {number}");
        assert!(read(&file).is_err(), "the program takes change {number}");
    }
    // Rules that a schema can't express.
    let changes: [Change; 5] = [
        |file| file["sections"][0]["effects"][1]["intervention"]["remove"]["component"] = json!("2.0"),
        |file| file["sections"][0]["before"]["row"] = json!([1.0]),
        |file| file["sections"][0]["b"] = file["sections"][0]["a"].clone(),
        |file| file["sections"][1]["key"]["recomputed"]["score"] = json!([0.5]),
        |file| _ = file["sections"][1]["components"].as_array_mut().unwrap().pop(),
    ];
    for (number, change) in changes.into_iter().enumerate() {
        let mut file = file.clone();
        change(&mut file);
        assert!(
            read(&file).is_err(),
            "the program takes change {number} that no schema refuses"
        );
    }
}
