//! The program `keyside sweep`: its rows equal those of single runs, and an interrupted sweep ends with the same file.

#![cfg(feature = "cli")]
#![allow(clippy::unwrap_used)]

mod common;
mod results;

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant, SystemTime};

use common::TINY;
use futures::executor::block_on;
use keyside::analysis::head_attention;
use keyside::checkpoint::FileSource;
use keyside::forward::{Model, NoMonitor};
use keyside::model::Processing;
use keyside::names::Head;
use keyside::result::ResultFile;
use keyside::sweep::SweepRow;
use results::true_score;

fn keyside(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_keyside"))
        .args(arguments)
        .output()
        .unwrap()
}

/// Runs a sweep over the tiny checkpoint into `folder`.
fn sweep(folder: &Path, more: &[&str]) -> Output {
    let options = ["sweep", "--models", TINY, "--out", folder.to_str().unwrap()];
    keyside(&[&options[..], more].concat())
}

fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

fn succeeds(output: &Output) -> String {
    assert!(output.status.success(), "{}", stderr(output));
    String::from_utf8(output.stdout.clone()).unwrap()
}

/// Checks that a sweep fails with one line that has all of `parts`.
fn fails(output: &Output, parts: &[&str]) {
    let message = stderr(output);
    assert_eq!(output.status.code(), Some(1), "{message}");
    assert_eq!(message.lines().count(), 1, "{message}");
    for part in parts {
        assert!(message.contains(part), "{message}\nlacks {part:?}");
    }
}

fn rows(folder: &Path) -> Vec<SweepRow> {
    let text = fs::read_to_string(folder.join("rows.jsonl")).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// The bytes of all files in `folder` and the folders in it, by their names.
fn files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut found = BTreeMap::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path))
        } else {
            drop(found.insert(path.display().to_string(), fs::read(&path).unwrap()))
        }
    }
    found
}

/// The result of a run about `head` alone: scores and probabilities by prompt.
fn single(head: Head, seed: &str) -> (Vec<f32>, Vec<f32>) {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("result.json");
    let (head, out) = (head.to_string(), out.to_str().unwrap());
    let options = [
        "analyze",
        "--model",
        TINY,
        "--head",
        &head,
        "--earlier-head",
        "0.0",
        "--seed",
        seed,
    ];
    succeeds(&keyside(
        &[&options[..], &["--batches", "2", "--batch-size", "20", "--out", out]].concat(),
    ));
    let result = ResultFile::from_json(&fs::read(out).unwrap()).unwrap();
    let section = result.substitution().unwrap();
    (
        true_score(&result).to_vec(),
        section.true_prob.as_ref().unwrap().data().to_vec(),
    )
}

/// The same of a head in the first layer, about which there is no run: from its queries and keys.
fn single_in_first_layer(head: Head, prompts: &[(Vec<u32>, usize, usize)]) -> (Vec<f32>, Vec<f32>) {
    let mut model = block_on(Model::open(Box::new(FileSource::new(TINY)), Processing::default())).unwrap();
    let values = prompts.iter().map(|(tokens, dest, src)| {
        let found = block_on(head_attention(&mut model, &tokens[..=*dest], head, &NoMonitor)).unwrap();
        let row = &found.scores[*dest];
        let largest = row.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        let all: f64 = row.iter().map(|score| f64::from(score - largest).exp()).sum();
        (row[*src], (f64::from(row[*src] - largest).exp() / all) as f32)
    });
    values.unzip()
}

