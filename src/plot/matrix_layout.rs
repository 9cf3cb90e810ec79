//! The layout of a [`MatrixPlot`].

use super::axis::Sizes;
use super::color_bar::{ColorBar, color_bar_area};
use super::geometry::Rect;
use super::marks::SMALLEST_FONT;
use super::scene::NARROW;
use super::title::Title;
use super::{DrawOptions, MatrixPlot, Theme, text};

/// How much wider than high a cell may be.
const STRETCH: f64 = 1.8;
/// Highest cell where there is as much room as one likes.
const HIGHEST_CELL: f64 = 48.0;
/// Most characters of a row's or column's name that are written, on a phone and elsewhere.
const LONGEST_NAMES: (usize, usize) = (10, 14);
/// Names stand upright where fewer of them than this part would have room beside each other.
const LYING: f64 = 0.7;
/// Names of at most so many characters, which numbers are, never stand upright.
const NEVER_UPRIGHT: usize = 3;
/// Where what is written on cells has at least this size it is written on all of them, else on a few, at this size.
const ALL_FROM: f64 = 9.0;
const ON_FEW: f64 = 8.0;
/// Cells wider than this have a gap between them.
const GAP_FROM: f64 = 10.0;
/// Cells smaller than this are drawn several as one.
const SMALLEST_CELL: f64 = 1.0;
/// Most cells that are drawn beside each other.
const MAX_BLOCKS: usize = 400;

/// Positions of everything, in CSS pixels.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Layout {
    pub title: Title,
    pub sizes: Sizes,
    /// All cells.
    pub grid: Rect,
    /// Names of rows as they are written.
    pub rows: Vec<String>,
    /// Names of columns as they are written.
    pub columns: Vec<String>,
    /// The rows whose names are written.
    pub named_rows: Vec<usize>,
    /// The columns whose names are written.
    pub named_columns: Vec<usize>,
    /// Whether names of columns stand upright, where they are too long to lie.
    pub upright: bool,
    /// Middle and size of the title of the axis of columns.
    pub x_title: ((f64, f64), f64),
    /// Middle and size of the title of the axis of rows.
    pub y_title: ((f64, f64), f64),
    /// Largest size of type on cells.
    pub cell_font: Option<f64>,
    /// Whether something is written on all cells that have a label.
    pub all_named: bool,
    pub color_bar: ColorBar,
}

/// What stands around the cells, and how much room it takes.
struct Around {
    narrow: bool,
    sizes: Sizes,
    rows: Vec<String>,
    columns: Vec<String>,
    named_columns: Vec<usize>,
    upright: bool,
    /// Width of the names of rows.
    of_rows: f64,
    left: f64,
    /// Between the cells and the title of the axis below them.
    names_below: f64,
    below: f64,
    /// Widest that a column can be.
    column: f64,
}

/// Times that the width of columns is taken anew: it depends on what stands below them, and that on their width.
const ROUNDS: usize = 2;

impl Around {
    /// For columns that are at most `most` wide.
    fn new(plot: &MatrixPlot, width: f64, theme: &Theme, most: f64) -> Self {
        let narrow = width < NARROW;
        let sizes = Sizes::new(theme, if narrow { 0.85 } else { 1.0 });
        let longest = if narrow { LONGEST_NAMES.0 } else { LONGEST_NAMES.1 };
        let cut = |names: &[String]| -> Vec<String> { names.iter().map(|name| cut(name, longest)).collect() };
        let (rows, columns) = (cut(&plot.rows), cut(&plot.columns));
        let widest = |names: &[String]| {
            let widths = names.iter().map(|name| text::width(name, sizes.font));
            widths.fold(0.0, f64::max)
        };
        let (of_rows, of_columns) = (widest(&rows), widest(&columns));
        let left = of_rows + 8.0 + sizes.title * 1.8;
        let right = if narrow { 10.0 } else { 20.0 + 20.0 + 46.0 };
        let column = (width - left - right).max(1.0) / columns.len().max(1) as f64;
        let picked = plot.pick.map(|(_, column)| column);
        let shown = column.min(most);
        let lying = apart(columns.len(), picked, |index| {
            (text::width(&columns[index], sizes.font) + 4.0) / shown
        });
        let short = columns.iter().all(|name| name.chars().count() <= NEVER_UPRIGHT);
        let upright = !short && (lying.len() as f64) < LYING * columns.len() as f64;
        let named_columns = if upright {
            apart(columns.len(), picked, |_| sizes.font * 1.15 / shown)
        } else {
            lying
        };
        let names_below = if upright { of_columns + 12.0 } else { sizes.font * 1.8 };
        let bar = if narrow { 16.0 + sizes.font * 2.4 } else { 0.0 };
        Self {
            narrow,
            sizes,
            rows,
            columns,
            named_columns,
            upright,
            of_rows,
            left,
            names_below,
            below: names_below + sizes.title * 1.8 + bar,
            column,
        }
    }

