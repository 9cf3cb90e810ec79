//! Tables hold the values of the result exactly.
#![allow(clippy::unwrap_used)]

use super::kinds_tests::{of_heatmap, of_histogram, recorded};
use super::list::Figure;
use super::view::View;
use crate::analysis::{Array, Heatmap};
use crate::names::{HeatmapId, HistogramId};
use crate::plot::{CellRange, HeatmapView, HistogramPlot, HistogramView};
use crate::prompts::PromptSet;
use crate::result::ResultFile;

/// Eight prompts with text, true values, and numbers that have no short decimals.
fn with_prompts() -> ResultFile {
    let mut result = recorded();
    if let Some(PromptSet::Ioi(set)) = &mut result.prompt_set {
        (set.batches, set.batch_size) = (2, 4);
    }
    let section = result.substitution_mut().unwrap();
    for name in HistogramId::ALL {
        for (place, series) in section.series.get_mut(name.side()).values_mut().enumerate() {
            let values = (0..8).map(|index| (index as f32 - 1.3) / (3.0 + place as f32));
            *series.values_mut(name) = Some(Array::vector(values.collect()));
        }
    }
    let truth = vec![1.0 / 3.0, 1e-12, -7.5e20, 100.0, 0.5, 0.25, 0.3, 0.1];
    section.true_score = Some(Array::vector(truth));
    result.contributions_mut().unwrap().prompts = 4;
    let prompt = crate::prompts::ioi::Prompt {
        text: "Then, \"Ann\" and Bob,\nBob gave it to Ann".into(),
        tokens: vec![1, 2, 3],
        io: "Ann".into(),
        s: "Bob".into(),
        io_token: 1,
        s_token: 2,
        random_token: 3,
        random_name_token: 4,
        positions: crate::prompts::ioi::Positions {
            io: 0,
            s1: 1,
            s2: 1,
            end: 2,
        },
    };
    result.prompts = vec![prompt.into(); 8];
    result.check().unwrap();
    result
}

/// The records of a CSV text, read as RFC 4180 has them.
fn read_csv(text: &str) -> Vec<Vec<String>> {
    let (mut rows, mut row, mut field, mut quoted) = (Vec::new(), Vec::new(), String::new(), false);
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        match (character, quoted) {
            ('"', true) if characters.peek() == Some(&'"') => field.extend(characters.next()),
            ('"', _) => quoted = !quoted,
            (',', false) => row.push(std::mem::take(&mut field)),
            ('\r', false) => assert_eq!(characters.peek(), Some(&'\n')),
            ('\n', false) => {
                row.push(std::mem::take(&mut field));
                rows.push(std::mem::take(&mut row));
            }
            (other, _) => field.push(other),
        }
    }
    assert!(field.is_empty() && row.is_empty() && !quoted, "ends within a record");
    rows
}

fn table(figure: &Figure, result: &ResultFile, name: &str) -> (Vec<String>, Vec<Vec<String>>) {
    let tables = figure.tables(result).unwrap();
    let mut rows = read_csv(&tables.iter().find(|table| table.name == name).unwrap().csv()).into_iter();
    let columns = rows.next().unwrap();
    let rows: Vec<_> = rows.collect();
    assert!(rows.iter().all(|row| row.len() == columns.len()));
    (columns, rows)
}

fn column<'a>(table: &'a (Vec<String>, Vec<Vec<String>>), name: &str) -> impl Iterator<Item = &'a str> {
    let place = table.0.iter().position(|column| column == name).unwrap();
    table.1.iter().map(move |row| row[place].as_str())
}

