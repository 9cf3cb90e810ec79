//! Both sides of a score at once: the table by layer, whose layers can be unfolded, and the largest pairs.

use leptos::prelude::*;

use super::super::data_table::DataTable;
use super::super::export::ExportMenu;
use super::super::figures::PlotCanvas;
use super::super::page::Page;
use super::shown::{drawn, of_pair, only_pick};
use crate::analysis::PairSection;
use crate::figure::sentence_words::{PairWords, largest_pairs};
use crate::figure::{ComponentGroup, FigurePlace, groups, unfolded_at};
use crate::names::Side;
use crate::plot::Target;
use crate::quantities::{counted, number};

/// Pairs that are listed.
const PAIRS: usize = 20;

/// The number of pairs that are not listed, and their sum; None where all are listed.
fn others(section: &PairSection, description: &[PairWords]) -> Option<(String, f64)> {
    let cells = section.table.data();
    let sum: f64 = cells.iter().map(|&cell| f64::from(cell)).sum();
    let of_told: f64 = description.iter().map(|pair| f64::from(pair.value)).sum();
    let count = cells.len().checked_sub(description.len()).filter(|count| *count > 0)?;
    Some((counted(count, "other pair", "other pairs"), sum - of_told))
}

/// A number with its sign.
fn signed(value: f64) -> String {
    let sign = if value > 0.0 { "+" } else { "" };
    format!("{sign}{}", number(value, 2))
}

/// The table, and the largest pairs.
#[component]
pub fn BothSides(page: Page, sentence: Page) -> impl IntoView {
    let Some(place) = "table".parse::<FigurePlace>().ok() else {
        return ().into_any();
    };
    let (plot, label) = drawn(sentence, place);
    let unfold = only_pick(move |target| {
        let Target::Cell(row, column) = target else {
            return false;
        };
        let view = page.view.with_untracked(|view| view.sentence);
        let next = untrack(|| of_pair(sentence, |section, _| unfolded_at(section, view, (row, column))));
        next.is_some_and(|next| {
            page.view.update(|view| view.sentence = next);
            true
        })
    });
    view! {
        <div class="both-sides">
            <div>
                <div class="unfolded">
                    <Unfolded page=page sentence=sentence side=Side::Query />
                    <Unfolded page=page sentence=sentence side=Side::Key />
                </div>
                <PlotCanvas page=sentence id=place.as_str() plot=plot label=label help=place.keys_help() actions=unfold />
                <p class="soft">"A click on a cell unfolds its layers into their components; one more folds them again."</p>
                <div class="card-foot"><ExportMenu page=sentence figure=place /><DataTable page=sentence figure=place /></div>
            </div>
            <LargestPairs sentence=sentence />
        </div>
    }
    .into_any()
}

/// The choice of the unfolded layer on `side`.
#[component]
fn Unfolded(page: Page, sentence: Page, side: Side) -> impl IntoView {
    let all = Memo::new(move |_| of_pair(sentence, |section, _| groups(section)).unwrap_or_default());
    let chosen = Memo::new(move |_| page.view.with(|view| view.sentence.unfolded(side)));
    let choose = move |event| {
        let group: Option<ComponentGroup> = event_target_value(&event).parse().ok();
        page.view.update(|view| view.sentence.unfold(side, group));
    };
    let option = move |group: ComponentGroup| {
        let label = match group {
            ComponentGroup::Embeddings => "embeddings unfolded".to_owned(),
            ComponentGroup::Layer(layer) => format!("layer {layer} unfolded"),
        };
        view! { <option value=group.to_string() prop:selected=move || chosen.get() == Some(group)>{label}</option> }
    };
    let name = match side {
        Side::Query => "Rows, query side",
        Side::Key => "Columns, key side",
    };
    view! {
        <label>
            <span>{name}</span>
            <select data-testid=format!("unfold-{side}") on:change=choose>
                <option value="" prop:selected=move || chosen.get().is_none()>"by layer"</option>
                {move || all.get().into_iter().map(option).collect_view()}
            </select>
        </label>
    }
}

/// The largest pairs of components.
#[component]
fn LargestPairs(sentence: Page) -> impl IntoView {
    let rows = move || {
        of_pair(sentence, |section, texts| {
            let description = largest_pairs(section, texts, PAIRS);
            let others = others(section, &description);
            let others = others.map(|(words, value)| {
                view! { <tr class="soft"><th scope="row" colspan="2">{words}</th><td class="value">{signed(value)}</td></tr> }
            });
            let row = |pair: PairWords| {
                view! {
                    <tr>
                        <td>{pair.query}</td>
                        <td>{pair.key}</td>
                        <td class="value">{signed(f64::from(pair.value))}</td>
                    </tr>
                }
            };
            (description.into_iter().map(row).collect_view(), others)
        })
    };
    view! {
        <div class="pairs">
            <table data-testid="pairs">
                <caption>"The largest pairs"</caption>
                <thead>
                    <tr>
                        <th scope="col">"On the query side"</th>
                        <th scope="col">"meets on the key side"</th>
                        <th scope="col" class="value">"adds"</th>
                    </tr>
                </thead>
                <tbody>{rows}</tbody>
            </table>
        </div>
    }
}
