//! A page in memory that a worker serves.

use futures::channel::mpsc::{UnboundedReceiver, UnboundedSender, unbounded};
use futures::future::LocalBoxFuture;
use keyside::analysis::Analysis;
use keyside::checkpoint::{
    Answer, Body, Gate, HttpSource, MemorySource, MemoryStore, NoticeBoard, Source, Store, Transport,
};
use keyside::names::Head;
use keyside::prompts::IoiSet;
use keyside::worker::{FromWorker, Port, ToWorker, serve};
use keyside::{Error, ErrorKind, Result};
use std::cell::RefCell;
use std::collections::VecDeque;
use std::ops::Range;
use std::rc::Rc;
use std::time::Duration;

use super::common::{self, tiny};

pub const URL: &str = "memory:tiny";

/// A page in memory: collects what is posted, and sends `later` one by one when messages are let in.
pub struct Page {
    pub posted: RefCell<Vec<FromWorker>>,
    pub later: RefCell<VecDeque<(When, ToWorker)>>,
    pub sender: RefCell<Option<UnboundedSender<ToWorker>>>,
    pub opened: RefCell<usize>,
    pub model: MemorySource,
    pub store: MemoryStore,
    pub gate: Gate,
    pub notices: NoticeBoard,
    /// Whether the model comes over a connection that breaks once.
    pub breaks: bool,
    /// How long the page takes for each part of an answer: longer than the worker computes without looking for messages.
    pub takes: Duration,
}

/// When a message is sent.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum When {
    /// After batch so-and-so was posted.
    Batch(usize),
    /// After so many answers.
    Answers(usize),
    /// After so many parts of the answer to request so-and-so.
    Parts(u32, usize),
}

pub fn is_answer(message: &FromWorker) -> bool {
    matches!(
        message,
        FromWorker::Described { .. }
            | FromWorker::Finished { .. }
            | FromWorker::Answered { .. }
            | FromWorker::Failed { .. }
    )
}

pub fn is_part(message: &FromWorker, question: u32) -> bool {
    matches!(message, FromWorker::Answer { id, .. } if *id == question)
}

impl Page {
    /// Serves `first` and then `later`, until all is answered; returns what was posted and how often
    /// the checkpoint was opened.
    pub fn serve(first: Vec<ToWorker>, later: Vec<(When, ToWorker)>) -> (Vec<FromWorker>, usize) {
        let (page, inbox) = Self::new(first, later);
        common::block_on(serve(&page, inbox));
        (page.posted.into_inner(), page.opened.into_inner())
    }

    pub fn new(first: Vec<ToWorker>, later: Vec<(When, ToWorker)>) -> (Self, UnboundedReceiver<ToWorker>) {
        let (sender, inbox) = unbounded();
        for message in first {
            sender.unbounded_send(message).expect("the inbox is open");
        }
        let page = Self {
            posted: RefCell::default(),
            later: RefCell::new(later.into()),
            sender: RefCell::new(Some(sender)),
            opened: RefCell::default(),
            model: tiny(),
            store: MemoryStore::new(),
            gate: Gate::default(),
            notices: NoticeBoard::default(),
            breaks: false,
            takes: Duration::ZERO,
        };
        page.send_due();
        (page, inbox)
    }

    /// Sends what is due; hangs up after the last message.
    pub fn send_due(&self) {
        let posted = self.posted.borrow();
        let mut later = self.later.borrow_mut();
        while let Some((when, message)) = later.pop_front() {
            let due = match when {
                When::Batch(index) => posted
                    .iter()
                    .any(|m| matches!(m, FromWorker::Batch { index: of, .. } if *of == index)),
                When::Answers(count) => posted.iter().filter(|message| is_answer(message)).count() >= count,
                When::Parts(question, count) => {
                    posted.iter().filter(|message| is_part(message, question)).count() >= count
                }
            };
            if !due {
                later.push_front((when, message));
                return;
            }
            if let Some(sender) = self.sender.borrow().as_ref() {
                sender.unbounded_send(message).expect("the inbox is open");
            }
        }
        self.sender.borrow_mut().take();
    }
}

/// One turn of the event loop: pending once.
pub fn turn() -> LocalBoxFuture<'static, ()> {
    let mut has_yielded = false;
    Box::pin(std::future::poll_fn(move |context| {
        if std::mem::replace(&mut has_yielded, true) {
            return std::task::Poll::Ready(());
        }
        context.waker().wake_by_ref();
        std::task::Poll::Pending
    }))
}

