//! What moves over a plot while it is explored: elements above the canvas, so that nothing is drawn again.

use leptos::html;
use leptos::prelude::*;
use web_sys::HtmlElement;

use super::explorer::Explorer;
use crate::plot::{Hover, Rect, Target};

/// Crosshair, mark and selection.
#[component]
pub fn Overlay(explorer: Explorer, hover: Memo<Option<Hover>>) -> impl IntoView {
    let mark = Memo::new(move |_| hover.with(|hover| hover.as_ref().map(|hover| hover.mark)));
    let is_cell = move || {
        hover.with(|hover| {
            let target = hover.as_ref().map(|hover| hover.target);
            matches!(
                target,
                Some(Target::Cell(..) | Target::Dot(_) | Target::Token(_) | Target::Pattern(_))
            )
        })
    };
    // The level line follows the pointer in a histogram, and goes through the middle of a cell.
    let level = Memo::new(move |_| {
        hover.with(|hover| {
            let hover = hover.as_ref()?;
            let (_, y) = match hover.target {
                Target::Cell(..) | Target::Dot(_) | Target::Token(_) | Target::Pattern(_) => hover.mark.center(),
                _ => explorer.pointer.get().unwrap_or(hover.anchor),
            };
            Some(Rect {
                top: y.round(),
                bottom: y.round() + 1.0,
                ..hover.area
            })
        })
    });
    let upright = Memo::new(move |_| {
        hover.with(|hover| {
            let hover = hover.as_ref()?;
            let (x, _) = match hover.target {
                // Along a box, what matters is where the pointer is.
                Target::Box(_) => explorer.pointer.get().unwrap_or(hover.anchor),
                _ => hover.mark.center(),
            };
            Some(Rect {
                left: x.round(),
                right: x.round() + 1.0,
                ..hover.area
            })
        })
    });
    let selected = Memo::new(move |_| explorer.selected());
    view! {
        <Area area=mark class="mark" framed=Signal::derive(is_cell) />
        <Area area=upright class="crosshair" />
        <Area area=level class="crosshair" />
        <Area area=selected class="selection" />
    }
}

/// An area that is shown while there is one; the same element wherever it is. Moved without being laid out.
#[component]
fn Area(area: Memo<Option<Rect>>, class: &'static str, #[prop(optional, into)] framed: Signal<bool>) -> impl IntoView {
    let element = NodeRef::<html::Div>::new();
    // All in one: areas follow the pointer.
    Effect::new(move |_| {
        if let (Some(element), Some(area)) = (element.get(), area.get()) {
            let (width, height) = (area.width(), area.height());
            HtmlElement::style(&element).set_css_text(&format!(
                "transform: translate({:.1}px, {:.1}px); width: {width:.1}px; height: {height:.1}px",
                area.left, area.top,
            ));
        }
    });
    view! {
        <div
            node_ref=element
            class=format!("area {class}")
            class:framed=move || framed.get()
            class:absent=move || area.with(Option::is_none)
        ></div>
    }
}

/// Height of a line of the tooltip, and what its padding and its distance add, in CSS pixels, rounded up.
const LINE: f64 = 18.0;
const AROUND: f64 = 26.0;

/// What is explored, in words: above its place where the plot has room for them, so that legend and toolbar stay in reach.
/// The same elements while it moves.
#[component]
pub fn Tooltip(hover: Memo<Option<Hover>>) -> impl IntoView {
    let place = Memo::new(move |_| {
        hover
            .with(|hover| hover.as_ref().map(|hover| hover.anchor))
            .unwrap_or_default()
    });
    let lines = Memo::new(move |_| {
        hover
            .with(|hover| hover.as_ref().map(|hover| hover.lines.clone()))
            .unwrap_or_default()
    });
    let below = move || place.get().1 < lines.with(|lines| LINE * lines.len() as f64 + AROUND);
    view! {
        <Show when=move || hover.with(Option::is_some)>
            <div
                class="tooltip"
                class:below=below
                data-testid="tooltip"
                style:left=move || format!("clamp(7rem, {:.0}px, calc(100% - 7rem))", place.get().0)
                style:top=move || format!("{:.0}px", place.get().1)
            >
                <strong>{move || lines.with(|lines| lines.first().cloned())}</strong>
                <span>{move || lines.with(|lines| lines.get(1..).unwrap_or_default().join("\n"))}</span>
            </div>
        </Show>
    }
}
