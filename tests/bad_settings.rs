//! Every kind of invalid setting, prompt or result file gives one clear message.

mod common;

use common::{assert_one_line, block_on, header, named, safetensors_file, text, tiny};
use keyside::analysis::{Analysis, BatchValues, Observer, Progress, analyze};
use keyside::checkpoint::MemorySource;
use keyside::forward::Model;
use keyside::names::Head;
use keyside::prompts::IoiSet;
use keyside::result::ResultFile;
use keyside::{ErrorKind, Result};
use serde_json::json;

struct Nobody;

impl Observer for Nobody {
    fn progress(&self, _: &Progress) {}
    fn batch(&self, _: usize, _: &BatchValues) {}
    fn yield_now(&self) -> futures::future::LocalBoxFuture<'_, Result<()>> {
        Box::pin(async { Ok(()) })
    }
}

const SMALL: IoiSet = IoiSet {
    seed: 0,
    batches: 1,
    batch_size: 2,
    prepend_bos: false,
};

fn small() -> Analysis {
    Analysis {
        head: Head::new(2, 1),
        earlier_head: Head::new(1, 3),
        prompts: SMALL.into(),
        ..Analysis::default()
    }
}

fn run(source: MemorySource, analysis: &Analysis) -> Result<ResultFile> {
    block_on(async {
        let mut model = Model::open(Box::new(source), analysis.processing).await?;
        let found = analyze(&mut model, analysis, &Nobody).await?;
        Ok(ResultFile::new(&model, analysis, found))
    })
}

fn analysis_refused(source: MemorySource, analysis: &Analysis, kind: ErrorKind, part: &str) {
    let error = run(source, analysis).expect_err("is refused");
    println!("{error}");
    assert_one_line(&error.to_string());
    assert_eq!(error.kind, kind, "{error}");
    assert!(error.cause.contains(part), "{error}\nlacks {part:?}");
}

#[test]
fn settings_that_make_no_sense() {
    assert!(run(tiny(), &small()).is_ok());
    let cases = [
        (
            Analysis {
                head: Head::new(3, 0),
                ..small()
            },
            "head 3.0 does not exist",
        ),
        (
            Analysis {
                head: Head::new(2, 4),
                ..small()
            },
            "head 2.4 does not exist",
        ),
        (
            Analysis {
                earlier_head: Head::new(1, 4),
                ..small()
            },
            "head 1.4 does not exist",
        ),
        (
            Analysis {
                earlier_head: Head::new(2, 0),
                ..small()
            },
            "the earlier head 2.0 is not in a layer before",
        ),
        (
            Analysis {
                head: Head::new(0, 1),
                ..small()
            },
            "head 0.1",
        ),
        (
            Analysis {
                prompts: IoiSet { batch_size: 0, ..SMALL }.into(),
                ..small()
            },
            "the batch size is 0",
        ),
        (
            Analysis {
                prompts: IoiSet { batches: 0, ..SMALL }.into(),
                ..small()
            },
            "the number of batches is 0",
        ),
        (
            Analysis {
                prompts: IoiSet {
                    batch_size: usize::MAX,
                    ..SMALL
                }
                .into(),
                ..small()
            },
            "the batch size is",
        ),
        (
            Analysis {
                prompts: IoiSet {
                    batches: usize::MAX,
                    ..SMALL
                }
                .into(),
                ..small()
            },
            "the number of batches is",
        ),
        (
            Analysis {
                prompts: IoiSet {
                    seed: u64::MAX,
                    ..SMALL
                }
                .into(),
                ..small()
            },
            "seed",
        ),
    ];
    for (analysis, part) in cases {
        analysis_refused(tiny(), &analysis, ErrorKind::Request, part);
    }
    for text in ["10", "10.", ".7", "a.b", "-1.0", "10.7.1", ""] {
        let error = text.parse::<Head>().expect_err("is not a head");
        assert_eq!(error.kind, ErrorKind::Request);
        assert_one_line(&error.to_string());
    }
}

/// The tiny checkpoint whose tokenizer has lost the merge that makes `token`.
fn without_merge(token: &str) -> MemorySource {
    let mut json: serde_json::Value = serde_json::from_str(&text(&tiny(), "tokenizer.json")).expect("JSON");
    let merges = json["model"]["merges"].as_array_mut().expect("merges");
    let makes = |merge: &serde_json::Value| match merge {
        serde_json::Value::String(pair) => pair.replace(' ', "") == token,
        pair => {
            format!(
                "{}{}",
                pair[0].as_str().expect("left"),
                pair[1].as_str().expect("right")
            ) == token
        }
    };
    let before = merges.len();
    merges.retain(|merge| !makes(merge));
    assert!(merges.len() < before, "no merge makes {token}");
    tiny().with("tokenizer.json", json.to_string())
}

#[test]
fn prompts_that_do_not_fit_the_tokenizer() {
    let source = without_merge("ĠCrystal");
    analysis_refused(source, &small(), ErrorKind::Prompt, "\" Crystal\"");
    // A context that is shorter than every prompt; the position embedding is cut to fit.
    let shape = json!([4, 32]);
    let (mut header, data) = header(&tiny());
    let name = named(&header, "wpe.weight");
    let start = header[&name]["data_offsets"][0].as_u64().expect("an offset");
    header[&name]["shape"] = shape;
    header[&name]["data_offsets"] = json!([start, start + 4 * 32 * 4]);
    let config = text(&tiny(), "config.json").replace("\"n_positions\": 128", "\"n_positions\": 4");
    let source = tiny()
        .with("config.json", config)
        .with("model.safetensors", safetensors_file(&header.to_string(), &data));
    analysis_refused(source, &small(), ErrorKind::Prompt, "a prompt has 20 tokens");
}

#[test]
fn result_files_that_are_not_one() {
    for (bytes, part) in [
        (&b""[..], "not JSON"),
        (b"\x00\xff", "not JSON"),
        (b"[1, 2]", "not a result file"),
        (b"{}", "no field \"format\""),
        (br#"{"format": "keyside-result/99"}"#, "keyside-result/99"),
        (br#"{"format": "keyside-result/1"}"#, "model"),
    ] {
        let error = ResultFile::from_json(bytes).expect_err("is refused");
        println!("{error}");
        assert_eq!(error.kind, ErrorKind::ResultFile);
        assert!(error.to_string().contains(part), "{error}");
        assert_one_line(&error.to_string());
    }
}
