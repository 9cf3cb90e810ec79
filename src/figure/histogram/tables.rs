//! The tables behind a histogram.

use crate::export::{Field, Table};
use crate::figure::prompts::{parts, prompt_columns, prompt_fields};
use crate::names::HistogramId;
use crate::plot::{HistogramPlot, Series};
use crate::result::{Bins, PairedDifference, ResultFile};

/// The names of the tables, and what each is called where it is offered.
pub(super) const OFFERED: [(&str, &str); 5] = [
    ("values", "Values per prompt"),
    ("bins", "Bins"),
    ("statistics", "Statistics"),
    ("differences", "Differences of series"),
    ("outliers", "Outliers"),
];

/// Whether the table `name` has a row per series, pair of series or bin, not per prompt.
pub(super) fn is_short(name: &str) -> bool {
    matches!(name, "statistics" | "differences" | "bins")
}

/// `statistics` (a row per series), `differences` (a row per pair of series), `bins` (a row per bin, a column per series), `values` (a row per prompt, a column per series)
/// and `outliers` (the values beyond the whiskers).
pub(super) fn tables(result: &ResultFile, name: HistogramId, plot: &HistogramPlot) -> Vec<Table> {
    let values: Vec<&[f32]> = plot
        .series
        .iter()
        .map(|series| result.values(name, &series.id))
        .collect();
    vec![
        statistics(plot),
        differences(plot, &values),
        bins(plot),
        prompts(result, plot, &values),
        outliers(result, plot, &values),
    ]
}

fn statistics(plot: &HistogramPlot) -> Table {
    let columns = [
        "series",
        "shown",
        "count",
        "mean",
        "standard deviation",
        "min",
        "lower whisker",
        "first quartile",
        "median",
        "third quartile",
        "upper whisker",
        "max",
        "half notch",
        "outliers",
    ];
    let row = |series: &Series| {
        let mut row = vec![
            series.label.as_str().into(),
            if series.visible { "yes" } else { "no" }.into(),
        ];
        if let Some(stats) = &series.stats {
            let numbers = [
                stats.min,
                stats.lower_whisker,
                stats.q1,
                stats.median,
                stats.q3,
                stats.upper_whisker,
                stats.max,
                stats.notch,
            ];
            row.extend([Field::Count(stats.count), Field::Double(stats.mean)]);
            row.push(stats.standard_deviation.map_or(Field::Empty, Field::Double));
            row.extend(numbers.map(Field::Double));
            row.push(Field::Count(stats.outliers.len()));
        }
        row.resize(columns.len(), Field::Empty);
        row
    };
    Table {
        name: "statistics",
        title: plot.title.clone(),
        caption: "Statistics of each series over all prompts.".into(),
        columns: columns.map(str::to_owned).to_vec(),
        rows: plot.series.iter().map(row).collect(),
    }
}

/// A row for each pair of series: differences are of the same prompts, as prompts differ far more from each other than two series of one do.
fn differences(plot: &HistogramPlot, values: &[&[f32]]) -> Table {
    let columns = [
        "series",
        "minus",
        "count",
        "mean",
        "standard deviation",
        "95 % interval from",
        "95 % interval to",
        "effect size",
        "larger",
        "smaller",
    ];
    let all: Vec<(&Series, &[f32])> = plot.series.iter().zip(values.iter().copied()).collect();
    let mut rows = Vec::new();
    for (index, (series, first)) in all.iter().enumerate() {
        for (minus, second) in &all[index + 1..] {
            let Some(found) = PairedDifference::of(first, second) else {
                continue;
            };
            let double = |value: Option<f64>| value.map_or(Field::Empty, Field::Double);
            rows.push(vec![
                series.label.as_str().into(),
                minus.label.as_str().into(),
                Field::Count(found.n),
                Field::Double(found.mean),
                Field::Double(found.standard_deviation),
                double(found.interval.map(|interval| interval.low)),
                double(found.interval.map(|interval| interval.high)),
                double(found.effect_size()),
                Field::Count(found.larger),
                Field::Count(found.smaller),
            ]);
        }
    }
    Table {
        name: "differences",
        title: plot.title.clone(),
        caption: "Each series minus each later one, prompt by prompt: mean, standard deviation, 95 % interval of the mean (Student's t), \
                  effect size (mean / standard deviation of the differences), and in how many prompts it is larger or smaller."
            .into(),
        columns: columns.map(str::to_owned).to_vec(),
        rows,
    }
}

