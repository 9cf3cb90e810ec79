//! What a reader keeps of a plot.

use keyside::names::HistogramId;
use keyside::plot::{HistogramPlot, HistogramView, Plot, SeriesOrder, Target};

use super::{heatmap_of, histogram_of, recorded, scene};

const SIZE: (f64, f64) = (1000.0, 600.0);

#[test]
fn what_is_kept_is_found_in_other_bins_orders_and_parts() {
    let whole = histogram_of(&recorded(), HistogramId::KeysFixedScores);
    let at = |view: HistogramView| scene(Plot::from(whole.clone().seen(&view)), SIZE);
    let first = at(HistogramView::default());
    let pin = first.pin(Target::Bin(70)).unwrap();
    let told = first.pinned(&pin).unwrap();
    assert_eq!(Some(&told), first.hover(Target::Bin(70)).as_ref());
    // Outside the part that is shown its values are told, and it has no place.
    let zoomed = |zoom| {
        at(HistogramView {
            zoom: Some(zoom),
            ..HistogramView::default()
        })
    };
    let outside = zoomed((-6.0, -4.0)).pinned(&pin).unwrap();
    assert_eq!(outside.lines, told.lines);
    assert_eq!((outside.mark.width(), outside.about.width()), (0.0, 0.0));
    assert_eq!(zoomed((-6.0, -4.0)).hover(Target::Bin(70)), None);
    let inside = zoomed((4.0, 6.0)).pinned(&pin).unwrap();
    assert!(inside.lines == told.lines && inside.mark.width() > told.mark.width());
    // Of wider bins the one that holds its middle.
    let view = HistogramView {
        max_bins: Some(20),
        ..HistogramView::default()
    };
    let wide = HistogramPlot::of_result(&recorded(), HistogramId::KeysFixedScores, &view);
    let bins = wide.bins.unwrap();
    let found = scene(Plot::from(wide), SIZE).pinned(&pin).unwrap();
    let Target::Bin(index) = found.target else {
        panic!("{found:?}")
    };
    let (low, high) = whole.bins.unwrap().edges(70);
    let (from, to) = bins.edges(index);
    assert!(
        from <= low && high <= to,
        "{from} to {to} does not hold {low} to {high}"
    );
    // A box is its series', wherever that stands.
    let lowest = first.pin(Target::Box(0)).unwrap();
    let by_label = at(HistogramView {
        order: SeriesOrder::Label,
        ..HistogramView::default()
    });
    let moved = by_label.pinned(&lowest).unwrap();
    assert!(moved.target != Target::Box(0) && moved.lines == first.hover(Target::Box(0)).unwrap().lines);
    // What is kept in another plot is nothing here.
    let cells = scene(Plot::from(heatmap_of(&recorded(), false)), SIZE);
    assert_eq!(cells.pinned(&pin), None);
    let cell = cells.pin(Target::Cell(1, 0)).unwrap();
    assert_eq!(cells.pinned(&cell), cells.hover(Target::Cell(1, 0)));
}
