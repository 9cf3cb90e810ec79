//! Rows that several passes of a run have: the first of them computes them, and lends them to the others.

use std::cell::RefCell;
use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::rc::Rc;

use crate::error::Result;
use crate::forward::PrefixTree;
use crate::forward::tap::{Captured, Tap, TapSink};
use crate::names::HookPoint;

/// What one pass lends and borrows. Borrowed rows are the first ones of its tree.
pub(super) struct SharedPrefixes {
    lent: Rc<RefCell<LentRows>>,
    /// Rows that it lends, each with its place in what is lent.
    lends: Vec<(usize, usize)>,
    borrows: Vec<BorrowedRow>,
    /// What others have captured for its taps.
    captured: Rc<RefCell<Vec<RelayedValues>>>,
}

/// A row of another pass.
#[derive(Clone, Copy)]
struct BorrowedRow {
    /// Number of the pass that computes it.
    owner: usize,
    /// The row in that pass.
    row: usize,
    /// Its place in what is lent.
    place: usize,
}

/// What is lent by all passes of a run.
#[derive(Default)]
struct LentRows {
    /// Queries, keys and values by layer, `[places, 3 * d_model]` each.
    qkv: Vec<Vec<f32>>,
    /// The residual stream after the last layer that the run goes through, `[places, d_model]`.
    resid: Vec<f32>,
    places: usize,
}

/// Values of row `index` of tap `tap`.
struct RelayedValues {
    tap: usize,
    index: usize,
    values: Vec<f32>,
}

impl SharedPrefixes {
    /// The tree of each of `batches` of sequences, and what it shares with the others, if anything: no prefix is in two trees
    /// but borrowed.
    pub(super) fn of_batches(batches: &[Vec<&[u32]>]) -> Vec<(PrefixTree, Option<Self>)> {
        let mut all = AllRows::default();
        let paths: Vec<Vec<Vec<usize>>> = (0..)
            .zip(batches)
            .map(|(batch, sequences)| all.paths(batch, sequences))
            .collect();
        let lent = Rc::new(RefCell::new(LentRows {
            places: all.lend(),
            ..LentRows::default()
        }));
        let trees = (0..).zip(paths).map(|(batch, paths)| {
            let (tree, lends, borrows) = all.tree(batch, paths);
            let shares = !lends.is_empty() || !borrows.is_empty();
            let common = Self {
                lent: Rc::clone(&lent),
                lends,
                borrows,
                captured: Rc::default(),
            };
            (tree, shares.then_some(common))
        });
        trees.collect()
    }

    /// Number of rows that others compute.
    pub(super) fn borrowed(&self) -> usize {
        self.borrows.len()
    }

    /// What the owners of borrowed rows are asked for because of tap `number`, with the number of each owner.
    pub(super) fn relayed(&self, number: usize, tap: &Tap) -> Vec<(usize, Tap)> {
        // By owner: rows there, and which of the tap's rows each is.
        let mut rows: Vec<(usize, Vec<(usize, usize)>)> = Vec::new();
        for (index, &row) in tap.rows.iter().enumerate() {
            let Some(borrowed) = self.borrows.get(row) else {
                continue;
            };
            let of_row = (borrowed.row, index);
            match rows.iter_mut().find(|(owner, _)| *owner == borrowed.owner) {
                Some((_, rows)) => rows.push(of_row),
                None => rows.push((borrowed.owner, vec![of_row])),
            }
        }
        let to_owner = |(owner, mut rows): (usize, Vec<(usize, usize)>)| {
            rows.sort_unstable();
            let (rows, indices) = rows.into_iter().unzip();
            let sink: Rc<RefCell<dyn TapSink>> = match tap.sink() {
                Some(sink) => Rc::new(RefCell::new(ToSink { sink, indices })),
                None => Rc::new(RefCell::new(ToCaptured {
                    captured: Rc::clone(&self.captured),
                    tap: number,
                    indices,
                })),
            };
            (owner, tap.at(rows).into_sink(sink))
        };
        rows.into_iter().map(to_owner).collect()
    }

    /// Queries, keys and values in `layer` of the borrowed rows, `[rows, 3 * d_model]`, appended to `qkv`.
    pub(super) fn borrow_qkv(&self, layer: usize, d_model: usize, qkv: &mut Vec<f32>) {
        let lent = self.lent.borrow();
        let width = 3 * d_model;
        for borrowed in &self.borrows {
            let of_layer = lent.qkv.get(layer).map_or(&[][..], Vec::as_slice);
            qkv.extend_from_slice(&of_layer[borrowed.place * width..][..width]);
        }
    }

    /// Lends what it has of queries, keys and values in `layer`, `qkv [rows, 3 * d_model]`.
    pub(super) fn lend_qkv(&self, layer: usize, d_model: usize, qkv: &[f32]) {
        if self.lends.is_empty() {
            return;
        }
        let mut lent = self.lent.borrow_mut();
        let (width, places) = (3 * d_model, lent.places);
        while lent.qkv.len() <= layer {
            lent.qkv.push(vec![0.0; places * width]);
        }
        for (row, place) in &self.lends {
            lent.qkv[layer][place * width..][..width].copy_from_slice(&qkv[row * width..][..width]);
        }
    }

