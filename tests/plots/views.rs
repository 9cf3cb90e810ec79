//! The views of a plot: bins, logarithmic counts, zoom, order, single series, one prompt, the strip.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use keyside::names::{Component, HeatmapId, HistogramId, SeriesId};
use keyside::plot::{
    CellRange, HeatmapPlot, HeatmapView, HistogramPlot, HistogramView, Plot, SeriesOrder, StripPlot, Theme, plot_svg,
};
use keyside::result::{Bins, ResultFile};

use super::svg::{heatmap_svg, histogram_svg};
use super::{compare_all, made_up, numbers_of, random_series, recorded, results};

const SCORES: HistogramId = HistogramId::KeysFixedScores;

fn shown(result: &ResultFile, view: &HistogramView) -> HistogramPlot {
    HistogramPlot::of_result(result, SCORES, view)
}

/// The made-up result with the four prompts' contributions behind its heatmap.
pub fn with_prompts() -> ResultFile {
    let mut result = made_up();
    let means = results::means(results::key(&result));
    let of_prompt = |prompt: usize| {
        let row = |(row, values): (usize, &Vec<f32>)| {
            let cell = |(column, value): (usize, &f32)| match (row, column) {
                (0, 3..) => 0.0,
                _ => value + (prompt as f32 - 1.5) * (1.0 + column as f32) / 8.0,
            };
            values.iter().enumerate().map(cell).collect()
        };
        means.iter().enumerate().map(row).collect()
    };
    let tables: Vec<Vec<Vec<f32>>> = (0..4).map(of_prompt).collect();
    let heatmap = results::heatmaps_mut(&mut result).get_mut(&HeatmapId::KEY).unwrap();
    results::set_per_prompt(heatmap, &tables);
    result
}

#[test]
fn views_match_their_snapshots() {
    let result = recorded();
    let mut isolated = HistogramView::default();
    let plot = shown(&result, &isolated);
    isolated.isolate(&"NMH 9.9 output".into(), plot.series.iter().map(|series| &series.id));
    let views = [
        ("isolated", isolated),
        (
            "log",
            HistogramView {
                log_counts: true,
                ..HistogramView::default()
            },
        ),
        (
            "zoom",
            HistogramView {
                zoom: Some((3.7, 6.9)),
                order: SeriesOrder::Label,
                ..HistogramView::default()
            },
        ),
        (
            "bins",
            HistogramView {
                max_bins: Some(12),
                order: SeriesOrder::Median,
                toggled: BTreeSet::from([SeriesId::WuS, SeriesId::WuIo]),
                ..HistogramView::default()
            },
        ),
    ];
    let mut snapshots = Vec::new();
    let mut text = String::new();
    for (name, view) in views {
        let plot = shown(&result, &view).with_prompt(&result, SCORES, Some(7));
        writeln!(text, "{name}: range {:?}", plot.range()).unwrap();
        text += &numbers_of(&plot, SCORES);
        let theme = if name == "bins" { Theme::dark() } else { Theme::light() };
        let svg = histogram_svg(&plot, (900, 520), &theme).unwrap();
        snapshots.push((format!("view-{name}.svg"), svg));
    }
    snapshots.push(("view-numbers.txt".to_owned(), text));
    compare_all(snapshots);
}

#[test]
fn heatmap_views_match_their_snapshots() {
    let mut result = with_prompts();
    let mut query = results::key(&result).clone();
    for component in &mut query.components {
        if *component == Component::KeyBias {
            *component = Component::QueryBias;
        }
    }
    results::heatmaps_mut(&mut result).insert("query_subMLP0".into(), query);
    let view = HeatmapView {
        zoom: Some(CellRange {
            rows: (0, 1),
            columns: (2, 9),
        }),
        pick: Some((1, 3)),
        ..HeatmapView::default()
    };
    let zoomed = HeatmapPlot::of_result(&result, &view, None).unwrap();
    assert_eq!((zoomed.rows.len(), zoomed.columns.len()), (2, 4));
    assert_eq!(zoomed.cell(1, 1).map(|cell| cell.place), Some((1, 3)));
    let variant = HeatmapView {
        name: "query_subMLP0".into(),
        ..HeatmapView::default()
    };
    let variant = HeatmapPlot::of_result(&result, &variant, Some(2)).unwrap();
    assert_eq!(
        variant.title,
        "Contribution to attention scores of 2.1 (query side, key from MLP 0, prompt 3)"
    );
    let strip = StripPlot::of_result(&result, &view, (1, 3), Some(2)).unwrap();
    assert_eq!(strip.name, "head 0.3");
    assert!((f64::from(results::means(results::key(&result))[1][3]) - strip.mean).abs() < 1e-6);
    compare_all([
        (
            "view-heatmap-zoom.svg".to_owned(),
            heatmap_svg(&zoomed, (600, 300), &Theme::light()).unwrap(),
        ),
        (
            "view-heatmap-variant.svg".to_owned(),
            heatmap_svg(&variant, (600, 400), &Theme::dark()).unwrap(),
        ),
        (
            "view-strip.svg".to_owned(),
            plot_svg(&Plot::from(strip), (600, 132), &Theme::light()).unwrap(),
        ),
    ]);
}