    /// Width and height of a cell between `top` and the end of a plot of `height`. Never higher than wide: names of rows have
    /// their height, those of columns need width.
    fn cell(&self, top: f64, height: f64) -> (f64, f64) {
        let row = ((height - top - self.below) / self.rows.len().max(1) as f64).max(1.0);
        (self.column.min(STRETCH * row), row.min(self.column))
    }
}

/// Height of `plot` in CSS pixels, its title left out, where its cells are square and as wide as `width` lets them be: those of many
/// columns are low, and leave no room below them.
pub(super) fn suitable_height(plot: &MatrixPlot, width: f64) -> f64 {
    let around = Around::new(plot, width, &Theme::light(), f64::INFINITY);
    let cells = plot.rows.len() as f64 * around.column.min(HIGHEST_CELL);
    (8.0 + cells + around.below).clamp(150.0, 900.0).round()
}

impl Layout {
    pub fn new(plot: &MatrixPlot, width: f64, height: f64, options: &DrawOptions) -> Self {
        let title = Title::new(&plot.title, width, width < NARROW, options);
        let top = title.bottom();
        let mut around = Around::new(plot, width, &options.theme, f64::INFINITY);
        for _ in 0..ROUNDS {
            let (column, _) = around.cell(top, height);
            around = Around::new(plot, width, &options.theme, column);
        }
        let (column, row) = around.cell(top, height);
        let Around { narrow, sizes, .. } = around;
        let (rows, columns) = (around.rows.len().max(1), around.columns.len().max(1));
        let spare = (around.column - column) * columns as f64;
        // A phone's plot starts at the left; a wide one stands in the middle.
        let left = around.left + if narrow { 0.0 } else { spare / 2.0 };
        let grid = Rect {
            left,
            top,
            right: left + column * columns as f64,
            bottom: top + row * rows as f64,
        };
        let below = grid.bottom + around.names_below;
        let bar = color_bar_area(grid, narrow.then_some(below + sizes.title * 1.8), (20.0, 20.0));
        let (cell_font, all_named) = cell_font(plot, (column, row), options.theme.font_size);
        let picked = plot.pick.map(|(row, _)| row);
        Self {
            title,
            sizes,
            named_rows: apart(rows, picked, |_| sizes.font * 1.15 / row),
            x_title: x_title(
                &plot.x_label,
                (grid.center().0, below + sizes.title * 0.8),
                sizes.title,
                width,
            ),
            y_title: (
                (grid.left - around.of_rows - 8.0 - sizes.title * 0.9, grid.center().1),
                fitting(&plot.y_label, sizes.title, grid.height() + 0.5 * around.below),
            ),
            rows: around.rows,
            columns: around.columns,
            named_columns: around.named_columns,
            upright: around.upright,
            cell_font,
            all_named,
            color_bar: ColorBar::of(bar, plot.colors, !narrow, sizes.font),
            grid,
        }
    }

    /// Rectangle of the cell in `row` and `column`.
    pub fn cell(&self, row: usize, column: usize) -> Rect {
        let x = |column: usize| self.grid.left + self.grid.width() * column as f64 / self.columns.len().max(1) as f64;
        let y = |row: usize| self.grid.top + self.grid.height() * row as f64 / self.rows.len().max(1) as f64;
        Rect {
            left: x(column),
            top: y(row),
            right: x(column + 1),
            bottom: y(row + 1),
        }
    }

