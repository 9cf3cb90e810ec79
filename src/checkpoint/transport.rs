//! One GET at a time, whatever sends it: `fetch` in a browser, a library natively, a script in tests.

use std::cell::{Cell, RefCell};
use std::ops::Range;
use std::rc::Rc;
use std::time::Duration;

use futures::channel::oneshot;
use futures::future::LocalBoxFuture;

/// Sends requests and tells the time.
pub trait Transport {
    /// Sends a GET, for `range` alone where there is one. What fails on the way is told in words.
    fn get<'a>(
        &'a self,
        url: &'a str,
        range: Option<&'a Range<u64>>,
    ) -> LocalBoxFuture<'a, std::result::Result<Answer, String>>;

    /// Waits.
    fn sleep(&self, duration: Duration) -> LocalBoxFuture<'_, ()>;

    /// Ends when a server has been silent for `patience`; never where the transport watches that itself.
    fn silence(&self, patience: Duration) -> LocalBoxFuture<'_, ()>;

    /// What to do when a server can't be reached, a sentence or two.
    fn advice(&self) -> &'static str;
}

/// The beginning of an answer.
pub struct Answer {
    /// The status: 200, 206, 404.
    pub status: u16,
    /// The header `Content-Range`, where it is there and may be read.
    pub content_range: Option<String>,
    /// The header `Retry-After`, where it is there and may be read.
    pub retry_after: Option<String>,
    /// What the server calls this version of the file: the header `ETag`, or else `Last-Modified`, which a page may read
    /// across origins; None where neither is there and may be read.
    pub label: Option<String>,
    /// What follows.
    pub body: Box<dyn Body>,
}

/// The body of an answer. Dropping it ends the request.
pub trait Body {
    /// The next bytes; None at the end. What fails on the way is told in words.
    fn next(&mut self) -> LocalBoxFuture<'_, std::result::Result<Option<&[u8]>, String>>;
}

/// Lets downloads through, or holds them back. Clones are one gate.
#[derive(Clone, Default)]
pub struct Gate(Rc<GateState>);

#[derive(Default)]
struct GateState {
    closed: Cell<bool>,
    waiting: RefCell<Vec<oneshot::Sender<()>>>,
}

impl Gate {
    /// Holds downloads back from now on.
    pub fn close(&self) {
        self.0.closed.set(true);
    }

    /// Lets downloads go on.
    pub fn open(&self) {
        self.0.closed.set(false);
        for waiting in self.0.waiting.take() {
            // Who does not wait any more does not mind.
            let _ = waiting.send(());
        }
    }

    /// Whether downloads are held back.
    pub fn is_closed(&self) -> bool {
        self.0.closed.get()
    }

    /// Waits until the gate is open.
    pub async fn pass(&self) {
        while self.is_closed() {
            let (sender, receiver) = oneshot::channel();
            self.0.waiting.borrow_mut().push(sender);
            let _ = receiver.await;
        }
    }
}

/// How long to wait for what may pass: servers that are busy, connections that break.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Patience {
    /// Silence after which a connection counts as broken.
    pub silence: Duration,
    /// Waits before the first, second, ... attempt to go on; an attempt that brings bytes begins anew.
    pub waits: Vec<Duration>,
    /// The most of `waits` for a server that has never answered: its address may be wrong.
    pub before_first_answer: usize,
    /// The longest wait that a server may ask for with `Retry-After`.
    pub longest: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            silence: Duration::from_secs(20),
            waits: [500, 1000, 2000, 4000, 8000].map(Duration::from_millis).to_vec(),
            before_first_answer: 1,
            longest: Duration::from_secs(120),
        }
    }
}

impl Patience {
    /// How long to wait after the failed attempt `attempt` (from 0), where `asked` is what the server asked for.
    /// None: no more.
    pub(crate) fn wait(&self, attempt: usize, answered: bool, asked: Option<Duration>) -> Option<Duration> {
        let most = if answered {
            self.waits.len()
        } else {
            self.before_first_answer
        };
        let wait = *self.waits.get(..most.min(self.waits.len()))?.get(attempt)?;
        match asked {
            Some(asked) if asked > self.longest => None,
            Some(asked) => Some(asked.max(wait)),
            None => Some(wait),
        }
    }
}
