//! Tests of the ablation on the selected model.
#![allow(clippy::unwrap_used)]

use super::*;
use crate::error::ErrorKind;
use crate::worker::FromWorker;

const URL: &str = "https://h/models/tiny";

fn recorded() -> ResultFile {
    ResultFile::from_json(include_bytes!("../../../public/recorded/gpt2-small-head-effects.json")).unwrap()
}

fn asked(messages: &[ToWorker]) -> u32 {
    match messages.last().unwrap() {
        ToWorker::AblateHead { id, url, prompt } => {
            assert_eq!((url.as_str(), prompt.answer.as_str()), (URL, " Mary"));
            *id
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_ablation_is_asked_of_the_model_at_hand_and_leaves_the_sentence_alone() {
    let mut session = Session::default();
    assert!(session.try_ablation(URL).is_empty(), "there is nothing to ask yet");
    session.effects_arrived(recorded());
    let first = asked(&session.try_ablation(URL));
    assert!(session.ablation().request().is_active());
    // A second press: the first request is cancelled, and its late messages are ignored.
    let again = session.try_ablation(URL);
    assert!(
        matches!(&again[..], [ToWorker::Cancel { id }, ToWorker::AblateHead { .. }] if *id == first),
        "{again:?}"
    );
    let second = asked(&again);
    let part = |id| FromWorker::Answer {
        id,
        part: Box::new(recorded()),
    };
    session.receive(part(first));
    assert!(session.ablation().found().is_none());
    session.receive(part(second));
    session.receive(FromWorker::Answered { id: second });
    assert!(!session.ablation().request().is_active());
    let found = session.ablation().found().unwrap();
    assert_eq!(found.origin, Origin::Live);
    assert!(found.result.head_effects().is_some());
    assert!(session.question_state().shown().is_none() && session.shown().is_none());

    // After cancelling or failing, the earlier answer stays.
    let third = asked(&session.try_ablation(URL));
    assert_eq!(session.stop_ablation(), Some(ToWorker::Cancel { id: third }));
    session.receive(FromWorker::Failed {
        id: third,
        error: Error::new(ErrorKind::Cancelled, "cancelled"),
    });
    assert!(session.ablation().request().error().is_none() && session.ablation().found().is_some());
    let fourth = asked(&session.try_ablation(URL));
    session.receive(FromWorker::Failed {
        id: fourth,
        error: Error::new(ErrorKind::Prompt, "no token"),
    });
    assert_eq!(session.ablation().request().error().unwrap().cause, "no token");
    assert!(session.error().is_none(), "it is said beside the run");
    session.try_ablation(URL);
    assert!(session.ablation().request().error().is_none());
    session.worker_lost("gone");
    assert!(
        session
            .ablation()
            .request()
            .error()
            .unwrap()
            .advice
            .contains("Try again")
    );
}
