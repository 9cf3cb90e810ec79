//! The HTTP client interface: `fetch` in a browser, a library natively, a script in tests.

use std::cell::{Cell, RefCell};
use std::ops::Range;
use std::rc::Rc;
use std::time::Duration;

use futures::channel::oneshot;
use futures::future::LocalBoxFuture;

/// Sends GET requests, and provides timers.
pub trait Transport {
    /// Sends a GET request, for `range` only where it is given. A network failure is described in words.
    fn get<'a>(
        &'a self,
        url: &'a str,
        range: Option<&'a Range<u64>>,
    ) -> LocalBoxFuture<'a, std::result::Result<Answer, String>>;

    /// Waits for `duration`.
    fn sleep(&self, duration: Duration) -> LocalBoxFuture<'_, ()>;

    /// Resolves when the server has been silent for `timeout`. Never resolves where the transport detects that by
    /// itself.
    fn stall_timeout(&self, timeout: Duration) -> LocalBoxFuture<'_, ()>;

    /// Advice for the user, a sentence or two, when `url` cannot be reached.
    fn advice(&self, url: &str) -> &'static str;
}

/// Status, headers and body of a response.
pub struct Answer {
    /// Status code: 200, 206, 404.
    pub status: u16,
    /// The header `Content-Range`, if it is present and readable.
    pub content_range: Option<String>,
    /// The header `Retry-After`, if it is present and readable.
    pub retry_after: Option<String>,
    /// The header `RateLimit`, if it is present and readable.
    pub rate_limit: Option<String>,
    /// The content encoding, if the body arrives still compressed.
    pub encoding: Option<String>,
    /// Whether the response comes from another URL than the requested one, after a redirect.
    pub redirected: bool,
    /// The server's version label of the file: the header `ETag`, or else `Last-Modified`, which is readable across
    /// origins. None where neither is present and readable.
    pub label: Option<String>,
    /// The body.
    pub body: Box<dyn Body>,
}

/// The body of a response. Dropping it aborts the request.
pub trait Body {
    /// The next chunk; None at the end. A network failure is described in words.
    fn next(&mut self) -> LocalBoxFuture<'_, std::result::Result<Option<&[u8]>, String>>;
}

/// Lets downloads proceed, or holds them back. Clones share the same gate.
#[derive(Clone, Default)]
pub struct Gate(Rc<GateState>);

#[derive(Default)]
struct GateState {
    closed: Cell<bool>,
    waiting: RefCell<Vec<oneshot::Sender<()>>>,
}

impl Gate {
    /// Holds downloads back.
    pub fn close(&self) {
        self.0.closed.set(true);
    }

