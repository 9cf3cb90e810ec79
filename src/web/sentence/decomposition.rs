//! The card with the terms of the score: the largest components, the full map, and the pairs of components of both
//! sides.

use leptos::prelude::*;

use super::super::data_table::DataTable;
use super::super::export::ExportMenu;
use super::super::figures::PlotCanvas;
use super::super::method_link::MethodLink;
use super::super::page::Page;
use super::super::segment::Segment;
use super::bars::Bars;
use super::both::BothSides;
use super::down::Down;
use super::offer::{Offer, is_answered_by_recording};
use super::shown::{drawn, lacks, of_attention, of_pair, only_pick};
use crate::analysis::PairSection;
use crate::analysis::pair::{PartPath, Step};
use crate::app::method::MethodSection;
use crate::figure::down_words::{BarLine, step_into};
use crate::figure::sentence_words::{relative_words, score_words, sums, word};
use crate::figure::{FigurePlace, of_side, writer_at};
use crate::math::sort_descending;
use crate::names::{Relative, Side};
use crate::plot::Target;
use crate::quantities::counted;

/// Components with a bar of their own.
const BARS: usize = 10;

/// The open tab of the card.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum ShownSides {
    One(Side),
    Both,
}

impl ShownSides {
    /// The side of the tab; None for the tab of both sides.
    const fn side(self) -> Option<Side> {
        match self {
            Self::One(side) => Some(side),
            Self::Both => None,
        }
    }
}

/// The largest components of `side` in descending order, and one bar for the sum of all others.
fn bars(section: &PairSection, side: Side) -> Vec<BarLine> {
    let mut writers = of_side(section, side);
    sort_descending(&mut writers, |writer| writer.1.abs());
    let rest = writers.split_off(BARS.min(writers.len()));
    let mut bars: Vec<BarLine> = writers
        .into_iter()
        .map(|(component, value)| BarLine {
            name: component.label(),
            value: f64::from(value),
            step: step_into(component),
        })
        .collect();
    sort_descending(&mut bars, |bar| bar.value);
    if !rest.is_empty() {
        bars.push(BarLine {
            name: counted(rest.len(), "other", "others"),
            value: rest.iter().map(|(_, value)| f64::from(*value)).sum(),
            step: None,
        });
    }
    bars
}

/// The card with the terms of the score.
#[component]
pub fn Decomposition(page: Page, sentence: Page) -> impl IntoView {
    let both = RwSignal::new(false);
    let part = Memo::new(move |_| {
        if both.get() {
            ShownSides::Both
        } else {
            ShownSides::One(page.view.with(|view| view.sentence.side))
        }
    });
    let label = move |choice: ShownSides| {
        move || {
            let ShownSides::One(side) = choice else {
                return "Both".to_owned();
            };
            let word = of_pair(sentence, |section, texts| match side {
                Side::Key => word(texts, section.src),
                Side::Query => word(texts, section.dest),
            });
            let name = match side {
                Side::Key => "Key side",
                Side::Query => "Query side",
            };
            word.map_or_else(|| name.to_owned(), |word| format!("{name}: {word}"))
        }
    };
    let choose = move |choice: ShownSides| match choice {
        ShownSides::Both => both.set(true),
        ShownSides::One(side) => {
            both.set(false);
            page.view.update(|view| view.sentence.side = side);
        }
    };
    let option = move |choice: ShownSides, value: &'static str| {
        view! {
            <Segment
                name="decomposition"
                value=value
                label=move || view! { {label(choice)} }
                chosen=Signal::derive(move || part.get() == choice)
                choose=move || choose(choice)
            />
        }
    };
    // The terms arrive after the attention: until then the previous ones are shown faintly.
    let stale = move || {
        sentence.shown.with(|shown| {
            let pairs = shown.as_ref().and_then(|shown| {
                let (pair, attention) = (shown.result.pair()?, shown.result.attention()?);
                Some((
                    (pair.head, pair.dest, pair.src),
                    (attention.head, attention.dest, attention.src),
                ))
            });
            pairs.is_some_and(|(pair, attention)| pair != attention)
        })
    };
    let missing = lacks(sentence, |result| result.pair().is_some());
    let head = move || {
        let head = if missing.get() {
            of_attention(sentence, |section| section.head)
        } else {
            of_pair(sentence, |section, _| section.head)
        };
        head.map(|head| format!("What makes the score of head {head}?"))
    };
    let whole = move || {
        view! {
            <p class="soft" data-testid="score-words">
                {move || of_pair(sentence, |section, texts| score_words(section, texts, part.get().side()))}
            </p>
            <div class="switches">
                <fieldset class="segments small">
                    <legend class="visually-hidden">"Which side"</legend>
                    {option(ShownSides::One(Side::Key), Side::Key.as_str())}
                    {option(ShownSides::One(Side::Query), Side::Query.as_str())}
                    {option(ShownSides::Both, "both")}
                </fieldset>
                <RelativeTo page=page sentence=sentence />
            </div>
            <p class="soft">
                <span data-testid="relative-words">{move || of_pair(sentence, relative_words)}</span>" "
                <MethodLink page=page section=MethodSection::Softmax words="What softmax ignores" />
            </p>
            {move || match part.get() {
                ShownSides::One(side) => view! { <OneSide page=page sentence=sentence side=side /> }.into_any(),
                ShownSides::Both => view! { <BothSides page=page sentence=sentence /> }.into_any(),
            }}
            <p class="soft" data-testid="decomposition-sum">{move || of_pair(sentence, |section, _| sums(section))}</p>
        }
    };
    view! {
        <section class="card decomposition" class:stale=stale data-testid="card-decomposition">
            <h2><span class="number">"2"</span>{head}</h2>
            {move || if missing.get() {
                view! { <NotRecorded page=page sentence=sentence /> }.into_any()
            } else {
                whole().into_any()
            }}
        </section>
    }
}

