//! The worker's loop on the tiny checkpoint in memory: requests, answers, cancellation.

mod common;
mod results;

use std::cell::RefCell;
use std::collections::VecDeque;
use std::ops::Range;
use std::rc::Rc;
use std::time::Duration;

use common::tiny;
use futures::channel::mpsc::{UnboundedReceiver, UnboundedSender, unbounded};
use futures::future::LocalBoxFuture;
use keyside::analysis::Analysis;
use keyside::analysis::pair::{Intervention, InterventionRequest, Question, TargetText, TargetTexts, Vector};
use keyside::checkpoint::{
    Answer, Body, Gate, HttpSource, MemorySource, MemoryStore, NoticeBoard, Source, Store, Transport,
};
use keyside::forward::{Model, Sampling};
use keyside::model::Processing;
use keyside::names::{Component, Head, HistogramId, Relative, SeriesId, Side};
use keyside::prompts::{IoiSet, PromptSource, Targets};
use keyside::result::ResultFile;
use keyside::worker::{FromWorker, Port, ToWorker, serve};
use keyside::{Error, ErrorKind, Result};

const URL: &str = "memory:tiny";

/// A page in memory: collects what is posted, and sends `later` one by one when messages are let in.
struct Page {
    posted: RefCell<Vec<FromWorker>>,
    later: RefCell<VecDeque<(When, ToWorker)>>,
    sender: RefCell<Option<UnboundedSender<ToWorker>>>,
    opened: RefCell<usize>,
    model: MemorySource,
    store: MemoryStore,
    gate: Gate,
    notices: NoticeBoard,
    /// Whether the model comes over a connection that breaks once.
    breaks: bool,
    /// How long the page takes for each part of an answer: longer than the worker computes without looking for messages.
    takes: Duration,
}

/// When a message is sent.
#[derive(Debug, Clone, Copy, PartialEq)]
enum When {
    /// After batch so-and-so was posted.
    Batch(usize),
    /// After so many answers.
    Answers(usize),
    /// After so many parts of the answer to request so-and-so.
    Parts(u32, usize),
}

fn is_answer(message: &FromWorker) -> bool {
    matches!(
        message,
        FromWorker::Described { .. }
            | FromWorker::Finished { .. }
            | FromWorker::Answered { .. }
            | FromWorker::Failed { .. }
    )
}

fn is_part(message: &FromWorker, question: u32) -> bool {
    matches!(message, FromWorker::Answer { id, .. } if *id == question)
}

impl Page {
    /// Serves `first` and then `later`, until all is answered; returns what was posted and how often
    /// the checkpoint was opened.
    fn serve(first: Vec<ToWorker>, later: Vec<(When, ToWorker)>) -> (Vec<FromWorker>, usize) {
        let (page, inbox) = Self::new(first, later);
        common::block_on(serve(&page, inbox));
        (page.posted.into_inner(), page.opened.into_inner())
    }

    fn new(first: Vec<ToWorker>, later: Vec<(When, ToWorker)>) -> (Self, UnboundedReceiver<ToWorker>) {
        let (sender, inbox) = unbounded();
        for message in first {
            sender.unbounded_send(message).expect("the inbox is open");
        }
        let page = Self {
            posted: RefCell::default(),
            later: RefCell::new(later.into()),
            sender: RefCell::new(Some(sender)),
            opened: RefCell::default(),
            model: tiny(),
            store: MemoryStore::new(),
            gate: Gate::default(),
            notices: NoticeBoard::default(),
            breaks: false,
            takes: Duration::ZERO,
        };
        page.send_due();
        (page, inbox)
    }

