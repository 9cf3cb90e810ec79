//! The programs `keyside analyze` and `keyside plot`: written files, output and errors.

#![cfg(feature = "cli")]

mod common;
mod results;

use std::collections::BTreeMap;
use std::path::Path;
use std::process::{Command, Output};

use common::TINY;
use common::server::{Manner, Server};
use keyside::figure::{Figure, View};
use keyside::model::Processing;
use keyside::names::{Head, Normalization};
use keyside::result::ResultFile;
use results::{ioi, true_score};

fn keyside(arguments: &[&str]) -> Output {
    let command = Command::new(env!("CARGO_BIN_EXE_keyside")).args(arguments).output();
    command.expect("the program runs")
}

fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).expect("UTF-8")
}

/// Runs a small analysis with `more` options.
fn analyze(model: &str, more: &[&str]) -> Output {
    let options = ["analyze", "--model", model, "--batches", "2", "--batch-size", "3"];
    keyside(&[&options[..], more].concat())
}

/// Checks that a run fails with status 1 and one line on stderr that has `part`.
fn fails(output: &Output, part: &str) {
    let message = stderr(output);
    assert_eq!(output.status.code(), Some(1), "{message}");
    assert_eq!(message.lines().count(), 1, "{message}");
    assert!(
        message.starts_with("keyside: ") && message.contains(part),
        "{message}\nlacks {part:?}"
    );
    assert!(output.stdout.is_empty());
}

const HEADS: [&str; 4] = ["--head", "2.1", "--earlier-head", "1.3"];

fn read(file: &Path) -> ResultFile {
    ResultFile::from_json(&std::fs::read(file).expect("written")).expect("a result file")
}

/// The names of the pictures of all figures of `result`, sorted.
fn pictures(result: &ResultFile) -> Vec<String> {
    let figures = Figure::all(result, &View::default());
    let mut names: Vec<String> = figures.iter().map(|figure| format!("{}.svg", figure.stem())).collect();
    names.sort();
    names
}

#[test]
fn the_summary_says_what_beats_what_and_where_a_mean_says_little() {
    // A head that looks at the second name, whichever it is: to IO in half of the prompts and not at all in the others.
    let model = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/stand-in");
    let heads = ["--head", "1.4", "--earlier-head", "0.4"];
    let prompts = ["--batches", "2", "--batch-size", "40"];
    let output = keyside(&[&["analyze", "--model", model], &heads[..], &prompts].concat());
    assert!(output.status.success(), "{}", stderr(&output));
    let summary = String::from_utf8(output.stdout).expect("UTF-8");
    let groups = summary
        .lines()
        .find(|line| line.contains("true probability falls into two groups"));
    let groups = groups.unwrap_or_else(|| panic!("{summary}"));
    assert!(
        groups.ends_with("40 prompts around 0.0000 and 40 around 0.9999"),
        "{groups}"
    );
    for part in [
        "W_U[IO] is not above W_U[S]: by ",
        "W_U[random name]: by ",
        ", 95 % interval ",
        ", effect size ",
        ", 80 prompts",
    ] {
        assert!(summary.contains(part), "{summary}\nlacks {part:?}");
    }
}

#[test]
fn a_run_writes_its_result_its_plots_and_a_summary() {
    let folder = tempfile::tempdir().expect("a folder");
    let (out, svg) = (folder.path().join("result.json"), folder.path().join("plots"));
    let files = [
        "--seed",
        "5",
        "--out",
        out.to_str().expect("UTF-8"),
        "--svg",
        svg.to_str().expect("UTF-8"),
    ];
    let output = analyze(TINY, &[&HEADS[..], &files].concat());
    assert!(output.status.success(), "{}", stderr(&output));
    assert!(
        stderr(&output).is_empty(),
        "no progress bar where stderr is not a terminal"
    );
    let result = read(&out);
    assert_eq!(
        (result.head(), result.earlier_head()),
        (Some(Head::new(2, 1)), Some(Head::new(1, 3)))
    );
    let set = *ioi(&result);
    assert_eq!((set.seed, set.batches, set.batch_size), (5, 2, 3));
    assert_eq!(true_score(&result).len(), 6);
    assert_eq!(result.processing, Processing::default());
    assert!(!set.prepend_bos);
    let summary = String::from_utf8(output.stdout).expect("UTF-8");
    for part in [
        "head 2.1, earlier head 1.3, 6 prompts",
        "keys_fixed_scores, means",
        "true score",
        "heatmap key: sum",
        "positions per second",
    ] {
        assert!(summary.contains(part), "{summary}\nlacks {part:?}");
    }
    let mut plots: Vec<String> = std::fs::read_dir(&svg)
        .expect("written")
        .map(|entry| entry.expect("a file").file_name().into_string().expect("UTF-8"))
        .collect();
    plots.sort();
    let heatmaps = result.heatmap_names();
    assert_eq!(heatmaps.len(), 7 + 16);
    for name in &heatmaps {
        assert!(
            summary.contains(&format!("heatmap {name}: sum")),
            "{summary}\nlacks {name}"
        );
    }
    let expected = pictures(&result);
    for name in ["keys_fixed_scores.svg", "heatmap_key.svg"] {
        assert!(
            expected.iter().any(|picture| picture == name),
            "{expected:?} lacks {name}"
        );
    }
    assert_eq!(plots, expected);
    for plot in plots {
        let text = std::fs::read_to_string(svg.join(&plot)).expect("UTF-8");
        assert!(
            text.starts_with("<svg") && text.trim_end().ends_with("</svg>"),
            "{plot}"
        );
    }
}

