//! The terms of a component of the score, level by level.

use leptos::prelude::*;

use super::super::page::Page;
use super::bars::Bars;
use crate::analysis::DrillDownSection;
use crate::analysis::pair::Step;
use crate::figure::down_words::{adds_up, crumb, lines};
use crate::names::Side;

/// The result of `read` on the opened component on `side` of the shown pair, with the tokens' texts.
fn of_down<T>(
    page: Page,
    sentence: Page,
    side: Side,
    read: impl FnOnce(&DrillDownSection, &[String]) -> T,
) -> Option<T> {
    let asked = page
        .question
        .with(|question| question.down.as_ref().map(|part_path| part_path.side));
    sentence.shown.with(|shown| {
        let result = &shown.as_ref()?.result;
        let (down, pair) = (result.down()?, result.pair()?);
        let same = (down.head, down.dest, down.src) == (pair.head, pair.dest, pair.src)
            && down.part_path.relative == pair.relative;
        (same && asked == Some(side) && down.part_path.side == side)
            .then(|| read(down, result.attention().map_or(&[][..], |a| &a.texts)))
    })
}

/// The opened component on `side`, with breadcrumbs that lead back.
#[component]
pub fn Down(page: Page, sentence: Page, side: Side) -> impl IntoView {
    let crumbs = Memo::new(move |_| {
        let description = of_down(page, sentence, side, |down, texts| {
            let path = down.part_path.path.iter();
            path.map(|step| crumb(*step, texts)).collect::<Vec<_>>()
        });
        description.unwrap_or_default()
    });
    let list = move || of_down(page, sentence, side, lines).unwrap_or_default();
    let description = move || of_down(page, sentence, side, adds_up);
    // Returns to the first `kept` levels; zero closes the view.
    let back = move |kept: usize| {
        page.ask_with(|question| {
            if let Some(part_path) = &mut question.down {
                part_path.path.truncate(kept);
            }
            question.down.take_if(|part_path| part_path.path.is_empty());
        });
    };
    let further = move |step: Step| {
        page.ask_with(|question| {
            if let Some(part_path) = &mut question.down {
                part_path.path.push(step);
            }
        });
    };
    let one = move |(index, (name, last)): (usize, (String, bool))| {
        view! {
            <li>
                <button type="button" aria-current=last.then_some("true") on:click=move |_| back(index + 1)>{name}</button>
            </li>
        }
    };
    let trail = move || {
        let crumbs = crumbs.get();
        let count = crumbs.len();
        let named = crumbs
            .into_iter()
            .enumerate()
            .map(|(index, name)| (name, index + 1 == count));
        named.enumerate().map(one).collect_view()
    };
    view! {
        <Show when=move || crumbs.with(|crumbs| !crumbs.is_empty())>
            <section class="down" data-testid="down">
                <nav aria-label="The way down">
                    <ol class="crumbs" data-testid="crumbs">
                        <li><button type="button" data-testid="close-down" on:click=move |_| back(0)>{side.as_str()}" side"</button></li>
                        {trail}
                    </ol>
                </nav>
                <p class="soft" data-testid="adds-up">{description}</p>
                <Bars lines=Signal::derive(list) open=further opened=Signal::stored(None) name="down-lines" />
            </section>
        </Show>
    }
}
