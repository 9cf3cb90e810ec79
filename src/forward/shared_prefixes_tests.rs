//! Compares passes that share rows with passes that compute everything themselves.

use std::cell::RefCell;
use std::rc::Rc;

use futures::executor::block_on;

use super::relay;
use super::{Model, NoMonitor, Pass, PrefixTree, Request, Tap, TapSink};
use crate::checkpoint::FileSource;
use crate::error::Result;
use crate::model::Processing;
use crate::names::{BlockHook, HookPoint};

/// All captured values, by hook point and index.
#[derive(Default)]
struct Captures(Vec<(String, usize, Vec<f32>)>);

impl TapSink for Captures {
    fn take(&mut self, point: HookPoint, indices: &[usize], values: &[f32]) -> Result<()> {
        let rows = values.chunks(values.len() / indices.len());
        self.0.extend(
            indices
                .iter()
                .zip(rows)
                .map(|(&index, values)| (point.to_string(), index, values.to_vec())),
        );
        Ok(())
    }
}

fn model() -> Model {
    let source = Box::new(FileSource::new("tests/fixtures/tiny"));
    block_on(Model::open(source, Processing::default())).unwrap()
}

/// Sequences with common beginnings, some of them equal.
fn batches() -> Vec<Vec<Vec<u32>>> {
    let mut state = 1u32;
    let mut below = |end: u32| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 16) % end
    };
    (0..7)
        .map(|_| {
            (0..5)
                .map(|_| (0..3 + below(6)).map(|_| 5 + below(2)).collect())
                .collect()
        })
        .collect()
}

/// The taps of a batch whose sequences have these `paths`: some captured, one with a sink.
fn taps(paths: &[&[usize]], rows: usize, sink: &Rc<RefCell<Captures>>) -> Vec<Tap> {
    let last: Vec<usize> = paths.iter().filter_map(|path| path.last().copied()).collect();
    let first: Vec<usize> = paths.iter().map(|path| path[path.len() / 2]).collect();
    vec![
        Tap::new(HookPoint::block(1, BlockHook::ResidPre), (0..rows).collect()),
        Tap::new(HookPoint::block(1, BlockHook::Pattern), last.clone()).of_head(1),
        Tap::new(HookPoint::LnFinalScale, last),
        Tap::new(HookPoint::block(0, BlockHook::Result), first).into_sink(Rc::clone(sink) as Rc<RefCell<dyn TapSink>>),
    ]
}

/// A point, a row's number, and its values.
type Taken = (String, usize, Vec<f32>);

/// All captured values of a batch, by sequence.
fn found(pass: &Pass, sink: &Rc<RefCell<Captures>>) -> (Vec<Vec<f32>>, Vec<Taken>) {
    let mut values: Vec<Vec<f32>> = Vec::new();
    for sequence in 0..pass.tree.sequences() {
        for &row in pass.tree.path(sequence) {
            values.push(pass.resid_at(row).to_vec());
            values.push(pass.captured[0].row(row).to_vec());
        }
        values.push(pass.captured[1].row(sequence).to_vec());
        values.push(pass.captured[2].row(sequence).to_vec());
    }
    let mut taken = std::mem::take(&mut sink.borrow_mut().0);
    taken.sort_by(|a, b| (&a.0, a.1).cmp(&(&b.0, b.1)));
    (values, taken)
}

#[test]
fn shared_rows_are_computed_once_and_known_to_all() {
    let batches = batches();
    let batches: Vec<Vec<&[u32]>> = batches
        .iter()
        .map(|batch| batch.iter().map(Vec::as_slice).collect())
        .collect();
    let all = PrefixTree::new(batches.iter().flatten().copied()).len();
    for budget in [u64::MAX, 0] {
        let mut model = model();
        model.set_block_budget(budget);
        let layers = model.config().n_layer;
        let mut passes = Pass::sharing(&batches);
        assert_eq!(passes.iter().map(Pass::computed_rows).sum::<usize>(), all);
        assert!(passes.iter().any(|pass| pass.computed_rows() < pass.tree.len()));
        let sinks: Vec<Rc<RefCell<Captures>>> = passes.iter().map(|_| Rc::default()).collect();
        for (pass, sink) in passes.iter_mut().zip(&sinks) {
            let paths: Vec<&[usize]> = (0..pass.tree.sequences())
                .map(|sequence| pass.tree.path(sequence))
                .collect();
            pass.request.taps = taps(&paths, pass.tree.len(), sink);
        }
        relay(&mut passes);
        block_on(model.run(&mut passes, layers, &NoMonitor)).unwrap();
        for ((pass, sink), sequences) in passes.iter().zip(&sinks).zip(&batches) {
            let mut alone = Pass::new(PrefixTree::new(sequences.iter().copied()), Request::default());
            let of_alone = Rc::<RefCell<Captures>>::default();
            let paths: Vec<&[usize]> = (0..sequences.len()).map(|sequence| alone.tree.path(sequence)).collect();
            alone.request.taps = taps(&paths, alone.tree.len(), &of_alone);
            block_on(model.run(std::slice::from_mut(&mut alone), layers, &NoMonitor)).unwrap();
            let ((values, taken), (expected, expected_taken)) = (found(pass, sink), found(&alone, &of_alone));
            for (values, expected) in values.iter().zip(&expected) {
                assert_eq!(values.len(), expected.len());
                assert!(
                    values.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-5),
                    "{values:?} {expected:?}"
                );
            }
            assert_eq!(taken.len(), expected_taken.len());
            for ((point, index, values), (expected_point, expected_index, expected)) in
                taken.iter().zip(&expected_taken)
            {
                assert_eq!((point, index), (expected_point, expected_index));
                assert!(values.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-5));
            }
        }
    }
}

#[test]
fn a_pass_that_borrows_keeps_no_layers() {
    let mut model = model();
    let mut passes = Pass::sharing(&[vec![&[5, 6, 7]], vec![&[5, 6, 8]]]);
    passes[1].request.keep_from = Some(0);
    let layers = model.config().n_layer;
    let error = block_on(model.run(&mut passes, layers, &NoMonitor)).unwrap_err();
    assert!(error.cause.contains("borrow"), "{error}");
}
