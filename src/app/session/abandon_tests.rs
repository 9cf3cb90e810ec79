use super::*;
use crate::app::session::tests::{batch, origin, recorded, request, session, start};
use crate::app::state::Origin;
use crate::worker::FromWorker;

fn finished(id: u32) -> FromWorker {
    FromWorker::Finished {
        id,
        result: Box::new(recorded()),
    }
}

#[test]
fn a_run_that_is_given_up_leaves_nothing_behind() {
    let mut session = session();
    assert_eq!(session.abandon(), None, "there is none");
    let id = start(&mut session);
    assert_eq!(session.active_request(), Some(request()));
    session.receive(batch(id, 0));
    session.show_batches();
    assert!(matches!(origin(&session), Origin::Partial { .. }));
    assert_eq!(session.abandon(), Some(ToWorker::Cancel { id }));
    assert_eq!((session.run(), session.active_request()), (&Run::Idle, None));
    assert_eq!(
        origin(&session),
        &Origin::Recorded,
        "what was shown before is shown again"
    );
    // Late messages change nothing, and are no error.
    session.receive(batch(id, 1));
    session.receive(finished(id));
    session.show_batches();
    session.receive(FromWorker::Failed {
        id,
        error: crate::Error::cancelled(),
    });
    assert_eq!((session.run(), session.error()), (&Run::Idle, None));
    assert_eq!(origin(&session), &Origin::Recorded);
    // The next run is not affected.
    let next = start(&mut session);
    session.receive(finished(next));
    assert_eq!((origin(&session), session.run()), (&Origin::Live, &Run::Finished));
    assert_eq!(
        session.shown().and_then(|shown| shown.url.clone()),
        Some(request().url),
        "it is known which model it is of"
    );
}

#[test]
fn how_a_run_ended_is_said_as_long_as_its_result_is_shown() {
    let mut session = session();
    let run = |session: &mut Session| {
        let id = start(session);
        session.receive(finished(id));
        assert_eq!(session.run(), &Run::Finished);
    };
    run(&mut session);
    session.show_recorded();
    assert_eq!(session.run(), &Run::Idle, "another result");
    run(&mut session);
    session.opened("a.json", recorded());
    assert_eq!(session.run(), &Run::Idle, "a file");
    run(&mut session);
    session.forget_outcome();
    assert_eq!(session.run(), &Run::Idle, "another model");
    start(&mut session);
    session.forget_outcome();
    assert!(session.run().is_active(), "it has not ended");
}
