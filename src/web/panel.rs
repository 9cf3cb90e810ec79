//! The panel with the controls: model, head, number of prompts; run and cancel buttons, progress, messages.

use leptos::prelude::*;
use web_sys::SubmitEvent;

use super::controls::Settings;
use super::document;
use super::files::Files;
use super::models::{ModelOrigin, StoredModels};
use super::own_prompts::{OwnPrompts, PromptField};
use super::page::{CONTROLS_TOGGLE, Page};
use crate::analysis::settings::{Group, HEAD, INTERVENTION};
use crate::app::download;
use crate::app::form::{Form, ModelChoice, PromptChoice};
use crate::app::library;
use crate::app::session::{self, Run, Session, WorkerState};
use crate::app::words;

/// The panel beside the figures.
#[component]
pub fn Panel(page: Page) -> impl IntoView {
    let model = Memo::new(move |_| page.form.with(|form| form.model));
    let prompts = Memo::new(move |_| page.form.with(|form| form.prompts));
    let active = Memo::new(move |_| page.session.with(|session| session.run().is_active()));
    let below = Memo::new(move |_| matches!(model.get(), ModelChoice::Hub | ModelChoice::Url));
    let locked = move || active.get() || model.get() == ModelChoice::Recorded;
    let submit = move |event: SubmitEvent| {
        event.prevent_default();
        page.run();
    };
    let open = page.controls_open;
    let intervenes = page.form.with_untracked(|form| !form.text(&INTERVENTION).is_empty());
    view! {
        <aside class="panel" class:open=move || open.get() aria-label="Controls">
            <Fold page=page model=model />
            <div class="controls" id="controls">
                <form on:submit=submit novalidate>
                    <ModelField page=page model=model active=active />
                    <Show when=move || !below.get()>
                        <About page=page model=model />
                    </Show>
                    <PromptField page=page active=active />
                    <fieldset class="settings" class:recorded=move || model.get() == ModelChoice::Recorded disabled=locked>
                        <legend class="visually-hidden">"Settings of the run"</legend>
                        <div class="pair"><Settings page=page groups=&[Group::Heads] /></div>
                        <Presets page=page model=model />
                        {move || match prompts.get() {
                            PromptChoice::Ioi => view! {
                                <div class="triple"><Settings page=page groups=&[Group::Prompts, Group::Ioi] /></div>
                                <p class="about" data-testid="prompt-count">{move || page.form.with(Form::prompt_count_text)}</p>
                            }.into_any(),
                            PromptChoice::Own => view! {
                                <OwnPrompts page=page active=active />
                                <div class="triple"><Settings page=page groups=&[Group::Prompts, Group::Text] /></div>
                            }.into_any(),
                        }}
                        <details class="models" data-testid="intervention-panel" open=intervenes>
                            <summary>"Intervene in every prompt"</summary>
                            <p class="about">"Takes each prompt through the whole model twice: as it is, and with something put in another\u{2019}s place."</p>
                            <Settings page=page groups=&[Group::Intervention] />
                        </details>
                        <Settings page=page groups=&[Group::More] />
                        <details class="models" data-testid="weights-panel">
                            <summary>"Weight processing, normalization, engine"</summary>
                            <Settings page=page groups=&[Group::Weights, Group::Vectors, Group::Engine] />
                        </details>
                    </fieldset>
                    <Buttons page=page model=model active=active />
                </form>
                // Below the button, so that the button does not move between a press and its release.
                <Show when=move || below.get()>
                    <About page=page model=model />
                </Show>
            </div>
            <Message page=page />
            <Status page=page />
            <NoticeLines page=page />
            <div class="controls">
                <StoredModels page=page active=active />
                <Files page=page />
            </div>
        </aside>
    }
}

/// The button that folds the controls in a narrow window.
#[component]
fn Fold(page: Page, model: Memo<ModelChoice>) -> impl IntoView {
    let open = page.controls_open;
    view! {
        <button
            type="button"
            class="fold"
            id=CONTROLS_TOGGLE
            data-testid=CONTROLS_TOGGLE
            aria-expanded=move || open.get().to_string()
            aria-controls="controls"
            on:click=move |_| open.update(|open| *open = !*open)
        >
            <span>{move || model.get().label()}</span>
            <b>{move || if open.get() { "Close" } else { "Change" }}</b>
        </button>
    }
}

