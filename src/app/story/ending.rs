//! What both sides together say about the head.

use super::{BASE, Seen, Told, basis, both, list, number, percent, score};
use crate::names::{HistogramId, Side};
use crate::result::{Compare, Comparison, Evidence, ResultFile};

/// A sentence for each side: how much of the score the figure's main series explains, where it beats its controls.
pub fn ending(result: &ResultFile, compare: &Compare<'_>) -> Vec<String> {
    let sides = [HistogramId::KeysFixedScores, HistogramId::QueriesFixedScores].into_iter();
    sides
        .filter_map(|name| of_side(&Told::of(result, name, compare)))
        .collect()
}

fn of_side(told: &Told<'_>) -> Option<String> {
    let (main, controls) = told.claim();
    let (base, main) = (told.find(&BASE)?, main?);
    let side = match told.name.side() {
        Side::Query => "On the query side",
        Side::Key => "On the key side",
    };
    for series in [base, main] {
        if let Some(groups) = series.told_groups(score) {
            return Some(format!("{side} there is no one answer: {} {groups}.", series.label));
        }
    }
    if !base.has_shares() {
        return None;
    }
    let mut beaten = Vec::new();
    for control in controls {
        let Evidence::Found(found) = told.against(main, Some(control)) else {
            return None;
        };
        if let Some(groups) = found.groups {
            let groups = both(&groups, score);
            return Some(format!(
                "{side} there is no one answer: what {} gives more than {} falls into two groups: {groups}.",
                main.label, control.label
            ));
        }
        if !found.beats() {
            return Some(format!(
                "{side} the data do not show that {} explains anything of its own: it gives {}, and {}, which it is held against, \
                 {} ({}).",
                main.label,
                score(main.mean),
                control.label,
                score(control.mean),
                basis(&found, false)
            ));
        }
        beaten.push(control.label.to_string());
    }
    let Evidence::Found(found) = told.against(main, Some(base)) else {
        return None;
    };
    Some(format!("{side} {}", explained(base, main, &beaten, &found)))
}

/// How much of the score of `base` the series `main` gives, which beats the controls `beaten`.
fn explained(base: &Seen<'_>, main: &Seen<'_>, beaten: &[String], found: &Comparison) -> String {
    let ratio = main.mean / base.mean;
    let verdict = match ratio {
        ratio if ratio >= 0.9 => "explains the score",
        ratio if ratio >= 0.5 => "explains most of the score, but not all",
        _ => "does not explain the score",
    };
    let share = match ratio {
        ratio if ratio >= 1.5 => format!("{} times as much as {}", number(ratio, 1), base.with_mean()),
        ratio if ratio >= 1.005 => format!("more than {}", base.with_mean()),
        ratio if ratio > 0.0 => format!("{} of what {BASE} gives, {}", percent(ratio), score(base.mean)),
        _ => format!("where {BASE} gives {}", score(base.mean)),
    };
    let beats = match beaten {
        [] => String::new(),
        beaten => format!(" It beats {}.", list(beaten)),
    };
    format!(
        "{} {verdict}: it gives {}, {share}: difference {}, {}.{beats}",
        main.label,
        score(main.mean),
        score(found.mean),
        basis(found, false)
    )
}
