//! Rows that several passes of a run have in common: the first pass that has a row computes it and lends it to the
//! others.

use std::cell::RefCell;
use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::rc::Rc;

use crate::error::Result;
use crate::forward::PrefixTree;
use crate::forward::tap::{Captured, Tap, TapSink};
use crate::names::HookPoint;

/// The rows that one pass lends and borrows. Borrowed rows are the first rows of its tree.
pub(super) struct SharedPrefixes {
    lent: Rc<RefCell<LentRows>>,
    /// Lent rows, each with its slot in [`LentRows`].
    lends: Vec<(usize, usize)>,
    borrows: Vec<BorrowedRow>,
    /// Values that other passes have captured for its taps.
    captured: Rc<RefCell<Vec<RelayedValues>>>,
}

/// A row that another pass computes.
#[derive(Clone, Copy)]
struct BorrowedRow {
    /// Number of the pass that computes the row.
    owner: usize,
    /// Number of the row in that pass.
    row: usize,
    /// The slot in [`LentRows`].
    slot: usize,
}

/// Activations of the lent rows of all passes of a run, by slot.
type LentRows = Vec<LentRow>;

/// Activations of one row, freed with the last pass that borrows them. Before they were freed, and with queries, the
/// notebook's run in a browser took 445 MB at most instead of 418.
#[derive(Default)]
struct LentRow {
    /// Keys and values by layer, `[2 * d_model]` each. Nobody borrows a query.
    keys_and_values: Vec<Box<[f32]>>,
    /// The residual stream after the last layer of the run, `[d_model]`.
    resid: Box<[f32]>,
    /// Number of passes that borrow the row and have not finished.
    borrowers: usize,
}

/// Captured values for row number `index` of tap number `tap`.
struct RelayedValues {
    tap: usize,
    index: usize,
    values: Vec<f32>,
}

