//! The address bar: it follows form and view, and "back" and "forward" restore them.

use std::time::Duration;

use leptos::leptos_dom::helpers::{TimeoutHandle, set_timeout_with_handle};
use leptos::prelude::*;
use wasm_bindgen::JsValue;
use wasm_bindgen_futures::JsFuture;

use super::later::{Latest, after_frame};
use super::page::Page;
use crate::app::address::{Address, Model, others};
use crate::app::form::ModelChoice;
use crate::app::session::Session;
use crate::app::sharing;
use crate::error::Result;

/// How long small changes, such as typing and zooming, may go on before the address follows: browsers refuse pages that
/// change it more than a hundred times in half a minute.
const PAUSE: Duration = Duration::from_millis(400);

/// What the address bar says, and what it is about to say.
#[derive(Clone, Copy)]
pub struct Permalink {
    written: StoredValue<Address>,
    /// Whether the page has changed since it was looked at.
    behind: StoredValue<bool>,
    pending: StoredValue<Option<Pending>>,
    timer: StoredValue<Option<TimeoutHandle>>,
    /// Whether the settings in the address were run: the next change of them is then a step of its own.
    ran: StoredValue<bool>,
}

/// What the address bar is about to say, and whether that is a step in the history.
#[derive(Clone)]
struct Pending {
    address: Address,
    is_step: bool,
}

impl Permalink {
    pub fn new() -> Self {
        Self {
            written: StoredValue::new(Address::default()),
            behind: StoredValue::new(false),
            pending: StoredValue::new(None),
            timer: StoredValue::new(None),
            ran: StoredValue::new(false),
        }
    }

    /// Takes the page's state from the address, and keeps the two the same from now on.
    pub fn start(self, page: Page) {
        match read() {
            Ok(address) => self.open(page, &address),
            Err(error) => page.session.update(|session| session.fail(error)),
        }
        Effect::new(move |_| {
            page.form.track();
            page.view.track();
            // What was changed is seen first.
            if !self.behind.get_value() {
                self.behind.set_value(true);
                after_frame(move || self.catch_up(page));
            }
        });
        let back = window_event_listener(leptos::ev::popstate, move |_| self.popped(page));
        on_cleanup(move || back.remove());
    }

    /// Shows `address` and puts it into the history.
    pub fn go(self, page: Page, address: &Address) {
        self.catch_up(page);
        self.flush();
        write(address, true);
        self.restore(page, address);
    }

    /// Takes notice of the page's state now.
    fn catch_up(self, page: Page) {
        self.behind.set_value(false);
        let now = page
            .form
            .with_untracked(|form| page.view.with_untracked(|view| Address::of(form, view)));
        self.changed(now);
    }

    /// The settings are being run.
    pub fn ran(self, page: Page) {
        self.catch_up(page);
        self.flush();
        self.ran.set_value(true);
    }