#[test]
fn switches_reach_the_result() {
    let folder = tempfile::tempdir().expect("a folder");
    let out = folder.path().join("result.json");
    let switches = [
        "--bos",
        "--no-fold-ln",
        "--no-center-writing-weights",
        "--no-center-unembed",
        "--no-fold-value-biases",
        "--exact-ln",
    ];
    let output = analyze(
        TINY,
        &[&HEADS[..], &switches, &["--out", out.to_str().expect("UTF-8")]].concat(),
    );
    assert!(output.status.success(), "{}", stderr(&output));
    let result = read(&out);
    assert!(ioi(&result).prepend_bos);
    assert_eq!(result.normalization(), Some(Normalization::LayerNorm));
    let off = Processing {
        fold_ln: false,
        center_writing_weights: false,
        center_unembed: false,
        fold_value_biases: false,
    };
    assert_eq!(result.processing, off);
}

#[test]
fn a_url_gives_the_same_numbers_as_a_folder() {
    let server = Server::start(common::tiny(), Manner::Ranges);
    let folder = tempfile::tempdir().expect("a folder");
    let [one, other] = [TINY, &server.url()].map(|model| {
        let out = folder.path().join("result.json");
        let output = analyze(model, &[&HEADS[..], &["--out", out.to_str().expect("UTF-8")]].concat());
        assert!(output.status.success(), "{}", stderr(&output));
        read(&out)
    });
    assert_eq!(one.sections, other.sections);
    assert_eq!(one.prompts, other.prompts);
    assert_eq!(other.model.source, server.url());
}

#[test]
fn heads_come_from_the_card_where_none_are_given() {
    let folder = tempfile::tempdir().expect("a folder");
    let card = r#""keyside": {"name": "Tiny", "note": "Random.", "head": "2.3", "earlier_head": "1.0"}, "n_layer""#;
    let source = common::config_replaced("\"n_layer\"", card);
    for file in common::FILES {
        std::fs::write(folder.path().join(file), source.get(file).expect("there")).expect("writes");
    }
    let model = folder.path().to_str().expect("UTF-8");
    let out = folder.path().join("result.json");
    for (given, head, earlier_head) in [
        (&[][..], Head::new(2, 3), Head::new(1, 0)),
        (&["--head", "2.1"], Head::new(2, 1), Head::new(1, 0)),
        (&["--earlier-head", "0.2"], Head::new(2, 3), Head::new(0, 2)),
    ] {
        let output = analyze(model, &[given, &["--out", out.to_str().expect("UTF-8")]].concat());
        assert!(output.status.success(), "{}", stderr(&output));
        let result = read(&out);
        assert_eq!((result.head(), result.earlier_head()), (Some(head), Some(earlier_head)));
    }
}

#[test]
fn bad_input_is_one_line_and_status_1() {
    fails(&analyze("no/such/folder", &HEADS), "there is no folder no/such/folder");
    fails(&analyze("src", &HEADS), "there is no config.json in src");
    fails(
        &analyze("ftp://example.org", &HEADS),
        "does not start with http:// or https://",
    );
    fails(&analyze(TINY, &[]), "--head is missing");
    fails(&analyze(TINY, &["--head", "2.1"]), "--earlier-head is missing");
    fails(
        &analyze(TINY, &["--head", "10.7", "--earlier-head", "9.9"]),
        "head 10.7 does not exist",
    );
    fails(
        &analyze(TINY, &["--head", "1.0", "--earlier-head", "2.0"]),
        "the earlier head 2.0 is not in a layer before",
    );
    let zero = ["analyze", "--model", TINY, "--batch-size", "0"];
    fails(&keyside(&[&zero[..], &HEADS].concat()), "the batch size is 0");
    fails(
        &analyze(TINY, &[&HEADS[..], &["--out", "no/such/folder/r.json"]].concat()),
        "there is no folder no/such/folder",
    );
    fails(
        &analyze(TINY, &[&HEADS[..], &["--out", "src"]].concat()),
        "src is a folder",
    );
    fails(
        &analyze(TINY, &[&HEADS[..], &["--svg", "Cargo.toml"]].concat()),
        "Cargo.toml can't be written",
    );
    let server = Server::start(common::tiny(), Manner::Status(404));
    fails(
        &analyze(&server.url(), &HEADS),
        "there is no config.json in http://127.0.0.1:",
    );
}

