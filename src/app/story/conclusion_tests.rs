//! Checks every sentence about thirty artificial results against the data, with independent arithmetic.

use std::collections::BTreeSet;

use super::*;
use crate::analysis::Array;
use crate::names::{Head, HeatmapId};
use crate::result::at_once;

const SCORES: [HistogramId; 2] = [HistogramId::KeysFixedScores, HistogramId::QueriesFixedScores];
const EARLIER: SeriesId = SeriesId::EarlierHead(Head { layer: 9, head: 9 });

/// A normal distribution of scores; with `humps`, two of them at this distance, alternating.
#[derive(Clone, Copy)]
struct Shape {
    mean: f64,
    spread: f64,
    humps: f64,
    /// Weight of the values' own noise, from 0 to 1; the rest is noise of the prompt, which all series share.
    own: f64,
}

const fn shape(mean: f64, spread: f64) -> Shape {
    Shape {
        mean,
        spread,
        humps: 0.0,
        own: 0.3,
    }
}

impl Shape {
    const fn humps(self, humps: f64) -> Self {
        Self { humps, ..self }
    }
    const fn own(self, own: f64) -> Self {
        Self { own, ..self }
    }
}

/// Pseudo-random draws, approximately normal: sums of twelve uniform ones.
struct Draws(u64);

impl Draws {
    fn normal(&mut self) -> f64 {
        let uniform = |state: &mut u64| {
            *state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            (*state >> 11) as f64 / (1u64 << 53) as f64
        };
        (0..12).map(|_| uniform(&mut self.0)).sum::<f64>() - 6.0
    }
}

/// A result of `n` prompts whose series on both sides are: main, closest control, other control, without substitution.
fn made_up(seed: u64, n: usize, shapes: [Shape; 4]) -> ResultFile {
    let bytes = include_bytes!("../../../public/recorded/gpt2-small-10.7.json");
    let mut result = ResultFile::from_json(bytes).expect("the recorded run");
    let mut draws = Draws(seed);
    let prompts: Vec<f64> = (0..n).map(|_| draws.normal()).collect();
    let mut column = |shape: Shape| -> Vec<f32> {
        let value = |(index, prompt): (usize, &f64)| {
            let hump = if index % 2 == 0 {
                shape.humps / 2.0
            } else {
                -shape.humps / 2.0
            };
            let noise = shape.own * draws.normal() + (1.0 - shape.own) * prompt;
            (shape.mean + hump + shape.spread * noise) as f32
        };
        prompts.iter().enumerate().map(value).collect()
    };
    let [main, closest, other, base] = shapes.map(&mut column);
    let section = result.substitution_mut().expect("a section");
    for side in [crate::names::Side::Query, crate::names::Side::Key] {
        section.series.get_mut(side).clear();
    }
    let random_name = closest.iter().map(|value| value - 0.1).collect();
    let query = [
        (SeriesId::WuIo, main.clone()),
        (SeriesId::WuS, closest.clone()),
        (SeriesId::WuRandomName, random_name),
        (SeriesId::WuRandom, other),
        (EARLIER, base.iter().map(|value| value / 2.0).collect()),
        (BASE, base.clone()),
    ];
    let key = [(SeriesId::WeeIo, main), (SeriesId::WeIo, closest), (BASE, base)];
    let probability = |score: &f32| 1.0 / (1.0 + (-score).exp());
    for (histogram, series) in [(SCORES[0], &query[..]), (SCORES[1], &key[..])] {
        for (id, scores) in series {
            section.extend(histogram, id.clone(), scores);
            let probs: Vec<f32> = scores.iter().map(probability).collect();
            section.extend(HistogramId::probs_of(histogram.side()), id.clone(), &probs);
        }
    }
    result
}

