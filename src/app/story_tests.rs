use std::collections::BTreeMap;

use super::*;
use crate::analysis::Heatmap;
use crate::app::partial;
use crate::names::{Head, HeatmapId};
use crate::plot::HeatmapView;

const ALL: [HistogramId; 4] = HistogramId::ALL;
const SCORES: HistogramId = HistogramId::KeysFixedScores;
const PROBS: HistogramId = HistogramId::KeysFixedProbs;
const KEY_SCORES: HistogramId = HistogramId::QueriesFixedScores;
const KEY_PROBS: HistogramId = HistogramId::QueriesFixedProbs;

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
    histogram(result, name, &View::default()).join(" ")
}

#[test]
fn the_recorded_run_is_told_in_its_own_numbers() {
    let result = recorded();
    assert_eq!(
        question(&result),
        "Over 1,200 prompts, head 10.7 gives 68 % of END\u{2019}s attention to IO on average. It looks at IO more than at all \
         other positions together."
    );
    for (name, expected) in [
        (
            SCORES,
            "W_U[IO] lies furthest right: put in the query\u{2019}s place, it gives a mean score of 10.52, 2.4 times the 4.41 of \
             the query as it is (No patching). It must be that name, not just any direction: W_U[random], the row of a token \
             drawn at random, gives \u{2212}2.22; what head 9.9 writes at END gives 5.99.",
        ),
        (
            KEY_SCORES,
            "The key as it is (No patching) lies furthest right, with a mean score of 4.41; of what is put in its place, \
             W_EE[IO] comes nearest, with 3.50 (79 % of it). What layer 0 makes of the token counts for more than the \
             token\u{2019}s row alone: W_EE[IO] gives 3.50, W_E[IO] 2.53.",
        ),
    ] {
        assert_eq!(said(&result, name), expected);
    }
    let probs = said(&result, PROBS);
    assert!(
        probs.starts_with("After the softmax W_U[IO] gives IO 99.7 % of the attention on average, and No patching 68 %. Of 1,200 prompts, IO"),
        "{probs}"
    );
    let probs = said(&result, KEY_PROBS);
    assert!(
        probs.contains("W_EE[IO] gives IO 50 %") && probs.contains("No patching 68 %"),
        "{probs}"
    );
    assert_eq!(
        ending(&result),
        [
            "On the query side W_U[IO] explains the score: it gives 2.4 times as much as No patching.",
            "On the key side W_EE[IO] explains most of the score, but not all: it gives 79 % as much as No patching."
        ]
    );
    assert_eq!(
        heatmap(&result, &HeatmapView::default(), None),
        [
            "MLP 7 (0.72), MLP 6 (0.66) and MLP 8 (0.51) add most, together 42 % of the mean score of 4.51; head 0.11 \
             (\u{2212}0.81) takes off most.",
            "Added up by kind, the MLPs give 4.11, 91 % of the score; embeddings and bias 0.16 and the heads \u{2212}0.60."
        ]
    );
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
    let told = |io: f32, random: f32, base: f32| {
        let result = with(
            SCORES,
            &[("W_U[IO]", &[io]), ("W_U[random]", &[random]), ("No patching", &[base])],
        );
        (said(&result, SCORES), ending(&result)[0].clone())
    };
    let (weak, end) = told(1.0, 2.0, 4.0);
    assert!(
        weak.contains("The query as it is (No patching) lies furthest right"),
        "{weak}"
    );
    assert!(
        weak.contains("W_U[random] comes nearest, with 2.00 (50 % of it)"),
        "{weak}"
    );
    assert!(
        weak.contains("The name is not what counts here") && !weak.contains("It must be"),
        "{weak}"
    );
    assert!(
        end.contains("does not explain the score: it gives 25 % as much"),
        "{end}"
    );
    let (close, _) = told(4.0, 3.9, 4.0);
    assert!(close.contains("much of the score comes with any token"), "{close}");
    let (equal, end) = told(4.0, 0.0, 4.0);
    assert!(
        equal.contains(
            "with a mean score of 4.00; of what is put in its place, W_U[IO] comes nearest, with 4.00 (100 % of it)"
        ),
        "{equal}"
    );
    assert!(
        end.ends_with("explains the score: it gives as much as No patching."),
        "{end}"
    );

    // Where the head does not look at IO, there is nothing to compare with.
    let result = with(
        SCORES,
        &[("W_U[IO]", &[3.0]), ("W_U[random]", &[-1.0]), ("No patching", &[-2.0])],
    );
    let text = said(&result, SCORES);
    assert!(
        text.contains("W_U[IO] lies furthest right")
            && text.contains("3.00, against the \u{2212}2.00")
            && !text.contains('%'),
        "{text}"
    );
    assert!(text.contains("(No patching)"), "{text}");
    let end = ending(&result);
    assert!(end.len() == 1 && end[0].starts_with("On the key side"), "{end:?}");

    let result = with(
        KEY_SCORES,
        &[("W_E[IO]", &[3.0]), ("W_EE[IO]", &[1.0]), ("No patching", &[4.0])],
    );
    let text = said(&result, KEY_SCORES);
    assert!(
        text.contains("is no help here") && text.contains("W_E[IO] comes nearest"),
        "{text}"
    );

    let result = with(PROBS, &[("No patching", &[0.05]), ("W_U[IO]", &[0.04])]);
    assert!(
        question(&result).contains("hardly looks at IO"),
        "{}",
        question(&result)
    );
}

