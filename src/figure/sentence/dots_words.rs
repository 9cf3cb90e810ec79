//! Texts about substituted vectors, and the rows of their plot.

use super::words::{name, pair_words, percent};
use crate::analysis::SubstitutedSection;
use crate::analysis::pair::{Band, SampledToken};
use crate::error::{Error, ErrorKind, Result};
use crate::math::sort_descending;
use crate::names::{HistogramId, SeriesId, Side};
use crate::quantities::{counted, number, ordinal};
use crate::result::{ResultFile, mean, percentile};

/// One series in a sentence.
#[derive(Debug, Clone, PartialEq)]
pub struct DotRow<'a> {
    /// Which one.
    pub series: &'a SeriesId,
    /// What it is called here: "W_U\[Mary\]", "as it is".
    pub label: String,
    /// Its value, or the mean of a sample.
    pub value: f64,
    /// The values of a sample, in the order of [`DotRow::tokens`]; one otherwise.
    pub values: &'a [f32],
    /// The tokens of a sample; empty otherwise.
    pub tokens: &'a [SampledToken],
    /// Where a run over many prompts has the series.
    pub band: Option<Band>,
}

/// The section of `result` with substituted vectors.
pub(super) fn substituted(result: &ResultFile) -> Result<&SubstitutedSection> {
    result.substituted().ok_or_else(|| {
        Error::new(
            ErrorKind::Plot,
            "the result has no vectors in place of what a head reads in a sentence",
        )
    })
}

/// The series that `histogram` has of the sentence of `result`, the largest value first.
///
/// # Errors
/// [`ErrorKind::Plot`] when the result does not have them.
pub fn rows(result: &ResultFile, histogram: HistogramId) -> Result<Vec<DotRow<'_>>> {
    let section = substituted(result)?;
    let source = source(result, section);
    let series = section.series(histogram);
    let mut rows: Vec<DotRow<'_>> = series
        .filter_map(|(series, values)| Some((series, values, mean(values)?)))
        .map(|(series, values, value)| DotRow {
            series,
            label: series.in_sentence(&source),
            value,
            values,
            tokens: section.sample(series),
            band: section.band(histogram, series),
        })
        .collect();
    sort_descending(&mut rows, |row| row.value);
    Ok(rows)
}

/// The source token as it stands in labels.
fn source(result: &ResultFile, section: &SubstitutedSection) -> String {
    match result
        .attention()
        .and_then(|attention| attention.texts.get(section.src))
    {
        Some(text) => name(text),
        None => section.src.to_string(),
    }
}

impl DotRow<'_> {
    /// How far the values of a sample go, from the 5th to the 95th percentile; None for one value.
    pub fn spread(&self) -> Option<(f64, f64)> {
        let is_sample = !self.tokens.is_empty();
        is_sample.then(|| Some((percentile(self.values, 0.05)?, percentile(self.values, 0.95)?)))?
    }

    /// The token of a sample with the largest value, and that.
    pub fn largest(&self) -> Option<(&SampledToken, f32)> {
        let all = self.tokens.iter().zip(self.values.iter().copied());
        all.reduce(|best, other| if other.1 > best.1 { other } else { best })
    }
}

/// A value of `histogram` as it is shown: "4.90", "71 %".
pub fn format_value(histogram: HistogramId, value: f64) -> String {
    if histogram.probs() {
        percent(value as f32)
    } else {
        number(value, 2)
    }
}

/// What the values of `histogram` are.
pub fn kind(histogram: HistogramId) -> &'static str {
    if histogram.probs() { "attention" } else { "score" }
}

/// Where a share of `below` stands: "at the 62nd percentile of", "below all of".
fn place(below: f32) -> String {
    match (f64::from(below) * 100.0).round() as usize {
        _ if below <= 0.0 => "below all of".into(),
        _ if below >= 1.0 => "above all of".into(),
        percentile => format!("at the {} percentile of", ordinal(percentile.clamp(1, 99))),
    }
}

/// The prompts that the bands of `section` are of: "1,200 recorded prompts", "the run's 40 prompts".
pub fn prompts(section: &SubstitutedSection) -> Option<String> {
    let run = section.run.as_ref()?;
    Some(if run.recorded {
        counted(run.prompts, "recorded prompt", "recorded prompts")
    } else {
        format!("the run\u{2019}s {}", counted(run.prompts, "prompt", "prompts"))
    })
}

/// Where the sentence's value of `row` stands among those of the run; None for samples, and where there is no run.
pub fn standing(section: &SubstitutedSection, histogram: HistogramId, row: &DotRow<'_>) -> Option<String> {
    let below = row.band?.below?;
    Some(format!(
        "This sentence\u{2019}s {} ({}) lies {} {}.",
        format_value(histogram, row.value),
        row.label,
        place(below),
        prompts(section)?
    ))
}

/// What is said of `row`, a line each.
pub(super) fn lines(
    result: &ResultFile,
    section: &SubstitutedSection,
    histogram: HistogramId,
    row: &DotRow<'_>,
) -> Vec<String> {
    let value = format_value(histogram, row.value);
    let mut lines = vec![row.label.clone()];
    match (row.spread(), row.largest()) {
        (Some((low, high)), Some((largest, most))) => {
            lines.push(format!(
                "mean {} of {}: {value}",
                kind(histogram),
                counted(row.tokens.len(), "token", "tokens")
            ));
            lines.push(format!(
                "5th to 95th percentile: {} to {}",
                format_value(histogram, low),
                format_value(histogram, high)
            ));
            lines.push(format!(
                "largest: {} with {}",
                name(&largest.text),
                format_value(histogram, f64::from(most))
            ));
        }
        _ => lines.push(format!("{} {value}", kind(histogram))),
    }
    let note = result.with_position_names(row.series.note());
    lines.extend((!note.is_empty()).then_some(note));
    if let (Some(band), Some(prompts)) = (row.band, prompts(section)) {
        let said = |value: f32| format_value(histogram, f64::from(value));
        lines.push(format!(
            "{prompts}: mean {}, 5th to 95th percentile {} to {}",
            said(band.mean),
            said(band.low),
            said(band.high)
        ));
    }
    lines.extend(standing(section, histogram, row));
    lines
}