    /// Sends what is due; hangs up after the last message.
    fn send_due(&self) {
        let posted = self.posted.borrow();
        let mut later = self.later.borrow_mut();
        while let Some((when, message)) = later.pop_front() {
            let due = match when {
                When::Batch(index) => posted
                    .iter()
                    .any(|m| matches!(m, FromWorker::Batch { index: of, .. } if *of == index)),
                When::Answers(count) => posted.iter().filter(|message| is_answer(message)).count() >= count,
                When::Parts(question, count) => posted.iter().filter(|message| is_part(message, of)).count() >= count,
            };
            if !due {
                later.push_front((when, message));
                return;
            }
            if let Some(sender) = self.sender.borrow().as_ref() {
                sender.unbounded_send(message).expect("the inbox is open");
            }
        }
        self.sender.borrow_mut().take();
    }
}

/// One turn of the event loop: pending once.
fn turn() -> LocalBoxFuture<'static, ()> {
    let mut has_yielded = false;
    Box::pin(std::future::poll_fn(move |context| {
        if std::mem::replace(&mut has_yielded, true) {
            return std::task::Poll::Ready(());
        }
        context.waker().wake_by_ref();
        std::task::Poll::Pending
    }))
}

/// The tiny checkpoint over a connection of which the third request fails; the wait after it is long.
struct Breaks {
    requests: RefCell<usize>,
    notices: NoticeBoard,
}

impl Breaks {
    fn new(notices: NoticeBoard) -> Self {
        Self {
            requests: RefCell::default(),
            notices,
        }
    }
}

impl Transport for Breaks {
    fn get<'a>(
        &'a self,
        url: &'a str,
        range: Option<&'a Range<u64>>,
    ) -> LocalBoxFuture<'a, std::result::Result<Answer, String>> {
        Box::pin(async move {
            *self.requests.borrow_mut() += 1;
            if *self.requests.borrow() == 3 {
                return Err("it broke".to_owned());
            }
            turn().await;
            let file = url.rsplit('/').next().unwrap_or_default();
            let bytes = tiny().read(file, range.cloned()).await.map_err(|error| error.cause)?;
            Ok(Answer {
                status: if range.is_some() { 206 } else { 200 },
                content_range: None,
                retry_after: None,
                rate_limit: None,
                encoding: None,
                redirected: false,
                label: None,
                body: Box::new(Bytes(bytes, false)),
            })
        })
    }

    fn sleep(&self, _duration: Duration) -> LocalBoxFuture<'_, ()> {
        Box::pin(async {
            for _ in 0..10 {
                turn().await;
                assert!(
                    self.notices
                        .now()
                        .retry
                        .is_some_and(|text| text.ends_with("trying again in 1 s."))
                );
            }
        })
    }

    fn stall_timeout(&self, _timeout: Duration) -> LocalBoxFuture<'_, ()> {
        Box::pin(std::future::pending())
    }

    fn advice(&self, _url: &str) -> &'static str {
        "Wait."
    }
}

struct Bytes(Vec<u8>, bool);

impl Body for Bytes {
    fn next(&mut self) -> LocalBoxFuture<'_, std::result::Result<Option<&[u8]>, String>> {
        let ended = std::mem::replace(&mut self.1, true);
        Box::pin(async move { Ok((!ended).then_some(&self.0[..])) })
    }
}

impl Port for Page {
    fn post(&self, message: FromWorker) {
        if matches!(message, FromWorker::Answer { .. }) {
            std::thread::sleep(self.takes);
        }
        self.posted.borrow_mut().push(message);
        self.send_due();
    }

    fn yield_now(&self) -> LocalBoxFuture<'_, ()> {
        turn()
    }

    fn source(&self, url: &str) -> Result<Box<dyn Source>> {
        if url != URL {
            return Err(Error::new(ErrorKind::Source, format!("{url} is not there")));
        }
        *self.opened.borrow_mut() += 1;
        if self.breaks {
            let source = HttpSource::new("http://127.0.0.1/tiny", Box::new(Breaks::new(self.notices.clone())))?;
            return Ok(Box::new(source.with_notices(self.notices.clone())));
        }
        Ok(Box::new(self.model.clone()))
    }

    fn store(&self) -> Option<Rc<dyn Store>> {
        Some(Rc::new(self.store.clone()))
    }

    fn gate(&self) -> Gate {
        self.gate.clone()
    }

    fn notices(&self) -> NoticeBoard {
        self.notices.clone()
    }
}

