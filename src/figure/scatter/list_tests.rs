#![allow(clippy::unwrap_used)]

use super::*;
use crate::analysis::Array;
use crate::names::SplitBy;
use crate::prompts::Prompt;

fn recorded() -> ResultFile {
    ResultFile::from_json(include_bytes!("../../../public/recorded/gpt2-small-10.7.json")).unwrap()
}

/// The recorded run with texts: its prompts have none.
fn with_texts() -> ResultFile {
    let mut result = recorded();
    let prompt = |number: usize| Prompt {
        text: format!(
            "{} went to the store, number {number}",
            if number.is_multiple_of(3) { "Mary" } else { "John" }
        ),
        ..Prompt::default()
    };
    result.prompts = (0..1200).map(prompt).collect();
    result
}

fn series(text: &str) -> PromptSeries {
    text.parse().unwrap()
}

/// Puts `values` in place of those of a series.
fn set(result: &mut ResultFile, series_name: &PromptSeries, values: Vec<f32>) {
    let sides = &mut result.substitution_mut().unwrap().series;
    let series = sides
        .get_mut(series_name.histogram.side())
        .get_mut(&series_name.series)
        .unwrap();
    *series.values_mut(series_name.histogram) = Some(Array::vector(values));
}

fn listed(result: &ResultFile, list: ListView) -> PromptList {
    let view = ScatterView {
        list,
        ..ScatterView::default()
    };
    let group = of_group(result, &view.list);
    PromptList::of(result, &view, group.as_deref())
}

#[test]
fn all_prompts_are_listed_by_number_at_first() {
    let list = listed(&recorded(), ListView::default());
    assert_eq!(list.prompts, (0..1200).collect::<Vec<_>>());
    assert_eq!(list.description(), "1,200 of 1,200 prompts");
    let last_first = listed(
        &recorded(),
        ListView {
            descending: true,
            ..ListView::default()
        },
    );
    assert_eq!(last_first.prompts, (0..1200).rev().collect::<Vec<_>>());
}

#[test]
fn every_series_can_be_sorted_by_both_ways() {
    let result = recorded();
    for (series, values) in result.by_prompt() {
        let list = |descending| {
            let list = ListView {
                sort: Some(series.clone()),
                descending,
                ..ListView::default()
            };
            listed(&result, list).prompts
        };
        let (up, down) = (list(false), list(true));
        assert!(up.windows(2).all(|two| values[two[0]] <= values[two[1]]), "{series}");
        assert!(down.windows(2).all(|two| values[two[0]] >= values[two[1]]), "{series}");
        // Equal values stand by number, so that a list is the same every time.
        assert!(
            up.windows(2)
                .all(|two| values[two[0]] < values[two[1]] || two[0] < two[1]),
            "{series}"
        );
        let mut all = up.clone();
        all.sort_unstable();
        assert_eq!(all, (0..1200).collect::<Vec<_>>(), "{series}");
    }
}

#[test]
fn texts_values_and_kinds_leave_prompts_out() {
    let result = with_texts();
    let of_mary = ListView {
        text: " mary WENT ".into(),
        ..ListView::default()
    };
    assert_eq!(listed(&result, of_mary.clone()).description(), "400 of 1,200 prompts");
    // A run without texts can't be searched: nothing is left out.
    assert_eq!(listed(&recorded(), of_mary.clone()).prompts.len(), 1200);

    let of_io = series("keys_fixed_scores:W_U[IO]");
    let values = result.values_by_prompt(&of_io).unwrap();
    let bounded = ListView {
        bounded_series: Some(of_io.clone()),
        least: Some(5.0),
        most: Some(9.0),
        ..ListView::default()
    };
    let list = listed(&result, bounded.clone());
    let within = |prompt: &usize| (5.0..=9.0).contains(&values[*prompt]);
    assert!(list.prompts.iter().all(within) && !list.prompts.is_empty());
    assert_eq!(list.prompts.len(), (0..1200).filter(within).count());

    let both = ListView {
        text: of_mary.text,
        ..bounded
    };
    let expected = (0..1200).filter(|prompt| within(prompt) && prompt.is_multiple_of(3));
    assert_eq!(listed(&result, both).prompts, expected.collect::<Vec<_>>());

    let result = recorded();
    for by in SplitBy::ALL {
        let mut all = 0;
        for (number, group) in result.split(by).into_iter().enumerate() {
            let list = ListView {
                group: Some((by, number)),
                ..ListView::default()
            };
            let list = listed(&result, list);
            assert_eq!(list.prompts, group.prompts);
            all += list.prompts.len();
        }
        assert_eq!(all, 1200, "{by}");
    }
}

#[test]
fn what_a_result_does_not_have_leaves_nothing_out() {
    let result = recorded();
    let list = ListView {
        sort: Some(series("keys_fixed_scores:another")),
        group: Some((SplitBy::Order, 7)),
        ..ListView::default()
    };
    assert_eq!(listed(&result, list).prompts, (0..1200).collect::<Vec<_>>());
    let nothing = ListView {
        least: Some(1e9),
        ..ListView::default()
    };
    assert_eq!(listed(&result, nothing).description(), "0 of 1,200 prompts");
}

#[test]
fn prompts_without_a_value_come_last() {
    let mut result = recorded();
    let of_io = series("keys_fixed_scores:W_U[IO]");
    let first = result.values_by_prompt(&of_io).unwrap()[..40].to_vec();
    set(&mut result, &of_io, first);
    for descending in [false, true] {
        let list = ListView {
            sort: Some(of_io.clone()),
            descending,
            ..ListView::default()
        };
        let prompts = listed(&result, list).prompts;
        assert!(prompts[..40].iter().all(|prompt| *prompt < 40), "{descending}");
        assert_eq!(prompts[40..], (40..1200).collect::<Vec<_>>(), "{descending}");
    }
}

#[test]
fn axes_are_those_asked_for_or_the_claim_and_the_stream() {
    let result = recorded();
    let usual = axes(&result, &ScatterView::default()).unwrap();
    assert_eq!(usual.0, series("keys_fixed_scores:W_U[IO]"));
    assert_eq!(usual.1, series("keys_fixed_scores:No patching"));
    let view = ScatterView {
        x: Some(series("keys_fixed_scores:No patching")),
        y: Some(series("keys_fixed_scores:another")),
        ..ScatterView::default()
    };
    let (x, y) = axes(&result, &view).unwrap();
    assert!(x == series("keys_fixed_scores:No patching") && y != x);
    let sentence = ResultFile::from_json(include_bytes!("../../../tests/fixtures/tiny-sentence-2.1.json")).unwrap();
    assert_eq!(axes(&sentence, &ScatterView::default()), None);
}

#[test]
fn the_list_has_a_column_of_all_that_it_is_about() {
    let result = recorded();
    let mut view = ScatterView::default();
    assert_eq!(columns(&result, &view).len(), 2);
    view.list.sort = Some(series("keys_fixed_probs:W_U[S]"));
    view.list.bounded_series = Some(series("queries_fixed_scores:W_EE[IO]"));
    assert_eq!(columns(&result, &view).len(), 3, "nothing is left out by the last one");
    view.list.least = Some(0.0);
    assert_eq!(columns(&result, &view).len(), 4);
}
