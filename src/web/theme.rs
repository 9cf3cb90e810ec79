//! Light or dark theme: as the system has it, or as the reader chooses.

use leptos::prelude::*;
use plotters::style::RGBColor;

use super::segment::Segment;
use wasm_bindgen::prelude::*;
use web_sys::{Event, HtmlElement, MediaQueryList};

use crate::figure::{Appearance, View};

/// The page's background for the browser's toolbars: the value of `--page` in the styles.
const COLORS: [(&str, &str); 2] = [("light", "#f6f6f3"), ("dark", "#0e1013")];

/// Whether the media query `query` holds, kept up to date as long as the page lives.
pub fn media(query: &str) -> RwSignal<bool> {
    let holds = RwSignal::new(false);
    if let Some(list) = window().match_media(query).ok().flatten() {
        holds.set(list.matches());
        let changed = Closure::<dyn FnMut(Event)>::new({
            let list: MediaQueryList = list.clone();
            move |_| holds.set(list.matches())
        });
        list.set_onchange(Some(changed.as_ref().unchecked_ref()));
        changed.forget();
    }
    holds
}

/// The system's colors in forced-colors mode (high contrast).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SystemColors {
    /// `Canvas`.
    pub background: RGBColor,
    /// `CanvasText`, for text and lines.
    pub text: RGBColor,
}

/// The system's colors in forced-colors mode, None otherwise; kept up to date as long as the page lives.
pub fn forced_colors() -> RwSignal<Option<SystemColors>> {
    let colors = RwSignal::new(None);
    let active = media("(forced-colors: active)");
    // The system may switch to other forced colors, which changes `prefers-color-scheme`.
    let dark = media("(prefers-color-scheme: dark)");
    Effect::new(move |_| {
        dark.track();
        colors.set(active.get().then(system_colors).flatten());
    });
    colors
}

/// The current values of `Canvas` and `CanvasText`.
fn system_colors() -> Option<SystemColors> {
    let probe: HtmlElement = document().create_element("span").ok()?.unchecked_into();
    document().body()?.append_child(&probe).ok()?;
    let color_of = |name: &str| {
        HtmlElement::style(&probe).set_property("color", name).ok()?;
        let style = window().get_computed_style(&probe).ok()??;
        rgb(&style.get_property_value("color").ok()?)
    };
    let colors = color_of("Canvas").zip(color_of("CanvasText"));
    probe.remove();
    let (background, text) = colors?;
    Some(SystemColors { background, text })
}

/// Parses a computed color such as "rgb(1, 2, 3)".
fn rgb(text: &str) -> Option<RGBColor> {
    let numbers = text
        .split(|c: char| !c.is_ascii_digit())
        .filter(|part| !part.is_empty());
    let mut numbers = numbers.map(|part| part.parse().ok());
    Some(RGBColor(numbers.next()??, numbers.next()??, numbers.next()??))
}

/// Whether figures are dark; they are light in print.
pub fn is_dark(view: RwSignal<View>) -> Memo<bool> {
    let (system, print) = (media("(prefers-color-scheme: dark)"), media("print"));
    Memo::new(move |_| {
        let dark = match view.with(|view| view.appearance) {
            Appearance::System => system.get(),
            Appearance::Light => false,
            Appearance::Dark => true,
        };
        dark && !print.get()
    })
}

/// Sets the theme of the styles and of the browser's own controls. scripts/page/start.js has done so for the address.
pub fn follow(view: RwSignal<View>) {
    let appearance = Memo::new(move |_| view.with(|view| view.appearance));
    Effect::new(move |_| {
        let chosen = appearance.get();
        if let Some(root) = document().document_element() {
            // Setting an attribute with a valid name can't fail.
            let _ = match chosen {
                Appearance::System => root.remove_attribute("data-theme"),
                _ => root.set_attribute("data-theme", chosen.value()),
            };
        }
        for (scheme, color) in COLORS {
            let forced = COLORS.iter().find(|(known, _)| *known == chosen.value());
            let bar = document().query_selector(&format!("meta[name=\"theme-color\"][media*=\"{scheme}\"]"));
            if let Ok(Some(bar)) = bar {
                let _ = bar.set_attribute("content", forced.map_or(color, |(_, color)| color));
            }
        }
    });
}

/// The switch between system, light and dark.
#[component]
pub fn ThemeSwitch(view: RwSignal<View>) -> impl IntoView {
    let chosen = Memo::new(move |_| view.with(|view| view.appearance));
    let choice = move |appearance: Appearance| {
        let label = match appearance {
            Appearance::System => "System",
            Appearance::Light => "Light",
            Appearance::Dark => "Dark",
        };
        view! {
            <Segment
                name="theme"
                value=appearance.value()
                label=move || label
                chosen=Signal::derive(move || chosen.get() == appearance)
                choose=move || view.update(|view| view.appearance = appearance)
            />
        }
    };
    view! {
        <fieldset class="segments" data-testid="theme-switch">
            <legend class="visually-hidden">"Theme"</legend>
            {Appearance::ALL.map(choice).collect_view()}
        </fieldset>
    }
}
