//! What the page consists of, from top to bottom.

use leptos::prelude::*;

use super::document;
use super::drops::{self, DropZone};
use super::figures::{HeatmapFigure, HistogramFigure};
use super::handover;
use super::masthead::{Colophon, Masthead};
use super::page::Page;
use super::panel::Panel;
use super::permalink::{self, Invitation};
use super::rehearsal;
use super::story::{Ending, Glossary, HowToRead, Meanings, Question, Seen, SeenCells, Text};
use super::summary::Summary;
use super::theme;
use crate::app::words;
use crate::names::HistogramId;

/// The page.
#[component]
pub fn App() -> impl IntoView {
    let page = Page::new();
    page.load_recorded();
    permalink::start(page);
    handover::show_linked(page);
    theme::follow(page.view);
    drops::accept_drops(page);
    rehearsal::begin(page);
    view! {
        <a class="skip" href=format!("#{}", document::TOP)>"Skip to the figures"</a>
        <Masthead page=page />
        <div class="layout">
            <Panel page=page />
            <main class="results" id=document::TOP tabindex="-1">
                <Summary page=page />
                <Invitation page=page />
                <Text page=page>
                    <Question page=page />
                </Text>
                <h2>{page.in_words(words::KEYS_FIXED)}</h2>
                <HistogramFigure page=page name=HistogramId::KeysFixedScores number=1 />
                <Seen page=page name=HistogramId::KeysFixedScores />
                <Text page=page>
                    <HowToRead />
                    <Glossary />
                </Text>
                <HistogramFigure page=page name=HistogramId::KeysFixedProbs number=2 />
                <Seen page=page name=HistogramId::KeysFixedProbs />
                <h2>{page.in_words(words::QUERIES_FIXED)}</h2>
                <HistogramFigure page=page name=HistogramId::QueriesFixedScores number=3 />
                <Seen page=page name=HistogramId::QueriesFixedScores />
                <HistogramFigure page=page name=HistogramId::QueriesFixedProbs number=4 />
                <Seen page=page name=HistogramId::QueriesFixedProbs />
                <h2>{words::COMPONENTS}</h2>
                <HeatmapFigure page=page number=5 />
                <SeenCells page=page />
                <Ending page=page />
            </main>
        </div>
        <Colophon />
        <Meanings />
        <DropZone page=page />
    }
}
