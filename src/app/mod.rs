//! The page: Leptos components around canvases that the library draws.
