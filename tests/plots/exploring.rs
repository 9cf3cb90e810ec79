//! Pointer and keyboard targets of plots.

use std::collections::BTreeSet;

use keyside::names::{HistogramId, SeriesId};
use keyside::plot::{
    CellRange, DrawOptions, HeatmapView, HistogramView, Plot, Scene, Step, StripPlot, Stroke, Target, Theme, Zoom,
    draw_strokes,
};
use plotters::prelude::{IntoDrawingArea, SVGBackend};

use super::views::with_prompts;
use super::{heatmap_of, histogram_of, made_of, made_up, recorded, scene};

const SIZE: (f64, f64) = (1000.0, 600.0);

fn histogram() -> Scene {
    scene(
        Plot::from(histogram_of(&recorded(), HistogramId::KeysFixedScores)),
        SIZE,
    )
}

fn heatmap() -> Scene {
    scene(Plot::from(heatmap_of(&recorded(), false)), SIZE)
}

/// All parts that `step` leads to from `from`, until it leads no further.
fn walk(scene: &Scene, from: Option<Target>, step: Step) -> Vec<Target> {
    let mut path = Vec::new();
    let mut at = from;
    while let Some(next) = scene.step(at, step).filter(|next| at != Some(*next)) {
        assert!(path.len() < 1000, "walks in a circle");
        assert!(scene.hover(next).is_some());
        path.push(next);
        at = Some(next);
    }
    path
}

#[test]
fn arrow_keys_walk_all_bins_and_boxes() {
    let scene = histogram();
    let bins = walk(&scene, None, Step::Right);
    let pointed: BTreeSet<usize> = (0..2000)
        .filter_map(|x| match scene.target_at((f64::from(x) / 2.0, 400.0)) {
            Some(Target::Bin(bin)) => Some(bin),
            _ => None,
        })
        .collect();
    let walked: Vec<Target> = pointed.into_iter().map(Target::Bin).collect();
    assert_eq!(bins, walked);
    let back: Vec<Target> = walk(&scene, None, Step::Left);
    assert_eq!(back, bins.iter().rev().copied().collect::<Vec<_>>());
    let middle = Some(bins[bins.len() / 2]);
    assert_eq!(scene.step(middle, Step::First), bins.first().copied());
    assert_eq!(scene.step(middle, Step::Last), bins.last().copied());
    let boxes = walk(&scene, middle, Step::Up);
    let labels: Vec<_> = boxes
        .iter()
        .map(|target| scene.series_of(*target).unwrap().label())
        .collect();
    assert_eq!(labels, ["W_U[random]", "No patching", "NMH 9.9 output", "W_U[IO]"]);
    let down = walk(&scene, boxes.last().copied(), Step::Down);
    assert_eq!(down.len(), 4);
    // From the lowest box to the bin at its median, -2.4.
    let bin = scene.hover(down[3]).unwrap();
    assert_eq!(bin.lines[0], "−2.6 to −2.4");
}

#[test]
fn arrow_keys_walk_all_cells() {
    let scene = heatmap();
    let first = scene.step(None, Step::Down).unwrap();
    assert_eq!(scene.hover(first).unwrap().lines[0], "W_E (token embedding)");
    let misc = walk(&scene, Some(first), Step::Right);
    assert_eq!(misc.len(), 2);
    let column = walk(&scene, Some(first), Step::Down);
    assert_eq!(column.len(), 10);
    let row = walk(&scene, column.last().copied(), Step::Right);
    assert_eq!(row.len(), 12);
    assert_eq!(scene.hover(row[11]).unwrap().lines[0], "MLP 9");
    // Above the MLPs, there is nothing in the row misc.
    assert_eq!(walk(&scene, row.last().copied(), Step::Up).len(), 9);
    assert_eq!(scene.step(Some(row[3]), Step::First), column.last().copied());
    assert_eq!(scene.step(Some(row[3]), Step::Last), row.last().copied());
}

#[test]
fn arrow_keys_walk_dots_by_value() {
    let result = with_prompts();
    let strip = StripPlot::of_result(&result, &HeatmapView::default(), (1, 2), None).unwrap();
    let values = strip.values.clone();
    let scene = scene(Plot::from(strip), (600.0, 132.0));
    let dots = walk(&scene, None, Step::Right);
    let walked: Vec<f32> = dots
        .iter()
        .map(|dot| match dot {
            Target::Dot(index) => values[*index],
            other => panic!("{other:?}"),
        })
        .collect();
    assert!(walked.is_sorted() && walked.len() == 4);
    for dot in dots {
        let hover = scene.hover(dot).unwrap();
        assert_eq!(scene.target_at(hover.mark.center()), Some(dot));
    }
}

