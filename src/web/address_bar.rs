//! The address bar: the address that is written there, and the pending one.

use std::time::Duration;

use leptos::leptos_dom::helpers::{TimeoutHandle, set_timeout_with_handle};
use leptos::prelude::*;
use wasm_bindgen::JsValue;

use super::scheduling::after_frame;
use crate::app::address::{Address, Model, Prompts, is_typed, others};
use crate::error::Result;

/// How long small changes, such as typing and zooming, may go on before the address is updated: browsers refuse pages
/// that change it more than a hundred times in half a minute.
const PAUSE: Duration = Duration::from_millis(400);

/// The address that the address bar shows, and the one that will be written next.
#[derive(Clone, Copy)]
pub struct AddressBar {
    written: StoredValue<Address>,
    /// Whether the page has changed since the address was last computed.
    behind: StoredValue<bool>,
    pending: StoredValue<Option<Pending>>,
    timer: StoredValue<Option<TimeoutHandle>>,
    /// Whether the settings in the address were run: the next change of settings is then a history entry of its own.
    ran: StoredValue<bool>,
}

/// An address that will be written soon, and whether it becomes a new history entry.
#[derive(Clone)]
struct Pending {
    address: Address,
    is_step: bool,
}

impl AddressBar {
    /// The address bar as the browser opened the page: nothing is pending.
    pub fn new() -> Self {
        Self {
            written: StoredValue::new(Address::default()),
            behind: StoredValue::new(false),
            pending: StoredValue::new(None),
            timer: StoredValue::new(None),
            ran: StoredValue::new(false),
        }
    }

    /// Records that the page has changed. Returns false where that was recorded already, so that an update is scheduled
    /// once.
    pub fn falls_behind(self) -> bool {
        let knows = self.behind.get_value();
        self.behind.set_value(true);
        !knows
    }

    /// Compares the page's address `now` with the bar, and schedules a write where they differ.
    pub fn catch_up(self, now: Address) {
        self.behind.set_value(false);
        self.changed(now);
    }

    /// Writes `now` to the address bar at once.
    pub fn say(self, now: Address) {
        self.catch_up(now);
        self.flush();
    }

    /// Records that the settings in `now` are being run.
    pub fn ran(self, now: Address) {
        self.say(now);
        self.ran.set_value(true);
    }

    /// Records that the bar shows `address` and the page is being changed to match; whether its settings were run is
    /// not known.
    pub fn adopt(self, address: Address) {
        self.written.set_value(address);
        self.ran.set_value(false);
    }

    /// Sets whether the settings in the address were run.
    pub fn set_ran(self, ran: bool) {
        self.ran.set_value(ran);
    }

    /// Whether the page itself wrote `address`. The browser changes the address, too, when a link within the page is
    /// followed.
    pub fn has(self, address: &Address) -> bool {
        self.written.with_value(|written| {
            let mut address = address.clone();
            let lines = &written.lines;
            if let (Prompts::Own(_), Prompts::Own(None)) = (&written.prompts, &address.prompts) {
                address.prompts = written.prompts.clone();
            }
            let find = &mut address.view.scatter.list.text;
            if find.is_empty() {
                find.clone_from(&written.view.scatter.list.text);
            }
            if let (Some(written), Some(question)) = (&written.question, &mut address.question)
                && question.text.is_empty()
            {
                question.text.clone_from(&written.text);
                question.target_texts.clone_from(&written.target_texts);
                address.lines.clone_from(lines);
            }
            *written == address
        })
    }

    /// Drops the pending address.
    pub fn forget(self) {
        drop(self.forget_pending());
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
            // Updating the history takes a slow machine a frame of its own.
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

    /// Writes the pending address.
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

/// Reads the address that the bar shows.
///
/// # Errors
/// Those of [`Address::read`].
pub fn read() -> Result<Address> {
    let location = window().location();
    Address::read(
        &location.search().unwrap_or_default(),
        &location.hash().unwrap_or_default(),
    )
}

/// Writes `address` to the bar, as a new history entry or in place of the current one.
pub fn write(address: &Address, push: bool) {
    let location = window().location();
    let mut url = location.pathname().unwrap_or_default();
    // The settings of a run are independent of the model that another part of the page uses.
    let others = match address.model {
        Model::Recorded => others(&location.search().unwrap_or_default()),
        _ => String::new(),
    };
    for part in [address.to_query(), others].iter().filter(|part| !part.is_empty()) {
        url.push(if url.contains('?') { '&' } else { '?' });
        url.push_str(part);
    }
    // Any other fragment is the id of an element of the page.
    let place = location.hash().unwrap_or_default();
    match address.to_fragment() {
        Some(prompts) => {
            url.push('#');
            url.push_str(&prompts);
        }
        None if !push && !is_typed(&place) => url.push_str(&place),
        None => {}
    }
    let Ok(history) = window().history() else { return };
    // A browser that refuses keeps the old address; the page works without the update.
    let _ = if push {
        history.push_state_with_url(&JsValue::NULL, "", Some(&url))
    } else {
        history.replace_state_with_url(&JsValue::NULL, "", Some(&url))
    };
}
