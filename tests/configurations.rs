//! Every supported configuration of GPT-2 agrees with a forward pass in float64; contradictions between files are
//! reported.

#![allow(clippy::unwrap_used)]

mod common;
mod reference;
mod results;

use std::collections::BTreeMap;

use common::{block_on, header, open_error, safetensors_file, tiny};
use keyside::analysis::{Analysis, OmissionReason};
use keyside::checkpoint::MemorySource;
use keyside::forward::{Model, NoMonitor, Pass, PrefixTree, Request, Tap};
use keyside::model::Processing;
use keyside::names::{BlockHook, HeatmapId, HistogramId, HookPoint, Side};
use keyside::prompts::IoiSet;
use keyside::prompts::ioi::draw_batch;
use keyside::result::ResultFile;
use reference::Reference;
use serde_json::{Value, json};

const TOLERANCE: f64 = 1e-4;
const TEXT: &str = "When Mary and John went to the store, John gave a drink to";

/// A tensor: dtype, shape, bytes.
type Tensor = (String, Vec<usize>, Vec<u8>);

/// The tensors of the tiny checkpoint, by name without prefix.
fn tensors() -> BTreeMap<String, Tensor> {
    let (json, data) = header(&tiny());
    let entries = json
        .as_object()
        .unwrap()
        .iter()
        .filter(|(name, _)| *name != "__metadata__");
    entries
        .map(|(name, entry)| {
            let at = |index: usize| entry["data_offsets"][index].as_u64().unwrap() as usize;
            let shape = serde_json::from_value(entry["shape"].clone()).unwrap();
            let dtype = entry["dtype"].as_str().unwrap().to_owned();
            let name = name.strip_prefix("transformer.").unwrap_or(name).to_owned();
            (name, (dtype, shape, data[at(0)..at(1)].to_vec()))
        })
        .collect()
}

/// The tiny checkpoint with other tensors.
fn with_tensors(tensors: &BTreeMap<String, Tensor>) -> MemorySource {
    let (mut json, mut data) = (json!({}), Vec::new());
    for (name, (dtype, shape, bytes)) in tensors {
        let start = data.len();
        data.extend(bytes);
        json[name] = json!({"dtype": dtype, "shape": shape, "data_offsets": [start, data.len()]});
    }
    tiny().with("model.safetensors", safetensors_file(&json.to_string(), &data))
}

/// `source` with a field of `config.json` set; null takes it away.
fn set(source: MemorySource, name: &str, value: Value) -> MemorySource {
    let mut config: Value = serde_json::from_slice(source.get("config.json").unwrap()).unwrap();
    match value {
        Value::Null => drop(config.as_object_mut().unwrap().remove(name)),
        value => config[name] = value,
    }
    source.with("config.json", config.to_string())
}

fn open(source: &MemorySource) -> Model {
    block_on(Model::open(Box::new(source.clone()), Processing::default())).unwrap()
}

/// Largest difference of scores, patterns and log-probabilities of every layer, head and position from the reference's.
fn difference(source: &MemorySource) -> f64 {
    let mut model = open(source);
    let tokens = model.tokenizer().encode(TEXT).unwrap();
    let expected = Reference::new(source).run(&tokens);
    let tree = PrefixTree::new([&tokens[..]]);
    let rows = tree.path(0).to_vec();
    let layers = model.config().n_layer;
    let hooks = [BlockHook::AttnScores, BlockHook::Pattern];
    let taps = (0..layers).flat_map(|layer| hooks.map(|hook| Tap::new(HookPoint::block(layer, hook), rows.clone())));
    let request = Request {
        keep_from: Some(0),
        ..Request::of(taps.collect())
    };
    let mut passes = [Pass::new(tree, request)];
    block_on(model.run(&mut passes, layers, &NoMonitor)).unwrap();
    let log_probs = block_on(model.log_probs_at(&passes[0], &rows, &NoMonitor)).unwrap();
    let mut largest = 0f64;
    let mut compared = 0;
    let mut compare = |found: f32, expected: f64| {
        let difference = (f64::from(found) - expected).abs();
        assert!(difference.is_finite(), "{found} against {expected}");
        largest = largest.max(difference);
        compared += 1;
    };
    for layer in 0..layers {
        for (tap, expected) in [
            (2 * layer, &expected.scores[layer]),
            (2 * layer + 1, &expected.pattern[layer]),
        ] {
            for position in 0..tokens.len() {
                let found = passes[0].captured[tap].row(position);
                let wanted = expected.iter().flat_map(|head| &head[position]);
                assert_eq!(found.len(), wanted.clone().count());
                found
                    .iter()
                    .zip(wanted)
                    .for_each(|(found, expected)| compare(*found, *expected));
            }
        }
    }
    for (found, expected) in log_probs.iter().zip(&expected.log_probs) {
        found
            .iter()
            .zip(expected)
            .for_each(|(found, expected)| compare(*found, *expected));
    }
    assert_eq!(compared, 2 * 3 * 4 * (14 * 15 / 2) + 14 * model.config().d_vocab);
    largest
}

