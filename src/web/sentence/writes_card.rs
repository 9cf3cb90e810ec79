//! The card with the head's output: the tokens whose logits it raises and lowers most.

use leptos::prelude::*;

use super::super::data_table::DataTable;
use super::super::export::ExportMenu;
use super::super::page::Page;
use super::super::segment::Segment;
use super::bars::Bars;
use super::shown::of_result;
use crate::analysis::pair::WritesSection;
use crate::figure::FigurePlace;
use crate::figure::consequence_words::{copies, valued};
use crate::figure::down_words::BarLine;
use crate::figure::sentence_words::percent;

/// The result of `read` on the shown section.
fn of_writes<T>(sentence: Page, read: impl FnOnce(&WritesSection) -> T) -> Option<T> {
    of_result(sentence, |result| result.writes().map(read)).flatten()
}

/// The content of the card.
#[component]
pub fn WhatItWrites(sentence: Page) -> impl IntoView {
    let Some(place) = "writes".parse::<FigurePlace>().ok() else {
        return ().into_any();
    };
    // Weighted by the attention, or per unit of attention.
    let as_it_is = RwSignal::new(false);
    let times = move |section: &WritesSection| if as_it_is.get() { section.attention } else { 1.0 };
    let raised = move || -> Vec<BarLine> {
        of_writes(sentence, |section| valued(&section.raised, times(section))).unwrap_or_default()
    };
    let lowered = move || -> Vec<BarLine> {
        of_writes(sentence, |section| valued(&section.lowered, times(section))).unwrap_or_default()
    };
    let share = move || of_writes(sentence, |section| percent(section.attention)).unwrap_or_default();
    let explained = move || sentence.view.with(|view| place.explanation(view));
    view! {
        <p class="soft">{explained}</p>
        <fieldset class="segments small">
            <legend class="visually-hidden">"How much of it"</legend>
            <Segment
                name="writes-times"
                value="unit"
                label=|| "Per unit of attention"
                chosen=Signal::derive(move || !as_it_is.get())
                choose=move || as_it_is.set(false)
            />
            <Segment
                name="writes-times"
                value="attention"
                label=move || view! { "Times the attention, " {share} }
                chosen=Signal::derive(move || as_it_is.get())
                choose=move || as_it_is.set(true)
            />
        </fieldset>
        <p data-testid="copies">{move || of_writes(sentence, |section| copies(section, times(section)))}</p>
        <div class="two">
            <div>
                <h4>"Raised most"</h4>
                <Bars lines=Signal::derive(raised) open=|_| () opened=Signal::stored(None) name="raised" />
            </div>
            <div>
                <h4>"Lowered most"</h4>
                <Bars lines=Signal::derive(lowered) open=|_| () opened=Signal::stored(None) name="lowered" />
            </div>
        </div>
        <div class="card-foot"><ExportMenu page=sentence figure=place /><DataTable page=sentence figure=place /></div>
    }
    .into_any()
}
