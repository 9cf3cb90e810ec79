//! Batches of a run that is under way, as the result they amount to so far.

use crate::analysis::{Analysis, BatchValues, TRUE_VALUES};
use crate::model::Config;
use crate::result::{FORMAT, HistogramName, Histograms, ModelInfo, ResultFile};

/// The result of `analysis` before its first batch: no values, no heatmap.
pub(super) fn empty(model: ModelInfo, config: Config, analysis: &Analysis) -> ResultFile {
    ResultFile {
        format: FORMAT.into(),
        model,
        config,
        processing: analysis.processing,
        head: analysis.head,
        earlier_head: analysis.earlier_head,
        seed: analysis.seed,
        batches: 0,
        batch_size: analysis.batch_size,
        prepend_bos: analysis.prepend_bos,
        histograms: Histograms::default(),
        heatmaps: Default::default(),
        prompts: Vec::new(),
        timing: None,
    }
}

/// Appends the values of one more batch.
pub(super) fn append(result: &mut ResultFile, values: &BatchValues) {
    for name in HistogramName::all() {
        for (label, values) in values.get(name.as_str()).into_iter().flatten() {
            let series = &mut result.histograms.get_mut(name).series;
            series.entry(label.clone()).or_default().extend(values);
        }
    }
    if let Some(truth) = values.get(TRUE_VALUES) {
        let of = |label: &str| truth.get(label).into_iter().flatten();
        result.histograms.true_score.extend(of("true_score"));
        result.histograms.true_prob.extend(of("true_prob"));
    }
    result.batches += 1;
}
