//! The choice of the head: the map of all heads, and the whole attention pattern of the chosen one.

use leptos::prelude::*;

use super::super::data_table::DataTable;
use super::super::export::ExportMenu;
use super::super::figures::PlotCanvas;
use super::super::page::Page;
use super::super::segment::Segment;
use super::head_list::HeadList;
use super::layer::LayerPatterns;
use super::shown::{drawn, of_attention, of_result, only_pick};
use crate::analysis::AttentionSection;
use crate::app::head_names::{self, HeadGroup};
use crate::app::session::Origin;
use crate::figure::{FigurePlace, Measure, PatternPart, pattern_part, shown_pattern};
use crate::names::Head;
use crate::plot::Target;

/// The card with the map of heads.
#[component]
pub fn HeadMap(page: Page, sentence: Page) -> impl IntoView {
    let Some(place) = "heads".parse::<FigurePlace>().ok() else {
        return ().into_any();
    };
    let (plot, label) = drawn(sentence, place);
    let measure = Memo::new(move |_| {
        let asked = page.view.with(|view| view.sentence.measure);
        of_result(sentence, |result| asked.or_known(result)).unwrap_or(asked)
    });
    // A model can also be asked for measures of the whole sentence.
    let live = Memo::new(move |_| {
        sentence
            .shown
            .with(|shown| shown.as_ref().is_some_and(|shown| shown.origin == Origin::Live))
    });
    let offered = Memo::new(move |_| {
        let offered = of_result(sentence, |result| {
            let known: Vec<Measure> = Measure::known(result).collect();
            let measures = result.attention()?.measures.as_ref();
            let may_be_asked = |measure: &Measure| measure.is_of_sentence() && measures.is_none() && live.get();
            let offered = Measure::ALL.into_iter();
            let offered = offered.filter(|measure| known.contains(measure) || may_be_asked(measure));
            Some(offered.collect::<Vec<_>>())
        });
        offered.flatten().unwrap_or_else(|| Measure::ALL.to_vec())
    });
    let option = move |choice: Measure| {
        view! {
            <Segment
                name="measure"
                value=choice.value()
                label=move || choice.label()
                chosen=Signal::derive(move || measure.get() == choice)
                choose=move || {
                    page.view.update(|view| view.sentence.measure = choice);
                    if choice.is_of_sentence() {
                        page.ask();
                    }
                }
            />
        }
    };
    let choose = move |head: Head| {
        page.ask_with(|question| {
            if question.head != Some(head) {
                (question.head, question.src) = (Some(head), None);
            }
        });
    };
    let pick = only_pick(move |target| {
        let Target::Cell(layer, head) = target else {
            return false;
        };
        let head = Head::new(layer, head);
        // A recording may lack heads.
        let there = untrack(|| of_attention(sentence, |section| section.known_heads().contains(&head)));
        if there == Some(false) {
            return false;
        }
        choose(head);
        true
    });
    let description = move || plot.with(|plot| plot.as_ref().map(|plot| plot.title().to_owned()));
    let chosen = move || of_attention(sentence, |section| section.head.to_string());
    view! {
        <section class="card" data-testid="card-heads">
            <h2><span class="number">"1"</span>"Which head? Head "<b class="chosen" data-testid="chosen-head">{chosen}</b></h2>
            <p class="soft">{description}</p>
            <fieldset class="segments small wraps">
                <legend class="visually-hidden">"What the map shows"</legend>
                {move || offered.get().into_iter().map(option).collect_view()}
            </fieldset>
            <PlotCanvas page=sentence id=place.as_str() plot=plot label=label help=place.keys_help() actions=pick />
            <HeadList page=page sentence=sentence choose=choose />
            <Names page=page sentence=sentence />
            <div class="card-foot"><ExportMenu page=sentence figure=place /><DataTable page=sentence figure=place /></div>
        </section>
    }
    .into_any()
}

