//! Warm-up of the page's code. Browsers compile a WebAssembly function when it is first called, which delays the first
//! press of each kind on a slow machine. So a hidden figure receives simulated presses once, while the browser is idle.

use std::time::Duration;

use futures::channel::oneshot;
use leptos::mount::mount_to;
use leptos::prelude::*;
use wasm_bindgen::prelude::*;
use web_sys::{
    Element, Event, EventTarget, HtmlElement, KeyboardEvent, KeyboardEventInit, PointerEvent, PointerEventInit,
    ShadowRootInit, ShadowRootMode,
};

use super::figures::figure_at;
use super::page::Page;
use super::scheduling::when_idle;
use crate::figure::FigurePlace;

/// Delay after the first result is shown, so that the reader's first actions are not slowed down.
const AFTER: Duration = Duration::from_secs(1);

/// Schedules the warm-up once, after the first result has been shown.
pub fn begin(page: Page) {
    let begun = StoredValue::new(false);
    Effect::new(move |_| {
        if page.shown.with(Option::is_some) && !begun.get_value() {
            begun.set_value(true);
            set_timeout(move || leptos::task::spawn_local(warm_up(page)), AFTER);
        }
    });
}

/// Waits for an idle browser before every step, so that the reader waits for one step at most.
async fn warm_up(page: Page) {
    idle().await;
    let Ok(hidden) = HiddenHost::build() else { return };
    let Some(place) = FigurePlace::all().next() else { return };
    let figure = mount_to(hidden.boards.clone(), move || figure_at(page.detached(), place, 1));
    idle().await;
    hidden.legend().await;
    hidden.plot().await;
    hidden.export().await;
    drop(figure);
    hidden.host.remove();
}

/// Waits until the browser is idle.
async fn idle() {
    let (tell, description) = oneshot::channel();
    when_idle(move || {
        tell.send(()).ok();
    });
    description.await.ok();
}

/// A shadow host for the hidden figure: laid out but invisible, inert and unnamed, and isolated from styles, search,
/// focus and screen readers.
struct HiddenHost {
    host: Element,
    boards: HtmlElement,
}

impl HiddenHost {
    fn build() -> Result<Self, JsValue> {
        let host = document().create_element("div")?;
        host.set_class_name("warm-up");
        host.set_attribute("inert", "")?;
        host.set_attribute("aria-hidden", "true")?;
        let boards: HtmlElement = document().create_element("div")?.unchecked_into();
        host.attach_shadow(&ShadowRootInit::new(ShadowRootMode::Closed))?
            .append_child(&boards)?;
        document().body().ok_or(JsValue::NULL)?.append_child(&host)?;
        Ok(Self { host, boards })
    }

    fn first(&self, selector: &str) -> Option<Element> {
        self.boards.query_selector(selector).ok().flatten()
    }

    /// Dispatches `event` to the first element that matches `selector`.
    fn send(&self, selector: &str, event: Result<impl AsRef<Event>, JsValue>) {
        let target = self.first(selector);
        if let (Some(target), Ok(event)) = (target, event) {
            // The result of the dispatch does not matter.
            EventTarget::dispatch_event(&target, event.as_ref()).ok();
        }
    }

    fn key(&self, selector: &str, key: &str) {
        let options = KeyboardEventInit::new();
        options.set_key(key);
        self.send(
            selector,
            KeyboardEvent::new_with_keyboard_event_init_dict("keydown", &options),
        );
    }

    /// Moves the pointer to the center of the plot.
    fn point(&self, name: &str) {
        let Some(canvas) = self.first("canvas") else { return };
        let place = canvas.get_bounding_client_rect();
        let options = PointerEventInit::new();
        options.set_is_primary(true);
        options.set_client_x((place.left() + place.width() / 2.0) as i32);
        options.set_client_y((place.top() + place.height() / 2.0) as i32);
        self.send("canvas", PointerEvent::new_with_event_init_dict(name, &options));
    }

    async fn legend(&self) {
        for name in ["pointerenter", "click", "click", "pointerleave"] {
            self.send(".legend-entry", PointerEvent::new(name));
            idle().await;
        }
    }

    async fn plot(&self) {
        for name in ["pointermove", "pointerdown", "pointerup", "pointerleave"] {
            self.point(name);
            idle().await;
        }
        for key in ["ArrowRight", "ArrowRight", "Escape"] {
            self.key("canvas", key);
            idle().await;
        }
    }

    async fn export(&self) {
        self.send(".export-button", PointerEvent::new("pointerenter"));
        idle().await;
        // Closed again before the page would scroll to it.
        self.send(".export-button", PointerEvent::new("click"));
        leptos::task::tick().await;
        self.key(".export", "Escape");
        idle().await;
    }
}
