//! A histogram's series by kind of prompt.

use crate::names::{HistogramId, SeriesId, SplitBy};
use crate::plot::{HistogramPlot, Series};
use crate::quantities::{counted, number};
use crate::result::{PromptGroup, ResultFile};

/// Mean and spread of one series over the prompts of one kind.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Spread {
    /// Mean, in the unit of the values.
    pub mean: f64,
    /// Sample standard deviation (divisor `n - 1`); 0 of a single value.
    pub standard_deviation: f64,
}

/// The prompts of one kind.
#[derive(Debug, Clone, PartialEq)]
pub struct SplitRow {
    /// The common property of the prompts.
    pub label: String,
    /// Number of prompts.
    pub n: usize,
    /// For each series of the [`Split`]; None where a value is not finite.
    pub spreads: Vec<Option<Spread>>,
}

/// A histogram's visible series by kind of prompt.
#[derive(Debug, Clone, PartialEq)]
pub struct Split {
    /// The series in the order of the legend, with their color numbers.
    pub series: Vec<(SeriesId, usize)>,
    /// The kinds.
    pub rows: Vec<SplitRow>,
    /// Range of the scale for all means and spreads.
    pub range: (f64, f64),
    /// Decimals of the numbers in its texts.
    decimals: usize,
}

impl Split {
    /// Splits the visible series of `plot` (the histogram `name` of `result`) by `by`. None where the kinds are
    /// unknown, or no series is visible.
    pub fn of(result: &ResultFile, name: HistogramId, plot: &HistogramPlot, by: SplitBy) -> Option<Self> {
        let shown: Vec<&Series> = plot.series.iter().rev().filter(|series| series.visible).collect();
        let row = |group: PromptGroup| {
            let spread = |series: &&Series| spread(result.values(name, &series.id), &group.prompts);
            let spreads: Vec<_> = shown.iter().map(spread).collect();
            // While a run is in progress, only the first prompts have values.
            let n = shown.first().map_or(0, |series| {
                let values = result.values(name, &series.id).len();
                group.prompts.iter().filter(|prompt| **prompt < values).count()
            });
            SplitRow {
                label: group.label,
                n,
                spreads,
            }
        };
        let rows: Vec<SplitRow> = result.split(by).into_iter().map(row).filter(|row| row.n > 0).collect();
        let limits = rows.iter().flat_map(|row| &row.spreads).flatten();
        let limits = limits.flat_map(|spread| {
            [
                spread.mean - spread.standard_deviation,
                spread.mean + spread.standard_deviation,
            ]
        });
        let range = limits.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), end| {
            (low.min(end), high.max(end))
        });
        let range = if name.probs() { (0.0, 1.0) } else { range };
        (range.0 <= range.1 && !rows.is_empty()).then(|| Self {
            series: shown.iter().map(|series| (series.id.clone(), series.color)).collect(),
            rows,
            range,
            decimals: if name.probs() { 3 } else { 2 },
        })
    }

    /// Position of `value` on the scale, in percent, from 0 to 100.
    pub fn place(&self, value: f64) -> f64 {
        let (low, high) = self.range;
        if high > low {
            (100.0 * (value - low) / (high - low)).clamp(0.0, 100.0)
        } else {
            50.0
        }
    }

    /// "10.52 ± 1.20".
    pub fn description(&self, spread: Option<Spread>) -> String {
        spread.map_or_else(
            String::new,
            |Spread {
                 mean,
                 standard_deviation,
             }| {
                format!(
                    "{} \u{b1} {}",
                    number(mean, self.decimals),
                    number(standard_deviation, self.decimals)
                )
            },
        )
    }

    /// A sentence about the series whose mean differs most between kinds: the lowest and the highest mean.
    pub fn extremes(&self) -> Option<String> {
        let of_series = |index: usize| {
            let means = self.rows.iter().filter_map(|row| Some((row, row.spreads[index]?.mean)));
            let low = means.clone().min_by(|a, b| a.1.total_cmp(&b.1))?;
            let high = means.max_by(|a, b| a.1.total_cmp(&b.1))?;
            Some((index, low, high))
        };
        let all = (0..self.series.len()).filter_map(of_series);
        let (index, low, high) = all.max_by(|a, b| (a.2.1 - a.1.1).total_cmp(&(b.2.1 - b.1.1)))?;
        let description = |(row, mean): (&SplitRow, f64)| {
            let prompts = counted(row.n, "prompt", "prompts");
            format!(
                "{} with \u{201c}{}\u{201d} ({prompts})",
                number(mean, self.decimals),
                row.label
            )
        };
        let series = &self.series[index].0;
        Some(format!(
            "{series} differs most: its mean goes from {} to {}.",
            description(low),
            description(high)
        ))
    }
}

