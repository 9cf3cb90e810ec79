use std::collections::VecDeque;
use std::ops::Range;
use std::time::Duration;

use futures::executor::block_on;
use futures::future::LocalBoxFuture;

use super::*;
use crate::checkpoint::{Answer, Body};
use crate::figure::Appearance;
use crate::names::HistogramId;

fn place(name: &str) -> FigurePlace {
    name.parse().expect("a place")
}

fn embed(query: &str) -> Embed {
    Embed::parse(query).expect("valid").expect("a frame")
}

#[test]
fn an_address_without_embed_is_the_whole_page() {
    for query in ["", "?", "head=10.7", "?result=x.json&controls=none", "embedded=heatmap"] {
        assert_eq!(Embed::parse(query), Ok(None), "{query}");
        assert!(!is_asked(query), "{query}");
    }
}

#[test]
fn every_figure_has_its_name() {
    assert_eq!(embed("?embed=heatmap").figure, place("heatmap"));
    for name in HistogramId::ALL {
        assert_eq!(embed(&format!("embed={name}")).figure, place(name.as_str()));
    }
}

#[test]
fn what_the_address_leaves_open() {
    let found = embed("?embed=heatmap&theme=dark&toggle1=W_U[S]");
    let legend = Controls {
        legend: true,
        ..Controls::default()
    };
    assert_eq!(
        (found.controls, found.place, found.host),
        (legend, ResultPlace::Recorded, None)
    );
}

#[test]
fn controls_are_a_list() {
    let parse = |text: &str| text.parse::<Controls>().expect(text);
    for text in ["", "none"] {
        assert_eq!(parse(text), Controls::default());
    }
    let all = Controls {
        legend: true,
        toolbar: true,
        export: true,
    };
    assert_eq!(parse("legend,toolbar,export"), all);
    assert_eq!(parse("export"), Controls { toolbar: false, ..all });
    assert_eq!(parse("legend, toolbar"), Controls { export: false, ..all });
    for text in ["all", "legend,", "legend;export", "none,legend"] {
        assert!(text.parse::<Controls>().is_err(), "{text}");
    }
}

#[test]
fn where_the_result_comes_from() {
    let parse = |query: &str| ResultPlace::of_query(query).expect(query);
    assert_eq!(parse("?embed=heatmap"), ResultPlace::Recorded);
    assert_eq!(parse("result=host"), ResultPlace::Host);
    assert_eq!(parse("result=opener"), ResultPlace::Opener);
    assert_eq!(parse("result=./host"), ResultPlace::Url("./host".into()));
    let url = "https://a.example/r.json?x=1";
    assert_eq!(
        parse("result=https%3A%2F%2Fa.example%2Fr.json%3Fx%3D1"),
        ResultPlace::Url(url.into())
    );
}

#[test]
fn what_is_wrong_is_named() {
    for (query, part) in [
        ("embed=", "\"embed\""),
        ("embed=heat", "keys_fixed_scores"),
        ("embed=heatmap&embed=heatmap", "\"embed\" twice"),
        ("embed=heatmap&controls=all", "legend,toolbar,export"),
        ("embed=heatmap&result=", "\"result\""),
        ("embed=heatmap&result=a%0Ab", "one line"),
        ("embed=heatmap&parent=blog.example", "an origin"),
        ("embed=heatmap&parent=https://blog.example/post", "an origin"),
        ("embed=heatmap&parent=https://", "an origin"),
        ("embed=heatmap&parent=*", "an origin"),
        ("embed=heatmap&parent=https://me@blog.example", "an origin"),
        ("embed=heatmap&parent=javascript://a", "an origin"),
    ] {
        let error = Embed::parse(query).expect_err(query);
        assert_eq!(error.kind, ErrorKind::Request);
        assert!(error.to_string().contains(part), "{query}: {error}");
        assert!(is_asked(query));
    }
    let long = format!("embed=heatmap&result={}", "x".repeat(MAX_VALUE + 1));
    assert!(Embed::parse(&long).is_err());
    for good in ["https://blog.example", "http://127.0.0.1:8080", "http://[::1]:80"] {
        let found = embed(&format!("embed=heatmap&parent={good}"));
        assert_eq!(found.host.as_deref(), Some(good));
    }
}

