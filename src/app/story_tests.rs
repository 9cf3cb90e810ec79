use std::collections::BTreeMap;

use super::*;
use crate::analysis::Heatmap;
use crate::app::partial;
use crate::names::{Head, HeatmapId};
use crate::plot::HeatmapView;
use crate::result::at_once;

const ALL: [HistogramId; 4] = HistogramId::ALL;
const SCORES: HistogramId = HistogramId::KeysFixedScores;
const PROBS: HistogramId = HistogramId::KeysFixedProbs;
const KEY_SCORES: HistogramId = HistogramId::QueriesFixedScores;

fn recorded() -> ResultFile {
    let bytes = include_bytes!("../../public/recorded/gpt2-small-10.7.json");
    ResultFile::from_json(bytes).expect("the recorded run reads")
}

/// The recorded run with other series in `name`.
fn with(name: HistogramId, series: &[(&str, &[f32])]) -> ResultFile {
    let mut result = recorded();
    let section = result.substitution_mut().expect("recorded");
    for series in section.series.get_mut(name.side()).values_mut() {
        *series.values_mut(name) = None;
    }
    for (label, values) in series {
        section.extend(name, (*label).into(), values);
    }
    result
}

fn said(result: &ResultFile, name: HistogramId) -> String {
    histogram(result, name, &View::default(), &at_once(result)).join(" ")
}

/// Twelve prompts with the same value: enough for a comparison.
fn all(value: f32) -> Vec<f32> {
    vec![value; 12]
}

fn asked(result: &ResultFile) -> String {
    question(result, &at_once(result))
}

fn ended(result: &ResultFile) -> Vec<String> {
    ending(result, &at_once(result))
}

/// The recorded scores, as `view` shows them.
fn of_scores(view: &View) -> Vec<String> {
    let result = recorded();
    histogram(&result, SCORES, view, &at_once(&result))
}

#[test]
fn the_recorded_run_is_told_in_its_own_numbers() {
    let result = recorded();
    let mut description = vec![asked(&result)];
    description.extend(ALL.into_iter().map(|name| said(&result, name)));
    description.extend(ended(&result));
    description.extend(heatmap(&result, &HeatmapView::default(), None));
    let expected = [
        "Over 1,200 prompts, head 10.7 gives 68 % of END\u{2019}s attention to IO on average (95 % interval 67 to 69 %). \
         On average that is more than all other positions get together, and so it is in 935 of the prompts.",
        "W_U[IO] lies furthest right: put in the query\u{2019}s place, it gives a mean score of 10.52; second is NMH 9.9 \
         output with 5.99 (difference 4.53, 95 % interval 4.44 to 4.63, W_U[IO] higher in 1,195 of 1,200 prompts). The \
         query as it is (No patching) gives 4.41. That name gives more than another: W_U[IO] (10.52) lies above W_U[S] \
         (4.02) (difference 6.50, 95 % interval 6.38 to 6.63, W_U[IO] higher in 1,198 of 1,200 prompts). But W_U[S] alone \
         gives 91 % of what No patching gives, 4.41. W_U[random name] gives 2.86 and W_U[random] gives \u{2212}2.22. What \
         head 9.9 writes at END gives 5.99, from \u{2212}0.10 to 11.03 prompt by prompt.",
        "After the softmax W_U[IO] gives IO 99.7 % of the attention on average, and No patching 68 % (difference 32 \
         points, 95 % interval 31 to 33 points, W_U[IO] higher in 1,200 of 1,200 prompts). Of 1,200 prompts, IO gets more \
         than half of the attention in 1,200 with W_U[IO], 935 with No patching, 765 with W_U[S], 448 with W_U[random \
         name] and 35 with W_U[random].",
        "The key as it is (No patching) lies furthest right, with a mean score of 4.41; of what is put in its place, \
         W_EE[IO] comes nearest, with 3.50 (difference 0.91, 95 % interval 0.82 to 0.99, No patching higher in 866 of \
         1,200 prompts). On average the token after layer 0 alone gives more than its row of W_U: W_EE[IO] (3.50) lies \
         above W_E[IO] (2.53) (difference 0.97, 95 % interval 0.83 to 1.10, W_EE[IO] higher in 803 of 1,200 prompts).",
        "After the softmax W_EE[IO] gives IO 50 % of the attention on average, and No patching 68 % (difference 18 \
         points, 95 % interval 16 to 19 points, No patching higher in 866 of 1,200 prompts). Of 1,200 prompts, IO gets \
         more than half of the attention in 935 with No patching, 611 with W_EE[IO], 306 with W_E[IO] and 282 with \
         W_EE_subE[IO].",
        "On the query side W_U[IO] alone is more than enough for the score: on average it gives 10.52, 2.4 times the 4.41 \
         of No patching (difference 6.12, 95 % interval 6.03 to 6.20, W_U[IO] higher in 1,200 of 1,200 prompts). In \
         attention that is 99.7 % against 68 %. On average that is above W_U[S] (4.02), W_U[random name] (2.86) and \
         W_U[random] (\u{2212}2.22).",
        "On the key side W_EE[IO] alone gives most of the score, but not all: on average it gives 3.50, 79 % of the 4.41 \
         of No patching (difference 0.91, 95 % interval 0.82 to 0.99, No patching higher in 866 of 1,200 prompts). In \
         attention that is 50 % against 68 %. On average that is above W_E[IO] (2.53).",
        "MLP 7 (0.72), MLP 6 (0.66) and MLP 8 (0.51) add most, together 42 % of the mean score of 4.51 over 40 prompts; \
         head 0.11 (\u{2212}0.81) takes off most.",
        "Added up by kind, the MLPs give 4.11 net, 91 % of the score; embeddings and the bias 0.16 and the heads \
         \u{2212}0.60.",
    ];
    assert_eq!(description, expected);
}