#[test]
fn what_has_two_humps_is_told_as_two_groups() {
    let bytes = include_bytes!("../../tests/fixtures/second-name-head-1.4.json");
    let result = ResultFile::from_json(bytes).expect("a result");
    assert_eq!(
        question(&result),
        "Over 400 prompts, head 1.4 gives 53 % of END\u{2019}s attention to IO on average, but that is a mean of two kinds of \
         prompts: the share falls into two groups: 189 prompts around 0.0 % and 211 around 100.0 %."
    );
    let query = said(&result, SCORES);
    assert!(
        query.contains("falls into two groups") && query.contains("says nothing about what the query must contain"),
        "{query}"
    );
    let end = ending(&result);
    assert_eq!(end.len(), 2);
    for sentence in &end {
        assert!(
            sentence.contains("there is no one answer") && sentence.contains("two groups"),
            "{sentence}"
        );
    }
    for claim in [
        "more than at all other positions",
        "It must be",
        "explains",
        "% of it",
        "times the",
    ] {
        let all = [&question(&result), &query, &said(&result, KEY_SCORES), &end.join(" ")];
        assert!(all.iter().all(|text| !text.contains(claim)), "{claim}: {all:?}");
    }
}

#[test]
fn no_share_is_told_of_what_is_near_0_or_negative() {
    // A mean of 0.1 of values around 10 and -10 that are no two groups.
    let spread: Vec<f32> = (0..40).map(|i| (i as f32 - 19.5) / 2.0 + 0.1).collect();
    let io: Vec<f32> = spread.iter().map(|value| value - 1.0).collect();
    let result = with(
        SCORES,
        &[("W_U[IO]", &io), ("W_U[random]", &io), ("No patching", &spread)],
    );
    let (text, end) = (said(&result, SCORES), ending(&result));
    assert!(
        !text.contains('%') && end[0].starts_with("On the key side"),
        "{text} {end:?}"
    );
    // A negative score is told as what it is, in the figure and at the end.
    let result = with(
        SCORES,
        &[("W_U[IO]", &[-5.2]), ("W_U[random]", &[-6.0]), ("No patching", &[4.4])],
    );
    let text = said(&result, SCORES);
    assert!(
        text.contains("comes nearest, with \u{2212}5.20.") && !text.contains('%'),
        "{text}"
    );
    let end = ending(&result);
    assert_eq!(
        end[0],
        "On the query side W_U[IO] does not explain the score: it gives \u{2212}5.20, where No patching gives 4.40."
    );
    // The cells of a heatmap that nearly cancel.
    let mut result = recorded();
    let section = result.contributions_mut().expect("recorded");
    let heatmap = section.heatmaps.get_mut(&HeatmapId::KEY).expect("key");
    heatmap.mean_score = Some(0.05);
    let told = super::heatmap(&result, &HeatmapView::default(), None).join(" ");
    assert!(
        !told.contains('%') && told.contains("of the mean score of 0.05"),
        "{told}"
    );
}