fn analysis(batches: usize) -> Analysis {
    Analysis {
        head: Head::new(2, 3),
        earlier_head: Head::new(1, 1),
        prompts: IoiSet {
            seed: 0,
            batches,
            batch_size: 4,
            prepend_bos: false,
        }
        .into(),
        ..Analysis::default()
    }
}

fn run(id: u32, batches: usize) -> ToWorker {
    ToWorker::Analyze {
        id,
        url: URL.into(),
        analysis: analysis(batches),
    }
}

fn describe(id: u32, url: &str) -> ToWorker {
    ToWorker::Describe { id, url: url.into() }
}

fn answers(posted: &[FromWorker]) -> Vec<&FromWorker> {
    posted.iter().filter(|message| is_answer(message)).collect()
}

struct Nobody;

impl keyside::analysis::Observer for Nobody {
    fn progress(&self, _: &keyside::analysis::Progress) {}

    fn batch(&self, _: usize, _: &keyside::analysis::BatchValues) {}

    fn yield_now(&self) -> LocalBoxFuture<'_, Result<()>> {
        Box::pin(async { Ok(()) })
    }
}

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

fn ask(id: u32, text: &str, head: Head) -> ToWorker {
    ToWorker::Ask {
        id,
        url: URL.into(),
        question: Question {
            text: text.into(),
            head: Some(head),
            ..Question::default()
        },
    }
}

#[test]
fn a_question_is_answered_part_by_part() {
    let (posted, opened) = Page::serve(
        vec![
            ask(1, "The keys to the cabinet", Head::new(2, 1)),
            ask(2, "The keys to the cabinet are", Head::new(1, 0)),
            ask(3, "", Head::new(1, 0)),
        ],
        Vec::new(),
    );
    assert_eq!(opened, 1);
    let parts = |question: u32| {
        let parts = posted.iter().filter_map(move |message| match message {
            FromWorker::Answer { id, part } if *id == question => Some(part),
            _ => None,
        });
        parts.collect::<Vec<_>>()
    };
    for (id, head, tokens) in [(1, Head::new(2, 1), 10), (2, Head::new(1, 0), 12)] {
        let parts = parts(id);
        let kinds: Vec<&str> = parts.iter().map(|part| part.sections[0].kind()).collect();
        assert_eq!(kinds, ["attention", "next", "pair"]);
        let attention = parts[0].attention().expect("is there");
        assert_eq!(
            (attention.head, attention.dest),
            (head, parts[0].prompts[0].tokens.len() - 1)
        );
        assert_eq!(attention.texts.concat(), parts[0].prompts[0].text, "{tokens}");
        // The most attended position other than the first.
        let row = attention.row(head);
        assert!(row.iter().skip(1).all(|p| *p <= row[attention.src]) && attention.src > 0);
        let pair = parts[2].pair().expect("is there");
        let sum: f32 = pair.table.data().iter().sum();
        assert!((sum - pair.score).abs() < 1e-4);
        assert!((attention.scores_of(head)[pair.src] - pair.score).abs() < 1e-4);
        // A message is parsed back as it was written.
        for part in parts {
            let written = part.to_json().expect("writes");
            assert_eq!(&ResultFile::from_json(written.as_bytes()).expect("reads"), &**part);
        }
        assert!(
            posted
                .iter()
                .any(|message| matches!(message, FromWorker::Answered { id: of } if *of == id))
        );
    }
    let Some(FromWorker::Failed { id: 3, error }) = posted.last() else {
        panic!("{:?}", posted.last())
    };
    assert_eq!(error.kind, ErrorKind::Prompt);
}

