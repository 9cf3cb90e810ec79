use super::*;
use crate::analysis::pair::Question;
use crate::names::Head;
use crate::worker::FromWorker;

const URL: &str = "http://127.0.0.1:8080/models/tiny-ioi";

fn session() -> Session {
    let mut session = Session::default();
    let bytes = include_bytes!("../../../public/recorded/gpt2-small-sentences.json");
    session.sentences_arrived(Recording::from_json(bytes).expect("it reads"));
    session
}

fn canonical() -> Question {
    Question {
        text: "When John and Mary went to the shops, John gave the bag to".into(),
        prepend_bos: true,
        ..Question::default()
    }
}

/// Head, query and key position of the shown answer.
fn shown(session: &Session) -> Option<(Head, usize, usize)> {
    let section = session.question_state().shown()?.result.attention()?;
    Some((section.head, section.dest, section.src))
}

#[test]
fn recorded_sentences_are_answered_at_once_and_without_a_model() {
    let mut session = session();
    assert_eq!(session.sentences().len(), 6);
    assert_eq!(session.ask_recorded(canonical()), []);
    let asking = session.question_state();
    assert!(!asking.request().is_active() && asking.request().error().is_none() && asking.answers("", &canonical()));
    assert!(!asking.answers(URL, &canonical()), "no model has answered");
    assert_eq!(asking.shown().map(|shown| &shown.origin), Some(&Origin::Recorded));
    assert_eq!(shown(&session), Some((Head::new(10, 7), 14, 4)));
    assert!(session.begins_with_head());
    let other = Question {
        head: Some(Head::new(9, 9)),
        dest: Some(10),
        ..canonical()
    };
    session.ask_recorded(other);
    let first = session.question_state().shown().map(|shown| shown.revision);
    assert_eq!(
        shown(&session).map(|(head, dest, _)| (head, dest)),
        Some((Head::new(9, 9), 10))
    );
    assert!(!session.begins_with_head());
    // Answers replace each other as a whole.
    let next = |session: &Session| {
        session
            .question_state()
            .shown()
            .is_some_and(|shown| shown.result.next().is_some())
    };
    session.ask_recorded(Question {
        text: session.sentences()[1].text.clone(),
        ..Question::default()
    });
    assert!(next(&session) && !session.begins_with_head());
    session.ask_recorded(canonical());
    assert!(!next(&session) && session.question_state().shown().map(|shown| shown.revision) > first);
}

#[test]
fn what_is_not_recorded_leaves_the_last_answer_and_is_asked_of_nobody() {
    let mut session = session();
    session.ask_recorded(canonical());
    let before = session.question_state().shown().cloned();
    let mine = Question {
        text: "My own sentence".into(),
        ..Question::default()
    };
    assert_eq!(session.ask_recorded(mine.clone()), []);
    assert!(!session.is_recorded(&mine) && session.is_recorded(&canonical()));
    assert_eq!(session.question_state().shown(), before.as_ref());
    assert!(session.question_state().request().error().is_none() && !session.question_state().answers("", &mine));
    // An error for a head that does not exist.
    let head = Question {
        head: Some(Head::new(0, 0)),
        ..canonical()
    };
    assert!(!session.is_recorded(&head));
    session.ask_recorded(head);
    assert!(
        session
            .question_state()
            .request()
            .error()
            .is_some_and(|error| error.cause.contains("0.0"))
    );
    assert_eq!(session.question_state().shown(), before.as_ref());
    session.ask_recorded(canonical());
    assert!(session.question_state().request().error().is_none());
}

#[test]
fn a_recorded_answer_overtakes_what_is_asked_of_a_model() {
    let mut session = session();
    let asked = session.ask(URL, canonical());
    let Some(ToWorker::Ask { id, .. }) = asked.last() else {
        panic!("{asked:?}")
    };
    assert_eq!(session.ask_recorded(canonical()), [ToWorker::Cancel { id: *id }]);
    session.receive(FromWorker::Failed {
        id: *id,
        error: Error::cancelled(),
    });
    assert!(!session.question_state().request().is_active() && session.question_state().request().error().is_none());
    assert_eq!(shown(&session), Some((Head::new(10, 7), 14, 4)));
    // Before the sentences have arrived, nothing is answered.
    assert_eq!(Session::default().ask_recorded(canonical()), []);
}

#[test]
fn bos_goes_with_the_sentence_that_it_was_recorded_with() {
    let session = session();
    let own = |prepend_bos| Question {
        text: "My own".into(),
        prepend_bos,
        ..Question::default()
    };
    assert!(session.begins_with_bos(&canonical().text, &own(false), true));
    assert!(!session.begins_with_bos(&session.sentences()[1].text, &own(true), true));
    for recorded in [false, true] {
        assert!(!session.begins_with_bos("Another", &canonical(), recorded));
        assert!(session.begins_with_bos("Another", &own(true), recorded));
        assert!(!session.begins_with_bos("Another", &own(false), recorded));
    }
    // For a model, the user's setting of BOS counts.
    assert!(!session.begins_with_bos(&canonical().text, &own(false), false));
}
