//! All heads in a table that can be sorted and filtered.

use leptos::prelude::*;

use super::super::data_table::is_open;
use super::super::page::Page;
use super::shown::{of_attention, of_result};
use crate::analysis::AttentionSection;
use crate::figure::Measure;
use crate::figure::sentence_words::percent;
use crate::math::sort_descending;
use crate::names::Head;
use crate::quantities::{counted, number};
use crate::result::ResultFile;

/// The column by which rows are sorted in descending order; None for the order of layers and heads.
type Order = Option<Measure>;

/// The values of one head, in the order of the columns.
type HeadRow = (Head, Vec<Option<f32>>);

/// The heads of `result` whose names contain `wanted`, sorted by `order`.
fn rows(result: &ResultFile, columns: &[Measure], wanted: &str, order: Order) -> Vec<HeadRow> {
    let wanted = wanted.trim();
    let heads = result.attention().map(AttentionSection::known_heads);
    let heads = heads.into_iter().flatten();
    let mut rows: Vec<HeadRow> = heads
        .filter(|head| head.to_string().contains(wanted))
        .map(|head| (head, columns.iter().map(|measure| measure.of(result, head)).collect()))
        .collect();
    if let Some(column) = order.and_then(|order| columns.iter().position(|column| *column == order)) {
        let value = |row: &HeadRow| row.1[column].unwrap_or(f32::NEG_INFINITY);
        sort_descending(&mut rows, value);
    }
    rows
}

/// A value of `measure` as text.
fn format_value(measure: Measure, value: Option<f32>) -> String {
    match (measure, value) {
        (_, None) => String::new(),
        (Measure::Score | Measure::Entropy, Some(value)) => number(f64::from(value), 2),
        (Measure::DirectEffect, Some(value)) => number(f64::from(value), 3),
        (_, Some(share)) => percent(share),
    }
}

/// The list of heads; the button of a head passes it to `choose`.
#[component]
pub fn HeadList(page: Page, sentence: Page, choose: impl Fn(Head) + Copy + Send + Sync + 'static) -> impl IntoView {
    let open = RwSignal::new(false);
    let wanted = RwSignal::new(String::new());
    // The order of the map, until a column is chosen.
    let by = RwSignal::new(None::<Order>);
    // The measure that the map shows is the first column.
    let columns = Memo::new(move |_| {
        let shown = page.view.with(|view| view.sentence.measure);
        let mut known = of_result(sentence, |result| Measure::known(result).collect::<Vec<_>>()).unwrap_or_default();
        known.sort_by_key(|measure| *measure != shown);
        known
    });
    let order = Memo::new(move |_| {
        let shown = || Some(page.view.with(|view| view.sentence.measure));
        by.get().unwrap_or_else(shown)
    });
    let list = Memo::new(move |_| {
        let found = |result: &ResultFile| rows(result, &columns.get(), &wanted.get(), order.get());
        of_result(sentence, found).unwrap_or_default()
    });
    let chosen = Memo::new(move |_| of_attention(sentence, |section| section.head));
    let heading = move |label: &'static str, column: Order| {
        view! {
            <th scope="col" aria-sort=move || (order.get() == column).then_some(if column.is_some() { "descending" } else { "ascending" })>
                <button type="button" class="quiet" on:click=move |_| by.set(Some(column))>{label}</button>
            </th>
        }
    };
    let row = move |(head, values): HeadRow| {
        let cells = columns.get().into_iter().zip(values);
        let cells = cells.map(|(measure, value)| view! { <td class="value">{format_value(measure, value)}</td> });
        view! {
            <tr>
                <th scope="row">
                    <button
                        type="button"
                        class="preset"
                        aria-pressed=move || (chosen.get() == Some(head)).to_string()
                        on:click=move |_| choose(head)
                    >{head.to_string()}</button>
                </th>
                {cells.collect_view()}
            </tr>
        }
    };
    let table = move || {
        open.get().then(|| {
            view! {
                <label class="filter">
                    <span>"Only heads such as"</span>
                    <input
                        type="text"
                        autocomplete="off"
                        placeholder="10."
                        data-testid="filter-heads"
                        prop:value=move || wanted.get()
                        on:input=move |event| wanted.set(event_target_value(&event))
                    />
                </label>
                <p class="soft" role="status">{move || list.with(|list| counted(list.len(), "head", "heads"))}</p>
                <div class="data-scroll" role="group" tabindex="0" aria-label="List of heads" data-testid="heads-list">
                    <table>
                        <thead>
                            <tr>
                                {heading("head", None)}
                                {move || columns.get().into_iter().map(|column| heading(column.label(), Some(column))).collect_view()}
                            </tr>
                        </thead>
                        <tbody>{move || list.get().into_iter().map(row).collect_view()}</tbody>
                    </table>
                </div>
            }
        })
    };
    view! {
        <details class="head-list" on:toggle=move |event| open.set(is_open(&event))>
            <summary data-testid="list-heads">"List of heads"</summary>
            {table}
        </details>
    }
}
