//! Citations describe what was computed, and are properly escaped.
#![allow(clippy::unwrap_used)]

use std::collections::BTreeSet;

use futures::executor::block_on;
use futures::future::LocalBoxFuture;

use super::*;
use crate::analysis::settings::{CSV, ENGINE, Field};
use crate::analysis::{BatchValues, Observer, Progress, analyze};
use crate::checkpoint::FileSource;
use crate::error::Result;
use crate::forward::Model;
use crate::names::Head;
use crate::prompts::text::TextPrompts;
use crate::prompts::{IoiSet, PromptSource};

/// The keys of settings that results do not contain, with reasons. They must not be cited.
const NOT_HELD: [(&str, &str); 4] = [
    (ENGINE.key, "whatever computes, the result is the same"),
    (
        CSV.key,
        "own prompts stand in the result as they were read, whatever their form was",
    ),
    ("src", "every prompt of the result has its own position"),
    ("dest", "every prompt of the result has its own position"),
];

fn recorded() -> ResultFile {
    ResultFile::from_json(include_bytes!("../../public/recorded/gpt2-small-10.7.json")).unwrap()
}

fn seen() -> Citation {
    Citation {
        link: Some("https://example.org/keyside/?v=1&head=10.7#a%20b".into()),
        accessed: Some("2026-01-31".into()),
    }
}

#[test]
fn the_text_says_version_model_settings_link_and_papers() {
    let text = citation(&recorded(), &seen());
    for part in [
        concat!("keyside ", env!("CARGO_PKG_VERSION")),
        "model GPT-2 small (source: Outputs stored in the notebook",
        "head 10.7, earlier head 9.9",
        "1200 prompts, head 10.7, earlier head 9.9, seeds 0 to 29, 30 batches of 40, without BOS",
        "LayerNorm folded in",
        "https://example.org/keyside/?v=1&head=10.7#a%20b Accessed 2026-01-31.",
        "Kevin Wang, Alexandre Variengien, Arthur Conmy, Buck Shlegeris, Jacob Steinhardt (2022). Interpretability in the Wild",
        "arXiv:2211.00593",
        "Radford",
    ] {
        assert!(text.contains(part), "{text}\nlacks {part}");
    }
    let undated = citation(&recorded(), &Citation::default());
    assert!(undated.contains("Accessed [date]."), "{undated}");
}

/// Field names and values of an entry's lines, and the depth of braces at its end.
fn fields(text: &str) -> Vec<(String, String)> {
    let lines = text
        .lines()
        .filter_map(|line| line.strip_prefix("  ")?.split_once(" = {"));
    lines
        .map(|(name, value)| {
            (
                name.to_owned(),
                value.trim_end_matches(',').strip_suffix('}').unwrap().to_owned(),
            )
        })
        .collect()
}

fn balanced(text: &str) -> bool {
    let mut depth = 0_i32;
    let mut escaped = false;
    for character in text.chars() {
        match character {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '{' => depth += 1,
            '}' => depth -= 1,
            _ => {}
        }
        if depth < 0 {
            return false;
        }
    }
    depth == 0
}

#[test]
fn bibtex_has_an_entry_for_the_result_and_for_each_paper() {
    let text = bibtex(&recorded(), &seen());
    assert!(text.starts_with("@misc{keyside-gpt-2-small-10-7,\n"), "{text}");
    assert!(balanced(&text), "{text}");
    let fields = fields(&text);
    let named = |name: &str| {
        fields
            .iter()
            .filter(|(field, _)| field == name)
            .map(|(_, value)| value.as_str())
            .collect::<Vec<_>>()
    };
    assert_eq!(named("title").len(), 3);
    assert_eq!(named("url")[0], "https://example.org/keyside/?v=1&head=10.7#a%20b");
    assert_eq!(named("urldate"), ["2026-01-31"]);
    assert!(named("note")[0].contains("1200 prompts") && named("note")[0].contains("W\\_U centered"));
    assert!(named("author")[1].starts_with("Kevin Wang and Alexandre Variengien and "));
    assert_eq!(named("year"), ["2022", "2019"]);
}

