//! Retries and waiting times for servers, with a simulated clock and simulated answers.

#![allow(clippy::unwrap_used)]

mod common;

use std::cell::RefCell;
use std::collections::VecDeque;
use std::ops::Range;
use std::rc::Rc;
use std::time::Duration;

use common::{assert_one_line, block_on};
use futures::future::{LocalBoxFuture, pending, ready};
use keyside::checkpoint::{Answer, Body, HttpSource, NoticeBoard, RetryPolicy, Source, Transport};
use keyside::{Error, ErrorKind, Result};

/// The wait of the command line: src/checkpoint/mod.rs.
const WINDOWS: Duration = Duration::from_secs(600);
const HUB: &str = "https://huggingface.co/someone/own-gpt2/resolve/main";

/// A scripted answer: the status, and unusual headers or faults.
#[derive(Clone, Copy, Default)]
struct Reply {
    status: u16,
    retry_after: Option<&'static str>,
    rate_limit: Option<&'static str>,
    encoding: Option<&'static str>,
    redirected: bool,
}

const fn status(status: u16) -> Reply {
    Reply {
        status,
        retry_after: None,
        rate_limit: None,
        encoding: None,
        redirected: false,
    }
}

const RATE_LIMIT: Reply = Reply {
    rate_limit: Some("\"resolvers\";r=0;t=60"),
    ..status(429)
};
const EXPIRED: Reply = Reply {
    redirected: true,
    ..status(403)
};

/// The log: waited seconds and requested addresses.
#[derive(Default)]
struct Log {
    waited: RefCell<Vec<u64>>,
    asked: RefCell<Vec<String>>,
}

struct Script {
    replies: RefCell<VecDeque<Reply>>,
    log: Rc<Log>,
}

struct Bytes(Option<&'static [u8]>);

impl Body for Bytes {
    fn next(&mut self) -> LocalBoxFuture<'_, std::result::Result<Option<&[u8]>, String>> {
        Box::pin(ready(Ok(self.0.take())))
    }
}

impl Transport for Script {
    fn get<'a>(
        &'a self,
        url: &'a str,
        _range: Option<&'a Range<u64>>,
    ) -> LocalBoxFuture<'a, std::result::Result<Answer, String>> {
        self.log.asked.borrow_mut().push(url.to_owned());
        // After the scripted answers, the file is served.
        let reply = self.replies.borrow_mut().pop_front().unwrap_or(status(200));
        let answer = Answer {
            status: reply.status,
            content_range: None,
            retry_after: reply.retry_after.map(Into::into),
            rate_limit: reply.rate_limit.map(Into::into),
            encoding: reply.encoding.map(Into::into),
            redirected: reply.redirected,
            label: None,
            body: Box::new(Bytes(Some(b"{}"))),
        };
        Box::pin(ready(Ok(answer)))
    }

    fn sleep(&self, duration: Duration) -> LocalBoxFuture<'_, ()> {
        self.log.waited.borrow_mut().push(duration.as_secs());
        Box::pin(ready(()))
    }

    fn stall_timeout(&self, _timeout: Duration) -> LocalBoxFuture<'_, ()> {
        Box::pin(pending())
    }

    fn advice(&self, _url: &str) -> &'static str {
        "Check the URL."
    }
}

/// The result of reading `config.json` at `url`, which is answered with `replies` and then with the file; the log; and
/// every notice.
fn read(url: &str, retry_policy: RetryPolicy, replies: &[Reply]) -> (Result<Vec<u8>>, Rc<Log>, Vec<String>) {
    let log = Rc::new(Log::default());
    let transport = Script {
        replies: RefCell::new(replies.iter().copied().collect()),
        log: Rc::clone(&log),
    };
    let told = Rc::new(RefCell::new(Vec::new()));
    let telling = Rc::clone(&told);
    let notices = NoticeBoard::with_listener(move |notices| telling.borrow_mut().extend(notices.retry.clone()));
    let source = HttpSource::new(url, Box::new(transport)).unwrap();
    let source = source.with_retry_policy(retry_policy).with_notices(notices);
    let found = block_on(source.read("config.json", None));
    let told = told.borrow().clone();
    (found, log, told)
}

fn natively() -> RetryPolicy {
    RetryPolicy {
        longest: WINDOWS,
        ..RetryPolicy::default()
    }
}

fn refused(found: Result<Vec<u8>>) -> Error {
    let error = found.unwrap_err();
    assert_one_line(&error.to_string());
    error
}

