//! Mean contributions of components: a row per layer, a column per head, MLP and b_O.

use plotters::coord::Shift;
use plotters::drawing::DrawingArea;
use plotters::prelude::DrawingBackend;
use plotters::style::Color;
use plotters::style::text_anchor::HPos;

use super::geometry::Rect;
use super::heatmap_layout::{Layout, SMALLEST_FONT};
use super::pen::{Pen, Text};
use super::{DrawOptions, Hover, Theme, text};
use crate::error::{Error, ErrorKind, Result};
use crate::result::{Heatmap, ResultFile};

/// Name of the column of attention output biases.
const B_O: &str = "b_O";
/// Name of the row of components that belong to no layer.
pub(super) const MISC: &str = "misc";
/// Strips that the colour bar is made of.
const STRIPS: usize = 128;

/// One cell: a component and its mean contribution.
#[derive(Debug, Clone, PartialEq)]
pub struct Cell {
    /// Short name, written on the cell: "9.3", "MLP6", "W_E".
    pub label: String,
    /// Name for people: "head 9.3", "MLP 6", "W_E (token embedding)".
    pub name: String,
    /// Mean contribution to the score.
    pub value: f32,
}

/// A heatmap of contributions on a diverging colour scale centred at 0.
#[derive(Debug, Clone, PartialEq)]
pub struct HeatmapPlot {
    /// Title.
    pub title: String,
    /// Title of the axis of components.
    pub x_label: String,
    /// Title of the axis of layers.
    pub y_label: String,
    /// Row names.
    pub rows: Vec<String>,
    /// Column names.
    pub columns: Vec<String>,
    /// The cells, `[rows, columns]`; None where there is no component.
    pub cells: Vec<Vec<Option<Cell>>>,
    /// Sum of the shown cells.
    pub sum: f64,
}

impl HeatmapPlot {
    /// Heatmap `name` ("key") of `result`; `as_in_notebook` hides the column `b_O`, which the notebook
    /// forgets.
    ///
    /// # Errors
    /// [`ErrorKind::Plot`] when `result` has no such heatmap.
    pub fn of_result(result: &ResultFile, name: &str, as_in_notebook: bool) -> Result<Self> {
        let heatmap = result.heatmap(name).ok_or_else(|| {
            let names = result.heatmap_names();
            let expected = if names.is_empty() {
                "it has none".to_owned()
            } else {
                names.join(", ")
            };
            Error::new(ErrorKind::Plot, format!("the result has no heatmap \"{name}\"")).expected(expected)
        })?;
        let title = format!("Contribution to attention scores of {} ({})", result.head, side(name));
        Ok(Self::new(heatmap, title, name, as_in_notebook))
    }

    fn new(heatmap: &Heatmap, title: String, name: &str, as_in_notebook: bool) -> Self {
        let mut columns = heatmap.columns.clone();
        let mut cells = cells(heatmap, name);
        let mut sum = f64::from(heatmap.sum);
        if as_in_notebook {
            sum -= hide_biases(&mut columns, &mut cells);
        }
        Self {
            title,
            x_label: "Component (attn heads & MLP)".to_owned(),
            y_label: "Layer".to_owned(),
            rows: heatmap.rows.clone(),
            columns,
            cells,
            sum,
        }
    }

    /// Largest absolute value: both ends of the colour scale.
    pub fn limit(&self) -> f64 {
        let values = self
            .cells
            .iter()
            .flatten()
            .flatten()
            .map(|cell| f64::from(cell.value.abs()));
        values.fold(0.0, f64::max)
    }

    /// What is to be said about the cell at (`x`, `y`) of a plot of `width` x `height`, all in CSS
    /// pixels, drawn with `options`. None where there is no component.
    pub fn hover(&self, width: f64, height: f64, x: f64, y: f64, options: &DrawOptions) -> Option<Hover> {
        let layout = Layout::new(self, width, height, options);
        let (row, column) = layout.cell_at((x, y))?;
        let cell = self.cells.get(row)?.get(column)?.as_ref()?;
        let value = f64::from(cell.value);
        let mut lines = vec![cell.name.clone(), format!("contribution {}", text::number(value, 4))];
        if self.sum != 0.0 {
            let share = text::number(100.0 * value / self.sum, 1);
            lines.push(format!("{share} % of the sum {}", text::number(self.sum, 4)));
        }
        let rect = layout.cell(row, column);
        Some(Hover {
            anchor: (rect.center().0, rect.top),
            lines,
        })
    }

