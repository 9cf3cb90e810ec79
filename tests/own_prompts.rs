//! A reader's own prompts through the whole program: marks, CSV, standard input, results, invalid input.
#![cfg(feature = "cli")]
#![allow(clippy::unwrap_used)]

mod common;
mod golden_file;

use std::io::Write;
use std::process::{Command, Output, Stdio};

use common::TINY;
use common::engines::{engines, model_on, was_computed_by};
use futures::executor::block_on;
use golden_file::own::{self, OWN_ARRAYS};
use golden_file::pairs::Case;
use golden_file::{Golden, fixture};
use keyside::analysis::{Analysis, analyze};
use keyside::forward::Model;
use keyside::model::Processing;
use keyside::names::{HeatmapId, HistogramId, PositionName, SeriesId};
use keyside::prompts::text::TextPrompts;
use keyside::prompts::{PromptSet, PromptSource};
use keyside::result::ResultFile;

const TEXT: &str = "When [[Mary]] and John went to the store, John gave a drink [[to]]\n\n\
    After [[John]] and Mary went to the [[store]], Mary gave a ring to\n\
    Then, Mary [[and]] John had a lot of fun\n";

/// Runs `keyside analyze` on `text` from standard input, with `more` options.
fn analyze_text(text: &[u8], more: &[&str]) -> Output {
    let fixed = [
        "analyze",
        "--model",
        TINY,
        "--head",
        "2.1",
        "--earlier-head",
        "1.3",
        "--prompts",
        "-",
    ];
    let mut child = Command::new(env!("CARGO_BIN_EXE_keyside"))
        .args(fixed)
        .args(more)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // The program may have ended before it has read all.
    let _ = child.stdin.take().unwrap().write_all(text);
    child.wait_with_output().unwrap()
}

fn run(text: &str) -> ResultFile {
    let analysis = Analysis {
        head: "2.1".parse().unwrap(),
        earlier_head: "1.3".parse().unwrap(),
        prompts: PromptSource::Text(TextPrompts {
            text: text.to_owned(),
            ..TextPrompts::default()
        }),
        ..Analysis::default()
    };
    block_on(async {
        let source = Box::new(keyside::checkpoint::FileSource::new(TINY));
        let mut model = Model::open(source, Processing::default()).await.unwrap();
        let found = analyze(&mut model, &analysis, &golden_file::Recorder::default())
            .await
            .unwrap();
        ResultFile::new(&model, &analysis, found)
    })
}

#[test]
fn own_prompts_have_series_and_heatmaps_of_their_own() {
    let result = run(TEXT);
    assert_eq!(result.prompt_count(), 3);
    assert!(matches!(&result.prompt_set, Some(PromptSet::Text(set)) if set.prompts == 3 && set.notes.is_empty()));
    let labels = |name| -> Vec<String> { result.series(name).into_iter().map(|(id, _)| id.to_string()).collect() };
    assert_eq!(
        labels(HistogramId::KeysFixedScores),
        ["NMH 1.3 output", "No patching", "W_U[random]", "W_U[src]"]
    );
    assert_eq!(
        labels(HistogramId::QueriesFixedProbs),
        ["No patching", "W_EE[src]", "W_EE_subE[src]", "W_E[src]", "W_U[src]"]
    );
    for name in HistogramId::ALL {
        for (id, values) in result.series(name) {
            assert!(
                values.len() == 3 && values.iter().all(|value| value.is_finite()),
                "{name} {id}"
            );
        }
    }
    let heatmaps: Vec<String> = result.heatmap_names().iter().map(ToString::to_string).collect();
    assert!(heatmaps.contains(&"key".to_owned()) && heatmaps.contains(&"query_subMLP0".to_owned()));
    assert!(heatmaps.iter().all(|name| !name.contains("S1")), "{heatmaps:?}");
    for name in result.heatmap_names() {
        let heatmap = result.heatmap(&name).unwrap();
        assert!(heatmap.max_relative_residual.unwrap() < 1e-5, "{name}");
    }
    // The file reads as it was written.
    let json = result.to_json().unwrap();
    assert_eq!(ResultFile::from_json(json.as_bytes()).unwrap(), result);
}

