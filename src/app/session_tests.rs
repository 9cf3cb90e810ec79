use std::collections::BTreeMap;

use super::*;
use crate::analysis::pair::{LabeledToken, Question};
use crate::analysis::{BatchValues, ChangesSection, RunIntervention};
use crate::app::form::{Form, ModelChoice};
use crate::forward::Sampling;
use crate::model::ModelCard;
use crate::names::{Head, HistogramId, SeriesId};
use crate::prompts::PromptSource;
use crate::worker::FromWorker;

const URL: &str = "http://127.0.0.1:8080/models/tiny-ioi";

pub(super) fn recorded() -> ResultFile {
    let bytes = include_bytes!("../../public/recorded/gpt2-small-10.7.json");
    ResultFile::from_json(bytes).expect("the recorded run reads")
}

pub(super) fn session() -> Session {
    let mut session = Session::default();
    session.recorded_arrived(recorded());
    session.worker_started();
    session.receive(FromWorker::Ready);
    session
}

pub(super) fn request() -> Request {
    let mut form = Form::default();
    form.choose(ModelChoice::Bundled);
    form.request(URL, |_| None).expect("fits")
}

fn described(id: u32) -> FromWorker {
    let (head, earlier_head) = (Head::new(3, 1), Head::new(2, 0));
    let card = ModelCard {
        name: "Stand-in".into(),
        note: "Small.".into(),
        head,
        earlier_head,
    };
    FromWorker::Described {
        id,
        config: recorded().config,
        card: Some(card),
    }
}

fn progress(batches_done: usize) -> Progress {
    Progress {
        phase: Phase::Computing,
        batches_done,
        batches: 10,
        layers_done: 2,
        layers: 4,
        bytes_read: 0,
        bytes: 0,
        bytes_from_network: 0,
        bytes_from_storage: 0,
        bytes_per_second: None,
        linear_memory: None,
        computed: 0.0,
        positions_done: 0,
        seconds: 1.0,
        positions_per_second: None,
        seconds_left: None,
    }
}

pub(super) fn batch(id: u32, index: usize) -> FromWorker {
    let series = || BTreeMap::from([(SeriesId::NoPatching, vec![index as f32; 40])]);
    let values = BatchValues {
        series: HistogramId::ALL.into_iter().map(|name| (name, series())).collect(),
        true_score: vec![index as f32; 40],
        true_prob: Vec::new(),
        ..BatchValues::default()
    };
    FromWorker::Batch {
        id,
        index,
        values: Box::new(values),
    }
}

/// Starts a run and returns its request number.
pub(super) fn start(session: &mut Session) -> u32 {
    let messages = session.start(request());
    for message in &messages {
        if let ToWorker::Describe { id, .. } = message {
            session.receive(described(*id));
        }
    }
    match messages.last() {
        Some(ToWorker::Analyze { id, url, .. }) => {
            assert_eq!(url, URL);
            *id
        }
        other => panic!("no run was started: {other:?}"),
    }
}

pub(super) fn origin(session: &Session) -> &Origin {
    &session.shown().expect("something is shown").origin
}

