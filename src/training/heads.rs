//! Measures the attention of each head: the table of the bundled model's README.

use super::lists::ListSample;
use super::prompts::{Pairs, Sample, Split, Templates};
use super::repeats::Repeats;
use crate::analysis::{CellAttention, Cells, measure_cells};
use crate::error::Result;
use crate::forward::{Model, NoMonitor};
use crate::names::Head;
use crate::prompts::ioi::random::PythonRandom;

/// Seed and number of the prompts for the table in the README, see [`columns`].
pub const CARD_PROMPTS: (u64, usize) = (3001, 1000);

/// Length of the repeated segments, in tokens.
const SEGMENT: usize = 24;

/// Cells of attention patterns that are averaged for a column of the table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    /// The label.
    pub label: &'static str,
    /// Sequences of tokens.
    pub sequences: Vec<Vec<u32>>,
    /// The cells: number of the sequence, query position, key position.
    pub cells: Vec<[usize; 3]>,
}

impl Column {
    /// Measures all heads of `model`, `[layer][head]`.
    ///
    /// # Errors
    /// Those of [`Model::run`].
    pub fn measure(&self, model: &mut Model) -> Result<Vec<Vec<CellAttention>>> {
        let cells = self.cells.iter().map(|&[sequence, query, key]| Cells {
            group: 0,
            sequence,
            query,
            keys: vec![key],
        });
        let cells: Vec<Cells> = cells.collect();
        let found = measure_cells(model, &self.sequences, (&cells, 1), &NoMonitor);
        let found = futures::executor::block_on(found)?.pop().flatten();
        let (layers, heads) = (model.config().n_layer, model.config().n_head);
        Ok(found.unwrap_or_else(|| vec![vec![CellAttention::default(); heads]; layers]))
    }

    /// A column of one cell for each sample, from END to where `key` says.
    fn from_end(label: &'static str, samples: &[Sample], key: impl Fn(&Sample) -> usize) -> Self {
        let cell = |(index, sample): (usize, &Sample)| [index, sample.positions.end, key(sample)];
        Self {
            label,
            sequences: samples
                .iter()
                .map(|sample| sample.before_final_name().to_vec())
                .collect(),
            cells: samples.iter().enumerate().map(cell).collect(),
        }
    }

    /// A column of the cells from each predictable token of `repeats` to the key `key` positions after its first occurrence.
    fn of_repeats(label: &'static str, repeats: &[Repeats], key: usize) -> Self {
        let cells = |(index, repeats): (usize, &Repeats)| {
            let cell = |query| [index, query, repeats.first_occurrence(query) + key];
            repeats.predictable().map(cell).collect::<Vec<_>>()
        };
        Self {
            label,
            sequences: repeats.iter().map(|repeats| repeats.tokens.clone()).collect(),
            cells: repeats.iter().enumerate().flat_map(cells).collect(),
        }
    }

    /// A column of the cells from each token to the one `back` positions before it.
    fn before(label: &'static str, sequences: Vec<Vec<u32>>, back: usize) -> Self {
        let cells = |(index, tokens): (usize, &Vec<u32>)| {
            let queries = back..tokens.len();
            queries.map(move |query| [index, query, query - back])
        };
        let cells = sequences.iter().enumerate().flat_map(cells).collect();
        Self {
            label,
            sequences,
            cells,
        }
    }
}

/// Labels of the columns, in the table's order.
pub mod label {
    /// Attention from END to the indirect object where it comes first.
    pub const ABBA_IO: &str = "ABBA END → IO";
    /// From END to the subject's first occurrence where the indirect object comes first.
    pub const ABBA_S1: &str = "ABBA END → S1";
    /// From END to the subject's last occurrence where the indirect object comes first.
    pub const ABBA_S2: &str = "ABBA END → S2";
    /// From END to the indirect object where the subject comes first.
    pub const BABA_IO: &str = "BABA END → IO";
    /// From END to the subject's first occurrence where it comes first.
    pub const BABA_S1: &str = "BABA END → S1";
    /// From END to the subject's last occurrence where it comes first.
    pub const BABA_S2: &str = "BABA END → S2";
    /// From END to the answer in lists.
    pub const ANSWER: &str = "lists END → answer";
    /// To the token before, in IOI prompts and lists.
    pub const PREVIOUS_IN_TEXTS: &str = "previous token, texts";
    /// To the token before, in random tokens repeated.
    pub const PREVIOUS_IN_REPEATS: &str = "previous token, repeats";
    /// To the token two positions back, in random tokens repeated.
    pub const TWO_BACK: &str = "two back, repeats";
    /// From the second copy of random tokens to the same token in the first.
    pub const DUPLICATE: &str = "duplicate token";
    /// From the second copy of random tokens to the token after the same one in the first.
    pub const INDUCTION: &str = "induction";
}