impl SharedPrefixes {
    /// For each of `batches` of sequences, its tree and the rows shared with other batches (None if there are none).
    /// Each common prefix is computed by one batch only.
    pub(super) fn of_batches(batches: &[Vec<&[u32]>]) -> Vec<(PrefixTree, Option<Self>)> {
        let mut all = AllRows::default();
        let paths: Vec<Vec<Vec<usize>>> = (0..)
            .zip(batches)
            .map(|(batch, sequences)| all.paths(batch, sequences))
            .collect();
        let slots = all.lend();
        let lent = Rc::new(RefCell::new(LentRows::new()));
        lent.borrow_mut().resize_with(slots, LentRow::default);
        let trees = (0..).zip(paths).map(|(batch, paths)| {
            let (tree, lends, borrows) = all.tree(batch, paths);
            for borrowed in &borrows {
                lent.borrow_mut()[borrowed.slot].borrowers += 1;
            }
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

    /// Number of borrowed rows.
    pub(super) fn borrowed(&self) -> usize {
        self.borrows.len()
    }

    /// The taps to add to other passes, because tap `number` covers borrowed rows; each with the number of the pass.
    pub(super) fn relayed(&self, number: usize, tap: &Tap) -> Vec<(usize, Tap)> {
        // By owner: its rows, and their indices in the tap.
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

    /// Appends queries, keys and values of the borrowed rows in `layer`, `[rows, 3 * d_model]`, to `qkv`. Queries are 0: nothing is computed
    /// from them.
    pub(super) fn borrow_qkv(&self, layer: usize, d_model: usize, qkv: &mut Vec<f32>) {
        let lent = self.lent.borrow();
        for borrowed in &self.borrows {
            qkv.resize(qkv.len() + d_model, 0.0);
            qkv.extend_from_slice(&lent[borrowed.slot].keys_and_values[layer]);
        }
    }

    /// The rows that it lends, ascending.
    pub(super) fn lent(&self) -> Vec<usize> {
        self.lends.iter().map(|(row, _)| *row).collect()
    }

    /// Lends the queries, keys and values in `layer`, `qkv [lent rows, 3 * d_model]`, of all rows that other passes borrow.
    pub(super) fn lend_qkv(&self, layer: usize, d_model: usize, qkv: &[f32]) {
        self.lend(layer, d_model, qkv.chunks_exact(3 * d_model));
    }

    /// The same from `qkv [rows, 3 * d_model]` of all rows of the pass from `first_row` on.
    pub(super) fn lend_qkv_of_all(&self, layer: usize, d_model: usize, (first_row, qkv): (usize, &[f32])) {
        let width = 3 * d_model;
        let rows = self
            .lends
            .iter()
            .map(|(row, _)| &qkv[(row - first_row) * width..][..width]);
        self.lend(layer, d_model, rows);
    }

    fn lend<'a>(&self, layer: usize, d_model: usize, rows: impl Iterator<Item = &'a [f32]>) {
        let mut lent = self.lent.borrow_mut();
        for ((_, slot), qkv) in self.lends.iter().zip(rows) {
            let layers = &mut lent[*slot].keys_and_values;
            if layers.len() <= layer {
                layers.resize(layer + 1, Box::default());
            }
            layers[layer] = qkv[d_model..].into();
        }
    }

    /// Lends its part of the residual stream after the last layer, and fills in the borrowed part. Borrows nothing afterwards.
    pub(super) fn exchange_resid(&self, d_model: usize, resid: &mut [f32]) {
        let mut lent = self.lent.borrow_mut();
        for (row, slot) in &self.lends {
            lent[*slot].resid = resid[row * d_model..][..d_model].into();
        }
        for (to, borrowed) in resid.chunks_exact_mut(d_model).zip(&self.borrows) {
            let lent = &mut lent[borrowed.slot];
            to.copy_from_slice(&lent.resid);
            lent.borrowers = lent.borrowers.saturating_sub(1);
            if lent.borrowers == 0 {
                *lent = LentRow::default();
            }
        }
    }

    /// Stores the values that other passes have captured for it.
    pub(super) fn take_captured(&self, captured: &mut [Captured]) {
        for RelayedValues { tap, index, values } in self.captured.borrow_mut().drain(..) {
            captured[tap].set_row(index, &values);
        }
    }
}

/// Passes captured values on to the sink of another pass's tap.
struct ToSink {
    sink: Rc<RefCell<dyn TapSink>>,
    /// For each row its index in that tap.
    indices: Vec<usize>,
}

impl TapSink for ToSink {
    fn take(&mut self, point: HookPoint, indices: &[usize], values: &[f32]) -> Result<()> {
        let indices: Vec<usize> = indices.iter().map(|&index| self.indices[index]).collect();
        self.sink.borrow_mut().take(point, &indices, values)
    }
}

/// Collects captured values for another pass's tap.
struct ToCaptured {
    captured: Rc<RefCell<Vec<RelayedValues>>>,
    tap: usize,
    /// For each row its index in that tap.
    indices: Vec<usize>,
}

impl TapSink for ToCaptured {
    fn take(&mut self, _point: HookPoint, indices: &[usize], values: &[f32]) -> Result<()> {
        // One row at a time, because rows of scores differ in length.
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

/// All rows of all batches, with shared prefixes merged.
#[derive(Default)]
struct AllRows {
    of_prefix: HashMap<(Option<usize>, u32), usize>,
    rows: Vec<MergedRow>,
}

struct MergedRow {
    token: u32,
    position: usize,
    parent: Option<usize>,
    /// The first batch that has the row, and the row's number there.
    owner: usize,
    in_owner: usize,
    borrowed: bool,
    /// The slot in [`LentRows`], if it is borrowed.
    slot: usize,
}

impl AllRows {
    /// The rows of a batch's sequences, by position.
    fn paths(&mut self, batch: usize, sequences: &[&[u32]]) -> Vec<Vec<usize>> {
        let path = |sequence: &&[u32]| {
            let mut parent = None;
            let rows = sequence.iter().enumerate().map(|(position, &token)| {
                let row = match self.of_prefix.entry((parent, token)) {
                    Entry::Occupied(entry) => *entry.get(),
                    Entry::Vacant(entry) => {
                        self.rows.push(MergedRow {
                            token,
                            position,
                            parent,
                            owner: batch,
                            in_owner: 0,
                            borrowed: false,
                            slot: 0,
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

    /// Assigns a slot to every borrowed row. Returns the number of slots.
    fn lend(&mut self) -> usize {
        let borrowed = self.rows.iter_mut().filter(|row| row.borrowed);
        borrowed.zip(0..).map(|(row, slot)| row.slot = slot).count()
    }

    /// The tree of a batch with these `paths`, borrowed rows first; also the rows it lends and borrows. Call it for the
    /// batches in order.
    fn tree(&mut self, batch: usize, paths: Vec<Vec<usize>>) -> (PrefixTree, Vec<(usize, usize)>, Vec<BorrowedRow>) {
        let mut rows: Vec<usize> = paths.iter().flatten().copied().collect();
        // Parents before children: all ancestors of a borrowed row are borrowed, too.
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
                    slot: row.slot,
                });
                continue;
            }
            row.in_owner = here;
            if row.borrowed {
                lends.push((here, row.slot));
            }
        }
        let in_tree = |path: Vec<usize>| path.iter().filter_map(|row| of_row.get(row).copied()).collect();
        tree.set_paths(paths.into_iter().map(in_tree).collect());
        (tree, lends, borrows)
    }
}