#[test]
fn what_is_hidden_is_not_said_to_lie_furthest_right() {
    let mut view = View::default();
    view.update_histogram(SCORES, |view| _ = view.toggled.insert("W_U[IO]".into()));
    let text = histogram(&recorded(), SCORES, &view).join(" ");
    assert!(text.starts_with("NMH 9.9 output lies furthest right"), "{text}");
    for label in ["NMH 9.9 output", "W_U[random]"] {
        view.update_histogram(SCORES, |view| _ = view.toggled.insert(label.into()));
    }
    let text = histogram(&recorded(), SCORES, &view)[0].clone();
    assert_eq!(text, "Only No patching is shown: its mean score is 4.41.");
    view.update_histogram(SCORES, |view| _ = view.toggled.insert("No patching".into()));
    let text = histogram(&recorded(), SCORES, &view)[0].clone();
    assert_eq!(text, "All series of this figure are hidden.");
}

/// The means of the series that have one, computed here once more.
fn means(result: &ResultFile, name: HistogramId) -> BTreeMap<SeriesId, f64> {
    let series = result.series(name).into_iter();
    let mean = |values: &[f32]| values.iter().map(|&value| f64::from(value)).sum::<f64>() / values.len() as f64;
    let means = series.map(|(label, values)| (label.clone(), mean(values)));
    means.filter(|(_, mean)| mean.is_finite()).collect()
}

/// What is told of the histogram `name` at first names the series that lies furthest right, and its number.
fn check_histogram(result: &ResultFile, name: HistogramId, told: &[String]) {
    let means = means(result, name);
    let visible = means
        .iter()
        .filter(|(label, _)| ![SeriesId::WuS, SeriesId::WuRandomName].contains(label));
    let Some((best, mean)) = visible.max_by(|one, other| one.1.total_cmp(other.1)) else {
        assert_eq!(
            told,
            ["There are no values yet: this figure fills in with the first batch."]
        );
        return;
    };
    let [first, second] = told else {
        panic!("{name}: {told:?}")
    };
    if name.probs() {
        let values = result.values(name, best);
        let won = values.iter().filter(|value| **value > 0.5).count();
        assert!(first.contains(&best.to_string()), "{name}: {first}\nlacks {best}");
        assert!(
            second.contains(&format!("{} with {best}", grouped(won))),
            "{name}: {second}"
        );
    } else {
        assert!(
            first.contains(&best.to_string()) && first.contains(&number(*mean, 2)),
            "{name}: {first}\nlacks {best}, {mean}"
        );
        let (main, other) = pair(name);
        let (Some(of_main), Some(of_other)) = (means.get(&main), means.get(&other)) else {
            let missing = if means.contains_key(&main) { other } else { main };
            assert!(
                second.starts_with(&format!("{missing} is not in this result")),
                "{name}: {second}"
            );
            return;
        };
        // Where the other one is far behind, its number is enough.
        let far = name.keys_fixed() && of_main > of_other && *of_other <= of_main / 2.0;
        assert_eq!(second.starts_with("It must be that name"), far, "{name}: {second}");
        assert!(second.contains(&other.to_string()), "{name}: {second}");
        assert!(second.contains(&main.to_string()) || far, "{name}: {second}");
    }
}

/// Of each side whose score is known and positive, how much of it the main series explains.
fn check_ending(result: &ResultFile) {
    let mut told = ending(result).into_iter();
    for (name, side) in [(SCORES, "query"), (KEY_SCORES, "key")] {
        let means = means(result, name);
        let main = pair(name).0;
        let (Some(&mean), Some(&base)) = (means.get(&main), means.get(&BASE)) else {
            continue;
        };
        if base <= 0.0 {
            continue;
        }
        let verdict = match mean / base {
            ratio if ratio >= 0.9 => "explains the score",
            ratio if ratio >= 0.5 => "explains most of the score",
            _ => "does not explain the score",
        };
        let text = told
            .next()
            .unwrap_or_else(|| panic!("nothing is told of the {side} side"));
        assert!(
            text.starts_with(&format!("On the {side} side {main} {verdict}")),
            "{text}"
        );
    }
    assert_eq!(told.next(), None);
}

