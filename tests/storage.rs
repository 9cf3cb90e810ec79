//! Stored models: read from the store between visits, checked for damage, never fetched twice.

#![allow(clippy::unwrap_used)]

mod common;
mod golden_file;

use std::ops::Range;
use std::rc::Rc;
use std::task::{Context, Waker};

use common::visits::{STEP, Server, WEIGHTS, damage, files_and_named, folder, piece, read, small_file, turn, visit};
use common::{block_on, tiny};
use futures::future::join;
use golden_file::{Golden, analysis};
use keyside::checkpoint::{MemorySource, MemoryStore, NoticeBoard, Source, Store, StoredSource, stored_models};
use keyside::forward::Model;
use keyside::model::Processing;

fn golden_run(source: StoredSource, head: &str) {
    let mut model = block_on(Model::open(Box::new(source), Processing::default())).unwrap();
    let result = block_on(golden_file::results::run(
        &mut model,
        &analysis(head, "1.3", 3, 10),
        &golden_file::Recorder::default(),
    ));
    let mut golden = Golden::read("tiny-golden.json", 1e-4);
    golden.check_histograms(&result.unwrap());
    golden.finish();
}

fn stored_tiny(server: &Server, store: &MemoryStore) -> StoredSource {
    StoredSource::new(Box::new(server.clone()), Rc::new(store.clone()))
}

#[test]
fn a_second_visit_reads_nothing_from_the_server() {
    let (server, store) = (Server::new(tiny()), MemoryStore::new());
    golden_run(stored_tiny(&server, &store), "2.1");
    let first = server.take_bytes();
    let total: usize = common::FILES.iter().map(|file| tiny().get(file).unwrap().len()).sum();
    assert!(first > 0 && first <= total as u64, "{first} bytes of {total}");
    golden_run(stored_tiny(&server, &store), "2.3");
    assert_eq!(server.take_bytes(), 0);
    *server.files.borrow_mut() = MemorySource::new();
    golden_run(stored_tiny(&server, &store), "2.1");
    assert_eq!(server.take_bytes(), 0, "the server has nothing any more");
    let models = block_on(stored_models(&store)).unwrap();
    assert_eq!(models.len(), 1);
    assert_eq!(
        (models[0].location.as_str(), models[0].bytes),
        ("https://example.org/model", first)
    );
}

#[test]
fn a_damaged_or_truncated_piece_alone_is_fetched_again() {
    let changes: [fn(&mut Vec<u8>); 3] = [
        |bytes| bytes[50] ^= 1,
        |bytes| bytes.truncate(30),
        |bytes| bytes.push(0),
    ];
    for change in changes {
        let (server, store) = (Server::small(), MemoryStore::new());
        read(&visit(&server, &store), 0..1000);
        assert_eq!(server.take_bytes(), 1000);
        damage(&store, &piece(300), change);
        assert_eq!(read(&visit(&server, &store), 0..1000), small_file());
        assert_eq!(server.ranges(), [Some(300..400)]);
        server.take_bytes();
        assert_eq!(read(&visit(&server, &store), 0..1000), small_file());
        assert_eq!(server.take_bytes(), 0, "the piece is whole again");
        assert!(server.take_samples().len() <= 8);
    }
}

#[test]
fn a_piece_that_is_gone_is_fetched_again() {
    let (server, store) = (Server::small(), MemoryStore::new());
    let source = visit(&server, &store);
    read(&source, 0..1000);
    server.take_bytes();
    let folder = folder(&store);
    store_remove(&store, &folder, Some(&piece(0)));
    assert_eq!(read(&source, 0..1000), small_file());
    assert_eq!(server.ranges(), [Some(0..100)]);
    server.take_bytes();
    // Deleted in another tab, while this one goes on.
    store_remove(&store, &folder, None);
    assert_eq!(read(&source, 0..1000), small_file());
    assert_eq!(server.take_bytes(), 1000);
    assert_eq!(read(&visit(&server, &store), 0..1000), small_file());
    assert_eq!(server.take_bytes(), 0);
}

fn store_remove(store: &MemoryStore, folder: &str, file: Option<&str>) {
    block_on(store.remove(folder, file)).unwrap();
}

