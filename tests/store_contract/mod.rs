//! The contract of a [`Store`], for the in-memory one and the browser's.

use std::ops::Range;
use std::rc::Rc;

use keyside::checkpoint::{MemorySource, NoticeBoard, Source, Store, StoredSource, stored_models};

const FOLDER: &str = "a-folder";
const FILE: &str = "model.safetensors.0-1000";

/// Removes everything.
async fn empty(store: &dyn Store) {
    for folder in store.folders().await.unwrap() {
        store.remove(&folder, None).await.unwrap();
    }
    assert!(store.folders().await.unwrap().is_empty());
}

async fn put(store: &dyn Store, file: &str, parts: &[&[u8]]) {
    let mut writer = store.create(FOLDER, file).await.unwrap();
    for part in parts {
        writer.write(part).unwrap();
    }
    writer.finish().unwrap();
}

async fn get(store: &dyn Store, file: &str) -> Option<Vec<u8>> {
    let stored = store.open(FOLDER, file).await.unwrap()?;
    let mut bytes = vec![0; usize::try_from(stored.length()).unwrap()];
    stored.read_at(0, &mut bytes).unwrap();
    Some(bytes)
}

/// Files are read as they were written, whole and in parts, also by another tab.
pub async fn reads_what_was_written(store: &dyn Store, other: &dyn Store) {
    empty(store).await;
    assert_eq!(get(store, FILE).await, None, "no folder");
    assert!(store.files(FOLDER).await.unwrap().is_empty());
    let bytes: Vec<u8> = (0..1000u32).map(|i| (i % 251) as u8).collect();
    put(store, FILE, &[&bytes[..300], &[], &bytes[300..]]).await;
    for tab in [store, other] {
        assert_eq!(get(tab, FILE).await.as_ref(), Some(&bytes));
        assert_eq!(get(tab, "another").await, None);
        assert_eq!(tab.folders().await.unwrap(), [FOLDER]);
        assert_eq!(tab.files(FOLDER).await.unwrap(), [FILE]);
    }
    // Several may read at once.
    let one = store.open(FOLDER, FILE).await.unwrap().unwrap();
    let two = other.open(FOLDER, FILE).await.unwrap().unwrap();
    for (stored, at) in [(&one, 0), (&two, 990), (&one, 500)] {
        let mut part = [0; 10];
        stored.read_at(at, &mut part).unwrap();
        assert_eq!(part, bytes[at as usize..at as usize + 10]);
    }
    for at in [991, 1000, 5000] {
        assert!(one.read_at(at, &mut [0; 10]).is_err(), "the file ends before {at} + 10");
    }
    empty(store).await;
}

/// A file that is written again is the new one alone.
pub async fn replaces_files(store: &dyn Store) {
    empty(store).await;
    put(store, FILE, &[&[1; 1000]]).await;
    put(store, FILE, &[&[2; 10]]).await;
    assert_eq!(get(store, FILE).await, Some(vec![2; 10]));
    put(store, FILE, &[]).await;
    assert_eq!(get(store, FILE).await, Some(Vec::new()));
    empty(store).await;
}

/// A file that was not finished is not whole, and can be written again and removed; one that is being written can't.
pub async fn unfinished_files_are_not_whole(store: &dyn Store, other: &dyn Store) {
    empty(store).await;
    let mut writer = store.create(FOLDER, FILE).await.unwrap();
    writer.write(&[1; 500]).unwrap();
    assert!(other.create(FOLDER, FILE).await.is_err(), "written by two at once");
    assert!(
        other.remove(FOLDER, Some(FILE)).await.is_err(),
        "removed while it is written"
    );
    drop(writer);
    assert_eq!(
        store.files(FOLDER).await.unwrap(),
        [FILE],
        "there, to be found and removed"
    );
    assert!(get(store, FILE).await.unwrap().len() <= 500);
    put(other, FILE, &[&[2; 1000]]).await;
    assert_eq!(get(store, FILE).await, Some(vec![2; 1000]));
    let writer = store.create(FOLDER, FILE).await.unwrap();
    drop(writer);
    other.remove(FOLDER, Some(FILE)).await.unwrap();
    assert_eq!(get(store, FILE).await, None);
    empty(store).await;
}

