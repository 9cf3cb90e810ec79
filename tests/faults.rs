//! Faults between a server and a reader: temporary ones are retried and pass, permanent ones fail with one clear
//! message; after each a plain run succeeds with the golden numbers.

#![cfg(feature = "cli")]

mod common;
mod golden_file;

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use common::fault_server::{Fault, FaultServer};
use common::{assert_one_line, block_on, tiny};
use golden_file::results;
use golden_file::{Golden, Recorder, analysis};
use keyside::analysis::analyze;
use keyside::checkpoint::{
    BlockingTransport, HttpSource, MemoryStore, NoticeBoard, RetryPolicy, Source, Store, StoredSource, source_for,
};
use keyside::forward::Model;
use keyside::model::Processing;
use keyside::{Error, ErrorKind, Result};

const CONFIG: &str = "config.json";
const WEIGHTS: &str = "model.safetensors";
/// More often than anybody tries.
const ALWAYS: usize = 1000;

fn source(url: &str) -> Result<Box<dyn Source>> {
    let retry_policy = RetryPolicy {
        stall_timeout: Duration::from_millis(300),
        waits: vec![Duration::from_millis(5); 3],
        longest: Duration::from_secs(2),
        ..RetryPolicy::default()
    };
    let transport = Box::new(BlockingTransport::new(retry_policy.stall_timeout));
    Ok(Box::new(
        HttpSource::new(url, transport)?.with_retry_policy(retry_policy),
    ))
}

/// A run from `source`, compared with the golden numbers.
fn run(source: Box<dyn Source>) -> Result<()> {
    let mut model = block_on(Model::open(source, Processing::default()))?;
    let result = block_on(results::run(
        &mut model,
        &analysis("2.1", "1.3", 3, 10),
        &Recorder::default(),
    ))?;
    let mut golden = Golden::read("tiny-golden.json", 1e-4);
    golden.check_histograms(&result);
    golden.finish();
    Ok(())
}

/// A run while the server goes wrong; afterwards a plain one, through what the first one stored.
fn during(file: &'static str, fault: Fault, times: usize) -> Option<Error> {
    let server = FaultServer::start(tiny(), file, fault, times);
    let store: Rc<dyn Store> = Rc::new(MemoryStore::new());
    let stored =
        || -> Result<Box<dyn Source>> { Ok(Box::new(StoredSource::new(source(&server.url())?, Rc::clone(&store)))) };
    let outcome = run(stored().expect("an address")).err();
    assert!(server.left() < times, "nothing went wrong");
    server.heal();
    run(stored().expect("an address")).expect("a plain run succeeds afterwards");
    let before = server.bytes();
    run(stored().expect("an address")).expect("from storage");
    assert_eq!(server.bytes(), before, "what is stored is asked for again");
    outcome
}

fn passes(file: &'static str, fault: Fault, times: usize) {
    if let Some(error) = during(file, fault, times) {
        panic!("{fault:?}: {error}");
    }
}

/// Two versions of the weights in one run, the second of them after `times` answers of the first.
fn mixes(fault: Fault, times: usize) {
    let error = during(WEIGHTS, fault, times).unwrap_or_else(|| panic!("{fault:?} passed"));
    assert_eq!(error.kind, ErrorKind::Changed);
    assert_one_line(&error.to_string());
    assert!(
        error.cause.contains("has changed since parts of it were read"),
        "{error}"
    );
}

fn fails(file: &'static str, fault: Fault, words: &str) {
    let error = during(file, fault, ALWAYS).unwrap_or_else(|| panic!("{fault:?} passed"));
    println!("{fault:?}: {error}");
    assert_one_line(&error.to_string());
    assert!(
        error.to_string().contains(words),
        "\"{error}\" does not say \"{words}\""
    );
}

