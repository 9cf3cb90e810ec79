//! The static content that index.html shows until the first plot is drawn: see [`crate::app::first_view`].

use leptos::prelude::document;

use super::document::remove;

/// Id of the element with that content.
const ID: &str = "first-view";

/// Places the static content above the page that is being built, and makes it inert.
pub fn cover() {
    if let Some(element) = document().get_element_by_id(ID) {
        for (name, value) in [("class", "first-view covering"), ("inert", "")] {
            // Setting an attribute with a valid name can't fail.
            let _ = element.set_attribute(name, value);
        }
    }
}

/// Removes the static content.
pub fn uncover() {
    remove(ID);
}
