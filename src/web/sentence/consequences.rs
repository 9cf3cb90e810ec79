//! The consequences of the attention: cards about the head's output, each of which is computed once it is opened.

use leptos::prelude::*;

use super::super::data_table::is_open;
use super::super::page::Page;
use super::direction_card::DirectionsOfHead;
use super::effects_card::DirectEffects;
use super::lens_card::AfterEachLayer;
use super::shown::{lacks, of_result};
use super::targets::Targets;
use super::writes_card::WhatItWrites;
use crate::app::consequences::Consequence;
use crate::result::ResultFile;

/// Whether `result` has the section of `part`.
fn has(part: Consequence, result: &ResultFile) -> bool {
    match part {
        Consequence::Writes => result.writes().is_some(),
        Consequence::Effects => result.effects().is_some(),
        Consequence::Lens => result.lens().is_some(),
        Consequence::Directions => result.directions().is_some(),
    }
}

/// Whether the section of `part` belongs to a pair other than the shown one, because the new one is still being
/// computed.
fn is_stale(part: Consequence, result: &ResultFile) -> Option<bool> {
    let attention = result.attention()?;
    let (head, dest, src) = (attention.head, attention.dest, attention.src);
    Some(match part {
        Consequence::Writes => {
            result
                .writes()
                .map(|section| (section.head, section.dest, section.src))?
                != (head, dest, src)
        }
        Consequence::Effects => result.effects().map(|section| (section.head, section.dest))? != (head, dest),
        Consequence::Lens => result.lens()?.dest != dest,
        Consequence::Directions => {
            let section = result.directions()?;
            let relative = result.pair().map(|pair| pair.relative);
            (section.head, section.dest, section.src) != (head, dest, src) || Some(section.relative) != relative
        }
    })
}

/// The cards, and the two target tokens whose logits are compared.
#[component]
pub fn Consequences(page: Page, sentence: Page) -> impl IntoView {
    let about_targets = Memo::new(move |_| page.question.with(|question| question.effects || question.lens));
    view! {
        <section class="consequences" aria-labelledby="so-what-heading" data-testid="so-what">
            <div class="consequences-head">
                <h2 id="so-what-heading">"So what?"</h2>
                <p class="soft">"What the head does with what it reads. Each is computed once it is opened."</p>
            </div>
            <Show when=move || about_targets.get()>
                <Targets page=page sentence=sentence />
            </Show>
            <div class="consequences-cards">
                {Consequence::ALL.map(|part| view! { <Part page=page sentence=sentence part=part /> })}
            </div>
        </section>
    }
}

/// One card.
#[component]
fn Part(page: Page, sentence: Page, part: Consequence) -> impl IntoView {
    let open = Memo::new(move |_| page.question.with(|question| part.is_open(question)));
    let toggled = move |event| {
        let now = is_open(&event);
        if now == open.get_untracked() {
            return;
        }
        if now {
            page.ask_with(|question| part.open(question, true))
        } else {
            page.question.update(|question| part.open(question, false))
        }
    };
    let recorded = lacks(sentence, move |result| has(part, result));
    let there = Memo::new(move |_| of_result(sentence, |result| has(part, result)) == Some(true));
    let stale = move || of_result(sentence, |result| is_stale(part, result)).flatten() == Some(true);
    let content = move || match part {
        Consequence::Writes => view! { <WhatItWrites sentence=sentence /> }.into_any(),
        Consequence::Effects => view! { <DirectEffects page=page sentence=sentence /> }.into_any(),
        Consequence::Lens => view! { <AfterEachLayer sentence=sentence /> }.into_any(),
        Consequence::Directions => view! { <DirectionsOfHead page=page sentence=sentence /> }.into_any(),
    };
    view! {
        <details class="card" class:stale=stale open=move || open.get() on:toggle=toggled data-testid=format!("card-{}", part.value())>
            <summary data-testid=format!("open-{}", part.value())><h3>{part.label()}</h3></summary>
            <Show when=move || open.get() && there.get()>{content}</Show>
            <Show when=move || open.get() && recorded.get()>
                <p class="soft" data-testid=format!("{}-not-recorded", part.value())>
                    "This is not recorded: a model computes it."
                </p>
            </Show>
        </details>
    }
}