#[test]
fn values_read_back_to_the_same_bits() {
    for result in [recorded(), with_prompts()] {
        for name in HistogramId::ALL {
            let figure = of_histogram(name, HistogramView::default());
            let values = table(&figure, &result, "values");
            let truth = result.true_values(name);
            let plot_labels = HistogramPlot::of_result(&result, name, &HistogramView::default())
                .series
                .len();
            assert_eq!(plot_labels, result.series(name).len() + usize::from(!truth.is_empty()));
            for (label, expected) in result.series(name) {
                let found: Vec<u32> = column(&values, &label.label())
                    .map(|text| text.parse::<f32>().unwrap().to_bits())
                    .collect();
                assert_eq!(
                    found,
                    expected.iter().map(|value| value.to_bits()).collect::<Vec<_>>(),
                    "{name} {label}"
                );
            }
        }
    }
    let result = with_prompts();
    let figure = of_histogram(HistogramId::KeysFixedScores, HistogramView::default());
    let values = table(&figure, &result, "values");
    let truth: Vec<f32> = column(&values, "true score")
        .map(|text| text.parse().unwrap())
        .collect();
    assert_eq!(truth, result.true_values(HistogramId::KeysFixedScores));
    assert!(column(&values, "text").all(|text| text == result.prompts[0].text));
    let numbers = column(&values, "prompt").map(|text| text.parse::<usize>().unwrap());
    assert!(numbers.eq(1..=8));
    let outliers = table(&figure, &result, "outliers");
    let of_truth: Vec<&str> = outliers
        .1
        .iter()
        .filter(|row| row[0] == "true score")
        .map(|row| row[2].as_str())
        .collect();
    assert_eq!(of_truth, ["3", "4"]);
    assert!(column(&outliers, "IO").all(|name| name == "Ann"));
}

#[test]
fn bins_are_those_drawn() {
    let result = recorded();
    for name in HistogramId::ALL {
        for max_bins in [None, Some(1), Some(37)] {
            let view = HistogramView {
                max_bins,
                zoom: Some((0.0, 0.5)),
                ..HistogramView::default()
            };
            let whole = HistogramView {
                zoom: None,
                ..view.clone()
            };
            let plot = HistogramPlot::of_result(&result, name, &whole);
            let figure = of_histogram(name, view);
            let bins = plot.bins.unwrap();
            let found = table(&figure, &result, "bins");
            assert_eq!(found.1.len(), bins.count, "zooming leaves the data as they are");
            for (index, (low, high)) in column(&found, "from").zip(column(&found, "to")).enumerate() {
                let (low, high): (f64, f64) = (low.parse().unwrap(), high.parse().unwrap());
                let edges = bins.edges(index);
                assert!((low - edges.0).abs() < 1e-9 * bins.size && (high - edges.1).abs() < 1e-9 * bins.size);
            }
            assert!(column(&found, "from").all(|edge| edge.len() <= 6), "{:?}", found.1[0]);
            for series in &plot.series {
                let counts: Vec<usize> = column(&found, &series.label)
                    .map(|count| count.parse().unwrap())
                    .collect();
                assert_eq!(counts, series.counts);
                assert_eq!(counts.iter().sum::<usize>(), 1200);
            }
        }
    }
}

#[test]
fn statistics_are_those_of_the_boxes() {
    let result = recorded();
    let name = HistogramId::QueriesFixedScores;
    let figure = of_histogram(name, HistogramView::default());
    let found = table(&figure, &result, "statistics");
    let outliers = table(&figure, &result, "outliers");
    let plot = HistogramPlot::of_result(&result, name, &HistogramView::default());
    assert_eq!((found.1.len(), plot.series.len()), (4, 4));
    for (row, series) in found.1.iter().zip(&plot.series) {
        let stats = series.stats.as_ref().unwrap();
        assert_eq!((row[0].as_str(), row[1].as_str()), (series.label.as_str(), "yes"));
        let numbers: Vec<f64> = row[2..].iter().map(|text| text.parse().unwrap()).collect();
        let expected = [
            stats.count as f64,
            stats.mean,
            stats.standard_deviation.unwrap(),
            stats.min,
            stats.lower_whisker,
            stats.q1,
            stats.median,
            stats.q3,
            stats.upper_whisker,
            stats.max,
            stats.notch,
            stats.outliers.len() as f64,
        ];
        assert_eq!(numbers, expected);
        let mut beyond: Vec<f32> = outliers
            .1
            .iter()
            .filter(|row| row[0] == series.label)
            .map(|row| row[1].parse().unwrap())
            .collect();
        beyond.sort_by(f32::total_cmp);
        assert_eq!(beyond.into_iter().map(f64::from).collect::<Vec<_>>(), stats.outliers);
    }
}

