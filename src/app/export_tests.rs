//! File names and numbers of exports.
#![allow(clippy::unwrap_used)]

use super::*;
use crate::figure::View;

fn recorded() -> ResultFile {
    ResultFile::from_json(include_bytes!("../../public/recorded/gpt2-small-10.7.json")).unwrap()
}

fn at(name: &str) -> Figure {
    Figure::at(name.parse().unwrap(), &View::default())
}

#[test]
fn files_say_model_head_and_figure() {
    let figure = at("keys_fixed_scores");
    let name = file_name(&recorded(), &figure, "-bins.csv");
    assert_eq!(name, "keyside-gpt-2-small-10.7-keys_fixed_scores-bins.csv");
    let name = file_name(&recorded(), &at("heatmap"), ".png");
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
    let figure = at("keys_fixed_scores");
    let tables = figure.tables(&recorded()).unwrap();
    let note = |name: &str| rows_note(tables.iter().find(|table| table.name == name).unwrap());
    assert_eq!(
        note("values").unwrap(),
        "The first 200 of 1,200 rows. Export \u{203a} CSV has them all, with every digit."
    );
    assert_eq!(note("statistics"), None);
}
