//! Huge, tiny and equal values, and names with any characters.

use std::collections::BTreeMap;

use keyside::analysis::{Array, Heatmap};
use keyside::names::{HeatmapId, HistogramId, SeriesId};
use keyside::plot::{HistogramPlot, Plot, Scene, Step, Target, Theme, Zoom};
use keyside::result::ResultFile;

use super::{heatmap_of, histogram_svg, made_of, made_up, made_up_heatmap, results, scene};
use crate::svg::heatmap_svg;

const NAME: HistogramId = HistogramId::KeysFixedScores;

/// A plot of `values` alone.
fn plot_of(values: &[f32]) -> HistogramPlot {
    made_of(NAME, &BTreeMap::from([(SeriesId::NoPatching, values.to_vec())]))
}

/// Texts of an SVG, in the order in which they are drawn.
fn texts(svg: &str) -> Vec<String> {
    let lines: Vec<&str> = svg.lines().collect();
    let is_text = |index: usize| lines[index].starts_with("<text");
    (0..lines.len())
        .filter(|index| is_text(*index))
        .map(|index| lines[index + 1].to_owned())
        .collect()
}

/// Ticks of the axis of values: what is written of numbers below the bars.
fn ticks(plot: &HistogramPlot) -> Vec<String> {
    let svg = histogram_svg(plot, (1000, 600), &Theme::light()).unwrap();
    let below = svg.lines().collect::<Vec<_>>();
    let at = |index: usize| {
        below[index]
            .split("y=\"")
            .nth(1)?
            .split('"')
            .next()?
            .parse::<f64>()
            .ok()
    };
    let places: Vec<usize> = (0..below.len())
        .filter(|index| below[*index].starts_with("<text"))
        .collect();
    // The title of the axis is the lowest text; its ticks stand right above.
    let ys: Vec<f64> = places.iter().filter_map(|index| at(*index)).collect();
    let mut heights = ys.clone();
    heights.sort_by(f64::total_cmp);
    heights.dedup();
    let row = heights[heights.len() - 2];
    places
        .iter()
        .filter(|index| at(**index) == Some(row))
        .map(|index| below[*index + 1].to_owned())
        .collect()
}

/// The bins that can be reached, and what is said of each.
fn bins(scene: &Scene) -> Vec<(Target, Vec<String>, f64)> {
    let mut found = Vec::new();
    let mut at = scene.step(None, Step::First);
    while let Some(target @ Target::Bin(_)) = at {
        let hover = scene.hover(target).unwrap();
        found.push((target, hover.lines.clone(), hover.mark.width()));
        at = scene.step(at, Step::Right).filter(|next| *next != target);
    }
    found
}

#[test]
fn equal_values_are_a_bar_with_labels_that_differ() {
    for value in [3e38_f32, -3e38, 0.0, 1.5, 1e-40, f32::from_bits(1), f32::MAX] {
        let plot = plot_of(&[value; 20]);
        let (low, high) = plot.full_range();
        assert!(low < f64::from(value) && f64::from(value) < high, "{value:e}");
        let found = bins(&scene(Plot::from(plot.clone()), (1000.0, 600.0)));
        assert_eq!(found.len(), 1, "{value:e}");
        let (_, lines, width) = &found[0];
        assert!((10.0..150.0).contains(width), "{value:e}: a bar of {width} px");
        assert_eq!(lines[1], "No patching: 20", "{value:e}");
        let (from, to) = lines[0].split_once(" to ").unwrap();
        assert_ne!(from, to, "{value:e}");
        assert!(lines[0].len() < 40, "{value:e}: {lines:?}");
        let mut labels = ticks(&plot);
        assert!(labels.len() >= 3, "{value:e}: {labels:?}");
        assert!(
            labels.iter().all(|label| label.chars().count() < 14),
            "{value:e}: {labels:?}"
        );
        let all = labels.len();
        labels.sort();
        labels.dedup();
        assert_eq!(labels.len(), all, "{value:e}: {labels:?}");
    }
}

