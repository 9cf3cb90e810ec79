//! Connects a model on its own thread with the thread that waits for it: progress and cancellation.

use std::cell::Cell;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::Sender;
use std::time::{Duration, Instant};

use futures::future::{LocalBoxFuture, ready};
use keyside::analysis::{BatchValues, Observer, Progress};
use keyside::checkpoint::Traffic;
use keyside::forward::Monitor;
use keyside::{Error, Result};

/// Minimum time between two progress events.
const PAUSE: Duration = Duration::from_millis(100);

/// Events for the waiting thread.
pub enum Event<T> {
    /// The completed share, and the current phase.
    Progress(f64, String),
    /// The work has ended.
    Done(Result<T>),
}

/// Reports a model's progress to the waiting thread.
pub struct Link<T> {
    events: Sender<Event<T>>,
    stop: Arc<AtomicBool>,
    told: Cell<Option<Instant>>,
}

impl<T> Link<T> {
    /// A link that sends to `events`, and cancels the work once `stop` is set.
    pub fn new(events: Sender<Event<T>>, stop: Arc<AtomicBool>) -> Self {
        let told = Cell::new(None);
        Self { events, stop, told }
    }

    /// Sends the outcome.
    pub fn done(&self, outcome: Result<T>) {
        // After an interrupted call, nobody receives it.
        let _ = self.events.send(Event::Done(outcome));
    }

    fn go_on(&self) -> Result<()> {
        match self.stop.load(Ordering::Relaxed) {
            true => Err(Error::cancelled()),
            false => Ok(()),
        }
    }
}

impl<T> Observer for Link<T> {
    fn progress(&self, progress: &Progress) {
        if self.told.get().is_some_and(|told| told.elapsed() < PAUSE) {
            return;
        }
        self.told.set(Some(Instant::now()));
        let event = Event::Progress(progress.fraction(), progress.description());
        let _ = self.events.send(event);
    }

    fn batch(&self, _index: usize, _values: &BatchValues) {}

    fn yield_now(&self) -> LocalBoxFuture<'_, Result<()>> {
        Box::pin(ready(self.go_on()))
    }
}

/// For work whose progress is not reported.
impl<T> Monitor for Link<T> {
    fn waiting(&self) {}

    fn computing(&self) {}

    fn loaded(&self, _bytes: u64, _traffic: &Traffic) {}

    fn computed(&self, _pass: usize, _layer: usize, _positions: usize) {}

    fn yield_now(&self) -> LocalBoxFuture<'_, Result<()>> {
        Box::pin(ready(self.go_on()))
    }
}
