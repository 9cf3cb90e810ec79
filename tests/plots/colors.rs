//! Colors of series: contrast, distinguishability, and one color per vector.

use keyside::names::{Head, HistogramId, SeriesId, Side};
use keyside::plot::{COLORS, OF_NO_VECTOR, Theme, contrast, mix};
use plotters::style::RGBColor;

use super::{histogram_of, made_of, made_up, recorded};

/// Linear sRGB, 0 to 1.
fn linear(color: RGBColor) -> [f64; 3] {
    [color.0, color.1, color.2].map(|channel| match f64::from(channel) / 255.0 {
        dark if dark <= 0.04045 => dark / 12.92,
        value => ((value + 0.055) / 1.055).powf(2.4),
    })
}

fn times(matrix: [[f64; 3]; 3], color: [f64; 3]) -> [f64; 3] {
    matrix.map(|row| row.iter().zip(color).map(|(weight, channel)| weight * channel).sum())
}

/// OKLab of linear sRGB (Ottosson 2020).
fn oklab(color: [f64; 3]) -> [f64; 3] {
    let cones = times(
        [
            [0.4122214708, 0.5363325363, 0.0514459929],
            [0.2119034982, 0.6806995451, 0.1073969566],
            [0.0883024619, 0.2817188376, 0.6299787005],
        ],
        color.map(|channel| channel.clamp(0.0, 1.0)),
    );
    times(
        [
            [0.2104542553, 0.7936177850, -0.0040720468],
            [1.9779984951, -2.4285922050, 0.4505937099],
            [0.0259040371, 0.7827717662, -0.8086757660],
        ],
        cones.map(|cone| cone.max(0.0).cbrt()),
    )
}

/// Full vision, protanopia, deuteranopia, tritanopia: Machado, Oliveira and Fernandes 2009, severity 1.
const VISIONS: [[[f64; 3]; 3]; 4] = [
    [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]],
    [
        [0.152286, 1.052583, -0.204868],
        [0.114503, 0.786281, 0.099216],
        [-0.003882, -0.048116, 1.051998],
    ],
    [
        [0.367322, 0.860646, -0.227968],
        [0.280085, 0.672501, 0.047413],
        [-0.011820, 0.042940, 0.968881],
    ],
    [
        [1.255528, -0.076749, -0.178779],
        [-0.078411, 0.930809, 0.147602],
        [0.004733, 0.691367, 0.303900],
    ],
];

/// Distance of two colors in OKLab, as full vision has it, and as the vision has it that tells them apart least. A just noticeable
/// difference is about 0.02.
fn distances(one: RGBColor, other: RGBColor) -> (f64, f64) {
    let by_vision = VISIONS.map(|vision| {
        let seen = [one, other].map(|color| oklab(times(vision, linear(color))));
        let squares = seen[0].iter().zip(seen[1]).map(|(one, other)| (one - other).powi(2));
        squares.sum::<f64>().sqrt()
    });
    (by_vision[0], by_vision.into_iter().fold(f64::INFINITY, f64::min))
}

fn distance(one: RGBColor, other: RGBColor) -> f64 {
    distances(one, other).1
}

/// All series of ours, with one name for each vector: at either side, in scores and probabilities, in a run and in a sentence.
fn vectors() -> Vec<(SeriesId, SeriesId)> {
    let ours = SeriesId::FIXED
        .into_iter()
        .chain([SeriesId::EarlierHead(Head::new(9, 9))]);
    let vector = |series: &SeriesId| {
        if series.is_true_values() {
            SeriesId::TrueScore
        } else {
            series.of_any_prompt()
        }
    };
    ours.map(|series| (vector(&series), series)).collect()
}

/// The numbers of the colors that can be seen together where the vector of `side` is substituted; of those that are shown at first.
fn seen_together(side: Side, at_first: bool) -> Vec<usize> {
    let all = vectors();
    let of_side = all
        .iter()
        .filter(|(_, series)| series.side().is_none_or(|other| other == side));
    let shown = of_side.filter(|(_, series)| !at_first || series.starts_visible());
    let mut colors: Vec<usize> = shown.filter_map(|(_, series)| series.color()).collect();
    colors.sort_unstable();
    colors.dedup();
    colors
}

/// What a figure can show together: at either side, and series that are of no vector, beside the true values.
fn figures(at_first: bool) -> [Vec<usize>; 3] {
    let [query, key] = [Side::Query, Side::Key].map(|side| seen_together(side, at_first));
    [query, key, OF_NO_VECTOR.to_vec()]
}

/// Pairs of different ones.
fn pairs(colors: &[usize]) -> impl Iterator<Item = (usize, usize)> + Clone {
    let all = colors.iter().copied();
    all.clone().flat_map(move |one| {
        all.clone()
            .filter(move |other| *other != one)
            .map(move |other| (one, other))
    })
}

/// Fails where two of `colors` are nearer than `least`: as full vision has it, and as any.
fn check_apart(colors: &[usize], least: (f64, f64)) {
    for theme in [Theme::light(), Theme::dark()] {
        let found = pairs(colors).map(|(one, other)| ((one, other), distances(theme.series[one], theme.series[other])));
        for (pair, (full, any)) in found {
            assert!(
                full >= least.0 && any >= least.1,
                "colors {pair:?} are {full:.3} and {any:.3} apart"
            );
        }
    }
}