fn assert_as_reference(what: &str, source: &MemorySource) {
    let difference = difference(source);
    println!("{what}: largest difference {difference:.1e}");
    assert!(difference < TOLERANCE, "{what}: {difference}");
}

/// One batch of ten prompts of head 2.1.
fn run(source: &MemorySource) -> ResultFile {
    run_of(source, 10, false)
}

fn run_of(source: &MemorySource, batch_size: usize, prepend_bos: bool) -> ResultFile {
    let analysis = Analysis {
        prompts: IoiSet {
            seed: 0,
            batches: 1,
            batch_size,
            prepend_bos,
        }
        .into(),
        ..analysis("1.3")
    };
    block_on(results::run(&mut open(source), &analysis, &results::Nobody)).unwrap()
}

fn analysis(earlier_head: &str) -> Analysis {
    Analysis {
        head: "2.1".parse().unwrap(),
        earlier_head: earlier_head.parse().unwrap(),
        prompts: IoiSet {
            seed: 0,
            batches: 1,
            batch_size: 10,
            prepend_bos: false,
        }
        .into(),
        ..Analysis::default()
    }
}

/// The same with another earlier head.
fn run_with(source: &MemorySource, earlier_head: &str) -> ResultFile {
    let analysis = analysis(earlier_head);
    block_on(results::run(&mut open(source), &analysis, &results::Nobody)).unwrap()
}

fn mean_true_score(result: &ResultFile) -> f64 {
    let scores = results::true_score(result);
    scores.iter().copied().map(f64::from).sum::<f64>() / scores.len() as f64
}

/// The same by the reference.
fn expected_true_score(source: &MemorySource) -> f64 {
    let reference = Reference::new(source);
    let prompts = draw_batch(open(source).tokenizer(), 0, 10, false).unwrap().prompts;
    let score = |prompt: &keyside::prompts::ioi::Prompt| {
        reference.run(&prompt.tokens).scores[2][1][prompt.positions.end][prompt.positions.io]
    };
    prompts.iter().map(score).sum::<f64>() / 10.0
}

#[test]
fn attention_is_scaled_as_the_configuration_says() {
    let by_layer = set(tiny(), "scale_attn_by_inverse_layer_idx", json!(true));
    let unscaled = set(tiny(), "scale_attn_weights", json!(false));
    let both = set(by_layer.clone(), "scale_attn_weights", json!(false));
    let plain = mean_true_score(&run(&tiny()));
    assert!((plain - 1.3324).abs() < 1e-4, "{plain}");
    for (what, source) in [
        ("plain", tiny()),
        ("by layer", by_layer),
        ("unscaled", unscaled),
        ("both", both),
    ] {
        assert_as_reference(what, &source);
        let (found, expected) = (mean_true_score(&run(&source)), expected_true_score(&source));
        assert!(
            (found - expected).abs() < TOLERANCE,
            "{what}: {found} against {expected}"
        );
        assert!(what == "plain" || (found - plain).abs() > 0.01, "{what}: {found}");
        let key = run(&source);
        let residual = results::key(&key).max_abs_residual.unwrap();
        assert!(
            f64::from(residual) < TOLERANCE,
            "{what}: contributions are off by {residual}"
        );
    }
}

#[test]
fn the_order_of_operations_in_half_precision_changes_nothing() {
    let upcast = set(tiny(), "reorder_and_upcast_attn", json!(true));
    assert_eq!(run(&upcast).sections, run(&tiny()).sections);
}

