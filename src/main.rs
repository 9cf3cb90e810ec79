//! The page's program.

fn main() {
    #[cfg(all(feature = "page", target_arch = "wasm32"))]
    keyside::web::mount();
}
