//! Names and numbers of exports.
#![allow(clippy::unwrap_used)]

use super::*;
use crate::analysis::Array;
use crate::export::tables;
use crate::names::{HeatmapId, HistogramId};

fn recorded() -> ResultFile {
    ResultFile::from_json(include_bytes!("../../public/recorded/gpt2-small-10.7.json")).unwrap()
}

#[test]
fn figures_are_as_the_view_has_them() {
    let name = HistogramId::KeysFixedProbs;
    let mut view = View::default();
    view.update_histogram(name, |view| view.log_counts = true);
    view.heatmap.as_in_notebook = true;
    view.prompt = Some(3);
    assert_eq!(
        figure_at(FigurePlace::Histogram(name), &view),
        Figure::Histogram(name, view.histogram(name), Some(3))
    );
    assert_eq!(
        figure_at(FigurePlace::Heatmap, &view),
        Figure::Heatmap(view.heatmap.clone(), Some(3))
    );
}

#[test]
fn every_table_is_offered_and_every_offer_is_a_table() {
    let mut result = recorded();
    for per_prompt in [false, true] {
        let section = result.contributions_mut().unwrap();
        if let (true, Some(heatmap)) = (per_prompt, section.heatmaps.get_mut(&HeatmapId::KEY)) {
            let cells = heatmap.mean.data().repeat(section.prompts);
            heatmap.per_prompt = Some(Array::of_rows(cells, heatmap.components.len()));
        }
        for place in FigurePlace::ALL {
            let tables = tables(&figure_at(place, &View::default()), &result).unwrap();
            let mut made: Vec<&str> = tables.iter().map(|table| table.name).collect();
            let mut offered: Vec<&str> = csv_tables(place, per_prompt).iter().map(|(name, _)| *name).collect();
            made.sort_unstable();
            offered.sort_unstable();
            assert_eq!(made, offered);
        }
    }
}

#[test]
fn files_say_model_head_and_figure() {
    let figure = figure_at(FigurePlace::Histogram(HistogramId::KeysFixedScores), &View::default());
    let name = file_name(&recorded(), &figure, "-bins.csv");
    assert_eq!(name, "keyside-gpt-2-small-10.7-keys_fixed_scores-bins.csv");
    let name = file_name(&recorded(), &figure_at(FigurePlace::Heatmap, &View::default()), ".png");
    assert_eq!(name, "keyside-gpt-2-small-10.7-heatmap_key.png");
}

#[test]
fn numbers_on_the_page_are_short() {
    for (field, expected) in [
        (Field::Single(0.1), "0.1"),
        (Field::Single(-1.0 / 3.0), "\u{2212}0.3333"),
        (Field::Double(1e-7), "1e\u{2212}7"),
        (Field::Double(-0.000_123_456), "\u{2212}1.23e\u{2212}4"),
        (Field::Double(f64::MAX), "1.80e308"),
        (Field::Count(1200), "1,200"),
        (Field::Empty, ""),
        ("a-b".into(), "a-b"),
    ] {
        assert_eq!(shown(&field), expected);
    }
}

#[test]
fn long_tables_say_that_they_are_cut() {
    let figure = figure_at(FigurePlace::Histogram(HistogramId::KeysFixedScores), &View::default());
    let tables = tables(&figure, &recorded()).unwrap();
    let note = |name: &str| rows_note(tables.iter().find(|table| table.name == name).unwrap());
    assert_eq!(
        note("values").unwrap(),
        "The first 200 of 1,200 rows. Export \u{203a} CSV has them all, with every digit."
    );
    assert_eq!(note("statistics"), None);
}
