//! The bundled model as it is shipped: it does the task, it is small, and it knows the dataset's words.
#![cfg(feature = "cli")]
#![allow(clippy::unwrap_used)]

use keyside::checkpoint::FileSource;
use keyside::forward::Model;
use keyside::model::Processing;
use keyside::prompts::ioi::random::PythonRandom;
use keyside::prompts::ioi::{Dataset, draw_batch};
use keyside::training::{Accuracy, Pairs, Split, Templates, accuracy, cut_tokenizer, texts_of};

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/public/models/stand-in");
const GPT2_TOKENIZER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/gpt2-tokenizer.json");
const PROMPTS: usize = 200;

fn stand_in() -> Model {
    let source = Box::new(FileSource::new(FOLDER));
    futures::executor::block_on(Model::open(source, Processing::default())).unwrap()
}

fn measured(label: &str, seed: u64, kind: (Pairs, Templates)) -> Accuracy {
    let mut model = stand_in();
    let split = Split::new(Dataset::bundled().unwrap());
    let samples = split
        .samples(model.tokenizer(), &mut PythonRandom::new(seed), kind, PROMPTS)
        .unwrap();
    let measured = accuracy(&mut model, &samples).unwrap();
    println!("{label}: {measured:?}");
    assert_eq!(measured.prompts, PROMPTS);
    measured
}

#[test]
fn names_the_indirect_object_of_pairs_never_seen() {
    let measured = measured("held-out pairs", 2001, (Pairs::HeldOut, Templates::Training));
    assert!(measured.io_over_s >= 0.95 && measured.io_top_1 >= 0.80);
}

#[test]
fn names_the_indirect_object_in_templates_never_seen() {
    let measured = measured("held-out templates", 2002, (Pairs::Any, Templates::HeldOut));
    assert!(measured.io_over_s >= 0.85);
}

#[test]
fn at_most_4_mb_with_tokenizer_and_card() {
    let files = std::fs::read_dir(FOLDER).unwrap();
    let bytes: u64 = files.map(|file| file.unwrap().metadata().unwrap().len()).sum();
    println!("{bytes} bytes");
    assert!(bytes <= 4_000_000);
}

#[test]
fn heads_of_the_card_exist_in_that_order() {
    let model = stand_in();
    let card = model.checkpoint().card().unwrap();
    assert!(card.note.contains("not GPT-2"));
    model.config().check_head(card.head).unwrap();
    assert!(card.earlier_head.layer < card.head.layer);
}

/// The tokens' texts equal those of GPT-2's tokenizer for every text of the task.
#[test]
fn tokenizer_is_cut_from_gpt2_s() {
    let dataset = Dataset::bundled().unwrap();
    let gpt2 = std::fs::read(GPT2_TOKENIZER).unwrap();
    let shipped = std::fs::read(format!("{FOLDER}/tokenizer.json")).unwrap();
    assert!(shipped == cut_tokenizer(&gpt2, &texts_of(&dataset), 0).unwrap());

    let model = stand_in();
    let tokenizer = model.tokenizer();
    let whole = tokenizers::Tokenizer::from_bytes(&gpt2).unwrap();
    for seed in 0..30 {
        // Drawing also checks that all names are one token, with and without a leading space.
        for prompt in draw_batch(tokenizer, seed, 40, false).unwrap().prompts {
            let texts: Vec<String> = prompt
                .tokens
                .iter()
                .map(|&token| tokenizer.token_text(token).unwrap())
                .collect();
            let ids = whole.encode(prompt.text.as_str(), false).unwrap().get_ids().to_vec();
            let expected: Vec<String> = ids.iter().map(|&id| whole.decode(&[id], false).unwrap()).collect();
            assert_eq!(texts, expected);
        }
    }
    for text in dataset.places.iter().chain(&dataset.objects) {
        tokenizer.single_token(&format!(" {text}")).unwrap();
    }
    let other = "Zürich, 東京 & \u{1F600}: 3.14";
    let bytes: String = tokenizer
        .encode(other)
        .unwrap()
        .iter()
        .filter_map(|&token| tokenizer.token_text(token))
        .collect();
    assert!(bytes.starts_with('Z') && bytes.ends_with("3.14"), "{bytes}");
}
