//! Captures and edits: golden numbers, properties of any edit, and rejected requests.

#![allow(clippy::unwrap_used)]

mod common;
mod golden_file;

use std::cell::RefCell;

use common::engines::{engines, model_on, was_computed_by};
use common::{block_on, tiny};
use futures::future::LocalBoxFuture;
use golden_file::pairs::{self, PAIR_ARRAYS};
use golden_file::{Golden, fixture, largest_difference};
use keyside::ErrorKind;
use keyside::checkpoint::Traffic;
use keyside::forward::{Edit, Model, Monitor, NoMonitor, Pass, PrefixTree, Request, Tap, Variant};
use keyside::model::Processing;
use keyside::names::{BlockHook, HookPoint};

const TOLERANCE: f32 = 1e-4;
/// For edits that change nothing.
const NOTHING: f32 = 1e-5;

fn model() -> Model {
    block_on(Model::open(Box::new(tiny()), Processing::default())).unwrap()
}

/// A sentence through all layers, with everything captured at every position.
fn everything(model: &mut Model, text: &str) -> Pass {
    let tokens = model.tokenizer().encode(text).unwrap();
    let tree = PrefixTree::new([&tokens[..]]);
    let rows: Vec<usize> = tree.path(0).to_vec();
    let taps = points(model).into_iter().map(|point| Tap::new(point, rows.clone()));
    let request = Request {
        keep_from: Some(0),
        ..Request::of(taps.collect())
    };
    let mut passes = [Pass::new(tree, request)];
    let layers = model.config().n_layer;
    block_on(model.run(&mut passes, layers, &NoMonitor)).unwrap();
    let [pass] = passes;
    pass
}

/// Every hook point of the model.
fn points(model: &Model) -> Vec<HookPoint> {
    let layers = 0..model.config().n_layer;
    let blocks = layers.flat_map(|layer| BlockHook::ALL.map(|hook| HookPoint::block(layer, hook)));
    blocks.chain([HookPoint::LnFinalScale]).collect()
}

/// The edits of one activation at `position` that put back what was there, one a head where heads have their own.
fn back(model: &Model, pass: &Pass, tap: usize, position: usize) -> Vec<Edit> {
    let point = pass.request.taps[tap].point;
    let row = pass.captured[tap].row(position);
    let edit = |head, value: &[f32]| Edit {
        point,
        head,
        position,
        value: value.to_vec(),
    };
    if point.is_of_head() {
        let width = row.len() / model.config().n_head;
        let heads = row.chunks_exact(width).enumerate();
        heads.map(|(head, value)| edit(Some(head), value)).collect()
    } else {
        vec![edit(None, row)]
    }
}

fn variant(edits: Vec<Edit>) -> Variant {
    Variant {
        edits,
        ..Variant::default()
    }
}

#[test]
fn eight_pairs_through_taps_and_edits() {
    for engine in engines() {
        let mut golden = Golden::without_file(TOLERANCE);
        let mut model = model_on(engine);
        for case in pairs::Case::all(&model, &fixture("pairs-golden.json")) {
            block_on(pairs::check(&mut model, &mut golden, &case));
        }
        assert_eq!(golden.compared, PAIR_ARRAYS);
        golden.finish();
        was_computed_by(engine, model);
    }
}

#[test]
fn what_is_put_back_changes_nothing() {
    for processing in [
        Processing::default(),
        Processing {
            fold_ln: false,
            center_writing_weights: false,
            center_unembed: false,
            fold_value_biases: false,
        },
    ] {
        let mut model = block_on(Model::open(Box::new(tiny()), processing)).unwrap();
        let pass = everything(&mut model, "When Mary and John went to the store");
        let positions = pass.tree.len();
        let mut names = Vec::new();
        let mut variants = Vec::new();
        for (tap, Tap { point, .. }) in pass.request.taps.iter().enumerate() {
            if !matches!(
                point,
                HookPoint::Block {
                    hook: BlockHook::Result,
                    ..
                }
            ) {
                for position in [0, positions / 2, positions - 1] {
                    names.push(format!("{point} at {position}"));
                    variants.push(variant(back(&model, &pass, tap, position)));
                }
            }
        }
        let mut edited = [pass.edited(model.config(), &variants).unwrap()];
        let layers = model.config().n_layer;
        block_on(model.run(&mut edited, layers, &NoMonitor)).unwrap();
        let before = block_on(model.logits(&pass, pass.tree.path(0), &NoMonitor)).unwrap();
        let mut largest = 0f32;
        for (index, name) in names.iter().enumerate() {
            let rows = edited[0].tree.path(index);
            assert_eq!(rows.len(), positions, "{name}");
            let after = block_on(model.logits(&edited[0], rows, &NoMonitor)).unwrap();
            let difference = largest_difference(&after.concat(), &before.concat());
            assert!(difference <= NOTHING, "{name}: {difference:.2e}");
            largest = largest.max(difference);
        }
        println!(
            "{} edits that change nothing: largest difference {largest:.2e}",
            names.len()
        );
        // Thirteen activations of three layers, and the last scale, at three positions each.
        assert_eq!(names.len(), 3 * (13 * 3 + 1));
    }
}

