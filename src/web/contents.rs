//! The root component of the page and its layout.

use leptos::prelude::*;

use super::document;
use super::drops::{self, DropZone};
use super::figures::figure_at;
use super::handover;
use super::masthead::{Colophon, Masthead, TopBar};
use super::page::Page;
use super::panel::Panel;
use super::permalink::{self, Invitation};
use super::sentence::SentencePage;
use super::story::{Ending, Glossary, HowToRead, Meanings, Question, Seen, Text};
use super::story_page::StoryPage;
use super::summary::Summary;
use super::sweep_maps::SweepCard;
use super::theme;
use crate::app::address::Tab;
use crate::figure::FigurePlace;

/// The page.
#[component]
pub fn App() -> impl IntoView {
    let page = Page::new();
    page.load_recorded();
    permalink::start(page);
    handover::show_linked(page);
    theme::follow(page.view);
    drops::accept_drops(page);
    view! {
        <a class="skip" href=format!("#{}", document::TOP)>"Skip to the figures"</a>
        <TopBar page=page />
        {move || match page.tab.get() {
            Tab::Story => view! { <StoryPage page=page /> }.into_any(),
            Tab::Sentence => view! { <SentencePage page=page /> }.into_any(),
            Tab::Prompts => view! { <ManyPrompts page=page /> }.into_any(),
        }}
        <Colophon page=page />
        <Meanings />
        <DropZone page=page />
    }
}

/// The part of the page about many prompts.
#[component]
fn ManyPrompts(page: Page) -> impl IntoView {
    view! {
        <Masthead page=page />
        <div class="layout">
            <Panel page=page />
            <main class="results" id=document::TOP tabindex="-1">
                <SweepCard page=page />
                <Summary page=page />
                <Invitation page=page />
                <Text page=page>
                    <Question page=page />
                </Text>
                <Figures page=page />
                <Ending page=page />
            </main>
        </div>
    }
}

/// All figures with their descriptions, grouped under headings.
#[component]
fn Figures(page: Page) -> impl IntoView {
    let places = Memo::new(move |_| {
        let on_page = |place: &FigurePlace| {
            page.shown.with(|shown| {
                let result = shown.as_ref().map(|shown| &*shown.result);
                page.view.with(|view| place.is_on_page(result, view))
            })
        };
        FigurePlace::all().filter(on_page).collect::<Vec<_>>()
    });
    let one = move |number: usize, place: FigurePlace, before: Option<FigurePlace>| {
        let begins = before.is_none_or(|before| before.section() != place.section());
        view! {
            {begins.then(|| view! { <h2>{page.in_words(place.section())}</h2> })}
            {figure_at(page, place, number)}
            <Seen page=page place=place />
            {(number == 1).then(|| view! { <Text page=page><HowToRead /><Glossary /></Text> })}
        }
    };
    move || {
        let places = places.get();
        let before = std::iter::once(None).chain(places.iter().copied().map(Some));
        let figures = (1..).zip(&places).zip(before);
        figures
            .map(|((number, place), before)| one(number, *place, before))
            .collect_view()
    }
}
