//! The choice of the component that shows a figure.

use leptos::prelude::*;

use super::super::page::Page;
use super::heatmap::HeatmapFigure;
use super::histogram::HistogramFigure;
use super::plain::PlainFigure;
use super::scatter::ScatterFigure;
use crate::figure::{Controls, FigurePlace};

/// The figure at `place`, with the number `number`.
pub fn figure_at(page: Page, place: FigurePlace, number: usize) -> AnyView {
    match place.controls() {
        Controls::Histogram(name) => {
            view! { <HistogramFigure page=page place=place name=name number=number /> }.into_any()
        }
        Controls::Heatmap => view! { <HeatmapFigure page=page place=place number=number /> }.into_any(),
        Controls::Scatter => view! { <ScatterFigure page=page place=place number=number /> }.into_any(),
        Controls::Plain => view! { <PlainFigure page=page place=place number=number /> }.into_any(),
    }
}