/// Files and folders are removed alone; what is not there is removed already.
pub async fn removes(store: &dyn Store) {
    empty(store).await;
    store.remove(FOLDER, None).await.unwrap();
    store.remove(FOLDER, Some(FILE)).await.unwrap();
    for file in ["a", "b", "manifest-00000001"] {
        put(store, file, &[&[1; 10]]).await;
    }
    store.remove(FOLDER, Some("b")).await.unwrap();
    store.remove(FOLDER, Some("b")).await.unwrap();
    let mut files = store.files(FOLDER).await.unwrap();
    files.sort();
    assert_eq!(files, ["a", "manifest-00000001"]);
    // An open file can be deleted.
    let _open = store.open(FOLDER, "a").await.unwrap().unwrap();
    store.remove(FOLDER, None).await.unwrap();
    assert!(store.folders().await.unwrap().is_empty());
}

/// One holds a lock at a time, whichever tab asks; other locks are free.
pub async fn locks_exclude(store: &dyn Store, other: &dyn Store) {
    use futures::future::{Either, select};
    let held = store.lock("one").await.unwrap();
    assert!(other.try_lock("one").await.unwrap().is_none());
    assert!(
        store.try_lock("one").await.unwrap().is_none(),
        "not twice in one tab either"
    );
    let free = other.try_lock("two").await.unwrap();
    assert!(free.is_some());
    let waiting = other.lock("one");
    let released = async {
        // Time enough for a lock that does not exclude.
        for _ in 0..3 {
            assert!(store.try_lock("one").await.unwrap().is_none());
        }
        drop(held);
        std::future::pending::<()>().await
    };
    let Either::Left((second, _)) = select(waiting, Box::pin(released)).await else {
        panic!("the lock was not passed on")
    };
    let second = second.unwrap();
    assert!(store.try_lock("one").await.unwrap().is_none());
    drop((second, free));
    // Released, at once or soon: who waits gets it.
    drop(store.lock("one").await.unwrap());
    drop(store.lock("two").await.unwrap());
}

/// How much is stored is known and grows, where it is told at all; asking to keep it does no harm. Answers by how much it has grown
/// with a file of 1 MiB.
pub async fn knows_its_room(store: &dyn Store) -> Option<u64> {
    empty(store).await;
    store.persist().await;
    let before = store.space().await;
    put(store, FILE, &[&vec![1; 1 << 20]]).await;
    let after = store.space().await;
    empty(store).await;
    assert_eq!(before.is_some(), after.is_some(), "told once, and not again");
    let (before, after) = before.zip(after)?;
    assert!(before.quota > 0 && after.usage >= before.usage, "{before:?} {after:?}");
    Some(after.usage - before.usage)
}

/// The leftovers of a tab that was closed while it wrote.
pub async fn keeps_a_model(store: Rc<dyn Store>, other: Rc<dyn Store>) {
    empty(store.as_ref()).await;
    let weights: Vec<u8> = (0..100_000u32).map(|i| (i * 7 % 251) as u8).collect();
    let pieces: Vec<Range<u64>> = (0..10).map(|index| index * 10_000..(index + 1) * 10_000).collect();
    let full = MemorySource::new()
        .with("w", weights.clone())
        .with("config.json", b"{}".to_vec());
    let board = NoticeBoard::default();
    let visit = |store: &Rc<dyn Store>, server: &MemorySource| {
        let source = StoredSource::new(Box::new(server.clone()), Rc::clone(store)).with_notices(board.clone());
        source.divide("w", &pieces);
        source
    };
    let first = visit(&store, &full);
    assert_eq!(first.read("config.json", None).await.unwrap(), b"{}");
    assert_eq!(first.read("w", Some(0..45_000)).await.unwrap(), weights[..45_000]);
    let models = stored_models(store.as_ref()).await.unwrap();
    assert_eq!((models.len(), models[0].bytes), (1, 50_002));
    // What a tab leaves that is closed while it writes.
    let folder = &models[0].folder;
    let mut half = store.create(folder, "w.50000-60000").await.unwrap();
    half.write(&weights[50_000..55_000]).unwrap();
    drop((half, store.create(folder, "manifest-00000099").await.unwrap()));
    let files = store.files(folder).await.unwrap();
    let second = visit(&other, &full);
    assert_eq!(second.read("w", Some(0..100_000)).await.unwrap(), weights);
    let left = other.files(folder).await.unwrap();
    assert!(
        files.iter().any(|name| name == "manifest-00000099") && left.iter().all(|name| name != "manifest-00000099")
    );
    assert_eq!(left.len(), 10 + 1 + 1, "{left:?}");
    // The server has nothing any more.
    let third = visit(&store, &MemorySource::new());
    assert_eq!(third.read("w", Some(0..100_000)).await.unwrap(), weights);
    assert_eq!(third.read("config.json", None).await.unwrap(), b"{}");
    assert_eq!(third.traffic().storage, 100_002);
    assert_eq!(board.now(), Default::default());
    empty(store.as_ref()).await;
}