#[test]
fn the_numbers_of_the_smallest_and_the_largest_values_are_told_and_zoomed_to() {
    for (scale, power) in [
        (1e-45_f64, "e\u{2212}4"),
        (1e-39, "e\u{2212}3"),
        (1e-6, "e\u{2212}"),
        (1e36, "e3"),
    ] {
        let values: Vec<f32> = (1..=40).map(|index| (f64::from(index) * scale) as f32).collect();
        let plot = plot_of(&values);
        let scene_of = scene(Plot::from(plot.clone()), (1000.0, 600.0));
        let found = bins(&scene_of);
        let counted: usize = found
            .iter()
            .map(|(_, lines, _)| lines[1].split(": ").nth(1).unwrap().parse::<usize>().unwrap())
            .sum();
        assert_eq!(counted, 40, "{scale:e}");
        let named: std::collections::BTreeSet<&str> = found.iter().map(|(_, lines, _)| lines[0].as_str()).collect();
        assert_eq!(named.len(), found.len(), "{scale:e}: {named:?}");
        assert!(
            found.iter().any(|(_, lines, _)| lines[0].contains(power)),
            "{scale:e}: {named:?}"
        );
        let box_lines = scene_of.hover(Target::Box(0)).unwrap().lines;
        assert!(box_lines[1].contains('e'), "{box_lines:?}");
        // Zoomed to a part, and moved there.
        let Some(Zoom::Values(Some(zoom))) = scene_of.zoomed(Some(found[5].0), 0.25) else {
            panic!("{scale:e} can't be zoomed");
        };
        let zoomed = HistogramPlot {
            zoom: plot.within(zoom),
            ..plot.clone()
        };
        let (low, high) = zoomed.range();
        assert!(
            (high - low) < 0.3 * (plot.full_range().1 - plot.full_range().0),
            "{scale:e}"
        );
        let link = keyside::figure::View::default();
        let mut view = link.clone();
        view.update_histogram(NAME, |shown| shown.zoom = zoomed.zoom);
        assert!(view != link, "{scale:e}: the link does not keep {:?}", zoomed.zoom);
    }
}

/// The heatmap of the made-up result with its values times `by`.
fn scaled(by: f32) -> ResultFile {
    let mut result = made_up();
    let heatmap = made_up_heatmap(2, 4);
    let values: Vec<f32> = heatmap.mean.data().iter().map(|value| value * by).collect();
    let heatmap = Heatmap {
        sum: values.iter().sum(),
        mean: Array::vector(values),
        ..heatmap
    };
    results::heatmaps_mut(&mut result).insert(HeatmapId::KEY, heatmap);
    result
}

#[test]
fn scales_of_tiny_and_huge_heatmaps_say_their_values() {
    for by in [1e-3_f32, 1e-7, 1e-40, 1e30] {
        let plot = heatmap_of(&scaled(by), false);
        let svg = heatmap_svg(&plot, (1000, 600), &Theme::light()).unwrap();
        let bar: Vec<String> = texts(&svg)
            .into_iter()
            .filter(|text| text.parse::<f64>().is_ok() || text.contains('e'))
            .collect();
        let values: std::collections::BTreeSet<&String> = bar
            .iter()
            .filter(|text| text.contains('e') || text.contains("0.00"))
            .collect();
        assert!(values.len() >= 3, "{by:e}: {bar:?}");
        let mut told = std::collections::BTreeSet::new();
        for (row, column) in [(1, 0), (1, 1), (2, 0)] {
            let hover = scene(Plot::from(plot.clone()), (1000.0, 600.0))
                .hover(Target::Cell(row, column))
                .unwrap();
            assert!(
                hover.lines[1].len() < 40 && !hover.lines[1].ends_with(" 0.0000"),
                "{by:e}: {:?}",
                hover.lines
            );
            told.insert(hover.lines[1].clone());
        }
        assert_eq!(told.len(), 3, "{by:e}: {told:?}");
    }
}

#[test]
fn names_that_hold_anything_are_shown_as_signs() {
    let name = "W_U[\u{0}\u{1b}\u{7f}\u{85}\u{202e}\u{ffff}]\n<&>";
    let series = BTreeMap::from([(SeriesId::from(name), vec![1.0, 2.0])]);
    let plot = made_of(NAME, &series);
    let shown = "W_U[\u{2400}\u{241b}\u{2421}\u{fffd}\u{fffd}\u{fffd}]\u{240a}<&>";
    assert_eq!(plot.series[0].label, shown);
    let scene = scene(Plot::from(plot.clone()), (1000.0, 600.0));
    assert_eq!(
        scene.hover(Target::Box(0)).unwrap().lines[0],
        format!("{shown}: 2 values")
    );
    let svg = histogram_svg(&plot, (1000, 600), &Theme::light()).unwrap();
    let allowed = |symbol: char| matches!(symbol, '\t' | '\n' | '\r' | ' '..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..);
    assert!(svg.chars().all(allowed), "the SVG is not XML");
    assert!(
        svg.contains(&shown.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")),
        "{:?}",
        texts(&svg)
    );
}
