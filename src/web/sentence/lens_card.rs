//! The logit lens: the most likely next tokens if the model ended after each of its layers.

use leptos::prelude::*;

use super::super::data_table::DataTable;
use super::super::export::ExportMenu;
use super::super::page::Page;
use super::shown::of_result;
use crate::analysis::pair::{LensLayer, LensSection};
use crate::figure::FigurePlace;
use crate::figure::consequence_words::{describe_lens, lens_row, token_name};
use crate::figure::sentence_words::{percent_in_short, visible};
use crate::quantities::number;

/// Tokens that are listed for each layer.
const TOKENS: usize = 3;

/// The result of `read` on the shown section.
fn of_lens<T>(sentence: Page, read: impl FnOnce(&LensSection) -> T) -> Option<T> {
    of_result(sentence, |result| result.lens().map(read)).flatten()
}

/// The content of the card.
#[component]
pub fn AfterEachLayer(sentence: Page) -> impl IntoView {
    let Some(place) = "lens".parse::<FigurePlace>().ok() else {
        return ().into_any();
    };
    let targets = move || {
        let names = |section: &LensSection| [&section.a, &section.b].map(|target| token_name(&target.text));
        let names = of_lens(sentence, names).unwrap_or_default();
        names
            .map(|name| view! { <th scope="col" class="value">{name}</th> })
            .into_view()
    };
    let row = |(index, layer): (usize, &LensLayer)| {
        let tokens = layer.tokens.iter().take(TOKENS);
        let tokens = tokens.map(|token| {
            let share = percent_in_short(token.logprob.exp());
            view! { <td><code>{visible(&token.text)}</code>" "<span class="soft">{share}</span></td> }
        });
        let of_targets = [layer.logprob_a, layer.logprob_b];
        let of_targets = of_targets.map(|value| view! { <td class="value">{number(f64::from(value), 2)}</td> });
        view! {
            <tr>
                <th scope="row">{lens_row(index)}</th>
                {tokens.collect_view()}
                {of_targets.into_view()}
            </tr>
        }
    };
    let rows = move || {
        of_lens(sentence, |section| {
            section.layers.iter().enumerate().map(row).collect_view()
        })
    };
    let explained = move || sentence.view.with(|view| place.explanation(view));
    view! {
        <p class="soft">{explained}</p>
        <p data-testid="lens-told">{move || of_lens(sentence, describe_lens)}</p>
        <div class="pairs" role="group" tabindex="0" aria-label="After each layer" data-testid="lens-layers">
            <table>
                <caption>"The likeliest tokens, and log-probabilities of both targets."</caption>
                <thead>
                    <tr>
                        <th scope="col">"after"</th>
                        <th scope="col" colspan=TOKENS.to_string()>"likeliest"</th>
                        {targets}
                    </tr>
                </thead>
                <tbody>{rows}</tbody>
            </table>
        </div>
        <div class="card-foot"><ExportMenu page=sentence figure=place /><DataTable page=sentence figure=place /></div>
    }
    .into_any()
}