/// Thirty results with names.
fn thirty() -> Vec<(&'static str, ResultFile)> {
    let plain = [shape(8.0, 1.0), shape(1.0, 1.0), shape(-2.0, 1.0), shape(4.0, 1.0)];
    let with = |index: usize, other: Shape| {
        let mut shapes = plain;
        shapes[index] = other;
        shapes
    };
    let two = shape(4.0, 0.5).humps(10.0);
    let mut all: Vec<(&'static str, ResultFile)> = vec![
        ("one prompt", made_up(1, 1, plain)),
        ("two prompts", made_up(2, 2, plain)),
        ("three prompts", made_up(3, 3, plain)),
        (
            "five prompts that overlap",
            made_up(4, 5, with(1, shape(7.0, 4.0).own(1.0))),
        ),
        ("nine prompts", made_up(5, 9, plain)),
        ("forty prompts", made_up(6, 40, plain)),
        ("many prompts", made_up(7, 1200, plain)),
        ("two humps of the main series", made_up(8, 60, with(0, two))),
        ("two humps of a control", made_up(9, 60, with(1, two))),
        ("two humps of nothing replaced", made_up(10, 60, with(3, two))),
        ("two humps of all", made_up(11, 60, [two; 4])),
        (
            "two humps of the difference alone",
            made_up(
                12,
                200,
                [
                    shape(6.0, 5.0).own(0.0).humps(3.0),
                    shape(0.0, 5.0).own(0.0),
                    shape(-1.0, 5.0).own(0.0),
                    shape(3.0, 5.0),
                ],
            ),
        ),
        ("equal series", made_up(13, 40, [shape(3.0, 1.0).own(0.0); 4])),
        ("equal values", made_up(14, 40, [shape(3.0, 0.0); 4])),
        ("nothing but 0", made_up(15, 40, [shape(0.0, 0.0); 4])),
        (
            "equal values that differ by series",
            made_up(16, 40, plain.map(|shape| Shape { spread: 0.0, ..shape })),
        ),
        ("main as its control", made_up(17, 80, with(0, shape(1.0, 1.0)))),
        ("control above main", made_up(18, 80, with(1, shape(9.5, 1.0)))),
        ("main hardly above", made_up(19, 80, with(1, shape(7.8, 2.0).own(1.0)))),
        (
            "main above on average",
            made_up(20, 1200, with(1, shape(7.0, 3.0).own(1.0))),
        ),
        ("much with any token", made_up(21, 80, with(1, shape(6.0, 1.0)))),
        ("negative base", made_up(22, 80, with(3, shape(-4.0, 1.0)))),
        ("negative main", made_up(23, 80, with(0, shape(-1.18, 0.5)))),
        (
            "all negative",
            made_up(
                24,
                80,
                [shape(-2.0, 0.5), shape(-4.0, 0.5), shape(-6.0, 0.5), shape(-1.0, 0.5)],
            ),
        ),
        ("base near 0", made_up(25, 80, with(3, shape(0.05, 3.0)))),
        ("main explains half", made_up(26, 80, with(0, shape(2.4, 0.5)))),
        ("main explains little", made_up(27, 80, with(0, shape(1.6, 0.2)))),
        ("main as much as base", made_up(28, 80, with(0, shape(4.05, 1.0)))),
    ];
    let mut numbers = made_up(29, 40, plain);
    let section = numbers.substitution_mut().expect("a section");
    section.extend(SCORES[0], BASE, &[f32::NAN]);
    section.extend(SCORES[1], SeriesId::WeIo, &[1.0, 2.0]);
    all.push(("numbers that are not finite, lengths that differ", numbers));
    let bytes = include_bytes!("../../../tests/fixtures/second-name-head-1.4.json");
    all.push((
        "the second name's head",
        ResultFile::from_json(bytes).expect("a result"),
    ));
    all
}

/// The values of a series, if they are finite.
fn values<'a>(result: &'a ResultFile, name: HistogramId, id: &SeriesId) -> Option<&'a [f32]> {
    let found = result.series(name).into_iter().find(|(label, _)| *label == id)?.1;
    average(found).is_finite().then_some(found)
}

fn average(values: &[f32]) -> f64 {
    values.iter().map(|value| f64::from(*value)).sum::<f64>() / values.len() as f64
}

/// Mean and standard error of the differences of two series.
fn difference(a: &[f32], b: &[f32]) -> (f64, f64) {
    let differences: Vec<f64> = a.iter().zip(b).map(|(a, b)| f64::from(*a) - f64::from(*b)).collect();
    let n = differences.len() as f64;
    let mean = differences.iter().sum::<f64>() / n;
    let squares: f64 = differences.iter().map(|d| (d - mean) * (d - mean)).sum();
    (mean, (squares / (n - 1.0).max(1.0) / n).sqrt())
}