#[test]
fn the_whole_page_has_the_state_of_the_frame() {
    let query = "?v=1&embed=heatmap&controls=none&parent=http%3A%2F%2Fa&theme=dark&toggle1=W_U%5BS%5D";
    assert_eq!(full_query(query, false), "v=1&theme=dark&toggle1=W_U%5BS%5D");
    assert_eq!(full_query("embed=heatmap&result=./r.json", false), "result=.%2Fr.json");
    assert_eq!(full_query("?embed=heatmap", false), "");
    // A result passed by the host is passed on by the frame.
    assert_eq!(full_query("embed=heatmap&result=host", true), "result=opener");
    assert_eq!(full_query("embed=heatmap&result=r.json&v=1", true), "v=1&result=opener");
    assert_eq!(full_query("embed=heatmap&result=host", false), "");
}

#[test]
fn every_figure_has_a_title() {
    let recorded = include_bytes!("../../public/recorded/gpt2-small-10.7.json");
    let result = ResultFile::from_json(recorded).expect("valid");
    let heatmap = "Contributions of components to the attention score, head 10.7 of GPT-2 small";
    assert_eq!(title(place("heatmap"), &result), heatmap);
    let keys = title(place(HistogramId::KeysFixedScores.as_str()), &result);
    assert_eq!(keys, "Attention scores with keys fixed, head 10.7 of GPT-2 small");
    let queries = title(place(HistogramId::QueriesFixedProbs.as_str()), &result);
    assert_eq!(
        queries,
        "Attention probabilities with queries fixed, head 10.7 of GPT-2 small"
    );
}

#[test]
fn messages_to_the_host() {
    assert_eq!(ToHost::Ready.to_json(), r#"{"keyside":1,"type":"ready"}"#);
    assert_eq!(
        ToHost::Height { height: 412 }.to_json(),
        r#"{"keyside":1,"type":"height","height":412}"#
    );
    let title = "a \"title\"".to_owned();
    assert_eq!(
        ToHost::Shown { title }.to_json(),
        r#"{"keyside":1,"type":"shown","title":"a \"title\""}"#
    );
    let message = "no".to_owned();
    assert_eq!(
        ToHost::Error { message }.to_json(),
        r#"{"keyside":1,"type":"error","message":"no"}"#
    );
}

fn received(kind: &str) -> Received {
    Received {
        keyside: Some(1.0),
        kind: Some(kind.into()),
        ..Received::default()
    }
}

#[test]
fn messages_from_the_host() {
    let result = Received {
        name: Some("my\u{7}.json".into()),
        text: Some("{}".into()),
        ..received("result")
    };
    let read = FromHost::read(result.clone()).expect("valid");
    let text = "{}".to_owned();
    assert_eq!(
        read,
        Some(FromHost::Result {
            name: "my.json".into(),
            text
        })
    );
    let Ok(Some(FromHost::Result { name, .. })) = FromHost::read(Received { name: None, ..result }) else {
        panic!("a name is not needed");
    };
    assert_eq!(name, "this page");
    for appearance in Appearance::ALL {
        let theme = Received {
            theme: Some(appearance.value().into()),
            ..received("theme")
        };
        assert_eq!(FromHost::read(theme), Ok(Some(FromHost::Theme(appearance))));
    }
}

#[test]
fn other_messages_are_ignored_and_broken_ones_refused() {
    let other_versions = [None, Some(0.0), Some(2.0), Some(f64::NAN), Some(1.5)];
    for keyside in other_versions {
        let message = Received {
            keyside,
            ..received("theme")
        };
        assert_eq!(FromHost::read(message), Ok(None), "{keyside:?}");
    }
    assert_eq!(FromHost::read(received("ready")), Ok(None));
    assert_eq!(FromHost::read(received("want")), Ok(Some(FromHost::Want)));
    assert_eq!(FromHost::read(Received::default()), Ok(None));
    for kind in ["result", "theme"] {
        let error = FromHost::read(received(kind)).expect_err(kind);
        assert!(error.cause.contains("the page around this figure"), "{error}");
    }
    let large = Received {
        text: Some("x".repeat(MAX_BYTES + 1)),
        ..received("result")
    };
    assert!(
        FromHost::read(large)
            .expect_err("too large")
            .expected
            .contains("64 MiB")
    );
}

#[test]
fn only_the_parent_is_listened_to_and_always_the_same_origin() {
    let mut host = Host::default();
    assert!(host.may_say(true, "https://a.example") && host.may_say(true, "https://b.example"));
    assert!(!host.may_say(false, "https://a.example"));
    host.has_spoken("https://a.example");
    host.has_spoken("https://b.example");
    assert!(host.may_say(true, "https://a.example"));
    assert!(!host.may_say(true, "https://b.example"));
    let host = Host::new(Some("https://a.example".into()));
    assert!(host.may_say(true, "https://a.example"));
    for other in [
        "https://b.example",
        "http://a.example",
        "https://a.example:8443",
        "null",
        "",
    ] {
        assert!(!host.may_say(true, other), "{other}");
    }
}

#[test]
fn words_go_to_a_known_origin_alone() {
    let title = ToHost::Shown { title: "GPT-2".into() };
    let height = ToHost::Height { height: 1 };
    let unknown = Host::default();
    assert_eq!((unknown.target(&height), unknown.target(&title)), (Some("*"), None));
    let opaque = Host::new(Some("null".into()));
    assert_eq!(
        (opaque.target(&ToHost::Ready), opaque.target(&title)),
        (Some("*"), None)
    );
    let known = Host::new(Some("https://a.example".into()));
    for message in [&height, &title, &ToHost::Ready] {
        assert_eq!(known.target(message), Some("https://a.example"));
    }
}

/// Answers every request with `status` and `pieces` chunks of `size` bytes.
struct Script {
    status: u16,
    pieces: usize,
    size: usize,
}

struct Pieces(VecDeque<usize>, Vec<u8>);

impl Body for Pieces {
    fn next(&mut self) -> LocalBoxFuture<'_, std::result::Result<Option<&[u8]>, String>> {
        Box::pin(async move {
            let Some(size) = self.0.pop_front() else {
                return Ok(None);
            };
            self.1 = vec![b'x'; size];
            Ok(Some(&self.1[..]))
        })
    }
}

