//! Version 2 of the result file: written files are parsed back, versions are distinguished, and invalid files are
//! rejected with a clear message.
#![allow(clippy::unwrap_used)]

mod common;
mod results;

use common::tiny;
use keyside::ErrorKind;
use keyside::analysis::Section;
use keyside::app::words;
use keyside::figure::{Figure, FigurePlace, View};
use keyside::names::{FigureName, HeatmapId, HistogramId, PositionName};
use keyside::plot::{HeatmapPlot, HeatmapView};
use keyside::result::ResultFile;
use results::{example, read, read_sorted, written};
use serde_json::{Value, json};

const RECORDED: &[u8] = include_bytes!("../public/recorded/gpt2-small-10.7.json");
const VERSION_1: &[u8] = include_bytes!("fixtures/result-version-1.json");

/// The example with a change, read.
fn changed(change: impl FnOnce(&mut Value)) -> keyside::Result<ResultFile> {
    let mut value = example();
    change(&mut value);
    read(&value)
}

fn assert_refused(read: keyside::Result<ResultFile>, words: &[&str]) {
    let error = read.unwrap_err();
    println!("{error}");
    assert_eq!(error.kind, ErrorKind::ResultFile);
    for word in words {
        assert!(error.to_string().contains(word), "\"{error}\" does not say \"{word}\"");
    }
}

#[test]
fn a_live_result_has_everything_that_was_found() {
    let result = results::live(Box::new(tiny()));
    let kinds: Vec<&str> = result.sections.iter().map(Section::kind).collect();
    // The others are of one sentence, or asked for.
    assert_eq!(kinds, ["substitution", "contributions", "run_directions"]);
    assert_eq!(result.model.dtype.as_deref(), Some("F32"));
    assert_eq!(
        (result.prompt_count(), result.prompts.len(), result.heatmap_prompts()),
        (6, 6, 3)
    );
    for prompt in &result.prompts {
        let at = |name| prompt.tokens[prompt.position(&name).unwrap()];
        assert_eq!(prompt.position(&PositionName::Dest), Some(prompt.tokens.len() - 2));
        assert_eq!(
            (Some(at(PositionName::Src)), Some(at(PositionName::S1))),
            (prompt.targets.a, prompt.targets.b)
        );
        assert_eq!(at(PositionName::S1), at(PositionName::S2));
        assert!(prompt.text.contains(&prompt.names["IO"]) && prompt.text.contains(&prompt.names["S"]));
        assert!(prompt.drawn.contains_key("random") && prompt.drawn.contains_key("random_name"));
    }
    // Layers 0 and 1 of four heads, each with MLP and b_O, and three components of no layer.
    let key = results::key(&result);
    assert_eq!(key.components.len(), 3 + 2 * (4 + 2));
    assert_eq!(key.per_prompt.as_ref().unwrap().shape(), [3, 15]);
    let names: Vec<String> = key.components.iter().map(ToString::to_string).collect();
    assert_eq!(names[..4], ["W_E", "W_pos", "b_K", "0.0"]);
    assert_eq!(names[7..9], ["MLP0", "b_O0"]);
    assert_eq!(
        results::heatmap(&result, &HeatmapId::QUERY).components[2].to_string(),
        "b_Q"
    );
}

#[test]
fn version_1_gives_what_version_2_says() {
    let mut expected = example();
    // Fields that version 1 lacks.
    expected.as_object_mut().unwrap().remove("skipped");
    expected["model"].as_object_mut().unwrap().remove("dtype");
    let mut found = written(&ResultFile::from_json(VERSION_1).unwrap());
    let heatmaps = |file: &mut Value| file["sections"][1]["heatmaps"].as_object_mut().unwrap().clone();
    // Its facets are other ones: of one head alone, and of two.
    let facets: Vec<String> = heatmaps(&mut found).keys().cloned().collect();
    assert_eq!(facets, ["key", "key_split/q par k par", "key_split/q perp k perp"]);
    let split = &heatmaps(&mut found)["key_split/q perp k perp"];
    assert_eq!(split["components"], json!(["W_E", "W_pos", "0.0", "MLP0"]));
    assert_eq!(split["mean"], json!({"shape": [4], "data": [0.0, 0.0, 0.0, -0.125]}));
    let key = heatmaps(&mut found)["key"].clone();
    assert_eq!(key, heatmaps(&mut expected)["key"]);
    assert_eq!(
        found["sections"][1]["components"],
        expected["sections"][1]["components"]
    );
    found["sections"][1]["heatmaps"] = json!({ "key": key });
    expected["sections"][1]["heatmaps"] = json!({ "key": key });
    assert_eq!(found, expected);
}

