//! The page as a frame in another page: one figure with its description, no worker, no storage.

use std::time::Duration;

use leptos::ev;
use leptos::prelude::*;
use wasm_bindgen::prelude::*;
use web_sys::{HtmlElement, MessageEvent, ResizeObserver, Window};

use super::figures::figure_at;
use super::handover::{self, is_from, received, say, show_url};
use super::{document, page::Page, theme};
use crate::app::address::{Address, others};
use crate::app::embed::{self, Embed, FromHost, Host, ResultPlace, ToHost, full_query};
use crate::app::session::Origin;
use crate::app::words;
use crate::error::{Error, ErrorKind, Result};
use crate::figure::FigurePlace;
use crate::result::ResultFile;

/// State that the parts of the frame share.
#[derive(Clone, Copy)]
struct FrameState {
    page: Page,
    figure: Option<FigurePlace>,
    host: StoredValue<Host>,
    /// Whether the shown result came from the host by a message.
    handed_over: RwSignal<bool>,
}

/// The page as a frame.
#[component]
pub fn Frame() -> impl IntoView {
    let page = Page::new();
    let query = document::query();
    let asked = Embed::parse(&query).and_then(|asked| asked.ok_or_else(nothing_asked));
    match Address::parse(&query) {
        Ok(address) => page.show_as(address.view),
        Err(error) => page.session.update(|session| session.fail(error)),
    }
    theme::follow(page.view);
    let asked = match asked {
        Ok(asked) => Some(asked),
        Err(error) => {
            page.session.update(|session| session.fail(error));
            None
        }
    };
    let wire = FrameState {
        page,
        figure: asked.as_ref().map(|asked| asked.figure),
        host: StoredValue::new(Host::new(asked.as_ref().and_then(|asked| asked.host.clone()))),
        handed_over: RwSignal::new(false),
    };
    let title = wire.title();
    wire.open(asked.as_ref().map(|asked| &asked.place), title);
    // A page with several figures has several such frames.
    let name = move || title.get().unwrap_or_else(|| "A figure from keyside".to_owned());
    view! {
        <main class="embed" data-testid="embed" aria-label=name>
            <h1 class="visually-hidden">"A figure from keyside"</h1>
            <Message page=page />
            {asked.map(|asked| view! { <RequestedFigure page=page asked=asked title=title /> })}
            <Foot wire=wire query=query />
        </main>
    }
}

/// The figure, with the controls that the address asks for.
#[component]
fn RequestedFigure(page: Page, asked: Embed, title: Memo<Option<String>>) -> impl IntoView {
    let controls = asked.controls;
    let drawn = Memo::new(move |_| page.shown.with(Option::is_some));
    view! {
        <h2 class="visually-hidden">{move || title.get()}</h2>
        // A disabled fieldset disables every control in it.
        <fieldset
            class="embed-figure"
            class:no-toolbar=!controls.toolbar
            class:no-export=!controls.export
            class:absent=move || !drawn.get()
            disabled=!controls.legend
        >
            <Show when=move || drawn.get()>{figure_at(page, asked.figure, 1)}</Show>
        </fieldset>
        <Show when=move || !drawn.get() && page.session.with(|session| session.error().is_none())>
            <p class="placeholder">"Loading\u{2026}"</p>
        </Show>
    }
}

#[component]
fn Message(page: Page) -> impl IntoView {
    let error = Memo::new(move |_| page.session.with(|session| session.error().map(ToString::to_string)));
    view! {
        <div role="alert">
            {move || error.get().map(|text| view! { <p class="error" data-testid="error">{text}</p> })}
        </div>
    }
}

/// The footer: what the figure shows, and a link to the whole page.
#[component]
fn Foot(wire: FrameState, query: String) -> impl IntoView {
    let shown = wire.page.shown;
    let origin = move || {
        shown.with(|shown| {
            let shown = shown.as_ref()?;
            Some(format!("{}: {}", words::origin(&shown.origin), about(&shown.result)))
        })
    };
    // The current view, not the one the frame started with. The figures are those of the "Many prompts" tab; a frame's
    // address has no tab.
    let address = Address {
        step: None,
        ..Address::parse(&query).unwrap_or_default()
    };
    let href = move || {
        let now = Address {
            view: wire.page.view.get(),
            ..address.clone()
        };
        let now = format!("{}&{}", now.to_query(), others(&query));
        format!("./?{}", full_query(&now, wire.handed_over.get()))
    };
    // The page that is opened asks its opener for a result that the host handed over.
    let rel = move || if wire.handed_over.get() { "opener" } else { "noopener" };
    view! {
        <footer class="embed-foot">
            <p data-testid="embed-origin">{origin}</p>
            <a data-testid="open-full" target="_blank" rel=rel href=href>
                "Open in keyside"<span class="visually-hidden">" (in a new tab)"</span>
            </a>
        </footer>
    }
}

impl FrameState {
    /// Starts listening to the host, and reads the result unless the host hands it over.
    fn open(self, place: Option<&ResultPlace>, title: Memo<Option<String>>) {
        handover::listen(move |event| self.hear(event));
        self.say(&ToHost::Ready);
        self.report_height();
        self.report_figure(title);
        match place {
            Some(ResultPlace::Recorded) => self.page.load_recorded(),
            Some(ResultPlace::Url(url)) => show_url(self.page, url.clone()),
            Some(ResultPlace::Host) if Self::parent().is_some() => {}
            Some(ResultPlace::Host | ResultPlace::Opener) => {
                let alone = Error::new(
                    ErrorKind::Request,
                    "there is no page around this figure to hand over its result",
                )
                .advice("Open the page that shows it.");
                self.page.session.update(|session| session.fail(alone));
            }
            None => {}
        }
    }

