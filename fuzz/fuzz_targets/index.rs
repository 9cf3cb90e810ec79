//! `model.safetensors.index.json`: opens a checkpoint with it, where one of the listed weight files exists.
#![no_main]

use futures::executor::block_on;
use keyside::checkpoint::MemorySource;
use keyside::model::Checkpoint;
use keyside_fuzz::{CONFIG, Dribble, TOKENIZER, checked};
use libfuzzer_sys::fuzz_target;

/// The one file that is there.
const WEIGHTS: &[u8] = include_bytes!("../corpus/header/f32");

fuzz_target!(|bytes: &[u8]| {
    let files = MemorySource::new()
        .with("config.json", CONFIG)
        .with("tokenizer.json", TOKENIZER)
        .with("model.safetensors.index.json", bytes)
        .with("model-00001-of-00001.safetensors", WEIGHTS);
    let whole = checked(block_on(Checkpoint::open(Box::new(files.clone()))));
    let dribbled = checked(block_on(Checkpoint::open(Box::new(Dribble(files)))));
    assert_eq!(whole.is_some(), dribbled.is_some());
    if let Some(checkpoint) = whole {
        let tensor = block_on(checkpoint.weights().tensor("wte.weight", &[8, 2]));
        assert_eq!(checked(tensor).map(|tensor| tensor.elem_count()), Some(16));
    }
});
