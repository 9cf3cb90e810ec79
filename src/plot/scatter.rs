//! A scatter plot of two values of each prompt.

use super::scale::Scale;
use crate::math::sort_ascending;

/// A prompt of a [`ScatterPlot`].
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ScatterMark {
    /// Its number in the result, from 0.
    pub prompt: usize,
    /// Both values, which are finite.
    pub at: (f64, f64),
    /// Whether it is among those that are looked at; the others are faint, and are not pointed at.
    pub listed: bool,
}

/// A mark per prompt, at its values in two series.
#[derive(Debug, Clone, PartialEq)]
pub struct ScatterPlot {
    /// Title.
    pub title: String,
    /// Title of the axis below: the first series.
    pub x_label: String,
    /// Title of the axis to the left: the second series.
    pub y_label: String,
    /// The marks, by ascending number of their prompts.
    pub marks: Vec<ScatterMark>,
    /// Whether both values have the same unit: both axes then show the same range, and a line where both values are equal.
    pub same_unit: bool,
    /// Decimals of the shown values.
    pub decimals: (usize, usize),
    /// The prompts' texts by their numbers; empty where they are not known.
    pub texts: Vec<String>,
    /// The prompt that is picked.
    pub picked: Option<usize>,
}

impl ScatterPlot {
    /// The mark of `prompt`. None where it has none.
    pub fn mark(&self, prompt: usize) -> Option<&ScatterMark> {
        let found = self.marks.binary_search_by_key(&prompt, |mark| mark.prompt);
        self.marks.get(found.ok()?)
    }

    /// What both axes span: all values, also those that are not looked at, so that nothing moves when others are; 5 % to spare.
    pub fn ranges(&self) -> ((f64, f64), (f64, f64)) {
        let (x, y) = (self.span(|mark| mark.at.0), self.span(|mark| mark.at.1));
        let both = (x.0.min(y.0), x.1.max(y.1));
        let (x, y) = if self.same_unit { (both, both) } else { (x, y) };
        (spacious(x), spacious(y))
    }

    fn span(&self, value: impl Fn(&ScatterMark) -> f64) -> (f64, f64) {
        let empty = (f64::INFINITY, f64::NEG_INFINITY);
        let values = self.marks.iter().map(value);
        values.fold(empty, |(low, high), value| (low.min(value), high.max(value)))
    }

    /// The prompts that are looked at and the one that is picked, by ascending value along one axis.
    pub(super) fn along(&self, value: impl Fn(&ScatterMark) -> f64) -> Vec<usize> {
        let reached = |mark: &&ScatterMark| mark.listed || self.picked == Some(mark.prompt);
        let mut marks: Vec<&ScatterMark> = self.marks.iter().filter(reached).collect();
        sort_ascending(&mut marks, |mark| value(mark));
        marks.into_iter().map(|mark| mark.prompt).collect()
    }
}

fn spacious((low, high): (f64, f64)) -> (f64, f64) {
    match high - low {
        length if length > 0.0 => (low - 0.05 * length, high + 0.05 * length),
        _ if low.is_finite() => (low - 1.0, low + 1.0),
        _ => (0.0, 1.0),
    }
}

/// Where the line of equal values enters and leaves what two scales show; None where it is not seen.
pub(super) fn equal_values(x: &Scale, y: &Scale) -> Option<[(f64, f64); 2]> {
    let (low, high) = (x.values.0.max(y.values.0), x.values.1.min(y.values.1));
    (low < high).then(|| [low, high].map(|value| (x.pixel(value), y.pixel(value))))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plot(values: &[(f64, f64)], same_unit: bool) -> ScatterPlot {
        let marks = values.iter().enumerate().map(|(prompt, at)| ScatterMark {
            prompt,
            at: *at,
            listed: prompt != 1,
        });
        ScatterPlot {
            title: "a title".into(),
            x_label: "x".into(),
            y_label: "y".into(),
            marks: marks.collect(),
            same_unit,
            decimals: (2, 2),
            texts: Vec::new(),
            picked: None,
        }
    }

    #[test]
    fn values_of_one_unit_share_their_range() {
        let values = [(0.0, 10.0), (2.0, 12.0), (4.0, 20.0)];
        assert_eq!(plot(&values, false).ranges(), ((-0.2, 4.2), (9.5, 20.5)));
        assert_eq!(plot(&values, true).ranges(), ((-1.0, 21.0), (-1.0, 21.0)));
        assert_eq!(plot(&values[..1], false).ranges(), ((-1.0, 1.0), (9.0, 11.0)));
        assert_eq!(plot(&[], true).ranges(), ((0.0, 1.0), (0.0, 1.0)));
    }

    #[test]
    fn equal_values_are_a_line_where_both_axes_have_them() {
        let x = Scale::linear((0.0, 10.0), (100.0, 200.0));
        let y = Scale::linear((5.0, 15.0), (50.0, 0.0));
        assert_eq!(equal_values(&x, &y), Some([(150.0, 50.0), (200.0, 25.0)]));
        let above = Scale::linear((10.0, 15.0), (50.0, 0.0));
        assert_eq!(equal_values(&x, &above), None);
    }

    #[test]
    fn prompts_that_are_not_looked_at_are_passed_over() {
        let mut plot = plot(&[(3.0, 0.0), (2.0, 1.0), (1.0, 2.0)], true);
        assert_eq!(plot.along(|mark| mark.at.0), [2, 0]);
        assert_eq!(plot.along(|mark| mark.at.1), [0, 2]);
        plot.picked = Some(1);
        assert_eq!(plot.along(|mark| mark.at.0), [2, 1, 0]);
        assert_eq!(plot.mark(2).map(|mark| mark.at), Some((1.0, 2.0)));
        assert_eq!(plot.mark(3), None);
    }
}
