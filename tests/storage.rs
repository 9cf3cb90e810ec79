//! What is kept of a model between visits: read again from the store, never trusted when it is damaged, never fetched
//! twice.

#![allow(clippy::unwrap_used)]

mod common;
mod golden_file;

use std::cell::RefCell;
use std::future::Future;
use std::ops::Range;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use common::{block_on, tiny};
use futures::future::{LocalBoxFuture, join};
use golden_file::{Golden, analysis};
use keyside::attribution::analyze;
use keyside::checkpoint::{
    MemorySource, MemoryStore, NoticeBoard, Sink, Source, Store, StoredSource, Traffic, stored_models,
};
use keyside::gpt2::{Model, Processing};
use keyside::{Error, ErrorKind, Result};

const WEIGHTS: &str = "model.safetensors";

/// Bytes that a server hands over at once.
const STEP: usize = 64;

/// A file and the range of it that was asked for.
type Asked = (String, Option<Range<u64>>);

/// Files as a server has them; says what was read, and lets others work after every step.
#[derive(Clone)]
struct Server {
    files: Rc<RefCell<MemorySource>>,
    read: Rc<RefCell<Vec<Asked>>>,
    bytes: Rc<RefCell<u64>>,
    samples: Rc<RefCell<Vec<Range<u64>>>>,
    label: Rc<RefCell<Option<String>>>,
}

impl Server {
    fn new(files: MemorySource) -> Self {
        Self {
            files: Rc::new(RefCell::new(files)),
            read: Rc::default(),
            bytes: Rc::default(),
            samples: Rc::default(),
            label: Rc::default(),
        }
    }

    /// A file of 1000 bytes, to be divided into ten pieces.
    fn small() -> Self {
        Self::new(MemorySource::new().with(WEIGHTS, small_file()))
    }

    /// Adds `byte` to all bytes of the small file's pieces from `first` to `last`.
    fn change(&self, first: usize, last: usize) {
        let mut bytes = small_file();
        bytes[first * 100..(last + 1) * 100]
            .iter_mut()
            .for_each(|byte| *byte ^= 1);
        *self.files.borrow_mut() = MemorySource::new().with(WEIGHTS, bytes);
    }

    /// The samples read since the last call: a few bytes from the inside of a piece.
    fn take_samples(&self) -> Vec<Range<u64>> {
        self.samples.take()
    }

    /// The bytes read since the last call, but for samples.
    fn take_bytes(&self) -> u64 {
        self.read.borrow_mut().clear();
        self.bytes.take()
    }

    fn ranges(&self) -> Vec<Option<Range<u64>>> {
        self.read.borrow().iter().map(|(_, range)| range.clone()).collect()
    }
}

impl Source for Server {
    fn location(&self) -> String {
        "https://example.org/model".to_owned()
    }

    fn stream<'a>(
        &'a self,
        file: &'a str,
        range: Option<Range<u64>>,
        sink: &'a mut Sink<'a>,
    ) -> LocalBoxFuture<'a, Result<()>> {
        Box::pin(async move {
            let files = self.files.borrow().clone();
            let bytes = files.read(file, range.clone()).await?;
            let sample = range
                .clone()
                .filter(|range| range.end - range.start <= 6 && range.start % 100 == 44);
            match &sample {
                Some(sample) => self.samples.borrow_mut().push(sample.clone()),
                None => self.read.borrow_mut().push((file.to_owned(), range)),
            }
            for step in bytes.chunks(STEP) {
                turn().await;
                if sample.is_none() {
                    *self.bytes.borrow_mut() += step.len() as u64;
                }
                sink(step)?;
            }
            Ok(())
        })
    }

    fn label(&self, _file: &str) -> Option<String> {
        self.label.borrow().clone()
    }

    fn traffic(&self) -> Traffic {
        Traffic {
            network: *self.bytes.borrow(),
            ..Traffic::default()
        }
    }
}

/// Lets others work once.
async fn turn() {
    let mut turned = false;
    std::future::poll_fn(move |context| {
        if std::mem::replace(&mut turned, true) {
            return Poll::Ready(());
        }
        context.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

fn small_file() -> Vec<u8> {
    (0..1000u32).map(|i| (i * 7 % 251) as u8).collect()
}

/// A visit: a source over what `server` has and `store` keeps, its file divided into ten pieces.
fn visit(server: &Server, store: &MemoryStore) -> StoredSource {
    let source = StoredSource::new(Box::new(server.clone()), Rc::new(store.clone()));
    let pieces: Vec<Range<u64>> = (0..10).map(|index| index * 100..(index + 1) * 100).collect();
    source.divide(WEIGHTS, &pieces);
    source
}

fn read(source: &StoredSource, range: Range<u64>) -> Vec<u8> {
    block_on(source.read(WEIGHTS, Some(range))).unwrap()
}

fn folder(store: &MemoryStore) -> String {
    block_on(stored_models(store)).unwrap()[0].folder.clone()
}

/// Name of the piece from `start` on.
fn piece(start: u64) -> String {
    format!("{WEIGHTS}.{start}-{}", start + 100)
}

/// Replaces the file `name` by what `change` makes of it.
fn damage(store: &MemoryStore, name: &str, change: impl FnOnce(&mut Vec<u8>)) {
    let folder = folder(store);
    let mut bytes = store.get(&folder, name).expect("is stored").to_vec();
    change(&mut bytes);
    store.put(&folder, name, bytes);
}

fn golden_run(source: StoredSource, head: &str) {
    let mut model = block_on(Model::open(Box::new(source), Processing::default())).unwrap();
    let result = block_on(analyze(
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

/// Names of the files that are in the store, and those that its manifest names.
fn files_and_named(store: &MemoryStore) -> (Vec<String>, Vec<String>) {
    let Some(model) = block_on(stored_models(store)).unwrap().into_iter().next() else {
        return Default::default();
    };
    let files = block_on(store.files(&model.folder)).unwrap();
    let names = |manifest: &str| {
        let bytes = store.get(&model.folder, manifest)?;
        let json = std::str::from_utf8(&bytes).ok()?.split_once('\n')?.1;
        let json: serde_json::Value = serde_json::from_str(json).ok()?;
        Some(json["pieces"].as_object()?.keys().cloned().collect::<Vec<_>>())
    };
    let mut manifests = files.iter().rev().filter(|name| name.starts_with("manifest-"));
    let Some((manifest, mut named)) = manifests.find_map(|manifest| Some((manifest, names(manifest)?))) else {
        return (files, Vec::new());
    };
    named.push(manifest.clone());
    named.sort();
    (files, named)
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
    // Where a sample is taken.
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
    // Not a piece was finished: nothing is left.
    let store = MemoryStore::new();
    let source = StoredSource::new(Box::new(server.clone()), Rc::new(store.clone()));
    source.divide(WEIGHTS, &[0..1000]);
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
