//! The values of a heatmap's cell by prompt, and the picked prompt.

use leptos::prelude::*;

use super::super::page::Page;
use super::canvas::PlotCanvas;
use super::explorer::Actions;
use crate::app::figure_words::{self, STRIP_KEYS};
use crate::plot::{Plot, StripPlot, Target};

/// The strip under the heatmap: a dot per prompt for the cell at `place`, which is pointed at or picked.
#[component]
pub fn Prompts(page: Page, place: Memo<Option<(usize, usize)>>) -> impl IntoView {
    let strip = Memo::new(move |_| {
        let place = place.get()?;
        page.shown.with(|shown| {
            let result = &shown.as_ref()?.result;
            page.view
                .with(|view| StripPlot::of_result(result, &view.heatmap, place, view.prompt))
        })
    });
    let has_strip = Memo::new(move |_| strip.with(Option::is_some));
    // How many prompts the heatmap has values of; None where there is none to be asked.
    let prompts = Memo::new(move |_| {
        page.shown.with(|shown| {
            let result = &shown.as_ref()?.result;
            let heatmap = page.view.with(|view| result.heatmap(&view.heatmap.name))?;
            Some(
                heatmap
                    .per_prompt
                    .as_ref()
                    .and_then(|array| array.shape().first().copied()),
            )
        })
    });
    let drawn = Signal::derive(move || strip.get().map(Plot::from));
    let label = Signal::derive(move || {
        strip.with(|strip| {
            let strip = strip.as_ref();
            strip.map_or_else(String::new, |strip| {
                format!(
                    "{}, {} dots. Mean {:.4}.",
                    strip.x_label,
                    strip.values.len(),
                    strip.mean
                )
            })
        })
    });
    let actions = Actions {
        zoom: Callback::new(|_| ()),
        pick: Callback::new(move |target| pick_prompt(page, target)),
        reset: Callback::new(|()| ()),
    };
    let words = move || prompts.get().map(figure_words::no_cell);
    view! {
        <section class="prompts" aria-label="Prompt by prompt" data-testid="prompts">
            <Show when=move || has_strip.get()>
                <PlotCanvas page=page id="prompts" plot=drawn label=label help=STRIP_KEYS actions=actions />
            </Show>
            // As high as the strip, so that nothing jumps when a cell is pointed at.
            <p class="no-cell" class:tall=move || prompts.get().flatten().is_some() class:absent=move || has_strip.get()>
                {words}
            </p>
            <PickPrompt page=page />
        </section>
    }
}

/// Picks the prompt whose dot `target` is; picked again, it is let go. False where it is no prompt's.
pub fn pick_prompt(page: Page, target: Target) -> bool {
    let Target::Dot(prompt) = target else { return false };
    page.view.update(|view| {
        view.prompt = Some(prompt).filter(|prompt| view.prompt != Some(*prompt));
    });
    true
}

/// A field to pick a prompt by its number.
#[component]
fn PickPrompt(page: Page) -> impl IntoView {
    let count = Memo::new(move |_| {
        page.shown.with(|shown| {
            shown
                .as_ref()
                .map_or(0, |shown| figure_words::prompt_count(&shown.result))
        })
    });
    let number = move || {
        page.view
            .with(|view| view.prompt.map_or_else(String::new, |prompt| (prompt + 1).to_string()))
    };
    let pick = move |text: String| {
        let number = text
            .trim()
            .parse::<usize>()
            .ok()
            .and_then(|number| number.checked_sub(1));
        let prompt = number.filter(|prompt| *prompt < count.get_untracked());
        page.view.update(|view| view.prompt = prompt);
    };
    view! {
        <div class="pick-prompt">
            <label class="tool">
                <span>"Mark prompt"</span>
                <input
                    type="number"
                    inputmode="numeric"
                    min="1"
                    max=move || count.get().to_string()
                    placeholder="none"
                    data-testid="prompt-number"
                    prop:value=number
                    on:change=move |event| pick(event_target_value(&event))
                />
            </label>
            <PickedPrompt page=page />
        </div>
    }
}

/// The prompt that is picked, and the way back.
#[component]
pub fn PickedPrompt(page: Page) -> impl IntoView {
    let picked = Memo::new(move |_| {
        let prompt = page.view.with(|view| view.prompt)?;
        page.shown.with(|shown| {
            let result = &shown.as_ref()?.result;
            (prompt < figure_words::prompt_count(result)).then(|| figure_words::picked_prompt(result, prompt))
        })
    });
    move || {
        picked.get().map(|(number, text)| {
            view! {
                <p class="picked-prompt" data-testid="picked-prompt">
                    <b>{number}</b>
                    <span>{text.map(|text| format!("\u{201c}{text}\u{201d}"))}</span>
                    <button type="button" class="tool" on:click=move |_| page.view.update(|view| view.prompt = None)>
                        "Unmark"
                    </button>
                </p>
            }
        })
    }
}
