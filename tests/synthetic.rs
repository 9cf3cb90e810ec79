//! The generator of synthetic checkpoints against the same tensors made with NumPy.
#![cfg(feature = "cli")]
#![allow(clippy::unwrap_used)]

use keyside::prompts::ioi::random::NumpyRandom;
use keyside::training::Synthetic;
use safetensors::SafeTensors;
use serde_json::Value;

fn known_answers() -> Value {
    let path = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/tests/fixtures/synthetic-known-answers.json"
    );
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

fn numbers(value: &Value) -> Vec<f64> {
    value
        .as_array()
        .unwrap()
        .iter()
        .map(|number| number.as_f64().unwrap())
        .collect()
}

/// Largest |a - b| of two lists of one length; NaN is the greatest.
fn largest_difference(a: &[f64], b: &[f64]) -> f64 {
    assert_eq!(a.len(), b.len());
    let differences = a.iter().zip(b).map(|(a, b)| (a - b).abs());
    differences.max_by(f64::total_cmp).expect("some values")
}

#[test]
fn normals_of_numpy() {
    let expected = numbers(&known_answers()["normals"]);
    let mut numpy = NumpyRandom::new(2023);
    let drawn: Vec<f64> = expected.iter().map(|_| numpy.standard_normal()).collect();
    let largest = largest_difference(&drawn, &expected);
    println!("largest difference {largest:.1e}");
    assert!(largest < 1e-15);
}

#[test]
fn every_tensor_equals_numpy_s() {
    let size = Synthetic {
        n_layer: 2,
        n_head: 2,
        d_model: 4,
        d_vocab: 10,
        n_ctx: 6,
        seed: 2023,
    };
    let mut bytes = Vec::new();
    size.write_safetensors(&mut bytes).unwrap();
    let tensors = SafeTensors::deserialize(&bytes).unwrap();
    let known = known_answers();
    let known = known["tensors"].as_object().unwrap();
    assert_eq!(tensors.len(), known.len());
    for (name, expected) in known {
        let tensor = tensors.tensor(name).unwrap();
        let shape: Vec<f64> = tensor.shape().iter().map(|&dim| dim as f64).collect();
        assert_eq!(shape, numbers(&expected["shape"]), "{name}");
        let expected = numbers(&expected["values"]);
        let ours = tensor
            .data()
            .as_chunks::<4>()
            .0
            .iter()
            .map(|&bytes| f64::from(f32::from_le_bytes(bytes)));
        let largest = largest_difference(&ours.collect::<Vec<_>>(), &expected);
        println!("{name}: largest difference {largest:.1e}");
        assert!(largest < 3e-7, "{name}");
    }
}

#[test]
fn unknown_sizes_are_named() {
    let error = Synthetic::named("gpt3").unwrap_err();
    assert!(error.to_string().contains("gpt3"), "{error}");
}
