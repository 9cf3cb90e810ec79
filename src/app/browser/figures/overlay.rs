//! What moves over a plot while it is explored: elements above the canvas, so that nothing is drawn again.

use leptos::prelude::*;

use super::explorer::Explorer;
use crate::plot::{Hover, Rect, Target};

/// Crosshair, mark, selection and tooltip.
#[component]
pub fn Overlay(explorer: Explorer, hover: Memo<Option<Hover>>) -> impl IntoView {
    let mark = Memo::new(move |_| hover.with(|hover| hover.as_ref().map(|hover| hover.mark)));
    let is_cell = move || {
        hover.with(|hover| {
            let target = hover.as_ref().map(|hover| hover.target);
            matches!(target, Some(Target::Cell(..) | Target::Dot(_)))
        })
    };
    // The level line follows the pointer in a histogram, and goes through the middle of a cell.
    let level = Memo::new(move |_| {
        hover.with(|hover| {
            let hover = hover.as_ref()?;
            let (_, y) = match hover.target {
                Target::Cell(..) | Target::Dot(_) => hover.mark.center(),
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
        <Tooltip hover=hover />
    }
}

/// An area that is shown while there is one; the same element wherever it is.
#[component]
fn Area(area: Memo<Option<Rect>>, class: &'static str, #[prop(optional, into)] framed: Signal<bool>) -> impl IntoView {
    let length = move |of: fn(&Rect) -> f64| move || format!("{:.1}px", area.get().as_ref().map_or(0.0, of));
    view! {
        <div
            class=format!("area {class}")
            class:framed=move || framed.get()
            class:absent=move || area.with(Option::is_none)
            style:left=length(|area| area.left)
            style:top=length(|area| area.top)
            style:width=length(Rect::width)
            style:height=length(Rect::height)
        ></div>
    }
}

/// Height of a line of the tooltip, and what its padding and its distance add, in CSS pixels, rounded up.
const LINE: f64 = 18.0;
const AROUND: f64 = 26.0;

/// What is explored, in words: above its place where the plot has room for them, so that legend and toolbar stay in reach.
#[component]
fn Tooltip(hover: Memo<Option<Hover>>) -> impl IntoView {
    move || {
        hover.get().map(|hover| {
            let (x, y) = hover.anchor;
            let above = LINE * hover.lines.len() as f64 + AROUND;
            let mut lines = hover.lines.into_iter();
            let first = lines.next().unwrap_or_default();
            view! {
                <div
                    class="tooltip"
                    class:below=y < above
                    data-testid="tooltip"
                    style:left=format!("clamp(7rem, {x:.0}px, calc(100% - 7rem))")
                    style:top=format!("{y:.0}px")
                >
                    <strong>{first}</strong>
                    {lines.map(|line| view! { <span>{line}</span> }).collect_view()}
                </div>
            }
        })
    }
}
