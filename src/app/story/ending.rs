//! The summary of both sides.

use super::{BASE, HistogramFacts, SeriesFacts, basis, both, list, mean, number, percent, score};
use crate::names::{HistogramId, Side};
use crate::result::{Compare, Comparison, Evidence, ResultFile};

/// A sentence for each side: how much of the score the main series explains, if it is larger than its controls.
pub fn ending(result: &ResultFile, compare: &Compare<'_>) -> Vec<String> {
    let sides = [HistogramId::KeysFixedScores, HistogramId::QueriesFixedScores].into_iter();
    sides
        .filter_map(|name| of_side(result, &HistogramFacts::of(result, name, compare)))
        .collect()
}

fn of_side(result: &ResultFile, facts: &HistogramFacts<'_>) -> Option<String> {
    let (main, controls) = facts.claim();
    let (base, main) = (facts.find(&BASE)?, main?);
    let side = match facts.name.side() {
        Side::Query => "On the query side",
        Side::Key => "On the key side",
    };
    for series in [base, main] {
        if let Some(groups) = series.describe_groups(score) {
            return Some(format!("{side} there is no one answer: {} {groups}.", series.label));
        }
    }
    if !base.has_shares() {
        return None;
    }
    let mut beaten = Vec::new();
    for control in controls {
        let Evidence::Found(found) = facts.against(main, Some(control)) else {
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
                basis(&found, main, control, false)
            ));
        }
        beaten.push(control.with_mean());
    }
    let Evidence::Found(found) = facts.against(main, Some(base)) else {
        return None;
    };
    let above = match &beaten[..] {
        [] => String::new(),
        beaten => format!(" On average that is above {}.", list(beaten)),
    };
    Some(format!(
        "{side} {}{}{above}",
        enough(base, main, &found),
        in_attention(result, facts, base, main)
    ))
}

/// How much of the score of `base` the series `main` alone explains.
fn enough(base: &SeriesFacts<'_>, main: &SeriesFacts<'_>, found: &Comparison) -> String {
    let ratio = main.mean / base.mean;
    let (verdict, share) = match ratio {
        ratio if ratio >= 1.5 => (
            "is more than enough for the score",
            format!("{} times the", number(ratio, 1)),
        ),
        ratio if ratio >= 1.05 => ("is more than enough for the score", "more than the".to_owned()),
        ratio if ratio >= 0.95 => ("is enough for the score", "as much as the".to_owned()),
        ratio if ratio >= 0.5 => (
            "gives most of the score, but not all",
            format!("{} of the", percent(ratio)),
        ),
        ratio if ratio > 0.0 => ("is not enough for the score", format!("{} of the", percent(ratio))),
        _ => ("is not enough for the score", "and not the".to_owned()),
    };
    format!(
        "{} alone {verdict}: on average it gives {}, {share} {} of {BASE} ({}).",
        main.label,
        score(main.mean),
        score(base.mean),
        basis(found, main, base, false)
    )
}

/// The same after the softmax, where a difference of scores may hardly matter.
fn in_attention(
    result: &ResultFile,
    facts: &HistogramFacts<'_>,
    base: &SeriesFacts<'_>,
    main: &SeriesFacts<'_>,
) -> String {
    let name = HistogramId::probs_of(facts.name.side());
    let share = |series: &SeriesFacts<'_>| {
        result
            .substitution()?
            .values(name, series.label)
            .and_then(mean)
            .filter(|mean| mean.is_finite())
    };
    match (share(main), share(base)) {
        (Some(main), Some(base)) => format!(" In attention that is {} against {}.", percent(main), percent(base)),
        _ => String::new(),
    }
}
