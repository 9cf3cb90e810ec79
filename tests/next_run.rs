//! A run that goes on with what the one before has left finds what a run from the beginning does.

#![allow(clippy::unwrap_used)]

mod common;
#[path = "results/mod.rs"]
mod results;

use std::cell::RefCell;

use common::block_on;
use common::engines::{engines, model_on};
use futures::future::LocalBoxFuture;
use keyside::analysis::{Analysis, BatchValues, Observer, Progress, RunCache, analyze, analyze_next};
use keyside::forward::Model;
use keyside::model::Processing;
use keyside::names::Head;
use keyside::prompts::text::TextPrompts;
use keyside::prompts::{IoiSet, PromptSource};
use keyside::result::ResultFile;
use results::Nobody;

/// Prompts of three batches, as a reader has written them; many stand in several batches, so that these lend each other
/// all rows of a prompt.
fn repeated() -> PromptSource {
    let names = ["Mary", "John", "Tom", "James", "Dan", "Paul"];
    let line = |number: usize| {
        let (one, other) = (names[number % 6], names[(number / 6 + number + 1) % 6]);
        format!("When [[{one}]] and {other} went to the store, {other} gave a drink to")
    };
    let lines: Vec<String> = (0..100).map(|number| line(number % 36)).collect();
    TextPrompts {
        text: lines.join("\n"),
        ..TextPrompts::default()
    }
    .into()
}

fn drawn(seed: u64) -> PromptSource {
    IoiSet {
        seed,
        batches: 4,
        batch_size: 9,
        prepend_bos: false,
    }
    .into()
}

fn of_heads(head: (usize, usize), earlier: (usize, usize), prompts: &PromptSource) -> Analysis {
    Analysis {
        head: Head::new(head.0, head.1),
        earlier_head: Head::new(earlier.0, earlier.1),
        prompts: prompts.clone(),
        ..Analysis::default()
    }
}

/// Remembers the last progress.
#[derive(Default)]
struct Last(RefCell<Option<Progress>>);

impl Observer for Last {
    fn progress(&self, progress: &Progress) {
        *self.0.borrow_mut() = Some(progress.clone());
    }

    fn batch(&self, _: usize, _: &BatchValues) {}

    fn yield_now(&self) -> LocalBoxFuture<'_, keyside::Result<()>> {
        Box::pin(std::future::ready(Ok(())))
    }
}

/// Everything but the times.
fn found(model: &Model, analysis: &Analysis, found: keyside::analysis::Analyzed) -> (ResultFile, Option<usize>) {
    let mut result = ResultFile::new(model, analysis, found);
    let resumed_from = result.timing.take().unwrap().resumed_from;
    (result, resumed_from)
}

/// Does `runs` one after the other with one model, each with the block that it should go on with.
fn check(mut model: Model, mut fresh: Model, runs: &[(Analysis, Option<usize>)]) {
    let mut cache = RunCache::default();
    for (number, (analysis, from)) in runs.iter().enumerate() {
        let last = Last::default();
        let next = block_on(analyze_next(&mut model, analysis, &mut cache, &last)).unwrap();
        // What is not computed is neither done nor left.
        let last = last.0.take().unwrap();
        assert_eq!(
            (last.computed, last.seconds_left.unwrap_or(0.0)),
            (1.0, 0.0),
            "run {number}"
        );
        let (next, resumed_from) = found(&model, analysis, next);
        assert_eq!(resumed_from, *from, "run {number}");
        let whole = block_on(analyze(&mut fresh, analysis, &Nobody)).unwrap();
        assert_eq!(found(&fresh, analysis, whole), (next, None), "run {number}");
    }
}

#[test]
fn is_the_same_bit_for_bit() {
    for engine in engines() {
        println!("{engine}");
        for prompts in [drawn(0), repeated()] {
            let writes = |analysis: Analysis| Analysis {
                writes: true,
                ..analysis
            };
            let runs = [
                (of_heads((1, 0), (0, 3), &prompts), None),
                // Another head of the layer: no block is computed.
                (of_heads((1, 2), (0, 3), &prompts), Some(1)),
                (of_heads((2, 1), (0, 3), &prompts), Some(1)),
                // On to the end of the model, and from the layer of its head again.
                (writes(of_heads((2, 1), (0, 3), &prompts)), Some(2)),
                (writes(of_heads((2, 0), (0, 3), &prompts)), Some(2)),
                (of_heads((2, 3), (0, 3), &prompts), Some(2)),
                // What another earlier head writes was not captured.
                (of_heads((2, 3), (1, 1), &prompts), None),
                (of_heads((2, 2), (1, 1), &prompts), Some(2)),
                // An earlier layer, and from there on.
                (of_heads((1, 1), (0, 3), &prompts), None),
                (of_heads((2, 1), (1, 3), &prompts), Some(1)),
            ];
            check(model_on(engine), model_on(engine), &runs);
        }
    }
}

#[test]
fn begins_anew_where_anything_else_differs() {
    let [first, second] = [drawn(0), drawn(1)];
    let unprocessed = Analysis {
        processing: Processing {
            fold_ln: false,
            ..Processing::default()
        },
        ..of_heads((2, 1), (0, 3), &first)
    };
    let intervening = Analysis {
        intervention: Some("query without 0.3".parse().unwrap()),
        ..of_heads((2, 1), (0, 3), &first)
    };
    let engine = engines()[0];
    let runs = [
        (of_heads((2, 1), (0, 3), &first), None),
        (of_heads((2, 1), (0, 3), &second), None),
        (of_heads((2, 1), (0, 3), &first), None),
        (unprocessed, None),
        (of_heads((2, 1), (0, 3), &first), None),
        // An intervention goes on, too, and leaves nothing.
        (intervening, Some(2)),
        (of_heads((2, 1), (0, 3), &first), None),
    ];
    check(model_on(engine), model_on(engine), &runs);
}

#[test]
fn keeps_nothing_where_blocks_do_not_stay() {
    let prompts = drawn(0);
    let runs = [
        (of_heads((2, 1), (0, 3), &prompts), None),
        (of_heads((2, 1), (0, 3), &prompts), None),
    ];
    let mut model = model_on(engines()[0]);
    model.set_block_budget(1);
    check(model, model_on(engines()[0]), &runs);
}
