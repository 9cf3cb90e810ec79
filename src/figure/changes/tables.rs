//! The tables behind the histograms of changes.

use crate::analysis::ChangesSection;
use crate::export::{Field, Table};
use crate::figure::prompts::{parts, prompt_columns, prompt_fields};
use crate::figure::sentence::words::visible;
use crate::names::ChangeMeasure;
use crate::result::{PairedDifference, ResultFile};

/// The name of the table with a row for each kind of change.
pub(super) const STATISTICS: &str = "statistics";

/// `statistics` (a row for the recomputed change, one for the predicted one, one for their difference) and `values` (a row per prompt).
pub(super) fn tables(result: &ResultFile, section: &ChangesSection, measure: ChangeMeasure, title: &str) -> Vec<Table> {
    vec![
        statistics(section, measure, title),
        values(result, section, measure, title),
    ]
}

fn statistics(section: &ChangesSection, measure: ChangeMeasure, title: &str) -> Table {
    let columns = [
        "what",
        "count",
        "mean",
        "standard deviation",
        "95 % interval from",
        "95 % interval to",
        "effect size",
        "larger than 0",
        "smaller than 0",
    ];
    let (before, after) = (section.before.of(measure), section.after.of(measure));
    let mut compared = vec![("recomputed change", after, before)];
    if let Some(predicted) = section.predicted(measure) {
        compared.push(("predicted change", predicted, before));
        compared.push(("recomputed minus predicted", after, predicted));
    }
    let double = |value: Option<f64>| value.map_or(Field::Empty, Field::Double);
    let row = |(what, first, second): (&str, &[f32], &[f32])| {
        let mut row = vec![what.into(), Field::Count(first.len())];
        if let Some(found) = PairedDifference::of(first, second) {
            row.extend([Field::Double(found.mean), Field::Double(found.standard_deviation)]);
            row.push(double(found.interval.map(|interval| interval.low)));
            row.push(double(found.interval.map(|interval| interval.high)));
            row.push(double(found.effect_size()));
            row.extend([Field::Count(found.larger), Field::Count(found.smaller)]);
        }
        row.resize(columns.len(), Field::Empty);
        row
    };
    Table {
        name: STATISTICS,
        title: title.to_owned(),
        caption: "Changes of the same prompts: mean, standard deviation, 95 % interval of the mean (Student\u{2019}s t), effect size (mean / \
                  standard deviation), and in how many prompts it is above or below 0."
            .into(),
        columns: columns.map(str::to_owned).to_vec(),
        rows: compared.into_iter().map(row).collect(),
    }
}

fn values(result: &ResultFile, section: &ChangesSection, measure: ChangeMeasure, title: &str) -> Table {
    let parts = parts(result);
    let (before, after) = (section.before.of(measure), section.after.of(measure));
    let (change, predicted) = (section.change(measure), section.predicted(measure));
    let predicted_change = section.predicted_change(measure);
    let single = |values: &[f32], index: usize| values.get(index).map_or(Field::Empty, |&value| Field::Single(value));
    let row = |index: usize| {
        let mut row = prompt_fields(result, &parts, index);
        let tokens = [section.a.get(index), section.b.get(index)];
        row.extend(tokens.map(|token| token.map_or(Field::Empty, |token| Field::Text(visible(&token.text)))));
        row.extend([single(before, index), single(after, index), single(&change, index)]);
        row.push(predicted.map_or(Field::Empty, |values| single(values, index)));
        row.push(
            predicted_change
                .as_ref()
                .map_or(Field::Empty, |values| single(values, index)),
        );
        row
    };
    let columns = [
        "first target",
        "second target",
        "before",
        "after",
        "change",
        "predicted",
        "predicted change",
    ];
    Table {
        name: "values",
        title: title.to_owned(),
        caption: "Each prompt before the intervention and after it.".into(),
        columns: prompt_columns(result)
            .into_iter()
            .chain(columns)
            .map(str::to_owned)
            .collect(),
        rows: (0..section.prompts()).map(row).collect(),
    }
}