#[test]
fn activation_functions_are_themselves() {
    let with_activation = |name: &str| set(tiny(), "activation_function", json!(name));
    let plain = run(&tiny());
    for name in ["gelu_pytorch_tanh", "gelu_python_tanh", "gelu_fast", "gelu_accurate"] {
        assert_eq!(run(&with_activation(name)).sections, plain.sections, "{name}");
    }
    for name in ["gelu", "relu", "silu"] {
        assert_as_reference(name, &with_activation(name));
        let result = run(&with_activation(name));
        assert_ne!(result.sections, plain.sections, "{name}");
        assert_eq!(result.config.activation_function.to_string(), name);
    }
    let refused = open_error(with_activation("quick_gelu"));
    assert!(refused.to_string().contains("\"quick_gelu\""), "{refused}");
}

#[test]
fn a_file_may_have_no_biases_but_not_of_some_blocks_alone() {
    let mut tensors = tensors();
    tensors.retain(|name, _| !name.ends_with(".bias"));
    let source = with_tensors(&tensors);
    assert_as_reference("no biases", &source);
    let note = run(&source).model.notes.join("\n");
    assert!(
        note.contains("attn.c_attn.bias") && note.contains("ln_f.bias") && note.contains("taken to be 0"),
        "{note}"
    );

    let mut tensors = self::tensors();
    tensors.retain(|name, _| !name.ends_with("c_fc.bias"));
    let source = with_tensors(&tensors);
    assert_as_reference("no bias of the MLPs", &source);
    assert!(run(&source).model.notes[0].contains("no mlp.c_fc.bias in any block"));

    let mut tensors = self::tensors();
    tensors.remove("h.1.mlp.c_fc.bias").unwrap();
    let refused = open_error(with_tensors(&tensors));
    assert!(refused.to_string().contains("h.1.mlp.c_fc.bias"), "{refused}");
}

#[test]
fn names_may_have_any_one_prefix() {
    let expected = run(&tiny());
    for prefix in ["model.transformer.", "gpt2.", "module."] {
        let renamed = tensors()
            .into_iter()
            .map(|(name, tensor)| (format!("{prefix}{name}"), tensor))
            .collect();
        assert_eq!(run(&with_tensors(&renamed)).sections, expected.sections, "{prefix}");
    }
    let mut renamed: BTreeMap<_, _> = tensors()
        .into_iter()
        .map(|(name, tensor)| (format!("model.transformer.{name}"), tensor))
        .collect();
    renamed.insert("model.lm_head.weight".to_owned(), other_head());
    let result = run(&with_tensors(&renamed));
    assert!(
        result.model.notes[0].contains("lm_head.weight"),
        "{:?}",
        result.model.notes
    );
}

#[test]
fn weights_in_f64_are_rounded() {
    let mut tensors = tensors();
    for (dtype, _, bytes) in tensors.values_mut() {
        assert_eq!(dtype, "F32");
        *dtype = "F64".to_owned();
        // A little beside the f32 number, to be rounded back.
        let wide = |value: f32| (f64::from(value) * (1.0 + 1e-9)).to_le_bytes();
        *bytes = common::f32_values(bytes).into_iter().flat_map(wide).collect();
    }
    let result = run(&with_tensors(&tensors));
    assert_eq!(result.sections, run(&tiny()).sections);
    assert_eq!(result.model.dtype.as_deref(), Some("F64"));
}

/// A head whose rows are those of `wte` in reverse.
fn other_head() -> Tensor {
    let (dtype, shape, bytes) = tensors()["wte.weight"].clone();
    let reversed = bytes.chunks_exact(4 * shape[1]).rev().flatten().copied().collect();
    (dtype, shape, reversed)
}

