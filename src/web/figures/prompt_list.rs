//! The list of prompts beside the scatter plot: sorted, filtered, in pages.

use leptos::prelude::*;

use super::super::page::Page;
use super::super::scheduling::{Latest, SOON, when_idle};
use super::scattered::Scattered;
use crate::app::prompt_table::{PAGE, PromptRow, kinds, page_of, page_range, pages, rows};
use crate::figure::{ListView, PromptList, columns, scatter_words};
use crate::names::{PromptSeries, SplitBy};

/// A choice among the series that there are; `first` is what stands before them, for none of them.
#[component]
pub fn SeriesSelect(
    label: &'static str,
    id: &'static str,
    all: Memo<Vec<PromptSeries>>,
    #[prop(into)] chosen: Signal<Option<PromptSeries>>,
    choose: Callback<Option<PromptSeries>>,
    #[prop(optional)] first: Option<&'static str>,
) -> impl IntoView {
    let option = move |series: PromptSeries| {
        let (value, name) = (series.to_string(), scatter_words::series_name(&series));
        let selected = move || chosen.with(|chosen| chosen.as_ref() == Some(&series));
        view! { <option value=value prop:selected=selected>{name}</option> }
    };
    view! {
        <label class="tool">
            <span>{label}</span>
            <select data-testid=id on:change=move |event| choose.run(event_target_value(&event).parse().ok())>
                {first.map(|first| view! { <option value="" prop:selected=move || chosen.with(Option::is_none)>{first}</option> })}
                {move || all.get().into_iter().map(option).collect_view()}
            </select>
        </label>
    }
}

/// The list: what it is sorted and filtered by, how many are left, and a page of them.
#[component]
pub fn PromptTable(page: Page, scattered: Scattered) -> impl IntoView {
    let list = Memo::new(move |_| scattered.of(page, |result, view, group| Some(PromptList::of(result, view, group))));
    let start = RwSignal::new(0_usize);
    let picked = Memo::new(move |_| page.view.with(|view| view.prompt));
    // A prompt that is picked is on the page that is shown.
    Effect::new(move |_| {
        let found = list.with(|list| page_of(list.as_ref()?, picked.get()));
        start.set(found.unwrap_or(0));
    });
    let description = move || list.with(|list| list.as_ref().map(PromptList::description));
    let hidden = move || {
        let picked = picked.get()?;
        let missing = list.with(|list| list.as_ref().is_some_and(|list| !list.prompts.contains(&picked)));
        missing.then_some(" The marked prompt is not among them.")
    };
    let filters = Memo::new(move |_| page.view.with(|view| view.scatter.list.filters()));
    let shown = Memo::new(move |_| {
        let start = start.get();
        scattered.of(page, |result, view, _| {
            list.with(|list| Some((columns(result, view), rows(result, view, list.as_ref()?, start))))
        })
    });
    let turn = move |to: usize| start.set(to);
    let last = move || list.with(|list| list.as_ref().map_or(0, |list| list.prompts.len()));
    let many = move || last() > PAGE;
    let at_end = move || start.get() + PAGE >= last();
    view! {
        <section class="prompt-list" aria-label="Prompts" data-testid="prompt-list">
            <ListTools page=page scattered=scattered />
            <p class="list-count" role="status">
                <b data-testid="list-count">{description}</b>
                {hidden}
                " "
                <Show when=move || filters.get()>
                    <button
                        type="button"
                        class="tool"
                        data-testid="list-all"
                        on:click=move |_| page.view.update(|view| view.scatter.list = view.scatter.list.unfiltered())
                    >
                        "List all"
                    </button>
                </Show>
            </p>
            <div class="data-scroll" role="group" tabindex="0" aria-label="The prompts that are listed">
                {move || {
                    shown
                        .get()
                        .map(|(columns, rows)| view! { <OnePage page=page columns=columns rows=rows /> })
                }}
            </div>
            <Show when=many>
                <p class="list-pages">
                    <button type="button" class="tool" data-testid="list-before" disabled=move || start.get() == 0 on:click=move |_| turn(start.get_untracked().saturating_sub(PAGE))>
                        "Before"
                    </button>
                    <span>{move || page_range(last(), start.get())}</span>
                    <button type="button" class="tool" data-testid="list-after" disabled=at_end on:click=move |_| turn((start.get_untracked() + PAGE).min(pages(last())))>
                        "After"
                    </button>
                </p>
            </Show>
        </section>
    }
}

/// The rows of a page: a button that marks the prompt, its values, its text.
#[component]
fn OnePage(page: Page, columns: Vec<PromptSeries>, rows: Vec<PromptRow>) -> impl IntoView {
    let sort = Memo::new(move |_| {
        page.view
            .with(|view| (view.scatter.list.sort.clone(), view.scatter.list.descending))
    });
    let sorted = move |series: Option<PromptSeries>| {
        move || {
            sort.with(|(sort, descending)| {
                (*sort == series).then_some(if *descending { "descending" } else { "ascending" })
            })
        }
    };
    let has_texts = rows.iter().any(|row| row.text.is_some());
    let head = columns.into_iter().map(|series| {
        let name = scatter_words::series_name(&series);
        view! { <th scope="col" class="numeric" aria-sort=sorted(Some(series))>{name}</th> }
    });
    let row = |PromptRow {
                   prompt,
                   number,
                   values,
                   text,
               }: PromptRow| {
        let picked = move || page.view.with(|view| view.prompt == Some(prompt));
        let pick = move |_| {
            page.view
                .update(|view| view.prompt = Some(prompt).filter(|prompt| view.prompt != Some(*prompt)));
        };
        let values = values
            .into_iter()
            .map(|value| view! { <td class="numeric">{value}</td> });
        view! {
            <tr class:picked=picked>
                <th scope="row">
                    <button type="button" class="tool" aria-pressed=move || picked().to_string() aria-label=format!("Mark prompt {number}") on:click=pick>
                        {number.clone()}
                    </button>
                </th>
                {values.collect_view()}
                {text.map(|text| view! { <td class="prompt-text">{text}</td> })}
            </tr>
        }
    };
    view! {
        <table>
            <thead>
                <tr>
                    <th scope="col" aria-sort=sorted(None)>"prompt"</th>
                    {head.collect_view()}
                    {has_texts.then(|| view! { <th scope="col">"text"</th> })}
                </tr>
            </thead>
            <tbody>{rows.into_iter().map(row).collect_view()}</tbody>
        </table>
    }
}

