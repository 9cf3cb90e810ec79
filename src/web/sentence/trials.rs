//! Accessors for the trials at the shown pair, and their progress.

use leptos::prelude::*;

use super::super::page::Page;
use crate::analysis::Progress;
use crate::analysis::pair::{CausalSection, InterventionSection};
use crate::app::session;
use crate::app::trials::TrialKind;
use crate::app::words;
use crate::names::Head;
use crate::result::ResultFile;

/// Whether `of` is the pair that `result` shows now, not an earlier one.
fn is_shown(result: &ResultFile, pair: (Head, usize, usize)) -> bool {
    result
        .attention()
        .is_some_and(|section| (section.head, section.dest, section.src) == pair)
}

/// The result of `read` on the intervention at the shown pair.
pub fn of_intervention<T>(sentence: Page, read: impl FnOnce(&ResultFile, &InterventionSection) -> T) -> Option<T> {
    sentence.shown.with(|shown| {
        let result = &shown.as_ref()?.result;
        let section = result.intervention()?;
        is_shown(result, (section.head, section.dest, section.src)).then(|| read(result, section))
    })
}

/// The result of `read` on the causal map of the shown pair.
pub fn of_causal<T>(sentence: Page, read: impl FnOnce(&CausalSection) -> T) -> Option<T> {
    sentence.shown.with(|shown| {
        let result = &shown.as_ref()?.result;
        let section = result.causal()?;
        is_shown(result, (section.head, section.dest, section.src)).then(|| read(section))
    })
}

/// The progress of a trial of `kind` with a cancel button, or its error.
#[component]
pub fn TrialProgress(
    page: Page,
    kind: TrialKind,
    /// Value of `data-testid`.
    name: &'static str,
) -> impl IntoView {
    let busy = Memo::new(move |_| page.session.with(|session| session.trials().is_active(kind)));
    let error = Memo::new(move |_| {
        page.session
            .with(|session| session.trials().error(kind).map(ToString::to_string))
    });
    let progress = Signal::derive(move || {
        page.session
            .with(|session| session.trials().request().progress().cloned())
    });
    let stop = Callback::new(move |()| page.stop_trying());
    view! { <HowFar busy=busy error=error progress=progress stop=stop name=name /> }
}

/// The progress of a recomputation with a cancel button, or its error.
#[component]
pub fn HowFar(
    /// Whether it is in progress.
    busy: Memo<bool>,
    error: Memo<Option<String>>,
    progress: Signal<Option<Progress>>,
    stop: Callback<()>,
    /// Value of `data-testid`.
    name: &'static str,
) -> impl IntoView {
    view! {
        <div role="alert">
            {move || error.get().map(|text| view! { <p class="error" data-testid=format!("{name}-error")>{text}</p> })}
        </div>
        <Show when=move || busy.get()>
            <div class="asking" data-testid=format!("{name}-busy")>
                <progress
                    aria-label="Progress of what is recomputed"
                    max="1"
                    prop:value=move || progress.get().as_ref().and_then(session::fraction).unwrap_or(0.0)
                ></progress>
                <p aria-hidden="true">{move || progress.get().as_ref().map(words::details)}</p>
                <button type="button" class="quiet" data-testid=format!("{name}-stop") on:click=move |_| stop.run(())>"Stop"</button>
            </div>
        </Show>
    }
}
