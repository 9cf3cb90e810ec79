//! How figures and page are shown, in the query.

use super::values::{MAX_HEAD, MAX_LAYER, Query, line, number, pair, range, rounded, switch, text, wrong};
use crate::analysis::settings::{MAX_BATCH_SIZE, MAX_BATCHES};
use crate::app::view::{Appearance, View};
use crate::error::Result;
use crate::names::{HistogramId, SeriesId};
use crate::plot::{CellRange, HeatmapView, HistogramView, MAX_BINS, SeriesOrder};

/// Most series that are toggled, over all figures.
pub(super) const MAX_SERIES: usize = 64;
/// Longest label of a series and longest name of a heatmap, in bytes.
const MAX_LABEL: usize = 100;

/// Whether `key` is one of those that say how something is shown.
pub(super) fn is_key(key: &str) -> bool {
    const KEYS: [&str; 7] = ["heatmap", "notebook", "cells", "cell", "prompt", "theme", "text"];
    KEYS.contains(&key)
        || of_figure(key).is_some_and(|(key, _)| ["toggle", "bins", "log", "zoom", "order", "split"].contains(&key))
}

/// Whether `key` may come more than once.
pub(super) fn is_toggle(key: &str) -> bool {
    of_figure(key).is_some_and(|(key, _)| key == "toggle")
}

/// "bins2" is the key "bins" of the second histogram.
fn of_figure(key: &str) -> Option<(&str, HistogramId)> {
    let number = key.chars().next_back()?.to_digit(10)? as usize;
    let name = HistogramId::ALL.into_iter().nth(number.checked_sub(1)?)?;
    Some((&key[..key.len() - 1], name))
}

/// Takes over `value` of `key`, which [`is_key`] knows.
pub(super) fn take(view: &mut View, key: &str, value: &str) -> Result<()> {
    let heatmap = &mut view.heatmap;
    match key {
        "heatmap" => heatmap.name = line(key, value, MAX_LABEL)?.into(),
        "notebook" => heatmap.as_in_notebook = switch(key, value)?,
        "cells" => {
            heatmap.zoom = Some(cells(value).ok_or_else(|| wrong(key, value, "rows and columns, as in 0-3,2-12"))?)
        }
        "cell" => heatmap.pick = Some(cell(value).ok_or_else(|| wrong(key, value, "a row and a column, as in 9,12"))?),
        "prompt" => view.prompt = Some(number(key, value, 0, MAX_BATCHES * MAX_BATCH_SIZE - 1)?),
        "theme" => {
            let found = Appearance::ALL.into_iter().find(|known| known.value() == value);
            view.appearance = found.ok_or_else(|| wrong(key, value, "system, light or dark"))?;
        }
        "text" => view.text_hidden = !switch(key, value)?,
        _ => {
            if let Some((short, name)) = of_figure(key) {
                let mut histogram = view.histogram(name);
                take_histogram(&mut histogram, short, key, value)?;
                view.update_histogram(name, |shown| *shown = histogram);
            }
        }
    }
    Ok(())
}

fn take_histogram(view: &mut HistogramView, short: &str, key: &str, value: &str) -> Result<()> {
    match short {
        "toggle" => _ = view.toggled.insert(line(key, value, MAX_LABEL)?.into()),
        "bins" => view.max_bins = Some(number(key, value, 1, MAX_BINS)?),
        "log" => view.log_counts = switch(key, value)?,
        "zoom" => {
            view.zoom = Some(range(value).ok_or_else(|| wrong(key, value, "a range of values, as in -1.5,2.25"))?)
        }
        "split" => {
            let found = value.parse();
            view.split = Some(found.map_err(|_| wrong(key, value, "order, template or name"))?);
        }
        _ => {
            let found = SeriesOrder::ALL.into_iter().find(|known| known.value() == value);
            view.order = found.ok_or_else(|| wrong(key, value, "mean, median or label"))?;
        }
    }
    Ok(())
}

