//! Numbers and sentences about results and progress.

use super::download;
use super::state::{Origin, Run};
use crate::analysis::Heatmap;
use crate::analysis::{Phase, Progress};
use crate::export::result_stem;
use crate::model::Config;
use crate::model::ModelCard;
use crate::names::{Component, Head, HeatmapId, HistogramId, Normalization, SeriesId};
use crate::prompts::IoiSet;
use crate::quantities::{counted, duration, grouped, number, size};
use crate::result::ResultFile;

/// The tag next to the name of a recorded model.
pub const RECORDED: &str = "recorded";
/// The label of the button that copies the page's URL.
pub const COPY_LINK: &str = "Copy link";
/// The page's title.
pub const TITLE: &str = "Why does this head look there?";
/// The current phase of the run, without numbers that change all the time: "Computing batch 3 of 10".
pub fn phase(run: &Run) -> String {
    let Some(progress) = run.progress() else {
        return match run {
            Run::Idle => String::new(),
            Run::Opening => "Opening the model".into(),
            Run::Running(_) | Run::Cancelling(_) => "Cancelling".into(),
            Run::Cancelled(0) => "Cancelled before the first batch was finished. Nothing changed.".into(),
            Run::Cancelled(done) => {
                format!(
                    "Cancelled. The histograms keep the {} that finished.",
                    counted(*done, "batch", "batches")
                )
            }
            Run::Failed => "The run failed.".into(),
            Run::Finished => "Finished.".into(),
        };
    };
    let batch = (progress.batches_done + 1).min(progress.batches);
    let progress_text = format!("batch {batch} of {}", progress.batches);
    match (run, progress.phase) {
        (Run::Cancelling(_), _) => format!("Cancelling at {progress_text}"),
        (_, Phase::Opening) => "Opening the model".into(),
        (_, Phase::Prompts) => "Drawing the prompts".into(),
        (_, Phase::Loading) => format!("Reading weights, {progress_text}"),
        (_, Phase::Computing) => format!("Computing {progress_text}"),
    }
}

/// Numbers about a run in progress: layer, rate, remaining time, memory.
pub fn details(progress: &Progress) -> String {
    let mut parts = Vec::new();
    if progress.layers > 0 && matches!(progress.phase, Phase::Loading | Phase::Computing) {
        parts.push(format!(
            "layer {} of {}",
            (progress.layers_done + 1).min(progress.layers),
            progress.layers
        ));
    }
    if let Some(rate) = progress.positions_per_second {
        parts.push(format!("{} positions/s", grouped(rate.max(0.0).round() as usize)));
    }
    if let Some(left) = progress.seconds_left {
        parts.push(if left < 1.0 {
            "less than 1 s left".into()
        } else {
            format!("about {} left", duration(left))
        });
    }
    parts.extend(download::memory(progress));
    parts.join(" \u{b7} ")
}

/// The model's shape: "12 layers, 12 heads each, d_model 768".
fn shape(config: &Config) -> String {
    let layers = counted(config.n_layer, "layer", "layers");
    format!(
        "{layers}, {} each, d_model {}",
        counted(config.n_head, "head", "heads"),
        config.d_model
    )
}

/// The panel's text about a model: its card's remark, its shape.
pub fn about(config: &Config, card: Option<&ModelCard>) -> String {
    let shape = format!("It has {}.", shape(config));
    match card {
        Some(card) => format!("{} {shape}", card.note),
        None => shape,
    }
}

/// The origin of the shown result: "Recorded run", "Live run", ...
pub fn origin(origin: &Origin) -> String {
    match origin {
        Origin::Recorded => "Recorded run".into(),
        Origin::Live => "Live run, finished".into(),
        Origin::Partial { done, batches } => format!("Live run, partial: {done} of {batches} batches"),
        Origin::File(name) => format!("Opened from {name}"),
    }
}

