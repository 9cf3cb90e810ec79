//! A list of the largest cells of a heatmap, for narrow windows in which cells are small.

use leptos::prelude::*;

use super::super::page::Page;
use crate::plot::HeatmapPlot;
use crate::quantities::measured;

/// Cells that are listed at first.
const FIRST: usize = 8;

/// The cells of `plot` by the size of their values; pressed, one is picked, and pressed again let go.
#[component]
pub fn LargestCells(page: Page, plot: Memo<Option<HeatmapPlot>>) -> impl IntoView {
    let narrow = page.linked.narrow;
    let all = RwSignal::new(false);
    let cells = Memo::new(move |_| {
        let largest = plot
            .with(|plot| plot.as_ref().map(HeatmapPlot::by_size))
            .unwrap_or_default();
        let count = if all.get() { largest.len() } else { FIRST };
        (largest.len(), largest.into_iter().take(count).collect::<Vec<_>>())
    });
    let limit = Memo::new(move |_| plot.with(|plot| plot.as_ref().map_or(0.0, |plot| plot.limit)));
    let picked = Memo::new(move |_| page.view.with(|view| view.heatmap.pick));
    let row = move |(name, value, place): (String, f64, (usize, usize))| {
        let share = move || match limit.get() {
            limit if limit > 0.0 => format!("{:.1}%", 100.0 * (value / limit).abs()),
            _ => "0%".to_owned(),
        };
        view! {
            <li>
                <button
                    type="button"
                    class="largest-cell"
                    class:lowers=value < 0.0
                    aria-pressed=move || (picked.get() == Some(place)).to_string()
                    on:click=move |_| {
                        page.view.update(|view| view.heatmap.pick = Some(place).filter(|place| view.heatmap.pick != Some(*place)));
                    }
                >
                    <span>{name}</span>
                    <span class="amount">{move || measured(value, limit.get())}</span>
                    <span class="size" style:width=share></span>
                </button>
            </li>
        }
    };
    view! {
        <Show when=move || narrow.get() && cells.with(|(count, _)| *count > 0)>
            <div class="largest" data-testid="largest-cells">
                <h4>"Largest first"</h4>
                <ol>
                    <For each=move || cells.get().1 key=|cell| (cell.2, cell.1.to_bits()) let:cell>
                        {row(cell)}
                    </For>
                </ol>
                <Show when=move || { cells.with(|(count, _)| *count > FIRST) }>
                    <button type="button" class="tool" data-testid="all-cells" on:click=move |_| all.update(|all| *all = !*all)>
                        {move || if all.get() { "The largest alone".to_owned() } else { format!("All {}", cells.get().0) }}
                    </button>
                </Show>
            </div>
        </Show>
    }
}