#[test]
fn every_edit_changes_what_comes_after_and_nothing_before() {
    let mut model = model();
    let pass = everything(&mut model, "When Mary and John went to the store");
    let at = 4;
    let mut tried = 0;
    for (tap, Tap { point, .. }) in pass.request.taps.iter().enumerate() {
        if matches!(
            point,
            HookPoint::Block {
                hook: BlockHook::Result,
                ..
            }
        ) {
            continue;
        }
        let mut edits = back(&model, &pass, tap, at);
        let edit = &mut edits[0];
        edit.value
            .iter_mut()
            .enumerate()
            .for_each(|(i, v)| *v = 1.5 * *v + 0.01 * (i + 1) as f32);
        let mut edited = [pass.edited(model.config(), &[variant(vec![edits[0].clone()])]).unwrap()];
        let layers = model.config().n_layer;
        block_on(model.run(&mut edited, layers, &NoMonitor)).unwrap();
        let rows = edited[0].tree.path(0);
        assert_eq!(
            rows[..at],
            pass.tree.path(0)[..at],
            "{point}: nothing before is computed again"
        );
        let before = block_on(model.logits(&pass, &[pass.tree.path(0)[at]], &NoMonitor)).unwrap();
        let after = block_on(model.logits(&edited[0], &[rows[at]], &NoMonitor)).unwrap();
        let difference = largest_difference(&before[0], &after[0]);
        println!("{point}: {difference:.2e}");
        assert!(difference > 1e-4, "{point}: an edit has an effect");
        tried += 1;
    }
    assert_eq!(tried, 13 * 3 + 1);
}

/// Counts positions by layer.
#[derive(Default)]
struct Counter(RefCell<Vec<(usize, usize)>>);

impl Monitor for Counter {
    fn waiting(&self) {}

    fn computing(&self) {}

    fn loaded(&self, _bytes: u64, _traffic: &Traffic) {}

    fn computed(&self, _pass: usize, layer: usize, positions: usize) {
        let mut counted = self.0.borrow_mut();
        match counted.last_mut() {
            Some((of, count)) if *of == layer => *count += positions,
            _ => counted.push((layer, positions)),
        }
    }

    fn yield_now(&self) -> LocalBoxFuture<'_, keyside::Result<()>> {
        Box::pin(std::future::ready(Ok(())))
    }
}

#[test]
fn only_what_can_change_is_computed_again() {
    let mut model = model();
    let pass = everything(&mut model, "When Mary and John went to the store");
    let (positions, d_head) = (pass.tree.len(), model.config().d_head());
    let zero = |hook, layer, position| variant(vec![Edit::of_head(layer, hook, 1, position, vec![0.0; d_head])]);
    let mut computed = |variants: &[Variant]| {
        let counter = Counter::default();
        let mut edited = [pass.edited(model.config(), variants).unwrap()];
        block_on(model.run(&mut edited, 3, &counter)).unwrap();
        counter.0.into_inner()
    };
    // A query is its own row's alone in its layer, a key is seen by all later rows at once.
    assert_eq!(computed(&[zero(BlockHook::Q, 1, 5)]), [(1, 1), (2, positions - 5)]);
    assert_eq!(
        computed(&[zero(BlockHook::K, 1, 5)]),
        [(1, positions - 5), (2, positions - 5)]
    );
    let until = Variant {
        until: Some(6),
        ..zero(BlockHook::V, 2, 5)
    };
    assert_eq!(computed(std::slice::from_ref(&until)), [(2, 2)]);
    // Several at once go through a block together.
    assert_eq!(computed(&[zero(BlockHook::Q, 2, 5), until]), [(2, 3)]);
    assert!(computed(&[variant(Vec::new())]).is_empty());
}