#[test]
fn rows_are_what_single_runs_find() {
    let folder = tempfile::tempdir().unwrap();
    let said = succeeds(&sweep(
        folder.path(),
        &["--per-prompt", "--seeds", "3,5", "--batches", "2", "--batch-size", "20"],
    ));
    assert!(said.starts_with("960 rows of 2 shards: "), "{said}");
    let rows = rows(folder.path());
    let out = folder.path().join("result.json");
    let with_prompts = [
        "analyze",
        "--model",
        TINY,
        "--head",
        "2.1",
        "--earlier-head",
        "0.0",
        "--seed",
        "3",
    ];
    succeeds(&keyside(
        &[
            &with_prompts[..],
            &["--batches", "2", "--batch-size", "20", "--out", out.to_str().unwrap()],
        ]
        .concat(),
    ));
    let result = ResultFile::from_json(&fs::read(&out).unwrap()).unwrap();
    let prompts = result
        .prompts
        .iter()
        .map(|prompt| (prompt.tokens.clone(), prompt.dest().unwrap(), prompt.src().unwrap()));
    let prompts: Vec<_> = prompts.collect();
    assert_eq!(prompts.len(), 40);
    let mut compared = 0;
    for layer in 0..3 {
        for number in 0..4 {
            let head = Head::new(layer, number);
            let of_head = rows.iter().filter(|row| row.head == head && row.seed == Some(3));
            let found: Vec<(f64, f64)> = of_head.map(|row| (row.score.unwrap(), row.prob.unwrap())).collect();
            let (scores, probabilities) = match layer {
                0 => single_in_first_layer(head, &prompts),
                _ => single(head, "3"),
            };
            assert_eq!((found.len(), scores.len()), (40, 40));
            for (found, (score, probability)) in found.iter().zip(scores.iter().zip(&probabilities)) {
                match layer {
                    // One sentence after the other: products of other sizes.
                    0 => assert!((found.0 as f32 - score).abs() < 1e-5 && (found.1 as f32 - probability).abs() < 1e-6),
                    _ => assert_eq!((found.0 as f32, found.1 as f32), (*score, *probability), "head {head}"),
                }
                compared += 1;
            }
        }
    }
    assert_eq!(compared, 480);
    // Sorted by seed, head and prompt.
    let order = |row: &SweepRow| (row.seed, row.head, row.prompt);
    assert!(rows.is_sorted_by_key(order));
}

#[test]
fn rows_of_sets_are_the_means_of_those_of_prompts() {
    let folders = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let (sets, prompts) = (&folders.0, &folders.1);
    let asked = [
        "--heads",
        "1.*,2.3",
        "--seeds",
        "0..=1",
        "--batches",
        "2",
        "--batch-size",
        "7",
    ];
    succeeds(&sweep(sets.path(), &asked));
    succeeds(&sweep(prompts.path(), &[&asked[..], &["--per-prompt"]].concat()));
    let (sets, prompts) = (rows(sets.path()), rows(prompts.path()));
    assert_eq!((sets.len(), prompts.len()), (10, 140));
    // Both show the same maps, but for what single prompts do not say.
    let maps = [&folders.0, &folders.1].map(|folder| fs::read_to_string(folder.path().join("maps.html")).unwrap());
    for page in &maps {
        assert_eq!(page.matches("role=\"application\"").count(), 2);
        assert!(page.contains("tests/fixtures/tiny, ioi, seed 1") && page.contains("% of 14 prompts"));
    }
    assert!(maps[0].contains("standard deviation") && !maps[1].contains("standard deviation"));
    for row in &sets {
        let attention = format!(
            "attention {}, standard",
            keyside::quantities::number(row.prob.unwrap(), 4)
        );
        assert!(maps[0].contains(&attention), "{attention}");
        let rows = prompts
            .iter()
            .filter(|other| (other.head, other.seed) == (row.head, row.seed));
        let rows: Vec<&SweepRow> = rows.collect();
        let mean = |value: fn(&SweepRow) -> f64| rows.iter().map(|row| value(row)).sum::<f64>() / rows.len() as f64;
        assert_eq!((rows.len(), row.count, row.prompt), (14, 14, None));
        assert!((row.score.unwrap() - mean(|row| row.score.unwrap())).abs() < 1e-6);
        assert!((row.prob.unwrap() - mean(|row| row.prob.unwrap())).abs() < 1e-6);
        assert!((row.largest - mean(|row| row.largest)).abs() < 1e-12);
        assert!(row.score_sd.unwrap() > 0.0 && row.prob_sd.unwrap() > 0.0);
        assert!(rows.iter().all(|row| row.count == 1 && row.score_sd.is_none()));
    }
}