/// Sentences, whatever the data: they say what the data say, and none has a number that is none.
fn check(result: &ResultFile) {
    let view = View::default();
    let mut all: Vec<Vec<String>> = Vec::new();
    for name in ALL {
        let told = histogram(result, name, &view);
        check_histogram(result, name, &told);
        all.push(told);
    }
    let told = heatmap(result, &view.heatmap, None);
    match result.heatmap(&HeatmapId::KEY) {
        None => assert_eq!(told, ["The contributions are known when the run is complete."]),
        Some(key) => {
            let largest = key.mean.data().iter().fold(0f32, |largest, &cell| largest.max(cell));
            let words = if largest > 0.0 {
                format!("({}", number(f64::from(largest), 2))
            } else {
                "No cell adds to the score".to_owned()
            };
            assert!(told[0].contains(&words), "{told:?}\nlacks {words}");
        }
    }
    all.push(told);
    check_ending(result);
    all.push(ending(result));
    let about = question(result);
    match means(result, PROBS).get(&BASE) {
        None => assert!(about.contains("is known when the first batch is done"), "{about}"),
        Some(share) => assert_eq!(about.contains("hardly looks at IO"), *share < 0.1, "{about}"),
    }
    assert!(about.contains(&format!("head {} gives", result.head_name())), "{about}");
    all.push(vec![about]);
    for sentence in all.into_iter().flatten() {
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
        seed: 0,
        batches: 3,
        batch_size: 2,
        prepend_bos: false,
        processing: Default::default(),
    };
    let empty = partial::empty(full.model.clone(), full.config.clone(), &analysis);
    check(&empty);
    assert!(question(&empty).contains("first batch"), "{}", question(&empty));
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
    let told = |rows: &[&str], columns: &[&str], values: Vec<Vec<f32>>, mean: f32, view: &HeatmapView| {
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
        told(&[], &[], Vec::new(), 1.0, &plain),
        "No cell adds to the score, and none takes anything off. There are no components before this head."
    );
    let columns = ["L.0", "MLP", "b_O"];
    let values = vec![vec![0.5, 0.0, -0.25], vec![0.0, 1.0, 2.0]];
    let text = told(&["misc", "0"], &columns, values.clone(), 2.0, &plain);
    assert!(
        text.starts_with("b_O of layer 0 (2.00), MLP 0 (1.00) and the token embedding W_E (0.50) add most"),
        "{text}"
    );
    assert!(text.contains("the bias (\u{2212}0.25) takes off most"), "{text}");
    assert!(text.contains("the biases b_O give 2.00, 100 % of the score"), "{text}");
    let notebook = HeatmapView {
        as_in_notebook: true,
        ..HeatmapView::default()
    };
    let text = told(&["misc", "0"], &columns, values, 2.0, &notebook);
    assert!(!text.contains("b_O"), "{text}");
    // Shares of a score that is not positive make no sense.
    let text = told(&["0"], &["L.0"], vec![vec![-1.0]], -1.0, &plain);
    assert_eq!(
        text,
        "No cell adds to the score; head 0.0 (\u{2212}1.00) takes off most. Added up by kind, the heads give \u{2212}1.00."
    );
    let text = told(&["0"], &["L.0"], vec![vec![1.0]], -1.0, &plain);
    assert!(
        text.starts_with("Only head 0.0 (1.00) adds to the score, 1.00 of the mean score of \u{2212}1.00"),
        "{text}"
    );
    // Where the score was not recorded, shares are of the sum.
    let text = told(&["0"], &["L.0", "MLP"], vec![vec![1.0, 3.0]], f32::NAN, &plain);
    assert_eq!(
        text,
        "MLP 0 (3.00) and head 0.0 (1.00) add most, together 100 % of the sum of all cells, 4.00; nothing takes anything off. \
         Added up by kind, the MLPs give 3.00, 75 % of all; the heads 1.00."
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
