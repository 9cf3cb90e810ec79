//! "Your sentence": one sentence, any pair of its tokens, any head.

mod account;
mod arcs;
mod bars;
mod down;
mod field;
mod heads;
mod next;
mod recent;
mod shown;
mod strip;

use leptos::prelude::*;

use self::account::Account;
use self::field::SentenceField;
use self::heads::{HeadMap, WholePattern};
use self::next::NextTokens;
use self::strip::Strip;
use super::page::Page;

/// The part of the page about one sentence.
#[component]
pub fn SentencePage(page: Page) -> impl IntoView {
    let sentence = page.of_sentence();
    let answered = Memo::new(move |_| sentence.shown.with(Option::is_some));
    view! {
        <main class="sentence-page" id=super::document::TOP tabindex="-1">
            <section class="card ask" aria-labelledby="ask-heading">
                <h1 id="ask-heading">"Why does this head look there?"</h1>
                <SentenceField page=page sentence=sentence />
                <Show when=move || answered.get()>
                    <Strip page=page sentence=sentence />
                </Show>
            </section>
            <Show when=move || answered.get()>
                <div class="cards">
                    <HeadMap page=page sentence=sentence />
                    <Account page=page sentence=sentence />
                    <div class="stack">
                        <WholePattern page=page sentence=sentence />
                        <NextTokens page=page sentence=sentence />
                    </div>
                </div>
            </Show>
        </main>
    }
}