/// A random part between 0 and 1: another one in each run of the tests.
fn random() -> f64 {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap();
    f64::from(now.subsec_nanos() % 1_000_000) / 1e6
}

#[test]
fn a_sweep_that_is_killed_at_any_moment_gives_the_same_file() {
    let asked = ["--seeds", "0..60", "--heads", "*"];
    let (whole, killed) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let began = Instant::now();
    succeeds(&sweep(whole.path(), &asked));
    let takes = began.elapsed();
    let shards = killed.path().join("shards");
    let mut before = BTreeMap::new();
    let (mut kills, mut moments) = (0, Vec::new());
    while kills < 5 {
        let mut command = Command::new(env!("CARGO_BIN_EXE_keyside"));
        command
            .args(["sweep", "--models", TINY, "--out", killed.path().to_str().unwrap()])
            .args(asked);
        let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        // Less than half of it in five times, so that something is left to do on any machine.
        let moment = takes.mul_f64(random() / 10.0).max(Duration::from_millis(1));
        moments.push(moment);
        std::thread::sleep(moment);
        child.kill().unwrap();
        let ended = child.wait().unwrap();
        assert!(
            !ended.success() && !killed.path().join("rows.jsonl").exists(),
            "done after {moments:?} of {takes:?}"
        );
        kills += 1;
        // Finished shards stay unchanged.
        let now = if shards.is_dir() {
            files(&shards)
        } else {
            BTreeMap::new()
        };
        for (name, bytes) in before
            .iter()
            .filter(|(name, _): &(&String, &Vec<u8>)| name.ends_with(".jsonl"))
        {
            assert_eq!(now.get(name), Some(bytes), "{name} is lost after {moments:?}");
        }
        before = now;
    }
    let said = succeeds(&sweep(killed.path(), &asked));
    let done = before.keys().filter(|name| name.ends_with(".jsonl")).count();
    match done {
        0 => assert!(said.starts_with("720 rows of 60 shards: "), "{said}"),
        _ => assert!(
            said.starts_with(&format!("720 rows of 60 shards, {done} of them there before")),
            "{said}"
        ),
    }
    let read = |folder: &Path| ["rows.jsonl", "maps.html"].map(|name| fs::read(folder.join(name)).unwrap());
    assert!(
        read(whole.path()) == read(killed.path()),
        "another file after {moments:?}"
    );
    println!("killed after {moments:?} of {takes:?}; {done} of 60 shards were there");
}

#[test]
fn half_written_shards_are_done_again_and_finished_ones_are_not() {
    let folder = tempfile::tempdir().unwrap();
    let asked = ["--seeds", "0..4", "--batch-size", "3"];
    succeeds(&sweep(folder.path(), &asked));
    let whole = fs::read(folder.path().join("rows.jsonl")).unwrap();
    let shard = |index: usize| folder.path().join(format!("shards/{index:06}.jsonl"));
    fs::remove_file(folder.path().join("rows.jsonl")).unwrap();
    fs::remove_file(shard(2)).unwrap();
    fs::write(
        folder.path().join("shards/000002.jsonl.part"),
        "{\"model\":\"half of a row",
    )
    .unwrap();
    // Cut off in the middle of a line, as a process leaves it that was ended there.
    let times = folder.path().join("times.jsonl");
    let text = fs::read_to_string(&times).unwrap();
    fs::write(&times, &text[..text.len() - 9]).unwrap();
    let kept = fs::metadata(shard(1)).unwrap().modified().unwrap();
    let said = succeeds(&sweep(folder.path(), &asked));
    assert!(
        said.starts_with("48 rows of 4 shards, 3 of them there before: "),
        "{said}"
    );
    assert_eq!(fs::read(folder.path().join("rows.jsonl")).unwrap(), whole);
    assert_eq!(fs::metadata(shard(1)).unwrap().modified().unwrap(), kept);
    let text = fs::read_to_string(&times).unwrap();
    assert_eq!(text.lines().count(), 5);
    let last: serde_json::Value = serde_json::from_str(text.lines().last().unwrap()).unwrap();
    assert!(
        last["shard"] == 2 && last["heads"] == 12 && last["prompts"] == 3 && last["seconds"].as_f64().unwrap() > 0.0
    );
    // No row contains a time.
    assert!(!String::from_utf8(whole).unwrap().contains("seconds"));
}