/// Whether `a` may be said to be larger than `b`, and whether that may be denied: by the normal distribution, with some
/// slack for the difference to a bootstrap.
fn may_beat(a: &[f32], b: &[f32]) -> (bool, bool) {
    let (mean, error) = difference(a, b);
    let slack = if a.len() < 20 { 0.8 } else { 0.2 };
    (
        mean > (1.96 - slack) * error && a.len() > 5,
        mean <= (1.96 + slack) * error || a.len() < 2,
    )
}

/// Whether a set has two humps: a gap of a fifth of its range with at least a tenth of the values on either side.
fn has_a_gap(values: &[f32]) -> bool {
    let mut sorted = values.to_vec();
    sorted.sort_by(f32::total_cmp);
    let (Some(first), Some(last)) = (sorted.first(), sorted.last()) else {
        return false;
    };
    let (range, n) = (last - first, sorted.len());
    let inner = n.div_ceil(10)..=n - n.div_ceil(10);
    n >= 10
        && inner
            .clone()
            .any(|i| i > 0 && i < n && sorted[i] - sorted[i - 1] > 0.2 * range)
}

/// Every number that may occur in a sentence about `name`, as text.
fn numbers(result: &ResultFile, name: HistogramId) -> BTreeSet<String> {
    let mut all = BTreeSet::new();
    let mut add = |value: f64| {
        for decimals in 0..5 {
            all.insert(number(value, decimals));
            all.insert(number(value.abs(), decimals));
        }
    };
    let unit = if name.probs() { 100.0 } else { 1.0 };
    let series = result.series(name);
    for (_, a) in &series {
        add(unit * average(a));
        add(a.iter().filter(|value| **value > 0.5).count() as f64);
        add(a.len() as f64);
        let halves = |a: &[f64], add: &mut dyn FnMut(f64)| {
            for split in a {
                let (low, high): (Vec<f64>, Vec<f64>) = a.iter().partition(|value| *value <= split);
                for half in [low, high] {
                    add(half.len() as f64);
                    add(unit * half.iter().sum::<f64>() / half.len() as f64);
                }
            }
        };
        let a64: Vec<f64> = a.iter().map(|value| f64::from(*value)).collect();
        let short = a.len() <= 400;
        if short {
            halves(&a64, &mut add);
        }
        let zeros = vec![0.0; a.len()];
        let own = result
            .substitution()
            .map_or(&[][..], |section| section.true_values(name));
        for b in series
            .iter()
            .map(|(_, b)| *b)
            .chain([&zeros[..], own])
            .filter(|b| b.len() == a.len())
        {
            let differences: Vec<f64> = a64.iter().zip(b).map(|(a, b)| a - f64::from(*b)).collect();
            add(unit * differences.iter().sum::<f64>() / differences.len() as f64);
            add(differences.iter().filter(|difference| **difference > 0.0).count() as f64);
            add(average(a) / average(b));
            add(100.0 * average(a) / average(b));
            if short {
                halves(&differences, &mut add);
            }
        }
    }
    all
}

/// The numbers of a sentence, without those of names and intervals; and the ends of its intervals.
fn numbers_in(sentence: &str) -> (Vec<String>, Vec<(f64, f64)>) {
    let mut text = sentence.replace("95 % interval", "").replace(',', "");
    for name in [
        "NMH 9.9 output",
        "head 10.7",
        "head 1.4",
        "head 9.9",
        "head 0.4",
        "layer 0",
    ] {
        text = text.replace(name, "");
    }
    let mut intervals = Vec::new();
    let words: Vec<String> = text
        .split(|c: char| c.is_whitespace() || "():;".contains(c))
        .map(|word| word.trim_end_matches('.').to_owned())
        .filter(|word| !word.is_empty())
        .collect();
    let value = |word: &str| word.replace('\u{2212}', "-").parse::<f64>().ok();
    let mut alone = Vec::new();
    let mut at = 0;
    while at < words.len() {
        let Some(low) = value(&words[at]) else {
            at += 1;
            continue;
        };
        let ahead = |skip: usize| words.get(at + skip).map(String::as_str);
        let (to, end) = if ahead(1) == Some("%") { (2, 3) } else { (1, 2) };
        match (ahead(to), ahead(end).and_then(value)) {
            (Some("to"), Some(high)) => {
                intervals.push((low, high));
                at += end + 1;
            }
            _ => {
                alone.push(words[at].clone());
                at += 1;
            }
        }
    }
    (alone, intervals)
}

