//! A model on its own thread: it cannot move between threads, and Python calls from any. While it works, the calling
//! thread waits without the interpreter's lock, passes progress on, and checks for signals.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use keyside::analysis::RunCache;
use keyside::analysis::pair::QuestionCache;
use keyside::forward::Model;
use keyside::{Error, ErrorKind, Result};
use pyo3::prelude::*;

use crate::error::{internal, raised};
use crate::link::{Event, Link};

/// Interval at which the waiting thread checks for signals.
const SIGNAL_INTERVAL: Duration = Duration::from_millis(50);

/// A model with what earlier runs and questions have left.
pub struct ModelState {
    /// The model.
    pub model: Model,
    /// Cached results for the last sentence.
    pub cache: QuestionCache,
    /// What the last run has left.
    pub run: RunCache,
}

type Job = Box<dyn FnOnce(&mut ModelState) + Send>;

/// The thread of a model.
pub struct ModelThread {
    jobs: Sender<Job>,
    process: u32,
}

impl ModelThread {
    /// Opens a model by `open` on a thread of its own, which ends when this is dropped. Also returns the result of
    /// `describe`.
    ///
    /// # Errors
    /// Those of `open` and of `progress`, and `KeyboardInterrupt`.
    pub fn open<T: Send + 'static>(
        py: Python<'_>,
        open: impl FnOnce() -> Result<Model> + Send + 'static,
        describe: impl FnOnce(&Model) -> T + Send + 'static,
    ) -> PyResult<(Self, T)> {
        let (jobs, received) = channel::<Job>();
        let (events, answers) = channel();
        let work = move || match open() {
            Ok(model) => {
                let _ = events.send(Event::Done(Ok(describe(&model))));
                let cache = QuestionCache::default();
                let run = RunCache::default();
                let mut state = ModelState { model, cache, run };
                received.into_iter().for_each(|job| job(&mut state));
            }
            Err(error) => drop(events.send(Event::Done(Err(error)))),
        };
        start(py, work)?;
        let described = wait(py, answers, &AtomicBool::new(false), None)?;
        let process = std::process::id();
        Ok((Self { jobs, process }, described))
    }

    /// Runs `work` on the model and waits for it. `progress` is called with the completed share and the current phase.
    ///
    /// # Errors
    /// Those of `work` and of `progress`, and `KeyboardInterrupt`, after which the model stops by itself within a block.
    pub fn run<T: Send + 'static>(
        &self,
        py: Python<'_>,
        progress: Option<&Bound<'_, PyAny>>,
        work: impl FnOnce(&mut ModelState, &Link<T>) -> Result<T> + Send + 'static,
    ) -> PyResult<T> {
        if self.process != std::process::id() {
            let cause = "this model was opened by another process, of which this one is a copy";
            let error = Error::new(ErrorKind::Request, cause)
                .expected("a model that was opened here")
                .advice("Call keyside.load in this process, or start processes by \"spawn\".");
            return Err(raised(py, &error));
        }
        let (events, answers) = channel();
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = stop.clone();
        let job = move |state: &mut ModelState| {
            let link = Link::new(events, stopped);
            let outcome = work(state, &link);
            link.done(outcome);
        };
        if self.jobs.send(Box::new(job)).is_err() {
            return Err(raised(py, &gone()));
        }
        wait(py, answers, &stop, progress)
    }
}

/// Runs `work` on a thread of its own, and waits for it.
///
/// # Errors
/// Those of `work`, and `KeyboardInterrupt`.
pub fn aside<T: Send + 'static>(py: Python<'_>, work: impl FnOnce() -> Result<T> + Send + 'static) -> PyResult<T> {
    let (events, answers) = channel();
    // After an interrupted call, nobody receives it.
    start(py, move || drop(events.send(Event::Done(work()))))?;
    wait(py, answers, &AtomicBool::new(false), None)
}

/// Starts a thread.
fn start(py: Python<'_>, work: impl FnOnce() + Send + 'static) -> PyResult<()> {
    let named = std::thread::Builder::new().name("keyside".to_owned());
    match named.spawn(work) {
        Ok(_) => Ok(()),
        Err(cause) => Err(raised(py, &internal(format!("no thread can be started ({cause})")))),
    }
}

/// Waits for the event `Done`.
fn wait<T: Send>(
    py: Python<'_>,
    answers: Receiver<Event<T>>,
    stop: &AtomicBool,
    progress: Option<&Bound<'_, PyAny>>,
) -> PyResult<T> {
    let answers = Mutex::new(answers);
    let next = || match answers.lock() {
        Ok(answers) => answers.recv_timeout(SIGNAL_INTERVAL),
        Err(_) => Err(RecvTimeoutError::Disconnected),
    };
    let ended = |error: PyErr| {
        stop.store(true, Ordering::Relaxed);
        error
    };
    loop {
        let event = py.detach(next);
        py.check_signals().map_err(ended)?;
        match event {
            Ok(Event::Done(outcome)) => return outcome.map_err(|error| raised(py, &error)),
            Ok(Event::Progress(share, doing)) => {
                if let Some(progress) = progress {
                    progress.call1((share, doing)).map_err(ended)?;
                }
            }
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => return Err(raised(py, &gone())),
        }
    }
}

fn gone() -> Error {
    internal("the thread that the model works on has ended")
}
