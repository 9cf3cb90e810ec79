//! One figure, for a frame in another page: the page without all that such a frame does not show.

fn main() {
    #[cfg(all(feature = "page", target_arch = "wasm32"))]
    keyside::web::mount_frame();
}
