//! A reader's own prompts, against numbers and tokens from other programs; the same natively and in a browser.

#![allow(dead_code, reason = "every test uses a part of it")]

use keyside::analysis::{Analysis, Section, analyze};
use keyside::forward::Model;
use keyside::model::{Config, Tokenizer};
use keyside::names::{Component, HeatmapId, Side};
use keyside::prompts::PromptSource;
use keyside::prompts::text::TextPrompts;

use super::pairs::Case;
use super::{Golden, Recorder, fixture};

/// Arrays that [`check_case`] compares.
pub const OWN_ARRAYS: usize = 2;

/// The contributions of a case, whose text is a prompt that a reader wrote, with its positions as numbers.
pub async fn check_case(model: &mut Model, golden: &mut Golden, case: &Case) {
    let text = TextPrompts {
        text: case.text.clone(),
        dest: Some(case.dest),
        src: Some(case.src),
        prepend_bos: case.bos,
        ..TextPrompts::default()
    };
    let analysis = Analysis {
        head: case.head,
        earlier_head: case.earlier,
        prompts: PromptSource::Text(text),
        ..Analysis::default()
    };
    let found = analyze(model, &analysis, &Recorder::default()).await.unwrap();
    let [prompt] = &found.prompts[..] else {
        panic!("{} prompts", found.prompts.len())
    };
    assert_eq!(prompt.tokens, case.tokens, "{}", case.text);
    let contributions = found.sections.iter().find_map(|section| match section {
        Section::Contributions(section) => Some(section),
        _ => None,
    });
    for (name, heatmap, side) in [
        ("table_key_side", HeatmapId::KEY, Side::Key),
        ("table_query_side", HeatmapId::QUERY, Side::Query),
    ] {
        let heatmap = &contributions.unwrap().heatmaps[&heatmap];
        let cells = heatmap.of_prompt(0).unwrap();
        let expected = case.components.iter().copied().chain([Component::bias(side)]);
        let cell = |wanted: Component| {
            let place = heatmap.components.iter().position(|component| *component == wanted);
            cells[place.unwrap_or_else(|| panic!("no {wanted}"))]
        };
        let values: Vec<f32> = expected.map(cell).collect();
        assert_eq!(values.len(), cells.len(), "{name}: components");
        // The mean over one prompt is that prompt.
        assert_eq!(heatmap.mean.data(), cells, "{name}");
        case.check(golden, name, &values);
    }
}

/// Every text of `gpt2-tokenizer-strings.json` has the tokens that stand there; says how many there are.
pub fn check_strings() -> usize {
    let file = fixture("gpt2-tokenizer.json");
    let tokenizer = Tokenizer::from_json(&serde_json::to_vec(&file).unwrap(), &Config::default()).unwrap();
    let strings = fixture("gpt2-tokenizer-strings.json");
    let strings = strings.as_array().unwrap();
    let mut wrong = Vec::new();
    for entry in strings {
        let text = entry["text"].as_str().unwrap();
        let expected: Vec<u32> = serde_json::from_value(entry["ids"].clone()).unwrap();
        let found = tokenizer.encode(text).unwrap();
        if found != expected {
            wrong.push(format!("{text:?}: {found:?} instead of {expected:?}"));
        }
        // The data for finding marks: the end of each token.
        let (with_ends, ends) = tokenizer.encode_with_ends(text).unwrap();
        assert_eq!((&with_ends, ends.len()), (&found, found.len()), "{text:?}");
    }
    report!("{} texts, {} of them tokenized otherwise", strings.len(), wrong.len());
    assert!(wrong.is_empty(), "{wrong:#?}");
    strings.len()
}