#[test]
fn files_are_validated_by_the_schema_and_by_the_reader() {
    let folder = tempfile::tempdir().expect("a folder");
    let sentence = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/tiny-sentence-2.1.json");
    let version_1 = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/result-version-1.json");
    let good = keyside(&["validate", sentence, version_1, RECORDED]);
    assert!(good.status.success(), "{}", stderr(&good));
    let told = String::from_utf8(good.stdout).expect("UTF-8");
    assert_eq!(
        told.matches("a result file, all of whose parts fit").count(),
        3,
        "{told}"
    );
    let text = std::fs::read_to_string(sentence).expect("there");
    for (from, to, part) in [
        // Rules of the schema, and rules of the parser alone: a head that does not exist, an array of another shape.
        (r#""score":"#, r#""score":"much","was":"#, "/sections/2"),
        (r#""head":"2.1""#, r#""head":"9.1""#, "head 9.1 does not exist"),
        (r#""shape":["#, r#""shape":[1,"#, "shape"),
        (
            r#""format":"keyside-result/2""#,
            r#""format":"keyside-result/9""#,
            "open it with a newer keyside",
        ),
        ("{", "[", "not JSON"),
    ] {
        assert!(text.contains(from), "the file has no {from}");
        let file = folder.path().join("broken.json");
        std::fs::write(&file, text.replacen(from, to, 1)).expect("writes");
        let broken = keyside(&["validate", sentence, file.to_str().expect("UTF-8")]);
        let told = String::from_utf8(broken.stdout.clone()).expect("UTF-8");
        assert_eq!(broken.status.code(), Some(1), "{told}");
        assert!(
            told.contains("broken.json: not a result file") && told.contains(part),
            "{told}\nlacks {part}"
        );
        assert!(
            stderr(&broken).contains("1 of 2 files can't be used"),
            "{}",
            stderr(&broken)
        );
    }
    fails(&keyside(&["validate", "no.json"]), "no.json can't be read");
    let schema = keyside(&["validate", "--schema"]);
    let published = include_str!("../docs/result.schema.json");
    assert_eq!(String::from_utf8(schema.stdout).expect("UTF-8"), published);
    assert_eq!(keyside(&["validate"]).status.code(), Some(2));
}

const RECORDED: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/public/recorded/gpt2-small-10.7.json");

/// Runs `keyside plot` on `result` with `more` options, and answers the names of the files in `folder`, sorted.
fn plot(result: &str, folder: &Path, more: &[&str]) -> Vec<String> {
    let options = ["plot", result, "--out", folder.to_str().expect("UTF-8")];
    let output = keyside(&[&options[..], more].concat());
    assert!(output.status.success(), "{}", stderr(&output));
    let files = std::fs::read_dir(folder).expect("written");
    let mut names: Vec<String> = files
        .map(|entry| entry.expect("a file").file_name().into_string().expect("UTF-8"))
        .collect();
    names.sort();
    names
}

#[test]
fn plot_makes_every_figure_in_every_format() {
    let folder = tempfile::tempdir().expect("a folder");
    let names = plot(RECORDED, &folder.path().join("new"), &[]);
    let ends = |figure: &str| {
        names
            .iter()
            .filter_map(|name| Some(name.strip_prefix(figure)?.to_owned()))
            .collect::<Vec<_>>()
    };
    for name in keyside::names::HistogramId::ALL {
        let expected = [
            "-bins.csv",
            "-differences.csv",
            "-outliers.csv",
            "-statistics.csv",
            "-values.csv",
            ".md",
            ".py",
            ".svg",
        ];
        assert_eq!(ends(name.as_str()), expected);
    }
    let heatmap = ends("heatmap_key");
    for end in ["-cells.csv", "-components.csv", ".md", ".py", ".svg"] {
        assert!(heatmap.iter().any(|found| found == end), "{heatmap:?} lacks {end}");
    }
}

#[test]
fn plot_makes_every_figure_of_a_sentence() {
    let sentence = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/tiny-sentence-2.1.json");
    let folder = tempfile::tempdir().expect("a folder");
    let svg = plot(sentence, &folder.path().join("svg"), &["--svg"]);
    assert_eq!(
        svg,
        [
            "dots.svg",
            "heads.svg",
            "layer.svg",
            "pattern.svg",
            "table.svg",
            "tokens.svg",
            "writers.svg"
        ]
    );
    let all = plot(sentence, &folder.path().join("all"), &[]);
    for table in [
        "dots-sampled",
        "dots-vectors",
        "heads-heads",
        "pattern-most",
        "pattern-pattern",
        "table-layers",
        "table-pairs",
        "tokens-tokens",
        "writers-components",
    ] {
        assert!(all.contains(&format!("{table}.csv")), "{all:?}");
    }
    assert_eq!(all.len(), 3 * 7 + 11);
}

#[test]
fn plot_makes_what_analyze_makes_and_heeds_its_options() {
    let folder = tempfile::tempdir().expect("a folder");
    let (out, svg, again) = (
        folder.path().join("r.json"),
        folder.path().join("a"),
        folder.path().join("b"),
    );
    let files = [
        "--out",
        out.to_str().expect("UTF-8"),
        "--svg",
        svg.to_str().expect("UTF-8"),
    ];
    let output = analyze(TINY, &[&HEADS[..], &files].concat());
    assert!(output.status.success(), "{}", stderr(&output));
    let result = out.to_str().expect("UTF-8");
    let names = plot(result, &again, &["--svg"]);
    assert_eq!(names, pictures(&read(&out)));
    assert_eq!(std::fs::read_dir(&svg).expect("written").count(), names.len());
    for name in &names {
        let read = |folder: &Path| std::fs::read(folder.join(name)).expect("written");
        assert_eq!(read(&svg), read(&again), "{name}");
    }
    let one = folder.path().join("one");
    let options = [
        "--figure",
        "keys_fixed_scores",
        "--svg",
        "--width",
        "700",
        "--height",
        "400",
        "--theme",
        "dark",
        "--bins",
        "3",
    ];
    assert_eq!(plot(result, &one, &options), ["keys_fixed_scores.svg"]);
    let text = std::fs::read_to_string(one.join("keys_fixed_scores.svg")).expect("written");
    assert!(
        text.contains("width=\"700\" height=\"400\"") && text.contains("#16191D"),
        "{}",
        &text[..300]
    );
}

#[test]
fn plot_fails_with_one_line_too() {
    let folder = tempfile::tempdir().expect("a folder");
    let out = folder.path().to_str().expect("UTF-8");
    fails(
        &keyside(&["plot", "no/such.json", "--out", out]),
        "no/such.json can't be read",
    );
    fails(&keyside(&["plot", "Cargo.toml", "--out", out]), "the file is not JSON");
    // Options that match nothing in the result.
    for (option, value, part) in [
        (
            "--zoom",
            "1e300:2e300",
            "no histogram that is drawn has a value from 1e300 to 2e300",
        ),
        ("--hide", "nope", "there is no series \"nope\"; expected one of"),
        ("--show", "W_U[io]", "there is no series \"W_U[io]\""),
    ] {
        fails(&keyside(&["plot", RECORDED, "--out", out, option, value]), part);
    }
    let nonsense = ["plot", RECORDED, "--out", out, "--figure", "nonsense"];
    fails(
        &keyside(&nonsense),
        "no figure \"nonsense\"; expected keys_fixed_scores",
    );
    fails(
        &keyside(&["plot", RECORDED, "--out", "Cargo.toml"]),
        "Cargo.toml can't be written",
    );
    assert_eq!(std::fs::read_dir(out).expect("a folder").count(), 0);
}

/// The arrays that `keyside command` writes about head 2.1 of the tiny checkpoint.
fn arrays(command: &str, more: &[&str]) -> BTreeMap<String, Vec<f64>> {
    let text = "When Mary and John went to the store, John gave a drink to";
    let asked = [
        "--model", TINY, "--text", text, "--head", "2.1", "--src", "1", "--a", " Mary", "--b", " John",
    ];
    let output = keyside(&[&[command], &asked[..], more, &["--json", "-"]].concat());
    assert!(output.status.success(), "{}", stderr(&output));
    let written: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let components = written["components"].as_array().expect("components").len();
    let arrays = written["arrays"].as_object().expect("arrays").iter();
    arrays
        .map(|(name, array)| {
            let data: Vec<f64> = serde_json::from_value(array["data"].clone()).expect("numbers");
            assert_eq!(array["shape"], serde_json::json!([data.len()]), "{name}");
            assert!(
                !name.starts_with("causal") || data.len() == components || name == "causal/none",
                "{name}"
            );
            (name.clone(), data)
        })
        .collect()
}

#[test]
fn the_causal_map_is_what_single_removals_are() {
    let map = arrays("causal", &[]);
    let names: Vec<&str> = map.keys().map(String::as_str).collect();
    assert_eq!(
        names,
        [
            "causal/key/ln_attention",
            "causal/key/logit_difference",
            "causal/key/score",
            "causal/none",
            "causal/query/ln_attention",
            "causal/query/logit_difference",
            "causal/query/score",
            "causal_predicted/key/ln_attention",
            "causal_predicted/key/logit_difference",
            "causal_predicted/key/score",
            "causal_predicted/query/ln_attention",
            "causal_predicted/query/logit_difference",
            "causal_predicted/query/score",
        ]
    );
    let close = |what: &str, found: f64, expected: f64| {
        assert!((found - expected).abs() < 1e-4, "{what}: {found} for {expected}")
    };
    let before = &map["causal/none"];
    for (earlier, index) in [("1.3", 2 + 6 + 3), ("0.1", 3)] {
        let single = arrays("effects", &["--earlier", earlier]);
        let (none, of_none) = (&single["effect/none"], &map["causal/none"]);
        close("attention", of_none[1], none[0]);
        close("logit difference", of_none[2], none[1]);
        for side in ["query", "key"] {
            for (map_of, single_of) in [("causal", "effect"), ("causal_predicted", "prediction")] {
                let expected = &single[&format!("{single_of}/{side} without earlier head")];
                let found = |measure: &str| map[&format!("{map_of}/{side}/{measure}")][index];
                let what = format!("{map_of} {side} {earlier}");
                close(&what, found("ln_attention"), (expected[0] / none[0]).ln());
                close(&what, found("logit_difference"), expected[1] - none[1]);
                if map_of == "causal_predicted" {
                    close(&what, found("score"), expected[2] - before[0]);
                }
            }
        }
    }
}

#[test]
fn exact_layer_norm_reaches_interventions() {
    let [notebook, exact] = [&[][..], &["--exact-ln"]].map(|more| arrays("effects", more));
    for (name, values) in &notebook {
        let apart = values.iter().zip(&exact[name]).map(|(one, other)| (one - other).abs());
        let apart = apart.fold(0.0, f64::max);
        let substitutes = name.contains("=W_U");
        assert_eq!(apart > 1e-4, substitutes, "{name}: {apart}");
    }
}

#[test]
fn usage_is_explained() {
    let output = keyside(&["--help"]);
    assert!(output.status.success());
    let help = String::from_utf8(output.stdout).expect("UTF-8");
    assert!(help.contains("keyside analyze --model ./gpt2 --head 10.7"), "{help}");
    for (arguments, part) in [
        (&["analyze"][..], "--model <"),
        (
            &["analyze", "--model", TINY, "--head", "x"],
            "invalid value 'x' for '--head",
        ),
        (&["nonsense"], "unrecognized subcommand 'nonsense'"),
        (&[], "Usage: keyside"),
    ] {
        let output = keyside(arguments);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        assert!(stderr(&output).contains(part), "{}\nlacks {part:?}", stderr(&output));
    }
}

#[test]
fn sections_of_unknown_kind_are_said_on_stderr() {
    let folder = tempfile::tempdir().expect("a folder");
    let plot = |name: &str, file: &serde_json::Value| {
        let path = folder.path().join(name);
        std::fs::write(&path, file.to_string()).expect("written");
        let out = folder.path().join("plots");
        keyside(&[
            "plot",
            path.to_str().expect("UTF-8"),
            "--out",
            out.to_str().expect("UTF-8"),
            "--svg",
        ])
    };
    let mut file = results::example();
    let output = plot("later.json", &file);
    assert!(output.status.success(), "{}", stderr(&output));
    let said = stderr(&output);
    assert!(
        said.starts_with("keyside: ") && said.ends_with("does not show: later.\n"),
        "{said}"
    );
    assert!(folder.path().join("plots/heatmap_key.svg").is_file());
    file.as_object_mut().expect("an object").remove("skipped");
    assert_eq!(stderr(&plot("whole.json", &file)), "");
    file["format"] = "keyside-result/3".into();
    fails(&plot("three.json", &file), "newer keyside");
}