/// Words that express a conclusion, and whether the data support it.
type Conclusion<'a> = (&'static str, Box<dyn Fn() -> bool + 'a>);

/// Checks one sentence about the histogram `name` against the data. Returns whether it concludes anything.
fn hold(result: &ResultFile, name: HistogramId, visible: &[&SeriesId], sentence: &str) -> bool {
    let values_of = |id: &SeriesId| values(result, name, id);
    let (main_id, controls) = result.claim(name);
    let main_id = main_id.clone();
    let controls: Vec<&[f32]> = controls.iter().filter_map(values_of).collect();
    let (main, base) = (values_of(&main_id), values_of(&BASE));
    let ratio = || average(main.expect("main")) / average(base.expect("base"));
    let beats_all = || controls.iter().all(|control| may_beat(main.expect("main"), control).0);
    let misses_one = || controls.iter().any(|control| may_beat(main.expect("main"), control).1);
    let is_beaten = || controls.iter().any(|control| may_beat(control, main.expect("main")).0);
    let no_gaps = |ids: &[&SeriesId]| {
        ids.iter()
            .all(|id| values_of(id).is_none_or(|values| !has_a_gap(values)))
    };
    let mut ranked: Vec<&SeriesId> = visible.iter().copied().filter(|id| values_of(id).is_some()).collect();
    ranked.sort_by(|a, b| average(values_of(b).expect("b")).total_cmp(&average(values_of(a).expect("a"))));
    let closest = || {
        let highest = controls.iter().map(|control| average(control)).fold(f64::MIN, f64::max);
        (average(main.expect("main")), highest)
    };
    // Conclusions, and whether the data support them.
    let conclusions: Vec<Conclusion<'_>> = vec![
        (
            "(No patching) lies furthest right",
            Box::new(|| {
                *ranked[0] == BASE
                    && may_beat(values_of(ranked[0]).expect("best"), values_of(ranked[1]).expect("next")).0
            }),
        ),
        (
            "lies furthest right: put",
            Box::new(|| {
                sentence.starts_with(&ranked[0].to_string())
                    && may_beat(values_of(ranked[0]).expect("best"), values_of(ranked[1]).expect("next")).0
                    && no_gaps(&ranked[..2])
            }),
        ),
        (
            "come out alike",
            Box::new(|| may_beat(values_of(ranked[0]).expect("best"), values_of(ranked[1]).expect("next")).1),
        ),
        (
            "hat name gives more than another",
            Box::new(|| beats_all() && no_gaps(&[&main_id]) && closest().0 > 0.0),
        ),
        ("The name is not what counts", Box::new(is_beaten)),
        ("do not show that", Box::new(misses_one)),
        (
            "layer 0 alone gives more than its row",
            Box::new(|| beats_all() && no_gaps(&[&main_id]) && closest().0 > 0.0),
        ),
        ("gives less than its row of W_U", Box::new(is_beaten)),
        (
            "Neither draws attention",
            Box::new(|| beats_all() && closest().0 <= 0.0),
        ),
        (
            "is enough for the score",
            Box::new(|| beats_all() && (0.95..1.05).contains(&ratio()) && no_gaps(&[&main_id, &BASE])),
        ),
        (
            "is more than enough for the score",
            Box::new(|| beats_all() && ratio() >= 1.05 && no_gaps(&[&main_id, &BASE])),
        ),
        (
            "gives most of the score",
            Box::new(|| beats_all() && (0.5..0.95).contains(&ratio())),
        ),
        ("is not enough for the score", Box::new(|| ratio() < 0.5)),
        (
            "more than all other positions",
            Box::new(|| average(base.expect("base")) > 0.5 && no_gaps(&[&BASE])),
        ),
        ("hardly looks at IO", Box::new(|| average(base.expect("base")) < 0.1)),
        (
            "a good part of it",
            Box::new(|| (0.1..=0.5).contains(&average(base.expect("base")))),
        ),
        (
            "about half",
            Box::new(|| (0.2..0.8).contains(&average(base.expect("base")))),
        ),
        ("about a tenth", Box::new(|| average(base.expect("base")) < 0.3)),
        (
            "(difference ",
            Box::new(|| {
                // The series that is said to be higher is higher in the stated number of prompts.
                let ids = || result.series(name).into_iter().map(|(id, _)| id);
                ids().any(|a| {
                    ids().any(|b| match (values_of(a), values_of(b)) {
                        (Some(x), Some(y)) if a != b && x.len() == y.len() => {
                            let wins = x.iter().zip(y).filter(|(x, y)| x > y).count();
                            difference(x, y).0 >= 0.0
                                && sentence.contains(&format!(
                                    "{a} higher in {} of {}",
                                    grouped(wins),
                                    grouped(x.len())
                                ))
                        }
                        _ => false,
                    })
                })
            }),
        ),
        (
            "no difference beyond chance",
            Box::new(|| {
                ranked.iter().any(|id| {
                    sentence.contains(&format!("softmax {id} "))
                        && may_beat(values_of(id).expect("told"), base.expect("base")).1
                })
            }),
        ),
    ];
    let descriptions = [
        "has the highest mean score of the series shown",
        "falls into two groups",
        "fall into two groups",
        "IO gets more than half of the attention in",
        "gives IO",
        "too few prompts to say whether",
        "There is nothing in this result to hold",
        "is not in this result",
        "of END\u{2019}s attention to IO on average",
        "There are no values yet",
        "But",
        "writes at END gives",
        "In attention that is",
    ];
    let said: Vec<&Conclusion<'_>> = conclusions
        .iter()
        .filter(|(words, _)| sentence.contains(words))
        .collect();
    for (words, bears) in &said {
        assert!(
            bears(),
            "{name}: \u{201c}{words}\u{201d} is not borne by the data: {sentence}"
        );
        assert!(
            sentence.contains("prompt") && sentence.contains("interval"),
            "no n or no spread: {sentence}"
        );
    }
    assert!(
        !said.is_empty() || descriptions.iter().any(|words| sentence.contains(words)),
        "a sentence that this test does not know: {sentence}"
    );
    let mut known = numbers(result, name);
    known.extend(numbers(result, HistogramId::probs_of(name.side())));
    let (alone, intervals) = numbers_in(sentence);
    for number in alone {
        assert!(
            known.contains(&number),
            "{name}: {number} is no number of the data: {sentence}"
        );
    }
    let largest = result
        .series(name)
        .into_iter()
        .flat_map(|(_, values)| values)
        .fold(0f32, |m, v| m.max(v.abs()));
    for (low, high) in intervals {
        assert!(
            low <= high && low.abs().max(high.abs()) <= 200.0 * f64::from(largest).max(1.0),
            "{sentence}"
        );
    }
    let before_percent: Vec<&str> = sentence.split(" %").collect();
    let shares = before_percent[..before_percent.len() - 1].iter();
    for share in shares.filter_map(|before| before.rsplit([' ', '(']).next()) {
        if let Ok(share) = share.replace('\u{2212}', "-").parse::<f64>() {
            assert!((0.0..=100.05).contains(&share), "{share} %: {sentence}");
        }
    }
    !said.is_empty()
}

