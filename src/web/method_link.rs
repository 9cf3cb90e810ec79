//! Links to the method page, which opens in another tab, so that computed results on this page are kept.

use leptos::prelude::*;

use super::page::Page;
use crate::app::method::{MethodSection, PLACE};
use crate::figure::Appearance;

/// A link to the method page, in the page's theme.
#[component]
pub fn MethodLink(
    page: Page,
    /// The section that the link points to; the beginning of the page without one.
    #[prop(optional)]
    section: Option<MethodSection>,
    /// The text of the link.
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
