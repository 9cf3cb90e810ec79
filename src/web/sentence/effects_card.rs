//! The card with direct effects on the logit difference: the map of all components, their sum beside the difference,
//! and the head's own effect by source token.

use leptos::prelude::*;

use super::super::data_table::DataTable;
use super::super::export::ExportMenu;
use super::super::figures::PlotCanvas;
use super::super::page::Page;
use super::bars::Bars;
use super::shown::{drawn, of_result, only_pick};
use crate::analysis::pair::EffectsSection;
use crate::figure::consequence_words::{by_source, effects_sum, head_effect, largest};
use crate::figure::{FigurePlace, Measure};

/// Source tokens with a bar of their own.
const BARS: usize = 10;

/// The result of `read` on the shown section, with the tokens' texts.
fn of_effects<T>(sentence: Page, read: impl FnOnce(&EffectsSection, &[String]) -> T) -> Option<T> {
    let read = |result: &crate::result::ResultFile| Some(read(result.effects()?, &result.attention()?.texts));
    of_result(sentence, read).flatten()
}

/// The content of the card.
#[component]
pub fn DirectEffects(page: Page, sentence: Page) -> impl IntoView {
    let Some(place) = "effects".parse::<FigurePlace>().ok() else {
        return ().into_any();
    };
    let (plot, label) = drawn(sentence, place);
    let sources = move || {
        let lines = of_effects(sentence, |section, texts| largest(by_source(section, texts), BARS));
        lines.unwrap_or_default()
    };
    let explained = move || sentence.view.with(|view| place.explanation(view));
    let on_map = move |_| page.view.update(|view| view.sentence.measure = Measure::DirectEffect);
    view! {
        <p class="soft">{explained}</p>
        <p data-testid="effects-sum">{move || of_effects(sentence, |section, _| effects_sum(section))}</p>
        <PlotCanvas page=sentence id=place.as_str() plot=plot label=label help=place.keys_help() actions=only_pick(|_| false) />
        <button type="button" class="quiet" data-testid="effects-on-map" on:click=on_map>"Show it on the map of heads"</button>
        <p class="soft" data-testid="head-effect">{move || of_effects(sentence, head_effect)}</p>
        <Bars lines=Signal::derive(sources) open=|_| () opened=Signal::stored(None) name="effect-sources" />
        <div class="card-foot"><ExportMenu page=sentence figure=place /><DataTable page=sentence figure=place /></div>
    }
    .into_any()
}
