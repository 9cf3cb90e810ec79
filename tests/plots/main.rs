//! Plots of the recorded run and of a small synthetic result: their numbers and their SVG text.
//!
//! Snapshots are in `tests/snapshots`. When one differs, the new drawing is written beside it as `NAME.new.EXTENSION`
//! and the test fails; `UPDATE_SNAPSHOTS=1 cargo test --test plots` accepts it.
#![allow(clippy::unwrap_used)]

mod colors;
mod exploring;
mod extremes;
mod pinned;
#[path = "../results/mod.rs"]
mod results;
mod scatter;
mod sentence;
mod svg;
mod views;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use keyside::analysis::{Array, Heatmap, Sides};
use keyside::names::{Column, Grid, Head, HeatmapId, HistogramId, SeriesId};
use keyside::plot::{
    DrawOptions, HeatmapPlot, HeatmapView, HistogramPlot, HistogramView, Hover, Plot, Scene, Theme, series_note,
    series_starts_visible,
};
use keyside::result::{Bins, BoxStats, ResultFile};
use rand_mt::Mt;

use svg::{heatmap_svg, histogram_svg, svg_files};

fn recorded() -> ResultFile {
    ResultFile::from_json(include_bytes!("../../public/recorded/gpt2-small-10.7.json")).unwrap()
}

/// A model of 3 layers and 4 heads, 8 prompts, with b_O, true values and the true embedding.
fn made_up() -> ResultFile {
    let mut result = recorded();
    results::set_ioi(&mut result, |set| (set.batches, set.batch_size) = (2, 4));
    (result.config.n_layer, result.config.n_head) = (3, 4);
    let section = results::substitution_mut(&mut result);
    (section.head, section.earlier_head) = (Head::new(2, 1), Head::new(1, 3));
    section.series = Sides::default();
    for (place, name) in HistogramId::ALL.into_iter().enumerate() {
        let labels = if name.keys_fixed() {
            ["W_U[IO]", "W_U[S]", "NMH 1.3 output", "No patching"]
        } else {
            ["W_E[IO]", "W_E[IO] (true embedding)", "W_EE[IO]", "No patching"]
        };
        let values = |index: usize| -> Vec<f32> {
            (0..8)
                .map(|i| ((i * 37 + index * 11 + place * 5) % 23) as f32 / 23.0)
                .collect()
        };
        for (index, label) in labels.into_iter().enumerate() {
            section.extend(name, label.into(), &values(index));
        }
    }
    section.true_score = Some(Array::vector(vec![0.5, 1.5, -0.25, 0.75, 0.5, 0.125, 1.0, 0.0]));
    section.true_prob = Some(Array::vector(vec![0.5, 0.9, 0.25, 0.75, 0.5, 0.125, 1.0, 0.0]));
    let section = result.contributions_mut().unwrap();
    section.head = Head::new(2, 1);
    section.heatmaps = BTreeMap::from([(HeatmapId::KEY, made_up_heatmap(2, 4))]);
    result.check().unwrap();
    result
}

/// The histogram `name` as it is at first.
fn histogram_of(result: &ResultFile, name: HistogramId) -> HistogramPlot {
    HistogramPlot::of_result(result, name, &HistogramView::default())
}

/// A histogram of any values.
fn made_of(name: HistogramId, series: &BTreeMap<SeriesId, Vec<f32>>) -> HistogramPlot {
    let series = series.iter().map(|(id, values)| (id, values.as_slice()));
    HistogramPlot::new(name, Head::new(2, 1), series, &[], &HistogramView::default())
}

/// The heatmap "key", with or without b_O.
fn heatmap_of(result: &ResultFile, as_in_notebook: bool) -> HeatmapPlot {
    let view = HeatmapView {
        as_in_notebook,
        ..HeatmapView::default()
    };
    HeatmapPlot::of_result(result, &view, None).unwrap()
}

/// `plot` on 1000 x 600 pixels, or on any other size.
fn scene(plot: Plot, (width, height): (f64, f64)) -> Scene {
    Scene::new(plot, width, height, &DrawOptions::canvas(1.0, Theme::light()))
}

