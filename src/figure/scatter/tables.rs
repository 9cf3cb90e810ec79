//! The tables behind the scatter.

use super::list::{columns, of_group};
use super::view::ScatterView;
use super::words::{pairs, series_name};
use super::{PromptList, words};
use crate::export::{Field, Table};
use crate::figure::prompts::{parts, prompt_columns, prompt_fields};
use crate::names::PromptSeries;
use crate::result::{BoxStats, Correlation, PairedDifference, ResultFile};

/// The names of the tables, and what each is called where it is offered.
pub(super) const OFFERED: [(&str, &str); 3] = [
    ("agreement", "Agreement"),
    ("values", "Values per prompt"),
    ("list", "Prompts as listed"),
];

/// Whether the table `name` is short.
pub(super) fn is_short(name: &str) -> bool {
    name == "agreement"
}

/// `agreement` (a row: both series over all prompts), `values` (a row per prompt) and `list` (the prompts that are listed, in the order of
/// the list).
pub(super) fn tables(
    result: &ResultFile,
    view: &ScatterView,
    title: &str,
    x: &PromptSeries,
    y: &PromptSeries,
) -> Vec<Table> {
    let group = of_group(result, &view.list);
    let list = PromptList::of(result, view, group.as_deref());
    let listed = words::listed(result, view, group.as_deref());
    let mut values = rows(result, &[x.clone(), y.clone()], 0..listed.len());
    values.columns.push("listed".to_owned());
    for (row, listed) in values.rows.iter_mut().zip(listed) {
        row.push(if listed { "yes" } else { "no" }.into());
    }
    vec![
        agreement(result, title, x, y),
        Table {
            name: "values",
            title: title.to_owned(),
            caption: "Both values of each prompt, and whether the list has it.".into(),
            ..values
        },
        Table {
            name: "list",
            title: title.to_owned(),
            caption: "The prompts that are listed, in the order of the list.".into(),
            ..rows(result, &columns(result, view), list.prompts.into_iter())
        },
    ]
}

/// A table of `prompts`, with their values in `series`.
fn rows(result: &ResultFile, series: &[PromptSeries], prompts: impl Iterator<Item = usize>) -> Table {
    let parts = parts(result);
    let values: Vec<&[f32]> = series
        .iter()
        .map(|series| result.values_by_prompt(series).unwrap_or_default())
        .collect();
    let row = |prompt: usize| {
        let number = |values: &&[f32]| values.get(prompt).map_or(Field::Empty, |value| Field::Single(*value));
        let fields = prompt_fields(result, &parts, prompt).into_iter();
        fields.chain(values.iter().map(number)).collect()
    };
    let columns = prompt_columns(result).into_iter().map(str::to_owned);
    Table {
        name: "",
        title: String::new(),
        caption: String::new(),
        columns: columns.chain(series.iter().map(series_name)).collect(),
        rows: prompts.map(row).collect(),
    }
}

/// What is known of both series, of their correlation, and, of one unit, of their difference.
fn agreement(result: &ResultFile, title: &str, x: &PromptSeries, y: &PromptSeries) -> Table {
    let pairs: Vec<(f64, f64)> = pairs(result, x, y).into_iter().map(|(_, pair)| pair).collect();
    let (xs, ys): (Vec<f32>, Vec<f32>) = pairs.iter().map(|(x, y)| (*x as f32, *y as f32)).unzip();
    let double = |value: Option<f64>| value.map_or(Field::Empty, Field::Double);
    let correlation = Correlation::of(&pairs);
    let interval = correlation.and_then(|found| found.interval);
    let mut fields: Vec<(String, Field)> = vec![("count".to_owned(), Field::Count(pairs.len()))];
    for (name, series, values) in [("x", x, &xs), ("y", y, &ys)] {
        let stats = BoxStats::of(values);
        let field = |number: fn(&BoxStats) -> Option<f64>| double(stats.as_ref().and_then(number));
        fields.extend([
            (name.to_owned(), series_name(series).as_str().into()),
            (format!("{name} mean"), field(|stats| Some(stats.mean))),
            (
                format!("{name} standard deviation"),
                field(|stats| stats.standard_deviation),
            ),
            (format!("{name} first quartile"), field(|stats| Some(stats.q1))),
            (format!("{name} median"), field(|stats| Some(stats.median))),
            (format!("{name} third quartile"), field(|stats| Some(stats.q3))),
        ]);
    }
    let difference = PairedDifference::of(&ys, &xs).filter(|_| x.has_unit_of(y));
    let of_mean = difference.and_then(|found| found.interval);
    let counted = |number: Option<usize>| number.map_or(Field::Empty, Field::Count);
    let rest = [
        ("correlation", double(correlation.map(|found| found.r))),
        ("correlation from", double(interval.map(|interval| interval.low))),
        ("correlation to", double(interval.map(|interval| interval.high))),
        ("y minus x", double(difference.map(|found| found.mean))),
        ("y minus x from", double(of_mean.map(|interval| interval.low))),
        ("y minus x to", double(of_mean.map(|interval| interval.high))),
        ("effect size", double(difference.and_then(|found| found.effect_size()))),
        ("y larger", counted(difference.map(|found| found.larger))),
        ("y smaller", counted(difference.map(|found| found.smaller))),
    ];
    fields.extend(rest.map(|(name, field)| (name.to_owned(), field)));
    let (columns, row) = fields.into_iter().unzip();
    Table {
        name: "agreement",
        title: title.to_owned(),
        caption: "Both series over all prompts: Pearson's correlation with its 95 % interval (Fisher's transformation) and, of one unit, \
                  the difference y minus x prompt by prompt with its 95 % interval (Student's t) and effect size (mean / standard \
                  deviation of the differences)."
            .into(),
        columns,
        rows: vec![row],
    }
}
