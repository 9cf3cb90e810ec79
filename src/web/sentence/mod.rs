//! "Your sentence": one sentence, any pair of its tokens, any head.

mod arcs;
mod bars;
mod both;
mod causal_map;
mod causes;
mod consequences;
mod decomposition;
mod direction_card;
mod dots;
mod down;
mod effects_card;
mod examples;
mod field;
mod from_story;
mod head_list;
mod heads;
mod layer;
mod lens_card;
mod next;
mod offer;
mod outcome;
mod recent;
mod second;
mod shown;
mod specials;
mod strip;
mod targets;
mod trial_form;
mod trials;
mod writes_card;

use leptos::prelude::*;

use self::causes::Causes;
use self::consequences::Consequences;
use self::decomposition::Decomposition;
use self::dots::SubstitutionCard;
use self::examples::GuidedExampleText;
pub use self::field::FIELD as SENTENCE_FIELD;
use self::field::{AnswerSource, SentenceField};
use self::from_story::{FromStory, OnManyPrompts};
use self::heads::{HeadMap, WholePattern};
use self::next::NextTokens;
pub use self::shown::{drawn, of_attention};
pub use self::strip::Strip;
pub use self::trials::HowFar;
use super::page::Page;
use super::summary::OtherModel;
use crate::figure::sentence_words::in_short;

/// Id of the card with the map of heads.
const HEADS: &str = "which-head";
/// Id of the card with the terms of the score.
const DECOMPOSITION: &str = "what-makes-the-score";

/// The tab about one sentence.
#[component]
pub fn SentencePage(page: Page) -> impl IntoView {
    let sentence = page.of_sentence();
    page.load_sentences();
    let answered = Memo::new(move |_| sentence.shown.with(Option::is_some));
    let busy = Memo::new(move |_| {
        page.session
            .with(|session| session.question_state().request().is_active())
    });
    view! {
        <main class="sentence-page" id=super::document::TOP tabindex="-1">
            <section class="card ask" aria-labelledby="ask-heading">
                <h1 id="ask-heading">"Why does this head look there?"</h1>
                <SentenceField page=page sentence=sentence />
                <Show when=move || answered.get()>
                    <GuidedExampleText page=page />
                    <Strip page=page sentence=sentence />
                    <AnswerSource sentence=sentence />
                    <OtherModel page=sentence busy=busy />
                </Show>
            </section>
            <Show when=move || answered.get()>
                <div class="cards">
                    <div id=HEADS class="stack">
                        <HeadMap page=page sentence=sentence />
                        <WholePattern page=page sentence=sentence />
                    </div>
                    <div id=DECOMPOSITION><Decomposition page=page sentence=sentence /></div>
                    <div class="stack">
                        <SubstitutionCard page=page sentence=sentence />
                        <NextTokens page=page sentence=sentence />
                    </div>
                </div>
                <Consequences page=page sentence=sentence />
                <Causes page=page sentence=sentence />
                <PairBar sentence=sentence />
            </Show>
            <div class="ways">
                <FromStory page=page />
                <OnManyPrompts page=page />
            </div>
        </main>
    }
}

/// Not a link, since the fragment of the address holds the sentence.
fn scroll_to(id: &str) {
    if let Some(element) = document().get_element_by_id(id) {
        element.scroll_into_view();
    }
}

/// A bar at the bottom of a narrow window: the pair and its attention, with links to the map of heads and to the terms
/// of the score.
#[component]
fn PairBar(sentence: Page) -> impl IntoView {
    let pair = Memo::new(move |_| of_attention(sentence, |section| (section.head.to_string(), in_short(section))));
    view! {
        <nav class="pair-bar" aria-label="The pair">
            {move || pair.get().map(|(head, (positions, numbers))| view! {
                <b>{head}</b>
                <span class="ends">{positions}</span>
                <span>{numbers}</span>
            })}
            <button type="button" on:click=move |_| scroll_to(HEADS)>"Heads"</button>
            <button type="button" on:click=move |_| scroll_to(DECOMPOSITION)>"Why"</button>
        </nav>
    }
}
