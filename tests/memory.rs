//! Models with less memory than their blocks need: where a run is possible, it gives the same numbers; otherwise the
//! error says so.

#![allow(clippy::unwrap_used)]

mod common;

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::ops::Range;
use std::rc::Rc;

use common::block_on;
use keyside::checkpoint::FileSource;
use keyside::error::{Error, ErrorKind, Result};
use keyside::forward::{ComputeResources, Kernels, Linear, Model, NativeKernels, NoMonitor, TreeAttention};
use keyside::model::Processing;
use keyside::names::EngineName;

/// Kernels that hold `most` numbers of matrices at once.
struct Small {
    kernels: NativeKernels,
    most: usize,
    /// Numbers of each matrix that is held.
    held: RefCell<BTreeMap<usize, usize>>,
    /// The most that were held.
    peak: RefCell<usize>,
}

impl Kernels for Small {
    fn name(&self) -> EngineName {
        self.kernels.name()
    }

    fn threads(&self) -> usize {
        self.kernels.threads()
    }

    fn pack(&self, values: &[f32], rows: usize, columns: usize) -> Result<usize> {
        let mut held = self.held.borrow_mut();
        let after = held.values().sum::<usize>() + values.len();
        if after > self.most {
            return Err(Error::new(ErrorKind::Memory, "there is no more memory"));
        }
        let number = self.kernels.pack(values, rows, columns)?;
        held.insert(number, values.len());
        self.peak.replace_with(|peak| after.max(*peak));
        Ok(number)
    }

    fn free(&self, matrix: usize) {
        self.held.borrow_mut().remove(&matrix);
        self.kernels.free(matrix);
    }

    fn elements(&self, matrix: usize, rows: Range<usize>, columns: Range<usize>) -> Result<Vec<f32>> {
        self.kernels.elements(matrix, rows, columns)
    }

    fn product(&self, x: &[f32], linear: Linear<'_>, out: &mut Vec<f32>) -> Result<()> {
        self.kernels.product(x, linear, out)
    }

    fn two_products(&self, x: &[f32], first: Linear<'_>, second: Linear<'_>, out: &mut Vec<f32>) -> Result<()> {
        self.kernels.two_products(x, first, second, out)
    }

    fn attention(&self, attention: TreeAttention<'_>) -> Result<Vec<f32>> {
        self.kernels.attention(attention)
    }
}

/// Log-probabilities after two texts, twice, of the stand-in with room for `blocks` of its four blocks; and how many numbers were held.
fn log_probs(blocks: f64) -> (Result<[Vec<Vec<f32>>; 2]>, usize) {
    let source = Box::new(FileSource::new("tests/fixtures/stand-in"));
    let mut model = block_on(Model::open(source, Processing::default())).unwrap();
    let block = 12 * model.config().d_model.pow(2);
    let kernels = Rc::new(Small {
        kernels: NativeKernels::new(1),
        most: (blocks * block as f64) as usize,
        held: RefCell::default(),
        peak: RefCell::default(),
    });
    model.set_engine(ComputeResources {
        kernels: Some(Rc::clone(&kernels) as Rc<dyn Kernels>),
        ..ComputeResources::default()
    });
    let texts = ["When Mary and John went to the store,", "Then Tom"];
    let tokens = texts.map(|text| model.tokenizer().encode(text).unwrap());
    let sequences: Vec<&[u32]> = tokens.iter().map(Vec::as_slice).collect();
    let mut once = || block_on(model.log_probs(&sequences, &NoMonitor));
    let found = once().and_then(|first| Ok([first, once()?]));
    drop(model);
    assert!(kernels.held.borrow().is_empty(), "memory is given back");
    let peak = *kernels.peak.borrow();
    (found, peak)
}

#[test]
fn a_model_runs_where_two_of_its_blocks_fit() {
    let (whole, all) = log_probs(4.0);
    let whole = whole.unwrap();
    assert_eq!(whole[0], whole[1]);
    for blocks in [3.9, 3.0, 2.5, 2.0] {
        let (found, peak) = log_probs(blocks);
        assert_eq!(found.unwrap(), whole, "{blocks}");
        assert!(
            peak < all && peak as f64 <= blocks / 4.0 * all as f64,
            "{peak} of {all}"
        );
    }
}

#[test]
fn a_model_that_does_not_fit_says_so() {
    for blocks in [1.9, 1.0, 0.5, 0.0] {
        let (found, _) = log_probs(blocks);
        assert_eq!(found.unwrap_err().kind, ErrorKind::Memory, "{blocks}");
    }
}