#[test]
fn prompts_are_counted() {
    let result = with(
        PROBS,
        &[
            ("W_U[IO]", &[0.9, 0.8, 0.6]),
            ("No patching", &[0.9, 0.4, 0.5]),
            ("W_U[random]", &[0.0, 0.1, 0.2]),
        ],
    );
    assert_eq!(
        said(&result, PROBS),
        "After the softmax W_U[IO] gives IO 77 % of the attention on average, and No patching 60 %. Of 3 prompts, IO gets \
         more than half of the attention in 3 with W_U[IO], 1 with No patching and 0 with W_U[random]."
    );
    let result = with(PROBS, &[("No patching", &[0.9]), ("W_U[IO]", &[0.2])]);
    assert_eq!(
        said(&result, PROBS),
        "After the softmax W_U[IO] gives IO 20 % of the attention on average, and No patching 90 %. Of 1 prompt, IO gets \
         more than half of the attention in 1 with No patching and 0 with W_U[IO]."
    );
}

#[test]
fn a_claim_that_is_not_true_is_not_made() {
    let description = |io: f32, random: f32, base: f32| {
        let (io, random, base) = (all(io), all(random), all(base));
        let result = with(
            SCORES,
            &[("W_U[IO]", &io), ("W_U[random]", &random), ("No patching", &base)],
        );
        (said(&result, SCORES), ended(&result)[0].clone())
    };
    let (weak, end) = description(1.0, 2.0, 4.0);
    assert!(
        weak.contains("The query as it is (No patching) lies furthest right")
            && weak.contains("W_U[random] comes nearest, with 2.00")
            && weak.contains("The name is not what counts here: W_U[IO] (1.00) lies below W_U[random] (2.00)")
            && !weak.contains("It must be"),
        "{weak}"
    );
    assert!(
        end.contains("the data do not show that W_U[IO] explains anything of its own"),
        "{end}"
    );
    let (close, _) = description(4.0, 3.9, 4.0);
    assert!(
        close.contains("But W_U[random] alone gives 98 % of what No patching gives, 4.00."),
        "{close}"
    );
    assert!(
        close.contains("No series lies furthest right: No patching (4.00) and W_U[IO] (4.00) come out alike")
            || close.contains("No series lies furthest right: W_U[IO] (4.00) and No patching (4.00) come out alike"),
        "{close}"
    );
    let (_, end) = description(4.0, 0.0, 4.0);
    assert!(
        end.starts_with("On the query side W_U[IO] alone is enough for the score: on average it gives 4.00, as much as the 4.00 of No patching"),
        "{end}"
    );
    let (_, end) = description(1.0, 0.0, 4.0);
    assert!(
        end.contains("is not enough for the score: on average it gives 1.00, 25 % of the 4.00 of No patching"),
        "{end}"
    );

    // If the head does not attend to IO, there is nothing to compare with.
    let result = with(
        SCORES,
        &[
            ("W_U[IO]", &all(3.0)),
            ("W_U[random]", &all(-1.0)),
            ("No patching", &all(-2.0)),
        ],
    );
    let text = said(&result, SCORES);
    assert!(
        text.contains("W_U[IO] lies furthest right") && text.contains("second is W_U[random] with \u{2212}1.00"),
        "{text}"
    );
    let end = ended(&result);
    assert!(end.len() == 1 && end[0].starts_with("On the key side"), "{end:?}");

    let result = with(
        KEY_SCORES,
        &[
            ("W_E[IO]", &all(3.0)),
            ("W_EE[IO]", &all(1.0)),
            ("No patching", &all(4.0)),
        ],
    );
    let text = said(&result, KEY_SCORES);
    assert!(
        text.contains("gives less than its row of W_U") && text.contains("W_E[IO] comes nearest"),
        "{text}"
    );

    let result = with(PROBS, &[("No patching", &all(0.05)), ("W_U[IO]", &all(0.04))]);
    assert!(asked(&result).contains("hardly looks at IO"), "{}", asked(&result));
}

