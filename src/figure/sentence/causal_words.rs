//! Texts about a causal map.

use crate::analysis::pair::{CausalCell, CausalSection};
use crate::names::Measure;
use crate::quantities::number;

/// What changes, for people.
pub const fn measure_name(measure: Measure) -> &'static str {
    match measure {
        Measure::Score => "score",
        Measure::LnAttention => "ln attention",
        Measure::LogitDifference => "logit difference",
    }
}

/// How many components there are on both sides, and of how many of them it is known what they do.
pub fn known(section: &CausalSection) -> (usize, usize) {
    (2 * section.components.len(), section.cells(Measure::Score).len())
}

/// How far what is recomputed and what is predicted agree.
pub fn agreement(section: &CausalSection, measure: Measure) -> String {
    let (all, cells) = known(section);
    let which = if cells == all {
        format!("all {all} cells")
    } else {
        format!("the {cells} of {all} cells that are known so far")
    };
    let correlation = section.agreement(measure).correlation;
    match correlation {
        Some(correlation) => format!(
            "Change of the {}: recomputed and predicted correlate with {} over {which} of both sides.",
            measure_name(measure),
            number(correlation, 2)
        ),
        None => format!(
            "Change of the {}: no correlation, as it is the same in {which}.",
            measure_name(measure)
        ),
    }
}

/// The cells that differ most, each in words; none where nothing is recomputed yet.
pub fn worst(section: &CausalSection, measure: Measure) -> Vec<String> {
    let signed = |value: f32| {
        let sign = if value > 0.0 { "+" } else { "" };
        format!("{sign}{}", number(f64::from(value), 2))
    };
    let description = |cell: CausalCell| {
        format!(
            "Without {} on the {} side: {}, predicted {}",
            cell.component.name(),
            cell.side,
            signed(cell.recomputed),
            signed(cell.predicted)
        )
    };
    section.agreement(measure).worst.into_iter().map(description).collect()
}
