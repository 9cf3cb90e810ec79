//! The export menu of a figure.

mod action;
mod perform;

use leptos::html;
use leptos::prelude::*;
use wasm_bindgen::prelude::*;
use web_sys::{FocusEvent, KeyboardEvent, Node};

use self::action::{Action, groups};
use self::perform::{Pending, finish, perform};
use super::document::bring_into_view;
use super::page::Page;
use crate::app::session::Shown;
use crate::error::Result;
use crate::figure::{Figure, FigurePlace};

/// The button that opens the menu, and the menu.
#[component]
pub fn ExportMenu(page: Page, figure: FigurePlace) -> impl IntoView {
    let root = NodeRef::<html::Div>::new();
    let button = NodeRef::<html::Button>::new();
    let panel = NodeRef::<html::Div>::new();
    let open = RwSignal::new(false);
    // The menu is made when its button gets the pointer or the focus, which is before it is pressed, and kept from then
    // on.
    let made = RwSignal::new(false);
    let reached = move || {
        if !made.get_untracked() {
            made.set(true);
        }
    };
    // The report of the last action, or its error.
    let outcome = RwSignal::new(None::<Result<String>>);
    let said = move || {
        outcome.with(|outcome| match outcome {
            Some(Ok(done)) => done.clone(),
            Some(Err(error)) => error.to_string(),
            None => String::new(),
        })
    };
    let failed = move || outcome.with(|outcome| matches!(outcome, Some(Err(_))));
    let absent = move || {
        let figure = page.view.with(|view| Figure::at(figure, view));
        page.shown
            .with(|shown| !shown.as_ref().is_some_and(|shown| figure.is_in(&shown.result)))
    };
    let toggle = move |_| {
        reached();
        if outcome.with_untracked(Option::is_some) {
            outcome.set(None);
        }
        open.update(|open| *open = !*open);
        // A menu that opens below a button at the end of the window would be out of view.
        if let Some(panel) = panel.get_untracked().filter(|_| open.get_untracked()) {
            bring_into_view(panel.into());
        }
    };
    let key = move |event: KeyboardEvent| {
        if event.key() == "Escape" && open.get_untracked() {
            event.stop_propagation();
            open.set(false);
            if let Some(button) = button.get_untracked() {
                drop(button.focus());
            }
        }
    };
    let leave = move |event: FocusEvent| {
        // An element that has the focus loses it when the figure is removed, together with this component.
        if open.try_get_untracked() != Some(true) {
            return;
        }
        let to = event.related_target().and_then(|target| target.dyn_into::<Node>().ok());
        let stays = root.get_untracked().is_some_and(|root| root.contains(to.as_ref()));
        // Without a new target the window itself lost the focus, for example because another window was activated: the
        // menu stays open.
        if to.is_some() && !stays {
            open.set(false);
        }
    };
    // Whether the failed action was one on pixels.
    let no_picture = RwSignal::new(false);
    let act = move |action: Action| {
        let tell = move |description: Result<String>| {
            no_picture.set(description.is_err() && action.is_of_pixels());
            outcome.set(Some(description));
        };
        match perform(page, figure, action) {
            Ok(Pending::Done(done)) => tell(Ok(done)),
            Ok(pending) => leptos::task::spawn_local(async move { tell(finish(pending).await) }),
            Err(error) => tell(Err(error)),
        }
    };
    let id = format!("export-{}", figure.as_str());
    view! {
        <div class="export" node_ref=root on:keydown=key on:focusout=leave>
            <button
                type="button"
                class="export-button"
                data-testid="export-button"
                node_ref=button
                aria-expanded=move || if open.get() { "true" } else { "false" }
                aria-controls=id.clone()
                disabled=absent
                on:pointerenter=move |_| reached()
                on:focus=move |_| reached()
                on:click=toggle
            >
                "Export"
                <span class="visually-hidden">{format!(": {}", figure.exported())}</span>
            </button>
            <div
                class="export-panel"
                class:closed=move || !open.get()
                node_ref=panel
                id=id
                tabindex="-1"
                role="group"
                aria-label="Export"
                hidden=move || !made.get()
            >
                <Show when=move || made.get()>
                    <Groups page=page figure=figure act=act />
                    <p class="export-said" class:failed=failed aria-hidden="true">{said}</p>
                    <Show when=move || failed() && no_picture.get()>
                        <button type="button" data-testid="export-svg-instead" on:click=move |_| act(Action::SaveSvg)>
                            "Save as SVG"
                        </button>
                    </Show>
                </Show>
            </div>
            <p class="visually-hidden" role="status" data-testid="export-status">{said}</p>
        </div>
    }
}

#[component]
fn Groups(page: Page, figure: FigurePlace, act: impl Fn(Action) + Copy + Send + Sync + 'static) -> impl IntoView {
    let partial = move || page.shown.with(|shown| shown.as_ref().is_some_and(Shown::is_partial));
    let tables = Memo::new(move |_| {
        let figure = page.view.with(|view| Figure::at(figure, view));
        let offered = page.shown.with(|shown| Some(figure.offered(&shown.as_ref()?.result)));
        offered.unwrap_or_default()
    });
    let button = move |action: Action| {
        view! {
            <button
                type="button"
                data-testid=format!("export-{}", action.id())
                disabled=move || action.needs_all() && partial()
                on:click=move |_| act(action)
            >
                {action.label()}
            </button>
        }
    };
    let group = move |(name, actions): (&'static str, Vec<Action>)| {
        view! {
            <div class="export-group" role="group" aria-label=name>
                <span class="export-name" aria-hidden="true">{name}</span>
                <div class="export-actions">{actions.into_iter().map(button).collect_view()}</div>
            </div>
        }
    };
    move || {
        tables
            .with(|tables| groups(tables))
            .into_iter()
            .map(group)
            .collect_view()
    }
}
