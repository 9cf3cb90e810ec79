//! Ways to the method page, which opens beside the page: what is computed here stays.

use leptos::prelude::*;

use super::page::Page;
use crate::app::method::{MethodSection, PLACE};
use crate::figure::Appearance;

/// A link to the method page, in the page's theme.
#[component]
pub fn MethodLink(
    page: Page,
    /// Where it leads to; without one to its beginning.
    #[prop(optional)]
    section: Option<MethodSection>,
    /// What it says.
    words: &'static str,
) -> impl IntoView {
    let href = move || {
        let theme = match page.view.with(|view| view.appearance) {
            Appearance::System => String::new(),
            chosen => format!("?theme={}", chosen.value()),
        };
        let anchor = section.map_or_else(String::new, |section| format!("#{}", section.anchor()));
        format!("{PLACE}{theme}{anchor}")
    };
    view! { <a class="method-link" href=href target="_blank" rel="noopener">{words}</a> }
}
