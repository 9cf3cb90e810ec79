//! What a model that works on its own thread tells the thread that waits for it, and how it is stopped.

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

/// Progress is told no more often than this.
const PAUSE: Duration = Duration::from_millis(100);

/// What the thread that waits is told.
pub enum Event<T> {
    /// The share that is over, and what is being done.
    Progress(f64, String),
    /// It is over.
    Done(Result<T>),
}

/// Watches a model for the thread that waits.
pub struct Link<T> {
    events: Sender<Event<T>>,
    stop: Arc<AtomicBool>,
    told: Cell<Option<Instant>>,
}

impl<T> Link<T> {
    /// A link that tells `events`, and stops the model where `stop` is set.
    pub fn new(events: Sender<Event<T>>, stop: Arc<AtomicBool>) -> Self {
        let told = Cell::new(None);
        Self { events, stop, told }
    }

    /// Says what has come of it.
    pub fn done(&self, outcome: Result<T>) {
        // Nobody waits any more where the call was interrupted.
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

/// Of what tells nobody how far it is.
impl<T> Monitor for Link<T> {
    fn waiting(&self) {}

    fn computing(&self) {}

    fn loaded(&self, _bytes: u64, _traffic: &Traffic) {}

    fn computed(&self, _pass: usize, _layer: usize, _positions: usize) {}

    fn yield_now(&self) -> LocalBoxFuture<'_, Result<()>> {
        Box::pin(ready(self.go_on()))
    }
}
