//! The page's link: the address bar follows form and view, and "back" and "forward" restore them.

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

/// Takes the page's state from the address, and keeps the two the same from now on.
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
        // What was changed is seen first.
        if page.bar.falls_behind() {
            after_frame(move || page.bar.catch_up(page.address()));
        }
    });
    let back = window_event_listener(leptos::ev::popstate, move |_| popped(page));
    on_cleanup(move || back.remove());
}

/// Shows `address` and puts it into the history.
pub fn go(page: Page, address: &Address) {
    page.bar.say(page.address());
    write(address, true);
    restore(page, address);
}

/// Copies the page's address; says so, or what to do instead.
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

/// The page has just been opened at `address`.
fn open(page: Page, address: &Address) {
    adopt(page, address);
    match address.tab() {
        Tab::Story => return,
        Tab::Sentence => return page.ask(),
        Tab::Prompts => {}
    }
    match address.model {
        Model::Recorded => {}
        // Prompts that the link does not hold can't be run.
        Model::Bundled if address.prompts == Prompts::Own(None) => {
            page.asked.set(true);
            page.describe();
        }
        // It is small, and comes from where the page comes from.
        Model::Bundled => page.run_when_described(),
        Model::Hub { .. } | Model::Url(_) | Model::Picked => page.asked.set(true),
    }
}

/// The reader has gone back or forward.
fn popped(page: Page) {
    page.bar.forget();
    match read() {
        // Only what follows "#" has changed.
        Ok(address) if page.bar.has(&address) => {}
        Ok(address) => restore(page, &address),
        Err(error) => fail(page, error),
    }
}

/// An address that can't be read opens the part of the page where errors are told.
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
    // Its result would take the place of what is gone back to.
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

/// Makes form and view say what `address` says.
fn adopt(page: Page, address: &Address) {
    let mut form = address.form();
    // What a link can't hold, or does not need, stays as it was typed or picked.
    page.form
        .with_untracked(|old| form.keep_typed(old, address.question.is_some()));
    page.tab.set(address.tab());
    page.step.set(address.step);
    if let Some(question) = &address.question {
        page.lines.set(SentenceLines::of(&address.lines, &question.text));
        page.question.set(question.clone());
    }
    // As it will be compared: with what is as it is by default left out.
    let now = Address::of(&form, &address.view, address.question.as_ref(), address.step);
    page.bar.adopt(now.with_lines(&address.lines));
    // The story says nothing of the model, which stays.
    if address.tab() != Tab::Story {
        page.fill_in(form);
    }
    page.show_as(address.view.clone());
}

/// "Copy link", and whether that worked.
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

/// What a link asks for that is not shown yet, with the button that runs it.
#[component]
pub fn Invitation(page: Page) -> impl IntoView {
    let open = move || page.asked.get() && !page.session.with(|session| session.run().is_active());
    let words = move || page.deferred_form.with(sharing::invitation);
    view! {
        <Show when=open>
            <section class="invitation" data-testid="invitation" aria-label="The run that the link asks for">
                <p>{words}</p>
                <button type="button" class="primary" data-testid="invitation-run" on:click=move |_| page.run()>"Run"</button>
            </section>
        </Show>
    }
}
