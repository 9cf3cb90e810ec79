//! The bundled model as it is shipped: its tasks, its heads, its size, its vocabulary.
#![cfg(feature = "cli")]
#![allow(clippy::unwrap_used)]

mod results;

use std::collections::BTreeMap;

use futures::executor::block_on;
use keyside::analysis::Section;
use keyside::analysis::pair::{CausalCell, CausalSection, Question, QuestionCache, causal_map};
use keyside::checkpoint::FileSource;
use keyside::forward::Model;
use keyside::model::Processing;
use keyside::names::{Component, Head, Measure, Side};
use keyside::prompts::ioi::random::PythonRandom;
use keyside::prompts::ioi::{Dataset, draw_batch};
use keyside::prompts::{Prompt, Targets};
use keyside::training::{
    CARD_PROMPTS, CellAttention, EXAMPLES, FIRST_MERGES, HeadTable, Pairs, Repeats, Split, Templates, accuracy,
    columns, cut_tokenizer, label, lists_accuracy, repeats_accuracy, texts_of,
};
use results::Nobody;

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/public/models/tiny-ioi");
const GPT2_TOKENIZER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/gpt2-tokenizer.json");
const PROMPTS: usize = 200;

/// How far a mean of the card's table, which is rounded to two decimals, may be from the one here.
const TABLE_TOLERANCE: f64 = 0.0051;

fn model() -> Model {
    let source = Box::new(FileSource::new(FOLDER));
    futures::executor::block_on(Model::open(source, Processing::default())).unwrap()
}

fn split() -> Split {
    Split::new(Dataset::bundled().unwrap())
}

#[test]
fn names_the_indirect_object() {
    let kinds = [
        (0.95, 0.80, (Pairs::HeldOut, Templates::Training)),
        (0.85, 0.0, (Pairs::Any, Templates::HeldOut)),
    ];
    for (io_over_s, io_top_1, kind) in kinds {
        let mut model = model();
        let samples = split()
            .samples(model.tokenizer(), &mut PythonRandom::new(2001), kind, PROMPTS)
            .unwrap();
        let measured = accuracy(&mut model, &samples).unwrap();
        println!("{kind:?}: {measured:?}");
        assert_eq!(measured.prompts, PROMPTS);
        assert!(measured.io_over_s >= io_over_s && measured.io_top_1 >= io_top_1);
    }
}

#[test]
fn looks_answers_up_in_lists() {
    let mut model = model();
    let python = &mut PythonRandom::new(2003);
    let lists = split()
        .lists(model.tokenizer(), python, Pairs::HeldOut, PROMPTS)
        .unwrap();
    let right = lists_accuracy(&mut model, &lists).unwrap();
    println!("lists: {right}");
    assert!(right >= 0.95);
}

#[test]
fn continues_what_is_repeated() {
    let mut model = model();
    let words = model.config().d_vocab - 1;
    let python = &mut PythonRandom::new(2004);
    let repeats: Vec<Repeats> = (0..20).map(|_| Repeats::draw(python, words, 24, 48)).collect();
    let right = repeats_accuracy(&mut model, &repeats).unwrap();
    println!("repeats: {right}");
    assert!(right >= 0.90);
}

/// On prompts that are not those of the card.
#[test]
fn heads_look_where_they_should() {
    let mut model = model();
    let columns = columns(&model, &split(), (2005, PROMPTS)).unwrap();
    let table = HeadTable::measure(&mut model, &columns).unwrap();
    println!("{}", table.markdown());

    let best = |label| table.attention_of(label, table.largest(label, |_| true).unwrap()).mean;
    assert!(best(label::PREVIOUS_IN_TEXTS) >= 0.5 && best(label::PREVIOUS_IN_REPEATS) >= 0.5);
    assert!(best(label::INDUCTION) >= 0.5);
    let head = model.checkpoint().card().unwrap().head;
    for label in [label::ABBA_IO, label::BABA_IO] {
        let CellAttention { mean, largest } = table.attention_of(label, head);
        println!("{head}, {label}: mean {mean}, largest of all tokens in {largest}");
        assert!(mean >= 0.5 && largest >= 0.8);
    }
}

