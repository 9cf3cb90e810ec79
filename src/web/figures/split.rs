//! A histogram split by kinds of prompts: the control, and the table of kinds.

use leptos::prelude::*;

use super::super::page::Page;
use super::colors::css_color;
use crate::app::figure_words;
use crate::app::split::{Split, SplitRow, Spread};
use crate::names::{HistogramId, SeriesId, SplitBy};
use crate::plot::HistogramPlot;
use crate::quantities::grouped;

/// What the prompts of the histogram `name` are split by; nothing where their kinds are not known.
#[component]
pub fn SplitControl(page: Page, name: HistogramId) -> impl IntoView {
    let splits = page.splits;
    let chosen = Memo::new(move |_| page.view.with(|view| view.histogram(name).split));
    let choose = move |value: String| {
        page.view
            .update(|view| view.update_histogram(name, |view| view.split = value.parse().ok()));
    };
    let option = move |by: SplitBy| {
        let selected = move || chosen.get() == Some(by);
        view! { <option value=by.as_str() prop:selected=selected>{by.as_str()}</option> }
    };
    view! {
        <Show when=move || splits.with(|splits| !splits.is_empty())>
            <label class="tool">
                <span>"Split by"</span>
                <select data-testid="split" on:change=move |event| choose(event_target_value(&event))>
                    <option value="" prop:selected=move || chosen.get().is_none()>"nothing"</option>
                    {move || splits.get().into_iter().map(option).collect_view()}
                </select>
            </label>
        </Show>
    }
}

/// The series that `plot` shows, for each kind of prompt.
#[component]
pub fn SplitTable(page: Page, name: HistogramId, plot: Memo<Option<HistogramPlot>>) -> impl IntoView {
    let split = Memo::new(move |_| {
        let by = page.view.with(|view| view.histogram(name).split)?;
        let result = page.shown.with(|shown| Some(shown.as_ref()?.result.clone()))?;
        plot.with(|plot| Some((by, Split::of(&result, name, plot.as_ref()?, by)?)))
    });
    move || {
        split.get().map(|(by, split)| {
            let (caption, id) = (format!("split-{name}"), format!("split-{name}"));
            // Of two kinds the table says it as plainly.
            let extremes = split.extremes().filter(|_| split.rows.len() > 2);
            let head = split.series.iter().map(|(id, color)| head(page, id, *color)).collect_view();
            let rows = split.rows.iter().map(|row| one_row(page, &split, row)).collect_view();
            view! {
                <div class="split" data-testid=format!("split-table-{name}")>
                    <div class="data-scroll" role="group" tabindex="0" aria-labelledby=caption>
                        <table>
                            <caption id=id>{figure_words::split_caption(by)}</caption>
                            <thead>
                                <tr><th scope="col">{by.as_str()}</th><th scope="col" class="numeric">"prompts"</th><th scope="col">"mean \u{b1} standard deviation"</th>{head}</tr>
                            </thead>
                            <tbody>{rows}</tbody>
                        </table>
                    </div>
                    {extremes.map(|extremes| view! { <p class="data-note">{extremes}</p> })}
                </div>
            }
        })
    }
}

/// The heading of a series' column.
fn head(page: Page, id: &SeriesId, color: usize) -> impl IntoView + use<> {
    view! { <th scope="col" class="numeric"><span class="swatch" style:background=move || css_color(page, color)></span> {id.to_string()}</th> }
}

fn one_row(page: Page, split: &Split, row: &SplitRow) -> impl IntoView + use<> {
    let dots = row.spreads.iter().zip(&split.series);
    let dots = dots.filter_map(|(spread, (_, color))| Some(dot(page, split, (*spread)?, *color)));
    let cells = row
        .spreads
        .iter()
        .map(|spread| view! { <td class="numeric">{split.description(*spread)}</td> });
    view! {
        <tr>
            <th scope="row">{row.label.clone()}</th>
            <td class="numeric">{grouped(row.n)}</td>
            <td><div class="track" aria-hidden="true">{dots.collect_view()}</div></td>
            {cells.collect_view()}
        </tr>
    }
}

/// A mean as a dot on the row's scale, with a line of one standard deviation to either side.
fn dot(page: Page, split: &Split, spread: Spread, color: usize) -> impl IntoView + use<> {
    let percent = |value: f64| format!("{value:.2}%");
    let at = split.place(spread.mean);
    let left = split.place(spread.mean - spread.standard_deviation);
    let right = split.place(spread.mean + spread.standard_deviation);
    view! {
        <i style:left=percent(left) style:width=percent(right - left) style:background=move || css_color(page, color)></i>
        <b style:left=percent(at) style:background=move || css_color(page, color)></b>
    }
}