#[component]
fn ModelField(page: Page, model: Memo<ModelChoice>, active: Memo<bool>) -> impl IntoView {
    let choose = move |event| {
        if let Some(model) = ModelChoice::of_value(&event_target_value(&event)) {
            page.choose(model);
        }
    };
    let option = |choice: ModelChoice| view! { <option value=choice.value()>{choice.label()}</option> };
    view! {
        <div class="field">
            <label for="model-select">"Model"</label>
            <select
                id="model-select"
                data-testid="model-select"
                prop:value=move || model.get().value()
                disabled=move || active.get()
                on:change=choose
            >
                {ModelChoice::ALL.map(option).collect_view()}
            </select>
        </div>
        <ModelOrigin page=page active=active />
    }
}

/// The choice of the model as a fold, whose summary is the model's name.
#[component]
pub fn ModelMenu(page: Page) -> impl IntoView {
    let model = Memo::new(move |_| page.form.with(|form| form.model));
    let active = Memo::new(move |_| page.session.with(|session| session.run().is_active()));
    let chip = Memo::new(move |_| {
        let url = page.tracked_url();
        page.session.with(|session| {
            page.form
                .with(|form| library::chip(form, url.as_deref(), session.library()))
        })
    });
    // After an answer, more of the model may be stored.
    Effect::new(move |before: Option<bool>| {
        let asking = page
            .session
            .with(|session| session.question_state().request().is_active());
        if before == Some(true) && !asking && matches!(model.get_untracked(), ModelChoice::Hub | ModelChoice::Url) {
            page.list_stored();
        }
        asking
    });
    // The question stays when another model is chosen, and is asked again.
    Effect::new(move |before: Option<Option<String>>| {
        let url = page.tracked_url();
        if before.is_some_and(|before| before != url) {
            page.ask();
        }
        url
    });
    view! {
        <details class="model-menu" data-testid="model-menu">
            <summary><b>{move || chip.with(|(name, _)| name.clone())}</b><small>{move || chip.with(|(_, state)| state.clone())}</small></summary>
            <div class="controls">
                <ModelField page=page model=model active=active />
                <About page=page model=model />
                <StoredModels page=page active=active />
                <Files page=page />
            </div>
        </details>
    }
}

/// The description of the chosen model.
#[component]
fn About(page: Page, model: Memo<ModelChoice>) -> impl IntoView {
    let url = Memo::new(move |_| page.tracked_url().unwrap_or_default());
    let about = move || match model.get() {
        ModelChoice::Recorded => {
            "Real GPT-2 small, as the notebook stored it. Nothing is computed. Choose another model to run one here."
                .into()
        }
        _ => page.session.with(|session| {
            url.with(|url| match session.description_of(url) {
                Some(known) => words::about(&known.config, known.card.as_ref()),
                None if session.is_describing(url) => "Opening the model\u{2026}".into(),
                None => String::new(),
            })
        }),
    };
    view! { <p class="about">{about}</p> }
}

/// Buttons for the heads of the original notebook, for models of GPT-2 small's size.
#[component]
fn Presets(page: Page, model: Memo<ModelChoice>) -> impl IntoView {
    let preset = move |head: &'static str| {
        view! {
            <button
                type="button"
                class="preset"
                aria-pressed=move || if page.form.with(|form| form.text(&HEAD) == head) { "true" } else { "false" }
                on:click=move |_| page.form.update(|form| {
                    form.set(&HEAD, head);
                    form.heads_typed = true;
                })
            >
                {head}
            </button>
        }
    };
    view! {
        <Show when=move || !matches!(model.get(), ModelChoice::Recorded | ModelChoice::Bundled)>
            <p class="presets">"GPT-2 small: "{preset("10.7")}{preset("11.10")}</p>
        </Show>
    }
}

#[component]
fn Buttons(page: Page, model: Memo<ModelChoice>, active: Memo<bool>) -> impl IntoView {
    let no_run = move || {
        let unready = page.session.with(|session| {
            let asking = || page.tracked_url().is_some_and(|url| session.is_describing(&url));
            model.get() == ModelChoice::Bundled && asking() || session.worker() == WorkerState::Lost
        });
        active.get() || model.get() == ModelChoice::Recorded || unready
    };
    let no_cancel = move || !active.get() || page.session.with(|session| matches!(session.run(), Run::Cancelling(_)));
    view! {
        <div class="buttons">
            <button type="submit" class="primary" data-testid="run-button" disabled=no_run>"Run"</button>
            <button type="button" data-testid="cancel-button" disabled=no_cancel on:click=move |_| page.cancel()>"Cancel"</button>
        </div>
    }
}

