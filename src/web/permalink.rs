//! The page's permalink: the address bar follows form and view, and "back" and "forward" restore them.

use std::time::Duration;

use leptos::prelude::*;
use wasm_bindgen_futures::JsFuture;

use super::address_bar::{read, write};
use super::page::Page;
use super::scheduling::{Latest, after_frame};
use crate::app::address::{Address, Model, Prompts, Tab};
use crate::app::form::ModelChoice;
use crate::app::sentence_lines::SentenceLines;
use crate::app::session::Session;
use crate::app::{sharing, words};
use crate::error::Error;

/// Initializes the page's state from the address, and keeps both synchronized from then on.
pub fn start(page: Page) {
    match read() {
        Ok(address) => open(page, &address),
        Err(error) => fail(page, error),
    }
    Effect::new(move |_| {
        page.form.track();
        page.view.track();
        page.tab.track();
        page.step.track();
        page.question.track();
        page.lines.track();
        // The change is drawn first; the address follows.
        if page.bar.falls_behind() {
            after_frame(move || page.bar.catch_up(page.address()));
        }
    });
    let back = window_event_listener(leptos::ev::popstate, move |_| popped(page));
    on_cleanup(move || back.remove());
}

/// Shows `address` as a new history entry.
pub fn go(page: Page, address: &Address) {
    page.bar.say(page.address());
    write(address, true);
    restore(page, address);
}

/// Copies the page's address to the clipboard; `say` receives a confirmation, or what to do instead.
fn copy(page: Page, say: RwSignal<String>) {
    page.bar.say(page.address());
    let said = page.form.with_untracked(|form| {
        page.shown
            .with_untracked(|shown| sharing::copied(form, shown.as_ref().map(|shown| &shown.origin)))
    });
    let link = window().location().href().unwrap_or_default();
    leptos::task::spawn_local(async move {
        let navigator = window().navigator();
        // There is no clipboard over plain http from another machine.
        let there = js_sys::Reflect::get(&navigator, &"clipboard".into()).is_ok_and(|found| found.is_object());
        let copied = there && JsFuture::from(navigator.clipboard().write_text(&link)).await.is_ok();
        say.set(if copied {
            said
        } else {
            "This browser does not let the page copy. The link is in the address bar.".into()
        });
    });
}

/// Handles the address with which the page is opened.
fn open(page: Page, address: &Address) {
    adopt(page, address);
    match address.tab() {
        Tab::Story => return,
        Tab::Sentence => return page.ask(),
        Tab::Prompts => {}
    }
    match address.model {
        Model::Recorded => {}
        // A link without its prompts can't be run.
        Model::Bundled if address.prompts == Prompts::Own(None) => {
            page.asked.set(true);
            page.describe();
        }
        // The bundled model is small, and comes from the page's own host.
        Model::Bundled => page.run_when_described(),
        Model::Hub { .. } | Model::Url(_) | Model::Picked => page.asked.set(true),
    }
}

/// Handles "back" and "forward".
fn popped(page: Page) {
    page.bar.forget();
    match read() {
        // Only the fragment has changed.
        Ok(address) if page.bar.has(&address) => {}
        Ok(address) => restore(page, &address),
        Err(error) => fail(page, error),
    }
}

/// Shows `error` in the tab for errors.
fn fail(page: Page, error: Error) {
    page.tab.set(Tab::Prompts);
    page.session.update(|session| session.fail(error));
}

fn restore(page: Page, address: &Address) {
    let model = page.form.with_untracked(|form| form.model);
    adopt(page, address);
    page.session.update(Session::dismiss_error);
    match address.tab() {
        Tab::Story => return,
        Tab::Sentence => return page.ask(),
        Tab::Prompts => {}
    }
    // The result of the current run would replace the restored one.
    page.abandon_other();
    page.session.update(Session::forget_outcome);
    let found = page.show_again();
    page.bar.set_ran(found);
    let asked = !found && address.model != Model::Recorded;
    page.asked.set(asked);
    if asked && model != ModelChoice::Bundled && address.model == Model::Bundled {
        page.describe();
    }
}

/// Sets form and view to those of `address`.
fn adopt(page: Page, address: &Address) {
    let mut form = address.form();
    // Fields that a link can't hold, or omits, keep their values.
    page.form
        .with_untracked(|old| form.keep_typed(old, address.question.is_some()));
    page.tab.set(address.tab());
    page.step.set(address.step);
    if let Some(question) = &address.question {
        page.lines.set(SentenceLines::of(&address.lines, &question.text));
        page.question.set(question.clone());
    }
    // In normal form, with default values omitted, since addresses are compared.
    let now = Address::of(&form, &address.view, address.question.as_ref(), address.step);
    page.bar.adopt(now.with_lines(&address.lines));
    // A link to the story holds no model; the current one stays.
    if address.tab() != Tab::Story {
        page.form.set(form);
    }
    page.show_as(address.view.clone());
}

/// The button "Copy link", and its confirmation.
#[component]
pub fn CopyLink(page: Page) -> impl IntoView {
    let said = RwSignal::new(String::new());
    let forgetting = Latest::new();
    let copy = move |_| {
        said.set(String::new());
        copy(page, said);
        forgetting.run_after(Duration::from_secs(12), move || said.set(String::new()));
    };
    view! {
        <button type="button" class="page-tool" data-testid="copy-link" on:click=copy>{words::COPY_LINK}</button>
        <p class="said" role="status" data-testid="copy-link-said">{move || said.get()}</p>
    }
}

/// A notice that the link describes a run that is not shown yet, with a button that runs it.
#[component]
pub fn Invitation(page: Page) -> impl IntoView {
    let open = move || page.asked.get() && !page.session.with(|session| session.run().is_active());
    let words = move || page.form.with(sharing::invitation);
    view! {
        <Show when=open>
            <section class="invitation" data-testid="invitation" aria-label="The run that the link asks for">
                <p>{words}</p>
                <button type="button" class="primary" data-testid="invitation-run" on:click=move |_| page.run()>"Run"</button>
            </section>
        </Show>
    }
}
