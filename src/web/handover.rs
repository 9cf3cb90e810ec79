//! Results from an URL, or sent by another window with a message.

use std::time::Duration;

use leptos::prelude::*;
use wasm_bindgen::prelude::*;
use web_sys::{MessageEvent, Window};

use super::document;
use super::fetch::FetchTransport;
use super::page::Page;
use crate::app::address::Tab;
use crate::app::embed::{FromHost, Received, ResultPlace, ToHost, read_result};

use crate::error::{Error, ErrorKind, Result};
use crate::result::ResultFile;

/// How long the page that opened this one may take to hand over its result.
const TIMEOUT: Duration = Duration::from_secs(10);

/// Shows the result that the page's address names, if it names one.
pub fn show_linked(page: Page) {
    let named = ResultPlace::of_query(&document::query());
    if !matches!(named, Ok(ResultPlace::Recorded | ResultPlace::Host)) {
        // The tab that shows results and errors.
        page.tab.set(Tab::Prompts);
    }
    match named {
        Ok(ResultPlace::Url(url)) => show_url(page, url),
        Ok(ResultPlace::Opener) => show_from_opener(page),
        Ok(ResultPlace::Recorded | ResultPlace::Host) => {}
        Err(error) => page.session.update(|session| session.fail(error)),
    }
}

/// Shows the result file at `url`, which may be relative to the page, or the error.
pub fn show_url(page: Page, url: String) {
    leptos::task::spawn_local(async move {
        let absolute = document::absolute(&url).unwrap_or(url);
        let own = document::absolute("./").unwrap_or_default();
        let read = read_result(&FetchTransport, &absolute, &own).await;
        let name = absolute
            .split(['?', '#'])
            .next()
            .and_then(|path| path.rsplit('/').next());
        page.open(
            name.filter(|name| !name.is_empty()).unwrap_or(&absolute),
            read.and_then(|bytes| ResultFile::from_json(&bytes)),
        );
    });
}

/// Requests the result from the frame that opened this page, and shows it.
fn show_from_opener(page: Page) {
    let opener: Option<Window> = window()
        .opener()
        .ok()
        .filter(|opener| !opener.is_null() && !opener.is_undefined())
        .map(JsCast::unchecked_into);
    let gone = || {
        Error::new(ErrorKind::Source, "the page with this result does not hand it over")
            .advice("Open it again from there, or open its result file here.")
    };
    let Some(opener) = opener else {
        page.session.update(|session| session.fail(gone()));
        return;
    };
    let came = StoredValue::new(false);
    let from = opener.clone();
    listen(move |event| {
        // Only messages of this app's own frames are accepted.
        if event.origin() != document::origin() || !is_from(event, &from) {
            return;
        }
        if let Ok(Some(FromHost::Result { name, text })) = FromHost::read(received(event)) {
            came.set_value(true);
            page.open(&name, ResultFile::from_json(text.as_bytes()));
        }
    });
    if say(&opener, &ToHost::Want, &document::origin()).is_err() {
        page.session.update(|session| session.fail(gone()));
        return;
    }
    let check = move || {
        if !came.get_value() {
            page.session.update(|session| session.fail(gone()));
        }
    };
    set_timeout(check, TIMEOUT);
}

/// Calls `hear` for every message to this window. The listener is never removed.
pub fn listen(hear: impl Fn(&MessageEvent) + 'static) {
    let heard = Closure::<dyn FnMut(MessageEvent)>::new(move |event: MessageEvent| hear(&event));
    // Adding a listener can't fail for any event type.
    let _ = window().add_event_listener_with_callback("message", heard.as_ref().unchecked_ref());
    heard.forget();
}

/// Whether `event` comes from `window`.
pub fn is_from(event: &MessageEvent, window: &Window) -> bool {
    event
        .source()
        .is_some_and(|source| JsValue::from(source) == *AsRef::<JsValue>::as_ref(window))
}

/// The data of `event` as a message of a frame. Structured cloning leaves plain data without getters.
pub fn received(event: &MessageEvent) -> Received {
    let data = event.data();
    let field = |name: &str| js_sys::Reflect::get(&data, &name.into()).unwrap_or_default();
    Received {
        keyside: field("keyside").as_f64(),
        kind: field("type").as_string(),
        name: field("name").as_string(),
        text: field("text").as_string(),
        theme: field("theme").as_string(),
    }
}

/// Sends `message` to `window` if its origin is `target`.
///
/// # Errors
/// [`ErrorKind::Internal`] where the browser refuses.
pub fn say(window: &Window, message: &ToHost, target: &str) -> Result<()> {
    let refused = |cause: JsValue| Error::new(ErrorKind::Internal, document::text_of(&cause));
    let message = js_sys::JSON::parse(&message.to_json()).map_err(refused)?;
    window.post_message(&message, target).map_err(refused)
}
