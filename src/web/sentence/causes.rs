//! Does it matter: interventions at the pair that is shown, recomputed to the end of the model, and the causal map.

use leptos::prelude::*;

use super::super::page::Page;
use super::causal_map::CausalMap;
use super::offer::{Offer, is_answered_by_recording};
use super::outcome::OutcomeOf;
use super::second::SecondSentence;
use super::trial_form::AnyIntervention;
use super::trials::{TrialProgress, of_intervention};
use crate::analysis::pair::{Intervening, Intervention, Replacement};
use crate::app::presets::{Preset, presets};
use crate::app::session::Origin;
use crate::app::trying::{Trial, TrialKind};

/// Tries `intervention` with the second sentence that is typed.
fn attempt(page: Page, second: RwSignal<String>, intervention: Intervention) {
    let typed = second.get_untracked();
    let second = needs_second(&intervention).then_some(typed);
    page.attempt(Trial::Intervention(Intervening {
        interventions: vec![intervention],
        second,
        run: Vec::new(),
    }));
}

/// Whether `intervention` copies something from the second sentence.
fn needs_second(intervention: &Intervention) -> bool {
    matches!(
        intervention,
        Intervention::Set {
            to: Replacement::Second,
            ..
        }
    )
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
    let tried = Memo::new(move |_| {
        let found = of_intervention(sentence, |_, section| Some(section.effects.first()?.intervention));
        found.flatten()
    });
    let attempt = move |intervention: Intervention| attempt(page, second, intervention);
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
                "What the account says is a prediction. Here something is put in another's place, and the rest of the model computed again."
            </p>
            <div class="tries" role="group" aria-label="Try">
                {move || offered.get().into_iter().map(button).collect_view()}
            </div>
            <SecondSentence page=page sentence=sentence second=second attempt=attempt />
            <AnyIntervention page=page sentence=sentence attempt=attempt />
            <TrialProgress page=page kind=TrialKind::Intervention name="intervention" />
            <OutcomeOf sentence=sentence />
            <CausalMap page=page sentence=sentence />
        }
    };
    view! {
        <section class="card causes" data-testid="card-causes">
            <h2><span class="number">"5"</span>"Does it matter? Recomputed to the end of the model"</h2>
            {move || match live.get() {
                true => whole().into_any(),
                false => view! {
                    <p class="soft" data-testid="causes-not-recorded">
                        "What happens without a component is not recorded of this sentence: a model computes it."
                    </p>
                    <Show when=move || answered.get()>
                        <Offer page=page words="It runs here, on this device." name="causes-offer" />
                    </Show>
                }
                .into_any(),
            }}
        </section>
    }
}
