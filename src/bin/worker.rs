//! The page's worker.

fn main() {
    #[cfg(all(feature = "page", target_arch = "wasm32"))]
    keyside::web::start_worker();
}
