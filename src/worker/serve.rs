//! The worker's loop: one request after the other, each of which can be cancelled at any moment.

use std::collections::VecDeque;
use std::future::Future;
use std::pin::pin;
use std::time::Duration;

use futures::StreamExt;
use futures::channel::mpsc::UnboundedReceiver;
use futures::future::{Either, LocalBoxFuture, pending, select};
use web_time::Instant;

use super::{FromWorker, ToWorker};
use crate::attribution::{Analysis, BatchValues, Observer, Progress, analyze};
use crate::checkpoint::{Checkpoint, Source};
use crate::error::{Error, Result};
use crate::gpt2::Model;
use crate::result::ResultFile;

/// Least time between two messages of progress in the same phase and batch.
const PROGRESS_INTERVAL: Duration = Duration::from_millis(100);
/// Longest time that computing goes on without letting the surroundings work, at block granularity.
const BREATH_INTERVAL: Duration = Duration::from_millis(10);

/// What surrounds the loop: a browser's worker, or a test.
pub trait Port {
    /// Sends `message` to the page.
    fn post(&self, message: FromWorker);

    /// Lets the surroundings work: messages that have arrived are in the channel afterwards.
    fn breathe(&self) -> LocalBoxFuture<'_, ()>;

    /// The files at `url`.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Source`] when `url` can't be read from.
    fn source(&self, url: &str) -> Result<Box<dyn Source>>;
}

/// Serves the requests in `inbox` until its other end is dropped, beginning with [`FromWorker::Ready`].
///
/// The model of the last run stays open for the next one. Dropping what is being done is how a request
/// is cancelled: its downloads stop with it, and computing pauses for messages after every block.
pub async fn serve(port: &dyn Port, inbox: UnboundedReceiver<ToWorker>) {
    let mut inbox = Inbox {
        channel: inbox,
        waiting: VecDeque::new(),
    };
    let mut models = Models::default();
    port.post(FromWorker::Ready);
    while let Some(message) = inbox.next().await {
        match message {
            ToWorker::Describe { id, url } => {
                let description = async { Checkpoint::describe(port.source(&url)?.as_ref()).await };
                let answer = match inbox.unless_cancelled(None, description).await {
                    Ok((config, card)) => FromWorker::Described { id, config, card },
                    Err(error) => FromWorker::Failed { id, error },
                };
                port.post(answer);
            }
            ToWorker::Analyze { id, url, analysis } => {
                let run = models.run(port, id, &url, &analysis);
                let answer = match inbox.unless_cancelled(Some(id), run).await {
                    Ok(result) => FromWorker::Finished {
                        id,
                        result: Box::new(result),
                    },
                    Err(error) => FromWorker::Failed { id, error },
                };
                port.post(answer);
            }
            // What it was to stop has ended in the meantime.
            ToWorker::Cancel { .. } => {}
        }
    }
}

/// Messages that have not been looked at, and those that wait for their turn.
struct Inbox {
    channel: UnboundedReceiver<ToWorker>,
    waiting: VecDeque<ToWorker>,
}

impl Inbox {
    async fn next(&mut self) -> Option<ToWorker> {
        match self.waiting.pop_front() {
            Some(message) => Some(message),
            None => self.channel.next().await,
        }
    }

    /// Runs `work` to its end, unless a message cancels request `id` (None: any request) before.
    async fn unless_cancelled<T>(&mut self, id: Option<u32>, work: impl Future<Output = Result<T>>) -> Result<T> {
        let stops =
            |message: &ToWorker| matches!(message, ToWorker::Cancel { id: of } if id.is_none_or(|id| id == *of));
        if id.is_some() && self.waiting.iter().any(stops) {
            self.waiting.retain(|message| !stops(message));
            return Err(Error::cancelled());
        }
        let cancelled = async {
            while let Some(message) = self.channel.next().await {
                let stop = stops(&message);
                // A description gives way to the cancelling of the run that waits behind it.
                if !stop || id.is_none() {
                    self.waiting.push_back(message);
                }
                if stop {
                    return;
                }
            }
            pending().await
        };
        match select(pin!(cancelled), pin!(work)).await {
            Either::Left(((), _)) => Err(Error::cancelled()),
            Either::Right((result, _)) => result,
        }
    }
}

/// The model of the last run.
#[derive(Default)]
struct Models {
    open: Option<(String, Model)>,
}

impl Models {
    async fn run(&mut self, port: &dyn Port, id: u32, url: &str, analysis: &Analysis) -> Result<ResultFile> {
        // Another model's weights make room before this one's are read.
        let model = match self.open.take() {
            Some((of, model)) if of == url => model,
            other => {
                drop(other);
                Model::open(port.source(url)?, analysis.processing).await?
            }
        };
        let (_, model) = self.open.insert((url.to_owned(), model));
        let mut reporter = Reporter {
            port,
            id,
            last: None,
            breath: Instant::now(),
        };
        analyze(model, analysis, &mut reporter).await
    }
}

/// Tells the page how far a run is.
struct Reporter<'a> {
    port: &'a dyn Port,
    id: u32,
    last: Option<(Instant, Progress)>,
    breath: Instant,
}

impl Observer for Reporter<'_> {
    fn progress(&mut self, progress: &Progress) {
        let due = self.last.as_ref().is_none_or(|(at, last)| {
            let same = last.phase == progress.phase && last.batches_done == progress.batches_done;
            !same || at.elapsed() >= PROGRESS_INTERVAL
        });
        if due {
            self.last = Some((Instant::now(), progress.clone()));
            self.port.post(FromWorker::Progress {
                id: self.id,
                progress: progress.clone(),
            });
        }
    }

    fn batch(&mut self, index: usize, values: &BatchValues) {
        self.port.post(FromWorker::Batch {
            id: self.id,
            index,
            values: values.clone(),
        });
    }

    fn breathe(&mut self) -> LocalBoxFuture<'_, Result<()>> {
        Box::pin(async move {
            if self.breath.elapsed() >= BREATH_INTERVAL {
                self.port.breathe().await;
                self.breath = Instant::now();
            }
            Ok(())
        })
    }
}