#[test]
fn the_head_that_the_file_has_is_used_and_disagreement_is_said() {
    let with_head = |head: Tensor| {
        let mut tensors = tensors();
        tensors.insert("lm_head.weight".to_owned(), head);
        with_tensors(&tensors)
    };
    let tie = |source: MemorySource, tied: bool| set(source, "tie_word_embeddings", json!(tied));
    let other = with_head(other_head());
    let same = with_head(tensors()["wte.weight"].clone());
    let plain = run(&tiny());

    assert_as_reference("untied", &tie(other.clone(), false));
    assert_eq!(run(&tie(other.clone(), false)).model.notes, [""; 0]);

    let tied = run(&tie(other.clone(), true));
    assert_as_reference("tied, another head", &tie(other.clone(), true));
    assert!(
        tied.model.notes[0].contains("says that the embeddings are tied"),
        "{:?}",
        tied.model.notes
    );
    assert_eq!(tied.sections, run(&tie(other, false)).sections);
    assert_ne!(tied.sections, plain.sections);

    // An identical head is not read a second time.
    let bytes = |result: &ResultFile| result.timing.as_ref().unwrap().bytes_read;
    let twice = run(&tie(same.clone(), true));
    assert_eq!((twice.model.notes.len(), bytes(&twice)), (0, bytes(&plain)));
    assert_eq!(twice.sections, plain.sections);
    assert_eq!(run(&tie(same, false)).sections, plain.sections);

    let none = run(&tie(tiny(), false));
    assert!(
        none.model.notes[0].contains("no lm_head.weight"),
        "{:?}",
        none.model.notes
    );
    assert_eq!(none.sections, plain.sections);
}

#[test]
fn one_row_that_differs_makes_another_head() {
    let mut head = tensors()["wte.weight"].clone();
    head.2[500 * 4 * 32] ^= 1;
    let mut tensors = tensors();
    tensors.insert("lm_head.weight".to_owned(), head);
    let notes = run(&with_tensors(&tensors)).model.notes;
    assert!(notes[0].contains("other values"), "{notes:?}");
}

#[test]
fn bos_is_never_padding() {
    let mut tensors = tensors();
    let (_, shape, bytes) = tensors.get_mut("wte.weight").unwrap();
    bytes.extend(vec![7; (1024 - shape[0]) * shape[1] * 4]);
    shape[0] = 1024;
    let padded = set(with_tensors(&tensors), "vocab_size", json!(1024));
    let unnamed = set(padded.clone(), "bos_token_id", Value::Null);
    let in_padding = set(padded, "bos_token_id", json!(1023));
    for (source, notes) in [(&unnamed, 0), (&in_padding, 1)] {
        let result = run_of(source, 2, true);
        assert_eq!(result.prompts[0].tokens[0], 988);
        assert_eq!(
            (result.config.bos_token_id, result.model.notes.len()),
            (Some(988), notes)
        );
    }
}

/// The tiny checkpoint with a constant added to all of `wte`, which changes no function of the model.
fn offset(by: f32) -> MemorySource {
    let mut tensors = tensors();
    let (_, _, bytes) = tensors.get_mut("wte.weight").unwrap();
    *bytes = common::f32_values(bytes)
        .into_iter()
        .flat_map(|value| (value + by).to_le_bytes())
        .collect();
    with_tensors(&tensors)
}

#[test]
fn a_large_offset_of_all_embeddings_costs_nothing() {
    for by in [1e2, 1e4] {
        assert_as_reference(&format!("all of wte plus {by}"), &offset(by));
        let (found, expected) = (mean_true_score(&run(&offset(by))), expected_true_score(&offset(by)));
        assert!((found - expected).abs() < 2e-5, "{by}: {found} against {expected}");
    }
}

/// The tiny checkpoint with some elements of a tensor changed.
fn changed(wanted: &str, change: impl Fn(usize, f32) -> f32) -> MemorySource {
    common::tiny_changed(|name, index, value| if name == wanted { change(index, value) } else { value })
}

/// Reads what is written of `result`, which must be the same.
fn assert_survives(result: &ResultFile) {
    let written = result.to_json().unwrap();
    let file: Value = serde_json::from_str(&written).unwrap();
    assert!(!file["sections"].to_string().contains("null"));
    assert_eq!(
        ResultFile::from_json(written.as_bytes()).unwrap().sections,
        result.sections
    );
}