#[test]
fn effects_and_directions_come_part_by_part_and_nothing_is_read_twice() {
    let ask = |id, relative, targets, direction| ToWorker::Ask {
        id,
        url: URL.into(),
        question: Question {
            text: "The keys to the cabinet".into(),
            head: Some(Head::new(2, 1)),
            relative,
            targets,
            effects: true,
            writes: true,
            lens: true,
            directions: true,
            direction,
            ..Question::default()
        },
    };
    let parts = |posted: &[FromWorker], question: u32| -> Vec<ResultFile> {
        let parts = posted.iter().filter_map(|message| match message {
            FromWorker::Answer { id, part } if *id == question => Some((**part).clone()),
            _ => None,
        });
        parts.collect()
    };
    let (posted, _) = Page::serve(vec![ask(0, None, Targets::default(), None)], Vec::new());
    let first = parts(&posted, 0);
    let kinds: Vec<&str> = first.iter().map(|part| part.sections[0].kind()).collect();
    // The directions without tokens first, which take W_E and W_U.
    assert_eq!(
        kinds,
        [
            "attention",
            "next",
            "lens",
            "pair",
            "effects",
            "writes",
            "directions",
            "directions"
        ]
    );
    assert!(first[6].directions().unwrap().opened.tokens.is_empty());
    let opened = &first[7].directions().unwrap().opened;
    assert_eq!(opened.tokens.len(), 4);
    let next = &first[1].next().unwrap().tokens;
    let effects = first[4].effects().unwrap();
    assert_eq!((effects.a.token, effects.b.token), (next[0].token, next[1].token));

    let others = Targets {
        a: Some(next[19].token),
        b: Some(next[4].token),
    };
    let other = (opened.direction + 1) % 8;
    let (posted, _) = Page::serve(
        vec![
            ask(0, None, Targets::default(), None),
            ask(1, Some(Relative::Mean), others, Some(opened.direction)),
            ask(2, None, others, Some(other)),
            ask(3, None, others, Some(8)),
        ],
        Vec::new(),
    );
    let bytes = |question: u32| {
        parts(&posted, question)
            .last()
            .unwrap()
            .timing
            .as_ref()
            .unwrap()
            .bytes_read
    };
    // A direction that was not opened before takes W_E, which is W_U, once.
    let of_w_e = 989 * 32 * 4;
    assert_eq!([bytes(1), bytes(2)], [0, of_w_e]);
    assert!(bytes(0) > of_w_e);
    let second = parts(&posted, 1);
    let effects = second[4].effects().unwrap();
    assert_eq!((Some(effects.a.token), Some(effects.b.token)), (others.a, others.b));
    assert_eq!(second[4].prompts[0].targets, others);
    let relative = second[7].directions().unwrap();
    assert_eq!(
        (relative.relative, &relative.opened.tokens),
        (Some(Relative::Mean), &opened.tokens)
    );
    assert_eq!(parts(&posted, 2)[7].directions().unwrap().opened.direction, other);
    let Some(FromWorker::Failed { id: 3, error }) = posted.last() else {
        panic!("{:?}", posted.last())
    };
    assert!(error.cause.contains("no direction 8"), "{error}");
}

