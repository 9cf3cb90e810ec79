//! The worker's loop on the tiny checkpoint in memory: requests, answers, cancellation.

mod common;
#[path = "worker/page.rs"]
mod page;
mod results;
#[path = "worker/sentences.rs"]
mod sentences;

use common::tiny;
use keyside::ErrorKind;
use keyside::analysis::Analysis;
use keyside::forward::Model;
use keyside::model::Processing;
use keyside::names::{Head, HistogramId, SeriesId};
use keyside::result::ResultFile;
use keyside::worker::{FromWorker, ToWorker, serve};
use page::*;

#[test]
fn a_run_posts_progress_batches_and_the_result_of_the_library() {
    let (posted, _) = Page::serve(vec![describe(1, URL), run(2, 3)], vec![]);
    assert_eq!(posted[0], FromWorker::Ready);
    assert!(
        matches!(&posted[1], FromWorker::Described { id: 1, config, .. } if config.n_layer == 3),
        "{:?}",
        posted[1]
    );
    assert!(
        posted
            .iter()
            .any(|message| matches!(message, FromWorker::Progress { id: 2, .. }))
    );
    let batches: Vec<_> = posted
        .iter()
        .filter_map(|m| {
            if let FromWorker::Batch { index, .. } = m {
                Some(*index)
            } else {
                None
            }
        })
        .collect();
    assert_eq!(batches, [0, 1, 2]);
    let Some(FromWorker::Finished { id: 2, result }) = posted.last() else {
        panic!("no result: {:?}", posted.last())
    };

    let expected = common::block_on(async {
        let mut model = Model::open(Box::new(tiny()), Processing::default()).await?;
        results::run(&mut model, &analysis(3), &Nobody).await
    })
    .expect("runs");
    assert_eq!(result.sections, expected.sections);
    assert_eq!(result.prompts, expected.prompts);

    let so_far: Vec<f32> = posted
        .iter()
        .filter_map(|m| {
            if let FromWorker::Batch { values, .. } = m {
                Some(&values.series[&HistogramId::KeysFixedScores][&SeriesId::NoPatching])
            } else {
                None
            }
        })
        .flatten()
        .copied()
        .collect();
    assert_eq!(
        so_far,
        results::values(&expected, HistogramId::KeysFixedScores, &SeriesId::NoPatching),
        "batches make up the result"
    );
}

#[test]
fn the_model_stays_open_for_the_next_run() {
    let (posted, opened) = Page::serve(vec![run(1, 1), run(2, 2)], vec![]);
    assert!(matches!(
        answers(&posted)[..],
        [FromWorker::Finished { id: 1, .. }, FromWorker::Finished { id: 2, .. }]
    ));
    assert_eq!(opened, 1);
}

#[test]
fn a_run_of_another_head_goes_on_with_what_the_last_one_has_left() {
    let of_head = |id, head| ToWorker::Analyze {
        id,
        url: URL.into(),
        analysis: Analysis {
            head,
            earlier_head: Head::new(0, 3),
            ..analysis(3)
        },
    };
    let (posted, _) = Page::serve(vec![of_head(1, Head::new(1, 2)), of_head(2, Head::new(2, 3))], vec![]);
    let (fresh, _) = Page::serve(vec![of_head(2, Head::new(2, 3))], vec![]);
    let [
        FromWorker::Finished { id: 1, result: first },
        FromWorker::Finished { id: 2, result },
    ] = answers(&posted)[..]
    else {
        panic!("{:?}", answers(&posted))
    };
    let Some(FromWorker::Finished { result: expected, .. }) = fresh.last() else {
        panic!("{:?}", fresh.last())
    };
    let resumed_from = |result: &ResultFile| result.timing.as_ref().and_then(|timing| timing.resumed_from);
    assert_eq!(
        [first, result, expected].map(|result| resumed_from(result)),
        [None, Some(1), None]
    );
    assert_eq!(result.sections, expected.sections);
}

