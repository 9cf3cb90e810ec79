//! The text between the figures: descriptions computed from the data, and a glossary of terms.

use std::cell::Cell;

use leptos::prelude::*;

use super::page::Page;
use super::permalink;
use crate::analysis::settings::{EARLIER_HEAD, HEAD};
use crate::app::address::{Address, Model};
use crate::app::glossary::{TERMS, find};
use crate::app::story;
use crate::figure::{Controls, FigurePlace};
use crate::names::{Column, HistogramId, SeriesId};
use crate::result::{Compare, Evidence, Pair, ResultFile};

/// A term that opens its definition when it is clicked.
#[component]
pub fn Term(
    /// The key in the glossary.
    id: &'static str,
    /// The text in the sentence, where it is another form of the term.
    #[prop(optional)]
    text: &'static str,
) -> impl IntoView {
    let word = if text.is_empty() {
        find(id).map_or(id, |term| term.word)
    } else {
        text
    };
    view! { <button type="button" class="term" popovertarget=format!("term-{id}")>{word}</button> }
}

/// The definitions: as popovers beside the text, and as a list.
#[component]
pub fn Glossary() -> impl IntoView {
    view! {
        <details class="how-to" data-testid="glossary">
            <summary>"What the words mean"</summary>
            <dl class="glossary">
                {TERMS.map(|term| view! { <div><dt>{term.word}</dt><dd>{term.meaning}</dd></div> }).collect_view()}
            </dl>
        </details>
    }
}

/// The popovers that [`Term`] opens.
#[component]
pub fn Meanings() -> impl IntoView {
    TERMS
        .map(|term| {
            view! {
                <div id=format!("term-{}", term.id) class="meaning" popover="auto" role="note">
                    <p><b>{term.word}</b> " " {term.meaning}</p>
                </div>
            }
        })
        .collect_view()
}

/// Shows `children` unless the reader has hidden the text.
#[component]
pub fn Text(page: Page, children: ChildrenFn) -> impl IntoView {
    let hidden = Memo::new(move |_| page.view.with(|view| view.text_hidden));
    view! { <Show when=move || !hidden.get()>{children()}</Show> }
}

/// Sentences, and whether some of the comparisons that they need are not finished.
type Sentences = (Vec<String>, bool);

