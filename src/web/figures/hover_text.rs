//! The text about a part of a plot, one line each, with the color of its series.

use leptos::prelude::*;

use super::super::page::Page;
use super::colors::css_color;
use super::explorer::Explorer;
use crate::plot::Hover;

/// A line, and the number of a color.
type Line = (String, Option<usize>);

/// The lines of `hover`, and its note.
fn lines(hover: &Hover) -> impl Iterator<Item = Line> {
    let swatches = hover.swatches.clone().into_iter().chain(std::iter::repeat(None));
    hover.texts().into_iter().zip(swatches)
}

/// A line with its swatch.
fn line(page: Page, (text, color): Line) -> impl IntoView {
    let swatch =
        color.map(|color| view! { <span class="swatch" style:background=move || css_color(page, color)></span> });
    view! { {swatch} {text} }
}

/// All lines of what is said; the first one stands out.
pub fn all_lines(page: Page, hover: &Hover) -> impl IntoView + use<> {
    let mut lines = lines(hover);
    let first = lines.next().map(|first| view! { <strong>{line(page, first)}</strong> });
    let others = lines.map(|other| view! { <span>{line(page, other)}</span> });
    view! { {first} {others.collect_view()} }
}

/// What a click, a tap or Enter keeps, in a line below the plot; without it how to get there, where `hint` says it.
#[component]
pub fn Kept(page: Page, explorer: Explorer, hint: Option<&'static str>) -> impl IntoView {
    let kept = Memo::new(move |_| explorer.kept());
    view! {
        <Show when=move || hint.is_some() || kept.with(Option::is_some)>
            <p class="kept" data-testid="kept">
                {move || {
                    kept.with(|kept| match kept {
                        Some(hover) => all_lines(page, hover).into_any(),
                        None => view! { <span class="soft">{hint}</span> }.into_any(),
                    })
                }}
            </p>
        </Show>
    }
}