#[test]
fn isolating_shows_one_and_comes_back() {
    let result = made_up();
    let all: Vec<SeriesId> = shown(&result, &HistogramView::default())
        .series
        .iter()
        .map(|series| series.id.clone())
        .collect();
    for id in &all {
        let mut view = HistogramView::default();
        view.toggle(&SeriesId::NoPatching);
        view.isolate(id, &all);
        let visible: Vec<SeriesId> = shown(&result, &view)
            .series
            .into_iter()
            .filter(|series| series.visible)
            .map(|series| series.id)
            .collect();
        assert_eq!(visible, std::slice::from_ref(id));
        assert!(all.iter().all(|other| view.shows(other) == (other == id)));
        view.isolate(id, &all);
        assert_eq!(view, HistogramView::default());
    }
}

#[test]
fn orders_sort_and_keep_colors() {
    let result = recorded();
    let plot_with = |order| {
        shown(
            &result,
            &HistogramView {
                order,
                ..HistogramView::default()
            },
        )
    };
    let colors = |plot: &HistogramPlot| {
        let mut pairs: Vec<_> = plot
            .series
            .iter()
            .map(|series| (series.label.clone(), series.color))
            .collect();
        pairs.sort();
        pairs
    };
    let first = plot_with(SeriesOrder::Mean);
    for order in SeriesOrder::ALL {
        let plot = plot_with(order);
        assert_eq!(colors(&plot), colors(&first));
        let stats = || plot.series.iter().map(|series| series.stats.as_ref().unwrap());
        assert!(match order {
            SeriesOrder::Mean => stats().is_sorted_by_key(|stats| stats.mean),
            SeriesOrder::Median => stats().is_sorted_by_key(|stats| stats.median),
            SeriesOrder::Label => plot.series.is_sorted_by_key(|series| series.label.clone()),
        });
    }
}

#[test]
fn a_plot_seen_in_another_way_is_the_plot_made_that_way() {
    let result = recorded();
    let mut plot = shown(&result, &HistogramView::default());
    for order in SeriesOrder::ALL {
        for (label, zoom) in [
            ("W_U[S]", None),
            ("W_U[IO]", Some((-1.0, 4.0))),
            ("No patching", Some((90.0, 91.0))),
        ] {
            let mut view = HistogramView {
                order,
                zoom,
                log_counts: zoom.is_none(),
                ..HistogramView::default()
            };
            view.toggle(&label.into());
            // From whatever it was before.
            plot = plot.seen(&view);
            assert_eq!(plot, shown(&result, &view));
        }
    }
}

#[test]
fn zoom_is_held_within_the_data_whatever_is_asked_for() {
    let result = recorded();
    let numbers = [
        f64::NAN,
        f64::NEG_INFINITY,
        f64::INFINITY,
        f64::MIN,
        f64::MAX,
        -1e9,
        -10.0,
        -1e-300,
        0.0,
        1e-12,
        4.3,
        4.3 + 1e-12,
        5.0,
        20.0,
        1e9,
    ];
    let full = shown(&result, &HistogramView::default()).full_range();
    for from in numbers {
        for to in numbers {
            for log_counts in [false, true] {
                let view = HistogramView {
                    zoom: Some((from, to)),
                    log_counts,
                    max_bins: Some(40),
                    ..HistogramView::default()
                };
                let plot = shown(&result, &view);
                let (low, high) = plot.range();
                assert!(
                    low < high && low >= full.0 - 1.0 && high <= full.1 + 1.0,
                    "{from} to {to}"
                );
                let svg = histogram_svg(&plot, (300, 200), &Theme::light()).unwrap();
                assert!(!svg.contains("NaN") && !svg.contains("inf"), "{from} to {to}");
            }
        }
    }
}

