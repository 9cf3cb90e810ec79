//! What stands on the page until its first plot is drawn: see [`crate::app::first_view`].

use leptos::prelude::document;

use super::document::remove;

/// The element that holds it.
const ID: &str = "first-view";

/// Lets it cover the page that is built behind it. Nothing in it can be used any more.
pub fn cover() {
    if let Some(element) = document().get_element_by_id(ID) {
        for (name, value) in [("class", "first-view covering"), ("inert", "")] {
            // Setting an attribute of a plain name can't fail.
            let _ = element.set_attribute(name, value);
        }
    }
}

/// Takes it away.
pub fn uncover() {
    remove(ID);
}