    /// Lets downloads proceed.
    pub fn open(&self) {
        self.0.closed.set(false);
        for waiting in self.0.waiting.take() {
            // The waiting task may be gone.
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

/// How often and when to retry after temporary failures: busy servers, broken connections.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RetryPolicy {
    /// A connection without data for this long counts as broken.
    pub stall_timeout: Duration,
    /// Delays before the first, second, ... retry. An attempt that brings bytes resets the count.
    pub waits: Vec<Duration>,
    /// The same after "too many requests" (429) without a stated delay.
    pub too_often: Vec<Duration>,
    /// Limit of the retries for a server that has never answered: the URL may be wrong.
    pub before_first_answer: usize,
    /// The longest delay that is accepted from `Retry-After` or `RateLimit`.
    pub longest: Duration,
}

impl Default for RetryPolicy {
    fn default() -> Self {
        Self {
            stall_timeout: Duration::from_secs(20),
            waits: [500, 1000, 2000, 4000, 8000].map(Duration::from_millis).to_vec(),
            // Two minutes.
            too_often: [2, 4, 8, 16, 30, 60].map(Duration::from_secs).to_vec(),
            before_first_answer: 1,
            longest: Duration::from_secs(120),
        }
    }
}

/// When a response says that a request may be repeated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum RetryHint {
    /// Not stated.
    Unspecified,
    /// Too many requests, without a stated delay.
    TooManyRequests,
    /// After this delay.
    After(Duration),
}

impl Answer {
    /// Parses when to retry: `Retry-After: 57`, or `RateLimit: "resolvers";r=0;t=57`.
    pub(crate) fn retry_hint(&self) -> RetryHint {
        let seconds = self
            .retry_after
            .as_ref()
            .and_then(|seconds| seconds.trim().parse().ok());
        let of_limit = || {
            let parts = self.rate_limit.as_ref()?.split([';', ',']);
            let reset = |part: &str| {
                part.trim()
                    .strip_prefix("t=")
                    .or(part.trim().strip_prefix("reset="))?
                    .parse()
                    .ok()
            };
            parts.filter_map(reset).max()
        };
        match (seconds.or_else(of_limit), self.status) {
            // A window that ends "in 0 s" is given a moment to end.
            (Some(seconds), _) => RetryHint::After(Duration::from_secs(u64::max(seconds, 1))),
            (None, 429) => RetryHint::TooManyRequests,
            (None, _) => RetryHint::Unspecified,
        }
    }
}

impl RetryPolicy {
    /// The delay after failed attempt number `attempt` (from 0), if the server said `again`. None: give up.
    pub(crate) fn wait(&self, attempt: usize, answered: bool, again: RetryHint) -> Option<Duration> {
        if again == RetryHint::TooManyRequests {
            return self.too_often.get(attempt).copied();
        }
        let most = if answered {
            self.waits.len()
        } else {
            self.before_first_answer
        };
        let wait = *self.waits.get(..most.min(self.waits.len()))?.get(attempt)?;
        match again {
            RetryHint::After(asked) if asked > self.longest => None,
            RetryHint::After(asked) => Some(asked.max(wait)),
            RetryHint::Unspecified | RetryHint::TooManyRequests => Some(wait),
        }
    }
}

#[cfg(test)]
mod tests {
    use futures::future::ready;

    use super::*;

    struct Nothing;

    impl Body for Nothing {
        fn next(&mut self) -> LocalBoxFuture<'_, std::result::Result<Option<&[u8]>, String>> {
            Box::pin(ready(Ok(None)))
        }
    }

    #[test]
    fn a_server_is_asked_again_when_it_says() {
        let again = |status: u16, retry_after: Option<&str>, rate_limit: Option<&str>| {
            let answer = Answer {
                status,
                content_range: None,
                retry_after: retry_after.map(Into::into),
                rate_limit: rate_limit.map(Into::into),
                encoding: None,
                redirected: false,
                label: None,
                body: Box::new(Nothing),
            };
            answer.retry_hint()
        };
        let after = |seconds| RetryHint::After(Duration::from_secs(seconds));
        assert_eq!(again(429, None, Some("\"resolvers\";r=0;t=57")), after(57));
        assert_eq!(
            again(429, None, Some("\"api\";r=10;t=3, \"pages\";r=0;t=60")),
            after(60)
        );
        assert_eq!(again(429, None, Some("limit=100, remaining=0, reset=12")), after(12));
        assert_eq!(again(429, Some("5"), Some("\"a\";r=0;t=57")), after(5));
        assert_eq!(again(429, None, Some("\"a\";r=0;t=0")), after(1));
        assert_eq!(again(429, None, Some("\"a\";r=0")), RetryHint::TooManyRequests);
        assert_eq!(
            again(429, Some("Tue, 01 Dec 2026 10:00:00 GMT"), None),
            RetryHint::TooManyRequests
        );
        assert_eq!(again(503, None, None), RetryHint::Unspecified);
        let retry_policy = RetryPolicy::default();
        let all: Duration = (0..)
            .map_while(|attempt| retry_policy.wait(attempt, false, RetryHint::TooManyRequests))
            .sum();
        assert_eq!(all, Duration::from_secs(120));
        assert_eq!(retry_policy.wait(0, true, after(57)), Some(Duration::from_secs(57)));
        assert_eq!(retry_policy.wait(0, true, after(121)), None);
        assert_eq!(retry_policy.wait(1, false, RetryHint::Unspecified), None);
    }
}