#[test]
fn a_picked_cell_is_the_same_one_in_both_versions() {
    let one = ResultFile::from_json(RECORDED).unwrap();
    let two = read(&written(&one)).unwrap();
    let file: Value = serde_json::from_slice(RECORDED).unwrap();
    let heatmap = &file["heatmaps"]["key"];
    let mut compared = 0;
    for (row, name) in heatmap["rows"].as_array().unwrap().iter().enumerate() {
        for (column, value) in heatmap["values"][row].as_array().unwrap().iter().enumerate() {
            let view = HeatmapView {
                pick: Some((row, column)),
                ..HeatmapView::default()
            };
            let value = value.as_f64().unwrap() as f32;
            for result in [&one, &two] {
                let plot = HeatmapPlot::of_result(result, &view, None).unwrap();
                let Some((row, column)) = plot.pick else {
                    assert!(name == "misc" && column > 2 && value == 0.0, "{name} {column}");
                    continue;
                };
                let cell = plot.cell(row, column).unwrap();
                assert_eq!(
                    (cell.value, plot.rows[row].to_string()),
                    (value, name.as_str().unwrap().to_owned())
                );
                assert_eq!(heatmap["columns"][column], plot.columns[column].to_string());
                compared += 1;
            }
        }
    }
    assert_eq!(compared, 2 * (3 + 10 * 13));
}

#[test]
fn later_versions_are_refused_and_say_what_helps() {
    assert_refused(
        changed(|file| file["format"] = json!("keyside-result/3")),
        &[
            "\"keyside-result/3\"",
            "\"keyside-result/2\" or \"keyside-result/1\"",
            "newer keyside",
        ],
    );
    let other = changed(|file| file["format"] = json!("keyside-result/0")).unwrap_err();
    assert!(!other.to_string().contains("newer"), "{other}");
    // A document of one version under the name of the other lacks fields.
    assert_refused(
        changed(|file| file["format"] = json!("keyside-result/1")),
        &["missing field"],
    );
}

#[test]
fn sections_of_unknown_kind_are_skipped_and_said() {
    let plain = read(&example()).unwrap();
    assert_eq!(plain.skipped, ["later"]);
    assert_eq!(read_sorted(&example()).unwrap(), plain);
    let newer = json!({"head": {"any": "thing"}, "kind": "newer"});
    let result = changed(|file| file["sections"].as_array_mut().unwrap().insert(0, newer)).unwrap();
    assert_eq!(result.skipped, ["later", "newer"]);
    assert_eq!(result.sections, plain.sections);
    assert_eq!(
        result.skipped_notice().unwrap(),
        "This file also has 2 sections of kinds that this version of keyside does not know and does not show: later, newer."
    );
    // The rewritten file still lists the omissions.
    assert_eq!(read(&written(&result)).unwrap(), result);
    assert_eq!(ResultFile::from_json(RECORDED).unwrap().skipped_notice(), None);
    assert_refused(
        changed(|file| file["sections"] = json!([{"kind": "newer"}])),
        &[
            "only sections of unknown kind: later, newer",
            "substitution, contributions",
        ],
    );
    assert_refused(
        changed(|file| (file["sections"], file["skipped"]) = (json!([]), json!([]))),
        &["no section"],
    );
    assert_refused(
        changed(|file| {
            let again = file["sections"][0].clone();
            file["sections"].as_array_mut().unwrap().push(again);
        }),
        &["two sections of kind substitution"],
    );
}