#[test]
fn a_head_that_writes_nothing_is_left_out_and_all_else_runs() {
    // W_O of head 1.3: the last quarter of the rows.
    let pruned = changed(
        "h.1.attn.c_proj.weight",
        |index, value| if index >= 24 * 32 { 0.0 } else { value },
    );
    let result = run(&pruned);
    assert_survives(&result);
    let section = result.substitution().unwrap();
    let [left_out] = &section.left_out[..] else {
        panic!("{:?}", section.left_out)
    };
    assert_eq!(
        (left_out.series.to_string().as_str(), left_out.prompts),
        ("NMH 1.3 output", 10)
    );
    assert_eq!(
        (left_out.side, left_out.why),
        (Some(Side::Query), OmissionReason::Constant)
    );
    for histogram in HistogramId::ALL {
        assert_eq!(result.series(histogram).len(), 5, "{histogram}");
    }
    assert!(
        result.left_out()[0].contains("head 1.3 writes nothing"),
        "{:?}",
        result.left_out()
    );
    assert!(result.contributions().unwrap().left_out.is_empty());
    let (found, expected) = (mean_true_score(&result), expected_true_score(&pruned));
    assert!((found - expected).abs() < TOLERANCE, "{found} against {expected}");
    // Another earlier head has all its series.
    let other = run_with(&pruned, "1.2");
    assert!(other.left_out().is_empty() && other.series(HistogramId::KeysFixedScores).len() == 6);
}

#[test]
fn heatmaps_of_an_ablated_mlp_are_left_out() {
    let mut tensors = tensors();
    for name in ["h.0.mlp.c_proj.weight", "h.0.mlp.c_proj.bias"] {
        tensors.get_mut(name).unwrap().2.fill(0);
    }
    let result = run(&with_tensors(&tensors));
    assert_survives(&result);
    let section = result.contributions().unwrap();
    assert!(
        section
            .left_out
            .iter()
            .all(|left_out| (left_out.prompts, left_out.why) == (10, OmissionReason::Constant))
    );
    let names: Vec<String> = section
        .left_out
        .iter()
        .map(|left_out| left_out.heatmap.to_string())
        .collect();
    assert!(
        names.contains(&"query_subMLP0".to_owned()) && names.iter().any(|name| name.contains("par k par")),
        "{names:?}"
    );
    assert!(section.heatmaps.contains_key(&HeatmapId::KEY) && section.heatmaps.contains_key(&HeatmapId::QUERY));
    // MLP 0's output for the effective embedding is 0, too.
    let sentences = result.left_out().join("\n");
    assert!(
        sentences.contains("W_EE_subE[IO] is left out") && sentences.contains("query_subMLP0"),
        "{sentences}"
    );
}

#[test]
fn numbers_too_large_for_single_precision_are_left_out_and_said() {
    // Scores beyond f32 in layer 2 alone: nothing before it is touched.
    let large = changed("h.2.attn.c_attn.weight", |_, value| value * 1e20);
    let result = run(&large);
    assert_survives(&result);
    let left_out = result.left_out().join("\n");
    assert!(
        left_out.contains("true score") && left_out.contains("too large for single precision"),
        "{left_out}"
    );
    assert!(results::true_score(&result).is_empty());

    // Large, but not too large: relative to the sum of their sizes, contributions add up as ever.
    let result = run(&changed("h.2.attn.c_attn.weight", |_, value| value * 300.0));
    assert!(result.left_out().is_empty() && mean_true_score(&result).abs() > 1e3);
    let key = results::key(&result);
    let (absolute, relative) = (key.max_abs_residual.unwrap(), key.max_relative_residual.unwrap());
    assert!(absolute > 1e-3 && relative < 1e-6, "{absolute}, relative {relative}");
    assert_survives(&result);
}

#[test]
fn transposed_maps_are_called_so() {
    let mut tensors = tensors();
    for (name, (_, shape, bytes)) in &mut tensors {
        if name.starts_with("h.") && shape.len() == 2 {
            let values = common::f32_values(bytes);
            let (rows, columns) = (shape[0], shape[1]);
            let transposed = (0..columns).flat_map(|column| (0..rows).map(move |row| row * columns + column));
            *bytes = transposed.flat_map(|index| values[index].to_le_bytes()).collect();
            shape.reverse();
        }
    }
    let refused = open_error(with_tensors(&tensors));
    assert!(refused.to_string().contains("looks transposed"), "{refused}");
}