#[test]
fn a_target_is_typed_and_one_that_is_none_leaves_the_rest_answered() {
    let ask = |id: u32, a: &str, b: Option<&str>| ToWorker::Ask {
        id,
        url: URL.into(),
        question: Question {
            text: "The keys to the cabinet".into(),
            head: Some(Head::new(2, 1)),
            target_texts: TargetTexts {
                a: Some(a.to_owned()),
                b: b.map(str::to_owned),
            },
            effects: true,
            lens: true,
            writes: true,
            ..Question::default()
        },
    };
    let messages = vec![
        ask(0, " Mary", Some("7")),
        ask(1, " Mary John", None),
        ask(2, " Mary", Some(" Mary")),
    ];
    let (posted, _) = Page::serve(messages, Vec::new());
    let parts = |question: u32| -> Vec<&ResultFile> {
        let parts = posted.iter().filter_map(|message| match message {
            FromWorker::Answer { id, part } if *id == question => Some(&**part),
            _ => None,
        });
        parts.collect()
    };
    let kinds = |question: u32| -> Vec<&str> { parts(question).iter().map(|part| part.sections[0].kind()).collect() };
    assert_eq!(kinds(0), ["attention", "next", "lens", "pair", "effects", "writes"]);
    let effects = parts(0)[4].effects().unwrap();
    assert_eq!((effects.a.text.as_str(), effects.b.token), (" Mary", 7));
    let failed = |question: u32| {
        posted.iter().find_map(|message| match message {
            FromWorker::Failed { id, error } if *id == question => Some(error),
            _ => None,
        })
    };
    for (id, told) in [
        (1, "\" Mary John\" is 2 tokens: \" Mary\", \" John\""),
        (2, "is held against itself"),
    ] {
        assert_eq!(kinds(id), ["attention", "next", "pair", "writes"]);
        let error = failed(id).unwrap();
        assert_eq!(error.kind, ErrorKind::Target);
        assert!(error.cause.contains(told), "{error}");
    }
    assert!(failed(0).is_none());
}

#[test]
fn a_head_is_taken_out_of_a_prompt() {
    let ablate_head = |id: u32, answer: &str| ToWorker::AblateHead {
        id,
        url: URL.into(),
        prompt: TargetText {
            text: "When John and Mark went to the store, John gave a drink to".into(),
            answer: answer.into(),
            other: " John".into(),
        },
    };
    let messages = vec![ablate_head(1, " Mark"), ablate_head(2, " Zanzibar")];
    let (posted, opened) = Page::serve(messages, Vec::new());
    assert_eq!(opened, 1);
    let parts: Vec<&ResultFile> = posted
        .iter()
        .filter_map(|message| match message {
            FromWorker::Answer { id: 1, part } => Some(&**part),
            _ => None,
        })
        .collect();
    let [part] = parts[..] else {
        panic!("{} parts", parts.len())
    };
    let section = part.head_effects().expect("is there");
    assert_eq!((section.prompts.len(), part.prompt_count()), (1, 0));
    assert!(section.without.is_some());
    // A message is parsed back as it was written.
    let written = part.to_json().expect("writes");
    assert_eq!(&ResultFile::from_json(written.as_bytes()).expect("reads"), part);
    assert!(
        posted
            .iter()
            .any(|message| matches!(message, FromWorker::Progress { id: 1, .. }))
    );
    assert!(
        posted
            .iter()
            .any(|message| matches!(message, FromWorker::Answered { id: 1 }))
    );
    let Some(FromWorker::Failed { id: 2, error }) = posted.last() else {
        panic!("{:?}", posted.last())
    };
    assert!(error.cause.contains("Zanzibar"), "{error}");
}

