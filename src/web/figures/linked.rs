//! State that the figures share while the reader explores them, such as the highlighted series.

use leptos::ev;
use leptos::prelude::*;
use wasm_bindgen::prelude::*;

use super::super::document::pixel_ratio;
use super::super::first_view;
use super::super::theme::{SystemColors, forced_colors, media};
use crate::names::SeriesId;

/// A window as narrow as a phone.
const NARROW: &str = "(max-width: 40rem)";

/// See the module.
#[derive(Clone, Copy)]
pub struct Linked {
    /// The series that is lit up in all figures.
    pub series: RwSignal<Option<SeriesId>>,
    /// Device pixels per CSS pixel: changes when the window moves to another screen, or with the browser's zoom.
    pub ratio: RwSignal<f64>,
    /// Whether the page is being printed: then figures are light.
    pub printing: RwSignal<bool>,
    /// Whether the window is as narrow as a phone.
    pub narrow: RwSignal<bool>,
    /// The system's colors where it replaces those of pages.
    pub forced: RwSignal<Option<SystemColors>>,
    /// What is left of the window for a plot, in CSS pixels, where it is a frame that may not become higher.
    pub room: RwSignal<f64>,
    /// Whether a plot has been drawn.
    drawn: StoredValue<bool>,
}

impl Linked {
    /// Nothing is lit up.
    pub fn new() -> Self {
        let series = RwSignal::new(None);
        let linked = Self {
            series,
            ratio: RwSignal::new(pixel_ratio()),
            printing: RwSignal::new(false),
            narrow: media(NARROW),
            forced: forced_colors(),
            room: RwSignal::new(f64::INFINITY),
            drawn: StoredValue::new(false),
        };
        follow_ratio(linked.ratio);
        window_event_listener(ev::beforeprint, move |_| linked.printing.set(true));
        window_event_listener(ev::afterprint, move |_| linked.printing.set(false));
        linked
    }

    /// The same for figures that are explored apart from these.
    pub fn detached(self) -> Self {
        let series = RwSignal::new(None);
        Self { series, ..self }
    }

    /// Lights up `series`; none with None.
    pub fn light(self, series: Option<&SeriesId>) {
        if self.series.with_untracked(|lit| lit.as_ref() != series) {
            self.series.set(series.cloned());
        }
    }

    /// When the first plot has been drawn: shows it, and leaves a mark in the page's timeline.
    pub fn mark_first(self) {
        if !self.drawn.get_value() {
            self.drawn.set_value(true);
            first_view::uncover();
            if let Some(performance) = window().performance() {
                // A mark is for measuring only: without it nothing is lost.
                performance.mark("keyside-first-plot").ok();
            }
        }
    }
}

/// Keeps `ratio` at the window's. A query for one ratio tells when it no longer holds; then the next one is asked.
fn follow_ratio(ratio: RwSignal<f64>) {
    let query = window()
        .match_media(&format!("(resolution: {}dppx)", ratio.get_untracked()))
        .ok()
        .flatten();
    let Some(query) = query else { return };
    let changed = Closure::once_into_js(move || {
        ratio.set(pixel_ratio());
        follow_ratio(ratio);
    });
    let once = web_sys::AddEventListenerOptions::new();
    once.set_once(true);
    query
        .add_event_listener_with_callback_and_add_event_listener_options("change", changed.unchecked_ref(), &once)
        .ok();
}