/// The columns of the card: `prompts` IOI prompts and as many lists, drawn with `seed`, with pairs of names never seen, and a
/// tenth as many sequences of random tokens repeated once.
///
/// # Errors
/// Those of [`Split::samples`] and [`Split::lists`].
pub fn columns(model: &Model, split: &Split, (seed, prompts): (u64, usize)) -> Result<Vec<Column>> {
    let python = &mut PythonRandom::new(seed);
    let kind = (Pairs::HeldOut, Templates::Training);
    let ioi = split.samples(model.tokenizer(), python, kind, prompts)?;
    let lists = split.lists(model.tokenizer(), python, Pairs::HeldOut, prompts)?;
    // <|endoftext|>, the last token of the vocabulary, is in no text.
    let words = model.config().d_vocab.saturating_sub(1);
    let repeats: Vec<Repeats> = (0..prompts.div_ceil(10))
        .map(|_| Repeats::draw(python, words, SEGMENT, 2 * SEGMENT))
        .collect();
    let io_first = |sample: &Sample| sample.positions.io < sample.positions.s1;
    let (abba, baba): (Vec<Sample>, Vec<Sample>) = ioi.iter().cloned().partition(io_first);
    let texts = ioi.iter().map(Sample::before_final_name);
    let texts = texts
        .chain(lists.iter().map(ListSample::before_final_name))
        .map(<[u32]>::to_vec);
    let random: Vec<Vec<u32>> = repeats.iter().map(|repeats| repeats.tokens.clone()).collect();
    Ok(vec![
        Column::from_end(label::ABBA_IO, &abba, |sample| sample.positions.io),
        Column::from_end(label::ABBA_S1, &abba, |sample| sample.positions.s1),
        Column::from_end(label::ABBA_S2, &abba, |sample| sample.positions.s2),
        Column::from_end(label::BABA_IO, &baba, |sample| sample.positions.io),
        Column::from_end(label::BABA_S1, &baba, |sample| sample.positions.s1),
        Column::from_end(label::BABA_S2, &baba, |sample| sample.positions.s2),
        Column {
            label: label::ANSWER,
            sequences: lists.iter().map(|list| list.before_final_name().to_vec()).collect(),
            cells: lists
                .iter()
                .enumerate()
                .map(|(index, list)| [index, list.end, list.answer])
                .collect(),
        },
        Column::before(label::PREVIOUS_IN_TEXTS, texts.collect(), 1),
        Column::before(label::PREVIOUS_IN_REPEATS, random.clone(), 1),
        Column::before(label::TWO_BACK, random, 2),
        Column::of_repeats(label::DUPLICATE, &repeats, 0),
        Column::of_repeats(label::INDUCTION, &repeats, 1),
    ])
}

/// The measures of all heads for all columns.
#[derive(Debug, Clone, PartialEq)]
pub struct HeadTable {
    /// Label of each column.
    pub labels: Vec<&'static str>,
    /// For each column, `[layer][head]`.
    pub attention: Vec<Vec<Vec<CellAttention>>>,
}

impl HeadTable {
    /// Measures `columns`.
    ///
    /// # Errors
    /// Those of [`Column::measure`].
    pub fn measure(model: &mut Model, columns: &[Column]) -> Result<Self> {
        let attention = columns
            .iter()
            .map(|column| column.measure(model))
            .collect::<Result<_>>()?;
        Ok(Self {
            labels: columns.iter().map(|column| column.label).collect(),
            attention,
        })
    }

    /// The measure of `head` in the column `label`; 0 where either does not exist.
    pub fn attention_of(&self, label: &str, head: Head) -> CellAttention {
        let column = self.labels.iter().position(|other| *other == label);
        let measure = column.and_then(|column| self.attention[column].get(head.layer)?.get(head.head));
        measure.copied().unwrap_or_default()
    }

    /// All heads, layer by layer.
    pub fn heads(&self) -> Vec<Head> {
        let layers = self.attention.first().map_or(&[][..], Vec::as_slice).iter().enumerate();
        layers
            .flat_map(|(layer, heads)| (0..heads.len()).map(move |head| Head::new(layer, head)))
            .collect()
    }

    /// The head with the largest mean in the column `label` among those that `allowed` allows.
    pub fn largest(&self, label: &str, allowed: impl Fn(Head) -> bool) -> Option<Head> {
        let heads = self.heads().into_iter().filter(|head| allowed(*head));
        heads.max_by(|a, b| {
            self.attention_of(label, *a)
                .mean
                .total_cmp(&self.attention_of(label, *b).mean)
        })
    }

    /// The means as a table in Markdown, a row for each head.
    pub fn markdown(&self) -> String {
        let mut lines = vec![format!("| head | {} |", self.labels.join(" | "))];
        lines.push(format!("| ---{} |", " | ---:".repeat(self.labels.len())));
        for head in self.heads() {
            let means = self
                .labels
                .iter()
                .map(|label| format!("{:.2}", self.attention_of(label, head).mean));
            lines.push(format!("| {head} | {} |", means.collect::<Vec<_>>().join(" | ")));
        }
        lines.join("\n")
    }
}
