//! The attention of heads on repeated random tokens.

use keyside::analysis::{MIN_ROLE_MEASURE, Probes, probe_sequences, probes};
use keyside::checkpoint::FileSource;
use keyside::forward::{Model, NoMonitor};
use keyside::model::Processing;
use keyside::names::{Head, HeadRole};

use crate::common::{block_on, tiny_changed};

const BUNDLED: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/public/models/tiny-ioi");

fn measured(mut model: Model) -> Probes {
    block_on(probes(&mut model, &NoMonitor)).unwrap()
}

#[test]
fn heads_of_the_bundled_model_are_named() {
    let source = Box::new(FileSource::new(BUNDLED));
    let found = measured(block_on(Model::open(source, Processing::default())).unwrap());
    for role in HeadRole::ALL {
        let rows = (0..3).map(|layer| found.of(role).row(layer).unwrap());
        println!("{role}: {:.3?}", rows.collect::<Vec<_>>());
    }
    let all_roles = found.roles(MIN_ROLE_MEASURE);
    println!("{all_roles:?}");
    let has = |role: HeadRole| {
        all_roles
            .iter()
            .any(|(_, roles)| roles.iter().any(|(other, _)| *other == role))
    };
    assert!(HeadRole::ALL.into_iter().all(has), "{all_roles:?}");
}

/// Without queries every head attends to all positions alike: what it measures is known.
#[test]
fn even_attention_has_known_measures() {
    let even = tiny_changed(|name, index, value| {
        let is_query = name.contains("c_attn") && index % 96 < 32;
        if is_query { 0.0 } else { value }
    });
    let processing = Processing {
        fold_ln: false,
        ..Processing::default()
    };
    let found = measured(block_on(Model::open(Box::new(even), processing)).unwrap());
    let mean = |rows: std::ops::Range<usize>| {
        let count = rows.len() as f64;
        rows.map(|row| 1.0 / (row as f64 + 1.0)).sum::<f64>() / count
    };
    for (role, expected) in [
        (HeadRole::PreviousToken, mean(1..100)),
        (HeadRole::DuplicateToken, mean(50..100)),
        (HeadRole::Induction, mean(50..100)),
    ] {
        for &value in found.of(role).data() {
            assert!(
                (f64::from(value) - expected).abs() < 1e-6,
                "{role}: {value} for {expected}"
            );
        }
    }
    assert!(found.roles(MIN_ROLE_MEASURE).is_empty());
    assert_eq!(found.roles(0.0).len(), 12);
}

/// A head that is made to look at the position before, by W_pos alone.
#[test]
fn a_head_that_looks_back_is_a_previous_token_head() {
    // W_pos has an angle of its position in its last two dimensions; head 1 of layer 0 turns the query's back by one step.
    const STEP: f32 = 0.05;
    const SHARP: f32 = 300.0;
    let made = tiny_changed(|name, index, value| match name {
        "wpe.weight" => {
            let angle = STEP * (index / 32) as f32;
            match index % 32 {
                28 => 1000.0 * angle.cos(),
                29 => -1000.0 * angle.cos(),
                30 => 1000.0 * angle.sin(),
                31 => -1000.0 * angle.sin(),
                _ => 0.0,
            }
        }
        "wte.weight" => value * 0.001,
        "h.0.ln_1.weight" => 1.0,
        "h.0.ln_1.bias" | "h.0.attn.c_attn.bias" => 0.0,
        "h.0.attn.c_attn.weight" => {
            let (row, column) = (index / 96, index % 96);
            let (sin, cos) = STEP.sin_cos();
            // The first two numbers of head 1's query and key.
            match (row, column) {
                (28, 8) | (30, 9) => SHARP * cos,
                (30, 8) => SHARP * sin,
                (28, 9) => -SHARP * sin,
                (28, 40) | (30, 41) => SHARP,
                (_, 8..16 | 40..48) => 0.0,
                _ => value,
            }
        }
        _ => value,
    });
    let found = measured(block_on(Model::open(Box::new(made), Processing::default())).unwrap());
    let head = Head::new(0, 1);
    let all_roles = found.roles(MIN_ROLE_MEASURE);
    let roles = all_roles.iter().find(|(other, _)| *other == head);
    let (_, roles) = roles.unwrap_or_else(|| panic!("{all_roles:?}, {:?}", found.previous_token));
    assert_eq!(roles.len(), 1);
    assert!(roles[0].0 == HeadRole::PreviousToken && roles[0].1 > 0.999, "{roles:?}");
}

#[test]
fn probes_fit_a_short_context() {
    let sequences = probe_sequences(989, 7);
    assert!(sequences.iter().all(|tokens| tokens.len() == 6));
    assert_eq!(probe_sequences(989, 1)[0].len(), 0);
}
