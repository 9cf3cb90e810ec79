//! The data behind a figure, as tables.

use std::collections::BTreeSet;

use leptos::prelude::*;
use web_sys::Event;

use super::page::Page;
use crate::app::export::{MAX_ROWS, rows_note, shown};
use crate::export::{Field, Table};
use crate::figure::{Figure, FigurePlace};
use crate::quantities::counted;

/// The tables behind a figure. They are made when the fold is opened: the first at once, each of the others when it is
/// unfolded, since thousands of cells take a slow machine a second.
#[component]
pub fn DataTable(page: Page, figure: FigurePlace) -> impl IntoView {
    let open = RwSignal::new(false);
    // By name, so that tables stay unfolded when they are made again, for example when a series is hidden.
    let unfolded = RwSignal::new(BTreeSet::new());
    let data = Memo::new(move |_| {
        if !open.get() {
            return Vec::new();
        }
        let figure = page.view.with(|view| Figure::at(figure, view));
        page.shown
            .with(|shown| figure.tables(&shown.as_ref()?.result).ok())
            .unwrap_or_default()
    });
    view! {
        <details class="data" data-testid="data-table" on:toggle=move |event| open.set(is_open(&event))>
            <summary>"The data behind this figure"</summary>
            {move || {
                let table = |(index, table): (usize, Table)| {
                    if index == 0 {
                        view! { <OneTable figure=figure table=table /> }.into_any()
                    } else {
                        view! { <FoldedTable figure=figure table=table unfolded=unfolded /> }.into_any()
                    }
                };
                data.get().into_iter().enumerate().map(table).collect_view()
            }}
        </details>
    }
}

/// Whether the `<details>` element whose toggle event this is is open now.
pub fn is_open(event: &Event) -> bool {
    event_target::<web_sys::Element>(event).has_attribute("open")
}

/// The table's summary line, and the table itself when it is unfolded.
#[component]
fn FoldedTable(figure: FigurePlace, table: Table, unfolded: RwSignal<BTreeSet<&'static str>>) -> impl IntoView {
    let name = table.name;
    let open = Memo::new(move |_| unfolded.with(|unfolded| unfolded.contains(name)));
    let toggled = move |event: Event| {
        unfolded.update(|unfolded| {
            if is_open(&event) {
                unfolded.insert(name);
            } else {
                unfolded.remove(name);
            }
        });
    };
    let (caption, rows) = (table.caption.clone(), counted(table.rows.len(), "row", "rows"));
    let table = StoredValue::new(table);
    view! {
        <details class="data-fold" data-testid=format!("data-fold-{name}") open=move || open.get() on:toggle=toggled>
            <summary>{caption} " " <span class="data-rows">{rows}</span></summary>
            {move || open.get().then(|| view! { <OneTable figure=figure table=table.get_value() /> })}
        </details>
    }
}

#[component]
fn OneTable(figure: FigurePlace, table: Table) -> impl IntoView {
    let note = rows_note(&table);
    let id = format!("data-{}-{}", figure.as_str(), table.name);
    let numeric: Vec<bool> = (0..table.columns.len())
        .map(|column| table.is_numeric(column))
        .collect();
    let head = table.columns.iter().zip(&numeric);
    let head = head.map(|(name, numeric)| view! { <th scope="col" class:numeric=*numeric>{name.clone()}</th> });
    let head = head.collect_view();
    let field = |(column, field): (usize, &Field)| {
        let (text, numeric) = (shown(field), numeric[column]);
        if column == 0 {
            view! { <th scope="row" class:numeric=numeric>{text}</th> }.into_any()
        } else {
            view! { <td class:numeric=numeric>{text}</td> }.into_any()
        }
    };
    let rows = table.rows.iter().take(MAX_ROWS);
    let rows = rows.map(|row| view! { <tr>{row.iter().enumerate().map(field).collect_view()}</tr> });
    let caption = id.clone();
    // Scrollable content must be reachable by keyboard. Not a region, since two figures may have tables of one name.
    view! {
        <div class="data-scroll" role="group" tabindex="0" aria-labelledby=id data-testid=format!("data-{}", table.name)>
            <table>
                <caption id=caption>{table.caption.clone()}</caption>
                <thead>
                    <tr>{head}</tr>
                </thead>
                <tbody>{rows.collect_view()}</tbody>
            </table>
        </div>
        {note.map(|note| view! { <p class="data-note">{note}</p> })}
    }
}
