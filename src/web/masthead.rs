//! The header and the footer of the page, with the switches that apply to the whole page.

use leptos::prelude::*;

use super::document::meta;
use super::method_link::MethodLink;
use super::page::Page;
use super::panel::ModelMenu;
use super::permalink::CopyLink;
use super::story::Term;
use super::tabs::Tabs;
use super::theme::ThemeSwitch;
use crate::app::address::Tab;
use crate::app::glossary::{LEAD, Phrase};
use crate::app::words;

/// The page's name, its tabs, its switches.
#[component]
pub fn TopBar(page: Page) -> impl IntoView {
    let hidden = Memo::new(move |_| page.view.with(|view| view.text_hidden));
    let toggle = move |_| page.view.update(|view| view.text_hidden = !view.text_hidden);
    let prompts = move || page.tab.get() == Tab::Prompts;
    view! {
        <header class="top-bar">
            <p class="wordmark">"keyside"</p>
            <Tabs page=page />
            <div class="tools" role="group" aria-label="Page">
                <Show when=prompts>
                    <button
                        type="button"
                        class="page-tool"
                        data-testid="text-switch"
                        aria-pressed=move || hidden.get().to_string()
                        on:click=toggle
                    >"Hide the text"</button>
                </Show>
                {move || match page.tab.get() {
                    Tab::Story => view! { <p class="model-chip"><b>"GPT-2 small"</b><small>{words::RECORDED}</small></p> }.into_any(),
                    Tab::Sentence => view! { <ModelMenu page=page /> }.into_any(),
                    Tab::Prompts => ().into_any(),
                }}
                <CopyLink page=page />
            </div>
        </header>
    }
}

/// The heading of the "Many prompts" tab and its introduction.
#[component]
pub fn Masthead(page: Page) -> impl IntoView {
    let hidden = Memo::new(move |_| page.view.with(|view| view.text_hidden));
    view! {
        <section class="masthead" aria-label="What this is about">
            <h1>{words::TITLE}</h1>
            <Show when=move || !hidden.get()>
                <p class="lead" data-testid="lead">{LEAD.map(|phrase| view! { <Part phrase=phrase /> }).collect_view()}</p>
            </Show>
        </section>
    }
}

#[component]
fn Part(phrase: Phrase) -> impl IntoView {
    match phrase {
        Phrase::Words(words) => words.into_any(),
        Phrase::Term { id, word } => view! { <Term id=id text=word /> }.into_any(),
        Phrase::Bracketed { id, word } => {
            view! { <span class="together">"("<Term id=id text=word />")"</span> }.into_any()
        }
    }
}

/// The version of the page's files: the suffix of the worker's file name.
fn files() -> Option<String> {
    let worker = meta("keyside-worker")?;
    let version = worker.rsplit(['/', '-']).next()?.strip_suffix(".js")?;
    Some(version.to_owned()).filter(|version| version.len() == 12)
}

/// The footer: versions, sources, license, theme switch.
#[component]
pub fn Colophon(page: Page) -> impl IntoView {
    let files = files().map(|version| format!(", files {version}"));
    view! {
        <footer class="colophon">
            <div>
                <h2>"About"</h2>
                <p data-testid="versions">"keyside "{env!("CARGO_PKG_VERSION")}{files}</p>
                <p data-testid="method-link">
                    <MethodLink page=page words="Method" />": every formula, what \u{201c}frozen\u{201d} means, the traps, and the tests that hold them."
                </p>
                <p>"Licence: MIT or Apache-2.0, at your choice. Everything runs on this device; nothing is sent anywhere."</p>
                <ThemeSwitch view=page.view />
            </div>
            <div>
                <h2>"Data"</h2>
                <p>
                    "The recorded run is what a research notebook of June 2023 (\u{201c}Keys fixed\u{201d}) stored: GPT-2 small, computed with \
                     TransformerLens, drawn there with Plotly. Prompts: the dataset of \u{201c}Interpretability in the Wild\u{201d}."
                </p>
                <p>
                    "The story\u{2019}s sentence and the effects of heads are outputs of TransformerLens\u{2019} Exploratory Analysis Demo, five more \
                     recorded sentences those of transformer-explainer: numbers about GPT-2 small that others published under the MIT license."
                </p>
            </div>
            <div id="cite">
                <h2>"How to cite"</h2>
                <ul>
                    <li>
                        "K. Wang, A. Variengien, A. Conmy, B. Shlegeris, J. Steinhardt: "
                        <cite>"Interpretability in the Wild: a Circuit for Indirect Object Identification in GPT-2 small"</cite>
                        ", 2022, "<a href="https://arxiv.org/abs/2211.00593" rel="noreferrer">"arXiv:2211.00593"</a>"."
                    </li>
                    <li>"N. Nanda, J. Bloom: "<cite>"TransformerLens"</cite>", 2022."</li>
                    <li>"A. Radford et al.: "<cite>"Language Models are Unsupervised Multitask Learners"</cite>" (GPT-2), 2019."</li>
                    <li>"This page: name its version, and copy its link, which holds what you see."</li>
                </ul>
            </div>
        </footer>
    }
}