#[test]
fn thirty_made_up_results_are_told_as_they_are() {
    let results = thirty();
    assert_eq!(results.len(), 30);
    let (mut sentences, mut concluding) = (0, 0);
    for (what, result) in &results {
        let compare = at_once(result);
        let mut description: Vec<(HistogramId, String)> =
            vec![(HistogramId::KeysFixedProbs, question(result, &compare))];
        for name in HistogramId::ALL {
            description.extend(
                histogram(result, name, &View::default(), &compare)
                    .into_iter()
                    .map(|text| (name, text)),
            );
        }
        for text in ending(result, &compare) {
            let on_the_query_side = text.contains("query side");
            description.push((SCORES[usize::from(!on_the_query_side)], text));
        }
        println!("\n{what}");
        for (name, text) in &description {
            println!("  {text}");
            let visible: Vec<&SeriesId> = result
                .series(*name)
                .into_iter()
                .map(|(id, _)| id)
                .filter(|id| series_starts_visible(id))
                .collect();
            sentences += 1;
            concluding += usize::from(hold(result, *name, &visible, text));
        }
        // Two sentences about the same side do not contradict each other.
        for name in SCORES {
            let of_side = |words: &str| {
                description
                    .iter()
                    .any(|(figure, text)| *figure == name && text.contains(words))
            };
            let explains =
                of_side("enough for the score") && !of_side("not enough") || of_side("gives most of the score");
            let denies =
                of_side("not what counts here") || of_side("is no help here") || of_side("Neither draws attention");
            assert!(!(explains && denies), "{what}: {description:?}");
        }
    }
    println!("{sentences} sentences, {concluding} of them conclude something");
    assert!(concluding > 100, "{concluding} of {sentences}");
}

