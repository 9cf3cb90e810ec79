//! Arcs from the query to the tokens that it attends to, where all tokens are in one line.

use leptos::html;
use leptos::prelude::*;
use wasm_bindgen::JsCast;
use web_sys::HtmlElement;

use super::super::figures::element_observer;
use super::super::page::Page;
use super::super::scheduling::after_frame;
use super::shown::of_attention;

/// Height of the area with the arcs, in CSS pixels.
const HEIGHT: f64 = 56.0;
/// The least attention weight with an arc.
const LEAST: f32 = 0.02;

/// One arc: its SVG path and its width.
#[derive(Debug, Clone, PartialEq)]
struct Arc {
    path: String,
    width: f64,
    opacity: f64,
}

/// The horizontal centers of the chips in `frame`; None where they wrap to several lines.
fn middles(frame: &HtmlElement) -> Option<Vec<f64>> {
    let chips = frame.query_selector_all(".token").ok()?;
    let mut middles = Vec::new();
    let mut line = None;
    for index in 0..chips.length() {
        let chip: HtmlElement = chips.item(index)?.dyn_into().ok()?;
        if *line.get_or_insert(chip.offset_top()) != chip.offset_top() {
            return None;
        }
        middles.push(f64::from(chip.offset_left()) + f64::from(chip.offset_width()) / 2.0);
    }
    Some(middles)
}

/// The arcs above the chips in `frame`.
#[component]
pub fn Arcs(sentence: Page, frame: NodeRef<html::Div>) -> impl IntoView {
    let width = RwSignal::new(0.0_f64);
    element_observer::width_of(frame, width);
    let arcs = RwSignal::new(Vec::<Arc>::new());
    Effect::new(move |_| {
        width.track();
        let row = of_attention(sentence, |section| (section.dest, section.row(section.head)));
        // The chips have their final positions after they have been laid out.
        after_frame(move || {
            let found = frame.try_get_untracked().flatten().and_then(|frame| middles(&frame));
            let drawn = match (row, found) {
                (Some((dest, row)), Some(middles)) => of_row(dest, &row, &middles),
                _ => Vec::new(),
            };
            let _ = arcs.try_set(drawn);
        });
    });
    let path = |arc: Arc| {
        view! { <path d=arc.path fill="none" stroke-width=arc.width.to_string() stroke-opacity=arc.opacity.to_string() /> }
    };
    view! {
        <svg class="arcs" class:none=move || arcs.with(Vec::is_empty) aria-hidden="true" height=HEIGHT.to_string()>
            {move || arcs.get().into_iter().map(path).collect_view()}
        </svg>
    }
}

fn of_row(dest: usize, row: &[f32], middles: &[f64]) -> Vec<Arc> {
    let Some(&from) = middles.get(dest) else {
        return Vec::new();
    };
    let seen = row.iter().zip(middles).enumerate();
    seen.filter(|(position, (share, _))| *position != dest && **share >= LEAST)
        .map(|(_, (&share, &to))| {
            let share = f64::from(share);
            let top = (HEIGHT - 8.0 - 0.12 * (from - to).abs()).max(2.0);
            Arc {
                path: format!("M{from:.1},{HEIGHT} C{from:.1},{top:.1} {to:.1},{top:.1} {to:.1},{HEIGHT}"),
                width: 1.0 + 6.0 * share,
                opacity: (0.25 + share).min(1.0),
            }
        })
        .collect()
}
