//! The worker's loop: serves one request after the other. Each can be cancelled at any time.

use std::collections::VecDeque;
use std::future::Future;
use std::pin::pin;

use futures::StreamExt;
use futures::channel::mpsc::UnboundedReceiver;
use futures::future::{Either, LocalBoxFuture, pending, select};

use super::models::Models;
use super::{FromWorker, Port, ToWorker};
use crate::checkpoint::{Gate, stored_models};
use crate::error::{Error, Result};
use crate::model::Checkpoint;

/// Serves the requests in `inbox` until its other end is dropped, beginning with [`FromWorker::Ready`].
///
/// The model of the last run stays open for the next one. A request is cancelled by dropping its future: its downloads
/// stop, and computing yields after every block so that messages are seen.
pub fn serve<'a>(port: &'a dyn Port, inbox: UnboundedReceiver<ToWorker>) -> LocalBoxFuture<'a, ()> {
    Box::pin(async move {
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
                    let answer = match inbox.unless_cancelled(None, &port.gate(), description).await {
                        Ok((config, card)) => FromWorker::Described { id, config, card },
                        Err(error) => FromWorker::Failed { id, error },
                    };
                    port.post(answer);
                }
                ToWorker::Analyze { id, url, analysis } => {
                    let run = forwarding_notices(port, id, models.run(port, id, &url, &analysis));
                    let outcome = inbox.unless_cancelled(Some(id), &port.gate(), run).await;
                    // A pause ends with the request.
                    port.gate().open();
                    let answer = match outcome {
                        Ok(result) => FromWorker::Finished {
                            id,
                            result: Box::new(result),
                        },
                        Err(error) => FromWorker::Failed { id, error },
                    };
                    port.post(answer);
                }
                ToWorker::Ask { id, url, question } => {
                    let answering = models.answer(port, id, &url, &question);
                    answer(port, &mut inbox, id, answering).await;
                }
                ToWorker::Intervene {
                    id,
                    url,
                    question,
                    intervening,
                } => {
                    let answering = models.intervene(port, id, &url, (&question, &intervening));
                    answer(port, &mut inbox, id, answering).await;
                }
                ToWorker::CausalMap { id, url, question } => {
                    let answering = models.causal_map(port, id, &url, &question);
                    answer(port, &mut inbox, id, answering).await;
                }
                ToWorker::AblateHead { id, url, prompt } => {
                    let answering = models.ablate_head(port, id, &url, &prompt);
                    answer(port, &mut inbox, id, answering).await;
                }
                ToWorker::Continue {
                    id,
                    url,
                    question,
                    count,
                    sampling,
                } => {
                    let going_on =
                        forwarding_notices(port, id, models.go_on(port, id, &url, &question, (count, &sampling)));
                    let outcome = inbox.unless_cancelled(Some(id), &port.gate(), going_on).await;
                    port.gate().open();
                    port.post(match outcome {
                        Ok(text) => FromWorker::Continued { id, text },
                        Err(error) => FromWorker::Failed { id, error },
                    });
                }
                ToWorker::NameHeads { id, url } => {
                    let naming = forwarding_notices(port, id, models.name_heads(port, id, &url));
                    let outcome = inbox.unless_cancelled(Some(id), &port.gate(), naming).await;
                    port.gate().open();
                    port.post(match outcome {
                        Ok(heads) => FromWorker::HeadRoles { id, heads },
                        Err(error) => FromWorker::Failed { id, error },
                    });
                }
                ToWorker::Choose { engine } => models.choose(engine),
                ToWorker::ListStored { id } => port.post(stored(port, id, None).await),
                ToWorker::RemoveStored { id, folder } => {
                    // It may be the open model; and if storage was full, there is space now.
                    models.forget();
                    port.post(stored(port, id, Some(&folder)).await);
                }
                // Their request has already ended.
                ToWorker::Cancel { .. } | ToWorker::Pause | ToWorker::Resume => port.gate().open(),
            }
        }
    })
}

/// Runs `answering`, which posts the parts of the answer to question `id`, and posts how it ended.
async fn answer(port: &dyn Port, inbox: &mut Inbox, id: u32, answering: impl Future<Output = Result<()>>) {
    let outcome = inbox
        .unless_cancelled(Some(id), &port.gate(), forwarding_notices(port, id, answering))
        .await;
    // A pause ends with the request.
    port.gate().open();
    port.post(match outcome {
        Ok(()) => FromWorker::Answered { id },
        Err(error) => FromWorker::Failed { id, error },
    });
}

/// Runs `work` of request `id` and posts every change of the notices meanwhile.
async fn forwarding_notices<T>(port: &dyn Port, id: u32, work: impl Future<Output = T>) -> T {
    let board = port.notices();
    board.clear();
    let mut changes = board.listen();
    let mut work = pin!(work);
    loop {
        // Changes are posted before the end of the work.
        match select(changes.next(), work).await {
            Either::Left((notices, unfinished)) => {
                if let Some(notices) = notices {
                    port.post(FromWorker::Notices { id, notices });
                }
                work = unfinished;
            }
            Either::Right((done, _)) => {
                while let Ok(notices) = changes.try_recv() {
                    port.post(FromWorker::Notices { id, notices });
                }
                return done;
            }
        }
    }
}

/// Lists the stored models, after removing a folder if one is given.
async fn stored(port: &dyn Port, id: u32, remove: Option<&str>) -> FromWorker {
    let Some(store) = port.store() else {
        return FromWorker::Stored {
            id,
            models: Vec::new(),
            space: None,
            unavailable: Some(port.no_store().unwrap_or_else(|| "there is no storage".to_owned())),
        };
    };
    let models = async {
        if let Some(folder) = remove {
            store.remove(folder, None).await?;
        }
        stored_models(store.as_ref()).await
    };
    match models.await {
        Ok(models) => FromWorker::Stored {
            id,
            models,
            space: store.space().await,
            unavailable: None,
        },
        Err(error) => FromWorker::Failed { id, error },
    }
}

/// Messages that have not been handled, and those that wait for their turn.
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

    /// Runs `work` to its end, unless a message cancels request `id` (None: any request). Pause and resume messages act
    /// on `gate`.
    async fn unless_cancelled<T>(
        &mut self,
        id: Option<u32>,
        gate: &Gate,
        work: impl Future<Output = Result<T>>,
    ) -> Result<T> {
        let stops =
            |message: &ToWorker| matches!(message, ToWorker::Cancel { id: of } if id.is_none_or(|id| id == *of));
        if id.is_some() && self.waiting.iter().any(stops) {
            self.waiting.retain(|message| !stops(message));
            return Err(Error::cancelled());
        }
        let cancelled = async {
            while let Some(message) = self.channel.next().await {
                match message {
                    ToWorker::Pause => gate.close(),
                    ToWorker::Resume => gate.open(),
                    _ => {}
                }
                let stop = stops(&message);
                // A `Describe` request gives way to the cancellation of the run queued behind it.
                if (!stop || id.is_none()) && !matches!(message, ToWorker::Pause | ToWorker::Resume) {
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