/// What is shown, in one sentence: whose score, and what stands in place of what.
pub fn title(result: &ResultFile, histogram: HistogramId) -> Result<String> {
    let section = substituted(result)?;
    let (dest, src) = pair_words(result, section.dest, section.src);
    let (place, fixed) = match histogram.side() {
        Side::Query => (&dest, "keys fixed"),
        Side::Key => (&src, "queries fixed"),
    };
    let what = if histogram.probs() { "Attention" } else { "Score" };
    Ok(format!(
        "{what} of head {} from {dest} to {src} with something else at {place} ({fixed})",
        section.head
    ))
}

/// What a dot, a line through it and a band are.
pub fn legend(section: &SubstitutedSection) -> String {
    let band = prompts(section).map(|prompts| format!("; band: {prompts}, 5th to 95th percentile, with their mean"));
    format!(
        "Dot: this sentence; of several tokens their mean, with a line from the 5th to the 95th percentile{}.",
        band.unwrap_or_default()
    )
}

/// The head's own value, and where the vector as it is stands among many prompts.
pub fn own_words(result: &ResultFile, histogram: HistogramId) -> Result<String> {
    let section = substituted(result)?;
    let as_it_is = rows(result, histogram)?
        .into_iter()
        .find(|row| *row.series == SeriesId::NoPatching);
    let own = format_value(histogram, f64::from(section.own(histogram)));
    let what = kind(histogram);
    let almost = as_it_is.as_ref().map(|row| {
        format!(
            "; {} ({}) the vector is {}, like all the others",
            row.label,
            format_value(histogram, row.value),
            section.normalization.done()
        )
    });
    let standing = as_it_is.and_then(|row| standing(section, histogram, &row));
    let parts = [
        Some(format!(
            "The head\u{2019}s own {what} is {own}{}.",
            almost.unwrap_or_default()
        )),
        standing,
    ];
    Ok(parts.into_iter().flatten().collect::<Vec<_>>().join(" "))
}

/// All rows in one sentence, and [`own_words`].
pub fn summary(result: &ResultFile, histogram: HistogramId) -> Result<String> {
    let listed: Vec<String> = rows(result, histogram)?
        .iter()
        .map(|row| format!("{} {}", row.label, format_value(histogram, row.value)))
        .collect();
    Ok(format!(
        "{}: {}. {}",
        title(result, histogram)?,
        listed.join(", "),
        own_words(result, histogram)?
    ))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn sentence() -> ResultFile {
        ResultFile::from_json(include_bytes!("../../../tests/fixtures/tiny-sentence-2.1.json")).unwrap()
    }

    #[test]
    fn places_are_percentiles_and_the_ends_are_told_as_such() {
        let places = [0.0, 0.001, 0.215, 0.62, 0.999, 1.0].map(place);
        assert_eq!(
            places,
            [
                "below all of",
                "at the 1st percentile of",
                "at the 22nd percentile of",
                "at the 62nd percentile of",
                "at the 99th percentile of",
                "above all of"
            ]
        );
    }

    #[test]
    fn every_row_is_told_with_its_own_number_and_place() {
        let result = sentence();
        let section = result.substituted().unwrap();
        for histogram in HistogramId::ALL {
            let (rows, told_of_all) = (rows(&result, histogram).unwrap(), summary(&result, histogram).unwrap());
            assert!(rows.is_sorted_by(|left, right| left.value >= right.value));
            for row in &rows {
                let words = format!("{} {}", row.label, format_value(histogram, row.value));
                assert!(told_of_all.contains(&words), "{words}: {told_of_all}");
                let lines = lines(&result, section, histogram, row);
                assert!(
                    lines.iter().all(|line| !line.contains("IO") && !line.contains("END")),
                    "{lines:?}"
                );
                // Where the value is among those of the run, counted here anew, is said of one value alone.
                let standing = standing(section, histogram, row);
                assert_eq!(
                    standing.is_some(),
                    row.tokens.is_empty() && row.band.is_some(),
                    "{}",
                    row.label
                );
                assert_eq!(row.spread().is_some(), !row.tokens.is_empty());
                if let Some((largest, value)) = row.largest() {
                    assert!(row.values.iter().all(|other| *other <= value));
                    assert!(lines.iter().any(|line| line.contains(&name(&largest.text))));
                }
            }
            let own = format_value(histogram, f64::from(section.own(histogram)));
            assert!(told_of_all.contains(&format!("own {} is {own}", kind(histogram))));
            assert!(told_of_all.ends_with("the run\u{2019}s 6 prompts."), "{told_of_all}");
        }
    }

    #[test]
    fn without_a_run_there_is_no_word_of_one() {
        let mut result = sentence();
        result.substituted_mut().unwrap().run = None;
        let text = summary(&result, HistogramId::KeysFixedScores).unwrap();
        let legend = legend(result.substituted().unwrap());
        assert!(!text.contains("prompt") && !legend.contains("band"), "{text} {legend}");
        result.sections.clear();
        assert!(summary(&result, HistogramId::KeysFixedScores).is_err());
    }
}
