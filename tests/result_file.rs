//! Result files: the recorded run holds the notebook's values, and invalid files are rejected with a clear message.
#![allow(clippy::unwrap_used)]

mod results;

use std::collections::BTreeMap;

use keyside::analysis::Array;
use keyside::names::{HeatmapId, HistogramId, SeriesId};
use keyside::plot::{HistogramPlot, HistogramView};
use keyside::result::{MAX_BYTES, ResultFile, mean};
use keyside::{ErrorKind, names::Head};
use serde_json::{Value, json};

const RECORDED: &[u8] = include_bytes!("../public/recorded/gpt2-small-10.7.json");

fn recorded() -> ResultFile {
    ResultFile::from_json(RECORDED).unwrap()
}

/// The recorded run with a change, read again.
fn changed(change: impl FnOnce(&mut Value)) -> Result<ResultFile, keyside::Error> {
    let mut value: Value = serde_json::from_slice(RECORDED).unwrap();
    change(&mut value);
    ResultFile::from_json(value.to_string().as_bytes())
}

fn assert_refused(result: Result<ResultFile, keyside::Error>, words: &[&str]) {
    let error = result.unwrap_err();
    println!("{error}");
    assert_eq!(error.kind, ErrorKind::ResultFile);
    for word in words {
        assert!(error.to_string().contains(word), "\"{error}\" does not say \"{word}\"");
    }
}

#[test]
fn recorded_run_is_the_notebooks() {
    let result = recorded();
    assert_eq!(
        (result.head(), result.earlier_head()),
        (Some(Head::new(10, 7)), Some(Head::new(9, 9)))
    );
    let set = results::ioi(&result);
    assert_eq!(
        (set.seed, set.batches, set.batch_size, set.prepend_bos),
        (0, 30, 40, false)
    );
    assert_eq!((result.prompt_count(), result.heatmap_prompts()), (1200, 40));
    assert!(result.model.source.contains("notebook") && result.model.source.contains("2023"));
    // The orders in which the notebook stored its series, which are those of their means.
    let keys_fixed = [
        "W_U[random]",
        "W_U[random name]",
        "W_U[S]",
        "No patching",
        "NMH 9.9 output",
        "W_U[IO]",
    ];
    let queries_fixed = ["W_EE_subE[IO]", "W_E[IO]", "W_EE[IO]", "No patching"];
    let mut colors = BTreeMap::new();
    for name in HistogramId::ALL {
        let series = result.series(name);
        assert!(series.iter().all(|(_, values)| values.len() == 1200));
        let plot = HistogramPlot::of_result(&result, name, &HistogramView::default());
        let order: Vec<&str> = plot.series.iter().map(|series| series.label.as_str()).collect();
        assert_eq!(
            order,
            if name.keys_fixed() {
                &keys_fixed[..]
            } else {
                &queries_fixed[..]
            },
            "{name}"
        );
        // A label has one color in every figure, and shares it with no other of its figure.
        let mut labels = BTreeMap::new();
        for series in &plot.series {
            assert_eq!(labels.insert(series.color, &series.label), None, "{name}");
            let color = colors.entry(series.label.clone()).or_insert(series.color);
            assert_eq!(*color, series.color, "{name}: {}", series.label);
        }
    }
    // The mean score of the heatmap is that of its 40 prompts.
    let scores = results::values(&result, HistogramId::KeysFixedScores, &SeriesId::NoPatching);
    let heatmap = results::key(&result);
    let first_batch = mean(&scores[..40]).unwrap();
    println!(
        "mean score of seed 0: {first_batch:.4}, recorded {:?}",
        heatmap.mean_score
    );
    assert!((first_batch - f64::from(heatmap.mean_score.unwrap())).abs() < 0.01);
    assert_eq!((heatmap.rows().len(), heatmap.columns().len()), (11, 13));
    let sum: f64 = results::means(heatmap)
        .iter()
        .flatten()
        .map(|&value| f64::from(value))
        .sum();
    println!("sum of the rounded cells: {sum:.4}, recorded {}", heatmap.sum);
    assert!((sum - 3.6677).abs() < 5e-5 && heatmap.sum == 3.6674);
    assert_eq!(heatmap.max_abs_residual, None);
    assert!(result.prompts.is_empty() && result.timing.is_none() && results::true_score(&result).is_empty());
}

