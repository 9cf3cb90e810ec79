//! One labeled control for each setting; values are checked when a run starts.

use leptos::prelude::*;

use super::page::{Page, control_id};
use crate::analysis::settings::{Field, Group, SETTINGS, Setting};
use crate::app::form::Form;
use crate::app::run_presets::{RunPreset, run_presets};

/// The controls of the settings in `groups`.
#[component]
pub fn Settings(page: Page, groups: &'static [Group]) -> impl IntoView {
    let of_groups = SETTINGS.iter().filter(|setting| groups.contains(&setting.group));
    of_groups
        .map(|setting| match setting.field {
            Field::Switch { .. } => view! { <CheckBox page=page setting=setting /> }.into_any(),
            Field::Engine { .. } => view! { <EngineField page=page setting=setting /> }.into_any(),
            Field::Intervention { .. } => view! { <InterventionField page=page setting=setting /> }.into_any(),
            _ => view! { <TextField page=page setting=setting /> }.into_any(),
        })
        .collect_view()
}

/// A labeled text field.
#[component]
fn TextField(page: Page, setting: &'static Setting) -> impl IntoView {
    let id = control_id(setting);
    let value = Memo::new(move |_| page.form.with(|form| form.text(setting).to_owned()));
    // A head is written with a point ("10.7"), which the digit keyboard of phones lacks.
    let mode = match setting.field {
        Field::Head { .. } => "decimal",
        Field::Intervention { .. } => "text",
        _ => "numeric",
    };
    view! {
        <div class="field">
            <label for=id.clone() title=setting.about>{setting.label}</label>
            <input
                id=id.clone()
                data-testid=id
                type="text"
                inputmode=mode
                autocomplete="off"
                spellcheck="false"
                prop:value=move || value.get()
                on:input=move |event| page.form.update(|form| {
                    form.set(setting, event_target_value(&event));
                    form.heads_typed |= setting.group == Group::Heads;
                })
            />
        </div>
    }
}

/// The compute engines to choose from, as value and label.
const ENGINES: [(&str, &str); 7] = [
    ("auto", "Automatic"),
    ("gpu", "GPU (WebGPU)"),
    ("auto on 1", "Automatic, one thread"),
    ("relaxed", "Relaxed SIMD"),
    ("packed", "SIMD"),
    ("packed on 1", "SIMD, one thread"),
    ("gemm", "gemm, one thread"),
];

/// A labeled choice of the compute engine.
#[component]
fn EngineField(page: Page, setting: &'static Setting) -> impl IntoView {
    let id = control_id(setting);
    let value = Memo::new(move |_| page.form.with(|form| form.text(setting).to_owned()));
    let other = move || {
        let value = value.get();
        let is_other = !ENGINES.iter().any(|(text, _)| *text == value);
        is_other.then(|| view! { <option value=value.clone() selected=true>{value.clone()}</option> })
    };
    let options =
        ENGINES.map(|(text, label)| view! { <option value=text selected=move || value.get() == text>{label}</option> });
    view! {
        <div class="field">
            <label for=id.clone() title=setting.about>{setting.label}</label>
            <select
                id=id.clone()
                data-testid=id
                on:change=move |event| page.form.update(|form| form.set(setting, event_target_value(&event)))
            >
                {options.collect_view()}
                {other}
            </select>
        </div>
    }
}

/// A text field for an intervention that is applied to every prompt, with presets.
#[component]
fn InterventionField(page: Page, setting: &'static Setting) -> impl IntoView {
    let presets = Memo::new(move |_| page.form.with(run_presets));
    let button = move |preset: RunPreset| {
        let (text, typed) = (preset.text.clone(), preset.text);
        let pressed = move || page.form.with(|form| form.text(setting).trim() == text);
        view! {
            <button
                type="button"
                class="preset"
                aria-pressed=move || pressed().to_string()
                on:click=move |_| page.form.update(|form| form.set(setting, typed.clone()))
            >
                {preset.label}
            </button>
        }
    };
    view! {
        <TextField page=page setting=setting />
        <p class="presets" data-testid="intervention-presets">
            {move || presets.get().into_iter().map(button).collect_view()}
        </p>
    }
}

/// A labeled box that is checked or not.
#[component]
fn CheckBox(page: Page, setting: &'static Setting) -> impl IntoView {
    let is_on = move |form: &Form| form.text(setting) == "1";
    // The description of an option that disables something is shown for its absence.
    let about = match setting.usual {
        "1" => format!("Without it: {}", setting.about),
        _ => setting.about.to_owned(),
    };
    view! {
        <label class="check" title=about>
            <input
                type="checkbox"
                data-testid=control_id(setting)
                prop:checked=move || page.form.with(is_on)
                on:change=move |event| page.form.update(|form| {
                    form.set(setting, if event_target_checked(&event) { "1" } else { "0" });
                })
            />
            <span>{setting.label}</span>
        </label>
    }
}
