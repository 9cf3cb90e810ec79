//! What a script is made of; `tests/e2e/export.mjs` runs scripts with Python and compares what they draw.
#![allow(clippy::unwrap_used)]

use super::kinds_tests::{of_heatmap, of_histogram, recorded};
use super::list::Figure;
use super::view::View;
use crate::analysis::Array;
use crate::export::hex;
use crate::names::{HeatmapId, HistogramId, SeriesId};
use crate::plot::{HeatmapView, HistogramPlot, HistogramView, SeriesOrder, Theme};

#[test]
fn a_script_imports_nothing_but_json_and_matplotlib() {
    let result = recorded();
    for figure in Figure::all(&result, &View::default()) {
        for theme in [Theme::light(), Theme::dark()] {
            let script = figure.script(&result, "result.json", &theme).unwrap();
            let imports = script
                .lines()
                .filter(|line| line.starts_with("import ") || line.starts_with("from "));
            let (json, others): (Vec<&str>, Vec<&str>) = imports.partition(|line| *line == "import json");
            assert_eq!(json.len(), 1, "{script}");
            assert!(others.contains(&"import matplotlib.pyplot as plt"), "{others:?}");
            assert!(others.iter().all(|line| line.contains("matplotlib")), "{others:?}");
            assert!(script.contains("RESULT = \"result.json\"\n") && script.is_ascii());
            assert!(script.contains(&hex(theme.background)));
        }
    }
}

#[test]
fn a_script_has_what_is_shown() {
    let result = recorded();
    let view = HistogramView {
        toggled: [SeriesId::WuS, SeriesId::WuIo].into(),
        max_bins: Some(30),
        log_counts: true,
        zoom: Some((-1.5, 2.25)),
        order: SeriesOrder::Label,
        split: None,
    };
    let plot = HistogramPlot::of_result(&result, HistogramId::KeysFixedScores, &view);
    let figure = of_histogram(HistogramId::KeysFixedScores, view);
    let script = figure.script(&result, "r.json", &Theme::light()).unwrap();
    let bins = plot.bins.unwrap();
    for part in [
        format!("START, SIZE, COUNT = {}, {}, {}\n", bins.start, bins.size, bins.count),
        "RANGE = (-1.5, 2.25)\n".into(),
        "LOG = True\n".into(),
        "PICTURE = \"keyside-gpt-2-small-10.7-keys_fixed_scores.png\"\n".into(),
    ] {
        assert!(script.contains(&part), "{script}\nlacks {part}");
    }
    let lines = script.lines().skip_while(|line| !line.starts_with("SERIES")).skip(1);
    let series: Vec<&str> = lines
        .map_while(|line| line.strip_prefix("    (\"")?.split('"').next())
        .collect();
    assert_eq!(series, ["NMH 9.9 output", "No patching", "W_U[S]", "W_U[random]"]);
}

#[test]
fn a_script_finds_facets_and_prompts() {
    let mut result = recorded();
    let section = result.contributions_mut().unwrap();
    let mut of_facet = section.heatmaps[&HeatmapId::KEY].clone();
    let cells = of_facet.mean.data().repeat(section.prompts);
    of_facet.per_prompt = Some(Array::of_rows(cells, of_facet.components.len()));
    section.heatmaps.insert("key_split/q \"par\" k".into(), of_facet);
    let view = HeatmapView {
        name: "key_split/q \"par\" k".into(),
        ..HeatmapView::default()
    };
    for (prompt, expected) in [(None, "None"), (Some(7), "7"), (Some(9999), "None")] {
        let figure = of_heatmap(view.clone(), prompt);
        let script = figure.script(&result, "r.json", &Theme::light()).unwrap();
        assert!(
            script.contains("HEATMAP = [\"key_split\", \"facets\", \"q \\\"par\\\" k\"]\n"),
            "{script}"
        );
        assert!(script.contains(&format!("PROMPT = {expected}\n")), "{script}");
    }
}