    /// Lends what it has of the residual stream after the last layer, and takes what it borrows of it.
    pub(super) fn exchange_resid(&self, d_model: usize, resid: &mut [f32]) {
        let mut lent = self.lent.borrow_mut();
        let len = lent.places * d_model;
        lent.resid.resize(len, 0.0);
        for (row, place) in &self.lends {
            lent.resid[place * d_model..][..d_model].copy_from_slice(&resid[row * d_model..][..d_model]);
        }
        for (to, borrowed) in resid.chunks_exact_mut(d_model).zip(&self.borrows) {
            to.copy_from_slice(&lent.resid[borrowed.place * d_model..][..d_model]);
        }
    }

    /// Puts what others have captured for it where it belongs.
    pub(super) fn take_captured(&self, captured: &mut [Captured]) {
        for RelayedValues { tap, index, values } in self.captured.borrow_mut().drain(..) {
            captured[tap].set_row(index, &values);
        }
    }
}

/// Hands values to the sink of another pass' tap.
struct ToSink {
    sink: Rc<RefCell<dyn TapSink>>,
    /// Which of that tap's rows each row is.
    indices: Vec<usize>,
}

impl TapSink for ToSink {
    fn take(&mut self, point: HookPoint, indices: &[usize], values: &[f32]) -> Result<()> {
        let indices: Vec<usize> = indices.iter().map(|&index| self.indices[index]).collect();
        self.sink.borrow_mut().take(point, &indices, values)
    }
}

/// Keeps values for another pass' tap.
struct ToCaptured {
    captured: Rc<RefCell<Vec<RelayedValues>>>,
    tap: usize,
    /// Which of that tap's rows each row is.
    indices: Vec<usize>,
}

impl TapSink for ToCaptured {
    fn take(&mut self, _point: HookPoint, indices: &[usize], values: &[f32]) -> Result<()> {
        // A row at a time: scores have as many values as there are sources.
        let mut captured = self.captured.borrow_mut();
        let rows = values.chunks(values.len() / indices.len().max(1));
        captured.extend(indices.iter().zip(rows).map(|(&index, values)| RelayedValues {
            tap: self.tap,
            index: self.indices[index],
            values: values.to_vec(),
        }));
        Ok(())
    }
}

/// All rows of all batches, shared prefixes once.
#[derive(Default)]
struct AllRows {
    of_prefix: HashMap<(Option<usize>, u32), usize>,
    rows: Vec<Row>,
}

struct Row {
    token: u32,
    position: usize,
    parent: Option<usize>,
    /// The first batch that has it, and its row there.
    owner: usize,
    in_owner: usize,
    borrowed: bool,
    /// Its place in what is lent, if it is borrowed.
    place: usize,
}

impl AllRows {
    /// The rows of the sequences of a batch, by position.
    fn paths(&mut self, batch: usize, sequences: &[&[u32]]) -> Vec<Vec<usize>> {
        let path = |sequence: &&[u32]| {
            let mut parent = None;
            let rows = sequence.iter().enumerate().map(|(position, &token)| {
                let row = match self.of_prefix.entry((parent, token)) {
                    Entry::Occupied(entry) => *entry.get(),
                    Entry::Vacant(entry) => {
                        self.rows.push(Row {
                            token,
                            position,
                            parent,
                            owner: batch,
                            in_owner: 0,
                            borrowed: false,
                            place: 0,
                        });
                        *entry.insert(self.rows.len() - 1)
                    }
                };
                self.rows[row].borrowed |= self.rows[row].owner != batch;
                parent = Some(row);
                row
            });
            rows.collect()
        };
        sequences.iter().map(path).collect()
    }

    /// Gives every borrowed row its place; says how many there are.
    fn lend(&mut self) -> usize {
        let borrowed = self.rows.iter_mut().filter(|row| row.borrowed);
        borrowed.zip(0..).map(|(row, place)| row.place = place).count()
    }

    /// The tree of a batch with these `paths`, whose borrowed rows come first; batches must come in their order. What it lends,
    /// and what it borrows.
    fn tree(&mut self, batch: usize, paths: Vec<Vec<usize>>) -> (PrefixTree, Vec<(usize, usize)>, Vec<BorrowedRow>) {
        let mut rows: Vec<usize> = paths.iter().flatten().copied().collect();
        // Rows after their parents: a row that is borrowed has only ancestors that are borrowed, too.
        rows.sort_unstable_by_key(|&row| (self.rows[row].owner == batch, row));
        rows.dedup();
        let (mut tree, mut lends, mut borrows) = (PrefixTree::default(), Vec::new(), Vec::new());
        let mut of_row = HashMap::new();
        for &number in &rows {
            let row = &mut self.rows[number];
            let parent = row.parent.and_then(|parent| of_row.get(&parent).copied());
            let here = tree.push(row.token, row.position, parent);
            of_row.insert(number, here);
            if row.owner != batch {
                borrows.push(BorrowedRow {
                    owner: row.owner,
                    row: row.in_owner,
                    place: row.place,
                });
                continue;
            }
            row.in_owner = here;
            if row.borrowed {
                lends.push((here, row.place));
            }
        }
        let in_tree = |path: Vec<usize>| path.iter().filter_map(|row| of_row.get(row).copied()).collect();
        tree.set_paths(paths.into_iter().map(in_tree).collect());
        (tree, lends, borrows)
    }
}