#[test]
fn the_table_of_the_card_is_right() {
    let mut model = model();
    let columns = columns(&model, &split(), CARD_PROMPTS).unwrap();
    let table = HeadTable::measure(&mut model, &columns).unwrap();
    let readme = std::fs::read_to_string(format!("{FOLDER}/README.md")).unwrap();
    let mut compared = 0;
    for head in table.heads() {
        let row = readme
            .lines()
            .find_map(|line| line.strip_prefix(&format!("| {head} | ")))
            .unwrap();
        let means: Vec<f64> = row.split('|').filter_map(|cell| cell.trim().parse().ok()).collect();
        assert_eq!(means.len(), table.labels.len(), "{row}");
        for (label, mean) in table.labels.iter().zip(means) {
            let here = table.attention_of(label, head).mean;
            assert!(
                (here - mean).abs() <= TABLE_TOLERANCE,
                "{head}, {label}: {here}, card {mean}"
            );
            compared += 1;
        }
    }
    assert_eq!(
        compared,
        model.config().n_layer * model.config().n_head * table.labels.len()
    );
}

#[test]
fn heads_of_the_card_exist_in_that_order() {
    let model = model();
    let card = model.checkpoint().card().unwrap();
    assert!(card.note.contains("not GPT-2"));
    let (head, earlier): (Head, Head) = (card.head, card.earlier_head);
    model.config().check_head(head).unwrap();
    assert!(earlier.layer < head.layer);
    assert_eq!(model.config().n_ctx, 256);
}

#[test]
fn at_most_4_mb_with_tokenizer_and_card() {
    let files = std::fs::read_dir(FOLDER).unwrap();
    let bytes: u64 = files.map(|file| file.unwrap().metadata().unwrap().len()).sum();
    println!("{bytes} bytes");
    assert!(bytes <= 4_000_000);
}

/// The tokens' texts equal those of GPT-2's tokenizer for every text of the tasks and for the examples.
#[test]
fn tokenizer_is_cut_from_gpt2_s() {
    let gpt2 = std::fs::read(GPT2_TOKENIZER).unwrap();
    let shipped = std::fs::read(format!("{FOLDER}/tokenizer.json")).unwrap();
    let mut texts = texts_of(&Dataset::bundled().unwrap());
    texts.extend(EXAMPLES.map(str::to_owned));
    assert!(shipped == cut_tokenizer(&gpt2, &texts, FIRST_MERGES).unwrap());

    let model = model();
    let tokenizer = model.tokenizer();
    let whole = tokenizers::Tokenizer::from_bytes(&gpt2).unwrap();
    let mut prompts: Vec<String> = EXAMPLES.map(str::to_owned).to_vec();
    let python = &mut PythonRandom::new(5);
    prompts.extend((0..200).map(|_| split().draw_list(python, Pairs::Any).unwrap().text()));
    // Drawing also checks that all names are one token, with and without a leading space.
    prompts.extend((0..10).flat_map(|seed| {
        let batch = draw_batch(tokenizer, seed, 40, false).unwrap();
        batch.prompts.into_iter().map(|prompt| prompt.text)
    }));
    for prompt in &prompts {
        let texts: Vec<String> = tokenizer
            .encode(prompt)
            .unwrap()
            .iter()
            .map(|&token| tokenizer.token_text(token).unwrap())
            .collect();
        let ids = whole.encode(prompt.as_str(), false).unwrap().get_ids().to_vec();
        let expected: Vec<String> = ids.iter().map(|&id| whole.decode(&[id], false).unwrap()).collect();
        assert_eq!(texts, expected);
    }
    assert_eq!(prompts.len(), 601);
}