    /// Draws the plot over the whole of `area`, which is in device pixels.
    ///
    /// # Errors
    /// [`ErrorKind::Plot`] when the backend fails.
    pub fn draw<DB: DrawingBackend>(&self, area: &DrawingArea<DB, Shift>, options: &DrawOptions) -> Result<()> {
        let pen = Pen::new(area, options);
        let (width, height) = pen.size();
        let layout = Layout::new(self, width, height, options);
        let theme = &options.theme;
        pen.background()?;
        self.draw_cells(&pen, &layout, theme)?;
        pen.frame(layout.grid, 1.0, theme.axis.to_rgba())?;
        if let Some((row, column)) = options.hover.and_then(|point| layout.cell_at(point))
            && self.cells[row][column].is_some()
        {
            pen.frame(layout.cell(row, column), 2.0, theme.highlight.to_rgba())?;
        }
        draw_color_bar(&pen, &layout, theme)?;
        layout.title.draw(&pen, options)?;
        self.draw_labels(&pen, &layout, theme)
    }

    fn draw_cells<DB: DrawingBackend>(&self, pen: &Pen<'_, DB>, layout: &Layout, theme: &Theme) -> Result<()> {
        let limit = self.limit();
        pen.rect(layout.grid, theme.diverging_color(0.0, limit).to_rgba())?;
        for (row, cells) in self.cells.iter().enumerate() {
            for (column, cell) in cells.iter().enumerate() {
                let Some(cell) = cell else { continue };
                let rect = layout.cell(row, column);
                let color = theme.diverging_color(f64::from(cell.value), limit);
                pen.rect(rect, color.to_rgba())?;
                let label = layout
                    .cell_font
                    .and_then(|size| self.fitting_label(cell, column, size, rect.width()));
                if let Some((text, size)) = label {
                    let ((x, y), color) = (rect.center(), theme.text_on(color).to_rgba());
                    pen.text(&Text {
                        text,
                        x,
                        y,
                        size,
                        color,
                        align: HPos::Center,
                        upwards: false,
                    })?;
                }
            }
        }
        Ok(())
    }

    /// The label of `cell` and its font size, at most `size`: "MLP6", or "MLP" where there is no room for it.
    fn fitting_label<'a>(&'a self, cell: &'a Cell, column: usize, size: f64, width: f64) -> Option<(&'a str, f64)> {
        let column = self.columns[column].as_str();
        let labels = [cell.label.as_str(), column]
            .into_iter()
            .filter(|label| cell.label.starts_with(label));
        let mut sized = labels.map(|label| (label, size.min((width - 2.0) / text::width(label, 1.0))));
        sized.find(|(_, size)| *size >= SMALLEST_FONT)
    }

    fn draw_labels<DB: DrawingBackend>(&self, pen: &Pen<'_, DB>, layout: &Layout, theme: &Theme) -> Result<()> {
        let color = theme.text.to_rgba();
        let size = layout.font_size;
        for &row in &layout.labelled_rows {
            let (text, x, y) = (&self.rows[row], layout.grid.left - 5.0, layout.cell(row, 0).center().1);
            pen.text(&Text {
                text,
                x,
                y,
                size,
                color,
                align: HPos::Right,
                upwards: false,
            })?;
        }
        for &column in &layout.labelled_columns {
            let (text, x) = (&self.columns[column], layout.cell(0, column).center().0);
            let y = layout.grid.bottom + size;
            pen.text(&Text {
                text,
                x,
                y,
                size,
                color,
                align: HPos::Center,
                upwards: false,
            })?;
        }
        let ((x, y), size) = (layout.grid.center(), layout.axis_title_size);
        let below = layout.grid.bottom + layout.font_size * 1.8 + size * 0.8;
        pen.text(&Text {
            text: &self.x_label,
            x,
            y: below,
            size,
            color,
            align: HPos::Center,
            upwards: false,
        })?;
        let x = layout.y_title;
        pen.text(&Text {
            text: &self.y_label,
            x,
            y,
            size,
            color,
            align: HPos::Center,
            upwards: true,
        })
    }
}

