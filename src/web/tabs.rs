//! The tabs of the page.

use leptos::prelude::*;

use super::page::Page;
use super::scheduling::after_frame;
use crate::app::address::Tab;

/// A button for each tab.
#[component]
pub fn Tabs(page: Page) -> impl IntoView {
    let button = move |tab: Tab| {
        // The pressed button is drawn before the tab opens.
        let open = move |_| after_frame(move || page.open_tab(tab));
        view! {
            <button
                type="button"
                data-testid=format!("tab-{}", tab.value())
                aria-current=move || (page.tab.get() == tab).then_some("page")
                on:click=open
            >{tab.label()}</button>
        }
    };
    view! { <nav class="tabs" aria-label="Parts of the page">{Tab::ALL.map(button).collect_view()}</nav> }
}
