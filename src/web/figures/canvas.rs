//! A canvas with a plot: crisp at every pixel ratio, redrawn when the plot, its size or the theme changes while it is
//! in view.

use std::sync::Arc;

use leptos::html;
use leptos::prelude::*;

use super::super::page::Page;
use super::colors::theme;
use super::element_observer;
use super::explorer::{Actions, Explorer};
use super::hover_text::Kept;
use super::overlay::{Overlay, Tooltip};
use super::painter::Painter;
use crate::plot::{DrawOptions, Plot, Scene, Target};

fn options(page: Page, legend: bool) -> DrawOptions {
    DrawOptions {
        legend,
        title: false,
        ..DrawOptions::canvas(page.linked.ratio.get(), theme(page))
    }
}

/// The canvas and what moves over it. `label` says in words what there is to see, `help` which keys there are; `id` makes
/// the names of its parts unique in the page. `target` is told what is pointed at; `legend` draws the plot's own legend; `hint`
/// says how its values are kept below it, in a line that is always there then; `moves` is whether a drag moves what is shown.
#[component]
pub fn PlotCanvas(
    page: Page,
    id: &'static str,
    #[prop(into)] plot: Signal<Option<Plot>>,
    #[prop(into)] label: Signal<String>,
    help: &'static str,
    actions: Actions,
    #[prop(optional)] target: Option<RwSignal<Option<Target>>>,
    #[prop(optional)] legend: bool,
    #[prop(optional)] hint: Option<&'static str>,
    #[prop(optional)] moves: Option<RwSignal<bool>>,
) -> impl IntoView {
    let frame = NodeRef::<html::Div>::new();
    let canvas = NodeRef::<html::Canvas>::new();
    let upper = NodeRef::<html::Canvas>::new();
    let width = RwSignal::new(0.0_f64);
    element_observer::width_of(frame, width);
    let suitable = Memo::new(move |_| plot.with(|plot| plot.as_ref().map_or(360.0, |plot| plot.height(width.get()))));
    let size = Memo::new(move |_| (width.get(), suitable.get().min(page.linked.room.get())));
    let options = Memo::new(move |_| options(page, legend));
    let scene = Memo::new(move |_| {
        let (width, height) = size.get();
        let plot = plot.get().filter(|_| width > 0.0)?;
        Some(Arc::new(
            options.with(|options| Scene::new(plot, width, height, options)),
        ))
    });
    Painter::new(page, (canvas, upper), scene, size, options).follow(frame);

    let moves = moves.unwrap_or_else(|| RwSignal::new(false));
    let explorer = Explorer::new(scene, actions, moves);
    let pointed = Memo::new(move |_| explorer.target());
    let explained = Memo::new(move |_| explorer.reached());
    let marked = Memo::new(move |_| explorer.hover(pointed.get()));
    let hover = Memo::new(move |_| explorer.hover(explained.get()));
    if let Some(target) = target {
        Effect::new(move |_| target.set(explained.get()));
    }
    let lit = Memo::new(move |_| explorer.series());
    Effect::new(move |before: Option<()>| {
        let lit = lit.get();
        // Not at first: another figure may be lighting one up.
        if before.is_some() {
            page.linked.light(lit.as_ref());
        }
    });
    let help_id = format!("{id}-help");
    view! {
        <div class="plot" class:moves=move || moves.get() node_ref=frame data-height=move || suitable.get().to_string() style:height=move || format!("{}px", size.get().1)>
            <canvas
                node_ref=canvas
                tabindex="0"
                role="application"
                aria-roledescription="interactive plot"
                aria-label=move || label.get()
                aria-describedby=help_id.clone()
                on:pointermove=move |event| explorer.moved(&event, canvas)
                on:pointerdown=move |event| explorer.pressed(&event)
                on:pointerup=move |event| explorer.released(&event)
                on:pointercancel=move |_| explorer.cancelled()
                on:pointerleave=move |_| explorer.left()
                on:dblclick=move |_| explorer.reset()
                on:keydown=move |event| explorer.key(&event)
                on:blur=move |_| explorer.blurred()
            ></canvas>
            <canvas node_ref=upper class="upper" aria-hidden="true"></canvas>
            <Overlay explorer=explorer hover=marked crosses=Signal::derive(move || hover.with(Option::is_some)) />
            <Tooltip page=page hover=hover size=size />
            <p class="visually-hidden" id=help_id>{help}</p>
            <p class="visually-hidden" role="status" data-testid="spoken">{move || explorer.spoken.get()}</p>
        </div>
        <Kept page=page explorer=explorer hint=hint />
    }
}