/// The description at a point.
fn hover(scene: &Scene, x: f64, y: f64) -> Option<Hover> {
    scene.hover(scene.target_at((x, y))?)
}

fn made_up_heatmap(layers: usize, heads: usize) -> Heatmap {
    let (rows, columns) = (Grid::rows(layers), Grid::columns(heads));
    let value = |row: usize, column: usize| match (row, column) {
        (0, 3..) => 0.0,
        _ => ((row * 7 + column * 5) % 13) as f32 / 4.0 - 1.5,
    };
    let values: Vec<Vec<f32>> = (0..rows.len())
        .map(|row| (0..columns.len()).map(|column| value(row, column)).collect())
        .collect();
    let heatmap = results::heatmap_of(&rows, &columns, &values);
    Heatmap {
        mean_score: Some(heatmap.sum),
        max_abs_residual: Some(1e-6),
        max_relative_residual: None,
        ..heatmap
    }
}

/// Compares `text` with the snapshot `name`; see the head of this file.
fn compare(name: &str, text: &str) -> Result<(), String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/snapshots").join(name);
    if std::env::var_os("UPDATE_SNAPSHOTS").is_some_and(|value| value == "1") {
        fs::write(&path, text).map_err(|error| error.to_string())?;
    }
    let (stem, extension) = name.rsplit_once('.').unwrap();
    let new = path.with_file_name(format!("{stem}.new.{extension}"));
    if fs::read_to_string(&path).is_ok_and(|old| old == text) {
        fs::remove_file(new).ok();
        return Ok(());
    }
    fs::write(&new, text).map_err(|error| error.to_string())?;
    Err(format!("{name} has changed: compare it with {}", new.display()))
}

