//! Colors of the figures.

use leptos::prelude::*;

use super::super::page::Page;
use super::super::theme::SystemColors;
use crate::plot::Theme;

/// Colors of the figures: light ones for paper, whatever the screen shows; the system's own where it forces them.
pub fn theme(page: Page) -> Theme {
    if page.linked.printing.get() {
        return Theme::light();
    }
    match page.linked.forced.get() {
        Some(SystemColors { background, text }) => Theme::forced(background, text),
        None if page.dark.get() => Theme::dark(),
        None => Theme::light(),
    }
}

/// The color of series with the number `color`, in CSS.
pub fn css_color(page: Page, color: usize) -> String {
    let color = theme(page).series_color(color);
    format!("rgb({} {} {})", color.0, color.1, color.2)
}