fn bins(plot: &HistogramPlot) -> Table {
    let row = |bins: &Bins, index: usize| {
        let (low, high) = bins.edges(index);
        let counts = plot.series.iter().map(|series| match series.counts.get(index) {
            Some(count) => Field::Count(*count),
            None => Field::Empty,
        });
        [Field::Double(edge(low, bins)), Field::Double(edge(high, bins))]
            .into_iter()
            .chain(counts)
            .collect()
    };
    let rows = plot
        .bins
        .map(|bins| (0..bins.count).map(|index| row(&bins, index)).collect());
    Table {
        name: "bins",
        title: plot.title.clone(),
        caption: "Number of values of each series in each bin, from its lower edge up to its upper edge.".into(),
        columns: with_series(["from", "to"], plot),
        rows: rows.unwrap_or_default(),
    }
}

/// An edge without the rounding errors of its sum: edges are multiples of half a bin's size, which has one digit.
fn edge(value: f64, bins: &Bins) -> f64 {
    let half = bins.size / 2.0;
    let multiple = (value / half).round();
    // One over a power of ten divides exactly where multiplying by the power would not.
    let decimals = (1.0 - half.log10().floor()).clamp(0.0, 300.0);
    let power = 10f64.powf(decimals);
    let rounded = (multiple * (half * power).round()) / power;
    if (rounded - value).abs() <= 1e-6 * bins.size {
        rounded
    } else {
        value
    }
}

fn prompts(result: &ResultFile, plot: &HistogramPlot, values: &[&[f32]]) -> Table {
    let count = values.iter().map(|values| values.len()).max().unwrap_or(0);
    let parts = parts(result);
    let row = |index: usize| {
        let numbers = values.iter().map(|values| match values.get(index) {
            Some(value) => Field::Single(*value),
            None => Field::Empty,
        });
        prompt_fields(result, &parts, index)
            .into_iter()
            .chain(numbers)
            .collect()
    };
    Table {
        name: "values",
        title: plot.title.clone(),
        caption: "The value of each prompt in each series.".into(),
        columns: with_series(prompt_columns(result), plot),
        rows: (0..count).map(row).collect(),
    }
}

fn outliers(result: &ResultFile, plot: &HistogramPlot, values: &[&[f32]]) -> Table {
    let parts = parts(result);
    let mut rows = Vec::new();
    for (series, values) in plot.series.iter().zip(values) {
        let Some(stats) = &series.stats else { continue };
        let within = stats.lower_whisker..=stats.upper_whisker;
        for (index, value) in values.iter().enumerate().filter(|(_, value)| value.is_finite()) {
            if !within.contains(&f64::from(*value)) {
                let mut row = vec![series.label.as_str().into(), Field::Single(*value)];
                row.extend(prompt_fields(result, &parts, index));
                rows.push(row);
            }
        }
    }
    let columns = ["series", "value"].into_iter().chain(prompt_columns(result));
    Table {
        name: "outliers",
        title: plot.title.clone(),
        caption: "The values beyond the whiskers.".into(),
        columns: columns.map(str::to_owned).collect(),
        rows,
    }
}

fn with_series<'a>(columns: impl IntoIterator<Item = &'a str>, plot: &HistogramPlot) -> Vec<String> {
    let labels = plot.series.iter().map(|series| series.label.clone());
    columns.into_iter().map(str::to_owned).chain(labels).collect()
}
