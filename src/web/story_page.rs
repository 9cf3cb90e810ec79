//! The "Story" tab: the recorded numbers of one head, step by step, with the components that the reader's own sentence
//! has.

use leptos::prelude::*;

use super::ablation::AblationStep;
use super::document::{self, TOP};
use super::figures::{Actions, PlotCanvas, figure_at};
use super::page::Page;
use super::scheduling::after_frame;
use super::segment::Segment;
use super::sentence::{SENTENCE_FIELD, Strip, drawn, of_attention};
use super::story::{Seen, Text};
use super::{data_table::DataTable, export::ExportMenu};
use crate::analysis::HeadEffectsSection;
use crate::app::address::Tab;
use crate::app::last_line;
use crate::app::steps::{Shows, StoryStep, effect_words, lead};
use crate::app::words;
use crate::figure::{self, FigurePlace};
use crate::names::{FigureName, Head, HistogramId};
use crate::plot::Target;

/// The tab with the story.
#[component]
pub fn StoryPage(page: Page) -> impl IntoView {
    let story = page.of_story();
    page.load_sentences();
    page.load_effects();
    let arrived = Memo::new(move |_| story.shown.with(Option::is_some));
    // The sentence is drawn first; the figures follow.
    Effect::new(move |_| {
        if arrived.get() {
            after_frame(move || {
                page.linked.mark_first();
                show_step(page.step.get_untracked().unwrap_or_default());
            });
        }
    });
    let error = move || {
        page.session
            .with(|session| session.question_state().request().error().map(ToString::to_string))
    };
    view! {
        <main class="sentence-page story-page" id=TOP tabindex="-1">
            <Show when=move || arrived.get() fallback=move || view! { <p class="error" role="alert">{error}</p> }>
                <section class="card ask" id=StoryStep::Looks.value() aria-labelledby="story-heading">
                    <h1 id="story-heading">{words::TITLE}</h1>
                    <p class="lead" data-testid="story-lead">{move || story.shown.with(|shown| Some(lead(&shown.as_ref()?.result)))}</p>
                    <Strip page=page sentence=story in_story=true />
                    <TryIt page=page step=StoryStep::Looks />
                    <details class="source" data-testid="story-source">
                        <summary>"Recorded on real GPT-2 small"</summary>
                        <p class="soft">{move || source(page)}</p>
                    </details>
                </section>
                <Contents page=page />
                {StoryStep::ALL[1..].iter().map(|step| view! { <Step page=page step=*step /> }).collect_view()}
                <section class="card">
                    <h2>"And in your sentence?"</h2>
                    <p class="step-words">
                        "Type one: the same heads, bars and maps, with the exact decomposition of every score. Or see whether it holds on many prompts, \
                         of this kind or of your own."
                    </p>
                    <div class="buttons-row">
                        <button type="button" class="primary" data-testid="own-sentence" on:click=move |_| try_it(page, StoryStep::Looks)>
                            {Tab::Sentence.label()}
                        </button>
                        <button type="button" data-testid="many-prompts" on:click=move |_| page.open_tab(Tab::Prompts)>{Tab::Prompts.label()}</button>
                    </div>
                </section>
            </Show>
        </main>
    }
}

/// Scrolls to `step`, unless it is the first one.
fn show_step(step: StoryStep) {
    if step != StoryStep::default()
        && let Some(element) = leptos::prelude::document().get_element_by_id(step.value())
    {
        element.scroll_into_view();
    }
}

/// The source of the sentence's numbers, as text.
fn source(page: Page) -> Option<String> {
    page.session.with(|session| session.sentences().first()?.note.clone())
}

/// Opens the sentence of the story as the reader's own, at `step`, ready to be replaced by typing.
fn try_it(page: Page, step: StoryStep) {
    page.leave_story(step, |_| ());
    after_frame(|| after_frame(|| document::select(SENTENCE_FIELD)));
}

#[component]
fn TryIt(page: Page, step: StoryStep) -> impl IntoView {
    view! {
        <div class="buttons-row">
            <button type="button" class="primary" data-testid=format!("try-{}", step.value()) on:click=move |_| try_it(page, step)>
                "Try it on my sentence"
            </button>
        </div>
    }
}

/// A button for each step.
#[component]
fn Contents(page: Page) -> impl IntoView {
    let one = move |step: StoryStep| {
        let open = move |_| {
            page.step.set(Some(step));
            match step {
                StoryStep::Looks => document::to_top(),
                _ => show_step(step),
            }
        };
        view! {
            <li>
                <button
                    type="button"
                    data-testid=format!("step-{}", step.value())
                    aria-current=move || (page.step.get().unwrap_or_default() == step).then_some("step")
                    on:click=open
                ><span class="number">{step.number()}</span>{step.short()}</button>
            </li>
        }
    };
    view! { <nav class="steps" aria-label="Steps of the story"><ol>{StoryStep::ALL.map(one).collect_view()}</ol></nav> }
}

