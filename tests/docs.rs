//! The documentation is true: the example of a result file is valid, every field is described, cited tests exist, and
//! printed commands run.
#![allow(clippy::unwrap_used)]

use std::path::Path;
use std::process::Command;

use keyside::result::ResultFile;
use serde_json::Value;

const README: &str = include_str!("../README.md");

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

/// The part of the README under the heading `heading`.
fn section<'a>(heading: &str) -> &'a str {
    let start = README.split(&format!("\n## {heading}\n")).nth(1).unwrap();
    start.split("\n## ").next().unwrap()
}

/// The ways to use the program that the README shows, in its order, each with the test that runs its lines as they stand there.
const WAYS: [(&str, &str, &str); 5] = [
    ("In the browser", "tests/e2e/readme.mjs", "blocks(\"In the browser\""),
    (
        "In Python",
        "python/tests/test_readme.py",
        "blocks(README, \"In Python\"",
    ),
    (
        "On the command line",
        "tests/docs.rs",
        "section(\"On the command line\")",
    ),
    (
        "On a cluster",
        "python/tests/test_readme.py",
        "blocks(README, \"On a cluster\"",
    ),
    ("In a web page", "tests/e2e/npm.mjs", "## In a web page\\n"),
];

#[test]
fn every_way_of_the_readme_has_a_few_lines_that_a_test_runs() {
    let headings: Vec<&str> = README.lines().filter_map(|line| line.strip_prefix("## ")).collect();
    let places = WAYS.map(|(title, ..)| headings.iter().position(|heading| *heading == title).unwrap());
    assert!(places.is_sorted(), "{headings:?}");
    for (title, file, reads) in WAYS {
        let first = section(title).split("```").nth(1).unwrap_or_default();
        // Behind the language.
        let count = first.lines().skip(1).filter(|line| !line.is_empty()).count();
        assert!((1..=7).contains(&count), "{title} begins with {count} lines");
        let source = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(file)).unwrap();
        assert!(source.contains(reads), "{file} does not read the lines of {title:?}");
    }
}

/// The words of a command as a shell reads them: single quotes keep stars, and what is behind # is for people.
fn words(line: &str) -> Vec<String> {
    let command = line.split(" #").next().unwrap();
    command
        .split_whitespace()
        .map(|word| word.trim_matches('\'').to_owned())
        .collect()
}

#[cfg(feature = "cli")]
#[test]
fn the_lines_about_the_command_line_run() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let folder = tempfile::tempdir().unwrap();
    let section = section("On the command line");
    let mut run = 0;
    for line in block(section, "sh").lines() {
        let words: Vec<String> = words(line)
            .into_iter()
            .map(|word| word.replace("public/", &format!("{}/public/", root.display())))
            .collect();
        assert_eq!(words[0], "keyside");
        let mut command = Command::new(env!("CARGO_BIN_EXE_keyside"));
        let output = command.args(&words[1..]).current_dir(folder.path()).output().unwrap();
        assert!(
            output.status.success(),
            "{line}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        run += 1;
    }
    assert_eq!(run, 5);
    let written = |name: &str| std::fs::read_to_string(folder.path().join(name)).unwrap();
    assert!(written("heatmap.html").starts_with("<!doctype html>"));
    assert!(folder.path().join("plots/heatmap_key.svg").is_file());
    // The row that is shown is one of them, in whatever place the model lies.
    let shown: Value = serde_json::from_str(block(section, "json")).unwrap();
    let text = written("sweep/rows.jsonl").replace(&format!("{}/", root.display()), "");
    let rows: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let is_it = |row: &&Value| {
        ["model", "head", "prompts", "seed"]
            .iter()
            .all(|name| row[name] == shown[name])
    };
    let found = rows.iter().find(is_it).unwrap();
    let (shown, found) = (shown.as_object().unwrap(), found.as_object().unwrap());
    assert!(shown.keys().eq(found.keys()), "{shown:?} instead of {found:?}");
    for (name, value) in shown {
        match (value.as_f64(), found[name].as_f64()) {
            (Some(shown), Some(found)) => assert!((shown - found).abs() < 1e-4, "{name} is {found}"),
            _ => assert_eq!(value, &found[name], "{name}"),
        }
    }
    let of_prompts = written("prompts/rows.jsonl");
    assert!(of_prompts.lines().count() > 40 && of_prompts.contains("\"prompt\":39"));
}