#[test]
fn too_few_prompts_conclude_nothing() {
    let five = |value: f32| vec![value; 5];
    let result = with(
        SCORES,
        &[
            ("W_U[IO]", &five(8.0)),
            ("W_U[random]", &five(1.0)),
            ("No patching", &five(4.0)),
        ],
    );
    assert_eq!(
        said(&result, SCORES),
        "W_U[IO] has the highest mean score of the series shown, 8.00; next comes No patching with 4.00. W_U[IO] (8.00) against \
         W_U[random] (1.00): too few prompts to say whether that is more than chance."
    );
    assert!(!ended(&result).iter().any(|text| text.contains("query side")));
}

#[test]
fn what_has_two_humps_is_told_as_two_groups() {
    let bytes = include_bytes!("../../tests/fixtures/second-name-head-1.4.json");
    let result = ResultFile::from_json(bytes).expect("a result");
    assert_eq!(
        asked(&result),
        "Over 400 prompts, head 1.4 gives 53 % of END\u{2019}s attention to IO on average, but that is a mean of two kinds of \
         prompts: the share falls into two groups: 189 prompts around 0.0 % and 211 around 100.0 %. The order of the names tells them \
         apart: with IO first (ABBA) 0 of 189 are in the upper group, with S first (BABA) 211 of 211."
    );
    let query = said(&result, SCORES);
    assert!(
        query.contains("falls into two groups") && query.contains("says nothing about what the query must contain"),
        "{query}"
    );
    let end = ended(&result);
    assert_eq!(end.len(), 2);
    for sentence in &end {
        assert!(
            sentence.contains("there is no one answer") && sentence.contains("two groups"),
            "{sentence}"
        );
    }
    for claim in [
        "more than all other positions",
        "It must be",
        "explains",
        "furthest right",
    ] {
        let all = [&asked(&result), &query, &said(&result, KEY_SCORES), &end.join(" ")];
        assert!(all.iter().all(|text| !text.contains(claim)), "{claim}: {all:?}");
    }
}