impl Transport for Script {
    fn get<'a>(
        &'a self,
        url: &'a str,
        _: Option<&'a Range<u64>>,
    ) -> LocalBoxFuture<'a, std::result::Result<Answer, String>> {
        Box::pin(async move {
            if url.ends_with("/away") {
                return Err("no connection".into());
            }
            Ok(Answer {
                status: self.status,
                content_range: None,
                retry_after: None,
                rate_limit: None,
                encoding: None,
                redirected: false,
                label: None,
                body: Box::new(Pieces(vec![self.size; self.pieces].into(), Vec::new())),
            })
        })
    }

    fn sleep(&self, _: Duration) -> LocalBoxFuture<'_, ()> {
        Box::pin(async {})
    }

    fn stall_timeout(&self, _: Duration) -> LocalBoxFuture<'_, ()> {
        Box::pin(std::future::pending())
    }

    fn advice(&self, _url: &str) -> &'static str {
        "Check the connection."
    }
}

fn read(script: &Script, url: &str) -> Result<Vec<u8>> {
    block_on(read_result(script, url, "https://app.example/"))
}

#[test]
fn result_files_are_read_from_allowed_places_alone() {
    let script = Script {
        status: 200,
        pieces: 3,
        size: 5,
    };
    for url in ["https://b.example/r.json?x=1", "http://127.0.0.1:8081/r.json"] {
        assert_eq!(read(&script, url).expect(url).len(), 15);
    }
    for url in [
        "http://b.example/r.json",
        "data:application/json,{}",
        "javascript:alert(1)",
        "blob:x",
    ] {
        let error = read(&script, url).expect_err(url);
        assert_eq!(error.kind, ErrorKind::Source);
        assert!(error.to_string().contains("result file"), "{error}");
    }
    let error = read(&script, "https://b.example/away").expect_err("no connection");
    assert!(error.to_string().contains("no connection") && error.advice == "Check the connection.");
}

#[test]
fn answers_that_are_no_file_and_files_that_are_too_large_are_refused() {
    let missing = Script {
        status: 404,
        pieces: 1,
        size: 1,
    };
    let error = read(&missing, "https://b.example/r.json").expect_err("404");
    assert!(error.cause.contains("the server answered 404"), "{error}");
    let endless = Script {
        status: 200,
        pieces: 1 << 20,
        size: 1 << 20,
    };
    let error = read(&endless, "https://b.example/r.json").expect_err("too large");
    assert!(
        error.cause.contains("too large") && error.expected.contains("64 MiB"),
        "{error}"
    );
}

#[test]
fn a_frame_that_stays_low_has_a_lower_plot() {
    // Everything fits; heights are rounded up.
    assert_eq!(available_height(600.0, 400.0, 600.0), f64::INFINITY);
    assert_eq!(available_height(599.4, 400.0, 600.0), f64::INFINITY);
    assert_eq!(available_height(600.0, 400.0, f64::INFINITY), f64::INFINITY);
    assert_eq!(available_height(600.0, 400.0, 450.0), 250.0);
    // Not below the readable height.
    assert_eq!(available_height(600.0, 400.0, 100.0), LOWEST_PLOT);
}
