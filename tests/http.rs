//! A checkpoint is read over HTTP with and without ranges, and errors have clear messages.

#![cfg(feature = "cli")]

mod common;

use std::time::Duration;

use common::server::{Manner, Server};
use common::{assert_one_line, block_on, open, tiny};
use keyside::checkpoint::{BlockingTransport, HttpSource, MemorySource, NoticeBoard, RetryPolicy, source_for};
use keyside::model::Checkpoint;
use keyside::{Error, ErrorKind, Result};

fn open_url(url: &str) -> Result<Checkpoint> {
    let retry_policy = RetryPolicy {
        waits: vec![Duration::from_millis(1); 3],
        ..RetryPolicy::default()
    };
    let transport = Box::new(BlockingTransport::new(retry_policy.stall_timeout));
    let source = HttpSource::new(url, transport)?.with_retry_policy(retry_policy);
    block_on(Checkpoint::open(Box::new(source)))
}

fn error_of(files: MemorySource, manner: Manner) -> Error {
    let server = Server::start(files, manner);
    let error = open_url(&server.url()).err().expect("is refused");
    assert_one_line(&error.to_string());
    error
}

fn tensor(checkpoint: &Checkpoint, name: &str, shape: &[usize]) -> Result<Vec<f32>> {
    let tensor = block_on(checkpoint.weights().tensor(name, shape))?;
    Ok(tensor.flatten_all()?.to_vec1()?)
}

#[test]
fn every_manner_of_answering_gives_the_same_tensors() {
    let memory = open(tiny()).expect("opens");
    let mut compared = 0;
    for manner in [Manner::Ranges, Manner::RangesWithoutLength, Manner::Whole] {
        let server = Server::start(tiny(), manner);
        for url in [server.url(), server.url() + "/"] {
            let checkpoint = open_url(&url).expect("opens");
            assert_eq!(checkpoint.location(), server.url());
            for (name, shape) in common::tensors_of(&tiny()) {
                let name = name.trim_start_matches("transformer.");
                assert_eq!(
                    tensor(&checkpoint, name, &shape).expect("reads"),
                    tensor(&memory, name, &shape).expect("reads"),
                    "{manner:?} {name}"
                );
                compared += 1;
            }
        }
    }
    assert_eq!(compared, 3 * 2 * (2 + 3 * 12 + 2));
}

#[test]
fn only_what_is_needed_is_asked_for() {
    let server = Server::start(tiny(), Manner::Ranges);
    let checkpoint = open_url(&server.url()).expect("opens");
    tensor(&checkpoint, "ln_f.bias", &[32]).expect("reads");
    let requests = server.requests();
    let header = u64::from_le_bytes(
        tiny().get("model.safetensors").expect("there")[..8]
            .try_into()
            .expect("eight bytes"),
    );
    assert_eq!(
        requests[..4],
        [
            "GET /model/config.json whole".to_owned(),
            "GET /model/tokenizer.json whole".to_owned(),
            "GET /model/model.safetensors bytes=0-7".to_owned(),
            format!("GET /model/model.safetensors bytes=8-{}", 8 + header - 1),
        ]
    );
    let (from, to) = requests[4]
        .rsplit_once("bytes=")
        .and_then(|(_, range)| range.split_once('-'))
        .expect("a range");
    let (from, to): (u64, u64) = (from.parse().expect("a number"), to.parse().expect("a number"));
    assert_eq!(to + 1 - from, 32 * 4);
    assert_eq!(requests.len(), 5);
}

#[test]
fn statuses_are_told_apart() {
    let error = error_of(tiny().without("config.json"), Manner::Ranges);
    assert_eq!(error.kind, ErrorKind::Missing);
    assert!(
        error.cause.starts_with("there is no config.json in http://127.0.0.1:"),
        "{error}"
    );
    assert!(error.advice.contains("404"), "{error}");
    let error = error_of(tiny().without("model.safetensors"), Manner::Whole);
    assert!(error.cause.starts_with("there is no model.safetensors in"), "{error}");
    let error = error_of(tiny(), Manner::Status(403));
    assert!(
        error.cause.contains("may not be read (the server answered 403)"),
        "{error}"
    );
    let error = error_of(tiny(), Manner::Status(500));
    assert!(error.cause.contains("it answered 500"), "{error}");
}

fn cut(length: usize) -> MemorySource {
    let bytes = tiny().get("model.safetensors").expect("there")[..length].to_vec();
    tiny().with("model.safetensors", bytes)
}

#[test]
fn a_truncated_file_is_found_at_open_where_the_server_tells_its_length() {
    let error = error_of(cut(400_000), Manner::Ranges);
    assert_eq!(error.kind, ErrorKind::Checkpoint);
    assert!(
        error.cause.contains("is truncated") && error.cause.contains("it has 400000 bytes"),
        "{error}"
    );
}

#[test]
fn a_truncated_file_is_found_at_the_tensor_where_the_length_is_not_known() {
    for manner in [Manner::RangesWithoutLength, Manner::Whole] {
        let server = Server::start(cut(400_000), manner);
        let checkpoint = open_url(&server.url()).expect("opens");
        let errors: Vec<Error> = common::tensors_of(&tiny())
            .iter()
            .filter_map(|(name, shape)| tensor(&checkpoint, name.trim_start_matches("transformer."), shape).err())
            .collect();
        assert!(!errors.is_empty(), "{manner:?}");
        for error in errors {
            assert_eq!(error.kind, ErrorKind::Source);
            assert!(
                error.cause.starts_with("model.safetensors is truncated: it ends after"),
                "{manner:?} {error}"
            );
            assert_one_line(&error.to_string());
        }
    }
}

#[test]
fn a_truncated_header_and_a_broken_connection_are_errors() {
    let error = error_of(cut(1000), Manner::Ranges);
    assert!(error.cause.contains("longer than the file"), "{error}");
    let error = error_of(cut(1000), Manner::RangesWithoutLength);
    assert_eq!(error.cause, "model.safetensors is truncated: it ends after 1000 bytes");
    let error = error_of(cut(5), Manner::RangesWithoutLength);
    assert_eq!(error.cause, "model.safetensors is truncated: it ends after 5 bytes");
    let error = error_of(tiny(), Manner::BreaksOff);
    assert!(error.cause.contains("config.json can't be read ("), "{error}");
}

#[test]
fn a_server_that_is_not_there_is_an_error() {
    // A port that was free a moment ago.
    let address = std::net::TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr());
    let url = format!("http://{}/model", address.expect("a free port"));
    let error = open_url(&url).err().expect("is refused");
    assert_eq!(error.kind, ErrorKind::Source);
    assert!(
        error.cause.starts_with(&format!("{url}/config.json can't be read (")),
        "{error}"
    );
    assert_one_line(&error.to_string());
    let error = source_for("ftp://127.0.0.1/model", NoticeBoard::default())
        .err()
        .expect("is refused");
    assert!(
        error.cause.contains("does not start with http:// or https://"),
        "{error}"
    );
}

#[test]
fn files_that_are_too_large_are_not_read_to_their_end() {
    for (file, limit) in [("config.json", 1 << 20), ("tokenizer.json", 32 << 20)] {
        let at_limit = error_of(tiny().with(file, vec![b' '; limit]), Manner::Ranges);
        assert_ne!(at_limit.kind, ErrorKind::Source, "{at_limit}");
        let error = error_of(tiny().with(file, vec![b' '; limit + 1]), Manner::Ranges);
        assert_eq!(error.kind, ErrorKind::Source);
        assert_eq!(error.cause, format!("{file} is larger than {limit} bytes"));
    }
}
