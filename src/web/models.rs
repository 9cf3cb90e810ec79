//! Controls for the source of the model (a name on the hub, a URL, files on disk), and the list of stored models.

use js_sys::Reflect;
use leptos::html;
use leptos::prelude::*;
use web_sys::File;

use super::page::Page;
use crate::app::form::{Form, ModelChoice};
use crate::app::library;
use crate::checkpoint::{HUB_MODELS, StoredModel};
use crate::quantities::size;

/// The controls of the chosen kind of source.
#[component]
pub fn ModelOrigin(page: Page, active: Memo<bool>) -> impl IntoView {
    let model = Memo::new(move |_| page.form.with(|form| form.model));
    view! {
        {move || match model.get() {
            ModelChoice::Hub => view! { <HubFields page=page active=active /> }.into_any(),
            ModelChoice::Url => view! {
                <PlaceField page=page active=active label="URL of the checkpoint\u{2019}s folder" id="model-url" kind="url" placeholder="https://\u{2026}/gpt2" text=|form: &Form| &form.url change=|form: &mut Form| &mut form.url />
                <ReadFrom page=page />
                <LookUp page=page active=active />
            }.into_any(),
            ModelChoice::Picked => view! { <PickFields page=page active=active /> }.into_any(),
            ModelChoice::Recorded | ModelChoice::Bundled => ().into_any(),
        }}
    }
}

/// A text field for the place of the model.
#[component]
fn PlaceField(
    page: Page,
    active: Memo<bool>,
    label: &'static str,
    /// The element's id, and its `data-testid`.
    id: &'static str,
    /// The `type` attribute of the input.
    kind: &'static str,
    placeholder: &'static str,
    /// Reads the form's field.
    text: fn(&Form) -> &String,
    /// Returns the form's field to be changed.
    change: fn(&mut Form) -> &mut String,
) -> impl IntoView {
    let value = Memo::new(move |_| page.form.with(|form| text(form).clone()));
    view! {
        <div class="field">
            <label for=id>{label}</label>
            <input
                id=id
                data-testid=id
                type=kind
                spellcheck="false"
                autocomplete="off"
                placeholder=placeholder
                disabled=move || active.get()
                prop:value=move || value.get()
                on:input=move |event| page.form.update(|form| *change(form) = event_target_value(&event))
                on:change=move |_| page.describe_unless_on_hub()
            />
        </div>
    }
}

#[component]
fn HubFields(page: Page, active: Memo<bool>) -> impl IntoView {
    view! {
        <div class="pair">
            <div class="field">
                <label for="hub-model">"Name"</label>
                <select
                    id="hub-model"
                    data-testid="hub-model"
                    disabled=move || active.get()
                    prop:value=move || page.form.with(|form| form.hub.clone())
                    on:change=move |event| {
                        page.form.update(|form| form.hub = event_target_value(&event));
                        page.choose(ModelChoice::Hub);
                    }
                >
                    {HUB_MODELS.map(|model| view! { <option value=model.name>{model.name}</option> }).collect_view()}
                </select>
            </div>
            <PlaceField page=page active=active label="Revision" id="hub-revision" kind="text" placeholder="known commit" text=|form: &Form| &form.revision change=|form: &mut Form| &mut form.revision />
        </div>
        <LookUp page=page active=active />
    }
}

/// The URL that a typed address is turned into, where that differs.
#[component]
fn ReadFrom(page: Page) -> impl IntoView {
    let description = move || {
        page.form
            .with(|form| form.interpreted_url().map(|url| format!("Reads {url}")))
    };
    view! { <p class="about" data-testid="model-url-read">{description}</p> }
}

/// The button that asks the hub about the chosen model; the hub is not asked otherwise before a run.
#[component]
fn LookUp(page: Page, active: Memo<bool>) -> impl IntoView {
    let unknown = Memo::new(move |_| {
        let url = page.tracked_url();
        let is_known = |url: &String| {
            page.session
                .with(|session| session.description_of(url).is_some() || session.is_describing(url))
        };
        page.form.with(Form::is_on_hub) && url.is_some_and(|url| !is_known(&url))
    });
    view! {
        <Show when=move || unknown.get()>
            <button type="button" class="quiet" data-testid="look-up" disabled=move || active.get() on:click=move |_| page.describe()>
                "Look up"
            </button>
        </Show>
    }
}