#[test]
fn sentences_with_a_shared_beginning_are_edited_one_by_one() {
    let mut model = model();
    let (one, other) = (
        "When Mary and John went to the store",
        "When Mary and John went to the garden",
    );
    let tokens = [one, other].map(|text| model.tokenizer().encode(text).unwrap());
    let run = |model: &mut Model, sequences: &[Vec<u32>]| {
        let tree = PrefixTree::new(sequences.iter().map(Vec::as_slice));
        let request = Request {
            keep_from: Some(1),
            ..Request::default()
        };
        let mut passes = [Pass::new(tree, request)];
        block_on(model.run(&mut passes, 3, &NoMonitor)).unwrap();
        let [pass] = passes;
        pass
    };
    let edits = vec![Edit::of_head(1, BlockHook::V, 2, 1, vec![0.5; 8])];
    let logits = |model: &mut Model, pass: &Pass, sequence: usize| {
        let variant = Variant {
            sequence,
            edits: edits.clone(),
            ..Variant::default()
        };
        let mut edited = [pass.edited(model.config(), &[variant]).unwrap()];
        block_on(model.run(&mut edited, 3, &NoMonitor)).unwrap();
        let last = *edited[0].tree.path(0).last().unwrap();
        block_on(model.logits(&edited[0], &[last], &NoMonitor))
            .unwrap()
            .remove(0)
    };
    let together = run(&mut model, &tokens);
    for (sequence, tokens) in tokens.iter().enumerate() {
        let alone = run(&mut model, std::slice::from_ref(tokens));
        let found = logits(&mut model, &together, sequence);
        let difference = largest_difference(&found, &logits(&mut model, &alone, 0));
        assert!(difference <= NOTHING, "{difference:.2e}");
        let last = *alone.tree.path(0).last().unwrap();
        let unedited = block_on(model.logits(&alone, &[last], &NoMonitor)).unwrap();
        assert!(largest_difference(&found, &unedited[0]) > 1e-3);
    }
}

#[test]
fn edits_of_what_is_not_there_are_refused() {
    let mut model = model();
    let pass = everything(&mut model, "When Mary and John");
    let last = pass.tree.len() - 1;
    let of_head =
        |layer, hook, head, position, width| vec![Edit::of_head(layer, hook, head, position, vec![0.0; width])];
    let no_head = |hook, width| {
        vec![Edit {
            point: HookPoint::block(1, hook),
            head: None,
            position: 0,
            value: vec![0.0; width],
        }]
    };
    let cases = [
        (
            of_head(3, BlockHook::Q, 0, 0, 8),
            "there is no layer 3; expected a layer from 0 to 2",
        ),
        (
            of_head(1, BlockHook::Q, 4, 0, 8),
            "for head 4; expected a head from 0 to 3",
        ),
        (no_head(BlockHook::Q, 8), "for no head; expected a head from 0 to 3"),
        (of_head(1, BlockHook::MlpOut, 0, 0, 32), "for head 0; expected no head"),
        (
            of_head(1, BlockHook::Q, 0, 9, 8),
            "at position 9; expected a position from 0 to",
        ),
        (
            of_head(1, BlockHook::Q, 0, 0, 7),
            "blocks.1.attn.hook_q has 7 numbers; expected 8",
        ),
        (of_head(1, BlockHook::Pattern, 0, last, last), "numbers; expected"),
        (
            of_head(1, BlockHook::Result, 0, 0, 32),
            "can be captured, but not edited. Edit attn.hook_z",
        ),
        (no_head(BlockHook::MlpPost, 32), "has 32 numbers; expected 128"),
    ];
    for (edits, part) in cases {
        let error = pass.edited(model.config(), &[variant(edits)]).err().expect(part);
        assert_eq!(error.kind, ErrorKind::Request);
        assert!(error.to_string().contains(part), "{error}");
    }
    let mut infinite = of_head(1, BlockHook::Q, 0, 0, 8);
    infinite[0].value[3] = f32::NAN;
    let error = pass.edited(model.config(), &[variant(infinite)]).err().unwrap();
    assert!(error.to_string().contains("number 3 of the vector"), "{error}");
    let missing = Variant {
        sequence: 1,
        ..Variant::default()
    };
    let error = pass.edited(model.config(), &[missing]).err().unwrap();
    assert!(error.to_string().contains("no sequence 1"), "{error}");
    let fresh = Pass::new(PrefixTree::new([&[1u32, 2][..]]), Request::default());
    let error = fresh.edited(model.config(), &[]).err().unwrap();
    assert!(error.to_string().contains("has not kept its layers"), "{error}");
}

