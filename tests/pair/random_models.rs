//! Identities that hold for any model, on small random ones with other shapes and configurations than the tiny
//! checkpoint's.

use keyside::checkpoint::MemorySource;
use keyside::forward::Model;
use keyside::model::Processing;
use keyside::training::Synthetic;
use rand_mt::Mt;
use serde_json::{Value, json};

use crate::common::{block_on, f32_values, safetensors_file, tiny};
use crate::{direct, directions, intervene};

/// Tokens of the tiny checkpoint's vocabulary.
const D_VOCAB: usize = 989;

/// A kind of model.
struct ModelKind {
    layers: usize,
    heads: usize,
    d_head: usize,
    /// Whether maps and LayerNorms have biases.
    has_biases: bool,
    /// Fields of `config.json` that are not as usual.
    fields: Value,
}

/// Shapes and configurations that differ in all that may.
fn kinds() -> [ModelKind; 6] {
    let kind = |(layers, heads, d_head), has_biases, fields| ModelKind {
        layers,
        heads,
        d_head,
        has_biases,
        fields,
    };
    [
        kind((2, 2, 4), true, json!({})),
        kind((1, 4, 4), true, json!({"activation_function": "relu"})),
        kind((4, 3, 8), false, json!({"activation_function": "gelu"})),
        kind((3, 1, 12), true, json!({"scale_attn_by_inverse_layer_idx": true})),
        kind(
            (5, 5, 4),
            true,
            json!({"activation_function": "silu", "layer_norm_epsilon": 0.1}),
        ),
        kind((2, 6, 2), false, json!({"scale_attn_weights": false})),
    ]
}

/// A checkpoint of `kind` whose weights are drawn from `seed`.
fn checkpoint(kind: &ModelKind, seed: u32) -> MemorySource {
    let size = Synthetic {
        n_layer: kind.layers,
        n_head: kind.heads,
        d_model: kind.heads * kind.d_head,
        d_vocab: D_VOCAB,
        n_ctx: 32,
        seed,
    };
    let mut config: Value = serde_json::from_str(&size.config_json()).unwrap();
    let fields = kind.fields.as_object().unwrap().clone();
    config.as_object_mut().unwrap().extend(fields);
    let mut weights = Vec::new();
    size.write_safetensors(&mut weights).unwrap();
    tiny()
        .with("config.json", config.to_string())
        .with("model.safetensors", louder(&weights, kind))
}

/// The tensors of `file`, scaled so that narrow streams make scores as different as wide ones do; those without the biases that `kind` lacks.
fn louder(file: &[u8], kind: &ModelKind) -> Vec<u8> {
    let length = u64::from_le_bytes(file[..8].try_into().unwrap()) as usize;
    let header: Value = serde_json::from_slice(&file[8..8 + length]).unwrap();
    let width = (kind.heads * kind.d_head) as f32;
    let (mut entries, mut data) = (serde_json::Map::new(), Vec::new());
    for (name, entry) in header.as_object().unwrap() {
        let is_bias = name.ends_with(".bias") && !name.ends_with("attn.bias");
        if name == "__metadata__" || name.ends_with(".attn.bias") || is_bias && !kind.has_biases {
            continue;
        }
        let offsets: [usize; 2] = serde_json::from_value(entry["data_offsets"].clone()).unwrap();
        let values = f32_values(&file[8 + length..][offsets[0]..offsets[1]]);
        let factor = if name.contains("c_attn.weight") || name.contains("c_fc.weight") {
            (768.0 / width).sqrt()
        } else {
            1.0
        };
        let start = data.len();
        data.extend(values.into_iter().flat_map(|value| (value * factor).to_le_bytes()));
        let place = json!({"dtype": "F32", "shape": entry["shape"], "data_offsets": [start, data.len()]});
        entries.insert(name.clone(), place);
    }
    safetensors_file(&Value::Object(entries).to_string(), &data)
}

fn open(source: MemorySource, processing: Processing) -> Model {
    block_on(Model::open(Box::new(source), processing)).unwrap()
}

/// Does `check` of two models of every kind, each under three processings: as it is, and as processed as usual.
fn for_all(mut check: impl FnMut(&mut Model, &mut Model)) -> usize {
    let mut models = 0;
    for (number, kind) in (0..).zip(kinds()) {
        for seed in [number, 100 + number] {
            // All on, all off, and one of the others.
            let all: Vec<Processing> = intervene::processings().collect();
            for processing in [all[15], all[0], all[(1 + 5 * number as usize) % 15]] {
                let source = checkpoint(&kind, seed);
                let (mut model, mut plain) = (open(source.clone(), processing), open(source, all[15]));
                assert_eq!(model.config().d_head(), kind.d_head);
                check(&mut model, &mut plain);
                models += 1;
            }
        }
    }
    models
}

/// Pseudorandom whole numbers below a bound.
fn draws(seed: u32) -> impl FnMut(usize) -> usize {
    let mut random = Mt::new(seed);
    move |end| random.next_u32() as usize % end
}

#[test]
fn what_is_put_back_changes_nothing_in_random_models() {
    let (mut below, mut tried) = (draws(41), 0);
    let models = for_all(|model, _| tried += intervene::check_put_back(model, &mut below));
    println!("{tried} interventions in {models} models");
    assert!(models == 36 && tried > 36 * 40, "{tried} in {models}");
}

#[test]
fn layer_norm_adds_its_term_in_random_models() {
    let (mut below, mut tried, mut judged) = (draws(43), 0, 0);
    for_all(|model, _| {
        let (these, far) = intervene::check_layer_norm_terms(model, &mut below);
        (tried, judged) = (tried + these, judged + far);
    });
    println!("{judged} of {tried} terms are far above what f32 rounds");
    assert!(tried > 36 * 4 && judged * 10 > tried, "{judged} of {tried}");
}

#[test]
fn direct_effects_add_up_in_random_models() {
    let mut below = draws(47);
    assert_eq!(for_all(|model, plain| direct::check_sums(model, plain, &mut below)), 36);
}

#[test]
fn directions_add_up_in_random_models() {
    let mut below = draws(53);
    assert_eq!(for_all(|model, _| directions::check_random(model, &mut below)), 36);
}