/// How far what is recomputed of the head's causal map agrees with the linear prediction, over IOI prompts:
/// `cargo test --release --test tiny_ioi -- --ignored --nocapture causal_maps`
#[test]
#[ignore = "takes the causal maps of 200 prompts; prints what it finds"]
fn causal_maps_agree_with_the_prediction_on_ioi_prompts() {
    let mut model = model();
    let head = model.checkpoint().card().unwrap().head;
    let prompts: Vec<_> = (0..5)
        .flat_map(|seed| draw_batch(model.tokenizer(), seed, PROMPTS / 5, false).unwrap().prompts)
        .collect();
    assert_eq!(prompts.len(), PROMPTS);
    let mut maps: Vec<CausalSection> = Vec::new();
    for prompt in &prompts {
        let targets = Targets {
            a: Some(prompt.io_token),
            b: Some(prompt.s_token),
        };
        let question = Question {
            text: prompt
                .text
                .strip_suffix(prompt.io.as_str())
                .unwrap()
                .trim_end()
                .to_owned(),
            head: Some(head),
            dest: Some(prompt.positions.end),
            src: Some(prompt.positions.io),
            targets,
            ..Question::default()
        };
        let mut last = None;
        let give = |_: &Model, _: &Prompt, section: Section, _| {
            if let Section::Causal(section) = section {
                last = Some(section);
            }
        };
        block_on(causal_map(
            &mut model,
            &mut QuestionCache::default(),
            &question,
            &Nobody,
            give,
        ))
        .unwrap();
        maps.push(last.filter(CausalSection::is_whole).unwrap());
    }
    let spread = |values: &[f64]| {
        let count = values.len() as f64;
        let mean = values.iter().sum::<f64>() / count;
        let variance = values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / (count - 1.0);
        (mean, variance.sqrt())
    };
    println!(
        "head {head}, {PROMPTS} prompts, {} cells each",
        maps[0].cells(Measure::Score).len()
    );
    for measure in Measure::ALL {
        let correlations: Vec<f64> = maps
            .iter()
            .filter_map(|map| map.agreement(measure).correlation)
            .collect();
        let (mean, deviation) = spread(&correlations);
        let least = correlations.iter().copied().fold(f64::INFINITY, f64::min);
        // By how much what is recomputed is larger: the slope through 0.
        let slopes: Vec<f64> = maps
            .iter()
            .map(|map| {
                let cells = map.cells(measure);
                let sum = |product: &dyn Fn(f64, f64) -> f64| -> f64 {
                    let values = cells
                        .iter()
                        .map(|cell| (f64::from(cell.recomputed), f64::from(cell.predicted)));
                    values
                        .map(|(recomputed, predicted)| product(recomputed, predicted))
                        .sum()
                };
                sum(&|recomputed, predicted| recomputed * predicted) / sum(&|_, predicted| predicted * predicted)
            })
            .collect();
        let mut worst: BTreeMap<String, usize> = BTreeMap::new();
        for map in &maps {
            let cell = map.agreement(measure).worst[0];
            *worst.entry(format!("{} {}", cell.side, cell.component)).or_default() += 1;
        }
        println!(
            "{measure}: correlation {mean:.3} +- {deviation:.3}, least {least:.3}, of {}; slope {:.3?}; differs most: {worst:?}",
            correlations.len(),
            spread(&slopes)
        );
        // The same cell is the largest drop in both.
        let drop = |cells: &[CausalCell], value: fn(&CausalCell) -> f32| -> (Side, Component) {
            let found = cells
                .iter()
                .min_by(|left, right| value(left).total_cmp(&value(right)))
                .unwrap();
            (found.side, found.component)
        };
        let same = maps
            .iter()
            .map(|map| map.cells(measure))
            .filter(|cells| drop(cells, |cell| cell.recomputed) == drop(cells, |cell| cell.predicted));
        println!(
            "{measure}: the largest drop is of the same cell in {} prompts",
            same.count()
        );
        let mut drops: BTreeMap<String, usize> = BTreeMap::new();
        for map in &maps {
            let (side, component) = drop(&map.cells(measure), |cell| cell.recomputed);
            *drops.entry(format!("{side} {component}")).or_default() += 1;
        }
        println!("{measure}: largest recomputed drop: {drops:?}");
        assert!(correlations.len() == PROMPTS && mean > 0.5, "{measure}: {mean}");
    }
}
