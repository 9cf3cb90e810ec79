//! An opened sweep: a map of heads for each of its prompt sets, with a link from each head to its own run.

use leptos::prelude::*;

use super::document;
use super::figures::{Actions, PlotCanvas};
use super::page::Page;
use super::scheduling::after_frame;
use super::segment::Segment;
use crate::app::address::Tab;
use crate::app::session::Session;
use crate::app::sweep_maps::{HeadLink, SweepMaps};
use crate::error::Result;
use crate::names::Head;
use crate::plot::{Plot, Target};
use crate::quantities::number;
use crate::sweep::SweepMeasure;

const CARD: &str = "sweep";
const KEYS: &str = "Arrow keys go from head to head; Enter runs the head that is marked.";

impl Page {
    /// Shows a sweep, or the error.
    pub fn open_sweep(self, read: Result<SweepMaps>) {
        self.tab.set(Tab::Prompts);
        match read {
            Ok(sweep) => {
                self.session.update(Session::dismiss_error);
                self.sweep.set(Some(sweep));
                // The controls may cover the sweep.
                self.controls_open.set(false);
                after_frame(|| after_frame(|| document::focus(CARD)));
            }
            Err(error) => self.session.update(|session| session.fail(error)),
        }
    }

    /// Sets the form to the run of `head` in the shown sweep, and starts it where the model is available; returns a
    /// remark for the reader.
    fn lead_to(self, head: Head) -> Option<String> {
        if self.session.with_untracked(|session| session.run().is_active()) {
            return Some("A run is under way. Wait for it, or cancel it.".into());
        }
        let link = self.form.with_untracked(|form| {
            self.sweep
                .with_untracked(|sweep| Some(sweep.as_ref()?.link_for(head, form)))
        })?;
        match link {
            HeadLink::Nowhere(reason) => Some(reason),
            HeadLink::Run {
                form,
                starts_at_once,
                advice,
            } => {
                self.form.set(*form);
                self.session.update(Session::dismiss_error);
                if starts_at_once {
                    self.run_when_described();
                    return Some(format!("Head {head} is run below."));
                }
                self.describe_unless_on_hub();
                self.controls_open.set(true);
                Some(format!("The controls are filled in for head {head}. {advice}"))
            }
        }
    }
}

/// The card of the opened sweep.
#[component]
pub fn SweepCard(page: Page) -> impl IntoView {
    let there = Memo::new(move |_| page.sweep.with(Option::is_some));
    view! { <Show when=move || there.get()><Maps page=page /></Show> }
}

