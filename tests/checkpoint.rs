//! A checkpoint gives the same tensors from memory and from a folder, in every dtype, with and without a prefix in
//! tensor names.

mod common;

use common::{Shape, TINY, block_on, open, tiny, tiny_with};
use keyside::checkpoint::FileSource;
use keyside::model::Checkpoint;

fn values(checkpoint: &Checkpoint, name: &str, shape: &[usize]) -> Vec<f32> {
    let tensor = block_on(checkpoint.weights().tensor(name, shape)).expect("reads");
    assert_eq!(tensor.dims(), shape);
    tensor.flatten_all().and_then(|flat| flat.to_vec1()).expect("f32")
}

/// Every tensor of the tiny model with its shape.
fn tensors() -> Vec<Shape> {
    common::tensors_of(&tiny())
}

#[test]
fn folder_and_memory_agree_with_the_safetensors_crate() {
    let source = tiny();
    let bytes = source.get("model.safetensors").expect("there").to_vec();
    let reference = safetensors::SafeTensors::deserialize(&bytes).expect("valid");
    let memory = open(source).expect("opens");
    let folder = block_on(Checkpoint::open(Box::new(FileSource::new(TINY)))).expect("opens");
    assert_eq!(folder.location(), TINY);
    assert_eq!(memory.config(), folder.config());
    assert!(memory.card().is_none());
    let mut compared = 0;
    for (name, shape) in tensors() {
        let expected: Vec<f32> = common::f32_values(reference.tensor(&name).expect("there").data());
        let short = name.strip_prefix("transformer.").unwrap_or(&name);
        assert_eq!(values(&memory, short, &shape), expected, "{name}");
        assert_eq!(values(&folder, short, &shape), expected, "{name}");
        assert_eq!(memory.weights().size_in_bytes(short), 4 * expected.len() as u64);
        compared += 1;
    }
    println!("{compared} tensors are equal");
    assert_eq!(compared, 2 + 3 * 12 + 2);
    assert!(
        !memory.weights().has("h.0.attn.bias"),
        "mask buffers are not part of the model"
    );
    assert!(memory.weights().has("h.0.attn.c_attn.bias"));
    assert_eq!(memory.weights().size_in_bytes("h.0.attn.bias"), 0);
}

#[test]
fn the_prefix_transformer_makes_no_difference() {
    let plain = open(tiny_with(
        |name| name.trim_start_matches("transformer.").to_owned(),
        common::Dtype::F32,
    ))
    .expect("opens");
    let prefixed = open(tiny_with(
        |name| format!("transformer.{}", name.trim_start_matches("transformer.")),
        common::Dtype::F32,
    ))
    .expect("opens");
    let shape = [32, 96];
    let name = "h.1.attn.c_attn.weight";
    assert_eq!(values(&plain, name, &shape), values(&prefixed, name, &shape));
}

#[test]
fn halves_are_read_as_f32() {
    let full = open(tiny()).expect("opens");
    for (dtype, relative) in [(common::Dtype::F16, 1.0 / 2048.0), (common::Dtype::BF16, 1.0 / 256.0)] {
        let half = open(tiny_with(str::to_owned, dtype)).expect("opens");
        let mut largest = 0f32;
        for (name, shape) in tensors() {
            let name = name.trim_start_matches("transformer.");
            for (a, b) in values(&full, name, &shape).iter().zip(values(&half, name, &shape)) {
                largest = largest.max((a - b).abs() / a.abs().max(1e-3));
            }
            assert_eq!(
                2 * half.weights().size_in_bytes(name),
                full.weights().size_in_bytes(name)
            );
        }
        println!("{dtype:?}: largest relative difference {largest:e}");
        assert!(largest > 0.0 && largest <= relative, "{dtype:?} {largest}");
    }
}

#[test]
fn the_card_is_a_field_of_the_configuration() {
    let card = r#""keyside": {"name": "Tiny", "note": "Random.", "head": "2.3", "earlier_head": "1.0"}, "n_layer""#;
    let source = common::config_replaced("\"n_layer\"", card);
    let checkpoint = open(source).expect("opens");
    let card = checkpoint.card().expect("has a card");
    assert_eq!((card.name.as_str(), card.note.as_str()), ("Tiny", "Random."));
    assert_eq!(
        (card.head.to_string(), card.earlier_head.to_string()),
        ("2.3".into(), "1.0".into())
    );
}

#[test]
fn a_value_that_is_not_finite_is_damage() {
    let bytes = tiny().get("model.safetensors").expect("there").to_vec();
    let mut damaged = bytes.clone();
    let end = damaged.len();
    damaged[end - 4..].copy_from_slice(&f32::NAN.to_le_bytes());
    let checkpoint = open(tiny().with("model.safetensors", damaged)).expect("opens");
    let errors: Vec<_> = common::tensors_of(&tiny())
        .iter()
        .filter_map(|(name, shape)| {
            block_on(
                checkpoint
                    .weights()
                    .tensor(name.trim_start_matches("transformer."), shape),
            )
            .err()
        })
        .collect();
    assert_eq!(errors.len(), 1, "the last tensor alone");
    assert!(errors[0].cause.contains("not a finite number"), "{}", errors[0]);
}