/// The sentences of `tell` on the shown result, with the comparisons that are finished.
fn description(page: Page, tell: impl FnOnce(&ResultFile, &Compare<'_>) -> Vec<String>) -> Option<Sentences> {
    page.shown.with(|shown| {
        let shown = shown.as_ref()?;
        let (known, pending) = (page.comparisons.of(shown), Cell::new(false));
        let compare = |pair: &Pair| {
            let evidence = known(pair);
            pending.set(pending.get() || evidence == Evidence::Pending);
            evidence
        };
        let sentences = tell(&shown.result, &compare);
        Some((sentences, pending.get()))
    })
}

/// A paragraph of sentences that is updated when they change. While comparisons are pending it keeps the height that it
/// has for the recorded run, so that the content below does not move.
fn paragraph(name: String, description: impl Fn() -> Option<Sentences> + Send + Sync + 'static) -> impl IntoView {
    let description = Memo::new(move |_| description().unwrap_or_default());
    view! {
        <p class=format!("seen of-{name}") class:pending=move || description.with(|(_, pending)| *pending) data-testid=format!("story-{name}")>
            {move || description.with(|(sentences, _)| sentences.join(" "))}
        </p>
    }
}

/// The introduction: the quantity to explain, with its values.
#[component]
pub fn Question(page: Page) -> impl IntoView {
    let sentences = move || description(page, |result, compare| vec![story::question(result, compare)]);
    paragraph("question".into(), sentences)
}

/// The description of the figure at `place`.
#[component]
pub fn Seen(page: Page, place: FigurePlace) -> impl IntoView {
    match place.controls() {
        Controls::Histogram(name) => view! { <SeenBars page=page place=place name=name /> }.into_any(),
        Controls::Heatmap => view! { <SeenCells page=page place=place /> }.into_any(),
        Controls::Scatter => ().into_any(),
        Controls::Plain => view! { <PlainDescription page=page place=place /> }.into_any(),
    }
}

#[component]
fn SeenBars(page: Page, place: FigurePlace, name: HistogramId) -> impl IntoView {
    let sentences = move || {
        description(page, |result, compare| {
            page.view.with(|view| story::histogram(result, name, view, compare))
        })
    };
    view! {
        <Text page=page>{paragraph(place.to_string(), sentences)}</Text>
    }
}

#[component]
fn SeenCells(page: Page, place: FigurePlace) -> impl IntoView {
    let sentences = move || {
        description(page, |result, _| {
            page.view
                .with(|view| story::heatmap(result, &view.heatmap, view.prompt))
        })
    };
    view! {
        <Text page=page>{paragraph(place.to_string(), sentences)}</Text>
    }
}

/// The description of a figure that needs no comparison.
#[component]
fn PlainDescription(page: Page, place: FigurePlace) -> impl IntoView {
    let sentences = Memo::new(move |_| {
        let sentences = page.shown.with(|shown| {
            let result = &shown.as_ref()?.result;
            Some(page.view.with(|view| place.description(result, view)))
        });
        sentences.unwrap_or_default()
    });
    let paragraph = move || {
        let text = sentences.with(|sentences| sentences.join(" "));
        (!text.is_empty()).then(|| view! { <p class="seen" data-testid=format!("story-{place}")>{text}</p> })
    };
    view! { <Text page=page>{paragraph}</Text> }
}

/// The conclusion about both sides, with links to further runs.
#[component]
pub fn Ending(page: Page) -> impl IntoView {
    let sentences = move || description(page, story::ending);
    view! {
        <Text page=page>
            <section class="ending" aria-labelledby="next">
                <h2 id="next">"What next?"</h2>
                {paragraph("ending".into(), sentences)}
                <p>
                    "One head is one case. Do others ask for the same: the other "<Term id="negative" text="negative name mover" />", or a "
                    <Term id="mover" />" that writes the name? Does it hold in larger models, and with other prompts?"
                </p>
                <ul class="next">
                    <li><Next page=page address=bundled() text="Run a tiny model" />" here, at once: 1.6 million weights, with a head that finds IO by what the names do, an induction head, and others worth a look."</li>
                    <li><Next page=page address=gpt2("11.10") text="Head 11.10 of GPT-2 small" />", the other negative name mover."</li>
                    <li><Next page=page address=gpt2("9.9") text="Head 9.9 of GPT-2 small" />", which moves the name to the output."</li>
                    <li>"Or choose a model, a head and prompts under \u{201c}Controls\u{201d}."</li>
                </ul>
            </section>
        </Text>
    }
}

fn bundled() -> Address {
    Address {
        model: Model::Bundled,
        ..Address::default()
    }
}

fn gpt2(head: &str) -> Address {
    let earlier = if head == "9.9" { "8.10" } else { "9.9" };
    Address {
        model: Model::Hub {
            name: "gpt2".into(),
            revision: String::new(),
        },
        settings: [(HEAD.key, head.to_owned()), (EARLIER_HEAD.key, earlier.to_owned())].into(),
        ..Address::default()
    }
}

/// A link to another run. It keeps the theme and the visible text, but not the zoom or the hidden series of this run.
#[component]
fn Next(page: Page, address: Address, text: &'static str) -> impl IntoView {
    let href = format!("?{}", address.to_query());
    let go = move |event: leptos::ev::MouseEvent| {
        if event.ctrl_key() || event.meta_key() || event.shift_key() {
            return;
        }
        event.prevent_default();
        let mut address = address.clone();
        address.view.appearance = page.view.with_untracked(|view| view.appearance);
        permalink::go(page, &address);
        super::document::to_top();
    };
    view! { <a href=href on:click=go>{text}</a> }
}

/// The explanation of how to read histograms, boxes, legends and the heatmap.
#[component]
pub fn HowToRead() -> impl IntoView {
    view! {
        <details class="how-to">
            <summary>"How to read the plots"</summary>
            <ul>
                <li>
                    <b>"Histograms. "</b>
                    "Every prompt gives one value per colour. A colour is one vector put in the place of what the head really \
                     reads; "<code>{SeriesId::NoPatching.to_string()}</code>" is the real one. If another colour lies as far right, that vector alone is enough for the head\u{2019}s attention."
                </li>
                <li>
                    <b>"Boxes. "</b>
                    "Above the bars, each colour has a box from the first to the third quartile, notched at the median; whiskers reach \
                     1.5 times the box\u{2019}s length, dots lie beyond."
                </li>
                <li>
                    <b>"Legend. "</b>
                    "Click an entry to show or hide it; rest the pointer on it to read what the vector is. Point at bars, boxes and cells for their numbers."
                </li>
                <li>
                    <b>"Heatmap. "</b>
                    "Rows are layers, columns are heads, the MLP and the attention output bias "<code>{Column::AttentionBias.to_string()}</code>
                    ". All cells together give the mean score."
                </li>
            </ul>
        </details>
    }
}