#[component]
fn Maps(page: Page) -> impl IntoView {
    let sweep = page.sweep;
    let text =
        move |read: &dyn Fn(&SweepMaps) -> String| sweep.with(|sweep| sweep.as_ref().map(read).unwrap_or_default());
    let change = move |change: &dyn Fn(&mut SweepMaps)| {
        sweep.update(|sweep| {
            if let Some(sweep) = sweep {
                change(sweep);
            }
        });
    };
    let plot = Memo::new(move |_| {
        sweep.with(|sweep| {
            let sweep = sweep.as_ref()?;
            Some(Plot::from(sweep.shown()?.plot(sweep.measure)))
        })
    });
    let title = move || plot.with(|plot| plot.as_ref().map(|plot| plot.title().to_owned()));
    let label = Signal::derive(move || {
        let (title, heads) = (title().unwrap_or_default(), largest(page));
        let heads: Vec<String> = heads.iter().map(|(head, value)| format!("{head} {value}")).collect();
        format!("{title}. Largest: {}", heads.join(", "))
    });
    let said = RwSignal::new(None::<String>);
    let lead = move |head: Head| said.set(page.lead_to(head));
    let actions = Actions {
        zoom: Callback::new(|_| ()),
        pick: Callback::new(move |target| {
            let Target::Cell(layer, head) = target else {
                return false;
            };
            lead(Head::new(layer, head));
            true
        }),
        reset: Callback::new(|()| ()),
    };
    let matching = Memo::new(move |_| sweep.with(|sweep| sweep.as_ref().map(SweepMaps::matching).unwrap_or_default()));
    let place = Memo::new(move |_| sweep.with(|sweep| sweep.as_ref().and_then(SweepMaps::shown_place)));
    let several = Memo::new(move |_| {
        matching.with(Vec::len) > 1 || sweep.with(|sweep| sweep.as_ref().is_some_and(|sweep| !sweep.filter.is_empty()))
    });
    let option = move |(at, name): (usize, String)| {
        view! { <option value=at.to_string() selected=move || place.get() == Some(at)>{name}</option> }
    };
    let choose = move |event| {
        if let Ok(place) = event_target_value(&event).parse::<usize>() {
            change(&|sweep| sweep.choose(place));
        }
    };
    let measure = move |choice: SweepMeasure| {
        view! {
            <Segment
                name="sweep-measure"
                value=choice.value()
                label=move || choice.label()
                chosen=Signal::derive(move || sweep.with(|sweep| sweep.as_ref().is_some_and(|sweep| sweep.measure == choice)))
                choose=move || change(&|sweep| sweep.measure = choice)
            />
        }
    };
    let button = move |(head, value): (Head, String)| {
        view! {
            <button type="button" class="preset" data-testid="sweep-head" on:click=move |_| lead(head)>
                {head.to_string()}<span class="soft">{value}</span>
            </button>
        }
    };
    view! {
        <section class="card sweep" id=CARD tabindex="-1" data-testid="card-sweep" aria-label="Sweep">
            <div class="card-head">
                <h2>"Sweep: "{move || text(&|sweep| sweep.name.clone())}</h2>
                <button type="button" class="quiet" data-testid="close-sweep" on:click=move |_| sweep.set(None)>"Close"</button>
            </div>
            <p class="soft">{move || text(&SweepMaps::summary)}". Press a head to run it by itself on the same prompts."</p>
            <Show when=move || several.get()>
                <div class="pair">
                    <div class="field">
                        <label for="sweep-filter">"Only sets such as"</label>
                        <input
                            type="text"
                            id="sweep-filter"
                            autocomplete="off"
                            placeholder="model, prompts, seed 1"
                            data-testid="sweep-filter"
                            prop:value=move || text(&|sweep| sweep.filter.clone())
                            on:input=move |event| {
                                let typed = event_target_value(&event);
                                change(&|sweep| sweep.filter.clone_from(&typed));
                            }
                        />
                    </div>
                    <div class="field">
                        <label for="sweep-set">"Set of prompts"</label>
                        <select id="sweep-set" data-testid="sweep-set" on:change=choose>
                            {move || matching.get().into_iter().map(option).collect_view()}
                        </select>
                    </div>
                </div>
            </Show>
            <Show
                when=move || place.get().is_some()
                fallback=|| view! { <p role="status">"No set has such a name."</p> }
            >
                <fieldset class="segments small">
                    <legend class="visually-hidden">"What the map shows"</legend>
                    {SweepMeasure::ALL.map(measure)}
                </fieldset>
                <p class="plot-title">{title}</p>
                <PlotCanvas page=page id="sweep-map" plot=plot label=label help=KEYS actions=actions />
                <p class="presets">"Largest: "{move || largest(page).into_iter().map(button).collect_view()}</p>
                <p class="soft" role="status" data-testid="sweep-said">{move || said.get()}</p>
            </Show>
        </section>
    }
}

/// The heads with the largest values of the shown measure, and their texts.
fn largest(page: Page) -> Vec<(Head, String)> {
    page.sweep.with(|sweep| {
        let sweep = sweep.as_ref();
        let in_words = |(head, value): (Head, f64)| (head, number(value, 3));
        sweep.map_or_else(Vec::new, |sweep| sweep.largest().into_iter().map(in_words).collect())
    })
}
