//! Figures as HTML fragments: for every figure of several results the fragment is complete, small, sends no requests,
//! and has the values of the result.
#![allow(clippy::unwrap_used)]

use std::collections::{BTreeMap, BTreeSet};

use keyside::figure::{Figure, View, web_page};
use keyside::names::{HeatmapId, HistogramId, SeriesId};
use keyside::plot::{DrawOptions, Scene, Sheet, Theme};
use keyside::result::{BoxStats, ResultFile};
use serde_json::Value;

/// Most bytes of a figure besides its data.
const LARGEST: usize = 150 * 1024;

fn results() -> Vec<ResultFile> {
    let files: [&[u8]; 5] = [
        include_bytes!("../public/recorded/gpt2-small-10.7.json"),
        include_bytes!("../public/recorded/gpt2-small-head-effects.json"),
        include_bytes!("fixtures/tiny-sentence-2.1.json"),
        include_bytes!("fixtures/tiny-so-what-2.1.json"),
        include_bytes!("fixtures/tiny-causes-2.1.json"),
    ];
    files.map(|file| ResultFile::from_json(file).unwrap()).into()
}

fn figure(result: &ResultFile, name: &str) -> Figure {
    Figure::named(result, name, &View::default()).unwrap()
}

/// The text between `start` and `end` in `text`.
fn between<'a>(text: &'a str, start: &str, end: &str) -> &'a str {
    let (_, rest) = text.split_once(start).unwrap_or_else(|| panic!("no {start}"));
    rest.split_once(end).unwrap_or_else(|| panic!("no {end}")).0
}

const DATA: &str = "data-part=\"data\">";

fn data(fragment: &str) -> Value {
    serde_json::from_str(between(fragment, DATA, "</script>")).unwrap()
}

/// The lines of target `target`.
fn lines(target: &Value) -> Vec<&str> {
    let lines = target["lines"].as_array().unwrap();
    lines.iter().map(|line| line.as_str().unwrap()).collect()
}

fn number(text: &str) -> f64 {
    text.replace('\u{2212}', "-").replace(',', "").parse().unwrap()
}

/// Fails unless every element of `html` ends where it should. What stands in scripts and styles is no HTML.
fn check_elements(html: &str) {
    let mut open: Vec<&str> = Vec::new();
    let mut rest = html;
    let mut count = 0;
    while let Some((_, tag)) = rest.split_once('<') {
        let (inside, after) = tag.split_once('>').unwrap();
        rest = after;
        count += 1;
        if let Some(name) = inside.strip_prefix('/') {
            assert_eq!(open.pop(), Some(name), "an element ends that another one is in");
            continue;
        }
        let name = inside.split([' ', '/']).next().unwrap();
        if inside.ends_with('/') {
            continue;
        }
        open.push(name);
        if matches!(name, "script" | "style") {
            let end = rest.find(&format!("</{name}>")).unwrap();
            rest = &rest[end..];
        }
    }
    assert!(open.is_empty() && count > 10, "{open:?} are open, of {count}");
}

#[test]
fn every_figure_is_whole_small_and_alone() {
    let (mut looked_at, mut classes) = (0, BTreeMap::new());
    for result in results() {
        for figure in Figure::all(&result, &View::default()) {
            let name = figure.id().to_string();
            let fragment = figure.fragment(&result).unwrap();
            check_elements(&fragment);
            let beside = fragment.len() - between(&fragment, DATA, "</script>").len();
            assert!(beside <= LARGEST, "{name}: {beside} bytes besides its data");
            // SVG's namespace is the only address that a figure could have, and HTML needs none.
            for outside in [
                "://",
                " src=",
                " href=",
                "url(",
                "@import",
                "import(",
                "fetch(",
                " id=",
                "XMLHttp",
                "localStorage",
                "document.body",
                "window.",
            ] {
                assert!(!fragment.contains(outside), "{name} has {outside}");
            }
            let class = between(&fragment, "<div class=\"", "\"").to_owned();
            // Every rule is of the figure's own class.
            let style = between(&fragment, "<style>", "</style>");
            let rules = style.matches('{').count() - style.matches("@media").count();
            assert!(
                style.matches(&format!(".{class}")).count() >= rules && rules > 20,
                "{name}: {rules} rules"
            );
            assert_eq!(
                fragment,
                figure.fragment(&result).unwrap(),
                "{name} is another one each time"
            );
            let same = classes.entry(class).or_insert_with(|| fragment.clone());
            assert_eq!(*same, fragment, "{name} has the class of another figure");
            looked_at += 1;
        }
    }
    assert!(looked_at >= 40 && classes.len() >= 40, "{looked_at} figures");
}

