//! The browser's storage satisfies the contract of a [`Store`], in a worker of a real browser. `store.rs` checks the
//! same for the in-memory store; natively there is nothing to run here.

#![cfg(target_arch = "wasm32")]
#![allow(clippy::unwrap_used)]

mod store_contract;

use std::rc::Rc;

use keyside::web::OpfsStore;
use wasm_bindgen_test::{wasm_bindgen_test, wasm_bindgen_test_configure};

wasm_bindgen_test_configure!(run_in_dedicated_worker);

/// The storage, and the same as another tab opens it.
async fn tabs() -> (OpfsStore, OpfsStore) {
    (OpfsStore::open().await.unwrap(), OpfsStore::open().await.unwrap())
}

#[wasm_bindgen_test]
async fn reads_what_was_written() {
    let (store, other) = tabs().await;
    store_contract::reads_what_was_written(&store, &other).await;
}

#[wasm_bindgen_test]
async fn replaces_files() {
    store_contract::replaces_files(&tabs().await.0).await;
}

#[wasm_bindgen_test]
async fn unfinished_files_are_not_whole() {
    let (store, other) = tabs().await;
    store_contract::unfinished_files_are_not_whole(&store, &other).await;
}

#[wasm_bindgen_test]
async fn removes() {
    store_contract::removes(&tabs().await.0).await;
}

#[wasm_bindgen_test]
async fn locks_exclude() {
    let (store, other) = tabs().await;
    store_contract::locks_exclude(&store, &other).await;
}

#[wasm_bindgen_test]
async fn knows_its_room() {
    let store = tabs().await.0;
    let grown = store_contract::knows_its_room(&store).await;
    assert!(
        grown.is_some_and(|bytes| bytes >= 1 << 20),
        "a browser tells: {grown:?}"
    );
}

#[wasm_bindgen_test]
async fn keeps_a_model() {
    let (store, other) = tabs().await;
    store_contract::keeps_a_model(Rc::new(store), Rc::new(other)).await;
}
