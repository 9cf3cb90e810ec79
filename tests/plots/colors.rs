//! Colors of series: contrast and distinguishability.

use keyside::names::HistogramId;
use keyside::plot::{COLORS, Theme, contrast};
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

/// Distance of two colors in OKLab, by the vision that tells them apart least.
fn distance(one: RGBColor, other: RGBColor) -> f64 {
    let by_vision = VISIONS.map(|vision| {
        let seen = [one, other].map(|color| oklab(times(vision, linear(color))));
        let squares = seen[0].iter().zip(seen[1]).map(|(one, other)| (one - other).powi(2));
        squares.sum::<f64>().sqrt()
    });
    by_vision.into_iter().fold(f64::INFINITY, f64::min)
}

#[test]
fn every_series_color_stands_out_from_the_background() {
    for theme in [Theme::light(), Theme::dark()] {
        for (index, color) in theme.series.into_iter().enumerate() {
            let ratio = contrast(color, theme.background);
            println!("{index} {color:?}: {ratio:.2}");
            assert!(ratio >= 3.0, "colour {index} has a contrast of {ratio:.2}");
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
fn series_colors_can_be_told_apart_by_everyone() {
    for theme in [Theme::light(), Theme::dark()] {
        for index in 0..COLORS {
            for other in 0..index {
                let found = distance(theme.series[index], theme.series[other]);
                // The first seven are those of known series. A just noticeable difference is about 0.02.
                let least = if index < 7 { 0.1 } else { 0.08 };
                assert!(found >= least, "colours {other} and {index} are {found:.3} apart");
            }
        }
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
            assert_eq!(color(&result, name, "No patching"), Some(3));
            let all = colors.len();
            colors.sort_unstable();
            colors.dedup();
            assert_eq!(colors.len(), all, "two series of {name} have one colour");
        }
    }
    // In either pair of figures: three of the query's series, and three of the key's.
    assert_eq!(compared, 2 * 3 + 2 * 3);
    // Unknown labels take what is left, and then begin again.
    let many = (0..12)
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