#[component]
fn Message(page: Page) -> impl IntoView {
    let error = Memo::new(move |_| page.session.with(|session| session.error().map(ToString::to_string)));
    view! {
        <div role="alert">
            {move || error.get().map(|text| view! {
                <div class="error" data-testid="error">
                    <p>{text}</p>
                    <button
                        type="button"
                        class="dismiss"
                        aria-label="Dismiss this message"
                        data-testid="dismiss-error"
                        on:click=move |_| page.session.update(Session::dismiss_error)
                    >"\u{d7}"</button>
                </div>
            })}
        </div>
        <LostWorker page=page description=Signal::from(true) />
    }
}

/// Shown when the worker has broken down or does not start: the reason, and a button to restart it.
#[component]
pub fn LostWorker(
    page: Page,
    /// Whether the reason is shown, too.
    #[prop(into)]
    description: Signal<bool>,
) -> impl IntoView {
    let lost = Memo::new(move |_| page.session.with(|session| session.worker() == WorkerState::Lost));
    let why = move || page.session.with(|session| session.error().map(ToString::to_string));
    view! {
        <Show when=move || lost.get()>
            <Show when=move || !description.get()>
                <p class="error" data-testid="lost-worker" role="alert">{why}</p>
            </Show>
            <div class="buttons restart">
                <button type="button" data-testid="restart-button" on:click=move |_| page.restart()>"Restart the worker"</button>
                <button type="button" data-testid="reload-button" on:click=move |_| document::reload()>"Reload"</button>
            </div>
        </Show>
    }
}

/// Phase, batch, rate and remaining time. Screen readers are told only of a new batch.
#[component]
fn Status(page: Page) -> impl IntoView {
    let run = move || page.session.with(|session| session.run().clone());
    let phase = Memo::new(move |_| words::phase(&run()));
    let visible = move || run() != Run::Idle;
    let value = move || match run() {
        Run::Finished => Some(1.0),
        run => run.progress().and_then(session::fraction),
    };
    let bar = move || matches!(run(), Run::Finished) || run().is_active();
    let details = move || run().progress().map(words::details);
    view! {
        <p class="visually-hidden" aria-live="polite">{move || phase.get()}</p>
        <Show when=visible>
            <div class="status">
                <Show when=bar>
                    <progress data-testid="progress" aria-label="Progress of the run" max="1" prop:value=move || value().unwrap_or(0.0)></progress>
                </Show>
                <p data-testid="progress-text" aria-hidden="true"><b>{move || phase.get()}</b> " " {details}</p>
                <Download page=page />
            </div>
        </Show>
    }
}

/// Notices about unusual events while reading a model. The live region always exists, so that new text in it is
/// announced.
#[component]
pub fn NoticeLines(page: Page) -> impl IntoView {
    let retry = Memo::new(move |_| page.session.with(|session| session.notices().retry.clone()));
    let not_kept = Memo::new(move |_| page.session.with(|session| session.notices().not_kept.clone()));
    let engine = Memo::new(move |_| page.session.with(|session| session.notices().engine.clone()));
    view! {
        <div class="notices" role="status">
            <p class="notice" data-testid="notice-retry">{move || retry.get()}</p>
            <p class="notice" data-testid="notice-not-kept">{move || not_kept.get()}</p>
            <p class="notice" data-testid="notice-engine">{move || engine.get()}</p>
        </div>
    }
}

/// The progress of the current run's download, and the button that pauses it.
#[component]
fn Download(page: Page) -> impl IntoView {
    let paused = Memo::new(move |_| page.session.with(Session::is_paused));
    let progress = move || page.session.with(|session| session.run().progress().cloned());
    let under_way =
        Memo::new(move |_| progress().is_some_and(|progress| download::is_under_way(&progress)) || paused.get());
    let toggle = move |_| page.pause(!paused.get_untracked());
    view! {
        <Show when=move || under_way.get()>
            <progress
                data-testid="download"
                aria-label="Weights that have been read"
                max="1"
                prop:value=move || progress().as_ref().map_or(0.0, download::fraction)
            ></progress>
            <p data-testid="download-text">{move || progress().map(|progress| download::details(&progress, paused.get()))}</p>
            <button type="button" class="quiet" data-testid="pause-button" aria-pressed=move || paused.get().to_string() on:click=toggle>
                {move || if paused.get() { "Go on downloading" } else { "Pause the download" }}
            </button>
        </Show>
    }
}