    /// Copies the page's address; says so, or what to do instead.
    pub fn copy(self, page: Page, say: RwSignal<String>) {
        self.catch_up(page);
        self.flush();
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
    fn open(self, page: Page, address: &Address) {
        self.adopt(page, address);
        match address.model {
            Model::Recorded => {}
            // It is small, and comes from where the page comes from.
            Model::Bundled => page.run_when_described(),
            Model::Hub { .. } | Model::Url(_) | Model::Picked => page.asked.set(true),
        }
    }

    /// The reader has gone back or forward.
    fn popped(self, page: Page) {
        self.forget_pending();
        match read() {
            // Only what follows "#" has changed.
            Ok(address) if address == self.written.get_value() => {}
            Ok(address) => self.restore(page, &address),
            Err(error) => page.session.update(|session| session.fail(error)),
        }
    }

    fn restore(self, page: Page, address: &Address) {
        let model = page.form.with_untracked(|form| form.model);
        self.adopt(page, address);
        page.session.update(Session::dismiss_error);
        let found = page.show_again();
        self.ran.set_value(found);
        let asked = !found && address.model != Model::Recorded;
        page.asked.set(asked);
        if asked && model != ModelChoice::Bundled && address.model == Model::Bundled {
            page.describe();
        }
    }

    /// Makes form and view say what `address` says.
    fn adopt(self, page: Page, address: &Address) {
        let mut form = address.form();
        // What a link can't hold, or does not need, stays as it was typed or picked.
        page.form.with_untracked(|old| {
            form.picked.clone_from(&old.picked);
            if form.model != ModelChoice::Url {
                form.url.clone_from(&old.url);
            }
            if form.model != ModelChoice::Hub {
                form.hub.clone_from(&old.hub);
                form.revision.clone_from(&old.revision);
            }
        });
        // As it will be compared: with what is as it is by default left out.
        self.written.set_value(Address::of(&form, &address.view));
        self.ran.set_value(false);
        page.fill_in(form);
        page.show_as(address.view.clone());
    }

    fn changed(self, next: Address) {
        let pending = self.pending.get_value();
        let waits_as_step = pending.as_ref().is_some_and(|pending| pending.is_step);
        let here = pending.map_or_else(|| self.written.get_value(), |pending| pending.address);
        if next == here {
            return;
        }
        let ran = self.ran.get_value();
        if here.is_step(&next, ran) {
            self.flush();
            // Another heatmap of the same run is still that run.
            self.ran.set_value(ran && here.form() == next.form());
            self.wait_with(next, true);
            // It takes a slow machine a frame of its own.
            after_frame(move || self.flush());
            return;
        }
        self.wait_with(next, waits_as_step);
        if self.timer.with_value(Option::is_none) {
            let timer = set_timeout_with_handle(move || self.flush(), PAUSE).ok();
            self.timer.set_value(timer);
        }
    }

    fn wait_with(self, address: Address, is_step: bool) {
        self.pending.set_value(Some(Pending { address, is_step }));
    }

    /// Writes what is waiting to be written.
    fn flush(self) {
        if let Some(Pending { address, is_step }) = self.forget_pending() {
            write(&address, is_step);
            self.written.set_value(address);
        }
    }

    fn forget_pending(self) -> Option<Pending> {
        if let Some(timer) = self.timer.try_update_value(Option::take).flatten() {
            timer.clear();
        }
        self.pending.try_update_value(Option::take).flatten()
    }
}

fn read() -> Result<Address> {
    Address::parse(&window().location().search().unwrap_or_default())
}

/// Puts `address` into the bar: as a new entry of the history, or in place of the one that is there.
fn write(address: &Address, push: bool) {
    let location = window().location();
    let mut url = location.pathname().unwrap_or_default();
    // A run has nothing to do with what another part of the page shows instead of the recorded one.
    let others = match address.model {
        Model::Recorded => others(&location.search().unwrap_or_default()),
        _ => String::new(),
    };
    for part in [address.to_query(), others].iter().filter(|part| !part.is_empty()) {
        url.push(if url.contains('?') { '&' } else { '?' });
        url.push_str(part);
    }
    if !push {
        url.push_str(&location.hash().unwrap_or_default());
    }
    let Ok(history) = window().history() else { return };
    // A browser that refuses keeps the old address; the page works as well.
    let _ = if push {
        history.push_state_with_url(&JsValue::NULL, "", Some(&url))
    } else {
        history.replace_state_with_url(&JsValue::NULL, "", Some(&url))
    };
}

/// "Copy link", and whether that worked.
#[component]
pub fn CopyLink(page: Page) -> impl IntoView {
    let said = RwSignal::new(String::new());
    let forgetting = Latest::new();
    let copy = move |_| {
        said.set(String::new());
        page.permalink.copy(page, said);
        forgetting.run_after(Duration::from_secs(12), move || said.set(String::new()));
    };
    view! {
        <button type="button" class="page-tool" data-testid="copy-link" on:click=copy>"Copy link"</button>
        <p class="said" role="status" data-testid="copy-link-said">{move || said.get()}</p>
    }
}

/// What a link asks for that is not shown yet, with the button that runs it.
#[component]
pub fn Invitation(page: Page) -> impl IntoView {
    let open = move || page.asked.get() && !page.session.with(|session| session.run().is_active());
    let words = move || page.settled_form.with(sharing::invitation);
    view! {
        <Show when=open>
            <section class="invitation" data-testid="invitation" aria-label="The run that the link asks for">
                <p>{words}</p>
                <button type="button" class="primary" data-testid="invitation-run" on:click=move |_| page.run()>"Run"</button>
            </section>
        </Show>
    }
}