/// A prompt of the IOI dataset with END and IO marked gives what the IOI maker gives.
#[test]
fn a_marked_ioi_prompt_gives_the_numbers_of_the_dataset() {
    let drawn = block_on(async {
        let source = Box::new(keyside::checkpoint::FileSource::new(TINY));
        let mut model = Model::open(source, Processing::default()).await.unwrap();
        let analysis = golden_file::analysis("2.1", "1.3", 1, 10);
        let found = analyze(&mut model, &analysis, &golden_file::Recorder::default())
            .await
            .unwrap();
        ResultFile::new(&model, &analysis, found)
    });
    let marked = |prompt: &keyside::prompts::Prompt| {
        let io = &prompt.names["IO"];
        // The last word is the final name; END is the one before it.
        let (before, _) = prompt.text.rsplit_once(' ').unwrap();
        let (before, end) = before.rsplit_once(' ').unwrap();
        format!("{} [[{end}]]", before.replacen(io.as_str(), &format!("[[{io}]]"), 1))
    };
    let text: Vec<String> = drawn.prompts.iter().map(marked).collect();
    let own = run(&text.join("\n"));
    for (a, b) in drawn.prompts.iter().zip(&own.prompts) {
        for name in [PositionName::Dest, PositionName::Src] {
            assert_eq!(a.position(&name), b.position(&name), "{}", b.text);
        }
    }
    let pairs = [
        (HistogramId::KeysFixedScores, SeriesId::WuIo, SeriesId::WuSrc),
        (HistogramId::KeysFixedProbs, SeriesId::NoPatching, SeriesId::NoPatching),
        (HistogramId::QueriesFixedScores, SeriesId::WeIo, SeriesId::WuSrc),
        (HistogramId::QueriesFixedScores, SeriesId::WeeIo, SeriesId::WeeSrc),
        (
            HistogramId::QueriesFixedProbs,
            SeriesId::WeeSubEIo,
            SeriesId::WeeSubESrc,
        ),
        (HistogramId::QueriesFixedScores, SeriesId::WeIoTrue, SeriesId::WeSrc),
    ];
    for (name, of_ioi, of_own) in pairs {
        let (a, b) = (drawn.values(name, &of_ioi), own.values(name, &of_own));
        let largest = a.iter().zip(b).map(|(a, b)| (a - b).abs()).fold(0f32, f32::max);
        println!("{name} {of_ioi} {of_own}: {largest:e}");
        assert!(a.len() == 10 && largest < 1e-5, "{name} {of_ioi}: {largest}");
    }
    for name in [HeatmapId::KEY, HeatmapId::QUERY] {
        let cells = |result: &ResultFile| result.heatmap(&name).unwrap().mean.data().to_vec();
        let largest = cells(&drawn)
            .iter()
            .zip(cells(&own))
            .map(|(a, b)| (a - b).abs())
            .fold(0f32, f32::max);
        assert!(largest < 1e-5, "{name}: {largest}");
    }
}

/// Within 1e-4 of float64 numbers that were computed otherwise.
#[test]
fn eight_pairs_as_own_prompts() {
    for engine in engines() {
        let mut golden = Golden::without_file(1e-4);
        let mut model = model_on(engine);
        let cases = Case::all(&model, &fixture("pairs-golden.json"));
        for case in &cases {
            block_on(own::check_case(&mut model, &mut golden, case));
        }
        assert_eq!(golden.compared, 8 * OWN_ARRAYS);
        golden.finish();
        was_computed_by(engine, model);
    }
}

#[test]
fn odd_texts_have_the_tokens_of_gpt2() {
    assert_eq!(own::check_strings(), 43);
}

#[test]
fn the_command_line_reads_lines_and_tables() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("result.json");
    let output = analyze_text(TEXT.as_bytes(), &["--out", out.to_str().unwrap()]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let result = ResultFile::from_json(&std::fs::read(&out).unwrap()).unwrap();
    assert_eq!(result.prompts, run(TEXT).prompts);

    let table = folder.path().join("prompts.csv");
    std::fs::write(
        &table,
        "text,dest,src,a,b\nWhen Mary went to the store,2,1,,\n\"[[Zanzibar]], John\",,,,\n",
    )
    .unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_keyside"))
        .args([
            "analyze",
            "--model",
            TINY,
            "--head",
            "2.1",
            "--earlier-head",
            "1.3",
            "--prompts",
            table.to_str().unwrap(),
        ])
        .output()
        .unwrap();
    let summary = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success() && summary.contains("2 prompts"), "{summary}");
    assert!(summary.contains("Note: In line 3 \"Zanzibar\" is "), "{summary}");
    let numbers = analyze_text(b"When Mary went to the store", &["--src", "1", "--dest", "3", "--bos"]);
    assert!(numbers.status.success(), "{}", String::from_utf8_lossy(&numbers.stderr));
}

#[test]
fn bad_prompts_are_one_line_and_status_1() {
    let long = vec![b'a'; 100_000];
    for (text, more, part) in [
        (&b""[..], &[][..], "there is no prompt"),
        (b"When Mary went", &[], "line 1 (\"When Mary went\"): it has no mark"),
        (b"[[a]] [[b]] [[c]]", &[], "it has 3 marks"),
        (b"fine [[Mary]]\nna\xefve", &[], "line 2 (\"na"),
        (&long, &["--src", "0"], "line 1 (\"aaaa"),
        (b"When Mary", &["--src", "7"], "its src is position 7"),
        (b"When Mary", &["--src", "1", "--dest", "0"], "before its source"),
        (
            b"text,dest,src,a,b\n\"When",
            &["--csv"],
            "line 2: a field in quotes does not end",
        ),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let out = folder.path().join("result.json");
        let output = analyze_text(text, &[more, &["--out", out.to_str().unwrap()]].concat());
        let message = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1), "{message}");
        assert_eq!(message.lines().count(), 1, "{message}");
        assert!(
            message.starts_with("keyside: ") && message.contains(part),
            "{message}\nlacks {part:?}"
        );
        assert!(!out.exists(), "a file after an error");
    }
}
