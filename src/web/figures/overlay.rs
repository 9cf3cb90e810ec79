//! Crosshair, marks and tooltip: elements above the canvas, so that moving them does not redraw the plot.

use leptos::html;
use leptos::prelude::*;
use web_sys::HtmlElement;

use super::super::page::Page;
use super::explorer::Explorer;
use super::hover_text::all_lines;
use crate::plot::{Hover, Rect, Target};

/// Crosshair, mark and selection. What is kept is marked and has an outline that stays; it has no crosshair.
#[component]
pub fn Overlay(explorer: Explorer, hover: Memo<Option<Hover>>, crosses: Signal<bool>) -> impl IntoView {
    // A cell or a dot that is picked has its frame from the plot.
    let kept = Memo::new(move |_| {
        let kept = explorer.kept();
        let bars = kept.filter(|kept| matches!(kept.target, Target::Bin(_) | Target::Box(_)));
        bars.map(|kept| kept.about).filter(|about| about.width() > 0.0)
    });
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
            let hover = hover.as_ref().filter(|_| crosses.get())?;
            let (_, y) = match hover.target {
                Target::Cell(..) | Target::Dot(_) | Target::Token(_) | Target::Pattern(_) => hover.mark.center(),
                _ => explorer.pointer.get().unwrap_or(hover.anchor()),
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
            let hover = hover.as_ref().filter(|_| crosses.get())?;
            let (x, _) = match hover.target {
                // Along a box, what matters is where the pointer is.
                Target::Box(_) => explorer.pointer.get().unwrap_or(hover.anchor()),
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
        <Area area=kept class="pin" />
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

/// Height of a line of the tooltip, and what its padding adds, in CSS pixels, rounded up.
const LINE: f64 = 19.0;
const AROUND: f64 = 14.0;
/// Room beside what the tooltip is about that is enough for most; with less it stands above or below.
const ROOM: f64 = 150.0;
/// Between the tooltip and what it is about.
const GAP: f64 = 10.0;

/// What is explored, in words: beside its place, so that it can be seen; above or below where there is no room on either side.
#[component]
pub fn Tooltip(page: Page, hover: Memo<Option<Hover>>, size: Memo<(f64, f64)>) -> impl IntoView {
    let element = NodeRef::<html::Div>::new();
    Effect::new(move |_| {
        let style = hover.with(|hover| hover.as_ref().map(|hover| place(hover, size.get())));
        if let (Some(element), Some(style)) = (element.get(), style) {
            HtmlElement::style(&element).set_css_text(&style);
        }
    });
    view! {
        <Show when=move || hover.with(Option::is_some)>
            <div class="tooltip" data-testid="tooltip" node_ref=element>
                {move || hover.with(|hover| hover.as_ref().map(|hover| all_lines(page, hover)))}
            </div>
        </Show>
    }
}

/// Where the tooltip of `hover` stands on a plot of `size`, in CSS.
fn place(hover: &Hover, (width, height): (f64, f64)) -> String {
    let about = hover.about;
    // A note takes lines that are not counted: it is cut off at the lower edge of the plot at worst.
    let tall = LINE * hover.lines.len() as f64 + AROUND;
    let top = about.top.min(height - tall).max(0.0);
    let (left, right) = (about.left - GAP, width - about.right - GAP);
    if right >= left && right >= ROOM {
        let from = about.right + GAP;
        return format!("left: {from:.0}px; top: {top:.0}px; max-width: calc(100% - {from:.0}px)");
    }
    if left >= ROOM {
        let from = width - left;
        return format!("right: {from:.0}px; top: {top:.0}px; max-width: calc(100% - {from:.0}px)");
    }
    let (x, _) = hover.anchor();
    let (y, up) = if about.top >= tall + GAP {
        (about.top - GAP, "-100%")
    } else {
        (about.bottom + GAP, "0")
    };
    format!("left: clamp(7rem, {x:.0}px, calc(100% - 7rem)); top: {y:.0}px; transform: translate(-50%, {up})")
}
