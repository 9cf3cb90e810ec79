//! The partial result of a run in progress.

use crate::analysis::{Analysis, BatchValues, Section, SubstitutionSection};
use crate::model::Config;
use crate::result::{ModelInfo, ResultFile};

/// The result of `analysis` before its first batch: no values, no heatmaps.
pub(super) fn empty(model: ModelInfo, config: Config, analysis: &Analysis) -> ResultFile {
    let section = SubstitutionSection::empty(analysis.head, analysis.earlier_head, analysis.normalization);
    ResultFile {
        sections: vec![Section::Substitution(section)],
        ..ResultFile::empty(model, config, analysis)
    }
}

/// Appends the values of one more batch, or the changes that an intervention causes in it.
pub(super) fn append(result: &mut ResultFile, values: &BatchValues) {
    if let Some(changes) = &values.changes {
        match result.changes_mut() {
            Some(known) => known.append(changes),
            None => result.sections.push(changes.clone().into()),
        }
        return;
    }
    if let Some(section) = result.substitution_mut() {
        section.append(values);
    }
    if let Some(set) = &mut result.prompt_set {
        set.add_batch(values.prompts());
    }
}
