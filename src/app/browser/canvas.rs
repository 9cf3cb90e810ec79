//! A canvas with a plot on it: sharp at every pixel ratio, redrawn when its size, theme or plot changes.

use leptos::html;
use leptos::prelude::*;
use plotters::coord::Shift;
use plotters::drawing::{DrawingArea, IntoDrawingArea};
use plotters_canvas::CanvasBackend;
use wasm_bindgen::prelude::*;
use web_sys::{HtmlCanvasElement, HtmlElement, PointerEvent, ResizeObserver};

use super::document::{self, pixel_ratio};
use super::page::Page;
use crate::error::{Error, ErrorKind, Result};
use crate::plot::{DrawOptions, HeatmapPlot, HistogramPlot, Hover, Theme};

/// What is on the canvas.
#[derive(Debug, Clone, PartialEq)]
pub enum Plot {
    /// Histograms with boxes.
    Histogram(HistogramPlot),
    /// Contributions of components.
    Heatmap(HeatmapPlot),
}

impl Plot {
    fn draw(&self, area: &DrawingArea<CanvasBackend, Shift>, options: &DrawOptions) -> Result<()> {
        match self {
            Self::Histogram(plot) => plot.draw(area, options),
            Self::Heatmap(plot) => plot.draw(area, options),
        }
    }

    fn hover(&self, (width, height): (f64, f64), (x, y): (f64, f64), options: &DrawOptions) -> Option<Hover> {
        match self {
            Self::Histogram(plot) => plot.hover(width, height, x, y, options),
            Self::Heatmap(plot) => plot.hover(width, height, x, y, options),
        }
    }

    /// Height in CSS pixels that suits `width`.
    fn height(&self, width: f64) -> f64 {
        match self {
            Self::Histogram(_) if width < 560.0 => 360.0,
            Self::Histogram(_) => (width * 0.48).clamp(380.0, 440.0),
            Self::Heatmap(plot) => {
                let (rows, columns) = (plot.rows.len() as f64, plot.columns.len() as f64);
                let cell = ((width - 110.0) / columns.max(1.0)).clamp(18.0, 42.0);
                (rows * cell * if width < 560.0 { 1.25 } else { 0.95 } + 90.0).clamp(190.0, 900.0)
            }
        }
    }
}

fn options(dark: bool) -> DrawOptions {
    let theme = if dark { Theme::dark() } else { Theme::light() };
    DrawOptions {
        legend: false,
        title: false,
        ..DrawOptions::canvas(pixel_ratio(), theme)
    }
}

/// The canvas and the tooltip over it. `label` says in words what there is to see.
#[component]
pub fn PlotCanvas(
    page: Page,
    #[prop(into)] plot: Signal<Option<Plot>>,
    #[prop(into)] label: Signal<String>,
) -> impl IntoView {
    let frame = NodeRef::<html::Div>::new();
    let canvas = NodeRef::<html::Canvas>::new();
    let width = RwSignal::new(0.0_f64);
    let pointer = RwSignal::new(None::<(f64, f64)>);
    let dark = page.dark;
    let size = Memo::new(move |_| {
        let width = width.get();
        let height = plot.with(|plot| plot.as_ref().map_or(360.0, |plot| plot.height(width)));
        (width, height.round())
    });
    let hover = Memo::new(move |_| {
        let at = pointer.get()?;
        plot.with(|plot| plot.as_ref()?.hover(size.get(), at, &options(dark.get())))
    });
    observe_width(frame, width);

    Effect::new(move |_| {
        let (Some(canvas), (width, height)) = (canvas.get(), size.get()) else {
            return;
        };
        let pointed = hover.with(Option::is_some).then(|| pointer.get_untracked()).flatten();
        // Tracks the thing pointed at, not every move of the pointer.
        hover.track();
        let options = DrawOptions {
            hover: pointed,
            ..options(dark.get())
        };
        let drawn = plot.with(|plot| match plot {
            Some(plot) if width > 0.0 => draw(&canvas, plot, (width, height), &options),
            _ => Ok(()),
        });
        if let Err(error) = drawn {
            page.session.update(|session| session.fail(error));
        }
    });

    let follow = move |event: PointerEvent| {
        pointer.set(Some((f64::from(event.offset_x()), f64::from(event.offset_y()))));
    };
    view! {
        <div class="plot" node_ref=frame style:height=move || format!("{}px", size.get().1)>
            <canvas
                node_ref=canvas
                role="img"
                aria-label=move || label.get()
                on:pointermove=follow
                on:pointerdown=follow
                on:pointerleave=move |_| pointer.set(None)
            ></canvas>
            <Tooltip hover=hover />
        </div>
    }
}

#[component]
fn Tooltip(hover: Memo<Option<Hover>>) -> impl IntoView {
    move || {
        hover.get().map(|Hover { anchor: (x, y), lines }| {
            let mut lines = lines.into_iter();
            let first = lines.next().unwrap_or_default();
            view! {
                <div
                    class="tooltip"
                    class:below=y < 90.0
                    data-testid="tooltip"
                    style:left=format!("clamp(7rem, {x:.0}px, calc(100% - 7rem))")
                    style:top=format!("{y:.0}px")
                >
                    <strong>{first}</strong>
                    {lines.map(|line| view! { <span>{line}</span> }).collect_view()}
                </div>
            }
        })
    }
}

/// Keeps `width` at the width of `frame`.
fn observe_width(frame: NodeRef<html::Div>, width: RwSignal<f64>) {
    Effect::new(move |_| {
        let Some(frame) = frame.get() else { return };
        let observed: HtmlElement = (*frame).clone();
        width.set(f64::from(observed.client_width()));
        let element = observed.clone();
        let changed = Closure::<dyn FnMut()>::new(move || width.set(f64::from(element.client_width())));
        if let Ok(observer) = ResizeObserver::new(changed.as_ref().unchecked_ref()) {
            observer.observe(&observed);
            let kept = StoredValue::new_local((observer, changed));
            on_cleanup(move || kept.with_value(|(observer, _)| observer.disconnect()));
        }
    });
}

/// Draws on a backing store of as many pixels as the screen has there.
fn draw(canvas: &HtmlCanvasElement, plot: &Plot, (width, height): (f64, f64), options: &DrawOptions) -> Result<()> {
    let device = |length: f64| (length * options.scale).round() as u32;
    canvas.set_width(device(width));
    canvas.set_height(device(height));
    let backend = CanvasBackend::with_canvas_object(canvas.clone())
        .ok_or_else(|| Error::new(ErrorKind::Plot, "this browser gives no canvas to draw on"))?;
    plot.draw(&backend.into_drawing_area(), options)?;
    document::first_plot();
    Ok(())
}
