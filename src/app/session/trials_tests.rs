//! Trials at a pair, together with the question about its sentence.
#![allow(clippy::unwrap_used)]

use super::*;
use crate::analysis::pair::{InterventionRequest, NextSection, Question};
use crate::app::trials::{Trial, TrialKind};
use crate::worker::FromWorker;

const URL: &str = "https://h/models/tiny";

fn question(text: &str) -> Question {
    Question {
        text: text.into(),
        ..Question::default()
    }
}

fn id_of(messages: &[ToWorker]) -> u32 {
    match messages.last().unwrap() {
        ToWorker::Ask { id, .. } | ToWorker::Intervene { id, .. } | ToWorker::CausalMap { id, .. } => *id,
        other => panic!("{other:?}"),
    }
}

/// A part of an answer about a sentence of `tokens`.
fn part(id: u32, tokens: &[u32], dest: usize) -> FromWorker {
    let bytes = include_bytes!("../../../public/recorded/gpt2-small-10.7.json");
    let mut part = ResultFile::from_json(bytes).unwrap();
    part.prompts = vec![crate::prompts::Prompt {
        tokens: tokens.to_vec(),
        ..Default::default()
    }];
    let tokens = Vec::new();
    part.sections = vec![NextSection { dest, tokens }.into()];
    FromWorker::Answer {
        id,
        part: Box::new(part),
    }
}

fn shown_dest(session: &Session) -> Option<usize> {
    Some(session.question_state().shown()?.result.next()?.dest)
}

fn intervention() -> Trial {
    Trial::Intervention(InterventionRequest::default())
}

#[test]
fn what_is_tried_waits_for_the_question_and_is_part_of_its_answer() {
    let mut session = Session::default();
    let asked = id_of(&session.ask(URL, question("a")));
    let tried = session.attempt(URL, question("a"), intervention());
    assert!(
        matches!(&tried[..], [ToWorker::Intervene { .. }]),
        "the question is not stopped: {tried:?}"
    );
    let tried = id_of(&tried);
    assert!(session.trials().is_active(TrialKind::Intervention) && session.question_state().request().is_active());
    session.receive(part(asked, &[1, 2], 0));
    session.receive(FromWorker::Answered { id: asked });
    assert!(!session.question_state().request().is_active() && session.trials().is_active(TrialKind::Intervention));
    session.receive(part(tried, &[1, 2], 1));
    assert_eq!(shown_dest(&session), Some(1));
    session.receive(FromWorker::Answered { id: tried });
    assert!(!session.trials().is_active(TrialKind::Intervention));
    assert!(
        session.question_state().answers(URL, &question("a")),
        "the question is answered still"
    );
}

#[test]
fn the_next_trial_overtakes_and_the_next_question_ends_it() {
    let mut session = Session::default();
    let first = id_of(&session.attempt(URL, question("a"), intervention()));
    let messages = session.attempt(URL, question("a"), Trial::CausalMap);
    assert!(
        matches!(&messages[..], [ToWorker::Cancel { id }, ToWorker::CausalMap { .. }] if *id == first),
        "{messages:?}"
    );
    let second = id_of(&messages);
    assert!(session.trials().is_active(TrialKind::CausalMap) && !session.trials().is_active(TrialKind::Intervention));
    session.receive(part(first, &[1], 0));
    assert_eq!(shown_dest(&session), None, "what was overtaken is not shown");
    let messages = session.ask(URL, question("ab"));
    assert!(messages.contains(&ToWorker::Cancel { id: second }), "{messages:?}");
    assert!(!session.trials().is_active(TrialKind::CausalMap));
    session.receive(part(second, &[1], 0));
    assert_eq!(shown_dest(&session), None);
}

#[test]
fn a_trial_that_fails_says_so_in_its_place_and_leaves_the_answer() {
    let mut session = Session::default();
    let asked = id_of(&session.ask(URL, question("a")));
    session.receive(part(asked, &[1, 2], 1));
    session.receive(FromWorker::Answered { id: asked });
    let tried = id_of(&session.attempt(URL, question("a"), intervention()));
    let error = Error::new(ErrorKind::Prompt, "the second sentence has 3 tokens");
    session.receive(FromWorker::Failed {
        id: tried,
        error: error.clone(),
    });
    assert_eq!(session.trials().error(TrialKind::Intervention), Some(&error));
    assert_eq!(session.trials().error(TrialKind::CausalMap), None);
    assert!(session.question_state().request().error().is_none() && session.error().is_none());
    assert_eq!(shown_dest(&session), Some(1));
    // A cancelled trial is no failure, and does not affect the next one.
    let map = id_of(&session.attempt(URL, question("a"), Trial::CausalMap));
    assert_eq!(session.trials().error(TrialKind::Intervention), None);
    assert_eq!(session.stop_trying(), Some(ToWorker::Cancel { id: map }));
    session.receive(FromWorker::Failed {
        id: map,
        error: Error::cancelled(),
    });
    assert_eq!(session.trials().error(TrialKind::CausalMap), None);
    assert_eq!(session.stop_trying(), None);
    // A crashed worker answers nothing.
    session.attempt(URL, question("a"), Trial::CausalMap);
    session.worker_lost("it broke down");
    assert!(session.trials().error(TrialKind::CausalMap).is_some());
}