#[test]
fn a_folder_of_another_sweep_is_refused_and_not_touched() {
    let folder = tempfile::tempdir().unwrap();
    let asked = ["--seeds", "0..2", "--batch-size", "3"];
    succeeds(&sweep(folder.path(), &asked));
    let before = files(folder.path());
    let others: [(&[&str], &str); 4] = [
        (&["--seeds", "0..3", "--batch-size", "3"], "(seeds differ)"),
        (&["--seeds", "0..2", "--batch-size", "4"], "(prompts differ)"),
        (
            &["--seeds", "0..2", "--batch-size", "3", "--heads", "1.1", "--bos"],
            "(heads, BOS differ)",
        ),
        (
            &["--seeds", "0..2", "--batch-size", "3", "--per-prompt"],
            "(rows per prompt differ)",
        ),
    ];
    for (other, part) in others {
        fails(
            &sweep(folder.path(), other),
            &["holds another sweep", part, "Name another folder"],
        );
    }
    assert_eq!(files(folder.path()), before);
    // The same in another order is the same.
    succeeds(&sweep(
        folder.path(),
        &["--batch-size", "3", "--seeds", "1,0,1", "--heads", "*.*"],
    ));
    assert_eq!(files(folder.path()), before);
    // A folder with something else.
    let other = tempfile::tempdir().unwrap();
    fs::write(other.path().join("thesis.tex"), "all of it").unwrap();
    fails(
        &sweep(other.path(), &asked),
        &["holds thesis.tex, and no sweep", "Name another folder"],
    );
    assert_eq!(files(other.path()).len(), 1);
    // A manifest of another version.
    let manifest = folder.path().join("sweep.json");
    let text = fs::read_to_string(&manifest).unwrap();
    fs::write(&manifest, text.replace("keyside-sweep/1", "keyside-sweep/2")).unwrap();
    fails(&sweep(folder.path(), &asked), &["holds another sweep"]);
    fs::write(&manifest, "{").unwrap();
    fails(
        &sweep(folder.path(), &asked),
        &["sweep.json is no sweep that this version knows"],
    );
}

#[test]
fn two_processes_do_not_work_on_one_folder() {
    let folder = tempfile::tempdir().unwrap();
    let lock = File::create(folder.path().join("lock")).unwrap();
    lock.lock().unwrap();
    fails(
        &sweep(folder.path(), &[]),
        &["another process works on the sweep", "Wait until it is done"],
    );
    drop(lock);
    succeeds(&sweep(folder.path(), &["--heads", "1.1", "--batch-size", "2"]));
}

/// Copies the tiny checkpoint into `folder`.
fn copy_of_model(folder: &Path) {
    fs::create_dir_all(folder).unwrap();
    for name in ["config.json", "model.safetensors", "tokenizer.json"] {
        fs::copy(Path::new(TINY).join(name), folder.join(name)).unwrap();
    }
}