#[test]
fn bins_are_at_least_one() {
    let result = made_up();
    for max_bins in [0, 1, 2, 100_000, usize::MAX] {
        let view = HistogramView {
            max_bins: Some(max_bins),
            ..HistogramView::default()
        };
        let bins = shown(&result, &view).bins.unwrap();
        assert!((1..=1002).contains(&bins.count), "{max_bins}: {}", bins.count);
    }
    for series in random_series() {
        for max_bins in [0, 1, 3, 1000] {
            let bins = Bins::of(series.iter().map(Vec::as_slice), max_bins).unwrap();
            assert!(bins.count >= 1 && bins.size > 0.0);
        }
    }
}

#[test]
fn zoom_refits_the_axis_of_counts_to_what_is_seen() {
    let result = recorded();
    let largest = |zoom| {
        let plot = shown(
            &result,
            &HistogramView {
                zoom,
                ..HistogramView::default()
            },
        );
        let (bins, (low, high)) = (plot.bins.unwrap(), plot.range());
        let inside = (0..bins.count).filter(|&index| bins.edges(index).1 > low && bins.edges(index).0 < high);
        let visible = |index: usize| {
            let visible = plot.series.iter().filter(|series| series.visible);
            visible.map(|series| series.counts[index]).max().unwrap()
        };
        let largest = inside.map(visible).max().unwrap();
        // The topmost label of the counts' axis is below the tallest bar, not far from it.
        let svg = histogram_svg(&plot, (900, 520), &Theme::light()).unwrap();
        let labels = svg.lines().filter_map(|line| line.trim().parse::<usize>().ok());
        let top = labels.filter(|label| *label <= largest + largest / 20).max().unwrap();
        assert!(top * 2 >= largest, "{zoom:?}: {top} for {largest}");
        largest
    };
    assert_eq!(largest(None), 103);
    assert!(largest(Some((-8.0, -4.0))) < 60);
}

#[test]
fn heatmap_zoom_and_pick_survive_anything() {
    let result = with_prompts();
    let ends = [0, 1, 2, 5, 6, 1000, usize::MAX];
    for first in ends {
        for last in ends {
            for as_in_notebook in [false, true] {
                let view = HeatmapView {
                    as_in_notebook,
                    zoom: Some(CellRange {
                        rows: (first, last),
                        columns: (last, first),
                    }),
                    pick: Some((first, last)),
                    ..HeatmapView::default()
                };
                for prompt in [None, Some(0), Some(first)] {
                    let plot = HeatmapPlot::of_result(&result, &view, prompt).unwrap();
                    assert!(!plot.rows.is_empty() && !plot.columns.is_empty());
                    assert_eq!(plot.cells.len(), plot.rows.len());
                    assert!(plot.cells.iter().all(|row| row.len() == plot.columns.len()));
                    let svg = heatmap_svg(&plot, (300, 200), &Theme::dark()).unwrap();
                    assert!(!svg.contains("NaN"));
                    let _ = StripPlot::of_result(&result, &view, (first, last), prompt);
                }
            }
        }
    }
}

#[test]
fn one_prompts_cells_take_the_place_of_the_mean() {
    let result = with_prompts();
    let plot_of = |prompt| HeatmapPlot::of_result(&result, &HeatmapView::default(), prompt).unwrap();
    let heatmap = results::key(&result);
    let one = plot_of(Some(1));
    assert_eq!(one.prompt, Some(1));
    let cell = one.cell(2, 3).unwrap();
    assert_eq!(cell.value, results::per_prompt(heatmap).unwrap()[1][2][3]);
    // There are four prompts; of any other, and in results without them, the mean is shown.
    assert_eq!(plot_of(Some(4)), plot_of(None));
    assert_eq!(
        HeatmapPlot::of_result(&recorded(), &HeatmapView::default(), Some(1))
            .unwrap()
            .prompt,
        None
    );
    assert_eq!(
        StripPlot::of_result(&recorded(), &HeatmapView::default(), (1, 1), None),
        None
    );
    // The row misc has three components.
    assert_eq!(
        StripPlot::of_result(&result, &HeatmapView::default(), (0, 3), None),
        None
    );
}

#[test]
fn the_picked_prompt_is_marked_in_every_series() {
    let result = recorded();
    for name in HistogramId::ALL {
        let view = HistogramView::default();
        let plot = HistogramPlot::of_result(&result, name, &view);
        let marked = plot.clone().with_prompt(&result, name, Some(1199));
        for series in &marked.series {
            let value = results::values(&result, name, &series.id)[1199];
            assert_eq!(series.mark, Some(f64::from(value)));
        }
        assert_eq!(plot.clone().with_prompt(&result, name, Some(1200)), plot);
        assert_eq!(marked.with_prompt(&result, name, None), plot);
    }
}
