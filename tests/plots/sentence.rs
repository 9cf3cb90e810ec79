//! Plots of one sentence: its tokens, and matrices of named cells.

use std::collections::BTreeSet;

use keyside::figure::{Figure, View};
use keyside::names::Side;
use keyside::plot::{DrawOptions, Plot, SVG_SIZE, Scene, Step, Target, Theme, plot_svg};
use keyside::result::ResultFile;

use super::{compare_all, hover};

/// Width of a column of the page.
const COLUMN: u32 = 330;

fn sentence() -> ResultFile {
    ResultFile::from_json(include_bytes!("../fixtures/tiny-sentence-2.1.json")).unwrap()
}

fn figures(result: &ResultFile, view: &View) -> Vec<(String, Plot)> {
    let figures = Figure::all(result, view).into_iter();
    figures
        .map(|figure| (figure.id().to_string(), figure.plot(result).unwrap()))
        .collect()
}

/// `plot` as a page shows it: without its title, as high as suits `width`.
fn on_page(plot: &Plot, width: f64) -> Scene {
    let options = DrawOptions {
        title: false,
        ..DrawOptions::canvas(1.0, Theme::light())
    };
    Scene::new(plot.clone(), width, plot.height(width), &options)
}

fn plot(name: &str, view: &View) -> Plot {
    let found = figures(&sentence(), view).into_iter().find(|(id, _)| id == name);
    found.unwrap().1
}

#[test]
fn figures_of_a_sentence_match_their_snapshots() {
    let mut snapshots = Vec::new();
    for (name, plot) in figures(&sentence(), &View::default()) {
        let size = if name == "tokens" {
            plot.picture_size()
        } else {
            SVG_SIZE
        };
        let svg = plot_svg(&plot, size, &Theme::light()).unwrap();
        snapshots.push((format!("sentence-{name}.svg"), svg));
        let width = if name == "tokens" { 390 } else { COLUMN };
        let size = (width, plot.height(f64::from(width)) as u32 + 40);
        let svg = plot_svg(&plot, size, &Theme::dark()).unwrap();
        snapshots.push((format!("sentence-narrow-dark-{name}.svg"), svg));
    }
    assert_eq!(snapshots.len(), 2 * 7);
    compare_all(snapshots);
}

#[test]
fn every_cell_and_token_can_be_pointed_at_and_walked_to() {
    for (name, plot) in figures(&sentence(), &View::default()) {
        for width in [f64::from(COLUMN), 1000.0] {
            let height = plot.height(width);
            let scene = on_page(&plot, width);
            let mut pointed: Vec<Target> = Vec::new();
            for y in (0..height as usize).step_by(3) {
                for x in (0..width as usize).step_by(3) {
                    let found = hover(&scene, x as f64, y as f64);
                    let Some(found) = found.filter(|found| !pointed.contains(&found.target)) else {
                        continue;
                    };
                    assert!(
                        found.lines.iter().all(|line| !line.is_empty()),
                        "{name}: {:?}",
                        found.lines
                    );
                    assert!(found.mark.left >= 0.0 && found.mark.right <= width, "{name}");
                    assert!(found.mark.top >= 0.0 && found.mark.bottom <= height, "{name}");
                    pointed.push(found.target);
                }
            }
            let expected = match name.as_str() {
                "tokens" => 14,
                "heads" => 3 * 4,
                "pattern" => 14 * 15 / 2,
                "layer" => 4,
                // W_E, W_pos and the bias, then heads, MLP and b_O of two layers.
                "writers" => 3 + 2 * 6,
                // W_U of the source, of other, random and named tokens, an earlier head, the residual stream.
                "dots" => 6,
                _ => 4 * 4,
            };
            assert_eq!(pointed.len(), expected, "{name} at {width}");
            // From anywhere, keys lead to each of them.
            let (mut walked, mut open) = (Vec::new(), vec![scene.step(None, Step::Right).unwrap()]);
            while let Some(target) = open.pop() {
                if !walked.contains(&target) {
                    walked.push(target);
                    let steps = [Step::Left, Step::Right, Step::Up, Step::Down, Step::First, Step::Last];
                    open.extend(steps.into_iter().filter_map(|step| scene.step(Some(target), step)));
                }
            }
            let texts = |targets: &[Target]| -> BTreeSet<String> {
                targets.iter().map(|target| format!("{target:?}")).collect()
            };
            assert_eq!(texts(&walked), texts(&pointed), "{name} at {width}");
        }
    }
}

#[test]
fn tokens_say_where_the_head_looks() {
    let plot = plot("tokens", &View::default());
    let scene = on_page(&plot, 1000.0);
    let said = |position: usize| scene.hover(Target::Token(position)).unwrap().lines;
    assert_eq!(said(1)[0], "\u{b7}Mary (position 1, token 657)");
    assert!(
        said(1)[1].starts_with("attention ") && said(1)[2].starts_with("score "),
        "{:?}",
        said(1)
    );
    assert_eq!(scene.step(None, Step::Right), Some(Target::Token(12)));
    assert_eq!(scene.hover(Target::Token(14)), None);
    // In one line there is nothing above; in several, keys lead from line to line.
    assert_eq!(scene.step(Some(Target::Token(3)), Step::Up), Some(Target::Token(3)));
    let narrow = on_page(&plot, 200.0);
    let below = narrow.step(Some(Target::Token(1)), Step::Down).unwrap();
    assert_ne!(below, Target::Token(1));
    let back = narrow.step(Some(below), Step::Up).unwrap();
    assert!(narrow.hover(back).unwrap().mark.top < narrow.hover(below).unwrap().mark.top);
}

#[test]
fn tokens_after_the_query_are_not_seen() {
    let mut result = sentence();
    let text = result.to_json().unwrap();
    assert!(text.contains("\"dest\":13,\"src\":12"));
    let mut file: serde_json::Value = serde_json::from_str(&text).unwrap();
    let attention = &mut file["sections"][0];
    let scores: Vec<serde_json::Value> = attention["scores"]["data"].as_array().unwrap().clone();
    let seen = scores.chunks(14).flat_map(|row| row[..3].to_vec());
    attention["scores"] = serde_json::json!({"shape": [3, 4, 3], "data": seen.collect::<Vec<_>>()});
    (attention["dest"], attention["src"]) = (2.into(), 2.into());
    result = super::results::read(&file).unwrap();
    let plot = figures(&result, &View::default()).swap_remove(0).1;
    let lines = on_page(&plot, 1000.0).hover(Target::Token(3)).unwrap().lines;
    assert_eq!(lines[1..], ["after the query, which does not see it"]);
    // A token that looks at itself has one frame.
    let svg = plot_svg(&plot, (1000, 200), &Theme::light()).unwrap();
    assert!(svg.contains("query") && !svg.contains(">\nkey\n<"), "{svg}");
}

#[test]
fn figures_of_a_sentence_can_be_drawn_at_any_size() {
    let view = View {
        sentence: keyside::figure::SentenceView {
            side: Side::Query,
            measure: keyside::figure::Measure::Score,
            dots: keyside::names::HistogramId::QueriesFixedProbs,
            rows: Some(keyside::figure::ComponentGroup::Layer(1)),
            ..Default::default()
        },
        ..View::default()
    };
    for (name, plot) in figures(&sentence(), &view) {
        for size in [(1000, 600), (330, 420), (40, 30), (0, 0), (1, 2000)] {
            let svg = plot_svg(&plot, size, &Theme::dark()).unwrap();
            assert!(svg.contains("</svg>") && !svg.contains("NaN"), "{name} at {size:?}");
        }
    }
}