    /// The window of the host; None where the frame is a top-level page.
    fn parent() -> Option<Window> {
        let own: JsValue = window().into();
        let parent = window().parent().ok().flatten()?;
        (own != *AsRef::<JsValue>::as_ref(&parent)).then_some(parent)
    }

    fn say(self, message: &ToHost) {
        let Some(parent) = Self::parent() else { return };
        self.host.with_value(|host| {
            if let Some(target) = host.target(message) {
                // The browser drops a message whose target origin does not match; that is intended.
                let _ = say(&parent, message, target);
            }
        });
    }

    fn hear(self, event: &MessageEvent) {
        let from_parent = Self::parent().is_some_and(|parent| is_from(event, &parent));
        let origin = event.origin();
        if from_parent && self.host.with_value(|host| host.may_say(from_parent, &origin)) {
            let read = FromHost::read(received(event));
            if !matches!(read, Ok(None)) {
                self.host.update_value(|host| host.has_spoken(&origin));
            }
            self.take(read);
        } else if !from_parent && origin == document::origin() {
            self.hand_over(event);
        }
    }

    fn take(self, read: Result<Option<FromHost>>) {
        match read {
            Ok(Some(FromHost::Theme(appearance))) => self.page.view.update(|view| view.appearance = appearance),
            Ok(Some(FromHost::Result { name, text })) => {
                let read = ResultFile::from_json(text.as_bytes());
                self.handed_over.update(|handed_over| *handed_over |= read.is_ok());
                self.page.open(&name, read);
            }
            Ok(Some(FromHost::Want) | None) => {}
            Err(error) => self.page.session.update(|session| session.fail(error)),
        }
    }

    /// Sends the shown result to a page of this app that was opened from the frame and asks for it.
    fn hand_over(self, event: &MessageEvent) {
        let Some(source) = event.source() else { return };
        if FromHost::read(received(event)) != Ok(Some(FromHost::Want)) {
            return;
        }
        let message = self.page.shown.with_untracked(|shown| {
            let shown = shown.as_ref()?;
            let name = match &shown.origin {
                Origin::File(name) => name.clone(),
                _ => words::file_name(&shown.result),
            };
            let text = shown.result.to_json().ok()?;
            Some(ToHost::Result { name, text })
        });
        if let Some(message) = message {
            let _ = say(&source.unchecked_into(), &message, &document::origin());
        }
    }

    /// Reports the height that fits the content to the host, now and whenever it changes. Where the frame stays lower,
    /// the plot is made lower, too.
    fn report_height(self) {
        let Some(body) = document().body() else { return };
        let last = StoredValue::new(0);
        let element = body.clone();
        let look = move || {
            let height = element.get_bounding_client_rect().height();
            let plots = plot_heights(&element);
            let suitable = height + plots.iter().map(|(suitable, shown)| suitable - shown).sum::<f64>();
            if Self::parent().is_some() {
                let highest = plots.iter().map(|(suitable, _)| *suitable).fold(0.0, f64::max);
                self.page
                    .linked
                    .room
                    .set(embed::available_height(suitable, highest, document::inner_height()));
            }
            let height = suitable.ceil() as u32;
            if height > 0 && height != last.get_value() {
                last.set_value(height);
                self.say(&ToHost::Height { height });
            }
        };
        window_event_listener(ev::resize, {
            let look = look.clone();
            move |_| look()
        });
        let changed = Closure::<dyn FnMut()>::new(look);
        if let Ok(observer) = ResizeObserver::new(changed.as_ref().unchecked_ref()) {
            observer.observe(&body);
            // The observer lives as long as the page.
            std::mem::forget(observer);
            changed.forget();
        }
    }

    /// The title of the shown figure; None while nothing is shown.
    fn title(self) -> Memo<Option<String>> {
        Memo::new(move |_| {
            let figure = self.figure?;
            self.page
                .shown
                .with(|shown| shown.as_ref().map(|shown| embed::title(figure, &shown.result)))
        })
    }

    /// Reports the shown figure, and errors, to the host.
    fn report_figure(self, title: Memo<Option<String>>) {
        Effect::new(move |_| {
            if let Some(title) = title.get() {
                // Runs after the effects that draw the result.
                set_timeout(move || self.say(&ToHost::Shown { title }), Duration::ZERO);
            }
        });
        let error = Memo::new(move |_| {
            self.page
                .session
                .with(|session| session.error().map(ToString::to_string))
        });
        Effect::new(move |_| {
            if let Some(message) = error.get() {
                self.say(&ToHost::Error { message });
            }
        });
    }
}

/// For each plot in `body`: its preferred height and its actual height, in CSS pixels.
fn plot_heights(body: &HtmlElement) -> Vec<(f64, f64)> {
    let Ok(plots) = body.query_selector_all(".plot") else {
        return Vec::new();
    };
    let heights = |plot: HtmlElement| {
        let suitable = plot.get_attribute("data-height")?.parse().ok()?;
        Some((suitable, f64::from(plot.client_height())))
    };
    let all = (0..plots.length()).filter_map(|index| plots.item(index)?.dyn_into().ok());
    all.filter_map(heights).collect()
}

/// A text with the model and the prompts of `result`, and what of it is not shown.
fn about(result: &ResultFile) -> String {
    let about = format!("{}, {}", result.model.name, words::settings(result));
    match result.skipped_notice() {
        Some(skipped) => format!("{about}. {skipped}"),
        None => about,
    }
}

fn nothing_asked() -> Error {
    Error::new(ErrorKind::Request, "the address asks for no figure")
}