/// The table "cells" has every cell of `heatmap`; beyond the third column, nothing stands in the row of the embeddings.
fn assert_same_cells(cells: &(Vec<String>, Vec<Vec<String>>), heatmap: &Heatmap) {
    let columns: Vec<String> = heatmap.columns().iter().map(ToString::to_string).collect();
    assert_eq!(cells.0[1..], columns);
    assert_eq!(cells.1.len(), heatmap.values().len());
    for (row, values) in cells.1.iter().zip(heatmap.values()) {
        for (column, (text, value)) in row[1..].iter().zip(&values).enumerate() {
            if row[0] == "misc" && column > 2 {
                assert_eq!((text.as_str(), *value), ("", 0.0));
            } else {
                assert_eq!(text.parse::<f32>().unwrap().to_bits(), value.to_bits());
            }
        }
    }
}

#[test]
fn cells_read_back_to_the_same_bits() {
    let result = recorded();
    let heatmap = result.heatmap(&HeatmapId::KEY).unwrap();
    let figure = of_heatmap(HeatmapView::default(), None);
    let cells = table(&figure, &result, "cells");
    assert_same_cells(&cells, heatmap);
    let components = table(&figure, &result, "components");
    let sum: f64 = column(&components, "contribution")
        .map(|text| text.parse::<f64>().unwrap())
        .sum();
    assert!((sum - f64::from(heatmap.sum)).abs() < 1e-3, "{sum}");
    let share: f64 = column(&components, "share of sum")
        .map(|text| text.parse::<f64>().unwrap())
        .sum();
    assert!((share - 1.0).abs() < 1e-3);
    assert_eq!(
        column(&components, "component").take(4).collect::<Vec<_>>(),
        ["W_E", "W_pos", "b_K", "0.0"]
    );
}

#[test]
fn cells_of_every_prompt_read_back_to_the_same_bits() {
    let mut result = with_prompts();
    let section = result.contributions_mut().unwrap();
    let heatmap = section.heatmaps.get_mut(&HeatmapId::KEY).unwrap();
    let means = heatmap.values();
    let of_prompt = |prompt: usize| {
        let row = |values: &Vec<f32>| values.iter().map(|value| value / (prompt as f32 + 3.0)).collect();
        means.iter().map(row).collect::<Vec<Vec<f32>>>()
    };
    let per_prompt: Vec<_> = (0..section.prompts).map(of_prompt).collect();
    let numbers = per_prompt.iter().flat_map(|cells| heatmap.numbers(cells));
    heatmap.per_prompt = Some(Array::of_rows(numbers.collect(), heatmap.components.len()));
    result.check().unwrap();
    let zoom = Some(CellRange {
        rows: (2, 3),
        columns: (0, 1),
    });
    let view = HeatmapView {
        zoom,
        ..HeatmapView::default()
    };
    let figure = of_heatmap(view, None);
    let prompts = table(&figure, &result, "prompts");
    assert_eq!(prompts.1.len(), 4);
    assert_eq!(prompts.0[..7], ["prompt", "IO", "S", "text", "W_E", "W_pos", "b_K"]);
    for (label, row, column) in [("W_pos", 0, 1), ("0.0", 1, 0), ("9.11", 10, 11), ("MLP6", 7, 12)] {
        let found: Vec<u32> = self::column(&prompts, label)
            .map(|text| text.parse::<f32>().unwrap().to_bits())
            .collect();
        let expected: Vec<u32> = per_prompt.iter().map(|cells| cells[row][column].to_bits()).collect();
        assert_eq!(found, expected, "{label}");
    }
    // The cells of one prompt are that prompt's.
    let cells = table(&of_heatmap(HeatmapView::default(), Some(2)), &result, "cells");
    let mlps: Vec<f32> = self::column(&cells, "MLP")
        .skip(1)
        .map(|text| text.parse().unwrap())
        .collect();
    assert_eq!(mlps, per_prompt[2][1..].iter().map(|row| row[12]).collect::<Vec<_>>());
    let recorded = recorded();
    assert!(
        figure
            .tables(&recorded)
            .unwrap()
            .iter()
            .all(|table| table.name != "prompts")
    );
}