#[test]
fn names_cannot_break_out_of_an_entry() {
    let mut result = recorded();
    result.model.name = "a}, evil = {b\n@misc{c, \\input{d} 100% $x^2$ ~ _ & #".into();
    result.model.source = "\\end".into();
    let with = Citation {
        link: Some("https://example.org/}\\{ \n".into()),
        accessed: None,
    };
    let text = bibtex(&result, &with);
    assert!(balanced(&text), "{text}");
    assert_eq!(text.matches("\n@misc").count(), 1, "{text}");
    assert!(text.contains("url = {https://example.org/%7D%5C%7B%20}"), "{text}");
    assert!(
        text.contains(
            "\\textbackslash{}input\\{d\\} 100\\% \\$x\\textasciicircum{}2\\$ \\textasciitilde{} \\_ \\& \\#"
        ),
        "{text}"
    );
    assert!(!citation(&result, &with).contains("\n@misc"));
}

/// An observer that ignores everything.
struct Nobody;

impl Observer for Nobody {
    fn progress(&self, _: &Progress) {}

    fn batch(&self, _: usize, _: &BatchValues) {}

    fn yield_now(&self) -> LocalBoxFuture<'_, Result<()>> {
        Box::pin(std::future::ready(Ok(())))
    }
}

/// The result file of a run of `analysis` on the tiny checkpoint, after writing and reading.
fn result_of(analysis: &Analysis) -> ResultFile {
    let result = block_on(async {
        let source = Box::new(FileSource::new("tests/fixtures/tiny"));
        let mut model = Model::open(source, analysis.processing).await?;
        let found = analyze(&mut model, analysis, &Nobody).await?;
        Ok::<_, crate::Error>(ResultFile::new(&model, analysis, found))
    });
    ResultFile::from_json(result.unwrap().to_json().unwrap().as_bytes()).unwrap()
}

/// Small runs: on drawn prompts, and on own prompts.
fn runs() -> [Analysis; 2] {
    let drawn = IoiSet {
        batches: 3,
        batch_size: 4,
        ..IoiSet::default()
    };
    let own = TextPrompts {
        text: "When [[Mary]] and John went to the store, John gave a drink [[to]]".to_owned(),
        ..TextPrompts::default()
    };
    [drawn.into(), PromptSource::Text(own)].map(|prompts| Analysis {
        head: Head::new(2, 1),
        earlier_head: Head::new(0, 3),
        prompts,
        ..Analysis::default()
    })
}

/// A value of `setting` that differs from the default and from [`runs`], with which these can still be run.
fn other(setting: &Setting) -> &'static str {
    match setting.field {
        Field::Head { .. } => "1.2",
        Field::Whole { .. } | Field::Position { .. } => "2",
        Field::Intervention { .. } => "query without 0.1",
        Field::Engine { .. } => "packed",
        Field::Switch { .. } if setting.usual == "1" => "0",
        Field::Switch { .. } => "1",
    }
}

/// The same without the texts of own prompts, which are not part of the settings.
fn without_texts(mut run: Analysis) -> Analysis {
    if let PromptSource::Text(own) = &mut run.prompts {
        own.text.clear();
    }
    run
}

#[test]
fn no_setting_is_lost_between_a_run_and_its_citation() {
    let mut seen = BTreeSet::new();
    for run in runs() {
        let as_usual = result_of(&run);
        assert_eq!(run_of(&as_usual), without_texts(run.clone()));
        for setting in SETTINGS.iter().filter(|setting| setting.group.is_of(&run.prompts)) {
            let (key, text) = (setting.key, other(setting));
            let mut changed = run.clone();
            setting
                .put(&mut changed, setting.checked(text).unwrap().as_str())
                .unwrap();
            assert_ne!(changed, run, "{key} was {text} before");
            assert_ne!(text, setting.usual, "{key}");
            seen.insert(key);
            if let Some((_, why)) = NOT_HELD.iter().find(|(known, _)| *known == key) {
                assert_eq!((setting.cited)(&changed), None, "{key} is cited, but {why}");
                continue;
            }
            let result = result_of(&changed);
            assert_eq!(run_of(&result), without_texts(changed), "the result does not say {key}");
            let [one, other] = [&result, &as_usual].map(|result| citation(result, &Citation::default()));
            assert_ne!(one, other, "the citation does not say {key}");
        }
    }
    assert_eq!(seen, SETTINGS.iter().map(|setting| setting.key).collect());
}

#[test]
fn a_sentence_is_cited_without_a_seed() {
    let bytes = include_bytes!("../../tests/fixtures/tiny-sentence-2.1.json");
    let sentence = ResultFile::from_json(bytes).expect("reads");
    let cited = citation(&sentence, &Citation::default());
    assert!(cited.contains("; 1 prompt, head 2.1, without BOS; weights:"), "{cited}");
}