#[component]
fn Step(page: Page, step: StoryStep) -> impl IntoView {
    let content = match step.shows() {
        Shows::Sentence => ().into_any(),
        Shows::Effects => view! { <EffectsStep page=page step=step /> }.into_any(),
        Shows::Histogram(name) => of_run(page, step, vec![FigureName::of(name)]),
        Shows::Heatmap => of_run(
            page,
            step,
            vec![FigureName::HEATMAP, FigureName::of(HistogramId::QueriesFixedScores)],
        ),
        Shows::Ablation => view! { <AblationStep page=page><TryIt page=page step=step /></AblationStep> }.into_any(),
    };
    let id = format!("{}-heading", step.value());
    let label = id.clone();
    view! {
        <section class="card step" id=step.value() aria-labelledby=label data-testid=format!("story-step-{}", step.value())>
            <h2 id=id><span class="number">{step.number()}</span>{step.heading()}</h2>
            {content}
        </section>
    }
}

/// Figures of the recorded run, each with its description.
fn of_run(page: Page, step: StoryStep, names: Vec<FigureName>) -> AnyView {
    let recorded = page.of_recorded_run();
    let one = move |name: FigureName| {
        let place = FigurePlace::of(name)?;
        Some(view! {
            <Seen page=recorded place=place />
            {figure_at(recorded, place, step.number())}
        })
    };
    let words = move || {
        let prompts = recorded.shown.with(|shown| Some(shown.as_ref()?.result.prompt_count()));
        step.words(prompts.unwrap_or_default())
    };
    view! {
        <p class="step-words">{words}</p>
        <Text page=recorded>{names.iter().copied().map(one).collect_view()}</Text>
        {(step == StoryStep::Query).then(|| view! { <LastLine page=page recorded=recorded step=step /> })}
        <TryIt page=page step=step />
    }
    .into_any()
}

/// The last line of the original notebook (the unembedding of IO in place of the query): the recorded effect, and a button that tries it with
/// the chosen model.
#[component]
fn LastLine(page: Page, recorded: Page, step: StoryStep) -> impl IntoView {
    let words = Memo::new(move |_| {
        let words = recorded
            .shown
            .with(|shown| Some(last_line::words(&shown.as_ref()?.result)));
        words.unwrap_or_default()
    });
    view! {
        <Show when=move || words.with(|words| !words.is_empty())>
            <div class="step-words" data-testid="last-line">
                <h3>"The research notebook\u{2019}s last line: \u{201c}sub out query-side with IO, then try again\u{201d}"</h3>
                {move || words.get().into_iter().map(|words| view! { <p>{words}</p> }).collect_view()}
            </div>
            <div class="buttons-row">
                <button type="button" data-testid="last-line-live" on:click=move |_| page.leave_to_try(step, last_line::PRESET)>
                    "Try it live: the query from W_U of IO, recomputed"
                </button>
            </div>
        </Show>
    }
}

/// The result of `read` on the recorded effects of heads.
fn of_effects<T>(page: Page, read: impl FnOnce(&HeadEffectsSection) -> T) -> Option<T> {
    page.session
        .with(|session| session.effects()?.result.head_effects().map(read))
}

/// The map of the effects of all heads.
#[component]
fn EffectsStep(page: Page, step: StoryStep) -> impl IntoView {
    let effects = page.of_recorded_effects(figure::Effect::Direct);
    let Some(place) = FigurePlace::of(FigureName::HEAD_EFFECTS) else {
        return ().into_any();
    };
    let (plot, label) = drawn(effects, place);
    let shown = Memo::new(move |_| effects.view.with(|view| view.sentence.effect));
    let option = move |choice: figure::Effect| {
        view! {
            <Segment
                name="effect"
                value=choice.value()
                label=move || choice.label()
                chosen=Signal::derive(move || shown.get() == choice)
                choose=move || effects.view.update(|view| view.sentence.effect = choice)
            />
        }
    };
    let actions = Actions {
        zoom: Callback::new(|_| ()),
        pick: Callback::new(move |target| {
            let Target::Cell(layer, head) = target else {
                return false;
            };
            page.leave_story(step, |question| {
                (question.head, question.src) = (Some(Head::new(layer, head)), None);
            });
            true
        }),
        reset: Callback::new(|()| ()),
    };
    let head = page.of_story();
    let description = move || {
        let head = of_attention(head, |section| section.head)?;
        let words = of_effects(page, |section| effect_words(section, head))?;
        Some(words.into_iter().map(|words| view! { <p>{words}</p> }).collect_view())
    };
    let explanation = move || effects.view.with(|view| place.explanation(view));
    let title = move || plot.with(|plot| plot.as_ref().map(|plot| plot.title().to_owned()));
    view! {
        <div class="step-columns">
            <div>
                <div class="step-words" data-testid="effect-words">{description}</div>
                <p class="soft">{explanation}" A click on a cell shows where that head looks."</p>
                <TryIt page=page step=step />
            </div>
            <div>
                <fieldset class="segments small wraps">
                    <legend class="visually-hidden">"What the map shows"</legend>
                    {figure::Effect::ALL.map(option).collect_view()}
                </fieldset>
                <p class="soft">{title}</p>
                <PlotCanvas page=effects id=place.as_str() plot=plot label=label help=place.keys_help() actions=actions />
                <div class="card-foot"><ExportMenu page=effects figure=place /><DataTable page=effects figure=place /></div>
            </div>
        </div>
    }
    .into_any()
}