#[test]
fn no_share_is_told_of_what_is_near_0_or_negative() {
    // A mean of 0.1 of values around 10 and -10 that are not two groups.
    let spread: Vec<f32> = (0..40).map(|i| (i as f32 - 19.5) / 2.0 + 0.1).collect();
    let io: Vec<f32> = spread.iter().map(|value| value - 1.0).collect();
    let result = with(
        SCORES,
        &[("W_U[IO]", &io), ("W_U[random]", &io), ("No patching", &spread)],
    );
    let (text, end) = (said(&result, SCORES), ended(&result));
    assert!(
        !text.replace("95 %", "").contains('%') && end[0].starts_with("On the key side"),
        "{text} {end:?}"
    );
    // A negative score is described as negative, in the figure and in the summary.
    let result = with(
        SCORES,
        &[
            ("W_U[IO]", &all(-5.2)),
            ("W_U[random]", &all(-6.0)),
            ("No patching", &all(4.4)),
        ],
    );
    let text = said(&result, SCORES);
    assert!(
        text.contains("comes nearest, with \u{2212}5.20 (") && text.contains("Neither draws attention to IO"),
        "{text}"
    );
    let end = ended(&result);
    assert!(
        end[0].starts_with(
            "On the query side W_U[IO] alone is not enough for the score: on average it gives \u{2212}5.20, and not the 4.40 of No patching"
        ),
        "{end:?}"
    );
    // The cells of a heatmap nearly cancel.
    let mut result = recorded();
    let section = result.contributions_mut().expect("recorded");
    let heatmap = section.heatmaps.get_mut(&HeatmapId::KEY).expect("key");
    heatmap.mean_score = Some(0.05);
    let description = super::heatmap(&result, &HeatmapView::default(), None).join(" ");
    assert!(
        !description.contains('%') && description.contains("beside the mean score of 0.05"),
        "{description}"
    );
}

#[test]
fn what_is_hidden_is_not_said_to_lie_furthest_right() {
    let mut view = View::default();
    view.update_histogram(SCORES, |view| _ = view.toggled.insert("W_U[IO]".into()));
    let text = of_scores(&view).join(" ");
    assert!(text.starts_with("NMH 9.9 output lies furthest right"), "{text}");
    for label in ["NMH 9.9 output", "W_U[random]"] {
        view.update_histogram(SCORES, |view| _ = view.toggled.insert(label.into()));
    }
    let text = of_scores(&view)[0].clone();
    assert_eq!(text, "Only No patching is shown: its mean score is 4.41.");
    view.update_histogram(SCORES, |view| _ = view.toggled.insert("No patching".into()));
    let text = of_scores(&view)[0].clone();
    assert_eq!(text, "All series of this figure are hidden.");
}

/// For any data: no invalid numbers, and well-formed sentences.
fn check(result: &ResultFile) {
    let view = View::default();
    let compare = at_once(result);
    let mut all: Vec<String> = ALL
        .iter()
        .flat_map(|name| histogram(result, *name, &view, &compare))
        .collect();
    all.extend(heatmap(result, &view.heatmap, None));
    all.extend(ending(result, &compare));
    all.push(question(result, &compare));
    for sentence in all {
        assert!(!sentence.contains("NaN") && !sentence.contains("inf"), "{sentence}");
        assert!(
            !sentence.contains("  ") && !sentence.contains(" ,") && !sentence.contains(".."),
            "{sentence}"
        );
    }
}