fn cell(value: &str) -> Option<(usize, usize)> {
    pair(value, ',', MAX_HEAD).filter(|(row, _)| *row <= MAX_LAYER)
}

fn cells(value: &str) -> Option<CellRange> {
    let (rows, columns) = value.split_once(',')?;
    let range = CellRange {
        rows: pair(rows, '-', MAX_LAYER)?,
        columns: pair(columns, '-', MAX_HEAD)?,
    };
    is_range(&range).then_some(range)
}

fn is_range(range: &CellRange) -> bool {
    let CellRange { rows, columns } = range;
    rows.0 <= rows.1 && rows.1 <= MAX_LAYER && columns.0 <= columns.1 && columns.1 <= MAX_HEAD
}

/// Appends what is not as it is at first.
pub(super) fn write(view: &View, query: &mut Query) {
    for (number, name) in (1..).zip(HistogramId::ALL) {
        let Some(histogram) = view.histograms.get(&name) else {
            continue;
        };
        for series in &histogram.toggled {
            query.add(&format!("toggle{number}"), &series.label());
        }
        query.given(&format!("bins{number}"), text(histogram.max_bins));
        query.given(&format!("log{number}"), histogram.log_counts.then(|| "1".to_owned()));
        let zoom = histogram.zoom.map(|(low, high)| format!("{low},{high}"));
        query.given(&format!("zoom{number}"), zoom);
        query.given(&format!("split{number}"), text(histogram.split));
        let order = Some(histogram.order).filter(|order| *order != SeriesOrder::default());
        query.given(&format!("order{number}"), order.map(|order| order.value().to_owned()));
    }
    write_heatmap(&view.heatmap, query);
    query.given("prompt", text(view.prompt));
    let chosen = Some(view.appearance).filter(|chosen| *chosen != Appearance::System);
    query.given("theme", chosen.map(|chosen| chosen.value().to_owned()));
    query.given("text", view.text_hidden.then(|| "0".to_owned()));
}

fn write_heatmap(heatmap: &HeatmapView, query: &mut Query) {
    let name = Some(&heatmap.name).filter(|name| **name != HeatmapView::default().name);
    query.given("heatmap", text(name));
    query.given("notebook", heatmap.as_in_notebook.then(|| "1".to_owned()));
    let cells = |CellRange { rows, columns }| format!("{}-{},{}-{}", rows.0, rows.1, columns.0, columns.1);
    query.given("cells", heatmap.zoom.map(cells));
    query.given("cell", heatmap.pick.map(|(row, column)| format!("{row},{column}")));
}

/// `view` without what [`take`] would refuse, and with numbers as it would read them.
pub(super) fn clean(view: &View) -> View {
    let mut clean = View {
        histograms: Default::default(),
        prompt: view.prompt.filter(|prompt| *prompt < MAX_BATCHES * MAX_BATCH_SIZE),
        ..view.clone()
    };
    let mut series = 0;
    for (name, histogram) in &view.histograms {
        let all = histogram.toggled.iter();
        let usable = all.filter(|series| line("toggle", &series.label(), MAX_LABEL).is_ok());
        let toggled: std::collections::BTreeSet<SeriesId> = usable.take(MAX_SERIES - series).cloned().collect();
        series += toggled.len();
        let histogram = HistogramView {
            toggled,
            max_bins: histogram.max_bins.filter(|bins| (1..=MAX_BINS).contains(bins)),
            zoom: histogram.zoom.and_then(rounded),
            ..*histogram
        };
        clean.update_histogram(*name, |shown| *shown = histogram);
    }
    let heatmap = &mut clean.heatmap;
    if line("heatmap", &heatmap.name.to_string(), MAX_LABEL).is_err() {
        *heatmap = HeatmapView::default();
    }
    heatmap.zoom = heatmap.zoom.filter(is_range);
    heatmap.pick = heatmap
        .pick
        .filter(|(row, column)| *row <= MAX_LAYER && *column <= MAX_HEAD);
    clean
}
