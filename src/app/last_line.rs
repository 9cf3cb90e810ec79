//! The last line of the notebook, "sub out query-side with IO, then try again": recorded results, and a preset to try
//! it.

use crate::names::{HeatmapId, HeatmapParts, HeatmapVariant, HistogramId, SeriesId, Side};
use crate::quantities::{counted, grouped, number};
use crate::result::{BoxStats, PairedDifference, ResultFile};

/// The preset that tries it on a sentence, see [`super::presets::presets`].
pub const PRESET: &str = "notebook";

/// "10.52 (standard deviation 1.36)", for `values` times `factor`.
fn spread(values: &[f32], factor: f64, unit: &str) -> Option<String> {
    let stats = BoxStats::of(values)?;
    let decimals = if unit.is_empty() { 2 } else { 1 };
    let text = |value: f64| format!("{}{unit}", number(factor * value, decimals));
    Some(format!(
        "{} (standard deviation {})",
        text(stats.mean),
        text(stats.standard_deviation?)
    ))
}

/// The score, compared with the original query and with a query made from the other name.
fn scores(result: &ResultFile) -> Option<String> {
    let values = |id: &SeriesId| result.substitution()?.values(HistogramId::KeysFixedScores, id);
    let (made, as_it_is) = (values(&SeriesId::WuIo)?, values(&SeriesId::NoPatching)?);
    let found = PairedDifference::of(made, as_it_is)?;
    let interval = found
        .interval
        .filter(|interval| interval.low > 0.0 || interval.high < 0.0)?;
    let control = values(&SeriesId::WuS).and_then(|values| spread(values, 1.0, ""));
    let control = control.map_or_else(String::new, |text| {
        format!(" From the other name\u{2019}s row, {}, it is {text}.", SeriesId::WuS)
    });
    Some(format!(
        "Over {}, a query that is made from {} alone gives a mean score of {}; the query as it is gives {}. Prompt by prompt that is {} more (95 % interval {} to {}, {} \
         standard deviations of the differences), and more in {} of them.{control}",
        counted(found.n, "prompt", "prompts"),
        SeriesId::WuIo,
        spread(made, 1.0, "")?,
        spread(as_it_is, 1.0, "")?,
        number(found.mean, 2),
        number(interval.low, 2),
        number(interval.high, 2),
        number(found.effect_size()?, 1),
        grouped(found.larger),
    ))
}

/// The attention.
fn attention(result: &ResultFile) -> Option<String> {
    let share = |id: &SeriesId| {
        spread(
            result.substitution()?.values(HistogramId::KeysFixedProbs, id)?,
            100.0,
            " %",
        )
    };
    Some(format!(
        "Attention to IO is {} in place of {}.",
        share(&SeriesId::WuIo)?,
        share(&SeriesId::NoPatching)?
    ))
}

/// The decomposition of the key side for such queries.
fn key_side(result: &ResultFile) -> Option<String> {
    let largest_cell = |variant, seed| {
        let parts = HeatmapParts {
            variant,
            seed,
            ..HeatmapParts::of(Side::Key)
        };
        result.heatmap(&HeatmapId::Ours(parts))
    };
    let made = largest_cell(HeatmapVariant::FromWu, None)?;
    // The heatmap to compare with must be of the same prompts: others if the note says so.
    let (as_it_is, note) = match &made.note {
        Some(note) => (
            largest_cell(HeatmapVariant::Whole, Some(RECORDED_SEED))?,
            format!(" ({})", note.trim_end_matches('.')),
        ),
        None => (largest_cell(HeatmapVariant::Whole, None)?, String::new()),
    };
    Some(format!(
        "Taken apart by the components of the key, such scores add up to {} in place of {}, as means{note}; how far single prompts differ is not recorded of them.",
        number(f64::from(made.sum), 2),
        number(f64::from(as_it_is.sum), 2)
    ))
}

/// The seed of the prompts of the recorded heatmaps, from a later version of the notebook.
const RECORDED_SEED: u64 = 42;

/// The results in `result`, a sentence each: scores, attention, key side. None without scores, or if they are
/// inconclusive.
pub fn words(result: &ResultFile) -> Vec<String> {
    let Some(scores) = scores(result) else {
        return Vec::new();
    };
    [Some(scores), attention(result), key_side(result)]
        .into_iter()
        .flatten()
        .collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn recorded() -> ResultFile {
        ResultFile::from_json(include_bytes!("../../public/recorded/gpt2-small-10.7.json")).unwrap()
    }

    #[test]
    fn what_is_recorded_of_the_last_line_is_told_with_n_and_spread() {
        let said = words(&recorded()).join(" ");
        for part in [
            "Over 1,200 prompts",
            "10.52 (standard deviation 1.36)",
            "4.41 (standard deviation 1.06)",
            "6.12 more (95 % interval 6.03 to 6.21, 3.9 standard deviations",
            "more in 1,200 of them",
            "99.7 % (standard deviation 0.7 %) in place of 67.8 % (standard deviation 20.5 %)",
            "add up to 10.81 in place of 3.95",
            "seed 42, 50 prompts",
        ] {
            assert!(said.contains(part), "{part} is not in: {said}");
        }
    }

    #[test]
    fn nothing_is_said_where_the_query_makes_no_difference() {
        let mut result = recorded();
        let section = result.substitution_mut().unwrap();
        let as_it_is = section
            .values(HistogramId::KeysFixedScores, &SeriesId::NoPatching)
            .unwrap()
            .to_vec();
        // The same, but with a sign that alternates between prompts.
        let alike = as_it_is
            .iter()
            .enumerate()
            .map(|(index, value)| value + if index % 2 == 0 { 1.0 } else { -1.0 });
        let made = section.series.get_mut(Side::Query).get_mut(&SeriesId::WuIo).unwrap();
        *made.values_mut(HistogramId::KeysFixedScores) = Some(crate::analysis::Array::vector(alike.collect()));
        assert!(words(&result).is_empty());
        result.sections.clear();
        assert!(words(&result).is_empty());
    }
}