#[test]
fn nothing_is_concluded_before_it_is_known() {
    for (what, result) in thirty() {
        let pending = |_: &Pair| Evidence::Pending;
        let mut description = vec![question(&result, &pending)];
        description.extend(
            HistogramId::ALL
                .into_iter()
                .flat_map(|name| histogram(&result, name, &View::default(), &pending)),
        );
        description.extend(ending(&result, &pending));
        for text in description {
            for words in [
                "furthest right",
                "enough",
                "gives most",
                "counts",
                "than another",
                "more than all",
                "higher in",
            ] {
                assert!(!text.contains(words), "{what}: {text}");
            }
        }
    }
}

#[test]
fn the_cells_of_one_prompt_and_of_all_are_told_as_they_are() {
    for (index, (what, mut result)) in thirty().into_iter().enumerate() {
        let mut draws = Draws(index as u64 + 100);
        let section = result.contributions_mut().expect("the recorded contributions");
        let Some(heatmap) = section.heatmaps.get_mut(&HeatmapId::KEY) else {
            continue;
        };
        let cells = heatmap.components.len();
        let prompts = [1, 2, 7, 40][index % 4];
        let rows: Vec<f32> = (0..prompts * cells).map(|_| draws.normal() as f32).collect();
        let of_row = |prompt: usize| &rows[prompt * cells..(prompt + 1) * cells];
        let means: Vec<f32> = (0..cells)
            .map(|cell| (0..prompts).map(|prompt| of_row(prompt)[cell]).sum::<f32>() / prompts as f32)
            .collect();
        let sum: f64 = means.iter().map(|cell| f64::from(*cell)).sum();
        heatmap.mean = Array::vector(means.clone());
        heatmap.mean_score = Some(sum as f32);
        heatmap.per_prompt = Some(Array::of_rows(rows.clone(), cells));
        for (prompt, values) in [(None, &means[..]), (Some(prompts - 1), of_row(prompts - 1))] {
            let description = super::heatmap(&result, &crate::plot::HeatmapView::default(), prompt).join(" ");
            let mut sorted = values.to_vec();
            sorted.sort_by(|a, b| b.total_cmp(a));
            let top: f64 = sorted[..3].iter().map(|cell| f64::from(*cell)).sum();
            let total: f64 = values.iter().map(|cell| f64::from(*cell)).sum();
            for cell in [sorted[0], sorted[1], sorted[2], sorted[cells - 1]] {
                assert!(
                    description.contains(&format!("({})", number(f64::from(cell), 2))),
                    "{what}: {description}"
                );
            }
            assert!(description.contains(&number(total, 2)), "{what}: {total} {description}");
            let size: f64 = values.iter().map(|cell| f64::from(cell.abs())).sum();
            let share_says_something = total > 0.1 * size && top <= 1.005 * total;
            assert_eq!(
                description.contains(&format!("together {} of", percent(top / total))),
                share_says_something,
                "{what}: {description}"
            );
            if prompt.is_none() {
                let at = values.iter().position(|cell| *cell == sorted[0]).expect("the largest");
                let positive = (0..prompts).filter(|prompt| of_row(*prompt)[at] > 0.0).count();
                assert!(
                    description.contains(&format!("adds in {positive} of {prompts} prompt")),
                    "{what}: {description}"
                );
            }
        }
    }
}
