//! A model that changes on its server: stored bytes are never mixed with those of another version, where the change can
//! be detected.

#![allow(clippy::unwrap_used)]

mod common;

use std::ops::Range;
use std::rc::Rc;

use common::block_on;
use common::visits::{Server, WEIGHTS, damage, piece, read, small_file, visit};
use keyside::checkpoint::{MemorySource, MemoryStore, Source, StoredSource};
use keyside::{Error, ErrorKind};

#[test]
fn a_file_that_has_changed_on_the_server_is_noticed() {
    let (server, store) = (Server::small(), MemoryStore::new());
    let visit = || {
        let source = StoredSource::new(Box::new(server.clone()), Rc::new(store.clone()));
        assert_eq!(block_on(source.read(WEIGHTS, Some(0..100))).unwrap().len(), 100);
        let pieces: Vec<Range<u64>> = (1..10).map(|index| index * 100..(index + 1) * 100).collect();
        source.divide(WEIGHTS, &pieces);
        source
    };
    read(&visit(), 100..200);
    assert_eq!(
        server.take_bytes(),
        200,
        "the beginning is read once on the first visit"
    );
    let changed: Vec<u8> = small_file().iter().map(|byte| byte ^ 255).collect();
    *server.files.borrow_mut() = MemorySource::new().with(WEIGHTS, changed.clone());
    let error = block_on(visit().read(WEIGHTS, Some(100..300))).unwrap_err();
    assert_eq!(error.kind, ErrorKind::Changed);
    assert!(error.cause.contains("has changed"), "{error}");
    common::assert_one_line(&error.to_string());
    assert_eq!(read(&visit(), 100..300), changed[100..300], "the next run begins anew");
}

fn error_of(source: &StoredSource, range: Range<u64>) -> Error {
    let error = block_on(source.read(WEIGHTS, Some(range))).unwrap_err();
    assert_eq!(error.kind, ErrorKind::Changed, "{error}");
    common::assert_one_line(&error.to_string());
    error
}

#[test]
fn weights_that_change_under_the_same_header_are_noticed() {
    let (server, store) = (Server::small(), MemoryStore::new());
    read(&visit(&server, &store), 0..500);
    assert!(server.take_samples().is_empty(), "nothing to compare with");
    server.change(1, 9);
    assert_eq!(read(&visit(&server, &store), 0..500), small_file()[..500]);
    assert!(server.take_samples().is_empty(), "what is stored is of one version");
    server.take_bytes();
    let error = error_of(&visit(&server, &store), 400..1000);
    assert!(
        error.cause.contains("has changed since parts of it were read"),
        "{error}"
    );
    assert_eq!(server.take_bytes(), 0, "before anything else is read");
    let changed = server.files.borrow().get(WEIGHTS).unwrap().to_vec();
    assert_eq!(read(&visit(&server, &store), 0..1000), changed);
    assert_eq!(server.take_bytes(), 1000, "nothing of the other version is left");
}

#[test]
fn few_bytes_are_compared_and_of_all_pieces_where_the_label_is_new() {
    let (server, store) = (Server::small(), MemoryStore::new());
    *server.label.borrow_mut() = Some("a".into());
    read(&visit(&server, &store), 0..900);
    server.take_samples();
    read(&visit(&server, &store), 900..910);
    let samples = server.take_samples();
    assert_eq!(samples.len(), 8);
    assert_eq!((samples[0].clone(), samples[7].clone()), (44..50, 844..850));
    // The one piece of nine that is not looked at has changed, and the label says that something has.
    let (server, store) = (Server::small(), MemoryStore::new());
    *server.label.borrow_mut() = Some("a".into());
    read(&visit(&server, &store), 0..900);
    server.change(7, 7);
    *server.label.borrow_mut() = Some("b".into());
    error_of(&visit(&server, &store), 900..1000);
    assert_eq!(server.take_samples().len(), 9);
}

#[test]
fn a_new_label_for_the_same_bytes_changes_nothing() {
    let (server, store) = (Server::small(), MemoryStore::new());
    for (label, end) in [("a", 300), ("b", 600), ("a", 1000)] {
        *server.label.borrow_mut() = Some(label.into());
        assert_eq!(read(&visit(&server, &store), 0..end), small_file()[..end as usize]);
    }
    assert_eq!(server.take_bytes(), 1000);
}

#[test]
fn small_files_that_change_are_noticed_when_more_weights_are_read() {
    let config = b"{}".to_vec();
    let tokenizer = vec![7; 70_000];
    for (file, bytes) in [
        ("config.json", &b"{ }"[..]),
        ("tokenizer.json", &[8; 70_000]),
        ("tokenizer.json", &[7; 9]),
    ] {
        let (server, store) = (Server::small(), MemoryStore::new());
        let files = MemorySource::new()
            .with(WEIGHTS, small_file())
            .with("config.json", config.clone())
            .with("tokenizer.json", tokenizer.clone());
        *server.files.borrow_mut() = files.clone();
        let source = visit(&server, &store);
        block_on(source.read("config.json", None)).unwrap();
        block_on(source.read("tokenizer.json", None)).unwrap();
        read(&source, 0..100);
        read(&visit(&server, &store), 0..200);
        *server.files.borrow_mut() = files.with(file, bytes);
        let error = error_of(&visit(&server, &store), 0..300);
        assert!(error.cause.starts_with(file), "{error}");
    }
}

#[test]
fn damage_to_what_is_stored_is_no_change_of_the_model() {
    let (server, store) = (Server::small(), MemoryStore::new());
    read(&visit(&server, &store), 0..900);
    server.take_bytes();
    // The position of a sample.
    damage(&store, &piece(300), |bytes| bytes[45] ^= 1);
    assert_eq!(read(&visit(&server, &store), 0..1000), small_file());
    assert_eq!(server.ranges(), [Some(300..400), Some(900..1000)]);
}

#[test]
fn a_tab_whose_pieces_were_replaced_by_another_version_stops() {
    let (server, store) = (Server::small(), MemoryStore::new());
    let first = visit(&server, &store);
    read(&first, 0..500);
    server.change(0, 9);
    error_of(&visit(&server, &store), 500..600);
    read(&visit(&server, &store), 0..600);
    error_of(&first, 600..700);
}