#[test]
fn every_series_color_stands_out_from_the_background() {
    for theme in [Theme::light(), Theme::dark()] {
        for (index, color) in theme.series.into_iter().enumerate() {
            let ratio = contrast(color, theme.background);
            println!("{index} {color:?}: {ratio:.2}");
            assert!(ratio >= 3.0, "color {index} has a contrast of {ratio:.2}");
        }
    }
}

#[test]
fn both_ends_of_a_pair_can_be_read_and_told_apart() {
    for theme in [Theme::light(), Theme::dark()] {
        for color in [theme.query, theme.key] {
            let ratio = contrast(color, theme.background);
            assert!(ratio >= 4.5, "{color:?} has a contrast of {ratio:.2}");
        }
        assert!(distance(theme.query, theme.key) >= 0.08);
    }
}

#[test]
fn series_that_are_seen_together_can_be_told_apart_by_everyone() {
    for colors in figures(true) {
        check_apart(&colors, (0.17, 0.09));
    }
    for colors in figures(false) {
        check_apart(&colors, (0.12, 0.09));
    }
    // Of different figures, too: no color is taken for another one.
    check_apart(&(0..COLORS).collect::<Vec<_>>(), (0.11, 0.02));
}

#[test]
fn where_bars_overlap_the_color_is_no_other_series() {
    for theme in [Theme::light(), Theme::dark()] {
        let bar = |color: usize| mix(theme.background, theme.series[color], theme.bar_opacity);
        for colors in figures(true) {
            for (below, above) in pairs(&colors) {
                let overlap = mix(bar(below), theme.series[above], theme.bar_opacity);
                for other in &colors {
                    let (full, any) = distances(overlap, bar(*other));
                    assert!(
                        full >= 0.04 && any >= 0.02,
                        "{above} over {below} is {full:.3} and {any:.3} from {other}"
                    );
                }
            }
        }
    }
}

#[test]
fn a_color_has_one_hue_in_both_themes() {
    let hue = |color: RGBColor| {
        let [_, a, b] = oklab(linear(color));
        (a.hypot(b) > 0.02).then(|| b.atan2(a).to_degrees())
    };
    for (index, (light, dark)) in Theme::light().series.into_iter().zip(Theme::dark().series).enumerate() {
        let (Some(light), Some(dark)) = (hue(light), hue(dark)) else {
            assert!(
                hue(light).is_none() && hue(dark).is_none(),
                "color {index} has a hue in one theme"
            );
            continue;
        };
        let apart = (light - dark).rem_euclid(360.0);
        assert!(
            apart.min(360.0 - apart) <= 15.0,
            "color {index} has the hues {light:.0} and {dark:.0}"
        );
    }
}

#[test]
fn a_vector_has_one_color_and_no_other_vector_has_it() {
    let all = vectors();
    for (vector, series) in &all {
        for (other_vector, other) in &all {
            let same = series.color() == other.color();
            assert_eq!(same, vector == other_vector, "{series} and {other}");
        }
        assert!(series.color().is_some_and(|color| !OF_NO_VECTOR.contains(&color)));
    }
}

#[test]
fn a_series_has_one_color_everywhere() {
    let color = |result: &_, name, label: &str| {
        let plot = histogram_of(result, name);
        plot.series
            .iter()
            .find(|series| series.label == label)
            .map(|series| series.color)
    };
    let mut compared = 0;
    for name in HistogramId::ALL {
        for label in ["No patching", "W_U[IO]", "W_U[S]", "W_E[IO]", "W_EE[IO]"] {
            let (one, other) = (color(&recorded(), name, label), color(&made_up(), name, label));
            if let (Some(one), Some(other)) = (one, other) {
                assert_eq!(one, other, "{label}");
                compared += 1;
            }
        }
        for result in [recorded(), made_up()] {
            let mut colors: Vec<usize> = histogram_of(&result, name).series.iter().map(|s| s.color).collect();
            assert_eq!(color(&result, name, "No patching"), SeriesId::NoPatching.color());
            let all = colors.len();
            colors.sort_unstable();
            colors.dedup();
            assert_eq!(colors.len(), all, "two series of {name} have one color");
        }
    }
    // In either pair of figures: three of the query's series, and three of the key's.
    assert_eq!(compared, 2 * 3 + 2 * 3);
    // Unknown labels take what is left, and then begin again.
    let many = (0..COLORS + 2)
        .map(|index| (format!("series {index:02}").into(), vec![index as f32]))
        .collect();
    let mut colors: Vec<usize> = made_of(HistogramId::KeysFixedScores, &many)
        .series
        .iter()
        .map(|series| series.color)
        .collect();
    assert!(colors.iter().all(|color| *color < COLORS));
    colors.truncate(COLORS);
    colors.sort_unstable();
    assert_eq!(colors, (0..COLORS).collect::<Vec<_>>());
}