/// What the list is sorted and filtered by.
#[component]
fn ListTools(page: Page, scattered: Scattered) -> impl IntoView {
    let list = Memo::new(move |_| page.view.with(|view| view.scatter.list.clone()));
    let change = move |change: &dyn Fn(&mut ListView)| page.view.update(|view| change(&mut view.scatter.list));
    let has_texts = Memo::new(move |_| {
        page.shown
            .with(|shown| shown.as_ref().is_some_and(|shown| !shown.result.prompts.is_empty()))
    });
    // What is typed is taken up once it stays.
    let typing = Latest::new();
    let search = move |text: String| typing.run_after(SOON, move || change(&|list| list.text.clone_from(&text)));
    let bounded_series = Signal::derive(move || {
        let asked = list.with(|list| list.bounded_series.clone());
        asked.or_else(|| scattered.axes.get().map(|(x, _)| x))
    });
    let bound = |bound: Option<f64>| bound.map_or_else(String::new, |bound| bound.to_string());
    view! {
        <div class="toolbar" role="group" aria-label="Which prompts are listed">
            <SeriesSelect
                label="Sort by"
                id="list-sort"
                all=scattered.series
                chosen=Signal::derive(move || list.with(|list| list.sort.clone()))
                choose=Callback::new(move |series: Option<PromptSeries>| change(&|list| list.sort.clone_from(&series)))
                first="number"
            />
            <button
                type="button"
                class="tool"
                data-testid="list-descending"
                aria-pressed=move || list.with(|list| list.descending).to_string()
                on:click=move |_| change(&|list| list.descending = !list.descending)
            >
                "Greatest first"
            </button>
            <Show when=move || has_texts.get()>
                <label class="tool">
                    <span>"Text has"</span>
                    <input
                        type="search"
                        maxlength="100"
                        autocomplete="off"
                        spellcheck="false"
                        data-testid="list-text"
                        prop:value=move || list.with(|list| list.text.clone())
                        on:input=move |event| search(event_target_value(&event))
                    />
                </label>
            </Show>
            <KindSelect page=page />
            <SeriesSelect
                label="Only where"
                id="list-of"
                all=scattered.series
                chosen=bounded_series
                choose=Callback::new(move |series: Option<PromptSeries>| change(&|list| list.bounded_series.clone_from(&series)))
            />
            <label class="tool">
                <span>"is at least"</span>
                <input
                    type="number"
                    step="any"
                    data-testid="list-least"
                    prop:value=move || bound(list.with(|list| list.least))
                    on:change=move |event| {
                        let least = event_target_value(&event).parse().ok();
                        change(&|list| list.least = least);
                    }
                />
            </label>
            <label class="tool">
                <span>"at most"</span>
                <input
                    type="number"
                    step="any"
                    data-testid="list-most"
                    prop:value=move || bound(list.with(|list| list.most))
                    on:change=move |event| {
                        let most = event_target_value(&event).parse().ok();
                        change(&|list| list.most = most);
                    }
                />
            </label>
        </div>
    }
}

/// The kind of prompts that is listed; nothing where their kinds are not known.
#[component]
fn KindSelect(page: Page) -> impl IntoView {
    // Kinds are found while the browser is idle: nobody waits for them.
    let wanted = RwSignal::new(false);
    when_idle(move || _ = wanted.try_set(true));
    let kinds = Memo::new(move |_| {
        if !wanted.get() {
            return Vec::new();
        }
        page.shown
            .with(|shown| shown.as_ref().map(|shown| kinds(&shown.result)))
            .unwrap_or_default()
    });
    let chosen = Memo::new(move |_| page.view.with(|view| view.scatter.list.group));
    let choose = move |value: String| {
        let found = value
            .split_once(',')
            .and_then(|(by, number)| Some((by.parse::<SplitBy>().ok()?, number.parse().ok()?)));
        page.view.update(|view| view.scatter.list.group = found);
    };
    let option = move |(by, number, name): (SplitBy, usize, String)| {
        let selected = move || chosen.get() == Some((by, number));
        view! { <option value=format!("{by},{number}") prop:selected=selected>{name}</option> }
    };
    let group = move |(by, names): (SplitBy, Vec<String>)| {
        let options = names
            .into_iter()
            .enumerate()
            .map(|(number, name)| option((by, number, name)));
        view! { <optgroup label=by.as_str()>{options.collect_view()}</optgroup> }
    };
    view! {
        <Show when=move || kinds.with(|kinds| !kinds.is_empty())>
            <label class="tool">
                <span>"Kind"</span>
                <select data-testid="list-kind" on:change=move |event| choose(event_target_value(&event))>
                    <option value="" prop:selected=move || chosen.get().is_none()>"all"</option>
                    {move || kinds.get().into_iter().map(group).collect_view()}
                </select>
            </label>
        </Show>
    }
}
