//! The card with substituted vectors: the score with other vectors in place of the head's inputs, beside the results of
//! a run over many prompts.

use leptos::prelude::*;

use super::super::data_table::DataTable;
use super::super::export::ExportMenu;
use super::super::figures::PlotCanvas;
use super::super::page::Page;
use super::super::segment::Segment;
use super::shown::{drawn, lacks, only_pick};
use crate::analysis::SubstitutedSection;
use crate::analysis::settings::EXACT_LN;
use crate::figure::FigurePlace;
use crate::figure::dots_words::{legend, own_words};
use crate::figure::sentence_words::word;
use crate::names::{HistogramId, Normalization, Side};
use crate::result::ResultFile;

/// The result of `read` on the shown section, with the whole result.
fn of_substituted<T>(sentence: Page, read: impl FnOnce(&ResultFile, &SubstitutedSection) -> T) -> Option<T> {
    sentence.shown.with(|shown| {
        let result = &shown.as_ref()?.result;
        Some(read(result, result.substituted()?))
    })
}

/// The text of the token at the end of the pair on `side`.
fn word_at(result: &ResultFile, section: &SubstitutedSection, side: Side) -> Option<String> {
    let position = match side {
        Side::Query => section.dest,
        Side::Key => section.src,
    };
    Some(word(&result.attention()?.texts, position))
}

/// The card with the dots.
#[component]
pub fn SubstitutionCard(page: Page, sentence: Page) -> impl IntoView {
    let Some(place) = "dots".parse::<FigurePlace>().ok() else {
        return ().into_any();
    };
    // The section arrives after the attention and the terms of the score: until then the previous one is shown faintly.
    let stale = move || {
        let same = of_substituted(sentence, |result, section| {
            let pair_of =
                |attention: &crate::analysis::AttentionSection| (attention.head, attention.dest, attention.src);
            result.attention().map(pair_of) == Some((section.head, section.dest, section.src))
        });
        same == Some(false)
    };
    let missing = lacks(sentence, |result| result.substituted().is_some());
    let whole = move || view! { <Dots page=page sentence=sentence place=place /> };
    view! {
        <section class="card" class:stale=stale data-testid="card-dots">
            <h2><span class="number">"3"</span>{place.heading()}</h2>
            {move || if missing.get() {
                view! {
                    <p class="soft" data-testid="dots-not-recorded">
                        "What the score would be with something else there is not recorded: a model computes it."
                    </p>
                }
                .into_any()
            } else {
                whole().into_any()
            }}
        </section>
    }
    .into_any()
}

/// The choices of side and values; the figure; a description of the original vector's position in it.
#[component]
fn Dots(page: Page, sentence: Page, place: FigurePlace) -> impl IntoView {
    let (plot, label) = drawn(sentence, place);
    let shown = Memo::new(move |_| page.view.with(|view| view.sentence.dots));
    let choose = move |side: Side, probs: bool| {
        page.view.update(|view| {
            view.sentence.dots = if probs {
                HistogramId::probs_of(side)
            } else {
                HistogramId::scores_of(side)
            };
        });
    };
    let side = move |choice: Side| {
        let label = move || {
            let word = of_substituted(sentence, |result, section| word_at(result, section, choice)).flatten();
            let name = match choice {
                Side::Query => "At the query",
                Side::Key => "At the key",
            };
            word.map_or_else(|| name.to_owned(), |word| format!("{name}: {word}"))
        };
        view! {
            <Segment
                name="dots-side"
                value=choice.as_str()
                label=move || view! { {label} }
                chosen=Signal::derive(move || shown.get().side() == choice)
                choose=move || choose(choice, shown.get_untracked().probs())
            />
        }
    };
    let values = move |value: &'static str, label: &'static str, probs: bool| {
        view! {
            <Segment
                name="dots-values"
                value=value
                label=move || label
                chosen=Signal::derive(move || shown.get().probs() == probs)
                choose=move || choose(shown.get_untracked().side(), probs)
            />
        }
    };
    let normalize = move |event| {
        let exact = event_target_checked(&event);
        page.ask_with(|question| question.normalization = Normalization::of(exact));
    };
    let description = move || {
        let histogram = sentence.view.with(|view| view.sentence.dots);
        of_substituted(sentence, |result, _| own_words(result, histogram).ok()).flatten()
    };
    view! {
        <p class="soft" data-testid="dots-legend">{move || of_substituted(sentence, |_, section| legend(section))}</p>
        <div class="switches">
            <fieldset class="segments small wraps">
                <legend class="visually-hidden">"Where something else is put"</legend>
                {side(Side::Query)}
                {side(Side::Key)}
            </fieldset>
            <fieldset class="segments small wraps">
                <legend class="visually-hidden">"Which values"</legend>
                {values("score", "Score", false)}
                {values("attention", "Attention", true)}
            </fieldset>
            <label class="check" title=EXACT_LN.about>
                <input
                    type="checkbox"
                    data-testid="dots-exact-ln"
                    prop:checked=move || page.question.with(|question| question.normalization.is_exact())
                    on:change=normalize
                />
                <span>"Exact LayerNorm"</span>
            </label>
        </div>
        <PlotCanvas page=sentence id=place.as_str() plot=plot label=label help=place.keys_help() actions=only_pick(|_| false) />
        <p class="soft" data-testid="dots-words">{description}</p>
        <div class="card-foot"><ExportMenu page=sentence figure=place /><DataTable page=sentence figure=place /></div>
    }
}
