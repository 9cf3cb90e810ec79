//! Batches of a run that is under way, as the result they amount to so far.

use crate::analysis::{Analysis, BatchValues};
use crate::model::Config;
use crate::names::HistogramId;
use crate::result::{FORMAT, Histograms, ModelInfo, ResultFile};

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
    for name in HistogramId::ALL {
        for (id, values) in values.series.get(&name).into_iter().flatten() {
            let series = &mut result.histograms.get_mut(name).series;
            series.entry(id.clone()).or_default().extend(values);
        }
    }
    result.histograms.true_score.extend(&values.true_score);
    result.histograms.true_prob.extend(&values.true_prob);
    result.batches += 1;
}
