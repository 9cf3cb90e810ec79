//! A canvas with a plot on it: sharp at every pixel ratio, drawn when its plot, size or theme changes and it is in view.

use std::sync::Arc;

use leptos::html;
use leptos::prelude::*;

use super::super::document::{after_frame, when_idle};
use super::super::page::Page;
use super::explorer::{Actions, Explorer};
use super::overlay::Overlay;
use super::picture::Picture;
use super::watch;
use crate::plot::{DrawOptions, Plot, Scene, Target, Theme};

/// Colours of the figures: light ones for paper, whatever the screen shows.
pub fn theme(page: Page) -> Theme {
    if page.dark.get() && !page.linked.printing.get() {
        Theme::dark()
    } else {
        Theme::light()
    }
}

fn options(page: Page) -> DrawOptions {
    DrawOptions {
        legend: false,
        title: false,
        ..DrawOptions::canvas(page.linked.ratio.get(), theme(page))
    }
}

/// The canvas and what moves over it. `label` says in words what there is to see, `help` which keys there are; `id` makes
/// the names of its parts unique in the page. `target` is told what is pointed at.
#[component]
pub fn PlotCanvas(
    page: Page,
    id: &'static str,
    #[prop(into)] plot: Signal<Option<Plot>>,
    #[prop(into)] label: Signal<String>,
    help: &'static str,
    actions: Actions,
    #[prop(optional)] target: Option<RwSignal<Option<Target>>>,
) -> impl IntoView {
    let frame = NodeRef::<html::Div>::new();
    let canvas = NodeRef::<html::Canvas>::new();
    let upper = NodeRef::<html::Canvas>::new();
    let width = RwSignal::new(0.0_f64);
    watch::width_of(frame, width);
    let size = Memo::new(move |_| {
        let width = width.get();
        let height = plot.with(|plot| plot.as_ref().map_or(360.0, |plot| plot.height(width)));
        (width, height)
    });
    let options = Memo::new(move |_| options(page));
    let scene = Memo::new(move |_| {
        let (width, height) = size.get();
        let plot = plot.get().filter(|_| width > 0.0)?;
        Some(Arc::new(
            options.with(|options| Scene::new(plot, width, height, options)),
        ))
    });
    draw(page, frame, (canvas, upper), scene, size, options);

    let explorer = Explorer::new(scene, actions);
    let pointed = Memo::new(move |_| explorer.target());
    let hover = Memo::new(move |_| explorer.hover(pointed.get()));
    if let Some(target) = target {
        Effect::new(move |_| target.set(pointed.get()));
    }
    let lit = Memo::new(move |_| explorer.series());
    Effect::new(move |before: Option<()>| {
        let lit = lit.get();
        // Not at first: another figure may be lighting one up.
        if before.is_some() {
            page.linked.light(lit.as_deref());
        }
    });
    let help_id = format!("{id}-help");
    view! {
        <div class="plot" node_ref=frame style:height=move || format!("{}px", size.get().1)>
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
            <Overlay explorer=explorer hover=hover />
            <p class="visually-hidden" id=help_id>{help}</p>
            <p class="visually-hidden" role="status" data-testid="spoken">{move || explorer.spoken.get()}</p>
        </div>
    }
}

/// Keeps the canvas, and the one above it, drawn. The first time at once; later after the next frame, so that what was pressed is seen to be
/// pressed first, and several changes are drawn once; when it is out of view, when the browser is idle.
fn draw(
    page: Page,
    frame: NodeRef<html::Div>,
    (canvas, upper): (NodeRef<html::Canvas>, NodeRef<html::Canvas>),
    scene: Memo<Option<Arc<Scene>>>,
    size: Memo<(f64, f64)>,
    options: Memo<DrawOptions>,
) {
    let near = RwSignal::new(true);
    watch::nearness_of(frame, near);
    let picture = StoredValue::new_local(None::<Picture>);
    // How often it has been drawn, and whether it will be drawn again.
    let drawn = RwSignal::new(0_u32);
    let due = StoredValue::new(false);
    let paint = move || {
        // The figure may be gone by now.
        let (Some(Some(canvas)), Some(Some(upper)), Some(Some(scene))) = (
            canvas.try_get_untracked(),
            upper.try_get_untracked(),
            scene.try_get_untracked(),
        ) else {
            return;
        };
        due.set_value(false);
        let painted = picture.try_update_value(|picture| {
            let drawn = match picture {
                Some(picture) => picture,
                None => picture.insert(Picture::new(canvas.clone(), upper.clone())?),
            };
            options.with_untracked(|options| {
                drawn.draw(&scene, size.get_untracked(), options)?;
                if page.linked.printing.get_untracked() {
                    drawn.draw_for_paper(&scene, options)?;
                }
                Ok(())
            })
        });
        match painted {
            Some(Err(error)) => page.session.update(|session| session.fail(error)),
            Some(Ok(())) => {
                page.linked.mark_first();
                drawn.update(|drawn| *drawn += 1);
            }
            None => {}
        }
    };
    // Unless it was drawn since.
    let paint_if_due = move || {
        if due.try_get_value() == Some(true) {
            paint();
        }
    };
    Effect::new(move |_| {
        canvas.track();
        upper.track();
        scene.track();
        options.track();
        let first = drawn.get_untracked() == 0;
        if page.linked.printing.get() || (first && near.get_untracked()) {
            paint();
        } else if !due.get_value() {
            due.set_value(true);
            if near.get_untracked() {
                after_frame(paint_if_due);
            } else {
                when_idle(paint_if_due);
            }
        }
    });
    Effect::new(move |_| {
        drawn.track();
        // Out of view nothing has to be lit up.
        let label = near.get().then(|| page.linked.series.get()).flatten();
        if page.linked.printing.get_untracked() {
            return;
        }
        let lit = picture.try_update_value(|picture| {
            let (Some(picture), Some(scene)) = (picture.as_mut(), scene.get_untracked()) else {
                return Ok(());
            };
            options.with_untracked(|options| picture.light(&scene, options, label.as_deref()))
        });
        if let Some(Err(error)) = lit {
            page.session.update(|session| session.fail(error));
        }
    });
}
