//! The card "Does it matter?": interventions at the shown pair, recomputed through all later layers, and the causal
//! map.

use leptos::prelude::*;

use super::super::asset_paths::request_of;
use super::super::method_link::MethodLink;
use super::super::page::Page;
use super::super::scheduling::after_frame;
use super::causal_map::CausalMap;
use super::offer::{Offer, is_answered_by_recording};
use super::outcome::OutcomeOf;
use super::second::SecondSentence;
use super::trial_form::AnyIntervention;
use super::trials::{TrialProgress, of_intervention};
use crate::analysis::pair::Intervention;
use crate::app::method::MethodSection;
use crate::app::presets::{Preset, presets};
use crate::app::session::Origin;
use crate::app::trial_form::ParsedTrial;
use crate::app::trials::{Trial, TrialKind};

/// Id of the card.
const CARD: &str = "does-it-matter";

/// Runs the trial of `meant` with the second sentence and with the prompts of the form.
fn attempt(page: Page, second: RwSignal<String>, meant: ParsedTrial) {
    let run = || {
        page.form
            .with_untracked(request_of)
            .map(|request| request.analysis.prompts)
    };
    match meant.intervening(second.get_untracked(), run) {
        Ok(intervening) => page.attempt(Trial::Intervention(intervening)),
        Err(error) => page.refuse(TrialKind::Intervention, error),
    }
}

/// The card.
#[component]
pub fn Causes(page: Page, sentence: Page) -> impl IntoView {
    let second = RwSignal::new(String::new());
    let live = Memo::new(move |_| {
        sentence
            .shown
            .with(|shown| shown.as_ref().is_some_and(|shown| shown.origin == Origin::Live))
    });
    let answered = is_answered_by_recording(page);
    let offered = Memo::new(move |_| {
        let found = sentence.shown.with(|shown| Some(presets(&shown.as_ref()?.result)));
        found.unwrap_or_default()
    });
    // Runs the preset that a step of the story has set, as soon as the question is answered; not where the answer
    // failed.
    Effect::new(move |_| {
        let Some(due) = page.preset_due.get() else { return };
        let (busy, failed) = page.session.with(|session| {
            (
                session.question_state().request().is_active(),
                session.question_state().request().error().is_some(),
            )
        });
        if busy {
            return;
        }
        page.preset_due.set(None);
        let found = offered.with(|offered| {
            offered
                .iter()
                .find(|preset| preset.id == due)
                .map(|preset| preset.intervention)
        });
        if let Some(intervention) = found.filter(|_| !failed && live.get_untracked()) {
            attempt(page, second, intervention.into());
            after_frame(|| {
                if let Some(card) = document().get_element_by_id(CARD) {
                    card.scroll_into_view();
                }
            });
        }
    });
    let tried = Memo::new(move |_| {
        let found = of_intervention(sentence, |_, section| Some(section.effects.first()?.intervention));
        found.flatten()
    });
    let attempt_meant = move |meant: ParsedTrial| attempt(page, second, meant);
    let attempt = move |intervention: Intervention| attempt_meant(intervention.into());
    let button = move |preset: Preset| {
        let Preset {
            id,
            label,
            intervention,
        } = preset;
        view! {
            <button
                type="button"
                class="preset"
                data-testid=format!("try-{id}")
                aria-pressed=move || (tried.get() == Some(intervention)).to_string()
                on:click=move |_| attempt(intervention)
            >{label}</button>
        }
    };
    let whole = move || {
        view! {
            <p class="soft">
                "What the decomposition says is a prediction. Here something is put in another's place, and the rest of the model computed again. "
                <MethodLink page=page section=MethodSection::Frozen words="What is frozen for the prediction?" />
            </p>
            <div class="tries" role="group" aria-label="Try">
                {move || offered.get().into_iter().map(button).collect_view()}
            </div>
            <SecondSentence page=page sentence=sentence second=second attempt=attempt />
            <AnyIntervention page=page sentence=sentence attempt=attempt_meant />
            <TrialProgress page=page kind=TrialKind::Intervention name="intervention" />
            <OutcomeOf sentence=sentence />
            <CausalMap page=page sentence=sentence />
        }
    };
    view! {
        <section class="card causes" id=CARD data-testid="card-causes">
            <h2><span class="number">"5"</span>"Does it matter? Recomputed to the end of the model"</h2>
            {move || if live.get() {
                whole().into_any()
            } else {
                view! {
                    <p class="soft" data-testid="causes-not-recorded">
                        "What happens without a component is not recorded of this sentence: a model computes it."
                    </p>
                    <Show when=move || answered.get()>
                        <Offer page=page words="It runs here, on this device." name="causes-offer" />
                    </Show>
                }
                .into_any()
            }}
        </section>
    }
}
