//! The bundled model with heads worth a look, as it is shipped: its tasks, its heads, its size, its words.
#![cfg(feature = "cli")]
#![allow(clippy::unwrap_used)]

use keyside::checkpoint::FileSource;
use keyside::forward::Model;
use keyside::model::Processing;
use keyside::names::Head;
use keyside::prompts::ioi::random::PythonRandom;
use keyside::prompts::ioi::{Dataset, draw_batch};
use keyside::training::{
    CARD_PROMPTS, EXAMPLES, FIRST_MERGES, HeadTable, Look, Pairs, Repeats, Split, Templates, accuracy, columns,
    cut_tokenizer, label, lists_accuracy, repeats_accuracy, texts_of,
};

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

    let best = |label| table.look(label, table.largest(label, |_| true).unwrap()).mean;
    assert!(best(label::PREVIOUS_IN_TEXTS) >= 0.5 && best(label::PREVIOUS_IN_REPEATS) >= 0.5);
    assert!(best(label::INDUCTION) >= 0.5);
    let head = model.checkpoint().card().unwrap().head;
    for label in [label::ABBA_IO, label::BABA_IO] {
        let Look { mean, largest } = table.look(label, head);
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
            let here = table.look(label, head).mean;
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