#[test]
fn tokens_that_are_typed_and_means_over_prompts_are_put_into_a_sentence() {
    let side = Side::Query;
    let substitute = |vector| Intervention::Substitute { side, vector };
    let intervene = |id: u32, vector, token_text: Option<&str>, maker| ToWorker::Intervene {
        id,
        url: URL.into(),
        question: Question {
            text: "When John and Mark went to the store, John gave a drink to".into(),
            head: Some(Head::new(2, 1)),
            dest: Some(13),
            src: Some(3),
            ..Question::default()
        },
        intervening: InterventionRequest {
            interventions: vec![substitute(vector)],
            token_text: token_text.map(str::to_owned),
            maker,
            ..InterventionRequest::default()
        },
    };
    let ioi = |batches, batch_size| {
        PromptSource::Ioi(IoiSet {
            batches,
            batch_size,
            ..IoiSet::default()
        })
    };
    let messages = vec![
        intervene(1, Vector::Unembedding(0), Some(" Mary"), None),
        intervene(2, Vector::Unembedding(0), Some(" Zanzibar"), None),
        intervene(3, Vector::Mean, None, Some(ioi(2, 10))),
        intervene(4, Vector::Mean, None, Some(ioi(1, 1))),
    ];
    let (posted, _) = Page::serve(messages, Vec::new());
    let section = |question: u32| {
        posted.iter().find_map(|message| match message {
            FromWorker::Answer { id, part } if *id == question => part.intervention().cloned(),
            _ => None,
        })
    };
    let failed = |question: u32| {
        posted.iter().find_map(|message| match message {
            FromWorker::Failed { id, error } if *id == question => Some(error.to_string()),
            _ => None,
        })
    };
    let mary = common::block_on(Model::open(Box::new(tiny()), Processing::default()))
        .unwrap()
        .tokenizer()
        .single_token(" Mary")
        .unwrap();
    let typed = section(1).expect("is answered");
    assert_eq!(typed.effects[0].intervention, substitute(Vector::Unembedding(mary)));
    assert_eq!((typed.prompts, typed.same_tokens), (0, None));
    let told = failed(2).expect("is no token");
    assert!(
        told.contains("\" Zanzibar\" is ") && told.contains("tokens: \""),
        "{told}"
    );
    let mean = section(3).expect("is answered");
    assert_eq!(mean.prompts, 20);
    // All of them look from " to", and few at " Mark".
    let [dest, src] = mean.same_tokens.expect("is of a run");
    assert!(dest == 20 && src < 20, "{dest} and {src}");
    assert!((mean.effects[0].after.score - mean.effects[0].predicted.score).abs() < 1e-4);
    let told = failed(4).expect("is of one prompt");
    assert!(told.contains("no mean over 1"), "{told}");
}

#[test]
fn a_sentence_goes_on_from_the_position_that_is_looked_from() {
    let question = |dest| Question {
        text: "The keys to the cabinet".into(),
        prepend_bos: true,
        dest,
        ..Question::default()
    };
    let go_on = |id, dest| ToWorker::Continue {
        id,
        url: URL.into(),
        question: question(dest),
        count: 5,
        sampling: Sampling {
            temperature: 0.0,
            ..Sampling::default()
        },
    };
    let (posted, _) = Page::serve(vec![go_on(1, None), go_on(2, Some(3)), go_on(3, Some(300))], Vec::new());
    let texts: Vec<&str> = posted
        .iter()
        .filter_map(|message| match message {
            FromWorker::Continued { text, .. } => Some(text.as_str()),
            _ => None,
        })
        .collect();
    assert_eq!(texts.len(), 2);
    assert!(
        texts[0].starts_with("The keys to the cabinet") && texts[0].len() > 23,
        "{}",
        texts[0]
    );
    assert!(
        !texts[1].starts_with("The keys to the cabinet") && texts[1].starts_with("The"),
        "{}",
        texts[1]
    );
    let Some(FromWorker::Failed { id: 3, error }) = posted.last() else {
        panic!("{:?}", posted.last())
    };
    assert!(error.cause.contains("position 300"), "{error}");
}

/// A pair of a sentence that is long enough for a causal map in several parts.
fn long_pair() -> Question {
    let sentence = "When John and Mary went to the store, John gave a drink to";
    Question {
        text: format!("{} {sentence}", [sentence; 3].join(" ")),
        head: Some(Head::new(2, 1)),
        dest: Some(54),
        src: Some(3),
        ..Question::default()
    }
}