fn draw_color_bar<DB: DrawingBackend>(pen: &Pen<'_, DB>, layout: &Layout, theme: &Theme) -> Result<()> {
    let bar = layout.color_bar;
    let limit = layout.color_scale.values.1;
    for strip in 0..STRIPS {
        let part = strip as f64 / STRIPS as f64;
        let color = theme.diverging_color((2.0 * part + 1.0 / STRIPS as f64 - 1.0) * limit, limit);
        // Each strip reaches to the end, the next one covers it: no seams between them.
        let rect = if layout.upright_bar {
            Rect {
                bottom: bar.bottom - part * bar.height(),
                ..bar
            }
        } else {
            Rect {
                left: bar.left + part * bar.width(),
                ..bar
            }
        };
        pen.rect(rect, color.to_rgba())?;
    }
    let (size, color) = (layout.font_size, theme.text.to_rgba());
    for (value, label) in &layout.color_ticks {
        let place = layout.color_scale.pixel(*value);
        if layout.upright_bar {
            pen.horizontal(place, bar.right, bar.right + 4.0, 1.0, theme.axis.to_rgba())?;
            let (x, y, align) = (bar.right + 7.0, place, HPos::Left);
            pen.text(&Text {
                text: label,
                x,
                y,
                size,
                color,
                align,
                upwards: false,
            })?;
        } else {
            pen.vertical(place, bar.bottom, bar.bottom + 4.0, 1.0, theme.axis.to_rgba())?;
            let (x, y, align) = (place, bar.bottom + 4.0 + size * 0.9, HPos::Center);
            pen.text(&Text {
                text: label,
                x,
                y,
                size,
                color,
                align,
                upwards: false,
            })?;
        }
    }
    Ok(())
}

/// "key-side", or for a variant such as `key_subWU` "key-side, subWU".
fn side(name: &str) -> String {
    let (side, variant) = name.split_once('_').unwrap_or((name, ""));
    let separator = if variant.is_empty() { "" } else { ", " };
    format!("{side}-side{separator}{variant}")
}

fn cells(heatmap: &Heatmap, name: &str) -> Vec<Vec<Option<Cell>>> {
    let bias = if name.starts_with("query") { "b_Q" } else { "b_K" };
    let row = |(row, values): (&String, &Vec<f32>)| {
        let columns = heatmap.columns.iter().zip(values).enumerate();
        let cell = |(index, (column, &value)): (usize, (&String, &f32))| {
            let (label, name) = component(row, column, index, bias)?;
            Some(Cell { label, name, value })
        };
        columns.map(cell).collect()
    };
    heatmap.rows.iter().zip(&heatmap.values).map(row).collect()
}

/// Short and long name of the component in `row` and `column` (number `index`), if there is one.
fn component(row: &str, column: &str, index: usize, bias: &str) -> Option<(String, String)> {
    if row == MISC {
        return match index {
            0 => Some(("W_E".to_owned(), "W_E (token embedding)".to_owned())),
            1 => Some(("W_pos".to_owned(), "W_pos (position embedding)".to_owned())),
            2 => Some((bias.to_owned(), format!("{bias} (bias of the map)"))),
            _ => None,
        };
    }
    Some(match column.strip_prefix("L.") {
        Some(head) => (format!("{row}.{head}"), format!("head {row}.{head}")),
        None if column == B_O => (format!("{B_O}{row}"), format!("{B_O} of layer {row}")),
        None => (format!("{column}{row}"), format!("{column} {row}")),
    })
}

/// Removes the cells of attention output biases and returns their sum. Their column goes, too, unless
/// another component stands in it (the misc row of a model with one head).
fn hide_biases(columns: &mut Vec<String>, cells: &mut [Vec<Option<Cell>>]) -> f64 {
    let Some(index) = columns.iter().position(|column| column == B_O) else {
        return 0.0;
    };
    let is_bias = |cell: &Cell| cell.label.starts_with(B_O);
    let column = cells.iter_mut().filter_map(|row| row.get_mut(index));
    let hidden = column.filter_map(|cell| cell.take_if(|cell| is_bias(cell)));
    let sum = hidden.map(|cell| f64::from(cell.value)).sum();
    if cells.iter().all(|row| row.get(index).is_none_or(Option::is_none)) {
        columns.remove(index);
        cells.iter_mut().for_each(|row| {
            row.remove(index);
        });
    }
    sum
}