/// The tiny checkpoint over a connection of which the third request fails; the wait after it is long.
pub struct Breaks {
    pub requests: RefCell<usize>,
    pub notices: NoticeBoard,
}

impl Breaks {
    fn new(notices: NoticeBoard) -> Self {
        Self {
            requests: RefCell::default(),
            notices,
        }
    }
}

impl Transport for Breaks {
    fn get<'a>(
        &'a self,
        url: &'a str,
        range: Option<&'a Range<u64>>,
    ) -> LocalBoxFuture<'a, std::result::Result<Answer, String>> {
        Box::pin(async move {
            *self.requests.borrow_mut() += 1;
            if *self.requests.borrow() == 3 {
                return Err("it broke".to_owned());
            }
            turn().await;
            let file = url.rsplit('/').next().unwrap_or_default();
            let bytes = tiny().read(file, range.cloned()).await.map_err(|error| error.cause)?;
            Ok(Answer {
                status: if range.is_some() { 206 } else { 200 },
                content_range: None,
                retry_after: None,
                rate_limit: None,
                encoding: None,
                redirected: false,
                label: None,
                body: Box::new(Bytes(bytes, false)),
            })
        })
    }

    fn sleep(&self, _duration: Duration) -> LocalBoxFuture<'_, ()> {
        Box::pin(async {
            for _ in 0..10 {
                turn().await;
                assert!(
                    self.notices
                        .now()
                        .retry
                        .is_some_and(|text| text.ends_with("trying again in 1 s."))
                );
            }
        })
    }

    fn stall_timeout(&self, _timeout: Duration) -> LocalBoxFuture<'_, ()> {
        Box::pin(std::future::pending())
    }

    fn advice(&self, _url: &str) -> &'static str {
        "Wait."
    }
}

pub struct Bytes(Vec<u8>, bool);

impl Body for Bytes {
    fn next(&mut self) -> LocalBoxFuture<'_, std::result::Result<Option<&[u8]>, String>> {
        let ended = std::mem::replace(&mut self.1, true);
        Box::pin(async move { Ok((!ended).then_some(&self.0[..])) })
    }
}

impl Port for Page {
    fn post(&self, message: FromWorker) {
        if matches!(message, FromWorker::Answer { .. }) {
            std::thread::sleep(self.takes);
        }
        self.posted.borrow_mut().push(message);
        self.send_due();
    }

    fn yield_now(&self) -> LocalBoxFuture<'_, ()> {
        turn()
    }

    fn source(&self, url: &str) -> Result<Box<dyn Source>> {
        if url != URL {
            return Err(Error::new(ErrorKind::Source, format!("{url} is not there")));
        }
        *self.opened.borrow_mut() += 1;
        if self.breaks {
            let source = HttpSource::new("http://127.0.0.1/tiny", Box::new(Breaks::new(self.notices.clone())))?;
            return Ok(Box::new(source.with_notices(self.notices.clone())));
        }
        Ok(Box::new(self.model.clone()))
    }

    fn store(&self) -> Option<Rc<dyn Store>> {
        Some(Rc::new(self.store.clone()))
    }

    fn gate(&self) -> Gate {
        self.gate.clone()
    }

    fn notices(&self) -> NoticeBoard {
        self.notices.clone()
    }
}

pub fn analysis(batches: usize) -> Analysis {
    Analysis {
        head: Head::new(2, 3),
        earlier_head: Head::new(1, 1),
        prompts: IoiSet {
            seed: 0,
            batches,
            batch_size: 4,
            prepend_bos: false,
        }
        .into(),
        ..Analysis::default()
    }
}

pub fn run(id: u32, batches: usize) -> ToWorker {
    ToWorker::Analyze {
        id,
        url: URL.into(),
        analysis: analysis(batches),
    }
}

pub fn describe(id: u32, url: &str) -> ToWorker {
    ToWorker::Describe { id, url: url.into() }
}

pub fn answers(posted: &[FromWorker]) -> Vec<&FromWorker> {
    posted.iter().filter(|message| is_answer(message)).collect()
}

pub struct Nobody;

impl keyside::analysis::Observer for Nobody {
    fn progress(&self, _: &keyside::analysis::Progress) {}

    fn batch(&self, _: usize, _: &keyside::analysis::BatchValues) {}

    fn yield_now(&self) -> LocalBoxFuture<'_, Result<()>> {
        Box::pin(async { Ok(()) })
    }
}
