//! What the documents show is true: the example of a result file is one, and every field has a word said about it.
#![allow(clippy::unwrap_used)]

use keyside::result::ResultFile;
use serde_json::Value;

const RESULT_FILE: &str = include_str!("../docs/result-file.md");
const METHOD: &str = include_str!("../docs/method.md");

/// The first block of `language` in a document.
fn block<'a>(document: &'a str, language: &str) -> &'a str {
    let start = document.split(&format!("```{language}\n")).nth(1).unwrap();
    start.split("```").next().unwrap()
}

/// The names of all fields of `value`, except those that stand for labels, not fields.
fn fields(value: &Value, into: &mut Vec<String>) {
    match value {
        Value::Object(object) => {
            for (name, value) in object {
                into.push(name.clone());
                if name != "series" {
                    fields(value, into);
                }
            }
        }
        Value::Array(values) => values.iter().for_each(|value| fields(value, into)),
        _ => {}
    }
}

#[test]
fn the_example_of_a_result_file_is_one() {
    let text = block(RESULT_FILE, "json");
    let result = ResultFile::from_json(text.as_bytes()).unwrap();
    let (shown, read): (Value, Value) = (
        serde_json::from_str(text).unwrap(),
        serde_json::from_str(&result.to_json().unwrap()).unwrap(),
    );
    let names = |value: &Value| {
        let mut names = Vec::new();
        fields(value, &mut names);
        names.sort();
        names
    };
    assert_eq!(
        names(&shown),
        names(&read),
        "the example lacks a field, or has one too many"
    );
    let heatmap = result.heatmap(&keyside::names::HeatmapId::KEY).unwrap();
    let sum: f32 = heatmap.mean.data().iter().sum();
    assert!((sum - heatmap.sum).abs() < 1e-6, "the example's cells add up to {sum}");
    for (index, mean) in heatmap.mean.data().iter().enumerate() {
        let values = heatmap.of_component(index).unwrap();
        let found = values.iter().sum::<f32>() / values.len() as f32;
        assert!((found - mean).abs() < 1e-6, "component {index} is {found} in the mean");
    }
}

/// Tests that a text names: what stands in backticks as `path/of/file.rs::name`.
fn named_tests(text: &str) -> Vec<(&str, &str)> {
    let quoted = text.split('`').skip(1).step_by(2);
    quoted.filter_map(|quoted| quoted.split_once(".rs::")).collect()
}

/// Whether `source` has a test of this name.
fn has_test(source: &str, name: &str) -> bool {
    let function = format!("fn {name}()");
    let mut lines = source.lines().map(str::trim);
    let mut is_test = false;
    lines.any(|line| match line {
        "#[test]" => {
            is_test = true;
            false
        }
        line if line.starts_with("fn ") => std::mem::take(&mut is_test) && line.starts_with(&function),
        _ => false,
    })
}

#[test]
fn every_test_that_the_method_names_is_there() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let named = named_tests(METHOD);
    for (file, name) in &named {
        let source = std::fs::read_to_string(root.join(format!("{file}.rs"))).unwrap_or_default();
        assert!(has_test(&source, name), "there is no test {name} in {file}.rs");
    }
    // Every section but the glossary stands on a test.
    for section in METHOD.split("\n## ").skip(1) {
        let title = section.lines().next().unwrap();
        assert!(
            title == "Glossary" || !named_tests(section).is_empty(),
            "no test holds {title:?}"
        );
    }
    assert!(named.len() >= 20, "{}", named.len());
    let source = "#[test]\nfn there() {\n}\nfn helper() {}\n";
    assert!(has_test(source, "there") && !has_test(source, "helper") && !has_test(source, "the"));
}
