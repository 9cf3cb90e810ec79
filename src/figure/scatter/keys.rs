//! The address keys of the scatter plot and of the list. The text filter has no key, since it may quote the reader's
//! own prompts, which must not be in a query.

use super::view::ScatterView;
use crate::error::Result;
use crate::figure::keys::{MAX_LABEL, Query, line, number, switch, text, wrong};
use crate::names::{HistogramId, PromptSeries, SeriesId, SplitBy};

/// Most kinds of prompts that are told apart.
const MAX_GROUP: usize = (1 << 16) - 1;
/// Largest value that prompts are left out by.
const MAX_VALUE: f64 = 1e9;
/// The keys.
const KEYS: [&str; 8] = [X, Y, SORT, DESCENDING, OF, LEAST, MOST, GROUP];
const X: &str = "x";
const Y: &str = "y";
const SORT: &str = "sort";
const DESCENDING: &str = "descending";
const OF: &str = "of";
const LEAST: &str = "least";
const MOST: &str = "most";
const GROUP: &str = "group";

/// Whether `key` is one of theirs.
pub(super) fn is_key(key: &str) -> bool {
    KEYS.contains(&key)
}

/// Takes over `value` of `key`.
pub(super) fn take(view: &mut ScatterView, key: &str, value: &str) -> Result<()> {
    let list = &mut view.list;
    match key {
        X => view.x = Some(series(key, value)?),
        Y => view.y = Some(series(key, value)?),
        SORT => list.sort = Some(series(key, value)?),
        OF => list.bounded_series = Some(series(key, value)?),
        DESCENDING => list.descending = switch(key, value)?,
        LEAST => list.least = Some(bound(key, value)?),
        MOST => list.most = Some(bound(key, value)?),
        _ => list.group = Some(group(value).ok_or_else(|| wrong(key, value, "a kind of prompts, as in order,0"))?),
    }
    Ok(())
}

fn series(key: &str, value: &str) -> Result<PromptSeries> {
    let found = value.parse().ok().filter(is_short);
    found.ok_or_else(|| {
        let example = PromptSeries::new(HistogramId::KeysFixedScores, SeriesId::WuIo);
        wrong(key, value, format!("a histogram and a series of it, as in {example}"))
    })
}

fn is_short(series: &PromptSeries) -> bool {
    line(SORT, &series.series.label(), MAX_LABEL).is_ok()
}

fn bound(key: &str, value: &str) -> Result<f64> {
    number(key, value, -MAX_VALUE, MAX_VALUE)
        .map(|value| value + 0.0)
        .map_err(|_| wrong(key, value, "a number, as in -1.5"))
}

fn group(value: &str) -> Option<(SplitBy, usize)> {
    let (by, number) = value.split_once(',')?;
    let number = number.parse().ok().filter(|number| *number <= MAX_GROUP)?;
    Some((by.parse().ok()?, number))
}

/// Appends what is not as it is at first.
pub(super) fn write(view: &ScatterView, query: &mut Query) {
    let list = &view.list;
    query.given(X, text(view.x.as_ref()));
    query.given(Y, text(view.y.as_ref()));
    query.given(SORT, text(list.sort.as_ref()));
    query.given(DESCENDING, list.descending.then(|| "1".to_owned()));
    query.given(OF, text(list.bounded_series.as_ref()));
    query.given(LEAST, text(list.least));
    query.given(MOST, text(list.most));
    query.given(GROUP, list.group.map(|(by, number)| format!("{by},{number}")));
}

/// Takes out what [`take`] would refuse, and a text that is no line.
pub(super) fn clean(view: &mut ScatterView) {
    let of_series = |series: &mut Option<PromptSeries>| *series = series.take().filter(is_short);
    of_series(&mut view.x);
    of_series(&mut view.y);
    let list = &mut view.list;
    of_series(&mut list.sort);
    of_series(&mut list.bounded_series);
    let of_bound = |bound: Option<f64>| bound.filter(|value| value.abs() <= MAX_VALUE).map(|value| value + 0.0);
    (list.least, list.most) = (of_bound(list.least), of_bound(list.most));
    list.group = list.group.filter(|(_, number)| *number <= MAX_GROUP);
    if line(SORT, &list.text, MAX_LABEL).is_err() {
        list.text.clear();
    }
}
