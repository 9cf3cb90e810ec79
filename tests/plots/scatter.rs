//! Scatter plots: the picture, and that pointer and keyboard reach every prompt.

use std::collections::BTreeSet;

use keyside::figure::{Figure, View};
use keyside::plot::{DrawOptions, Plot, SVG_SIZE, Scene, Step, Target, Theme, plot_svg};

use super::{compare_all, hover, recorded};

fn plot(view: &View) -> Plot {
    let result = recorded();
    Figure::named(&result, "scatter", view).unwrap().plot(&result).unwrap()
}

/// A few prompts of one kind, with one that is picked.
fn few() -> View {
    let mut view = View {
        prompt: Some(7),
        ..View::default()
    };
    view.scatter.x = Some("keys_fixed_probs:W_U[IO]".parse().unwrap());
    view.scatter.y = Some("queries_fixed_scores:W_EE[IO]".parse().unwrap());
    view.scatter.list.least = Some(0.9);
    view
}

#[test]
fn scatters_match_their_snapshots() {
    compare_all([
        (
            "recorded-scatter.svg".to_owned(),
            plot_svg(&plot(&View::default()), SVG_SIZE, &Theme::light()).unwrap(),
        ),
        (
            "phone-dark-scatter.svg".to_owned(),
            plot_svg(&plot(&few()), (358, 360), &Theme::dark()).unwrap(),
        ),
    ]);
}

#[test]
fn keys_lead_to_every_prompt_that_is_listed() {
    for view in [View::default(), few()] {
        let plot = plot(&view);
        let options = DrawOptions::canvas(1.0, Theme::light());
        let scene = Scene::new(plot.clone(), 1000.0, plot.height(1000.0), &options);
        for (steps, first) in [
            ([Step::Right, Step::Left], Step::First),
            ([Step::Up, Step::Down], Step::First),
        ] {
            // Up and down begin where they stand: from the bottom.
            let mut at = scene.step(None, first);
            loop {
                let next = scene.step(at, steps[1]);
                if next == at {
                    break;
                }
                at = next;
            }
            let mut walked = BTreeSet::new();
            loop {
                let Some(Target::Dot(prompt)) = at else {
                    panic!("{at:?}")
                };
                assert!(walked.insert(prompt), "{prompt} twice");
                let next = scene.step(at, steps[0]);
                if next == at {
                    break;
                }
                at = next;
            }
            let reached: BTreeSet<usize> = (0..1200)
                .filter(|prompt| scene.hover(Target::Dot(*prompt)).is_some())
                .collect();
            assert_eq!(walked, reached);
            assert!(reached.len() == 1200 || reached.contains(&7) && reached.len() < 1200);
        }
        if view.prompt.is_some() {
            assert_eq!(
                scene.step(None, Step::Right),
                Some(Target::Dot(7)),
                "keys begin where the mark is"
            );
        }
    }
}

#[test]
fn a_mark_is_found_where_it_is() {
    let plot = plot(&View::default());
    let options = DrawOptions::canvas(1.0, Theme::light());
    for width in [1000.0, 358.0] {
        let scene = Scene::new(plot.clone(), width, plot.height(width), &options);
        for prompt in (0..1200).step_by(37) {
            let found = scene.hover(Target::Dot(prompt)).unwrap();
            let (x, y) = found.mark.center();
            let pointed = hover(&scene, x, y).unwrap();
            // Marks may lie over each other: then the one that is found has the same values but for a hair.
            let (other_x, other_y) = pointed.mark.center();
            assert!((x - other_x).hypot(y - other_y) < 0.5, "{prompt} at {width}");
            assert_eq!(found.lines.len(), 3, "{:?}", found.lines);
            assert!(
                found.lines[1].starts_with("W_U[IO] (score, keys fixed): "),
                "{:?}",
                found.lines
            );
        }
        assert_eq!(hover(&scene, 1.0, 1.0), None);
        assert_eq!(scene.hover(Target::Dot(1200)), None);
    }
}

#[test]
fn it_can_be_drawn_at_any_size() {
    for size in [(40, 30), (0, 0), (1, 2000), (2000, 100)] {
        let svg = plot_svg(&plot(&few()), size, &Theme::dark()).unwrap();
        assert!(svg.contains("</svg>") && !svg.contains("NaN"), "{size:?}");
    }
}