/// Heads with a name, each as a button that chooses it; where names have to be measured first, a button that starts
/// this.
#[component]
fn Names(page: Page, sentence: Page) -> impl IntoView {
    let known = Memo::new(move |_| {
        sentence
            .shown
            .with(|shown| head_names::from_literature(&shown.as_ref()?.result))
    });
    let measured = Memo::new(move |_| {
        let url = page.tracked_url()?;
        page.session.with(|session| session.head_names().of(&url))
    });
    let active = Memo::new(move |_| page.session.with(|session| session.head_names().request().is_active()));
    let error = move || {
        page.session
            .with(|session| session.head_names().request().error().map(ToString::to_string))
    };
    let choose = move |head: Head| {
        page.ask_with(|question| (question.head, question.src) = (Some(head), None));
    };
    // A recording may lack heads.
    let there = Memo::new(move |_| of_attention(sentence, AttentionSection::known_heads).unwrap_or_default());
    let button = move |head: (Head, Option<f32>)| {
        view! {
            <button
                type="button"
                class="preset"
                disabled=move || there.with(|there| !there.contains(&head.0))
                aria-pressed=move || (of_attention(sentence, |section| section.head) == Some(head.0)).to_string()
                on:click=move |_| choose(head.0)
            >{head_names::label(&head)}</button>
        }
    };
    let one = move |named: HeadGroup| {
        view! { <li><span>{named.name}</span>{named.heads.into_iter().map(button).collect_view()}</li> }
    };
    let list = move |named: Vec<HeadGroup>, measured: bool| {
        view! {
            <ul class="named" data-testid="named-heads">{named.into_iter().map(one).collect_view()}</ul>
            <p class="soft">{head_names::source(measured)}</p>
        }
    };
    move || {
        match (known.get(), measured.get()) {
        (Some(named), _) => list(named, false).into_any(),
        (None, Some(named)) => list(named, true).into_any(),
        (None, None) => view! {
            <button type="button" class="quiet" data-testid="name-heads" disabled=move || active.get() on:click=move |_| page.name_heads()>
                {move || if active.get() { "Naming the heads\u{2026}" } else { "Name heads by what they do" }}
            </button>
            <p class="soft" role="status">{error}</p>
        }
        .into_any(),
    }
    }
}

/// The card with the pattern of the chosen head.
#[component]
pub fn WholePattern(page: Page, sentence: Page) -> impl IntoView {
    let Some(place) = "pattern".parse::<FigurePlace>().ok() else {
        return ().into_any();
    };
    let (plot, label) = drawn(sentence, place);
    let pick = only_pick(move |target| {
        let Target::Cell(row, column) = target else {
            return false;
        };
        let asked = sentence.view.with_untracked(|view| view.sentence.pattern);
        let Some(shown) = untrack(|| of_attention(sentence, |section| shown_pattern(section, asked))) else {
            return false;
        };
        let (dest, src) = (shown.rows.0 + row, shown.columns.0 + column);
        page.ask_with(|question| (question.dest, question.src) = (Some(dest), Some(src)));
        true
    });
    let part = Memo::new(move |_| {
        let asked = page.view.with(|view| view.sentence.pattern);
        of_attention(sentence, |section| pattern_part(section, asked))
    });
    // In a shorter sentence both are the same.
    let has_parts = Memo::new(move |_| {
        of_attention(sentence, |section| section.texts.len() > PatternPart::NEAR).unwrap_or_default()
    });
    let option = move |choice: PatternPart| {
        view! {
            <Segment
                name="pattern"
                value=choice.value()
                label=move || choice.label()
                chosen=Signal::derive(move || part.get() == Some(choice))
                choose=move || page.view.update(|view| view.sentence.pattern = Some(choice))
            />
        }
    };
    view! {
        <section class="card" data-testid="card-pattern">
            <h2>{place.heading()}</h2>
            <Show when=move || has_parts.get()>
                <fieldset class="segments small">
                    <legend class="visually-hidden">"How much of the pattern is shown"</legend>
                    {PatternPart::ALL.map(option)}
                </fieldset>
            </Show>
            <PlotCanvas page=sentence id=place.as_str() plot=plot label=label help=place.keys_help() actions=pick />
            <div class="card-foot"><ExportMenu page=sentence figure=place /><DataTable page=sentence figure=place /></div>
            <LayerPatterns page=page sentence=sentence />
        </section>
    }
    .into_any()
}