#[test]
fn differences_are_of_all_pairs_of_series() {
    let result = recorded();
    let name = HistogramId::QueriesFixedScores;
    let figure = of_histogram(name, HistogramView::default());
    let found = table(&figure, &result, "differences");
    let series = result.series(name);
    assert_eq!(found.1.len(), series.len() * (series.len() - 1) / 2);
    let values = |label: &str| {
        let found = series.iter().find(|(id, _)| id.label() == label);
        found.map(|(_, values)| *values).unwrap()
    };
    for row in &found.1 {
        let (first, second) = (values(&row[0]), values(&row[1]));
        let numbers: Vec<f64> = row[2..].iter().map(|text| text.parse().unwrap()).collect();
        let n = first.len() as f64;
        let differences = first.iter().zip(second).map(|(a, b)| f64::from(*a) - f64::from(*b));
        let mean = differences.clone().sum::<f64>() / n;
        let squares = differences
            .clone()
            .map(|difference| (difference - mean).powi(2))
            .sum::<f64>();
        let deviation = (squares / (n - 1.0)).sqrt();
        let reach = 1.9620 * deviation / n.sqrt();
        let more = differences.clone().filter(|difference| *difference > 0.0).count() as f64;
        let less = differences.filter(|difference| *difference < 0.0).count() as f64;
        let expected = [
            n,
            mean,
            deviation,
            mean - reach,
            mean + reach,
            mean / deviation,
            more,
            less,
        ];
        for ((column, found), expected) in found.0[2..].iter().zip(&numbers).zip(expected) {
            assert!((found - expected).abs() < 1e-4, "{row:?}: {column} is not {expected}");
        }
    }
}

#[test]
fn markdown_reads_back_to_the_same_cells() {
    let result = recorded();
    let text = of_heatmap(HeatmapView::default(), None).markdown(&result).unwrap();
    let lines: Vec<&str> = text.lines().filter(|line| line.starts_with("| ")).collect();
    let heatmap = result.heatmap(&HeatmapId::KEY).unwrap();
    assert_eq!(lines.len(), 2 + heatmap.rows().len());
    for (line, values) in lines[3..].iter().zip(&heatmap.values()[1..]) {
        let fields: Vec<&str> = line.trim_matches('|').split('|').map(str::trim).collect();
        let numbers: Vec<f32> = fields[1..].iter().map(|field| field.parse().unwrap()).collect();
        assert_eq!(&numbers, values);
    }
    let figure = of_histogram(HistogramId::KeysFixedProbs, HistogramView::default());
    let text = figure.markdown(&result).unwrap();
    assert_eq!(
        text.matches("| --- |").count(),
        2,
        "statistics and differences start with text, bins do not"
    );
    assert!(text.contains("| W_U[IO] |") && text.contains("| from | to |"));
}

#[test]
fn figures_are_found_by_name() {
    let result = recorded();
    let names: Vec<String> = Figure::all(&result, &View::default())
        .iter()
        .map(|figure| figure.id().to_string())
        .collect();
    assert!(names.contains(&"keys_fixed_scores".to_owned()) && names.contains(&"heatmap_key".to_owned()));
    for name in names.iter().map(String::as_str).chain(["key"]) {
        let found = Figure::named(&result, name, &View::default()).unwrap().id().to_string();
        assert_eq!(found, if name == "key" { "heatmap_key" } else { name });
    }
    let message = Figure::named(&result, "nonsense", &View::default())
        .unwrap_err()
        .to_string();
    assert!(
        message.contains("no figure \"nonsense\"; expected keys_fixed_scores, "),
        "{message}"
    );
    let facet = of_heatmap(
        HeatmapView {
            name: "key_split/q par k par".into(),
            ..HeatmapView::default()
        },
        None,
    );
    assert_eq!(facet.stem(), "heatmap_key_split-q-par-k-par");
    // The cells of a facet are its own; where there is no such facet, there are none.
    let name: HeatmapId = "key_split/q par k par".into();
    assert_same_cells(&table(&facet, &result, "cells"), result.heatmap(&name).unwrap());
    let mut without = result;
    without.contributions_mut().unwrap().heatmaps.remove(&name).unwrap();
    let message = facet.tables(&without).unwrap_err().to_string();
    assert!(message.contains(&name.to_string()), "{message}");
}
