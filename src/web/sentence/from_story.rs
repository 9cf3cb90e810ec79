//! The links from a sentence back to the story, and on to many prompts.

use leptos::prelude::*;

use super::super::document;
use super::super::page::Page;
use crate::app::address::Tab;
use crate::app::form::PromptChoice;
use crate::app::steps::StoryStep;

/// The step of the story that was left for this sentence, with the previous and the next one.
#[component]
pub fn FromStory(page: Page) -> impl IntoView {
    let open = move |step: StoryStep| {
        page.open_story(step);
        if step == StoryStep::default() {
            document::to_top();
        }
    };
    let description = move |step: StoryStep| {
        let other = |step: StoryStep, before: bool, name: &'static str| {
            let label = if before {
                format!("\u{25c2} {} {}", step.number(), step.short())
            } else {
                format!("{} {} \u{25b8}", step.number(), step.short())
            };
            view! { <button type="button" data-testid=name on:click=move |_| open(step)>{label}</button> }
        };
        view! {
            <section class="card from-story" data-testid="from-story">
                <h2>{format!("From the story, step {} of {}: {}", step.number(), StoryStep::ALL.len(), step.heading())}</h2>
                <p class="soft">
                    "The story is this instrument on recorded numbers. Whatever you change here is yours; the story stays as it was."
                </p>
                <div class="buttons-row">
                    {step.previous().map(|before| other(before, true, "story-previous"))}
                    <button type="button" data-testid="story-back" on:click=move |_| open(step)>"Back to this step"</button>
                    {step.next().map(|after| other(after, false, "story-next"))}
                </div>
            </section>
        }
    };
    move || page.step.get().map(description)
}

/// A link from one sentence to a run over many prompts.
#[component]
pub fn OnManyPrompts(page: Page) -> impl IntoView {
    let own = move |_| {
        page.open_tab(Tab::Prompts);
        page.choose_prompts(PromptChoice::Own);
        page.controls_open.set(true);
    };
    view! {
        <section class="card" data-testid="on-many-prompts">
            <h2>"Does it hold on many prompts?"</h2>
            <p class="soft">
                "One sentence is one case. Histograms show a head on many: with the keys fixed, with the queries fixed, after softmax; split by what \
                 the prompts are."
            </p>
            <div class="buttons-row">
                <button type="button" on:click=move |_| page.open_tab(Tab::Prompts)>"The IOI prompts"</button>
                <button type="button" on:click=own>"Paste a list\u{2026}"</button>
            </div>
        </section>
    }
}
