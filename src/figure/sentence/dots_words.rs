//! What is said about vectors put in place of what a head reads, and the rows that they make.

use super::words::{ends, name, percent};
use crate::analysis::SubstitutedSection;
use crate::analysis::pair::{Band, SampledToken};
use crate::error::{Error, ErrorKind, Result};
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
    rows.sort_by(|left, right| right.value.total_cmp(&left.value));
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

/// A value of `histogram` as it is told: "4.90", "71 %".
pub fn told(histogram: HistogramId, value: f64) -> String {
    match histogram.probs() {
        true => percent(value as f32),
        false => number(value, 2),
    }
}

/// What the values of `histogram` are.
pub fn kind(histogram: HistogramId) -> &'static str {
    match histogram.probs() {
        true => "attention",
        false => "score",
    }
}

/// Where a share of `below` stands: "at the 62nd percentile of", "below all of".
fn place(below: f32) -> String {
    match (f64::from(below) * 100.0).round() as usize {
        _ if below <= 0.0 => "below all of".into(),
        _ if below >= 1.0 => "above all of".into(),
        percentile => format!("at the {} percentile of", ordinal(percentile)),
    }
}

/// The prompts that the bands of `section` are of: "1,200 recorded prompts", "the run's 40 prompts".
pub fn prompts(section: &SubstitutedSection) -> Option<String> {
    let run = section.run.as_ref()?;
    Some(match run.recorded {
        true => counted(run.prompts, "recorded prompt", "recorded prompts"),
        false => format!("the run\u{2019}s {}", counted(run.prompts, "prompt", "prompts")),
    })
}

/// Where the sentence's value of `row` stands among those of the run; None for samples, and where there is no run.
pub fn standing(section: &SubstitutedSection, histogram: HistogramId, row: &DotRow<'_>) -> Option<String> {
    let below = row.band?.below?;
    Some(format!(
        "This sentence\u{2019}s {} ({}) lies {} {}.",
        told(histogram, row.value),
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
    let value = told(histogram, row.value);
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
                told(histogram, low),
                told(histogram, high)
            ));
            lines.push(format!(
                "largest: {} with {}",
                name(&largest.text),
                told(histogram, f64::from(most))
            ));
        }
        _ => lines.push(format!("{} {value}", kind(histogram))),
    }
    let note = result.in_its_words(row.series.note());
    lines.extend((!note.is_empty()).then_some(note));
    if let (Some(band), Some(prompts)) = (row.band, prompts(section)) {
        let said = |value: f32| told(histogram, f64::from(value));
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
    let (dest, src) = ends(result, section.dest, section.src);
    let (place, fixed) = match histogram.side() {
        Side::Query => (&dest, "keys fixed"),
        Side::Key => (&src, "queries fixed"),
    };
    let what = match histogram.probs() {
        true => "Attention",
        false => "Score",
    };
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
    let own = told(histogram, f64::from(section.own(histogram)));
    let what = kind(histogram);
    let almost = as_it_is.as_ref().map(|row| {
        format!(
            "; {} ({}) the vector is divided by its standard deviation, without LayerNorm\u{2019}s epsilon",
            row.label,
            told(histogram, row.value)
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
        .map(|row| format!("{} {}", row.label, told(histogram, row.value)))
        .collect();
    Ok(format!(
        "{}: {}. {}",
        title(result, histogram)?,
        listed.join(", "),
        own_words(result, histogram)?
    ))
}