#[test]
fn the_bar_under_the_pointer_names_its_series() {
    let scene = histogram();
    let found: BTreeSet<&SeriesId> = (0..1000)
        .flat_map(|x| (0..30).map(move |y| (f64::from(x), 180.0 + 12.0 * f64::from(y))))
        .filter_map(|point| scene.series_at(point))
        .collect();
    assert_eq!(
        found.into_iter().map(SeriesId::label).collect::<Vec<_>>(),
        ["NMH 9.9 output", "No patching", "W_U[IO]", "W_U[random]"]
    );
    // The tallest bar of "No patching", near its top: nothing else reaches so high.
    let bin = scene.hover(Target::Bin(66)).unwrap();
    let tallest = (0..200)
        .filter_map(|bin| scene.hover(Target::Bin(bin)))
        .find(|hover| hover.lines.iter().any(|line| line == "No patching: 103"))
        .unwrap();
    assert!(bin.mark.width() > 0.0);
    assert_eq!(
        scene.series_at((tallest.anchor().0, tallest.anchor().1 + 2.0)),
        Some(&SeriesId::NoPatching)
    );
    assert_eq!(scene.series_at((tallest.anchor().0, tallest.anchor().1 - 2.0)), None);
}

#[test]
fn dragging_selects_a_range_of_values_or_cells() {
    let scene_of_scores = histogram();
    let low = scene_of_scores.hover(Target::Bin(70)).unwrap().mark;
    let high = scene_of_scores.hover(Target::Bin(90)).unwrap().mark;
    let from = (high.right, 300.0);
    let (rect, zoom) = scene_of_scores.select(from, (low.left, 20.0)).unwrap();
    assert!((rect.left - low.left).abs() < 1e-9 && (rect.right - high.right).abs() < 1e-9);
    let Zoom::Values(Some((one, other))) = zoom else {
        panic!("{zoom:?}")
    };
    let view = HistogramView {
        zoom: Some((one, other)),
        ..HistogramView::default()
    };
    let zoomed = keyside::plot::HistogramPlot::of_result(&recorded(), HistogramId::KeysFixedScores, &view);
    let zoomed = scene(Plot::from(zoomed), SIZE);
    assert_eq!(walk(&zoomed, None, Step::Right).first(), Some(&Target::Bin(70)));
    assert_eq!(walk(&zoomed, None, Step::Right).last(), Some(&Target::Bin(90)));
    // Boxes follow: the mark of a bin and the place of a median move alike.
    assert!(zoomed.hover(Target::Bin(69)).is_none());
    assert!(scene_of_scores.select(from, (from.0 + 1.0, 0.0)).is_none());

    let scene = heatmap();
    let middle = |row, column| scene.hover(Target::Cell(row, column)).unwrap().mark.center();
    let (_, zoom) = scene.select(middle(5, 7), middle(2, 3)).unwrap();
    let range = CellRange {
        rows: (2, 5),
        columns: (3, 7),
    };
    assert_eq!(zoom, Zoom::Cells(Some(range)));
    assert!(scene.select(middle(2, 3), middle(2, 3)).is_none());
    assert!(scene.select((0.0, 0.0), middle(2, 3)).is_none());
    let (_, all) = scene.select(middle(0, 0), (2000.0, 2000.0)).unwrap();
    assert_eq!(all, Zoom::Cells(None));
}

#[test]
fn keys_zoom_in_and_out_again() {
    let scene = histogram();
    let Some(Zoom::Values(Some((low, high)))) = scene.zoomed(Some(Target::Bin(70)), 0.5) else {
        panic!("not closer")
    };
    let plot = histogram_of(&recorded(), HistogramId::KeysFixedScores);
    let (from, to) = plot.full_range();
    assert!(((high - low) / (to - from) - 0.5).abs() < 1e-4);
    assert_eq!(scene.zoomed(None, 2.0), Some(Zoom::Values(None)));
    // Also from the edge: a half there is a half, and twice that is all.
    let Some(Zoom::Values(Some((low, high)))) = scene.zoomed(scene.step(None, Step::First), 0.5) else {
        panic!("not closer")
    };
    assert!(((high - low) / (to - from) - 0.5).abs() < 1e-3 && (low - from).abs() < 1e-3);
    let view = HistogramView {
        zoom: Some((low, high)),
        ..HistogramView::default()
    };
    let zoomed = keyside::plot::HistogramPlot::of_result(&recorded(), HistogramId::KeysFixedScores, &view);
    let zoomed = self::scene(Plot::from(zoomed), SIZE);
    assert_eq!(
        zoomed.zoomed(zoomed.step(None, Step::First), 2.0),
        Some(Zoom::Values(None))
    );
    let scene = heatmap();
    let Some(Zoom::Cells(Some(range))) = scene.zoomed(Some(Target::Cell(0, 0)), 0.5) else {
        panic!("not closer")
    };
    assert_eq!((range.rows, range.columns), ((0, 5), (0, 6)));
    assert_eq!(scene.zoomed(None, 2.0), Some(Zoom::Cells(None)));
}