#[test]
fn models_and_prompts_are_found_by_their_names() {
    let folder = tempfile::tempdir().unwrap();
    for step in ["step-1", "step-2", "other"] {
        copy_of_model(&folder.path().join(step));
    }
    let sets = folder.path().join("sets");
    fs::create_dir(&sets).unwrap();
    fs::write(
        sets.join("a.txt"),
        "When [[Mary]] and John went to the store, John gave a drink [[to]]\n",
    )
    .unwrap();
    fs::write(
        sets.join("b.csv"),
        "text,dest,src,a,b\nMary went home,2,0,,\nJohn went home,,0,,\n",
    )
    .unwrap();
    let out = folder.path().join("out");
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let (models, prompts) = (path("step-*"), format!("ioi,{}", path("sets/*")));
    let asked = [
        "sweep",
        "--models",
        &models,
        "--prompts",
        &prompts,
        "--seeds",
        "0,1",
        "--batch-size",
        "2",
    ];
    let more = ["--heads", "2.*", "--out", out.to_str().unwrap()];
    let said = succeeds(&keyside(&[&asked[..], &more].concat()));
    // Two models; two draws, and two sets that no seed changes.
    assert!(said.starts_with("32 rows of 8 shards: "), "{said}");
    let rows = rows(&out);
    let rows_of = |model: &str, prompts: &str| {
        let found = rows
            .iter()
            .filter(|row| row.model == path(model) && row.prompts.ends_with(prompts));
        found.cloned().collect::<Vec<SweepRow>>()
    };
    assert_eq!(
        (
            rows_of("step-1", "ioi").len(),
            rows_of("step-1", "a.txt").len(),
            rows_of("step-2", "b.csv").len()
        ),
        (8, 4, 4)
    );
    assert!(
        rows_of("step-1", "a.txt")
            .iter()
            .all(|row| row.seed.is_none() && row.count == 1 && row.score_sd.is_none())
    );
    assert!(
        rows_of("step-2", "b.csv")
            .iter()
            .all(|row| row.count == 2 && row.prob.unwrap() > 0.0)
    );
    let scores = |model: &str| rows_of(model, "ioi").iter().map(|row| row.score).collect::<Vec<_>>();
    assert_eq!(scores("step-1"), scores("step-2"));
    // A model that is not what it was is another one; so are prompts.
    let weights = folder.path().join("step-2/model.safetensors");
    let mut bytes = fs::read(&weights).unwrap();
    let last = bytes.len() - 1;
    bytes[last] ^= 1;
    fs::write(&weights, bytes).unwrap();
    fails(
        &keyside(&[&asked[..], &more].concat()),
        &["holds another sweep (models differ)"],
    );
}

#[test]
fn what_is_wrong_is_said_before_anything_is_written() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("out");
    let out_name = out.to_str().unwrap();
    let lists: [(&[&str], &[&str]); 9] = [
        (&["--models", "no/such/model"], &["no/such/model"]),
        (&["--models", "no/such/*"], &["nothing can be found by no/such/*"]),
        (&["--models", "hub:gpt9"], &["gpt9", "not the name of a model"]),
        (
            &["--models", TINY, "--revisions", "main"],
            &["has no revisions", "hub:gpt2"],
        ),
        (&["--models", TINY, "--heads", "9.1"], &["head 9.1", TINY]),
        (
            &["--models", TINY, "--heads", "*.7"],
            &["the model has no head *.7", "heads from 0 to 3"],
        ),
        (&["--models", TINY, "--prompts", "no.txt"], &["no.txt can't be read"]),
        (
            &["--models", TINY, "--seeds", "3..1"],
            &["\"3..1\" is no list of seeds"],
        ),
        (&["--models", TINY, "--batch-size", "0"], &["0", "1000"]),
    ];
    for (options, parts) in lists {
        fails(&keyside(&[&["sweep", "--out", out_name], options].concat()), parts);
        assert!(!out.exists(), "{options:?}");
    }
    let usage = keyside(&["sweep", "--models", TINY, "--heads", "ten", "--out", out_name]);
    assert_eq!(usage.status.code(), Some(2));
    assert!(stderr(&usage).contains("10.7, 10.*, *.7 or *"), "{}", stderr(&usage));
}