#[test]
fn what_is_said_is_what_the_page_says() {
    let mut said = 0;
    for result in results() {
        for figure in Figure::all(&result, &View::default()) {
            let plot = figure.plot(&result).unwrap();
            let sheet = Sheet::of(&plot, 820).unwrap();
            let data = data(&figure.fragment(&result).unwrap());
            let targets = data["targets"].as_array().unwrap();
            assert_eq!(targets.len(), sheet.targets.len());
            assert!(!targets.is_empty(), "{}", figure.id());
            if sheet.switches.is_some() {
                continue;
            }
            // Where nothing can be hidden, the page's own scene has the same targets.
            let options = DrawOptions {
                legend: false,
                title: false,
                ..DrawOptions::canvas(8.0, Theme::dark())
            };
            let scene = Scene::new(plot, sheet.size.0.into(), sheet.size.1.into(), &options);
            for (target, laid_out) in targets.iter().zip(&sheet.targets) {
                let hover = scene.hover(laid_out.hover.target).unwrap();
                assert_eq!(lines(target), hover.texts());
                // The target at the center of a mark is the mark, or another mark above it.
                let met = scene.target_at(hover.mark.center());
                assert!(
                    met.is_some(),
                    "{}: nothing is at {:?}",
                    figure.id(),
                    laid_out.hover.target
                );
                said += 1;
            }
        }
    }
    assert!(said > 3000, "{said} parts");
}

#[test]
fn cells_have_the_values_of_the_result() {
    let result = &results()[0];
    let data = data(&figure(result, "heatmap_key").fragment(result).unwrap());
    let heatmap = result.heatmap(&HeatmapId::KEY).unwrap();
    let found: Vec<f64> = data["targets"]
        .as_array()
        .unwrap()
        .iter()
        .map(|target| number(lines(target)[1].strip_prefix("contribution ").unwrap()))
        .collect();
    let mut expected: Vec<f64> = heatmap.mean.data().iter().map(|value| f64::from(*value)).collect();
    assert_eq!(found.len(), expected.len());
    let mut found = found;
    found.sort_by(f64::total_cmp);
    expected.sort_by(f64::total_cmp);
    for (found, expected) in found.iter().zip(&expected) {
        assert!((found - expected).abs() <= 5.1e-5, "{found} instead of {expected}");
    }
}

