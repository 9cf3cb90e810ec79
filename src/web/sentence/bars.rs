//! A list of labeled bars, one for each summand; some can be opened.

use leptos::prelude::*;

use crate::analysis::pair::Step;
use crate::figure::down_words::BarLine;
use crate::quantities::number;

/// Minimum and maximum of the values and 0.
fn range(lines: &[BarLine]) -> (f64, f64) {
    let values = lines.iter().map(|line| line.value);
    values.fold((0.0, 0.0), |(low, high), value| (low.min(value), high.max(value)))
}

/// One bar for each of `lines`. A line with a step is a button that passes the step to `open`, and is marked where it
/// is `opened`.
#[component]
pub fn Bars(
    #[prop(into)] lines: Signal<Vec<BarLine>>,
    open: impl Fn(Step) + Copy + Send + Sync + 'static,
    #[prop(into)] opened: Signal<Option<Step>>,
    /// Value of `data-testid`.
    name: &'static str,
) -> impl IntoView {
    let list = move || {
        let lines = lines.get();
        let (low, high) = range(&lines);
        let span = (high - low).max(1e-9);
        let row = move |line: BarLine| {
            let class = if line.value < 0.0 { "bar lowers" } else { "bar raises" };
            let sign = if line.value > 0.0 { "+" } else { "" };
            let label = match line.step {
                Some(step) => view! {
                    <button
                        type="button"
                        class="name"
                        aria-expanded=move || (opened.get() == Some(step)).to_string()
                        on:click=move |_| open(step)
                    >{line.name}</button>
                }
                .into_any(),
                None => view! { <span class="name">{line.name}</span> }.into_any(),
            };
            view! {
                <li>
                    {label}
                    <span class=class style=("--part", format!("{:.4}", line.value.abs() / span))></span>
                    <span class="value">{format!("{sign}{}", number(line.value, 2))}</span>
                </li>
            }
        };
        lines.into_iter().map(row).collect_view()
    };
    // Horizontal position of the zero line, from the left.
    let zero = move || {
        lines.with(|lines| {
            let (low, high) = range(lines);
            format!("{:.4}", -low / (high - low).max(1e-9))
        })
    };
    view! { <ul class="bars" style=("--zero", zero) data-testid=name>{list}</ul> }
}