#[test]
fn a_run_fills_in_and_replaces_what_is_shown() {
    let mut session = session();
    assert_eq!(origin(&session), &Origin::Recorded);
    let id = start(&mut session);
    assert_eq!(session.run(), &Run::Opening);
    assert!(session.start(request()).is_empty(), "one run at a time");
    session.receive(FromWorker::Progress {
        id,
        progress: progress(0),
    });
    assert_eq!(origin(&session), &Origin::Recorded, "stays until the first batch");

    session.receive(batch(id, 0));
    session.receive(batch(id, 1));
    assert_eq!(
        origin(&session),
        &Origin::Recorded,
        "stays until batches are to be shown"
    );
    session.show_batches();
    let revision = session.shown().expect("shown").revision;
    session.show_batches();
    assert_eq!(
        session.shown().expect("shown").revision,
        revision,
        "nothing new, nothing to draw"
    );
    assert_eq!(origin(&session), &Origin::Partial { done: 2, batches: 10 });
    let shown = session.shown().expect("shown");
    assert_eq!(
        shown
            .result
            .values(HistogramId::KeysFixedProbs, &SeriesId::NoPatching)
            .len(),
        80
    );
    assert_eq!(shown.result.true_values(HistogramId::KeysFixedScores).len(), 80);
    assert_eq!(
        (shown.result.model.name.as_str(), shown.note.as_deref()),
        ("Stand-in", Some("Small."))
    );
    assert!(!session.can_restore(), "not while the run goes on");

    session.receive(FromWorker::Finished {
        id,
        result: Box::new(recorded()),
    });
    assert_eq!((origin(&session), session.run()), (&Origin::Live, &Run::Finished));
    session.show_recorded();
    assert_eq!(origin(&session), &Origin::Recorded);

    // "Back" shows finished runs only.
    let mut other = request();
    let PromptSource::Ioi(set) = &mut other.analysis.prompts else {
        panic!("{other:?}")
    };
    set.seed = 1;
    assert!(!session.show_run(&other));
    assert_eq!(origin(&session), &Origin::Recorded);
    assert!(session.show_run(&request()));
    assert_eq!(origin(&session), &Origin::Live);
    let id = start(&mut session);
    assert!(!session.show_run(&request()), "not while a run is under way");
    session.receive(FromWorker::Finished {
        id,
        result: Box::new(recorded()),
    });
    assert!(session.show_run(&request()));
}

#[test]
fn a_cancelled_run_keeps_its_batches_and_offers_the_way_back() {
    let mut session = session();
    assert_eq!(session.cancel(), None, "nothing to cancel");
    let id = start(&mut session);
    session.receive(FromWorker::Progress {
        id,
        progress: progress(1),
    });
    session.receive(batch(id, 0));
    assert_eq!(session.cancel(), Some(ToWorker::Cancel { id }));
    assert_eq!(session.cancel(), None, "once is enough");
    assert_eq!(session.run(), &Run::Cancelling(Some(progress(1))));
    session.receive(FromWorker::Failed {
        id,
        error: Error::cancelled(),
    });
    assert_eq!(session.run(), &Run::Cancelled(1));
    assert_eq!(session.error(), None, "it is no error");
    assert!(session.can_restore());
    session.restore();
    assert_eq!(origin(&session), &Origin::Recorded);
    session.receive(batch(id, 1));
    assert_eq!(origin(&session), &Origin::Recorded, "what comes late is ignored");
}

#[test]
fn what_an_intervention_changes_fills_in_after_the_histograms_and_stays() {
    let mut session = session();
    let intervention: RunIntervention = "query without 2.0".parse().expect("an intervention");
    let mut request = request();
    request.analysis.intervention = Some(intervention.clone());
    let messages = session.start(request);
    let Some(ToWorker::Analyze { id, .. }) = messages.last() else {
        panic!("{messages:?}")
    };
    let id = *id;
    session.receive(described(id - 1));
    let batches = 10;
    (0..batches).for_each(|index| session.receive(batch(id, index)));
    let token = LabeledToken {
        token: 1,
        text: " Mary".into(),
    };
    let mut changes = ChangesSection::empty(Head::new(3, 1), intervention);
    (changes.a, changes.b) = (vec![token.clone(); 40], vec![token; 40]);
    for index in [batches, batches + 1] {
        let values = BatchValues {
            changes: Some(changes.clone()),
            ..BatchValues::default()
        };
        session.receive(FromWorker::Batch {
            id,
            index,
            values: Box::new(values),
        });
    }
    session.show_batches();
    assert_eq!(origin(&session), &Origin::Partial { done: 12, batches: 20 });
    session.cancel();
    session.receive(FromWorker::Failed {
        id,
        error: Error::cancelled(),
    });
    assert_eq!(session.run(), &Run::Cancelled(10), "the histograms have all");
    let shown = &session.shown().expect("is shown").result;
    assert_eq!(shown.changes().map(ChangesSection::prompts), Some(80));
    assert_eq!(shown.prompt_count(), 400);
}