#[test]
fn nothing_to_point_at_is_no_panic() {
    let empty = Plot::from(made_of(HistogramId::KeysFixedScores, &Default::default()));
    let plots = [empty, histogram().plot().clone(), heatmap().plot().clone()];
    for plot in plots {
        for size in [(0.0, 0.0), (1.0, 2000.0), (40.0, 30.0), (1000.0, 600.0)] {
            let scene = scene(plot.clone(), size);
            let targets = [
                None,
                Some(Target::Bin(usize::MAX)),
                Some(Target::Box(99)),
                Some(Target::Cell(99, 99)),
                Some(Target::Dot(1)),
            ];
            for target in targets {
                for step in [Step::Left, Step::Right, Step::Up, Step::Down, Step::First, Step::Last] {
                    scene.step(target, step);
                }
                target.map(|target| scene.hover(target));
                scene.zoomed(target, 0.5);
            }
            for x in [-5.0, 0.0, 0.5, 20.0, 2000.0, f64::NAN] {
                scene.target_at((x, x));
                scene.series_at((x, 10.0));
                scene.select((x, 0.0), (10.0, x));
            }
        }
    }
}

#[test]
fn strokes_drawn_a_few_at_a_time_make_the_same_plot_on_a_background() {
    let size = (1200, 800);
    let options = DrawOptions::canvas(2.0, Theme::dark());
    for plot in [
        Plot::from(histogram_of(&made_up(), HistogramId::KeysFixedScores)),
        Plot::from(heatmap_of(&recorded(), false)),
    ] {
        let (mut at_once, mut in_parts) = (String::new(), String::new());
        plot.draw(
            &SVGBackend::with_string(&mut at_once, size).into_drawing_area(),
            &options,
        )
        .unwrap();
        let strokes = plot.strokes(size, &options);
        {
            let area = SVGBackend::with_string(&mut in_parts, size).into_drawing_area();
            for part in strokes.chunks(7) {
                draw_strokes(part, &area).unwrap();
            }
        }
        assert!(strokes.len() > 50 && at_once == in_parts, "{} strokes", strokes.len());
        assert!(
            matches!(strokes[0], Stroke::Rectangle([(0, 0), (1200, 800)], color) if color.3 == 1.0),
            "the background does not come first"
        );
    }
}

#[test]
fn a_highlight_draws_one_series_and_veils_the_others() {
    let result = made_up();
    let scene = scene(
        Plot::from(histogram_of(&result, HistogramId::KeysFixedScores)),
        (600.0, 400.0),
    );
    let options = DrawOptions::canvas(1.0, Theme::light());
    let highlight = |label: &str| {
        let mut text = String::new();
        let strokes = scene.highlight((600, 400), &options, &label.into());
        let area = SVGBackend::with_string(&mut text, (600, 400)).into_drawing_area();
        draw_strokes(strokes.as_deref().unwrap_or_default(), &area).unwrap();
        drop(area);
        (strokes.is_some(), text)
    };
    let (drawn, text) = highlight("No patching");
    let color_of = |series: SeriesId| Theme::light().series_color(series.color().unwrap());
    let color = color_of(SeriesId::NoPatching);
    let code = format!("#{:02X}{:02X}{:02X}", color.0, color.1, color.2);
    assert!(drawn && text.contains(&code));
    // The other series have the line along their tops and no bars.
    let other = color_of(SeriesId::WuIo);
    let other = format!("#{:02X}{:02X}{:02X}", other.0, other.1, other.2);
    let drawn_as = |shape: &str| {
        let mut lines = text.lines();
        lines.any(|line| line.starts_with(shape) && line.contains(&other))
    };
    assert!(drawn_as("<polyline") && !drawn_as("<rect"));
    // Hidden, and unknown.
    assert!(!highlight("W_U[S]").0);
    assert!(!highlight("W_EE[IO]").0);
}

#[test]
fn a_tooltip_follows_the_legend_and_leaves_what_it_is_about() {
    let plot = histogram_of(&recorded(), HistogramId::KeysFixedScores);
    let shown: Vec<_> = plot.series.iter().filter(|series| series.visible).collect();
    let scene = scene(Plot::from(plot.clone()), SIZE);
    let bin = scene.hover(Target::Bin(70)).unwrap();
    let labels: Vec<&str> = bin.lines[1..]
        .iter()
        .map(|line| line.split(": ").next().unwrap())
        .collect();
    assert_eq!(
        labels,
        shown.iter().map(|series| series.label.as_str()).collect::<Vec<_>>()
    );
    let colors: Vec<Option<usize>> = shown.iter().map(|series| Some(series.color)).collect();
    assert_eq!(bin.swatches[0], None);
    assert_eq!(bin.swatches[1..], colors);
    // The tooltip is beside the bin at the height of its largest bar, where the band reaches up to the boxes.
    assert!(bin.about.top > bin.mark.top && bin.about.left == bin.mark.left && bin.about.bottom == bin.mark.bottom);
    let of_box = scene.hover(Target::Box(0)).unwrap();
    assert_eq!(of_box.swatches, [Some(plot.series[0].color)]);
    assert!(of_box.about.width() < of_box.mark.width() && of_box.about.height() == of_box.mark.height());
}