#[test]
fn a_run_is_cancelled_between_batches_and_the_next_one_is_right() {
    let later = vec![
        (When::Batch(0), ToWorker::Cancel { id: 1 }),
        (When::Answers(1), run(2, 3)),
    ];
    let (posted, opened) = Page::serve(vec![run(1, 1000)], later);
    let [
        FromWorker::Failed { id: 1, error },
        FromWorker::Finished { id: 2, result },
    ] = answers(&posted)[..]
    else {
        panic!("{:?}", answers(&posted))
    };
    assert_eq!(error.kind, ErrorKind::Cancelled);
    let finished = posted
        .iter()
        .filter(|m| matches!(m, FromWorker::Batch { id: 1, .. }))
        .count();
    println!("batches before the run stopped: {finished} of 1000");
    assert!((1..1000).contains(&finished));
    assert_eq!(opened, 1, "the model is still there");
    let (fresh, _) = Page::serve(vec![run(2, 3)], vec![]);
    let Some(FromWorker::Finished { result: expected, .. }) = fresh.last() else {
        panic!("{:?}", fresh.last())
    };
    assert_eq!(result.sections, expected.sections);
    assert_eq!(result.prompts, expected.prompts);
}

#[test]
fn a_run_that_waits_is_cancelled_before_it_starts() {
    let first = vec![run(1, 2), run(2, 2), ToWorker::Cancel { id: 2 }];
    let (posted, _) = Page::serve(first, vec![]);
    let [FromWorker::Finished { id: 1, .. }, FromWorker::Failed { id: 2, error }] = answers(&posted)[..] else {
        panic!("{:?}", answers(&posted))
    };
    assert_eq!(error.kind, ErrorKind::Cancelled);
    assert!(
        !posted
            .iter()
            .any(|message| matches!(message, FromWorker::Progress { id: 2, .. }))
    );
}

#[test]
fn errors_are_answers_and_a_late_cancel_is_ignored() {
    let mut wrong = analysis(1);
    wrong.head = Head::new(99, 0);
    let bad_head = ToWorker::Analyze {
        id: 3,
        url: URL.into(),
        analysis: wrong,
    };
    let first = vec![
        ToWorker::Cancel { id: 7 },
        describe(1, "elsewhere"),
        bad_head,
        run(4, 1),
    ];
    let (posted, _) = Page::serve(first, vec![]);
    let [
        FromWorker::Failed { id: 1, error: missing },
        FromWorker::Failed { id: 3, error: head },
        FromWorker::Finished { id: 4, .. },
    ] = answers(&posted)[..]
    else {
        panic!("{:?}", answers(&posted))
    };
    assert_eq!((missing.kind, head.kind), (ErrorKind::Source, ErrorKind::Request));
    assert!(head.cause.contains("99.0"));
}

#[test]
fn messages_survive_the_way_through_json() {
    let (posted, _) = Page::serve(vec![describe(1, URL), run(2, 1)], vec![]);
    for mut message in posted {
        // Times are f64, whose last bit may change on the way; all else is exact.
        if let FromWorker::Finished { result, .. } = &mut message {
            result.timing = None;
        }
        if let FromWorker::Progress { progress, .. } = &mut message {
            (progress.seconds, progress.positions_per_second, progress.seconds_left) = (0.0, None, None);
        }
        let text = serde_json::to_string(&message).expect("is written");
        assert_eq!(serde_json::from_str::<FromWorker>(&text).expect("is read"), message);
    }
    let cancel = ToWorker::Cancel { id: 5 };
    assert_eq!(
        serde_json::to_string(&cancel).expect("is written"),
        r#"{"cancel":{"id":5}}"#
    );
}

#[test]
fn a_retry_is_told_while_nothing_else_happens_and_until_bytes_come() {
    let (mut page, inbox) = Page::new(vec![run(1, 1)], vec![]);
    page.breaks = true;
    common::block_on(serve(&page, inbox));
    let posted = page.posted.into_inner();
    let told: Vec<(usize, Option<String>)> = posted
        .iter()
        .enumerate()
        .filter_map(|(at, message)| match message {
            FromWorker::Notices { id: 1, notices } => Some((at, notices.retry.clone())),
            _ => None,
        })
        .collect();
    assert_eq!(told.len(), 3, "{told:?}");
    let text = told[0].1.as_deref().expect("a retry");
    assert!(
        text.starts_with("http://127.0.0.1/tiny/model.safetensors can't be read (it broke)")
            && text.ends_with("again in 1 s."),
        "{text}"
    );
    assert!(
        told[1]
            .1
            .as_deref()
            .is_some_and(|text| text.ends_with("; trying again."))
    );
    assert_eq!(told[2].1, None);
    // The model was only being opened: there was no progress yet.
    let progress = posted
        .iter()
        .position(|message| matches!(message, FromWorker::Progress { .. }));
    assert!(progress.is_some_and(|progress| progress > told[0].0));
    assert!(
        matches!(posted.last(), Some(FromWorker::Finished { id: 1, .. })),
        "{:?}",
        posted.last()
    );
}