#[test]
fn the_window_of_a_rate_limit_is_waited_for_and_said() {
    for retry_policy in [natively(), RetryPolicy::default()] {
        let (found, log, told) = read(HUB, retry_policy, &[RATE_LIMIT]);
        assert_eq!(found.unwrap(), b"{}");
        assert_eq!(*log.waited.borrow(), [60]);
        assert_eq!(log.asked.borrow().len(), 2);
        assert!(
            told[0].ends_with("(the server answered 429); trying again in 60 s."),
            "{told:?}"
        );
    }
    // A later window is waited for natively alone: nobody sits before a page for so long.
    let later = Reply {
        rate_limit: Some("\"resolvers\";r=0;t=290"),
        ..RATE_LIMIT
    };
    let (found, log, _) = read(HUB, natively(), &[later]);
    assert_eq!((found.unwrap().len(), log.waited.borrow().clone()), (2, vec![290]));
    let (found, log, _) = read(HUB, RetryPolicy::default(), &[later]);
    assert!(
        refused(found)
            .cause
            .contains("was asked for too often (the server answered 429)")
    );
    assert!(log.waited.borrow().is_empty());
    let retry_after = Reply {
        retry_after: Some("5"),
        ..RATE_LIMIT
    };
    let (_, log, _) = read(HUB, natively(), &[retry_after]);
    assert_eq!(*log.waited.borrow(), [5], "what is said of this answer comes first");
}

#[test]
fn where_no_window_is_said_two_minutes_are_waited() {
    let (found, log, told) = read(HUB, RetryPolicy::default(), &[status(429); 20]);
    let error = refused(found);
    assert!(error.cause.contains("was asked for too often"), "{error}");
    assert_eq!(log.waited.borrow().iter().sum::<u64>(), 120);
    assert_eq!(log.asked.borrow().len(), log.waited.borrow().len() + 1);
    assert!(
        told.iter().any(|told| told.ends_with("trying again in 60 s.")),
        "{told:?}"
    );
    let (found, log, _) = read(HUB, RetryPolicy::default(), &[status(429); 3]);
    assert_eq!((found.unwrap().len(), log.waited.borrow().clone()), (2, vec![2, 4, 8]));
}

#[test]
fn an_address_that_has_expired_is_asked_for_once_more() {
    let (found, log, _) = read(HUB, natively(), &[EXPIRED]);
    assert_eq!(found.unwrap(), b"{}");
    assert_eq!(
        *log.asked.borrow(),
        [format!("{HUB}/config.json"), format!("{HUB}/config.json")]
    );
    assert!(log.waited.borrow().is_empty());
    let (found, log, _) = read(HUB, natively(), &[EXPIRED, EXPIRED, EXPIRED]);
    assert!(
        refused(found)
            .cause
            .contains("may not be read (the server answered 403)")
    );
    assert_eq!(log.asked.borrow().len(), 2);
    let (found, log, _) = read(HUB, natively(), &[status(403)]);
    assert!(found.is_err());
    assert_eq!(log.asked.borrow().len(), 1, "the first server itself forbids it");
}

#[test]
fn what_is_compressed_is_called_so_and_not_asked_for_again() {
    let gzip = Reply {
        encoding: Some("gzip"),
        ..status(206)
    };
    let (found, log, _) = read(HUB, natively(), &[gzip]);
    assert!(
        refused(found)
            .cause
            .ends_with("config.json comes compressed (Content-Encoding: gzip)")
    );
    assert_eq!((log.asked.borrow().len(), log.waited.borrow().len()), (1, 0));
    let same = Reply {
        encoding: Some("identity"),
        ..status(200)
    };
    assert!(read(HUB, natively(), &[same]).0.is_ok());
}

#[test]
fn a_model_that_is_not_public_is_called_so() {
    let (found, log, _) = read(HUB, natively(), &[status(401)]);
    let error = refused(found);
    assert_eq!(error.kind, ErrorKind::Source);
    assert_eq!(
        error.cause,
        "the hub has no public model someone/own-gpt2, or it is gated (it answered 401)"
    );
    assert_eq!(log.asked.borrow().len(), 1);
}

#[test]
fn addresses_in_brackets_are_asked() {
    let (found, log, _) = read("http://[::1]:8000/gpt2/", natively(), &[]);
    assert_eq!(found.unwrap(), b"{}");
    assert_eq!(*log.asked.borrow(), ["http://[::1]:8000/gpt2/config.json"]);
}