#[test]
fn an_error_is_shown_and_nothing_is_lost() {
    let mut session = session();
    let id = start(&mut session);
    session.receive(FromWorker::Failed {
        id,
        error: Error::new(ErrorKind::Request, "head 99.0 does not exist"),
    });
    assert_eq!((session.run(), origin(&session)), (&Run::Failed, &Origin::Recorded));
    assert!(session.error().expect("is shown").cause.contains("99.0"));
    session.dismiss_error();
    assert_eq!(session.error(), None);
    session.fail(Error::new(ErrorKind::ResultFile, "not a result"));
    session.opened("other.json", recorded());
    assert_eq!(
        (origin(&session), session.error()),
        (&Origin::File("other.json".into()), None)
    );
}

#[test]
fn a_model_that_cannot_be_described_says_so_once_and_can_be_asked_again() {
    let mut session = session();
    let Some(ToWorker::Describe { id, .. }) = session.describe(URL) else {
        panic!("must ask")
    };
    assert_eq!(session.describe(URL), None, "already on its way");
    session.receive(FromWorker::Failed {
        id,
        error: Error::new(ErrorKind::Source, "missing"),
    });
    assert!(!session.is_describing(URL) && session.error().is_some());
    assert!(session.describe(URL).is_some());
}

#[test]
fn a_run_of_a_model_that_is_not_there_gives_one_message() {
    let mut session = session();
    let messages = session.start(request());
    let [
        ToWorker::Describe { id: question, .. },
        ToWorker::Analyze { id: run, .. },
    ] = messages[..]
    else {
        panic!("{messages:?}")
    };
    let error = Error::new(ErrorKind::Source, "missing");
    session.receive(FromWorker::Failed {
        id: question,
        error: error.clone(),
    });
    assert_eq!(session.error(), None, "the run says it");
    session.receive(FromWorker::Failed { id: run, error });
    assert!(session.error().is_some());
}

#[test]
fn a_worker_that_breaks_down_can_be_replaced() {
    let mut session = session();
    let id = start(&mut session);
    session.receive(batch(id, 0));
    session.receive(FromWorker::Panicked {
        message: "index out of bounds".into(),
    });
    assert_eq!((session.worker(), session.run()), (WorkerState::Lost, &Run::Failed));
    assert!(
        session
            .error()
            .expect("is shown")
            .to_string()
            .contains("Restart the worker")
    );
    assert!(session.can_restore());
    session.worker_started();
    session.receive(FromWorker::Ready);
    assert_eq!((session.worker(), session.error()), (WorkerState::Ready, None));
    assert_ne!(start(&mut session), id);
}

#[test]
fn the_bar_moves_with_what_is_computed() {
    let at = |phase, computed| {
        let progress = Progress {
            phase,
            computed,
            ..progress(0)
        };
        fraction(&progress)
    };
    assert_eq!(at(Phase::Computing, 0.35), Some(0.35));
    assert_eq!(at(Phase::Loading, 0.0), Some(0.0));
    assert_eq!(at(Phase::Computing, 1.5), Some(1.0));
    assert_eq!(at(Phase::Prompts, 0.0), None);
}

fn notices(id: u32, retry: Option<&str>, not_kept: Option<&str>) -> FromWorker {
    let notices = Notices {
        retry: retry.map(Into::into),
        not_kept: not_kept.map(Into::into),
        engine: None,
    };
    FromWorker::Notices { id, notices }
}

