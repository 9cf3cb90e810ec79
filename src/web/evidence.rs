//! The comparisons (bootstrap intervals) that the page's conclusions are based on, computed while the browser is idle.

use std::sync::Arc;

use leptos::prelude::*;

use super::scheduling::when_idle;
use crate::app::session::Shown;
use crate::result::{Comparison, ComparisonJob, Evidence, Pair, ResultFile};

/// Milliseconds of one slice of work: short compared with a frame, also on a machine four times as slow.
const SLICE_MS: f64 = 4.0;

/// Draws between two reads of the clock: some 0.2 ms. One comparison of 1,200 prompts takes 2.4 million draws.
const DRAWS: usize = 20_000;

/// The comparisons of one result.
#[derive(Default)]
struct Known {
    /// The result's [`Shown::revision`].
    revision: u64,
    result: Option<Arc<ResultFile>>,
    /// Some twenty entries: a list is as quick as a map, and 8 kB less code.
    found: Vec<(Pair, Option<Comparison>)>,
    /// Pending requests; the last one is served first.
    asked: Vec<Pair>,
    current: Option<(Pair, ComparisonJob)>,
    /// Whether a slice is scheduled.
    due: bool,
}

/// The comparisons of the result on the screen that are finished so far.
#[derive(Clone, Copy)]
pub struct Comparisons {
    known: StoredValue<Known>,
    /// Changes when all pending requests are finished.
    made: RwSignal<u32>,
}

impl Comparisons {
    /// No comparisons.
    pub fn new() -> Self {
        Self {
            known: StoredValue::new(Known::default()),
            made: RwSignal::new(0),
        }
    }

    /// A function that looks up comparisons of `shown`. A missing one is scheduled, and a reactive caller runs again
    /// when it is finished.
    pub fn of(self, shown: &Shown) -> impl Fn(&Pair) -> Evidence {
        self.made.track();
        self.known.update_value(|known| {
            if known.result.is_none() || known.revision != shown.revision {
                *known = Known {
                    revision: shown.revision,
                    result: Some(Arc::clone(&shown.result)),
                    due: known.due,
                    ..Known::default()
                };
            }
        });
        move |pair| self.ask(pair)
    }

    fn ask(self, pair: &Pair) -> Evidence {
        let answer = self.known.try_update_value(|known| {
            if let Some((_, found)) = known.found.iter().find(|(made, _)| made == pair) {
                return Evidence::from(*found);
            }
            // The page's first sentence compares one series with zero: it must not grow while the reader looks at it.
            if pair.second.is_none() {
                let found = known.result.as_deref().and_then(|result| pair.made_in(result));
                known.found.push((pair.clone(), found));
                return found.into();
            }
            let is_current = known.current.as_ref().is_some_and(|(current, _)| current == pair);
            if !is_current && !known.asked.contains(pair) {
                known.asked.push(pair.clone());
            }
            if !std::mem::replace(&mut known.due, true) {
                when_idle(move || self.go());
            }
            Evidence::Pending
        });
        answer.unwrap_or(Evidence::Pending)
    }

    /// Runs one slice of pending comparisons.
    fn go(self) {
        let clock = window().performance();
        let now = || clock.as_ref().map_or(0.0, |clock| clock.now());
        let until = now() + SLICE_MS;
        // The page may have been removed.
        let more = self.known.try_update_value(|known| {
            while now() < until {
                if !known.advance() {
                    known.due = false;
                    return false;
                }
            }
            true
        });
        match more {
            Some(true) => when_idle(move || self.go()),
            Some(false) => self.made.update(|made| *made += 1),
            None => {}
        }
    }
}

impl Known {
    /// Does a little work; returns whether there is more.
    fn advance(&mut self) -> bool {
        let Some((pair, mut comparing)) = self.current.take().or_else(|| self.begin()) else {
            return false;
        };
        if comparing.step((DRAWS / comparing.pairs()).max(1)) {
            self.found.push((pair, comparing.found()));
        } else {
            self.current = Some((pair, comparing));
        }
        true
    }

    /// Starts the next comparison that the result has the data for.
    fn begin(&mut self) -> Option<(Pair, ComparisonJob)> {
        let result = self.result.clone()?;
        loop {
            let pair = self.asked.pop()?;
            match pair.begin(&result) {
                Some(comparing) => return Some((pair, comparing)),
                None => self.found.push((pair, None)),
            }
        }
    }
}
