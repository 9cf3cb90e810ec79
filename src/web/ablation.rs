//! The last step of the story: the effects of removing one head, as recorded and as computed by the chosen model.

use leptos::prelude::*;

use super::page::Page;
use super::sentence::HowFar;
use crate::analysis::HeadEffectsSection;
use crate::app::ablation::{AblationEffect, AblationRow, basis, description, lines};
use crate::app::form::ModelChoice;
use crate::app::steps::{Changed, ablation_words, most_changed};
use crate::quantities::number;

/// The result of `read` on the recorded effects of heads; None while they are not loaded.
fn of_recorded<T>(page: Page, read: impl FnOnce(&HeadEffectsSection) -> T) -> Option<T> {
    page.session
        .with(|session| session.effects()?.result.head_effects().map(read))
}

/// The result of `read` on the effects computed by the chosen model, and on that model's name.
fn of_live<T>(page: Page, read: impl FnOnce(&str, &HeadEffectsSection) -> T) -> Option<T> {
    page.session.with(|session| {
        let result = &session.ablation().found()?.result;
        Some(read(&result.model.name, result.head_effects()?))
    })
}

/// The effects of removing one head: the recorded ones, and a button that computes the same with the chosen model.
#[component]
pub fn AblationStep(
    page: Page,
    /// The links from here to the reader's own sentence.
    children: Children,
) -> impl IntoView {
    let words = move || of_recorded(page, ablation_words).flatten();
    let recorded =
        Memo::new(move |_| of_recorded(page, |section| changed(section, "the recorded GPT-2 small")).flatten());
    view! {
        <div class="step-columns">
            <div>
                <p class="step-words" data-testid="ablation-words">{words}</p>
                {children()}
            </div>
            <MostChanged name="most-changed" of=recorded />
        </div>
        <Live page=page />
    }
}

/// The button that computes the effects with the chosen model, and the answer beside the recording.
#[component]
fn Live(page: Page) -> impl IntoView {
    let busy = Memo::new(move |_| page.session.with(|session| session.ablation().request().is_active()));
    let error = Memo::new(move |_| {
        page.session
            .with(|session| session.ablation().request().error().map(ToString::to_string))
    });
    let progress = Signal::derive(move || {
        page.session
            .with(|session| session.ablation().request().progress().cloned())
    });
    let stop = Callback::new(move |()| page.stop_ablation());
    let label = move || match page.form.with(|form| form.model) {
        ModelChoice::Recorded | ModelChoice::Bundled => "Take a head out of the bundled model",
        ModelChoice::Hub | ModelChoice::Url | ModelChoice::Picked => "Take a head out of the chosen model",
    };
    let words = Memo::new(move |_| of_live(page, description).flatten());
    let live = Memo::new(move |_| of_live(page, |model, section| changed(section, model)).flatten());
    let table = move || {
        let live = of_live(page, |model, section| {
            Some((model.to_owned(), AblationEffect::of(section)?))
        })
        .flatten();
        let ((model, live), recorded) = (live?, of_recorded(page, AblationEffect::of).flatten()?);
        let line = |AblationRow { name, recorded, live }: AblationRow| {
            view! { <tr><th scope="row">{name}</th><td>{recorded}</td><td>{live}</td></tr> }
        };
        Some(view! {
            <table class="data-table" data-testid="lesson-numbers">
                <caption>"The recording beside the model at hand"</caption>
                <thead>
                    <tr><td></td><th scope="col">"GPT-2 small, recorded"</th><th scope="col">{format!("{model}, here")}</th></tr>
                </thead>
                <tbody>{lines(&recorded, &live).into_iter().map(line).collect_view()}</tbody>
            </table>
        })
    };
    view! {
        <div class="step-columns" data-testid="lesson">
            <div>
                <p class="soft">"The same, here: the head that adds most to this answer is taken out of a model on this device, and the rest computed again."</p>
                <div class="buttons-row">
                    <button type="button" data-testid="lesson-button" on:click=move |_| page.try_ablation()>{label}</button>
                </div>
                <HowFar busy=busy error=error progress=progress stop=stop name="lesson" />
                <p class="step-words" data-testid="lesson-words" aria-live="polite">{move || words.get()}</p>
                <MostChanged name="lesson-changed" of=live />
            </div>
            {table}
        </div>
    }
}

/// The heads whose output changes most: the removed head, a caption, one row for each head.
type MostChangedOf = (String, String, Vec<Changed>);

/// The heads that change most in `section`, which holds effects in `model`.
fn changed(section: &HeadEffectsSection, model: &str) -> Option<MostChangedOf> {
    let without = section.without.as_ref()?.head;
    let caption = format!(
        "Direct effects of the heads of {model} that change most, {}",
        basis(section.prompts.len())
    );
    Some((without.to_string(), caption, most_changed(section)))
}

#[component]
fn MostChanged(
    /// Value of `data-testid`.
    name: &'static str,
    of: Memo<Option<MostChangedOf>>,
) -> impl IntoView {
    let value = |value: f32| number(f64::from(value), 2);
    let row = move |changed: Changed| {
        view! {
            <tr>
                <th scope="row">{changed.head.to_string()}</th>
                <td>{value(changed.before)}</td>
                <td>{value(changed.after)}</td>
                <td>{value(changed.after - changed.before)}</td>
            </tr>
        }
    };
    move || {
        let (without, caption, changed) = of.get()?;
        Some(view! {
            <table class="data-table" data-testid=name>
                <caption>{caption}</caption>
                <thead>
                    <tr>
                        <th scope="col">"Head"</th><th scope="col">"As it is"</th>
                        <th scope="col">{format!("Without {without}")}</th><th scope="col">"Change"</th>
                    </tr>
                </thead>
                <tbody>{changed.into_iter().map(row).collect_view()}</tbody>
            </table>
        })
    }
}