#[test]
fn a_damaged_manifest_is_not_trusted() {
    let changes: [fn(&mut Vec<u8>); 3] = [
        |bytes| bytes.truncate(bytes.len() / 2),
        |bytes| bytes.clear(),
        |bytes| *bytes.last_mut().unwrap() ^= 1,
    ];
    for change in changes {
        let (server, store) = (Server::small(), MemoryStore::new());
        read(&visit(&server, &store), 0..1000);
        server.take_bytes();
        for name in manifests(&store) {
            damage(&store, &name, change);
        }
        assert_eq!(read(&visit(&server, &store), 0..1000), small_file());
        assert_eq!(server.take_bytes(), 1000);
        assert_eq!(read(&visit(&server, &store), 0..1000), small_file());
        assert_eq!(server.take_bytes(), 0, "a new manifest is there");
    }
}

fn manifests(store: &MemoryStore) -> Vec<String> {
    let files = block_on(store.files(&folder(store))).unwrap();
    files.into_iter().filter(|name| name.starts_with("manifest-")).collect()
}

#[test]
fn one_manifest_is_left_after_a_whole_visit() {
    let (server, store) = (Server::small(), MemoryStore::new());
    read(&visit(&server, &store), 0..1000);
    assert_eq!(manifests(&store).len(), 1, "{:?}", manifests(&store));
}

#[test]
fn without_room_the_run_goes_on_in_memory_and_says_so() {
    let (server, store) = (Server::small(), MemoryStore::new());
    store.set_quota(500);
    let board = NoticeBoard::default();
    let source = visit(&server, &store).with_notices(board.clone());
    assert_eq!(read(&source, 0..1000), small_file());
    let notice = board.now().not_kept.expect("is said");
    assert!(
        notice.contains("is not kept") && notice.contains("goes on in memory"),
        "{notice}"
    );
    assert_eq!(read(&source, 250..260), small_file()[250..260]);
    assert_eq!(server.take_bytes(), 1010, "no more is read than is wanted");
    board.clear();
    read(&source, 0..10);
    assert_eq!(board.now().not_kept, Some(notice), "is said again in the next run");
    let tiny_server = Server::new(tiny());
    golden_run(stored_tiny(&tiny_server, &store), "2.1");
}

#[test]
fn two_tabs_at_once_fetch_nothing_twice() {
    let (server, store) = (Server::small(), MemoryStore::new());
    let (one, other) = (visit(&server, &store), visit(&server, &store));
    let in_parts = async |source: &StoredSource| {
        let mut bytes = Vec::new();
        for start in [0, 300, 600] {
            let end = if start == 600 { 1000 } else { start + 300 };
            bytes.extend(source.read(WEIGHTS, Some(start..end)).await.unwrap());
            turn().await;
        }
        bytes
    };
    let (a, b) = block_on(join(in_parts(&one), in_parts(&other)));
    assert_eq!((a, b), (small_file(), small_file()));
    assert_eq!(server.take_bytes(), 1000);
}

#[test]
fn two_tabs_find_the_same_damage_and_repair_it_once() {
    let (server, store) = (Server::small(), MemoryStore::new());
    read(&visit(&server, &store), 0..900);
    server.take_bytes();
    let (one, other) = (visit(&server, &store), visit(&server, &store));
    // One of them knows the manifest as it was before the other adds to it.
    read(&one, 0..10);
    read(&other, 900..1000);
    damage(&store, &piece(400), |bytes| bytes[0] ^= 1);
    server.take_bytes();
    let all = |source| async move { StoredSource::read(source, WEIGHTS, Some(0..1000)).await.unwrap() };
    let (a, b) = block_on(join(all(&one), all(&other)));
    assert_eq!((a, b), (small_file(), small_file()));
    assert_eq!(server.take_bytes(), 100, "the damaged piece, once");
    assert_eq!(read(&visit(&server, &store), 0..1000), small_file());
    assert_eq!(server.take_bytes(), 0);
}

#[test]
fn a_tab_closed_midway_leaves_whole_pieces_and_the_next_one_fetches_the_rest() {
    let (server, store) = (Server::small(), MemoryStore::new());
    {
        let source = visit(&server, &store);
        let mut reading = Box::pin(source.read(WEIGHTS, Some(0..1000)));
        let mut context = Context::from_waker(Waker::noop());
        while *server.bytes.borrow() < 4 * STEP as u64 {
            assert!(reading.as_mut().poll(&mut context).is_pending());
        }
    }
    assert_eq!(server.take_bytes(), 256);
    assert_eq!(
        block_on(stored_models(&store)).unwrap()[0].bytes,
        200,
        "whole pieces only"
    );
    assert_eq!(read(&visit(&server, &store), 0..1000), small_file());
    assert_eq!(server.ranges(), [Some(200..1000)]);
    assert_eq!(server.take_bytes(), 800);
}