#[test]
fn odd_data_are_told_too() {
    let full = recorded();
    let analysis = crate::analysis::Analysis {
        head: Head::new(1, 0),
        earlier_head: Head::new(0, 0),
        prompts: crate::prompts::IoiSet {
            seed: 0,
            batches: 3,
            batch_size: 2,
            prepend_bos: false,
        }
        .into(),
        ..crate::analysis::Analysis::default()
    };
    let empty = partial::empty(full.model.clone(), full.config.clone(), &analysis);
    check(&empty);
    assert!(asked(&empty).contains("first batch"), "{}", asked(&empty));
    check(&full);
    let odd: [&[(&str, &[f32])]; 6] = [
        &[],
        &[("No patching", &[])],
        &[("No patching", &[1.0])],
        &[("W_U[IO]", &[0.0])],
        &[("something else", &[f32::MAX, f32::MAX]), ("No patching", &[f32::MIN])],
        &[("W_U[IO]", &[f32::NAN, 1.0]), ("No patching", &[0.0])],
    ];
    for series in odd {
        for name in ALL {
            check(&with(name, series));
        }
    }
}

#[test]
fn odd_heatmaps_are_told_too() {
    let description = |rows: &[&str], columns: &[&str], values: Vec<Vec<f32>>, mean: f32, view: &HeatmapView| {
        let mut result = recorded();
        let map = Heatmap {
            mean_score: (!mean.is_nan()).then_some(mean),
            ..Heatmap::of_table(rows, columns, &values)
        };
        let section = result.contributions_mut().expect("recorded");
        section.heatmaps = BTreeMap::from([(HeatmapId::KEY, map)]);
        check(&result);
        heatmap(&result, view, None).join(" ")
    };
    let plain = HeatmapView::default();
    assert_eq!(
        description(&[], &[], Vec::new(), 1.0, &plain),
        "No cell adds to the score, and none takes anything off. There are no components before this head."
    );
    let columns = ["L.0", "MLP", "b_O"];
    let values = vec![vec![0.5, 0.0, -0.25], vec![0.0, 1.0, 2.0]];
    let text = description(&["misc", "0"], &columns, values.clone(), 2.0, &plain);
    assert!(
        text.starts_with("b_O of layer 0 (2.00), MLP 0 (1.00) and the token embedding W_E (0.50) add most"),
        "{text}"
    );
    assert!(text.contains("the bias (\u{2212}0.25) takes off most"), "{text}");
    assert!(
        text.contains("the biases b_O give 2.00 net, 100 % of the score"),
        "{text}"
    );
    let notebook = HeatmapView {
        as_in_notebook: true,
        ..HeatmapView::default()
    };
    let text = description(&["misc", "0"], &columns, values, 2.0, &notebook);
    assert!(!text.contains("b_O"), "{text}");
    // Shares of a score that is not positive are meaningless.
    let text = description(&["0"], &["L.0"], vec![vec![-1.0]], -1.0, &plain);
    assert_eq!(
        text,
        "No cell adds to the score; head 0.0 (\u{2212}1.00) takes off most. Added up by kind, the heads give \u{2212}1.00 net."
    );
    let text = description(&["0"], &["L.0"], vec![vec![1.0]], -1.0, &plain);
    assert!(
        text.starts_with("Only head 0.0 (1.00) adds to the score, 1.00 beside the mean score of \u{2212}1.00"),
        "{text}"
    );
    // If the score was not recorded, shares are of the sum.
    let text = description(&["0"], &["L.0", "MLP"], vec![vec![1.0, 3.0]], f32::NAN, &plain);
    assert_eq!(
        text,
        "MLP 0 (3.00) and head 0.0 (1.00) add most, together 100 % of the sum of all cells, 4.00; nothing takes anything off. \
         Added up by kind, the MLPs give 3.00 net, 75 % of all; the heads 1.00."
    );
    let other = HeatmapView {
        name: "not there".into(),
        ..HeatmapView::default()
    };
    assert_eq!(
        heatmap(&recorded(), &other, None),
        ["The contributions are known when the run is complete."]
    );
}