/// A notice that the recording has no such terms, and a button for models that compute them. Where the answer is not
/// the one to the current question, the sentence field says so.
#[component]
fn NotRecorded(page: Page, sentence: Page) -> impl IntoView {
    let answered = is_answered_by_recording(page);
    let relative = Memo::new(move |_| page.question.with(|question| question.relative.is_some()));
    view! {
        <p class="soft" data-testid="not-recorded">"The decomposition of this score is not recorded: only where heads look."</p>
        <Show when=move || relative.get()>
            <RelativeTo page=page sentence=sentence />
        </Show>
        <Show when=move || answered.get()>
            <Offer page=page words="A model computes it here, on this device." name="decomposition-offer" />
        </Show>
    }
}

/// The choice between the raw score and the score relative to a baseline.
#[component]
fn RelativeTo(page: Page, sentence: Page) -> impl IntoView {
    let tokens = Memo::new(move |_| {
        let description = of_attention(sentence, |section| {
            let others = (0..=section.dest).filter(|position| *position != section.src);
            let name = |position: usize| {
                let text = crate::figure::sentence_words::quoted(&section.texts, position);
                (position, format!("minus {text} ({position})"))
            };
            others.map(name).collect::<Vec<_>>()
        });
        description.unwrap_or_default()
    });
    let chosen = Memo::new(move |_| {
        page.question
            .with(|question| question.relative.map(|to| to.to_string()))
    });
    let choose = move |event| {
        let value: String = event_target_value(&event);
        page.ask_with(|question| question.relative = value.parse().ok());
    };
    view! {
        <label class="relative">
            <span class="visually-hidden">"The score relative to"</span>
            <select data-testid="relative-select" prop:value=move || chosen.get().unwrap_or_default() on:change=choose>
                <option value="">"raw score"</option>
                <option value=Relative::Mean.to_string()>"relative to the mean key"</option>
                <option value=Relative::Attention.to_string()>"relative to what the head attends to"</option>
                {move || tokens.get().into_iter().map(|(position, label)| {
                    view! { <option value=position.to_string()>{label}</option> }
                }).collect_view()}
            </select>
        </label>
    }
}

/// The components of one side as bars, and the map of all.
#[component]
fn OneSide(page: Page, sentence: Page, side: Side) -> impl IntoView {
    let Some(place) = "writers".parse::<FigurePlace>().ok() else {
        return ().into_any();
    };
    let (plot, label) = drawn(sentence, place);
    let list = move || of_pair(sentence, |section, _| bars(section, side)).unwrap_or_default();
    // The component whose parts are shown below.
    let opened = Memo::new(move |_| {
        page.question.with(|question| {
            let part_path = question.down.as_ref().filter(|part_path| part_path.side == side)?;
            part_path.path.first().copied()
        })
    });
    // Opens a component's own terms; a second click closes them.
    let open = move |step: Step| {
        let part_path = (opened.get_untracked() != Some(step)).then(|| PartPath {
            side,
            against: None,
            relative: None,
            path: vec![step],
        });
        page.ask_with(|question| question.down = part_path);
    };
    let component_at = move |row: usize, column: usize| {
        of_pair(sentence, |section, _| writer_at(section, side, (row, column))).flatten()
    };
    let pick = only_pick(move |target| {
        let Target::Cell(row, column) = target else {
            return false;
        };
        let step = untrack(|| component_at(row, column)).and_then(step_into);
        step.is_some_and(|step| {
            open(step);
            true
        })
    });
    view! {
        <div class="one-side">
            <div>
                <Bars lines=Signal::derive(list) open=open opened=opened name="writers" />
                <p class="soft">"A head opens into the tokens it has read, an MLP into its neurons: click one."</p>
            </div>
            <div>
                <PlotCanvas page=sentence id=place.as_str() plot=plot label=label help=place.keys_help() actions=pick />
                <div class="card-foot"><ExportMenu page=sentence figure=place /><DataTable page=sentence figure=place /></div>
            </div>
        </div>
        <Down page=page sentence=sentence side=side />
    }
    .into_any()
}
