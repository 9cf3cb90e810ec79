//! A short summary of a result, for the terminal.

use std::fmt::Write;

use crate::analysis::Heatmap;
use crate::figure::{FigurePlace, View};
use crate::names::{HeatmapId, HistogramId, SeriesId};
use crate::result::{Comparison, PairedDifference, ResultFile, mean, two_groups};

/// Means of every series, the check that cells add up to scores, and the times.
pub fn summary(result: &ResultFile) -> String {
    let mut text = format!("{}: head {}", result.model.name, result.head_name());
    if let Some(head) = result.earlier_head() {
        text += &format!(", earlier head {head}");
    }
    text += &format!(", {} prompts", result.prompt_count());
    if let Some(set) = result.ioi() {
        text += &format!(
            " ({} batches of {}, seeds from {})",
            set.batches, set.batch_size, set.seed
        );
    }
    if let Some(dtype) = &result.model.dtype {
        text += &format!(", weights {dtype}");
    }
    text.push('\n');
    for note in &result.model.notes {
        line(&mut text, format_args!("Note: {note}"));
    }
    for note in result.prompt_set.iter().flat_map(|set| set.notes()) {
        line(&mut text, format_args!("Note: {note}"));
    }
    for sentence in result.left_out() {
        line(&mut text, format_args!("Note: {sentence}"));
    }
    for name in HistogramId::ALL {
        histogram(&mut text, result, name);
    }
    for name in result.heatmap_names() {
        if let Some(heatmap) = result.heatmap(&name) {
            identity(&mut text, &name, heatmap);
        }
    }
    let view = View::default();
    for sentence in FigurePlace::all().flat_map(|place| place.description(result, &view)) {
        line(&mut text, format_args!("{sentence}"));
    }
    if let Some(timing) = &result.timing {
        line(
            &mut text,
            format_args!(
                "{:.1} s, {:.1} s of them reading {:.1} MB; {} positions, {:.0} positions per second",
                timing.seconds,
                timing.loading_seconds,
                timing.bytes_read as f64 / 1e6,
                timing.positions,
                timing.positions_per_second
            ),
        );
        if let Some(computed_by) = timing.computed_by() {
            line(&mut text, format_args!("{computed_by}"));
        }
    }
    text
}

/// The means of one histogram's series, largest first, and of the true values.
fn histogram(text: &mut String, result: &ResultFile, name: HistogramId) {
    let series = result.series(name).into_iter();
    let truth = name.true_values();
    let mut means: Vec<(&SeriesId, f64)> = series.filter_map(|(id, values)| Some((id, mean(values)?))).collect();
    if means.is_empty() {
        return;
    }
    means.sort_by(|a, b| b.1.total_cmp(&a.1));
    means.extend(mean(result.true_values(name)).map(|value| (&truth, value)));
    line(text, format_args!("{name}, means"));
    for (id, value) in means {
        line(text, format_args!("  {id:<24} {value:>9.4}"));
    }
    comparisons(text, result, name);
    groups(text, result, name);
}

/// Whether the main series of a histogram is larger than its controls in the same prompts, and by how much.
fn comparisons(text: &mut String, result: &ResultFile, name: HistogramId) {
    let (main, others) = result.claim(name);
    let values = |id: &SeriesId| result.substitution()?.values(name, id);
    for other in others {
        let pairs = values(main).zip(values(other));
        let Some(found) = pairs.and_then(|(main, other)| Comparison::of_pairs(main, other)) else {
            continue;
        };
        let paired = pairs.and_then(|(main, other)| PairedDifference::of(main, other));
        let effect_size = match paired.and_then(|paired| paired.effect_size()) {
            Some(size) => format!(", effect size {}", rounded(size)),
            None => String::new(),
        };
        let verdict = if found.beats() { "above" } else { "not above" };
        line(
            text,
            format_args!(
                "  {main} is {verdict} {other}: by {} on average, 95 % interval {} to {}{effect_size}, {} prompts",
                rounded(found.mean),
                rounded(found.interval.low),
                rounded(found.interval.high),
                found.n
            ),
        );
    }
}

/// Series whose values fall into two groups, so that the mean is not typical.
fn groups(text: &mut String, result: &ResultFile, name: HistogramId) {
    let truth = name.true_values();
    let truth = (&truth, result.true_values(name));
    for (id, values) in result.series(name).into_iter().chain([truth]) {
        if let Some(groups) = two_groups(values) {
            let (low, high) = (groups.low, groups.high);
            line(
                text,
                format_args!(
                    "  {id} falls into two groups: {} prompts around {} and {} around {}",
                    low.n,
                    rounded(low.mean),
                    high.n,
                    rounded(high.mean)
                ),
            );
        }
    }
}

/// Rounded to four decimals, without a sign for 0.
fn rounded(value: f64) -> String {
    // Adding 0 turns -0 into 0.
    format!("{:.4}", (value * 1e4).round() / 1e4 + 0.0)
}

/// "sum, score, difference" of a heatmap.
fn identity(text: &mut String, name: &HeatmapId, heatmap: &Heatmap) {
    let sum = heatmap.sum;
    let Some(score) = heatmap.mean_score else {
        return line(text, format_args!("heatmap {name}: sum {sum:.4}, score not recorded"));
    };
    let difference = (sum - score).abs();
    let one_prompt = match (heatmap.max_relative_residual, heatmap.max_abs_residual) {
        (Some(residual), _) => format!("; of one prompt at most {residual:.1e} of the sum of the absolute cells"),
        (None, Some(residual)) => format!("; of one prompt at most {residual:.1e}"),
        (None, None) => String::new(),
    };
    line(
        text,
        format_args!("heatmap {name}: sum {sum:.4}, score {score:.4}, difference {difference:.1e}{one_prompt}"),
    );
}

fn line(text: &mut String, arguments: std::fmt::Arguments<'_>) {
    // Writing to a string cannot fail.
    let _ = writeln!(text, "{arguments}");
}
