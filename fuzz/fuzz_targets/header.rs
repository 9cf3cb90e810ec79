//! `model.safetensors`: opens a checkpoint with it and reads tensors, whole and row by row.
#![no_main]

use futures::executor::block_on;
use keyside::checkpoint::{MemorySource, Source};
use keyside::model::Checkpoint;
use keyside_fuzz::{CONFIG, Dribble, TOKENIZER, checked};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let files = MemorySource::new()
        .with("config.json", CONFIG)
        .with("tokenizer.json", TOKENIZER)
        .with("model.safetensors", bytes);
    let whole = block_on(open_and_read(Box::new(files.clone())));
    let dribbled = block_on(open_and_read(Box::new(Dribble(files))));
    // What opens when the length is known opens when it is not, and says the same.
    if let Some(whole) = whole {
        assert_eq!(Some(whole), dribbled);
    }
});

/// The values of two tensors, as bits; None where the file is refused.
async fn open_and_read(source: Box<dyn Source>) -> Option<(Vec<u32>, Vec<u32>)> {
    let checkpoint = checked(Checkpoint::open(source).await)?;
    checked(checkpoint.weights().tensor("wpe.weight", &[3, 2]).await);
    let wanted = [
        ("h.0.attn.c_attn.weight".to_owned(), vec![2, 6]),
        ("ln_f.bias".to_owned(), vec![2]),
    ];
    let tensors = checked(checkpoint.weights().tensors(&wanted, &|_| {}).await)?;
    let tensors = tensors.values().flatten().map(|value| value.to_bits()).collect();
    let mut rows = Vec::new();
    let mut row = |values: &[f32]| rows.extend(values.iter().map(|value| value.to_bits()));
    checked(checkpoint.weights().rows("wte.weight", [8, 2], &|_| {}, &mut row).await)?;
    assert_eq!(rows.len(), 16);
    Some((tensors, rows))
}
