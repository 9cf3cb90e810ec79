//! Runs with analyses that are made up for these tests.

use std::cell::{Cell, RefCell};

use futures::executor::block_on;
use futures::future::LocalBoxFuture;

use super::*;
use crate::analysis::analyzer::{Analyzer, FinishedBatch, Needs, UpcomingBatch};
use crate::analysis::{BatchValues, Progress, SectionType};
use crate::checkpoint::FileSource;
use crate::forward::Tap;
use crate::math;
use crate::model::{Config, Processing};
use crate::names::{BlockHook, Head, HookPoint};
use crate::prompts::IoiSet;

/// Compares the shared scores of the head, after the softmax, with the pattern that the model itself computes in the
/// next block; keeps the largest difference.
#[derive(Debug, Clone, serde::Serialize, serde::Deserialize)]
struct Differences {
    of_batches: Vec<f32>,
}

impl SectionType for Differences {
    fn head(&self) -> Option<Head> {
        None
    }

    fn prompt_count(&self) -> Option<usize> {
        None
    }

    fn check(&self, _config: &Config, _prompts: usize) -> Result<()> {
        Ok(())
    }
}

/// Goes through all blocks, captures the pattern of the head, and returns a value per batch.
struct AllLayers {
    head: Head,
    of_batches: Vec<f32>,
    shown: BatchValues,
}

impl Analyzer for AllLayers {
    type Section = Differences;

    fn new(analysis: &Analysis) -> Self {
        Self {
            head: analysis.head,
            of_batches: Vec::new(),
            shown: BatchValues::default(),
        }
    }

    fn layers(&self, config: &Config) -> usize {
        config.n_layer
    }

    fn taps(&mut self, batch: &UpcomingBatch<'_>) -> Result<Vec<Tap>> {
        let dests = 0..batch.prompts.len();
        let rows = dests.filter_map(|prompt| batch.tree.path(prompt).last().copied());
        let pattern = HookPoint::block(self.head.layer, BlockHook::Pattern);
        Ok(vec![Tap::new(pattern, rows.collect()).of_head(self.head.head)])
    }

    fn feed(&mut self, batch: &FinishedBatch<'_>) -> Result<Option<&BatchValues>> {
        let mut largest = 0f32;
        for prompt in 0..batch.prompts.len() {
            let mut row = batch.scores()?.row(prompt);
            math::softmax(&mut row);
            let pattern = batch.captured[0].row(prompt);
            assert_eq!(row.len(), pattern.len());
            let differences = row.iter().zip(pattern).map(|(a, b)| (a - b).abs());
            largest = differences.fold(largest, f32::max);
        }
        self.of_batches.push(largest);
        self.shown.true_score = vec![largest];
        Ok(Some(&self.shown))
    }

    fn finish(self) -> Option<Differences> {
        Some(Differences {
            of_batches: self.of_batches,
        })
    }
}

/// Asks for the effective embeddings of its prompts' sources, and finds nothing.
struct Silent {
    batches: usize,
}

impl Analyzer for Silent {
    type Section = Differences;

    fn new(_analysis: &Analysis) -> Self {
        Self { batches: 0 }
    }

    fn needs(&self, prompt: &Prompt) -> Result<Needs> {
        Ok(Needs {
            effective: vec![prompt.src_token()?],
            ..Needs::default()
        })
    }

    fn feed(&mut self, batch: &FinishedBatch<'_>) -> Result<Option<&BatchValues>> {
        assert!(batch.captured.is_empty());
        for prompt in batch.prompts {
            let (w_ee, _) = batch.effective.of(prompt.src_token()?)?;
            assert_eq!(w_ee.len(), batch.model.config().d_model);
        }
        self.batches += 1;
        Ok(None)
    }

    fn finish(self) -> Option<Differences> {
        assert_eq!(self.batches, 3);
        None
    }
}

/// Counts the batches that it is shown.
#[derive(Default)]
struct Shown {
    layers: Cell<usize>,
    values: RefCell<Vec<(usize, f32)>>,
}

impl Observer for Shown {
    fn progress(&self, progress: &Progress) {
        self.layers.set(progress.layers);
    }

    fn batch(&self, index: usize, values: &BatchValues) {
        self.values.borrow_mut().push((index, values.true_score[0]));
    }

    fn yield_now(&self) -> LocalBoxFuture<'_, Result<()>> {
        Box::pin(std::future::ready(Ok(())))
    }
}

#[test]
fn analyses_share_a_pass_as_long_as_any_needs() {
    let source = Box::new(FileSource::new("tests/fixtures/tiny"));
    let mut model = block_on(Model::open(source, Processing::default())).expect("opens");
    let analysis = Analysis {
        head: Head::new(1, 2),
        earlier_head: Head::new(0, 0),
        prompts: IoiSet {
            seed: 0,
            batches: 3,
            batch_size: 5,
            prepend_bos: false,
        }
        .into(),
        ..Analysis::default()
    };
    let analyzers: Vec<Box<dyn AnyAnalyzer<Differences>>> = vec![
        Box::new(Silent::new(&analysis)),
        Box::new(AllLayers::new(&analysis)),
        Box::new(AllLayers::new(&analysis)),
    ];
    let shown = Shown::default();
    let found = block_on(found_by(analyzers, &mut model, (&analysis, None), &shown)).expect("runs");
    let Found { sections, made, .. } = found;
    assert_eq!((sections.len(), made.batches.len(), shown.layers.get()), (2, 3, 3));
    for Differences { of_batches } in &sections {
        assert_eq!(of_batches.len(), 3);
        assert!(of_batches.iter().all(|difference| *difference < 1e-5), "{of_batches:?}");
    }
    let shown = shown.values.into_inner();
    let numbers: Vec<usize> = shown.iter().map(|(index, _)| *index).collect();
    assert_eq!(numbers, [0, 0, 1, 1, 2, 2]);
}