/// The later version of the notebook: other prompts, which every one of its heatmaps says.
#[test]
fn recorded_variants_are_the_later_notebooks() {
    let result = recorded();
    let ids = result.heatmap_names();
    let names: Vec<String> = ids.iter().map(HeatmapId::to_string).collect();
    assert_eq!(names.len(), 1 + 6 + 16);
    assert!(ids.iter().all(|id| matches!(id, HeatmapId::Ours(_))), "{ids:?}");
    assert_eq!(names[..4], ["key", "key_subS1", "key_subWU", "key_subWU_subS1"]);
    assert_eq!(names[4..6], ["key_split/q par k par", "key_split/q par k perp"]);
    assert_eq!(names.last().unwrap(), "key_seed42");
    for name in &ids[1..] {
        let heatmap = result.heatmap(name).unwrap();
        assert!(
            heatmap.note.as_deref().unwrap().contains("seed 42, 50 prompts"),
            "{name}"
        );
        assert_eq!((heatmap.mean_score, heatmap.max_abs_residual), (None, None), "{name}");
        assert!(heatmap.per_prompt.is_none(), "{name}");
        let sum: f64 = results::means(heatmap)
            .iter()
            .flatten()
            .map(|&value| f64::from(value))
            .sum();
        assert!((sum - f64::from(heatmap.sum)).abs() < 1e-4, "{name}: {sum}");
    }
    // Facets add up to the whole; biases of a split key go with k perp, of a split query with q perp.
    for (split, whole, side) in [
        ("key_split", "key_seed42", "k"),
        ("key_split_subS1", "key_subS1", "k"),
        ("query_split", "query", "q"),
        ("query_split_subS1", "query_subS1", "q"),
    ] {
        let facets: Vec<_> = names
            .iter()
            .filter(|name| name.starts_with(&format!("{split}/")))
            .collect();
        assert_eq!(facets.len(), 4);
        let whole = results::means(result.heatmap(&whole.into()).unwrap());
        let means = |name: &String| results::means(result.heatmap(&name.as_str().into()).unwrap());
        for (row, cells) in whole.iter().enumerate() {
            for (column, cell) in cells.iter().enumerate() {
                let sum: f32 = facets.iter().map(|name| means(name)[row][column]).sum();
                assert!((sum - cell).abs() < 0.002, "{split} {row} {column}: {sum}, {cell}");
            }
        }
        for name in facets {
            assert_eq!(
                means(name)[0][2] == 0.0,
                name.contains(&format!("{side} par")),
                "{name}"
            );
        }
    }
}

#[test]
fn facets_stand_under_their_heatmaps_name_in_version_1_and_beside_it_in_version_2() {
    let written: Value = serde_json::from_str(&recorded().to_json().unwrap()).unwrap();
    let expected: Value = serde_json::from_slice(RECORDED).unwrap();
    let names = |value: &Value| value.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    let facets = |value: &Value| names(&value["heatmaps"]["key_split"]["facets"]);
    assert_eq!(
        facets(&expected),
        ["q par k par", "q par k perp", "q perp k par", "q perp k perp"]
    );
    let mut flat = Vec::new();
    for (name, heatmap) in expected["heatmaps"].as_object().unwrap() {
        match heatmap["facets"].as_object() {
            Some(facets) => flat.extend(facets.keys().map(|facet| format!("{name}/{facet}"))),
            None => flat.push(name.clone()),
        }
    }
    flat.sort();
    assert_eq!(names(&written["sections"][1]["heatmaps"]), flat);

    assert_refused(
        changed(|value| value["heatmaps"]["a/b"] = value["heatmaps"]["key"].clone()),
        &["\"a/b\"", "slash"],
    );
    let key = |value: &Value| value["heatmaps"]["key"].clone();
    assert_refused(
        changed(|value| value["heatmaps"]["key_split"]["facets"]["q par k par"] = json!({"rows": []})),
        &["\"key_split/q par k par\"", "missing field", "columns"],
    );
    // In memory only: such a file can't be written.
    let mut both = recorded();
    let facet = results::key(&both).clone();
    results::heatmaps_mut(&mut both).insert("key/facet".into(), facet);
    assert!(
        both.to_json()
            .unwrap_err()
            .to_string()
            .contains("\"key\" is a heatmap and has facets")
    );
    let file = changed(|value| value["heatmaps"]["key_split"]["facets"]["a/b"] = key(value)).unwrap();
    assert_eq!(ResultFile::from_json(file.to_json().unwrap().as_bytes()).unwrap(), file);
    assert!(file.heatmap(&"key_split/a/b".into()).is_some());
}

#[test]
fn cells_per_prompt_are_checked() {
    let with = |per_prompt: Value| changed(|value| value["heatmaps"]["key"]["per_prompt"] = per_prompt);
    let table = vec![vec![0.5; 13]; 11];
    let result = with(json!(vec![table.clone(); 40])).unwrap();
    let found = results::per_prompt(results::key(&result)).unwrap();
    assert_eq!(found.len(), 40);
    assert!(found.iter().all(|cells| cells[0][3..].iter().all(|cell| *cell == 0.0)));
    assert!(
        found
            .iter()
            .flat_map(|cells| &cells[1..])
            .flatten()
            .all(|cell| *cell == 0.5)
    );
    let written = result.to_json().unwrap();
    assert_eq!(ResultFile::from_json(written.as_bytes()).unwrap(), result);
    assert_refused(
        with(json!(vec![table.clone(); 39])),
        &["per_prompt of heatmap \"key\" has 39 entries", "40"],
    );
    let mut short = vec![table; 40];
    short[7][3].pop();
    assert_refused(with(json!(short)), &["heatmap \"key\"", "do not fit"]);
    short[7][3].push(1e30);
    let mut json = json!(short);
    json[7][3][12] = json!(1e39);
    assert_refused(with(json), &["heatmaps.key.per_prompt[7][3][12]", "out of range"]);
}