/// Heads, prompts and time of a result: "head 10.7, earlier head 9.9 · 1,200 prompts (30 × 40, ...) · 8.1 s".
pub fn settings(result: &ResultFile) -> String {
    let prompts = counted(result.prompt_count(), "prompt", "prompts");
    let earlier = |head: Head| format!(", earlier head {head}");
    let mut parts = vec![
        format!(
            "head {}{}",
            result.head_name(),
            result.earlier_head().map(earlier).unwrap_or_default()
        ),
        match result.ioi() {
            Some(set) => format!("{prompts} ({})", drawn(set)),
            None if !result.is_ioi() => format!("{prompts} of one\u{2019}s own"),
            None => prompts,
        },
    ];
    if let Some(dtype) = &result.model.dtype {
        parts.push(format!("weights {dtype}"));
    }
    if let Some(timing) = &result.timing {
        let how = match timing.resumed_from {
            Some(layer) => format!("from layer {layer} on, as the run before had left it"),
            None => format!(
                "{} positions/s",
                grouped(timing.positions_per_second.max(0.0).round() as usize)
            ),
        };
        parts.push(format!("{} ({how})", duration(timing.seconds)));
        parts.extend(timing.computed_by());
        if let Some(peak) = timing.peak_linear_memory {
            parts.push(format!("peak memory {}", size(peak)));
        }
    }
    parts.join(" \u{b7} ")
}

/// Remarks on a result, each with a test id: the `note` of the run, resolved inconsistencies of the model's files,
/// omitted heatmaps, unknown sections.
pub fn notes(result: &ResultFile, note: Option<&str>) -> Vec<(&'static str, String)> {
    let mut notes: Vec<(&str, String)> = note.into_iter().map(|note| ("run-note", note.to_owned())).collect();
    notes.extend(result.model.notes.iter().map(|note| ("model-note", note.clone())));
    let of_prompts = result.prompt_set.iter().flat_map(|set| set.notes());
    notes.extend(of_prompts.map(|note| ("prompt-note", note.clone())));
    notes.extend(
        result
            .left_out_heatmaps()
            .into_iter()
            .map(|left_out| ("left-out", left_out)),
    );
    notes.extend(result.skipped_notice().map(|skipped| ("skipped", skipped)));
    notes
}

/// The drawn prompts: "30 \u{d7} 40, seeds 0\u{2013}29".
fn drawn(set: &IoiSet) -> String {
    let last = set.last_seed();
    let seeds = if last == set.seed {
        format!("seed {last}")
    } else {
        format!("seeds {}\u{2013}{last}", set.seed)
    };
    let bos = if set.prepend_bos { ", with BOS" } else { "" };
    format!("{} \u{d7} {}, {seeds}{bos}", set.batches, set.batch_size)
}

/// The name of a result file: `keyside-gpt-2-small-10.7.json`.
pub fn file_name(result: &ResultFile) -> String {
    format!("{}.json", result_stem(result))
}

/// The components of `heatmap` with their mean contributions.
fn contributions(heatmap: &Heatmap) -> impl Iterator<Item = (Component, f32)> {
    heatmap
        .components
        .iter()
        .copied()
        .zip(heatmap.mean.data().iter().copied())
}

/// The sum of the attention output biases, if they are among the components.
fn sum_of_b_o(heatmap: &Heatmap) -> Option<f64> {
    let biases = contributions(heatmap).filter(|(component, _)| matches!(component, Component::AttentionBias(_)));
    heatmap
        .has_attention_biases()
        .then(|| biases.map(|(_, value)| f64::from(value)).sum())
}

/// Whether `heatmap` has the column `b_O`, which the notebook's does not.
pub fn has_b_o(heatmap: &Heatmap) -> bool {
    heatmap.has_attention_biases()
}

/// Whether the cells of a heatmap add up to the score, in words and numbers: for `prompt`, if the heatmap has its
/// cells; otherwise for the means, which are then compared with those of the histograms.
pub fn sums(result: &ResultFile, name: &HeatmapId, prompt: Option<usize>, as_in_notebook: bool) -> Option<String> {
    let heatmap = result.heatmap(name)?;
    if let Some(text) = prompt.and_then(|prompt| identity_of_prompt(result, name, prompt, as_in_notebook)) {
        return Some(text);
    }
    let mut text = identity(heatmap, result.heatmap_prompts(), as_in_notebook);
    if let Some(other) = other_mean(result, name, heatmap) {
        text += &format!(" {other}");
    }
    Some(text)
}

/// Whether the heatmap decomposes the whole score, without replacing or subtracting anything.
fn is_of_the_whole_score(name: &HeatmapId) -> bool {
    *name == HeatmapId::KEY || *name == HeatmapId::QUERY
}