fn compare_all(snapshots: impl IntoIterator<Item = (String, String)>) {
    let failures: Vec<String> = snapshots
        .into_iter()
        .filter_map(|(name, text)| compare(&name, &text).err())
        .collect();
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

/// Bins and boxes of all four histograms as text.
fn numbers(result: &ResultFile) -> String {
    let numbers = |name| numbers_of(&histogram_of(result, name), name);
    HistogramId::ALL.map(numbers).concat()
}

/// Bins and boxes of a histogram as text.
fn numbers_of(plot: &HistogramPlot, name: HistogramId) -> String {
    let mut text = String::new();
    let bins = plot.bins.unwrap();
    writeln!(
        text,
        "{name}: {} bins of {} from {:.4}",
        bins.count, bins.size, bins.start
    )
    .unwrap();
    for series in &plot.series {
        let stats = series.stats.as_ref().unwrap();
        let shown = if series.visible { "shown" } else { "hidden" };
        writeln!(text, "  {} ({shown}, colour {})", series.label, series.color).unwrap();
        writeln!(
            text,
            "    n {} mean {:.4} min {:.4} whisker {:.4} q1 {:.4} median {:.4} notch {:.4} q3 {:.4} whisker {:.4} max {:.4}",
            stats.count, stats.mean, stats.min, stats.lower_whisker, stats.q1, stats.median, stats.notch, stats.q3,
            stats.upper_whisker, stats.max
        )
        .unwrap();
        writeln!(
            text,
            "    {} outliers, counts {:?}",
            stats.outliers.len(),
            series.counts
        )
        .unwrap();
    }
    text
}

#[test]
fn recorded_run_matches_its_snapshots() {
    let result = recorded();
    let mut snapshots = vec![("recorded-numbers.txt".to_owned(), numbers(&result))];
    let files = svg_files(&result, &Theme::light()).unwrap();
    assert_eq!(files.len(), 4 + result.heatmap_names().len());
    // The other heatmaps are drawn by the same code.
    let shown = files
        .into_iter()
        .filter(|(name, _)| !name.starts_with("heatmap_") || name == "heatmap_key.svg");
    snapshots.extend(shown.map(|(name, text)| (format!("recorded-{name}"), text)));
    compare_all(snapshots);
}

#[test]
fn phone_and_dark_match_their_snapshots() {
    let result = recorded();
    let histogram = histogram_of(&result, HistogramId::KeysFixedScores);
    let heatmap = heatmap_of(&result, false);
    compare_all([
        (
            "phone-keys_fixed_scores.svg".to_owned(),
            histogram_svg(&histogram, (358, 420), &Theme::light()).unwrap(),
        ),
        (
            "phone-dark-heatmap_key.svg".to_owned(),
            heatmap_svg(&heatmap, (358, 420), &Theme::dark()).unwrap(),
        ),
    ]);
}

#[test]
fn made_up_result_matches_its_snapshots() {
    let result = made_up();
    let histogram = histogram_of(&result, HistogramId::QueriesFixedScores);
    let heatmap = heatmap_of(&result, false);
    compare_all([
        ("made_up-numbers.txt".to_owned(), numbers(&result)),
        (
            "made_up-queries_fixed_scores.svg".to_owned(),
            histogram_svg(&histogram, (600, 400), &Theme::light()).unwrap(),
        ),
        (
            "made_up-heatmap_key.svg".to_owned(),
            heatmap_svg(&heatmap, (600, 400), &Theme::light()).unwrap(),
        ),
    ]);
}

/// Bin sizes, places and (to a few counts, as far as pixels tell) the heights of the tallest bars are those of
/// the pictures in the notebook.
#[test]
fn bins_are_those_of_the_notebooks_pictures() {
    let result = recorded();
    let tallest = |name: HistogramId, label: &str| {
        let plot = histogram_of(&result, name);
        let bins = plot.bins.unwrap();
        let series = plot.series.iter().find(|series| series.label == label).unwrap();
        let index = (0..bins.count).max_by_key(|&index| series.counts[index]).unwrap();
        let (low, high) = bins.edges(index);
        println!("{name} {label}: {} in {low:.4} to {high:.4}", series.counts[index]);
        (bins.size, (low + high) / 2.0, series.counts[index])
    };
    let close = |found: (f64, f64, usize), expected: (f64, f64, usize)| {
        (found.0 - expected.0).abs() < 1e-9 && (found.1 - expected.1).abs() < 1e-9 && found.2 == expected.2
    };
    assert!(close(
        tallest(HistogramId::KeysFixedScores, "No patching"),
        (0.2, 4.3, 103)
    ));
    assert!(close(
        tallest(HistogramId::QueriesFixedScores, "No patching"),
        (0.2, 4.3, 102)
    ));
    assert!(close(
        tallest(HistogramId::KeysFixedProbs, "W_U[random]"),
        (0.01, 0.0, 701)
    ));
}

#[test]
fn quartiles_are_plotlys() {
    // The example of Plotly's documentation of quartilemethod: 2.75 and 7.25 by "linear".
    let stats = BoxStats::of(&[9.0, 1.0, 8.0, 2.0, 7.0, 3.0, 6.0, 4.0, 5.0]).unwrap();
    assert_eq!((stats.q1, stats.median, stats.q3), (2.75, 5.0, 7.25));
    assert_eq!(
        (stats.lower_whisker, stats.upper_whisker, stats.outliers.len()),
        (1.0, 9.0, 0)
    );
    assert_eq!(stats.notch, 1.57 * 4.5 / 3.0);
    let stats = BoxStats::of(&[1.0, 2.0, 3.0, 4.0]).unwrap();
    assert_eq!((stats.q1, stats.median, stats.q3), (1.5, 2.5, 3.5));
    let stats = BoxStats::of(&[5.0]).unwrap();
    assert_eq!((stats.q1, stats.median, stats.q3, stats.notch), (5.0, 5.0, 5.0, 0.0));
    let stats = BoxStats::of(&[1.0, 2.0, 3.0, 4.0, 100.0, -50.0]).unwrap();
    assert_eq!((stats.lower_whisker, stats.upper_whisker), (1.0, 4.0));
    assert_eq!(stats.outliers, [-50.0, 100.0]);
    assert_eq!(BoxStats::of(&[]), None);
}

/// Random series of several spreads and places, some of them rounded.
fn random_series() -> Vec<Vec<Vec<f32>>> {
    let mut random = Mt::new(7);
    let mut uniform = move || f64::from(random.next_u32()) / f64::from(u32::MAX);
    let mut cases = Vec::new();
    for case in 0..200 {
        let (spread, place) = (10f64.powi(case % 9 - 4), 3.0 * uniform() - 1.5);
        let rounded = case % 4 == 0;
        let mut value = || {
            let value = spread * (uniform() + uniform() * uniform() + place);
            (if rounded {
                (value / spread * 10.0).round() * spread / 10.0
            } else {
                value
            }) as f32
        };
        cases.push(
            (0..1 + case as usize % 4)
                .map(|_| (0..1 + case as usize * 3).map(|_| value()).collect())
                .collect(),
        );
    }
    cases
}

#[test]
fn bins_hold_every_value_once() {
    for (case, series) in random_series().into_iter().enumerate() {
        for max_bins in [1, 7, 100, 120] {
            let bins = Bins::of(series.iter().map(Vec::as_slice), max_bins).unwrap();
            assert!(
                bins.count <= max_bins + 2,
                "case {case}: {} bins for {max_bins}",
                bins.count
            );
            let mantissa = bins.size / 10f64.powf(bins.size.log10().floor() + 1e-9);
            let nice = [1.0, 2.0, 5.0, 10.0]
                .iter()
                .any(|multiple| (mantissa - multiple).abs() < 1e-6);
            assert!(nice, "case {case}: bins of {}", bins.size);
            for values in &series {
                let counts = bins.counts(values);
                assert_eq!(
                    counts.iter().sum::<usize>(),
                    values.len(),
                    "case {case}, {max_bins} bins"
                );
                for &value in values {
                    let (low, high) = bins.edges(bins.index(f64::from(value)).unwrap());
                    let slack = bins.size * 1e-4;
                    assert!(f64::from(value) >= low - slack && f64::from(value) < high + slack);
                }
            }
        }
    }
}

#[test]
fn boxes_are_in_order() {
    for values in random_series().into_iter().flatten() {
        let stats = BoxStats::of(&values).unwrap();
        let numbers = [
            stats.min,
            stats.lower_whisker,
            stats.q1,
            stats.median,
            stats.q3,
            stats.upper_whisker,
            stats.max,
        ];
        assert!(numbers.is_sorted(), "{stats:?}");
        let within = values
            .iter()
            .filter(|&&value| (stats.lower_whisker..=stats.upper_whisker).contains(&f64::from(value)));
        assert_eq!(within.count() + stats.outliers.len(), values.len());
    }
}

#[test]
fn toggling_moves_neither_bins_nor_axis() {
    let plot = histogram_of(&recorded(), HistogramId::KeysFixedScores);
    let mut toggled = plot.clone();
    toggled.series[0].visible = false;
    assert_eq!(plot.bins, toggled.bins);
    let place = |plot: &HistogramPlot| {
        let scene = scene(Plot::from(plot.clone()), (1000.0, 600.0));
        let mut hovers = (0..1000).filter_map(|x| hover(&scene, f64::from(x), 540.0));
        hovers
            .find(|hover| hover.lines[0] == "10.0 to 10.2")
            .map(|hover| hover.anchor().0)
    };
    assert!(place(&plot).is_some());
    assert_eq!(place(&plot), place(&toggled));
}

#[test]
fn pointing_at_a_bins_middle_finds_that_bin() {
    let result = recorded();
    for name in HistogramId::ALL {
        let plot = histogram_of(&result, name);
        for (width, height) in [(1000.0, 600.0), (358.0, 420.0)] {
            let scene = scene(Plot::from(plot.clone()), (width, height));
            // Two bins that are pointed at give the scale; all other bins must follow it.
            let hovers: Vec<_> = (0..(width * 4.0) as usize)
                .filter_map(|x| hover(&scene, x as f64 / 4.0, height * 0.6))
                .collect();
            for found in &hovers {
                let again = hover(&scene, found.anchor().0, height * 0.6).unwrap();
                assert_eq!(&again, found, "{name}");
                let visible = plot.series.iter().filter(|series| series.visible);
                assert_eq!(found.lines.len(), 1 + visible.count());
                let (middle, _) = found.mark.center();
                assert!((middle - found.anchor().0).abs() < 1e-9);
            }
            let mut lines: Vec<_> = hovers.iter().map(|hover| hover.lines.clone()).collect();
            lines.dedup();
            let bins = plot.bins.unwrap();
            let shown = plot.series.iter().filter(|series| series.visible);
            let counts: Vec<_> = shown.map(|series| series.counts.clone()).collect();
            let filled = (0..bins.count)
                .filter(|&index| counts.iter().any(|counts| counts[index] > 0))
                .count();
            println!("{name} at {width}: {} bins pointed at of {filled}", lines.len());
            assert_eq!(lines.len(), filled, "{name} at {width} x {height}");
        }
    }
}

#[test]
fn pointing_at_boxes_and_legend() {
    let plot = histogram_of(&recorded(), HistogramId::KeysFixedScores);
    let options = DrawOptions::canvas(1.0, Theme::light());
    let boxes = scene(Plot::from(plot.clone()), (1000.0, 600.0));
    let hovers = (0..600).filter_map(|y| hover(&boxes, 500.0, f64::from(y)));
    let mut names: Vec<String> = hovers
        .map(|hover| hover.lines[0].clone())
        .filter(|line| line.ends_with("1200 values"))
        .collect();
    names.dedup();
    let expected = ["W_U[IO]", "NMH 9.9 output", "No patching", "W_U[random]"];
    assert_eq!(names, expected.map(|label| format!("{label}: 1200 values")));
    for (width, height) in [(1000.0, 600.0), (358.0, 420.0)] {
        let mut found = vec![false; plot.series.len()];
        for x in (0..width as usize).step_by(4) {
            for y in (0..height as usize).step_by(4) {
                if let Some(index) = plot.legend_entry(width, height, x as f64, y as f64, &options) {
                    found[index] = true;
                }
            }
        }
        assert_eq!(found, [true; 6], "{width} x {height}");
    }
    let without = DrawOptions {
        legend: false,
        ..options
    };
    assert_eq!(plot.legend_entry(1000.0, 600.0, 900.0, 75.0, &without), None);
}

#[test]
fn pointing_at_cells() {
    let plot = scene(Plot::from(heatmap_of(&recorded(), false)), (1000.0, 600.0));
    let mut names: Vec<String> = Vec::new();
    for y in (0..600).step_by(5) {
        for x in (0..1000).step_by(5) {
            if let Some(hover) = hover(&plot, f64::from(x), f64::from(y)) {
                if hover.lines[0] == "head 0.11" {
                    assert_eq!(hover.lines[1..], ["contribution −0.8106", "−22.1 % of the sum 3.6674"]);
                }
                names.push(hover.lines[0].clone());
            }
        }
    }
    names.sort();
    names.dedup();
    assert_eq!(names.len(), 3 + 10 * 13);
    for name in [
        "W_E (token embedding)",
        "W_pos (position embedding)",
        "b_K (bias of the map)",
        "MLP 6",
        "head 9.3",
    ] {
        assert!(names.iter().any(|found| found == name), "{name}");
    }
}

#[test]
fn notebooks_view_hides_b_o_and_nothing_else() {
    let result = made_up();
    let all = heatmap_of(&result, false);
    let hidden = heatmap_of(&result, true);
    assert_eq!(all.columns.last().unwrap(), &Column::AttentionBias);
    assert_eq!(hidden.columns, all.columns[..5]);
    let sum = |plot: &HeatmapPlot| {
        plot.cells
            .iter()
            .flatten()
            .flatten()
            .map(|cell| f64::from(cell.value))
            .sum::<f64>()
    };
    assert!((hidden.sum - sum(&hidden)).abs() < 1e-5 && (all.sum - sum(&all)).abs() < 1e-5);
    assert!((hidden.sum - all.sum).abs() > 0.1);
    // With one head, the bias of the map stands in the column of b_O.
    let mut one_head = result;
    results::heatmaps_mut(&mut one_head).insert(HeatmapId::KEY, made_up_heatmap(2, 1));
    let hidden = heatmap_of(&one_head, true);
    let labels: Vec<_> = hidden
        .cells
        .iter()
        .flatten()
        .flatten()
        .map(|cell| cell.label.as_str())
        .collect();
    assert_eq!(labels, ["W_E", "W_pos", "b_K", "0.0", "MLP0", "1.0", "MLP1"]);
    let query = HeatmapView {
        name: HeatmapId::QUERY,
        ..HeatmapView::default()
    };
    assert!(
        HeatmapPlot::of_result(&one_head, &query, None)
            .unwrap_err()
            .to_string()
            .contains("no heatmap")
    );
}

#[test]
fn the_recorded_run_in_version_2_looks_as_in_version_1() {
    let one = recorded();
    let text = one.to_json().unwrap();
    assert!(text.starts_with("{\"format\":\"keyside-result/2\""));
    let two = ResultFile::from_json(text.as_bytes()).unwrap();
    for theme in [Theme::light(), Theme::dark()] {
        let figures = svg_files(&two, &theme).unwrap();
        assert_eq!(figures.len(), 4 + 23);
        assert!(figures == svg_files(&one, &theme).unwrap());
    }
}

#[test]
fn any_shape_and_size_can_be_drawn() {
    let mut result = made_up();
    for (layers, heads) in [(1, 1), (2, 4), (48, 25), (0, 2)] {
        results::heatmaps_mut(&mut result).insert(HeatmapId::KEY, made_up_heatmap(layers, heads));
        let plot = heatmap_of(&result, false);
        for size in [(1000, 600), (358, 420), (40, 30), (0, 0), (1, 2000)] {
            let svg = heatmap_svg(&plot, size, &Theme::dark()).unwrap();
            assert!(
                svg.contains("</svg>") && !svg.contains("NaN"),
                "{layers} x {heads} at {size:?}"
            );
        }
    }
    let empty = made_of(HistogramId::KeysFixedProbs, &BTreeMap::new());
    let alike = BTreeMap::from([(SeriesId::NoPatching, vec![0.25; 5]), (SeriesId::WuIo, Vec::new())]);
    let alike = made_of(HistogramId::KeysFixedProbs, &alike);
    assert_eq!(
        alike
            .series
            .iter()
            .map(|series| series.counts.iter().sum::<usize>())
            .sum::<usize>(),
        5
    );
    let wild = vec![f32::NAN, 1.0, f32::INFINITY, 2.0, f32::MAX, f32::MIN, -0.0, 1e-45];
    let wild = BTreeMap::from([(SeriesId::NoPatching, wild), (SeriesId::WuIo, vec![f32::NAN])]);
    let wild = made_of(HistogramId::KeysFixedScores, &wild);
    assert_eq!(
        wild.series
            .iter()
            .map(|series| series.counts.iter().sum::<usize>())
            .sum::<usize>(),
        6
    );
    for plot in [empty, alike, wild] {
        for size in [(1000, 600), (358, 420), (40, 30), (0, 0), (1, 2000)] {
            let svg = histogram_svg(&plot, size, &Theme::light()).unwrap();
            assert!(svg.contains("</svg>") && !svg.contains("NaN"), "{size:?}");
        }
    }
}

#[test]
fn every_series_is_explained_and_starts_as_recorded() {
    for result in [recorded(), made_up()] {
        for name in HistogramId::ALL {
            for series in histogram_of(&result, name).series {
                assert!(
                    !series.note.is_empty() && series.note == series_note(&series.id),
                    "{}",
                    series.label
                );
                assert_eq!(series.visible, series_starts_visible(&series.id));
            }
        }
    }
    let hidden = [
        "W_U[random name]",
        "W_U[S]",
        "W_E[IO] (true embedding)",
        "true score",
        "true probability",
    ];
    assert!(
        hidden
            .iter()
            .all(|label| !series_starts_visible(&SeriesId::from(*label)))
    );
    let shown = [
        "W_U[IO]",
        "W_U[random]",
        "NMH 9.9 output",
        "No patching",
        "W_E[IO]",
        "W_EE[IO]",
        "W_EE_subE[IO]",
    ];
    assert!(shown.iter().all(|label| series_starts_visible(&SeriesId::from(*label))));
}
