//! How much attention heads pay to chosen cells of their patterns. Sums are accumulated while the patterns are
//! computed; no pattern is stored.

use std::cell::RefCell;
use std::rc::Rc;

use crate::error::Result;
use crate::forward::{Model, Monitor, Pass, PrefixTree, Request, Tap, TapSink};
use crate::model::Config;
use crate::names::{BlockHook, HookPoint};

/// Number of sequences that are measured at a time.
const AT_A_TIME: usize = 64;

/// The attention of a head to a group of cells.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct CellAttention {
    /// Mean over rows of the total attention to the row's cells, from 0 to 1.
    pub mean: f64,
    /// Share of the rows in which one of the cells has more attention than any other key.
    pub largest: f64,
}

/// Cells of one row of an attention pattern.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Cells {
    /// The group they belong to. The cells of a group are averaged.
    pub(crate) group: usize,
    /// Number of the sequence.
    pub(crate) sequence: usize,
    /// Position of the query.
    pub(crate) query: usize,
    /// Positions of the keys; none after the query.
    pub(crate) keys: Vec<usize>,
}

/// Accumulates the attention to cells, row by row.
pub(crate) struct AttentionSums {
    n_layer: usize,
    n_head: usize,
    /// Rows of the pass, ascending, each with its position.
    rows: Vec<(usize, usize)>,
    /// Groups and keys of each row, in the same order.
    cells: Vec<Vec<(usize, Vec<usize>)>>,
    /// Number of rows of each group.
    counts: Vec<usize>,
    /// Sums so far, `[group, layer, head]`.
    sums: Vec<CellAttention>,
}

impl AttentionSums {
    /// Starts with zero sums for `groups` groups of cells.
    pub(crate) fn new(config: &Config, groups: usize) -> Self {
        Self {
            n_layer: config.n_layer,
            n_head: config.n_head,
            rows: Vec::new(),
            cells: Vec::new(),
            counts: vec![0; groups],
            sums: vec![CellAttention::default(); groups * config.n_layer * config.n_head],
        }
    }

    /// The taps that a pass over `tree` needs so that `cells` are added.
    pub(crate) fn taps(shared: &Rc<RefCell<Self>>, tree: &PrefixTree, cells: &[Cells]) -> Vec<Tap> {
        let mut attention_sums = shared.borrow_mut();
        let row = |cells: &Cells| tree.path(cells.sequence)[cells.query];
        let mut rows: Vec<usize> = cells.iter().map(row).collect();
        rows.sort_unstable();
        rows.dedup();
        attention_sums.cells = vec![Vec::new(); rows.len()];
        for cells in cells {
            if let Ok(index) = rows.binary_search(&row(cells)) {
                attention_sums.cells[index].push((cells.group, cells.keys.clone()));
                attention_sums.counts[cells.group] += 1;
            }
        }
        attention_sums.rows = rows.iter().map(|&row| (row, tree.position(row))).collect();
        let tap = |layer| Tap::new(HookPoint::block(layer, BlockHook::Pattern), rows.clone());
        (0..attention_sums.n_layer)
            .map(|layer| tap(layer).into_sink(Rc::clone(shared) as Rc<RefCell<dyn TapSink>>))
            .collect()
    }

    /// The result per group, `[layer][head]`; None for a group without rows.
    pub(crate) fn cell_attention(&self) -> Vec<Option<Vec<Vec<CellAttention>>>> {
        let of_groups = self.sums.chunks_exact(self.n_layer * self.n_head).zip(&self.counts);
        let mean = |look: &CellAttention, count: usize| CellAttention {
            mean: look.mean / count as f64,
            largest: look.largest / count as f64,
        };
        of_groups
            .map(|(sums, &count)| {
                let layers = sums.chunks_exact(self.n_head);
                let means = layers.map(|heads| heads.iter().map(|look| mean(look, count)).collect());
                (count > 0).then(|| means.collect())
            })
            .collect()
    }
}

