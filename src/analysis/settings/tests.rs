use std::collections::BTreeSet;

use super::*;
use crate::analysis::Analysis;
use crate::prompts::PromptSource;
use crate::prompts::text::TextPrompts;

/// A run on drawn prompts, and one on the reader's own.
fn runs() -> [Analysis; 2] {
    let own = PromptSource::Text(TextPrompts::default());
    [PromptSource::default(), own].map(|prompts| Analysis {
        prompts,
        ..Analysis::default()
    })
}

/// Another text for a setting than the usual one.
fn other(setting: &Setting) -> String {
    match setting.field {
        Field::Head { .. } => "3.1".to_owned(),
        Field::Whole { .. } | Field::Position { .. } => "7".to_owned(),
        Field::Intervention { .. } => "query without 0.1".to_owned(),
        Field::Engine { .. } => "packed on 2".to_owned(),
        Field::Switch { .. } => if setting.usual == "1" { "0" } else { "1" }.to_owned(),
    }
}

#[test]
fn every_setting_has_names_of_its_own() {
    for name in [|s: &Setting| s.key, |s: &Setting| s.option, |s: &Setting| s.label] {
        let names: BTreeSet<&str> = SETTINGS.iter().map(name).collect();
        assert_eq!(names.len(), SETTINGS.len(), "{names:?}");
    }
}

#[test]
fn a_run_that_nobody_has_set_is_as_usual() {
    for (run, setting) in runs()
        .iter()
        .flat_map(|run| SETTINGS.iter().map(move |setting| (run, setting)))
    {
        if setting.group.is_of(&run.prompts) {
            assert_eq!(setting.text(run).unwrap_or_default(), setting.usual, "{}", setting.key);
        } else {
            assert_eq!(setting.text(run), None, "{}", setting.key);
        }
    }
}

#[test]
fn every_setting_sets_its_own_field() {
    let mut set = 0;
    for (run, setting) in runs()
        .iter()
        .flat_map(|run| SETTINGS.iter().map(move |setting| (run, setting)))
    {
        if !setting.group.is_of(&run.prompts) {
            continue;
        }
        let (mut changed, text) = (run.clone(), other(setting));
        setting.put(&mut changed, &text).expect("a text of its kind");
        for of in SETTINGS {
            let expected = if of.key == setting.key {
                Some(text.clone())
            } else {
                of.text(run)
            };
            assert_eq!(of.text(&changed), expected, "{} after {}", of.key, setting.key);
        }
        set += 1;
    }
    assert!(set > 20, "{set} settings were set");
}

#[test]
fn what_is_no_setting_is_an_error() {
    for setting in SETTINGS {
        for text in ["x", "-1", "1.2.3", "18446744073709551616"] {
            let error = setting.checked(text).expect_err(text);
            assert!(!error.expected.is_empty() && error.cause.contains(text), "{error}");
            assert!(
                setting.put(&mut Analysis::default(), text).is_err(),
                "{}: {text}",
                setting.key
            );
        }
    }
    let error = BATCHES.checked("1001").expect_err("too many");
    assert_eq!(error.expected, "a whole number from 1 to 1000");
    let mut run = Analysis::default();
    BATCHES
        .put(&mut run, "1001")
        .expect("how many there may be is asked by the run");
    assert_eq!(BATCHES.text(&run).as_deref(), Some("1001"));
    assert!(HEAD.checked("1024.0").is_err());
}