#[component]
fn PickFields(page: Page, active: Memo<bool>) -> impl IntoView {
    let label = move || {
        page.form.with(|form| match form.picked.split_once('/') {
            Some((_, label)) => format!("Picked: {label}."),
            None => "config.json, model.safetensors and tokenizer.json of one model. They stay on this device.".into(),
        })
    };
    let candidates = move || {
        let folders = page.candidates.get();
        let button = move |(index, folder): (usize, String)| {
            view! {
                <button
                    type="button"
                    class="quiet"
                    data-testid="pick-candidate"
                    disabled=move || active.get()
                    on:click=move |_| page.pick_candidate(index)
                >{folder}</button>
            }
        };
        (folders.len() > 1).then(|| {
            view! {
                <p class="about" data-testid="pick-candidates">"There are several models. Which one?"</p>
                <div class="buttons">{folders.into_iter().enumerate().map(button).collect_view()}</div>
            }
        })
    };
    view! {
        <p class="about" data-testid="picked">{label}</p>
        <div class="buttons">
            <Picker page=page active=active testid="pick-files" label="Pick files" folder=false />
            <Picker page=page active=active testid="pick-folder" label="Pick a folder" folder=true />
        </div>
        {candidates}
    }
}

#[component]
fn Picker(page: Page, active: Memo<bool>, testid: &'static str, label: &'static str, folder: bool) -> impl IntoView {
    let input = NodeRef::<html::Input>::new();
    let picked = move |_| {
        let Some(element) = input.get_untracked() else { return };
        let list = element.files();
        let count = list.as_ref().map_or(0, web_sys::FileList::length);
        let files: Vec<File> = (0..count).filter_map(|index| list.as_ref()?.item(index)).collect();
        element.set_value("");
        page.pick(files.into_iter().map(|file| (path_of(&file), file)).collect());
    };
    view! {
        <label class="quiet file-button" class:disabled=move || active.get()>
            {label}
            <input
                type="file"
                multiple
                prop:webkitdirectory=folder
                data-testid=testid
                node_ref=input
                disabled=move || active.get()
                on:change=picked
            />
        </label>
    }
}

/// The path of `file` in the folder that was picked; its name where the file itself was picked.
fn path_of(file: &File) -> String {
    let path = Reflect::get(file, &"webkitRelativePath".into())
        .ok()
        .and_then(|path| path.as_string());
    path.filter(|path| !path.is_empty()).unwrap_or_else(|| file.name())
}

/// The list of models in the browser's storage.
#[component]
pub fn StoredModels(page: Page, active: Memo<bool>) -> impl IntoView {
    let models = Memo::new(move |_| {
        page.session
            .with(|session| session.library().models().map(<[_]>::to_vec))
    });
    let room = move || {
        page.session
            .with(|session| session.library().space().map(library::space_text))
    };
    let list = move || match models.get() {
        None => view! { <p class="about">"Looking\u{2026}"</p> }.into_any(),
        Some(models) if models.is_empty() => {
            let description = page.session.with(|session| session.library().none_stored());
            view! { <p class="about" data-testid="none-stored">{description}</p> }.into_any()
        }
        Some(models) => {
            let rows = models
                .into_iter()
                .map(|model| view! { <StoredRow page=page active=active model=model /> });
            view! { <ul class="stored">{rows.collect_view()}</ul> }.into_any()
        }
    };
    view! {
        <details class="models" data-testid="models-panel" on:toggle=move |_| page.list_stored()>
            <summary>"Models in this browser"</summary>
            {list}
            <p class="about" data-testid="storage-room">{room}</p>
        </details>
    }
}

#[component]
fn StoredRow(page: Page, active: Memo<bool>, model: StoredModel) -> impl IntoView {
    let name = library::name(&model);
    let (location, folder) = (model.location.clone(), model.folder.clone());
    let title = model.location.clone();
    let asked = RwSignal::new(false);
    let remove = {
        let name = name.clone();
        move || {
            view! {
                <button
                    type="button"
                    class="quiet"
                    data-testid="delete-stored"
                    aria-label=format!("Delete {name} from this browser")
                    disabled=move || active.get()
                    on:click=move |_| asked.set(true)
                >"Delete"</button>
            }
        }
    };
    let sure = {
        let (name, bytes) = (name.clone(), size(model.bytes));
        move || {
            let folder = folder.clone();
            view! {
                <span class="buttons">
                <button
                    type="button"
                    class="quiet"
                    data-testid="delete-for-good"
                    aria-label=format!("Delete {name} from this browser for good, {bytes}")
                    disabled=move || active.get()
                    on:click=move |_| page.remove_stored(&folder)
                >"Delete for good"</button>
                <button type="button" class="quiet" data-testid="keep-stored" aria-label=format!("Keep {name}") on:click=move |_| asked.set(false)>"Keep"</button>
                </span>
            }
        }
    };
    view! {
        <li data-testid="stored-model">
            <span class="name" title=title>{name.clone()}</span>
            <span class="size">{size(model.bytes)}</span>
            <button
                type="button"
                class="quiet"
                data-testid="use-stored"
                aria-label=format!("Use {name}")
                disabled=move || active.get()
                on:click=move |_| page.use_stored(&location)
            >"Use"</button>
            {move || if asked.get() { sure().into_any() } else { remove().into_any() }}
        </li>
    }
}
