//! The in-memory store satisfies the contract of a [`Store`]. `browser_storage.rs` checks the same for the browser's
//! storage.

#![cfg(not(target_arch = "wasm32"))]
#![allow(clippy::unwrap_used)]

mod store_contract;

use std::rc::Rc;

use futures::executor::block_on;
use keyside::checkpoint::MemoryStore;

/// A store and the same one as another tab sees it.
fn tabs() -> (MemoryStore, MemoryStore) {
    let store = MemoryStore::new();
    (store.clone(), store)
}

#[test]
fn reads_what_was_written() {
    let (store, other) = tabs();
    block_on(store_contract::reads_what_was_written(&store, &other));
}

#[test]
fn replaces_files() {
    block_on(store_contract::replaces_files(&MemoryStore::new()));
}

#[test]
fn unfinished_files_are_not_whole() {
    let (store, other) = tabs();
    block_on(store_contract::unfinished_files_are_not_whole(&store, &other));
}

#[test]
fn removes() {
    block_on(store_contract::removes(&MemoryStore::new()));
}

#[test]
fn locks_exclude() {
    let (store, other) = tabs();
    block_on(store_contract::locks_exclude(&store, &other));
}

#[test]
fn knows_its_room() {
    let store = MemoryStore::new();
    assert_eq!(
        block_on(store_contract::knows_its_room(&store)),
        None,
        "no quota, nothing to tell"
    );
    store.set_quota(2 << 20);
    assert_eq!(block_on(store_contract::knows_its_room(&store)), Some(1 << 20));
}

#[test]
fn keeps_a_model() {
    let (store, other) = tabs();
    block_on(store_contract::keeps_a_model(Rc::new(store), Rc::new(other)));
}