#[test]
fn arrays_whose_shape_does_not_fit_are_named() {
    let scores = |array: Value| changed(|file| file["sections"][0]["series"]["query"]["W_U[IO]"]["scores"] = array);
    let path = "sections[0].series.query.W_U[IO].scores";
    assert_refused(
        scores(json!({"shape": [3], "data": [1.0, 2.0]})),
        &[path, "shape [3] has 2 numbers"],
    );
    assert_refused(
        scores(json!({"shape": [u64::MAX, 4], "data": []})),
        &[path, "has 0 numbers"],
    );
    assert_refused(scores(json!({"shape": [2]})), &[path, "missing field `data`"]);
    assert_refused(
        scores(json!({"shape": [2], "data": [1.0, 1e39]})),
        &["data[1]", "out of range"],
    );
    assert_refused(scores(json!({"shape": [2], "data": [1.0, null]})), &["data[1]", "null"]);
    assert_refused(
        scores(json!({"shape": [3], "data": [1.0, 2.0, 3.0]})),
        &["keys_fixed_scores, series \"W_U[IO]\" has the shape [3]", "[2]"],
    );
    assert_refused(
        scores(json!({"shape": [1, 2], "data": [1.0, 2.0]})),
        &["the shape [1, 2]"],
    );
    assert_refused(
        changed(|file| file["sections"][0]["true_prob"] = json!({"shape": [1], "data": [0.5]})),
        &["true_prob has the shape [1]"],
    );
    let key = |change: &dyn Fn(&mut Value)| changed(|file| change(&mut file["sections"][1]["heatmaps"]["key"]));
    let components = |change: &dyn Fn(&mut Vec<Value>)| {
        changed(|file| change(file["sections"][1]["components"]["key"].as_array_mut().unwrap()))
    };
    assert_refused(
        components(&|key| _ = key.pop()),
        &["mean of heatmap \"key\" has the shape [7]", "[6]"],
    );
    assert_refused(
        key(&|heatmap| heatmap["per_prompt"] = json!({"shape": [1, 7], "data": [0, 0, 0, 0, 0, 0, 0]})),
        &["per_prompt of heatmap \"key\" has the shape [1, 7]", "[2, 7]"],
    );
    // The same where the kind does not come first.
    let mut file = example();
    file["sections"][0]["series"]["query"]["W_U[IO]"]["scores"] = json!({"shape": [3], "data": [1.0, 2.0]});
    assert_refused(
        read_sorted(&file),
        &["sections[0].series.query.W_U[IO].scores", "shape [3] has 2 numbers"],
    );
}

#[test]
fn numbers_that_are_not_finite_are_neither_read_nor_written() {
    // The kind may come last.
    let last = r#"{"head": "1.1", "earlier_head": "0.1", "series": {"query": {"a": {"scores": {"shape": [2], "data": [1, 1e39]}}}, "key": {}}, "kind": "substitution"}"#;
    let mut file = example();
    file["sections"] = json!(["HERE"]);
    let text = file.to_string().replace("\"HERE\"", last);
    assert_refused(
        ResultFile::from_json(text.as_bytes()),
        &["sections[0].series.query.a.scores.data[1]", "out of range"],
    );
    let mut result = read(&example()).unwrap();
    let section = results::substitution_mut(&mut result);
    section.true_score.as_mut().unwrap().data_mut()[1] = f32::NAN;
    assert!(
        result
            .to_json()
            .unwrap_err()
            .to_string()
            .contains("true_score: value 1 is NaN")
    );
    let mut result = read(&example()).unwrap();
    results::heatmaps_mut(&mut result).get_mut(&HeatmapId::KEY).unwrap().sum = f32::INFINITY;
    assert!(
        result
            .to_json()
            .unwrap_err()
            .to_string()
            .contains("heatmap \"key\" has a number that is inf")
    );
}

#[test]
fn prompts_are_checked() {
    for (name, position) in [("dest", 15), ("verb", 1000)] {
        assert_refused(
            changed(|file| file["prompts"][1]["positions"][name] = json!(position)),
            &[
                &format!("position {name} of prompt 2 is {position}, outside the prompt"),
                "0 to 14",
            ],
        );
    }
    assert_refused(
        changed(|file| {
            (file["prompts"][0]["tokens"], file["prompts"][0]["positions"]) = (json!([]), json!({"src": 0}))
        }),
        &["position src of prompt 1 is 0", "with tokens"],
    );
    assert_refused(
        changed(|file| _ = file["prompts"].as_array_mut().unwrap().pop()),
        &["prompts has 1 entries", "2"],
    );
    assert_refused(
        changed(|file| file["prompt_set"]["batches"] = json!(0)),
        &["batches is 0"],
    );
    assert_refused(
        changed(|file| file["prompt_set"]["maker"] = json!("owl")),
        &["prompt_set", "owl", "ioi"],
    );
    assert_refused(
        changed(|file| file["prompt_set"]["seed"] = json!(u64::MAX)),
        &["too large for 1 batches"],
    );
    // Other names are the author's own.
    let result = changed(|file| file["prompts"][0]["positions"]["verb"] = json!(5)).unwrap();
    assert_eq!(result.prompts[0].position(&"verb".into()), Some(5));
}