#[test]
fn what_is_zoomed_to_can_be_moved() {
    let whole = histogram_of(&recorded(), HistogramId::KeysFixedScores);
    assert_eq!(histogram().moved((500.0, 300.0), (400.0, 300.0)), None);
    let at = |zoom| {
        let view = HistogramView {
            zoom: Some(zoom),
            ..HistogramView::default()
        };
        scene(Plot::from(whole.clone().seen(&view)), SIZE)
    };
    let near = |found: Option<Zoom>, expected: (f64, f64)| {
        let Some(Zoom::Values(Some((low, high)))) = found else {
            panic!("{found:?}")
        };
        assert!(
            (low - expected.0).abs() < 2e-3 && (high - expected.1).abs() < 2e-3,
            "{low}, {high}"
        );
    };
    let zoomed = at((2.0, 6.0));
    // Positions of bins move by the distance between them.
    let place = |bin: usize| (zoomed.hover(Target::Bin(bin)).unwrap().mark.center().0, 300.0);
    near(zoomed.moved(place(62), place(57)), (3.0, 7.0));
    near(zoomed.moved(place(57), place(62)), (1.0, 5.0));
    near(zoomed.moved((500.0, 300.0), (500.0, 300.0)), (2.0, 6.0));
    let (first, last) = whole.full_range();
    near(zoomed.moved((0.0, 300.0), (1e6, 300.0)), (first, first + 4.0));
    near(zoomed.moved((0.0, 300.0), (-1e6, 300.0)), (last - 4.0, last));

    let all = heatmap();
    assert_eq!(all.moved((500.0, 300.0), (400.0, 300.0)), None);
    let view = HeatmapView {
        zoom: Some(CellRange {
            rows: (2, 5),
            columns: (3, 6),
        }),
        ..HeatmapView::default()
    };
    let part = keyside::plot::HeatmapPlot::of_result(&recorded(), &view, None).unwrap();
    let part = scene(Plot::from(part), SIZE);
    let middle = |row, column| part.hover(Target::Cell(row, column)).unwrap().mark.center();
    let range = |rows, columns| Some(Zoom::Cells(Some(CellRange { rows, columns })));
    assert_eq!(part.moved(middle(0, 0), middle(0, 0)), range((2, 5), (3, 6)));
    assert_eq!(part.moved(middle(1, 2), middle(0, 0)), range((3, 6), (5, 8)));
    assert_eq!(part.moved(middle(0, 0), (1e6, 1e6)), range((0, 3), (0, 3)));
    assert_eq!(part.moved((1e6, 1e6), middle(0, 0)), range((7, 10), (9, 12)));
}

#[test]
fn a_lit_series_leaves_the_others_to_be_compared() {
    let scene = histogram();
    let options = DrawOptions::canvas(1.0, Theme::light());
    let lit = scene.highlight((1000, 600), &options, &SeriesId::NoPatching).unwrap();
    let background = Theme::light().background;
    let veil = lit.first().unwrap().color();
    assert!(
        (veil.0, veil.1, veil.2) == (background.0, background.1, background.2) && veil.3 <= 0.5,
        "{}",
        veil.3
    );
    // The line along the tops of every series is there.
    let theme = Theme::light();
    for series in histogram_of(&recorded(), HistogramId::KeysFixedScores).series {
        let color = theme.series_color(series.color);
        let is_line = |stroke: &Stroke| matches!(stroke, Stroke::Path(_, _, found) if (found.0, found.1, found.2, found.3) == (color.0, color.1, color.2, 1.0));
        assert_eq!(lit.iter().any(is_line), series.visible, "{}", series.label);
    }
}

#[test]
fn the_largest_cells_come_first_in_a_list() {
    let plot = heatmap_of(&recorded(), false);
    let list = plot.by_size();
    assert_eq!(list[0].0, "head 0.11");
    assert!(list.windows(2).all(|pair| pair[0].1.abs() >= pair[1].1.abs()));
    assert_eq!(list.len(), plot.cells.iter().flatten().flatten().count());
    for (name, value, (row, column)) in list.iter().take(5) {
        let cell = plot.cell(*row, *column).unwrap();
        assert!(cell.name == *name && f64::from(cell.value) == *value);
    }
}