#[test]
fn notices_hold_as_long_as_they_matter() {
    let mut session = session();
    let id = start(&mut session);
    session.receive(notices(id, Some("Trying again in 2 s."), None));
    session.receive(FromWorker::Progress {
        id,
        progress: progress(0),
    });
    assert_eq!(
        session.notices().retry.as_deref(),
        Some("Trying again in 2 s."),
        "progress is no bytes"
    );
    session.receive(notices(id, None, Some("It is full.")));
    assert_eq!(session.notices().retry, None);
    session.receive(notices(id + 1, Some("Of another run."), None));
    session.receive(FromWorker::Finished {
        id,
        result: Box::new(recorded()),
    });
    session.show_recorded();
    assert_eq!(
        session.notices().not_kept.as_deref(),
        Some("It is full."),
        "until the next run"
    );
    let id = start(&mut session);
    assert_eq!(session.notices(), &Notices::default());
    for error in [Error::cancelled(), Error::new(ErrorKind::Source, "it broke")] {
        let id = if session.run().is_active() {
            id
        } else {
            start(&mut session)
        };
        session.receive(notices(id, Some("Trying again."), Some("It is full.")));
        session.receive(FromWorker::Failed { id, error });
        assert_eq!(session.notices().retry, None, "nothing is tried any more");
        assert!(session.notices().not_kept.is_some());
    }
    let id = start(&mut session);
    session.receive(notices(id, Some("Trying again."), None));
    session.worker_lost("it broke down");
    assert_eq!(session.notices(), &Notices::default());
}

fn question(text: &str) -> Question {
    Question {
        text: text.into(),
        ..Question::default()
    }
}

/// Asks about `text` and returns the request number and the other messages to send.
fn ask(session: &mut Session, text: &str) -> (u32, Vec<ToWorker>) {
    let mut messages = session.ask(URL, question(text));
    match messages.pop() {
        Some(ToWorker::Ask {
            id,
            url,
            question: asked,
        }) => {
            assert_eq!((url.as_str(), asked.text.as_str()), (URL, text));
            (id, messages)
        }
        other => panic!("nothing was asked: {other:?}"),
    }
}

/// A part of the answer about a sentence of `tokens`: the most likely token after `dest`.
fn part(id: u32, tokens: &[u32], dest: usize) -> FromWorker {
    let mut part = recorded();
    part.prompts = vec![crate::prompts::Prompt {
        tokens: tokens.to_vec(),
        ..Default::default()
    }];
    let tokens = Vec::new();
    part.sections = vec![crate::analysis::pair::NextSection { dest, tokens }.into()];
    FromWorker::Answer {
        id,
        part: Box::new(part),
    }
}

fn shown_dest(session: &Session) -> Option<usize> {
    Some(session.question_state().shown()?.result.next()?.dest)
}

#[test]
fn the_next_question_overtakes_the_one_before() {
    let mut session = session();
    let (first, besides) = ask(&mut session, "a");
    assert!(matches!(besides[..], [ToWorker::Describe { .. }]), "{besides:?}");
    assert!(session.question_state().request().is_active() && session.question_state().answers(URL, &question("a")));
    let (second, besides) = ask(&mut session, "ab");
    assert_eq!(besides, [ToWorker::Cancel { id: first }]);
    session.receive(part(first, &[1], 0));
    assert_eq!(shown_dest(&session), None, "what was overtaken is not shown");
    session.receive(FromWorker::Failed {
        id: first,
        error: Error::cancelled(),
    });
    session.receive(FromWorker::Progress {
        id: second,
        progress: progress(0),
    });
    assert!(session.question_state().request().progress().is_some() && session.run() == &Run::Idle);
    session.receive(part(second, &[1, 2], 1));
    assert_eq!(shown_dest(&session), Some(1));
    assert!(session.question_state().request().is_active(), "more parts may come");
    session.receive(FromWorker::Answered { id: second });
    let asking = session.question_state();
    assert!(
        !asking.request().is_active() && asking.request().progress().is_none() && asking.request().error().is_none()
    );
    assert!(asking.answers(URL, &question("ab")) && !asking.answers(URL, &question("a")));
    assert!(!asking.answers("elsewhere", &question("ab")));
    // The setting does not affect the result of a run.
    assert_eq!(origin(&session), &Origin::Recorded);
}