#[test]
fn taps_of_what_is_not_there_are_refused() {
    let mut model = model();
    let mut run = |tap: Tap, layers: usize| {
        let mut passes = [Pass::new(PrefixTree::new([&[1u32, 2][..]]), Request::of(vec![tap]))];
        block_on(model.run(&mut passes, layers, &NoMonitor))
    };
    let q = |layer| HookPoint::block(layer, BlockHook::Q);
    let cases = [
        (
            Tap::new(q(3), vec![0]),
            3,
            "there is no blocks.3.attn.hook_q in this model",
        ),
        (Tap::new(q(2), vec![0]), 2, "not computed by a run of 2 layers"),
        (
            Tap::new(q(0), vec![0]).of_head(4),
            3,
            "head 4 of blocks.0.attn.hook_q does not exist",
        ),
        (Tap::new(q(0), vec![2]), 3, "row 2 is not computed by this pass"),
        (
            Tap::new(HookPoint::LnFinalScale, vec![0]),
            2,
            "not computed by a run of 2 layers",
        ),
    ];
    for (tap, layers, part) in cases {
        let error = run(tap, layers).expect_err(part);
        assert_eq!(error.kind, ErrorKind::Request);
        assert!(error.to_string().contains(part), "{error}");
    }
    run(Tap::new(q(2), vec![0, 1, 0]), 3).unwrap();
    let pass = everything(&mut model, "When Mary");
    assert_eq!(pass.captured.len(), 14 * 3 + 1);
    assert!(
        pass.captured
            .iter()
            .all(|captured| captured.values.iter().any(|v| *v != 0.0))
    );
    let error = block_on(model.logits(&pass, &[2], &NoMonitor)).unwrap_err();
    assert!(error.to_string().contains("no row 2"), "{error}");
}

#[test]
fn a_variant_that_reads_its_last_position_alone_has_the_same_there() {
    let mut model = model();
    let pass = everything(&mut model, "When Mary and John went to the store");
    let layers = model.config().n_layer;
    let last = pass.tree.len() - 1;
    let mut variants = Vec::new();
    for layer in 0..layers {
        let (d, d_head) = (model.config().d_model, model.config().d_head());
        let value = |count: usize| (0..count).map(|index| (index as f32 * 0.7).sin()).collect::<Vec<_>>();
        for position in [1, last] {
            variants.push(variant(vec![
                Edit::of_head(layer, BlockHook::KInput, 1, position, value(d)),
                Edit::of_head(layer, BlockHook::V, 2, 3.min(position), value(d_head)),
            ]));
            variants.push(variant(vec![Edit {
                point: HookPoint::block(layer, BlockHook::ResidPre),
                head: None,
                position,
                value: value(d),
            }]));
            variants.push(variant(vec![Edit::of_head(
                layer,
                BlockHook::Z,
                0,
                position,
                value(d_head),
            )]));
        }
    }
    let whole = &mut [pass.edited(model.config(), &variants).unwrap()];
    variants.iter_mut().for_each(|variant| variant.only_last = true);
    let only_last = &mut [pass.edited(model.config(), &variants).unwrap()];
    let rows = |pass: &Pass| {
        (0..variants.len())
            .map(|index| pass.tree.path(index)[last])
            .collect::<Vec<_>>()
    };
    for pass in [&mut whole[0], &mut only_last[0]] {
        let last_rows = rows(pass);
        let taps = points(&model)
            .into_iter()
            .map(|point| Tap::new(point, last_rows.clone()));
        pass.request.taps = taps.collect();
    }
    block_on(model.run(whole, layers, &NoMonitor)).unwrap();
    block_on(model.run(only_last, layers, &NoMonitor)).unwrap();
    for (found, expected) in only_last[0].captured.iter().zip(&whole[0].captured) {
        assert!(largest_difference(&found.values, &expected.values) <= NOTHING);
    }
    let logits = |pass: &Pass| block_on(model.logits(pass, &rows(pass), &NoMonitor)).unwrap().concat();
    assert!(largest_difference(&logits(&only_last[0]), &logits(&whole[0])) <= NOTHING);

    // Rows that are not computed can't be captured.
    let before = only_last[0].tree.path(0)[last - 1];
    let error = block_on(model.logits(&only_last[0], &[before], &NoMonitor)).unwrap_err();
    assert!(error.cause.contains("has no logits"), "{error}");
    for point in [
        HookPoint::block(layers - 1, BlockHook::Pattern),
        HookPoint::LnFinalScale,
    ] {
        let again = &mut [pass.edited(model.config(), &variants).unwrap()];
        again[0].request.taps = vec![Tap::new(point, vec![before])];
        let error = block_on(model.run(again, layers, &NoMonitor)).unwrap_err();
        assert!(error.cause.contains("only the last position is read"), "{error}");
    }
    let again = &mut [pass.edited(model.config(), &variants).unwrap()];
    let point = HookPoint::block(layers - 1, BlockHook::K);
    again[0].request.taps = vec![Tap::new(point, vec![before])];
    block_on(model.run(again, layers, &NoMonitor)).unwrap();
}