#[test]
fn bars_and_boxes_have_the_values_of_the_result() {
    let result = &results()[0];
    for name in HistogramId::ALL {
        let fragment = figure(result, name.as_str()).fragment(result).unwrap();
        let data = data(&fragment);
        let legend = data["legend"]["series"].as_array().unwrap();
        assert_eq!(
            legend.len(),
            result.series(name).len() + usize::from(!result.true_values(name).is_empty())
        );
        for (index, series) in legend.iter().enumerate() {
            let label = series["label"].as_str().unwrap();
            let values = result.values(name, &SeriesId::from(label));
            assert!(!values.is_empty(), "{label}");
            let targets = data["targets"].as_array().unwrap();
            let bins = targets.iter().filter(|target| target["row"].is_null());
            let counts: Vec<usize> = bins
                .flat_map(lines)
                .filter_map(|line| line.strip_prefix(label)?.strip_prefix(": ")?.parse().ok())
                .collect();
            assert_eq!(counts.iter().sum::<usize>(), values.len(), "{label}");
            assert_eq!(
                counts.iter().max(),
                series["largest"].as_u64().map(|largest| largest as usize).as_ref()
            );
            let of_box = targets.iter().find(|target| target["row"] == index).unwrap();
            let stats = BoxStats::of(values).unwrap();
            let said = lines(of_box);
            for (line, start, value) in [(1, "mean ", stats.mean), (2, "median ", stats.median)] {
                let found = number(said[line].strip_prefix(start).unwrap());
                assert!((found - value).abs() <= 5.1e-5, "{label}: {found} instead of {value}");
            }
            // Shown at first as on the page: the button and both groups say so.
            let shown = series["shown"].as_bool().unwrap();
            assert_eq!(
                shown,
                keyside::plot::series_starts_visible(&SeriesId::from(label)),
                "{label}"
            );
            assert!(fragment.contains(&format!("data-series=\"{index}\" aria-pressed=\"{shown}\"")));
            assert_eq!(
                fragment.contains(&format!("<g data-group=\"b{index}\" display=\"none\">")),
                !shown
            );
            assert_eq!(
                fragment.contains(&format!("<g data-group=\"x{index}\" display=\"none\">")),
                !shown
            );
        }
        let axes = fragment.matches("<g data-group=\"c").count();
        let hidden = fragment
            .split("<g data-group=\"c")
            .skip(1)
            .filter(|rest| rest.split('>').next().unwrap().contains("none"));
        assert_eq!(hidden.count() + 1, axes, "one axis of counts is shown");
    }
}

#[test]
fn keys_lead_to_every_part_and_to_nothing_else() {
    let result = &results()[0];
    for name in ["keys_fixed_scores", "heatmap_key", "scatter"] {
        let data = data(&figure(result, name).fragment(result).unwrap());
        let targets = data["targets"].as_array().unwrap();
        let mut reached: BTreeSet<u64> = data["first"]
            .as_array()
            .unwrap()
            .iter()
            .filter_map(Value::as_u64)
            .collect();
        let mut due: Vec<u64> = reached.iter().copied().collect();
        while let Some(at) = due.pop() {
            for to in targets[at as usize]["steps"].as_array().unwrap() {
                let to = to.as_u64().unwrap();
                if reached.insert(to) {
                    due.push(to);
                }
            }
        }
        assert_eq!(reached.len(), targets.len(), "{name}");
        assert!(reached.iter().all(|to| (*to as usize) < targets.len()));
    }
}

#[test]
fn texts_of_a_result_are_no_html() {
    let mut result = results().swap_remove(3);
    let evil = "</script><img src=x onerror=\"alert(1)\">&\"'<!--";
    result.model.name = evil.to_owned();
    let text = serde_json::to_string(&serde_json::from_str::<Value>(&result.to_json().unwrap()).unwrap()).unwrap();
    let quoted = serde_json::to_string(evil).unwrap();
    let text = text.replace("\" Mary\"", &quoted).replace("\" John\"", &quoted);
    let result = ResultFile::from_json(text.as_bytes()).unwrap();
    let figures = Figure::all(&result, &View::default());
    let page = web_page(&result, &figures).unwrap();
    assert!(page.contains("&lt;/script&gt;&lt;img src=x onerror=&quot;alert(1)&quot;&gt;&amp;"));
    assert!(page.matches("\\u003c/script>").count() > 5, "no token is in the data");
    assert!(!page.contains("<img") && !page.contains("<!--"));
    assert_eq!(page.matches("<script").count(), 2 * figures.len());
    assert_eq!(page.matches("</script>").count(), 2 * figures.len());
    for figure in &figures {
        check_elements(&figure.fragment(&result).unwrap());
    }
}
