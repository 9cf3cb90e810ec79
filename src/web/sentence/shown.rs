//! Accessors for the shown answer.

use leptos::prelude::*;

use super::super::figures::Actions;
use super::super::page::Page;
use crate::analysis::{AttentionSection, PairSection};
use crate::app::session::Origin;
use crate::figure::{Figure, FigurePlace};
use crate::plot::{Plot, Target};
use crate::result::ResultFile;

/// The result of `read` on the shown attention section.
pub fn of_attention<T>(sentence: Page, read: impl FnOnce(&AttentionSection) -> T) -> Option<T> {
    sentence
        .shown
        .with(|shown| shown.as_ref()?.result.attention().map(read))
}

/// The result of `read` on the whole shown answer.
pub fn of_result<T>(sentence: Page, read: impl FnOnce(&ResultFile) -> T) -> Option<T> {
    sentence
        .shown
        .with(|shown| shown.as_ref().map(|shown| read(&shown.result)))
}

/// The result of `read` on the section with the terms of the score, with the tokens' texts.
pub fn of_pair<T>(sentence: Page, read: impl FnOnce(&PairSection, &[String]) -> T) -> Option<T> {
    sentence.shown.with(|shown| {
        let result = &shown.as_ref()?.result;
        Some(read(result.pair()?, &result.attention()?.texts))
    })
}

/// Whether the shown answer is recorded and `has` is false for it.
pub fn lacks(sentence: Page, has: impl Fn(&ResultFile) -> bool + Send + Sync + 'static) -> Memo<bool> {
    Memo::new(move |_| {
        sentence.shown.with(|shown| {
            shown
                .as_ref()
                .is_some_and(|shown| shown.origin == Origin::Recorded && !has(&shown.result))
        })
    })
}

/// The plot of the figure at `place`, and its description.
pub fn drawn(sentence: Page, place: FigurePlace) -> (Memo<Option<Plot>>, Signal<String>) {
    let plot = Memo::new(move |_| {
        sentence.view.with(|view| {
            sentence
                .shown
                .with(|shown| Figure::at(place, view).plot(&shown.as_ref()?.result).ok())
        })
    });
    let label = Signal::derive(move || {
        let description = sentence.view.with(|view| {
            sentence
                .shown
                .with(|shown| Some(Figure::at(place, view).summary(&shown.as_ref()?.result)))
        });
        description.unwrap_or_default()
    });
    (plot, label)
}

/// Pointer handlers that only pick a mark.
pub fn only_pick(pick: impl Fn(Target) -> bool + Send + Sync + 'static) -> Actions {
    Actions {
        zoom: Callback::new(|_| ()),
        pick: Callback::new(pick),
        reset: Callback::new(|()| ()),
    }
}
