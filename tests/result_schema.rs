//! The JSON schema of the result file: every file that is written is what it says, and what it refuses the program refuses.
#![allow(clippy::unwrap_used)]

mod common;
mod results;

use common::tiny;
use keyside::prompts::PromptSource;
use keyside::prompts::text::TextPrompts;
use keyside::result::ResultFile;
use results::{example, live, live_of, read, written};
use serde_json::{Value, json};

const RECORDED: &[u8] = include_bytes!("../public/recorded/gpt2-small-10.7.json");
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
    // Of a marked word that is several tokens there is a note.
    let own = PromptSource::Text(TextPrompts {
        text: "When [[Zanzibar]] and John\nThen [[Mary]] went [[to]] the store".to_owned(),
        ..TextPrompts::default()
    });
    let results = [
        ("live", live(Box::new(tiny()))),
        ("own prompts", live_of(Box::new(tiny()), own)),
        ("partial", partial),
        ("without prompt set", without_set),
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
    let mut later = example();
    later["sections"][0] = json!({"kind": "later", "head": 7});
    assert!(validator.is_valid(&later) && read(&later).is_ok());
}