    /// How many rows and columns are drawn as one: several where a cell would be less than can be seen, or there would be more of them
    /// than a browser draws at once. Half a million cells, each less than a pixel, tell no more than their largest.
    pub fn blocks(&self) -> (usize, usize) {
        let size = |length: f64, count: usize| {
            let smallest = (SMALLEST_CELL * count as f64 / length.max(1.0)).ceil() as usize;
            smallest.max(count.div_ceil(MAX_BLOCKS)).clamp(1, count.max(1))
        };
        let (rows, columns) = (self.rows.len(), self.columns.len());
        (size(self.grid.height(), rows), size(self.grid.width(), columns))
    }

    /// What is colored of the cells in `rows` and `columns`, ends left out: less where cells are large enough for a gap between them.
    pub fn block(&self, rows: (usize, usize), columns: (usize, usize)) -> Rect {
        let cell = self.cell(rows.0, columns.0);
        let last = self.cell(rows.1.saturating_sub(1), columns.1.saturating_sub(1));
        let half = if cell.width().min(cell.height()) > GAP_FROM {
            0.5
        } else {
            0.0
        };
        Rect {
            left: cell.left + half,
            top: cell.top + half,
            right: last.right - half,
            bottom: last.bottom - half,
        }
    }

    /// Row and column of the cell at `point`.
    pub fn cell_at(&self, point: (f64, f64)) -> Option<(usize, usize)> {
        let place = |part: f64, count: usize| ((part * count as f64) as usize).min(count.saturating_sub(1));
        let grid = self.grid;
        grid.contains(point).then(|| {
            (
                place((point.1 - grid.top) / grid.height(), self.rows.len()),
                place((point.0 - grid.left) / grid.width(), self.columns.len()),
            )
        })
    }
}

/// Which of `count` names are written so that none touches another: `picked` always, then the first ones first. `length` of a
/// name is in places.
fn apart(count: usize, picked: Option<usize>, length: impl Fn(usize) -> f64) -> Vec<usize> {
    let clear = |one: usize, other: usize| one.abs_diff(other) as f64 >= (length(one) + length(other)) / 2.0;
    let mut chosen: Vec<usize> = Vec::new();
    for index in 0..count {
        let of_picked = picked.is_none_or(|picked| index == picked || clear(index, picked));
        if of_picked && chosen.last().is_none_or(|&last| clear(index, last)) {
            chosen.push(index);
        }
    }
    chosen
}

/// Largest size of what is written on cells of `width` x `height`, and whether it is written on all of them.
fn cell_font(plot: &MatrixPlot, (width, height): (f64, f64), font_size: f64) -> (Option<f64>, bool) {
    let highest = font_size.min(height * 0.75);
    if highest < SMALLEST_FONT {
        return (None, false);
    }
    let (rows, columns) = (plot.rows.len(), plot.columns.len());
    let places = (0..rows).flat_map(|row| (0..columns).map(move |column| (row, column)));
    let widest = places
        .map(|(row, column)| text::width(&plot.cells.label(row, column), 1.0))
        .fold(f64::MIN_POSITIVE, f64::max);
    let size = highest.min((width - 4.0) / widest);
    let on_all = size >= ALL_FROM;
    let size = if on_all { size } else { highest.min(ON_FEW) };
    ((size >= SMALLEST_FONT).then_some(size), on_all)
}

/// The size, at most `size`, at which `label` has room in `length`.
fn fitting(label: &str, size: f64, length: f64) -> f64 {
    size.min(length / text::width(label, 1.0).max(1.0)).max(SMALLEST_FONT)
}

/// Middle and size of the title of the axis below, which is not to leave the plot.
fn x_title(label: &str, (x, y): (f64, f64), size: f64, width: f64) -> ((f64, f64), f64) {
    let size = fitting(label, size, width - 8.0);
    let half = text::width(label, size) / 2.0 + 4.0;
    ((x.min(width - half).max(half), y), size)
}

/// `name`, cut where it has more than `longest` characters.
fn cut(name: &str, longest: usize) -> String {
    match name.char_indices().nth(longest) {
        Some((end, _)) => format!("{}\u{2026}", &name[..end]),
        None => name.to_owned(),
    }
}
