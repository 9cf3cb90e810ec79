//! Which head: the map of all of them, and the whole pattern of the chosen one.

use leptos::prelude::*;

use super::super::data_table::DataTable;
use super::super::export::ExportMenu;
use super::super::figures::PlotCanvas;
use super::super::page::Page;
use super::shown::{drawn, of_attention, only_pick};
use crate::figure::{FigurePlace, Measure};
use crate::names::Head;
use crate::plot::Target;

/// The card with the map of heads.
#[component]
pub fn HeadMap(page: Page, sentence: Page) -> impl IntoView {
    let Some(place) = "heads".parse::<FigurePlace>().ok() else {
        return ().into_any();
    };
    let (plot, label) = drawn(sentence, place);
    let measure = Memo::new(move |_| page.view.with(|view| view.sentence.measure));
    let option = move |choice: Measure| {
        view! {
            <label>
                <input
                    type="radio"
                    name="measure"
                    class="visually-hidden"
                    value=choice.value()
                    data-testid=format!("measure-{}", choice.value())
                    prop:checked=move || measure.get() == choice
                    on:change=move |_| page.view.update(|view| view.sentence.measure = choice)
                />
                <span>{choice.value()}</span>
            </label>
        }
    };
    let pick = only_pick(move |target| {
        let Target::Cell(layer, head) = target else {
            return false;
        };
        page.ask_with(|question| {
            let head = Head::new(layer, head);
            if question.head != Some(head) {
                (question.head, question.src) = (Some(head), None);
            }
        });
        true
    });
    let told = move || page.settled.with(|view| place.explanation(view));
    let chosen = move || of_attention(sentence, |section| section.head.to_string());
    view! {
        <section class="card" data-testid="card-heads">
            <h2>"Which head? "<b class="chosen" data-testid="chosen-head">{chosen}</b></h2>
            <p class="soft">{told}</p>
            <fieldset class="segments small">
                <legend class="visually-hidden">"What the map shows"</legend>
                {Measure::ALL.map(option).collect_view()}
            </fieldset>
            <PlotCanvas page=sentence id=place.as_str() plot=plot label=label help=place.keys_help() actions=pick />
            <div class="card-foot"><ExportMenu page=sentence figure=place /><DataTable page=sentence figure=place /></div>
        </section>
    }
    .into_any()
}

/// The card with the pattern of the chosen head.
#[component]
pub fn WholePattern(page: Page, sentence: Page) -> impl IntoView {
    let Some(place) = "pattern".parse::<FigurePlace>().ok() else {
        return ().into_any();
    };
    let (plot, label) = drawn(sentence, place);
    let pick = only_pick(move |target| {
        let Target::Cell(dest, src) = target else { return false };
        page.ask_with(|question| (question.dest, question.src) = (Some(dest), Some(src)));
        true
    });
    view! {
        <section class="card" data-testid="card-pattern">
            <h2>{place.heading()}</h2>
            <PlotCanvas page=sentence id=place.as_str() plot=plot label=label help=place.keys_help() actions=pick />
            <div class="card-foot"><ExportMenu page=sentence figure=place /><DataTable page=sentence figure=place /></div>
        </section>
    }
    .into_any()
}