#[test]
fn special_tokens_are_those_of_the_sentence_and_the_model() {
    let mut session = session();
    let (first, _) = ask(&mut session, "a<|endoftext|>");
    let specials = |id| FromWorker::Specials {
        id,
        texts: vec!["<|endoftext|>".into()],
    };
    session.receive(specials(first));
    assert_eq!(
        session.question_state().specials_in("a<|endoftext|>"),
        ["<|endoftext|>"]
    );
    assert!(session.question_state().specials_in("a").is_empty());
    let (second, _) = ask(&mut session, "b");
    session.receive(specials(first));
    assert!(
        session.question_state().specials_in("b").is_empty(),
        "what was overtaken says nothing"
    );
    session.receive(specials(second));
    assert_eq!(session.question_state().specials_in("b").len(), 1);
    session.ask("https://example.org/other", question("b"));
    assert!(
        session.question_state().specials_in("b").is_empty(),
        "another model has others"
    );
}

#[test]
fn parts_of_one_sentence_are_one_result_and_another_sentence_begins_anew() {
    let mut session = session();
    let (id, _) = ask(&mut session, "a");
    session.receive(part(id, &[1, 2], 1));
    let mut more = recorded();
    more.prompts = vec![crate::prompts::Prompt {
        tokens: vec![1, 2],
        ..Default::default()
    }];
    more.sections.truncate(1);
    let kind = more.sections[0].kind();
    session.receive(FromWorker::Answer {
        id,
        part: Box::new(more),
    });
    let kinds = |session: &Session| -> Vec<&str> {
        let sections = session
            .question_state()
            .shown()
            .map(|shown| shown.result.sections.clone());
        sections
            .unwrap_or_default()
            .iter()
            .map(crate::analysis::Section::kind)
            .collect()
    };
    assert_eq!(kinds(&session), ["next", kind]);
    session.receive(part(id, &[1, 2], 0));
    assert_eq!((kinds(&session).len(), shown_dest(&session)), (2, Some(0)));
    session.receive(part(id, &[1, 2, 3], 2));
    assert_eq!((kinds(&session), shown_dest(&session)), (vec!["next"], Some(2)));
}

#[test]
fn a_question_without_an_answer_leaves_the_last_one() {
    let mut session = session();
    let (id, _) = ask(&mut session, "a");
    session.receive(part(id, &[1], 0));
    session.receive(FromWorker::Answered { id });
    let (id, _) = ask(&mut session, "b");
    let error = Error::new(ErrorKind::Prompt, "it does not fit");
    session.receive(FromWorker::Failed {
        id,
        error: error.clone(),
    });
    assert_eq!(
        (session.question_state().request().error(), shown_dest(&session)),
        (Some(&error), Some(0))
    );
    assert!(session.error().is_none(), "it is said at the field");
    // Back to an earlier question: parts of another answer may be shown, and the error belongs to that.
    assert!(!session.question_state().answers(URL, &question("a")));
    let (id, _) = ask(&mut session, "c");
    assert!(session.question_state().request().error().is_none());
    assert_eq!(session.stop_asking(), Some(ToWorker::Cancel { id }));
    assert_eq!(
        (session.stop_asking(), session.question_state().request().is_active()),
        (None, false)
    );
    ask(&mut session, "d");
    session.worker_lost("it is gone");
    assert!(
        session
            .question_state()
            .request()
            .error()
            .is_some_and(|error| error.cause.contains("gone"))
    );
    assert_eq!(shown_dest(&session), Some(0));
}

#[test]
fn a_continuation_is_the_next_question() {
    let mut session = session();
    let (asked, _) = ask(&mut session, "a");
    let messages = session.go_on(URL, question("a"), (5, Sampling::default()));
    let [
        ToWorker::Cancel { id },
        ToWorker::Continue {
            id: going_on, count: 5, ..
        },
    ] = messages[..]
    else {
        panic!("{messages:?}")
    };
    assert_eq!(id, asked);
    session.receive(FromWorker::Continued {
        id: asked,
        text: "overtaken".into(),
    });
    assert_eq!(session.take_continued(), None);
    session.receive(FromWorker::Continued {
        id: going_on,
        text: "a b c".into(),
    });
    assert!(!session.question_state().request().is_active());
    assert_eq!(
        (session.take_continued().as_deref(), session.take_continued()),
        (Some("a b c"), None)
    );
}
