//! The card with the directions (singular vectors) of the head's query-key product: the contribution of each, and both
//! sides of the opened one.

use leptos::prelude::*;

use super::super::data_table::DataTable;
use super::super::export::ExportMenu;
use super::super::figures::PlotCanvas;
use super::super::page::Page;
use super::shown::{drawn, of_result, only_pick};
use crate::analysis::pair::{DirectionExtremes, DirectionsSection, TokenValue};
use crate::figure::FigurePlace;
use crate::figure::consequence_words::{DirectionGroup, describe_directions, ends_name, groups_by_size};
use crate::figure::sentence_words::visible;
use crate::quantities::{counted, number};

/// Groups of directions with a bar of their own.
const BARS: usize = 10;

/// The result of `read` on the shown section.
fn of_directions<T>(sentence: Page, read: impl FnOnce(&DirectionsSection) -> T) -> Option<T> {
    of_result(sentence, |result| result.directions().map(read)).flatten()
}

/// The content of the card.
#[component]
pub fn DirectionsOfHead(page: Page, sentence: Page) -> impl IntoView {
    let Some(place) = "directions".parse::<FigurePlace>().ok() else {
        return ().into_any();
    };
    let sides = ["direction_query", "direction_key"].into_iter();
    let sides = sides.filter_map(|name| name.parse::<FigurePlace>().ok());
    let side = |place: FigurePlace| view! { <OneSide sentence=sentence place=place /> };
    let explained = move || sentence.view.with(|view| place.explanation(view));
    view! {
        <p class="soft">{explained}</p>
        <p data-testid="directions-told">{move || of_directions(sentence, describe_directions)}</p>
        <Groups page=page sentence=sentence />
        <div class="card-foot"><ExportMenu page=sentence figure=place /><DataTable page=sentence figure=place /></div>
        <h4 data-testid="opened-direction">
            {move || of_directions(sentence, |section| format!("Direction {}", section.opened.direction))}
        </h4>
        <div class="two">{sides.map(side).collect_view()}</div>
        <Tokens sentence=sentence />
    }
    .into_any()
}

/// A bar for each of the largest groups with a button that opens it, and the running sum.
#[component]
fn Groups(page: Page, sentence: Page) -> impl IntoView {
    let opened = Memo::new(move |_| of_directions(sentence, |section| section.opened.direction));
    let row = move |span: f64, group: DirectionGroup| {
        let class = if group.value < 0.0 { "bar lowers" } else { "bar raises" };
        let sign = if group.value > 0.0 { "+" } else { "" };
        let open = move |_| page.ask_with(|question| question.direction = Some(group.first));
        view! {
            <li>
                <button
                    type="button"
                    class="name"
                    aria-expanded=move || opened.get().is_some_and(|opened| group.has(opened)).to_string()
                    on:click=open
                >{group.name()}</button>
                <span class=class style=("--part", format!("{:.4}", f64::from(group.value.abs()) / span))></span>
                <span class="value">{format!("{sign}{}", number(f64::from(group.value), 2))}</span>
                <span class="value soft">{number(f64::from(group.so_far), 2)}</span>
            </li>
        }
    };
    let groups = move || of_directions(sentence, groups_by_size).unwrap_or_default();
    // Minimum and maximum of the values and 0.
    let range = |groups: &[DirectionGroup]| {
        let values = groups.iter().map(|group| f64::from(group.value));
        values.fold((0.0_f64, 0.0_f64), |(low, high), value| {
            (low.min(value), high.max(value))
        })
    };
    let zero = move || {
        let (low, high) = range(&groups());
        format!("{:.4}", -low / (high - low).max(1e-9))
    };
    let list = move || {
        let groups = groups();
        let (low, high) = range(&groups);
        let span = (high - low).max(1e-9);
        groups
            .into_iter()
            .take(BARS)
            .map(|group| row(span, group))
            .collect_view()
    };
    let others = move || {
        let rest = groups().split_off(BARS.min(groups().len()));
        let sum: f64 = rest.iter().map(|group| f64::from(group.value)).sum();
        let description = counted(rest.len(), "other adds", "others add");
        (!rest.is_empty()).then(|| format!("{description} {} together.", number(sum, 2)))
    };
    view! {
        <p class="soft">"What each adds, the largest first; beside it what is added up so far."</p>
        <ul class="bars so-far" style=("--zero", zero) data-testid="direction-groups">{list}</ul>
        <p class="soft">{others}</p>
    }
}

/// The components of one side along the opened direction.
#[component]
fn OneSide(sentence: Page, place: FigurePlace) -> impl IntoView {
    let (plot, label) = drawn(sentence, place);
    let title = move || plot.with(|plot| plot.as_ref().map(|plot| plot.title().to_owned()));
    view! {
        <div>
            <p class="soft">{title}</p>
            <PlotCanvas page=sentence id=place.as_str() plot=plot label=label help=place.keys_help() actions=only_pick(|_| false) />
            <div class="card-foot"><ExportMenu page=sentence figure=place /><DataTable page=sentence figure=place /></div>
        </div>
    }
}

/// The tokens at both ends of the opened direction.
#[component]
fn Tokens(sentence: Page) -> impl IntoView {
    let list = |tokens: &[TokenValue]| {
        let description = tokens.iter().map(|token| {
            view! { <li><code>{visible(&token.text)}</code>" "<span class="soft">{number(f64::from(token.value), 2)}</span></li> }
        });
        view! { <ol class="end-tokens">{description.collect_view()}</ol> }
    };
    let extremes = move |extremes: &DirectionExtremes| {
        view! {
            <tr>
                <th scope="row">{ends_name(extremes.matrix, extremes.side)}</th>
                <td>{list(&extremes.along)}</td>
                <td>{list(&extremes.against)}</td>
            </tr>
        }
    };
    let rows = move || {
        of_directions(sentence, |section| {
            section.opened.tokens.iter().map(extremes).collect_view()
        })
    };
    view! {
        <div class="pairs" role="group" tabindex="0" aria-label="Tokens of the direction" data-testid="direction-tokens">
            <table>
                <caption>"The tokens whose rows point most along the direction and against it, with their cosines."</caption>
                <thead>
                    <tr>
                        <th scope="col">"rows of"</th>
                        <th scope="col">"along"</th>
                        <th scope="col">"against"</th>
                    </tr>
                </thead>
                <tbody>{rows}</tbody>
            </table>
        </div>
    }
}