/// Mean and spread of the `values` of `prompts`.
fn spread(values: &[f32], prompts: &[usize]) -> Option<Spread> {
    let of_kind = prompts.iter().filter_map(|prompt| values.get(*prompt));
    let of_kind: Vec<f64> = of_kind.map(|value| f64::from(*value)).collect();
    let n = of_kind.len() as f64;
    let mean = of_kind.iter().sum::<f64>() / n;
    let squares: f64 = of_kind.iter().map(|value| (value - mean) * (value - mean)).sum();
    let standard_deviation = (squares / (n - 1.0).max(1.0)).sqrt();
    (mean.is_finite() && standard_deviation.is_finite()).then_some(Spread {
        mean,
        standard_deviation,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plot::HistogramView;

    fn split(result: &ResultFile, name: HistogramId, by: SplitBy) -> Option<Split> {
        let plot = HistogramPlot::of_result(result, name, &HistogramView::default());
        Split::of(result, name, &plot, by)
    }

    #[test]
    fn the_head_of_the_second_name_is_told_apart_by_the_order() {
        let bytes = include_bytes!("../../tests/fixtures/second-name-head-1.4.json");
        let result = ResultFile::from_json(bytes).expect("a result");
        let split = split(&result, HistogramId::KeysFixedProbs, SplitBy::Order).expect("a split");
        let at = split
            .series
            .iter()
            .position(|(id, _)| *id == SeriesId::NoPatching)
            .expect("the series");
        let [io_first, s_first] = &split.rows[..] else {
            panic!("{split:?}")
        };
        assert_eq!((io_first.n, s_first.n), (189, 211));
        assert_eq!(split.description(io_first.spreads[at]), "0.000 \u{b1} 0.000");
        assert_eq!(split.description(s_first.spreads[at]), "1.000 \u{b1} 0.000");
        let description = split.extremes().expect("a sentence");
        assert!(
            description.contains("with \u{201c}IO first (ABBA)\u{201d} (189 prompts) to ")
                && description.ends_with("with \u{201c}S first (BABA)\u{201d} (211 prompts)."),
            "{description}"
        );
    }

    #[test]
    fn means_of_kinds_make_up_the_mean() {
        let bytes = include_bytes!("../../public/recorded/gpt2-small-10.7.json");
        let result = ResultFile::from_json(bytes).expect("the recorded run");
        for by in SplitBy::ALL {
            for name in HistogramId::ALL {
                let split = split(&result, name, by).expect("a split");
                assert_eq!(split.rows.iter().map(|row| row.n).sum::<usize>(), 1200);
                for (index, (id, _)) in split.series.iter().enumerate() {
                    let parts = split
                        .rows
                        .iter()
                        .map(|row| row.n as f64 * row.spreads[index].expect("numbers").mean);
                    let mean = crate::result::mean(result.values(name, id)).expect("numbers");
                    assert!((parts.sum::<f64>() / 1200.0 - mean).abs() < 1e-9, "{name} {by} {id}");
                }
                for row in &split.rows {
                    let places = row.spreads.iter().flatten().map(|spread| split.place(spread.mean));
                    assert!(places.into_iter().all(|place| (0.0..=100.0).contains(&place)));
                }
            }
        }
    }

    #[test]
    fn numbers_that_are_none_are_left_out_and_a_run_that_goes_on_has_fewer() {
        assert_eq!(spread(&[f32::NAN, 1.0], &[0, 1]), None);
        assert_eq!(spread(&[1.0], &[]), None);
        let one = spread(&[1.0, 3.0], &[1, 7]).expect("a value");
        assert_eq!((one.mean, one.standard_deviation), (3.0, 0.0));
        let two = spread(&[1.0, 3.0], &[0, 1]).expect("values");
        assert!((two.standard_deviation - 2f64.sqrt()).abs() < 1e-12);
    }
}