impl TapSink for AttentionSums {
    fn take(&mut self, point: HookPoint, indices: &[usize], values: &[f32]) -> Result<()> {
        let HookPoint::Block { layer, .. } = point else {
            return Ok(());
        };
        let mut rest = values;
        for &index in indices {
            let width = self.rows[index].1 + 1;
            let (of_row, others) = rest.split_at(self.n_head * width);
            rest = others;
            for (head, pattern) in of_row.chunks_exact(width).enumerate() {
                for (group, keys) in &self.cells[index] {
                    let sum = &mut self.sums[(group * self.n_layer + layer) * self.n_head + head];
                    sum.mean += keys.iter().map(|&key| f64::from(pattern[key])).sum::<f64>();
                    if keys.iter().any(|&key| is_largest(pattern, key)) {
                        sum.largest += 1.0;
                    }
                }
            }
        }
        Ok(())
    }
}

/// Whether `key` has more attention than any other key.
fn is_largest(pattern: &[f32], key: usize) -> bool {
    let (before, after) = (&pattern[..key], &pattern[key + 1..]);
    before.iter().chain(after).all(|other| *other < pattern[key])
}

/// Takes `sequences` through `model` and measures the attention to the `cells` of `groups` groups, `[layer][head]`
/// each; None for a group without cells.
///
/// # Errors
/// [`crate::ErrorKind::Prompt`] for a sequence that does not fit the context, read errors, and those of `monitor`.
pub(crate) async fn measure_cells(
    model: &mut Model,
    sequences: &[Vec<u32>],
    (cells, groups): (&[Cells], usize),
    monitor: &dyn Monitor,
) -> Result<Vec<Option<Vec<Vec<CellAttention>>>>> {
    let attention_sums = Rc::new(RefCell::new(AttentionSums::new(model.config(), groups)));
    let layers = model.config().n_layer;
    for (batch, sequences) in sequences.chunks(AT_A_TIME).enumerate() {
        sequences.iter().try_for_each(|tokens| model.check_sequence(tokens))?;
        let first = batch * AT_A_TIME;
        let here = cells.iter().filter_map(|cells| {
            let sequence = cells
                .sequence
                .checked_sub(first)
                .filter(|index| *index < sequences.len())?;
            Some(Cells {
                sequence,
                ..cells.clone()
            })
        });
        let tree = PrefixTree::new(sequences.iter().map(Vec::as_slice));
        let taps = AttentionSums::taps(&attention_sums, &tree, &here.collect::<Vec<_>>());
        let mut passes = [Pass::new(tree, Request::of(taps))];
        model.run(&mut passes, layers, monitor).await?;
    }
    let cell_attention = attention_sums.borrow().cell_attention();
    Ok(cell_attention)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_in_cells_is_summed_by_group() {
        let tree = PrefixTree::new([&[7u32, 8, 9][..]]);
        let attention_sums = AttentionSums {
            n_layer: 1,
            n_head: 2,
            rows: Vec::new(),
            cells: Vec::new(),
            counts: vec![0; 3],
            sums: vec![CellAttention::default(); 6],
        };
        let shared = Rc::new(RefCell::new(attention_sums));
        let cells = |group, query, keys: &[usize]| Cells {
            group,
            sequence: 0,
            query,
            keys: keys.to_vec(),
        };
        let all = [cells(0, 1, &[0]), cells(0, 2, &[1]), cells(1, 2, &[0, 2])];
        let taps = AttentionSums::taps(&shared, &tree, &all);
        assert_eq!(taps.len(), 1);
        assert_eq!(taps[0].rows, [1, 2]);
        let mut attention_sums = shared.borrow_mut();
        let point = HookPoint::block(0, BlockHook::Pattern);
        let (of_row_1, of_row_2) = ([0.25, 0.75, 1.0, 0.0], [0.5, 0.25, 0.25, 0.0, 1.0, 0.0]);
        attention_sums.take(point, &[0], &of_row_1).expect("takes");
        attention_sums.take(point, &[1], &of_row_2).expect("takes");
        let look = |mean, largest| CellAttention { mean, largest };
        assert_eq!(
            attention_sums.cell_attention(),
            [
                Some(vec![vec![look(0.25, 0.0), look(1.0, 1.0)]]),
                Some(vec![vec![look(0.75, 1.0), look(0.0, 0.0)]]),
                None,
            ]
        );
    }
}
