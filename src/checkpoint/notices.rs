//! Notices for the user while a model is being read, such as retries.

use std::cell::RefCell;
use std::rc::Rc;

use futures::channel::mpsc::{UnboundedReceiver, UnboundedSender, unbounded};
use serde::{Deserialize, Serialize};

/// The current notices, each a sentence.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Notices {
    /// Why no bytes arrive, and that the request is retried. Set from the failure until bytes arrive again, or until
    /// the retries end.
    pub retry: Option<String>,
    /// Why the model is not stored. Set until the end of the run.
    pub not_kept: Option<String>,
    /// Why the chosen engine no longer computes, and which one does instead. Set until the end of the run.
    #[serde(default)]
    pub engine: Option<String>,
}

/// The sentence that says that a model is not stored because of `why`.
pub fn not_kept(why: &str) -> String {
    format!("The model is not kept in this browser ({why}); the run goes on in memory.")
}

/// Called with the notices at every change.
type Listener = Box<dyn Fn(&Notices)>;

/// Shared place where sources report notices. Clones share the same board.
///
/// Listeners are notified of every change at once, because a source that waits for its next attempt reports nothing
/// else.
#[derive(Clone, Default)]
pub struct NoticeBoard(Rc<BoardState>);

#[derive(Default)]
struct BoardState {
    now: RefCell<Notices>,
    listeners: RefCell<Vec<UnboundedSender<Notices>>>,
    listener: Option<Listener>,
}

impl NoticeBoard {
    /// A board that calls `tell` at every change. For transports that block the thread while they wait, during which no
    /// task could receive changes.
    pub fn with_listener(tell: impl Fn(&Notices) + 'static) -> Self {
        Self(Rc::new(BoardState {
            listener: Some(Box::new(tell)),
            ..BoardState::default()
        }))
    }

    /// The current notices.
    pub fn now(&self) -> Notices {
        self.0.now.borrow().clone()
    }

    /// Removes all notices, before a run.
    pub fn clear(&self) {
        self.set(Notices::default());
    }

    /// A stream of all changes from now on.
    pub fn listen(&self) -> UnboundedReceiver<Notices> {
        let (sender, receiver) = unbounded();
        self.0.listeners.borrow_mut().push(sender);
        receiver
    }

    pub(crate) fn set_retry(&self, retry: Option<String>) {
        if self.0.now.borrow().retry == retry {
            return;
        }
        self.set(Notices { retry, ..self.now() });
    }

    /// Sets the notice why the model is not stored, a sentence.
    pub fn set_not_kept(&self, not_kept: String) {
        self.set(Notices {
            not_kept: Some(not_kept),
            ..self.now()
        });
    }

    /// Sets the notice why another engine computes, a sentence.
    pub fn set_engine(&self, engine: String) {
        self.set(Notices {
            engine: Some(engine),
            ..self.now()
        });
    }

    fn set(&self, notices: Notices) {
        if *self.0.now.borrow() == notices {
            return;
        }
        // Drops the listeners that are gone.
        let told = |listener: &UnboundedSender<Notices>| listener.unbounded_send(notices.clone()).is_ok();
        self.0.listeners.borrow_mut().retain(told);
        if let Some(tell) = &self.0.listener {
            tell(&notices);
        }
        *self.0.now.borrow_mut() = notices;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_change_is_told_once_and_one_notice_leaves_the_other() {
        let board = NoticeBoard::default();
        let mut changes = board.clone().listen();
        board.set_not_kept("full.".into());
        board.set_not_kept("full.".into());
        board.set_retry(Some("again.".into()));
        board.set_retry(None);
        assert_eq!(board.now().not_kept.as_deref(), Some("full."));
        board.clear();
        board.clear();
        assert_eq!(board.now(), Notices::default());
        let mut told = Vec::new();
        while let Ok(notices) = changes.try_recv() {
            told.push((notices.retry.is_some(), notices.not_kept.is_some()));
        }
        assert_eq!(told, [(false, true), (true, true), (false, true), (false, false)]);
        drop(changes);
        board.set_retry(Some("again.".into()));
        assert!(board.0.listeners.borrow().is_empty());
    }
}