#[test]
fn results_without_a_prompt_set_know_their_prompts() {
    let without = |more: &[&str]| {
        changed(|file| {
            for field in more.iter().chain(&["prompt_set"]) {
                file.as_object_mut().unwrap().remove(*field);
            }
        })
        .unwrap()
    };
    for result in [without(&[]), without(&["prompts"])] {
        assert_eq!((result.prompt_count(), result.ioi()), (2, None));
        assert_eq!(
            words::settings(&result).split(" \u{b7} ").collect::<Vec<_>>()[..2],
            ["head 1.1, earlier head 0.1", "2 prompts"]
        );
        for name in HistogramId::ALL {
            let place = FigurePlace::of(FigureName::of(name)).unwrap();
            let summary = Figure::at(place, &View::default()).summary(&result);
            assert!(summary.contains("No patching"), "{summary}");
        }
    }
}

#[test]
fn heads_and_components_are_checked() {
    assert_refused(changed(|file| file["sections"][0]["head"] = json!("3.0")), &["3.0"]);
    assert_refused(
        changed(|file| file["sections"][0]["earlier_head"] = json!("0.2")),
        &["0.2"],
    );
    assert_refused(
        changed(|file| file["sections"][1]["head"] = json!("x")),
        &["sections[1].head", "x"],
    );
    assert_refused(changed(|file| file["config"]["n_head"] = json!(0)), &["does not exist"]);
    let components = |change: &dyn Fn(&mut Vec<Value>)| {
        changed(|file| change(file["sections"][1]["components"]["key"].as_array_mut().unwrap()))
    };
    assert_refused(components(&|key| key[3] = json!("0.2")), &["\"key\"", "component 0.2"]);
    assert_refused(
        components(&|key| key[5] = json!("MLP3")),
        &["\"key\"", "component MLP3"],
    );
    assert_refused(components(&|key| key[3] = json!("0.1")), &["component 0.1 twice"]);
    assert_refused(
        components(&|key| key[0] = json!("L.0")),
        &["sections[1].components.key[0]", "\"L.0\" is not a component"],
    );
    assert_refused(
        changed(|file| _ = file["sections"][1].as_object_mut().unwrap().remove("components")),
        &["no components"],
    );
    for prompts in [0, 3] {
        assert_refused(
            changed(|file| file["sections"][1]["prompts"] = json!(prompts)),
            &[&format!("of {prompts} prompts"), "1 to 2"],
        );
    }
    assert_refused(
        changed(|file| {
            let facet = file["sections"][1]["heatmaps"]["key"].clone();
            file["sections"][1]["heatmaps"]["key/facet"] = facet;
        }),
        &["\"key\" is a heatmap and has facets"],
    );
}

#[test]
fn fields_that_are_missing_are_named_and_unknown_ones_ignored() {
    for field in ["model", "config", "processing", "sections"] {
        let result = changed(|file| _ = file.as_object_mut().unwrap().remove(field));
        assert_refused(result, &["missing field", field]);
    }
    assert_refused(
        changed(|file| _ = file["sections"][0].as_object_mut().unwrap().remove("kind")),
        &["sections[0]", "missing field `kind`"],
    );
    assert_refused(
        changed(|file| _ = file["sections"][1].as_object_mut().unwrap().remove("heatmaps")),
        &["sections[1]", "missing field `heatmaps`"],
    );
    let result = changed(|file| {
        file["comment"] = json!({"by": ["somebody"]});
        file["sections"][0]["unit"] = json!("logits");
        file["prompts"][0]["author"] = json!("somebody");
        file["sections"][1]["heatmaps"]["key"]["mean"]["dtype"] = json!("f32");
    });
    assert_eq!(result.unwrap(), read(&example()).unwrap());
}
