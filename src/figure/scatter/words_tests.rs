#![allow(clippy::unwrap_used)]

use super::super::of_group;
use super::*;
use crate::analysis::Array;
use crate::names::{HistogramId, SeriesId, SplitBy};

fn recorded() -> ResultFile {
    ResultFile::from_json(include_bytes!("../../../public/recorded/gpt2-small-10.7.json")).unwrap()
}

/// Puts `values` in place of those of a series.
fn set(result: &mut ResultFile, name: &str, values: Vec<f32>) {
    let parsed: PromptSeries = name.parse().unwrap();
    let sides = &mut result.substitution_mut().unwrap().series;
    let series = sides.get_mut(parsed.histogram.side()).get_mut(&parsed.series).unwrap();
    *series.values_mut(parsed.histogram) = Some(Array::vector(values));
}

/// The text about the kind that `view` asks for.
fn description(result: &ResultFile, view: &ScatterView) -> Option<String> {
    agreement(result, view, of_group(result, &view.list).as_deref())
}

fn view(x: &str, y: &str) -> ScatterView {
    ScatterView {
        x: Some(x.parse().unwrap()),
        y: Some(y.parse().unwrap()),
        ..ScatterView::default()
    }
}

#[test]
fn series_have_names_of_their_own() {
    let result = recorded();
    let mut names: Vec<String> = result
        .by_prompt()
        .iter()
        .map(|(series, _)| series_name(series))
        .collect();
    let count = names.len();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), count);
    let truth = PromptSeries::new(HistogramId::KeysFixedProbs, SeriesId::TrueProbability);
    assert_eq!(series_name(&truth), "true probability");
}

#[test]
fn what_is_told_is_of_the_values() {
    let result = recorded();
    let description = description(&result, &ScatterView::default()).unwrap();
    let pairs: Vec<(f64, f64)> = pairs(
        &result,
        &"keys_fixed_scores:W_U[IO]".parse().unwrap(),
        &"keys_fixed_scores:No patching".parse().unwrap(),
    )
    .into_iter()
    .map(|(_, pair)| pair)
    .collect();
    let found = Correlation::of(&pairs).unwrap();
    assert!(
        description.starts_with(&format!(
            "Over all prompts they rise and fall together: Pearson\u{2019}s r = {:.2} (n = 1,200",
            found.r
        )),
        "{description}"
    );
    assert!(
        description.contains(" is larger by ") && description.ends_with(" of 1,200 prompts."),
        "{description}"
    );
    assert!(summary(&result, &ScatterView::default(), None).ends_with(&description));
}

#[test]
fn what_is_not_known_is_not_said() {
    let mut result = recorded();
    let (x, y) = ("keys_fixed_scores:W_U[IO]", "keys_fixed_probs:W_U[S]");
    // Values that have nothing to do with each other, in different units.
    let drawn = |seed: usize| (0..1200).map(|i: usize| (i * seed % 1009) as f32).collect::<Vec<f32>>();
    set(&mut result, x, drawn(7919));
    set(&mut result, y, drawn(331));
    assert_eq!(description(&result, &view(x, y)), None);
    assert!(summary(&result, &view(x, y), None).ends_with("to the left."));
    // A series and itself.
    assert_eq!(description(&result, &view(x, x)), None);
    // Too few.
    set(&mut result, x, vec![1.0, 2.0, 3.0]);
    set(&mut result, y, vec![0.1, 0.2, 0.3]);
    assert_eq!(description(&result, &view(x, y)), None);
}

#[test]
fn prompts_that_are_chosen_by_their_values_make_no_correlation() {
    let result = recorded();
    let mut view = ScatterView::default();
    let all = description(&result, &view);
    view.list.least = Some(8.0);
    assert_eq!(description(&result, &view), all);
    view.list.group = Some((SplitBy::Order, 0));
    let description = description(&result, &view).unwrap();
    let n = result.split(SplitBy::Order)[0].prompts.len();
    assert!(
        description.starts_with("Over the prompts of this text and kind")
            && description.contains(&format!("(n = {n},")),
        "{description}"
    );
}