/// The sum of the cells of one prompt, and the head's own score if they decompose it.
fn identity_of_prompt(result: &ResultFile, name: &HeatmapId, prompt: usize, as_in_notebook: bool) -> Option<String> {
    let heatmap = result.heatmap(name)?;
    let values = heatmap.components.iter().zip(heatmap.of_prompt(prompt)?);
    let is_shown = |component: &Component| !(as_in_notebook && matches!(component, Component::AttentionBias(_)));
    let shown: Vec<f64> = values
        .filter(|(component, _)| is_shown(component))
        .map(|(_, v)| f64::from(*v))
        .collect();
    let without = if as_in_notebook { ", without b_O," } else { "" };
    let mut text = format!(
        "In prompt {}{without} the {} cells add up to {}",
        grouped(prompt + 1),
        shown.len(),
        number(shown.iter().sum(), 4)
    );
    let score = result.true_values(HistogramId::KeysFixedScores).get(prompt);
    if let Some(score) = score.filter(|_| is_of_the_whole_score(name)) {
        text += &format!("; the head\u{2019}s score there is {}", number(f64::from(*score), 4));
    }
    Some(text + ".")
}

/// Why the histograms have another mean of the score that the heatmap decomposes, if they do.
fn other_mean(result: &ResultFile, name: &HeatmapId, heatmap: &Heatmap) -> Option<String> {
    let histogram = HistogramId::scores_of(name.side());
    let series = SeriesId::NoPatching;
    let here = heatmap
        .mean_score
        .filter(|_| is_of_the_whole_score(name) && heatmap.note.is_none())?;
    let there = crate::result::mean(result.substitution()?.values(histogram, &series)?)?;
    let (here, there) = (number(f64::from(here), 2), number(there, 2));
    if here == there {
        return None;
    }
    let (known, all) = (result.heatmap_prompts(), result.prompt_count());
    let prompts = (known < all).then(|| format!("it is over all {} prompts", grouped(all)));
    let divided = (result.normalization() == Some(Normalization::Notebook))
        .then(|| "its vector is divided by its standard deviation, where the head divides by ln_scale".to_owned());
    let why: Vec<String> = prompts.into_iter().chain(divided).collect();
    (!why.is_empty()).then(|| {
        let why = why.join(", and ");
        format!("The histogram\u{2019}s {series} has the mean {there}: {why}.")
    })
}

/// Whether the cells add up to the score, in words and numbers; then the heatmap's note, if it has one.
///
/// `prompts` is the number of prompts of the first batch; `as_in_notebook` omits `b_O`.
fn identity(heatmap: &Heatmap, prompts: usize, as_in_notebook: bool) -> String {
    let cells = heatmap.components.len();
    let mut text = match heatmap.mean_score {
        Some(mean) => sum_and_score(heatmap, f64::from(mean), prompts, as_in_notebook),
        None => format!(
            "The {cells} cells add up to {}. The mean score was not recorded.",
            number(f64::from(heatmap.sum), 3)
        ),
    };
    if let Some(note) = &heatmap.note {
        text += &format!(" {note}");
    }
    text
}

/// The sum of the cells compared with the mean score.
fn sum_and_score(heatmap: &Heatmap, mean: f64, prompts: usize, as_in_notebook: bool) -> String {
    let (cells, sum) = (heatmap.components.len(), f64::from(heatmap.sum));
    let over = counted(prompts, "prompt", "prompts");
    let Some(biases) = sum_of_b_o(heatmap) else {
        return format!(
            "The {cells} cells add up to {}, while the mean score over {over} is {}. The missing {} is b_O, the \
             attention output biases, which were not among the notebook\u{2019}s components.",
            number(sum, 3),
            number(mean, 3),
            number(mean - sum, 3)
        );
    };
    if as_in_notebook {
        let is_bias = |component: &&Component| matches!(component, Component::AttentionBias(_));
        let count = heatmap.components.iter().filter(is_bias).count();
        return format!(
            "As in the notebook, without b_O, the {} cells add up to {}, while the mean score over {over} is {}. \
             b_O accounts for the other {}.",
            cells - count,
            number(sum - biases, 4),
            number(mean, 4),
            number(biases, 4)
        );
    }
    let residual = match (heatmap.max_relative_residual, heatmap.max_abs_residual) {
        (Some(residual), _) => format!(
            "over {over} sum and score differ by at most {} of the sum of the absolute cells",
            small(f64::from(residual))
        ),
        (None, Some(residual)) => format!("largest difference over {over} {}", small(f64::from(residual))),
        (None, None) => format!("over {over}"),
    };
    format!(
        "The {cells} cells add up to {}; the mean score is {}; {residual}.",
        number(sum, 4),
        number(mean, 4)
    )
}

/// A small positive number: "3e-6", "0".
fn small(value: f64) -> String {
    if value == 0.0 {
        "0".into()
    } else {
        format!("{value:.0e}")
    }
}

#[cfg(test)]
#[path = "words_tests.rs"]
mod tests;