#[test]
fn a_later_run_fetches_just_what_is_missing() {
    let (server, store) = (Server::small(), MemoryStore::new());
    read(&visit(&server, &store), 0..300);
    read(&visit(&server, &store), 500..600);
    server.take_bytes();
    assert_eq!(read(&visit(&server, &store), 0..1000), small_file());
    assert_eq!(server.ranges(), [Some(300..500), Some(600..1000)]);
}

#[test]
fn half_written_pieces_go_at_once_when_there_is_no_more_room() {
    for limit in (100..1600).step_by(50) {
        let (server, store) = (Server::small(), MemoryStore::new());
        let board = NoticeBoard::default();
        store.set_limit(Some(limit));
        let source = visit(&server, &store).with_notices(board.clone());
        assert_eq!(read(&source, 0..1000), small_file(), "the run goes on");
        let (files, named) = files_and_named(&store);
        assert_eq!(files, named, "limit {limit}");
        assert!(board.now().not_kept.is_some(), "limit {limit}");
        let kept: u64 = block_on(stored_models(&store))
            .unwrap()
            .iter()
            .map(|model| model.bytes)
            .sum();
        server.take_bytes();
        store.set_limit(None);
        assert_eq!(read(&visit(&server, &store), 0..1000), small_file());
        assert_eq!(server.take_bytes(), 1000 - kept, "what is listed is whole");
    }
}

/// A visit that ends in the middle of a piece, as when a tab is closed.
fn broken_visit(server: &Server, store: &MemoryStore, range: Range<u64>) {
    let source = visit(server, store);
    let before = *server.bytes.borrow();
    let mut reading = Box::pin(source.read(WEIGHTS, Some(range)));
    let mut context = Context::from_waker(Waker::noop());
    while *server.bytes.borrow() < before + 4 * STEP as u64 {
        assert!(reading.as_mut().poll(&mut context).is_pending());
    }
}

#[test]
fn half_written_pieces_of_a_closed_tab_go_on_opening() {
    let (server, store) = (Server::small(), MemoryStore::new());
    broken_visit(&server, &store, 0..1000);
    let (files, named) = files_and_named(&store);
    assert!(files.len() > named.len(), "{files:?}");
    server.take_bytes();
    assert_eq!(read(&visit(&server, &store), 0..200), small_file()[..200]);
    let (files, named) = files_and_named(&store);
    assert_eq!(files, named);
    assert_eq!(server.take_bytes(), 0, "whole pieces stay");
    // No piece was finished, so nothing is stored.
    let store = MemoryStore::new();
    let source = StoredSource::new(Box::new(server.clone()), Rc::new(store.clone()));
    source.divide(WEIGHTS, std::slice::from_ref(&(0..1000)));
    let mut reading = Box::pin(source.read(WEIGHTS, Some(0..1000)));
    let mut context = Context::from_waker(Waker::noop());
    for _ in 0..5 {
        assert!(reading.as_mut().poll(&mut context).is_pending());
    }
    drop(reading);
    assert_eq!(files_and_named(&store).0.len(), 2, "a piece and its manifest");
    *server.files.borrow_mut() = MemorySource::new();
    block_on(visit(&server, &store).read("config.json", None)).unwrap_err();
    assert!(block_on(stored_models(&store)).unwrap().is_empty());
}

#[test]
fn opening_does_not_disturb_another_tab_that_is_writing() {
    let (server, store) = (Server::small(), MemoryStore::new());
    read(&visit(&server, &store), 0..100);
    let (one, other) = (visit(&server, &store), visit(&server, &store));
    let mut writing = Box::pin(one.read(WEIGHTS, Some(0..1000)));
    let mut context = Context::from_waker(Waker::noop());
    for _ in 0..8 {
        assert!(writing.as_mut().poll(&mut context).is_pending());
    }
    let (before, _) = files_and_named(&store);
    assert!(before.len() > 10, "{before:?}");
    assert_eq!(read(&other, 0..100), small_file()[..100]);
    assert_eq!(files_and_named(&store).0, before);
    assert_eq!(block_on(writing).unwrap(), small_file());
    server.take_bytes();
    assert_eq!(read(&visit(&server, &store), 0..1000), small_file());
    assert_eq!(server.take_bytes(), 0, "everything was kept");
    let (files, named) = files_and_named(&store);
    assert_eq!(files, named);
}
