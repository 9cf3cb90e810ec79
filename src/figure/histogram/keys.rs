//! The address keys of the histograms' views: `bins1` is the number of bins of the first one.

use std::collections::BTreeSet;

use crate::error::Result;
use crate::figure::View;
use crate::figure::keys::{MAX_LABEL, MAX_REPEATED, Query, line, number, range, rounded, switch, text, wrong};
use crate::names::{HistogramId, SeriesId};
use crate::plot::{HistogramView, MAX_BINS, SeriesOrder};

/// Greatest length of a number that is written without an exponent.
const LONGEST: usize = 12;

/// The key that may occur more than once, without the number.
const TOGGLE: &str = "toggle";

/// Whether `key` belongs to a histogram.
pub(super) fn is_key(key: &str) -> bool {
    const KEYS: [&str; 6] = [TOGGLE, "bins", "log", "zoom", "order", "split"];
    of_figure(key).is_some_and(|(key, _)| KEYS.contains(&key))
}

/// Whether `key` may occur more than once.
pub(super) fn may_repeat(key: &str) -> bool {
    of_figure(key).is_some_and(|(key, _)| key == TOGGLE)
}

/// Splits a key into its name and the histogram's number: "bins2" is "bins" of the second histogram.
fn of_figure(key: &str) -> Option<(&str, HistogramId)> {
    let number = key.chars().next_back()?.to_digit(10)? as usize;
    let name = HistogramId::ALL.into_iter().nth(number.checked_sub(1)?)?;
    Some((&key[..key.len() - 1], name))
}

/// Sets `key` to `value` in the view.
pub(super) fn take(view: &mut View, key: &str, value: &str) -> Result<()> {
    let Some((short, name)) = of_figure(key) else {
        return Ok(());
    };
    let mut histogram = view.histogram(name);
    take_one(&mut histogram, short, key, value)?;
    view.update_histogram(name, |shown| *shown = histogram);
    Ok(())
}

fn take_one(view: &mut HistogramView, short: &str, key: &str, value: &str) -> Result<()> {
    match short {
        TOGGLE => _ = view.toggled.insert(line(key, value, MAX_LABEL)?.into()),
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

/// `value` with a power of ten where it would be long without.
fn short(value: f64) -> String {
    let plain = value.to_string();
    if plain.len() > LONGEST {
        format!("{value:e}")
    } else {
        plain
    }
}

/// Appends the keys whose values are not the default.
pub(super) fn write(view: &View, query: &mut Query) {
    for (number, name) in (1..).zip(HistogramId::ALL) {
        let Some(histogram) = view.histograms.get(&name) else {
            continue;
        };
        for series in &histogram.toggled {
            query.add(&format!("{TOGGLE}{number}"), &series.label());
        }
        query.given(&format!("bins{number}"), text(histogram.max_bins));
        query.given(&format!("log{number}"), histogram.log_counts.then(|| "1".to_owned()));
        let zoom = histogram
            .zoom
            .map(|(low, high)| format!("{},{}", short(low), short(high)));
        query.given(&format!("zoom{number}"), zoom);
        query.given(&format!("split{number}"), text(histogram.split));
        let order = Some(histogram.order).filter(|order| *order != SeriesOrder::default());
        query.given(&format!("order{number}"), order.map(|order| order.value().to_owned()));
    }
}

/// Removes values that [`take`] would reject, and rounds numbers to what it would read.
pub(super) fn clean(view: &mut View) {
    let mut series = 0;
    for (name, histogram) in std::mem::take(&mut view.histograms) {
        let all = histogram.toggled.iter();
        let usable = all.filter(|series| line(TOGGLE, &series.label(), MAX_LABEL).is_ok());
        let toggled: BTreeSet<SeriesId> = usable.take(MAX_REPEATED - series).cloned().collect();
        series += toggled.len();
        let histogram = HistogramView {
            toggled,
            max_bins: histogram.max_bins.filter(|bins| (1..=MAX_BINS).contains(bins)),
            zoom: histogram.zoom.and_then(rounded),
            ..histogram
        };
        view.update_histogram(name, |shown| *shown = histogram);
    }
}