/// A test for each case, under its own name.
macro_rules! cases {
    ($($name:ident => $check:ident($($argument:expr),*);)*) => {
        $(#[test] fn $name() { $check($($argument),*); })*
    };
}

cases! {
    dropped_in_the_middle_of_a_body => passes(WEIGHTS, Fault::DropMidBody, 3);
    dropped_before_the_head => passes(WEIGHTS, Fault::DropBeforeHead, 2);
    a_dropped_first_request => passes(CONFIG, Fault::DropBeforeHead, 1);
    a_stalled_body => passes(WEIGHTS, Fault::Stall, 1);
    fewer_bytes_than_asked_for => passes(WEIGHTS, Fault::TooFew, 2);
    more_bytes_than_asked_for => passes(WEIGHTS, Fault::TooMany, 2);
    a_server_error => passes(WEIGHTS, Fault::Status(500), 2);
    a_server_that_is_unavailable => passes(WEIGHTS, Fault::Status(503), 2);
    a_request_that_timed_out => passes(WEIGHTS, Fault::Status(408), 2);
    too_many_requests => passes(WEIGHTS, Fault::RetryAfter(1), 1);
    a_rate_limit_whose_window_ends => passes(WEIGHTS, Fault::RateLimit(1), 1);
    an_address_that_has_expired => passes(WEIGHTS, Fault::Expired, 1);
    a_redirect => passes(WEIGHTS, Fault::Redirect, ALWAYS);
    no_ranges => passes(WEIGHTS, Fault::NoRanges, ALWAYS);
    no_ranges_and_no_length => passes(WEIGHTS, Fault::NoLength, ALWAYS);
    an_empty_body_once => passes(WEIGHTS, Fault::Empty, 1);
    another_label_for_the_same_bytes => passes(WEIGHTS, Fault::Relabeled, ALWAYS);
    another_version_in_the_middle_of_a_run => mixes(Fault::OtherVersion, 2);
    always_dropped => fails(WEIGHTS, Fault::DropBeforeHead, "model.safetensors can't be read");
    always_a_server_error => fails(WEIGHTS, Fault::Status(500), "500");
    forbidden => fails(WEIGHTS, Fault::Status(403), "403");
    not_found => fails(WEIGHTS, Fault::Status(404), "404");
    a_range_that_cannot_be => fails(WEIGHTS, Fault::Status(416), "truncated");
    too_many_requests_for_long => fails(WEIGHTS, Fault::RetryAfter(3600), "429");
    a_rate_limit_whose_window_is_long => fails(WEIGHTS, Fault::RateLimit(3600), "429");
    always_an_expired_address => fails(WEIGHTS, Fault::Expired, "403");
    compressed_parts => fails(WEIGHTS, Fault::Compressed, "comes compressed (Content-Encoding: gzip)");
    a_compressed_configuration => fails(CONFIG, Fault::Compressed, "comes compressed");
    a_redirect_to_itself => fails(WEIGHTS, Fault::RedirectLoop, "redirect");
    a_corrupt_header => fails(WEIGHTS, Fault::CorruptHeader, "header");
    corrupt_weights => fails(WEIGHTS, Fault::CorruptWeights, "not a finite number");
    always_an_empty_body => fails(WEIGHTS, Fault::Empty, "model.safetensors");
    a_page_of_html => fails(CONFIG, Fault::Html, "config.json is not JSON");
    html_in_place_of_weights => fails(WEIGHTS, Fault::Html, "model.safetensors");
}

/// A wait for a server is reported before it begins, since natively waiting blocks the listener.
#[test]
fn a_wait_is_said() {
    let server = FaultServer::start(tiny(), CONFIG, Fault::RateLimit(1), 1);
    let told = Rc::new(RefCell::new(Vec::new()));
    let telling = Rc::clone(&told);
    let notices = NoticeBoard::with_listener(move |notices| telling.borrow_mut().extend(notices.retry.clone()));
    run(source_for(&server.url(), notices).expect("an address")).expect("runs after the wait");
    let told = told.borrow();
    assert!(
        told[0].ends_with("was asked for too often (the server answered 429); trying again in 1 s."),
        "{told:?}"
    );
}

/// A model that stays open between two runs, the second of which needs more of it.
#[test]
fn another_version_between_two_runs() {
    for fault in [Fault::OtherVersion, Fault::OtherVersionUnsaid] {
        let server = FaultServer::start(tiny(), WEIGHTS, fault, 0);
        // Nothing is kept: a piece of this small model would be all of it.
        let inner = source(&server.url()).expect("an address");
        let mut model = block_on(Model::open(inner, Processing::default())).expect("opens");
        let shallow = analysis("1.1", "0.1", 1, 4);
        block_on(analyze(&mut model, &shallow, &Recorder::default())).expect("runs");
        server.go_wrong(ALWAYS);
        model.checkpoint().mark_stale();
        let deep = analysis("2.1", "1.3", 1, 4);
        let error = block_on(analyze(&mut model, &deep, &Recorder::default())).expect_err("two versions");
        assert_eq!(error.kind, ErrorKind::Changed, "{error}");
        server.heal();
        run(source(&server.url()).expect("an address")).expect("a plain run succeeds afterwards");
    }
}