#[test]
fn a_causal_map_is_cancelled_with_its_parts_kept_and_the_next_is_whole() {
    let map = |id| ToWorker::CausalMap {
        id,
        url: URL.into(),
        question: long_pair(),
    };
    let (whole, _) = Page::serve(vec![map(1)], Vec::new());
    let parts = whole.iter().filter(|message| is_part(message, 1)).count();
    assert!(parts > 2, "there is something to cancel: {parts} parts");

    // The messages after the first part cancel the map, and another map is requested at once.
    let later = vec![
        (When::Parts(1, 1), ToWorker::Cancel { id: 1 }),
        (When::Parts(1, 1), map(2)),
    ];
    let (mut page, inbox) = Page::new(vec![map(1)], later);
    page.takes = Duration::from_millis(15);
    common::block_on(serve(&page, inbox));
    let posted = page.posted.into_inner();
    let [FromWorker::Failed { id: 1, error }, FromWorker::Answered { id: 2 }] = answers(&posted)[..] else {
        panic!("{:?}", answers(&posted))
    };
    assert_eq!(error.kind, ErrorKind::Cancelled);
    let of_first = posted.iter().filter(|message| is_part(message, 1)).count();
    assert!((1..parts).contains(&of_first), "{of_first} of {parts}");
    let last = |posted: &[FromWorker], question| {
        posted.iter().rev().find_map(|message| match message {
            FromWorker::Answer { id, part } if *id == question => Some(part.sections.clone()),
            _ => None,
        })
    };
    assert_eq!(
        last(&posted, 2),
        last(&whole, 1),
        "nothing is left of the one that was cancelled"
    );
}

#[test]
fn an_intervention_that_waits_is_cancelled_before_it_starts() {
    let intervene = |id, component| ToWorker::Intervene {
        id,
        url: URL.into(),
        question: long_pair(),
        intervening: InterventionRequest {
            interventions: vec![Intervention::Remove {
                side: Side::Query,
                component,
                scale: 1.0,
            }],
            ..InterventionRequest::default()
        },
    };
    let head = |layer, head| Component::Head(Head::new(layer, head));
    let first = vec![
        intervene(1, head(0, 1)),
        intervene(2, head(1, 1)),
        ToWorker::Cancel { id: 2 },
        intervene(3, head(0, 1)),
    ];
    let (posted, _) = Page::serve(first, Vec::new());
    let [
        FromWorker::Answered { id: 1 },
        FromWorker::Failed { id: 2, error },
        FromWorker::Answered { id: 3 },
    ] = answers(&posted)[..]
    else {
        panic!("{:?}", answers(&posted))
    };
    assert_eq!(error.kind, ErrorKind::Cancelled);
    assert!(
        !posted.iter().any(|message| is_part(message, 2)),
        "nothing of it was computed"
    );
    let sections = |question| {
        let of_it = posted.iter().filter_map(move |message| match message {
            FromWorker::Answer { id, part } if *id == question => Some(part.sections.clone()),
            _ => None,
        });
        of_it.collect::<Vec<_>>()
    };
    assert_eq!(sections(1), sections(3));
}

#[test]
fn another_sentence_reads_the_rows_of_its_new_tokens_alone() {
    let ask = |id, text| ask(id, text, Head::new(2, 1));
    let other = "While Sarah and Tom looked at the ball, Sarah threw it to";
    let (posted, _) = Page::serve(
        vec![ask(1, "When John and Mark went to the store"), ask(2, other)],
        Vec::new(),
    );
    let (afresh, _) = Page::serve(vec![ask(2, other)], Vec::new());
    let first_part = |posted: &[FromWorker]| {
        let part = posted.iter().find_map(|message| match message {
            FromWorker::Answer { id: 2, part } => Some((**part).clone()),
            _ => None,
        });
        part.expect("is answered")
    };
    let (found, expected) = (first_part(&posted), first_part(&afresh));
    assert_eq!(found.sections, expected.sections);
    let model = common::block_on(Model::open(Box::new(tiny()), Processing::default())).unwrap();
    let encode = |text: &str| -> std::collections::BTreeSet<u32> {
        model.tokenizer().encode(text).unwrap().into_iter().collect()
    };
    let new = encode(other)
        .difference(&encode("When John and Mark went to the store"))
        .count();
    let bytes = |result: &ResultFile| result.timing.as_ref().unwrap().bytes_read;
    assert_eq!(bytes(&found), new as u64 * 32 * 4);
    assert!(
        new > 5 && bytes(&expected) > 989 * 32 * 4,
        "the first one takes the mean of all rows"
    );
}
