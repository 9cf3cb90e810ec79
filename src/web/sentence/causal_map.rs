//! The causal map: each component of a side is removed in turn; the recomputed score beside the linear
//! prediction.

use leptos::prelude::*;

use super::super::data_table::DataTable;
use super::super::export::ExportMenu;
use super::super::figures::PlotCanvas;
use super::super::method_link::MethodLink;
use super::super::page::Page;
use super::super::segment::Segment;
use super::shown::{drawn, only_pick};
use super::trials::{TrialProgress, of_causal};
use crate::app::method::MethodSection;
use crate::app::trials::{Trial, TrialKind};
use crate::figure::FigurePlace;
use crate::figure::causal_words::{agreement, known, measure_name, worst};
use crate::names::{Measure, Side};
use crate::quantities::counted;

/// The button, both maps, and how well they agree.
#[component]
pub fn CausalMap(page: Page, sentence: Page) -> impl IntoView {
    let whole = Memo::new(move |_| of_causal(sentence, |section| section.is_whole()));
    let label = move || match whole.get() {
        None => "Take every component out in turn",
        Some(false) => "Go through the others, too",
        Some(true) => "Once more",
    };
    view! {
        <div class="causal-map">
            <h3>"Causal map"</h3>
            <p class="soft">
                "Each component of the query and of the key taken out by itself, and the model recomputed: beside the linear prediction."
            </p>
            <button
                type="button"
                data-testid="causal-button"
                on:click=move |_| page.attempt(Trial::CausalMap)
            >{label}</button>
            <TrialProgress page=page kind=TrialKind::CausalMap name="causal" />
            <Show when=move || whole.with(Option::is_some)>
                <Maps page=page sentence=sentence />
            </Show>
        </div>
    }
}

/// Both maps of one side, with a description of both sides.
#[component]
fn Maps(page: Page, sentence: Page) -> impl IntoView {
    let (Ok(recomputed), Ok(predicted)) = (
        "causal".parse::<FigurePlace>(),
        "causal_predicted".parse::<FigurePlace>(),
    ) else {
        return ().into_any();
    };
    let shown = Memo::new(move |_| page.view.with(|view| (view.sentence.causal, view.sentence.causal_side)));
    let measure = move |choice: Measure| {
        view! {
            <Segment
                name="causal-measure"
                value=choice.as_str()
                label=move || measure_name(choice)
                chosen=Signal::derive(move || shown.get().0 == choice)
                choose=move || page.view.update(|view| view.sentence.causal = choice)
            />
        }
    };
    let side = move |choice: Side| {
        view! {
            <Segment
                name="causal-side"
                value=choice.as_str()
                label=move || format!("out of the {choice}")
                chosen=Signal::derive(move || shown.get().1 == choice)
                choose=move || page.view.update(|view| view.sentence.causal_side = choice)
            />
        }
    };
    let chosen = Memo::new(move |_| sentence.view.with(|view| view.sentence.causal));
    let agreed = move || of_causal(sentence, |section| agreement(section, chosen.get()));
    let differing = Memo::new(move |_| of_causal(sentence, |section| worst(section, chosen.get())).unwrap_or_default());
    let so_far = move || {
        of_causal(sentence, |section| {
            let (all, cells) = known(section);
            format!("{} of {} recomputed.", cells, counted(all, "cell", "cells"))
        })
    };
    let map = move |place: FigurePlace, title: &'static str| {
        let (plot, label) = drawn(sentence, place);
        view! {
            <div>
                <h4>{title}</h4>
                <PlotCanvas page=sentence id=place.as_str() plot=plot label=label help=place.keys_help() actions=only_pick(|_| false) />
                <div class="card-foot"><ExportMenu page=sentence figure=place /><DataTable page=sentence figure=place /></div>
            </div>
        }
    };
    view! {
        <div class="switches">
            <fieldset class="segments small">
                <legend class="visually-hidden">"Which change"</legend>
                {Measure::ALL.map(measure).collect_view()}
            </fieldset>
            <fieldset class="segments small">
                <legend class="visually-hidden">"Where components are taken out"</legend>
                {Side::ALL.map(side).collect_view()}
            </fieldset>
        </div>
        <p class="soft" data-testid="causal-known">{so_far}</p>
        <div class="two-maps">
            {map(recomputed, "Recomputed")}
            {map(predicted, "Linear prediction")}
        </div>
        <p class="soft"><MethodLink page=sentence section=MethodSection::Frozen words="What is frozen for the prediction?" /></p>
        <p data-testid="causal-agreement">{agreed}</p>
        <Show when=move || differing.with(|differing| !differing.is_empty())>
            <h4>"Where they differ most"</h4>
            <ol class="worst" data-testid="causal-worst">
                {move || differing.get().into_iter().map(|words| view! { <li>{words}</li> }).collect_view()}
            </ol>
        </Show>
    }
    .into_any()
}