#[test]
fn what_is_written_can_be_read() {
    let mut result = recorded();
    let values = (0..1200).map(|i| (i as f32).sqrt() / 7.0 - 1e-7);
    results::substitution_mut(&mut result).true_score = Some(Array::vector(values.collect()));
    let json = result.to_json().unwrap();
    assert_eq!(ResultFile::from_json(json.as_bytes()).unwrap(), result);
    // Compact: recorded values come back with their four decimals, and components are named once for each side.
    let whole = recorded().to_json().unwrap();
    assert!(whole.len() < RECORDED.len(), "{} bytes", whole.len());
}

#[test]
fn numbers_that_are_not_finite_are_not_written() {
    let mut result = recorded();
    let heatmap = results::heatmaps_mut(&mut result).get_mut(&HeatmapId::KEY).unwrap();
    heatmap.mean.data_mut()[30] = f32::NAN;
    let error = result.to_json().unwrap_err();
    assert!(
        error.to_string().contains("heatmap \"key\" has a number that is NaN"),
        "{error}"
    );
}

#[test]
fn unknown_fields_are_ignored() {
    let result = changed(|value| {
        value["comment"] = json!({"by": ["somebody"]});
        value["config"]["rotary"] = json!(false);
        value["heatmaps"]["key"]["unit"] = json!("logits");
    });
    assert_eq!(result.unwrap(), recorded());
}

#[test]
fn files_of_another_kind_are_refused() {
    assert_refused(ResultFile::from_json(b""), &["not JSON"]);
    assert_refused(ResultFile::from_json(b"\x89PNG\r\n"), &["not JSON"]);
    assert_refused(ResultFile::from_json(b"[1, 2]"), &["not a result file"]);
    assert_refused(
        ResultFile::from_json(&RECORDED[..RECORDED.len() / 2]),
        &["not JSON", "EOF"],
    );
    assert_refused(
        ResultFile::from_json(b"{\"n_layer\": 12}"),
        &["no field \"format\"", "keyside-result/1"],
    );
    assert_refused(changed(|value| value["format"] = json!(7)), &["not a result file"]);
    assert_refused(
        changed(|value| value["format"] = json!("keyside-result/9")),
        &["keyside-result/9", "keyside-result/1"],
    );
    assert_refused(ResultFile::from_json(&vec![b' '; MAX_BYTES + 1]), &["64 MiB"]);
}

#[test]
fn parts_that_do_not_fit_are_named() {
    for field in ["model", "config", "head", "seed", "histograms", "heatmaps"] {
        let result = changed(|value| {
            value.as_object_mut().unwrap().remove(field);
        });
        assert_refused(result, &["missing field", field]);
    }
    let scores = |value: &mut Value| value["histograms"]["keys_fixed_scores"]["series"]["W_U[S]"].take();
    let series = "keys_fixed_scores, series \"W_U[S]\"";
    let with = |values: Value| changed(|value| value["histograms"]["keys_fixed_scores"]["series"]["W_U[S]"] = values);
    let mut all: Value = serde_json::from_slice(RECORDED).unwrap();
    let mut values = scores(&mut all);
    values[17] = json!(1e39);
    assert_refused(
        with(values.clone()),
        &["keys_fixed_scores", "W_U[S][17]", "out of range"],
    );
    values[17] = json!(0.0);
    values.as_array_mut().unwrap().pop();
    assert_refused(with(values.clone()), &[series, "1199", "1200"]);
    values[17] = Value::Null;
    assert_refused(with(values), &["null"]);
    assert_refused(
        changed(|value| value["histograms"]["true_prob"] = json!([0.5])),
        &["true_prob", "1 entries"],
    );
    assert_refused(changed(|value| value["batches"] = json!(0)), &["batches is 0"]);
    assert_refused(changed(|value| value["batches"] = json!(u64::MAX)), &["batches is"]);
    assert_refused(changed(|value| value["batches"] = json!(-3)), &["-3"]);
    assert_refused(changed(|value| value["head"] = json!("12.0")), &["12.0"]);
    assert_refused(changed(|value| value["head"] = json!("ten")), &["ten"]);
    assert_refused(
        changed(|value| value["config"]["n_head"] = json!(0)),
        &["does not exist"],
    );
    let key = |change: &dyn Fn(&mut Value)| changed(|value| change(&mut value["heatmaps"]["key"]));
    assert_refused(
        key(&|heatmap| heatmap["columns"] = json!(["L.0"])),
        &["heatmap \"key\"", "do not fit"],
    );
    assert_refused(
        key(&|heatmap| heatmap["rows"] = json!([])),
        &["heatmap \"key\"", "0 rows"],
    );
    assert_refused(
        key(&|heatmap| heatmap["values"][0][0] = json!(1e39)),
        &["heatmaps.key.values[0][0]", "out of range"],
    );
}
