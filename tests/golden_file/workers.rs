//! The worker's loop in this thread, and a worker in another.

use std::cell::RefCell;
use std::rc::Rc;

use futures::channel::mpsc::unbounded;
use futures::future::LocalBoxFuture;
use keyside::Result;
use keyside::checkpoint::{Gate, MemorySource, NoticeBoard, Source, Store};
use keyside::names::EngineName;
use keyside::worker::{FromWorker, Port, ToWorker, serve};

/// A worker that answers messages, with the tiny checkpoint.
pub trait Worker {
    /// The engine that it uses.
    fn engine(&self) -> EngineName;

    /// The URL of the model.
    fn url(&self) -> String;

    /// All that it posts until `messages` are answered.
    async fn serve(&self, messages: Vec<ToWorker>) -> Vec<FromWorker>;
}

/// The loop with the model in memory.
pub struct Here {
    pub model: MemorySource,
    pub engine: EngineName,
}

impl Worker for Here {
    fn engine(&self) -> EngineName {
        self.engine
    }

    fn url(&self) -> String {
        "memory:tiny".into()
    }

    async fn serve(&self, messages: Vec<ToWorker>) -> Vec<FromWorker> {
        let (sender, inbox) = unbounded();
        for message in messages {
            // As it travels.
            let text = serde_json::to_string(&message).unwrap();
            sender.unbounded_send(serde_json::from_str(&text).unwrap()).unwrap();
        }
        drop(sender);
        let page = Page {
            posted: RefCell::default(),
            model: self.model.clone(),
        };
        serve(&page, inbox).await;
        page.posted.into_inner()
    }
}

/// A page that collects what is posted.
struct Page {
    posted: RefCell<Vec<FromWorker>>,
    model: MemorySource,
}

impl Port for Page {
    fn post(&self, message: FromWorker) {
        // As it travels.
        let text = serde_json::to_string(&message).unwrap();
        self.posted.borrow_mut().push(serde_json::from_str(&text).unwrap());
    }

    fn yield_now(&self) -> LocalBoxFuture<'_, ()> {
        Box::pin(std::future::ready(()))
    }

    fn source(&self, _url: &str) -> Result<Box<dyn Source>> {
        Ok(Box::new(self.model.clone()))
    }

    fn store(&self) -> Option<Rc<dyn Store>> {
        None
    }

    fn gate(&self) -> Gate {
        Gate::default()
    }

    fn notices(&self) -> NoticeBoard {
        NoticeBoard::default()
    }
}

/// A worker at the other end of standard input and output, such as that of a page (tests/e2e/golden.mjs): a line `ask: [message, ...]` is
/// answered by a line `[answer, ...]`.
pub struct Elsewhere {
    pub url: String,
    pub engine: EngineName,
}

impl Worker for Elsewhere {
    fn engine(&self) -> EngineName {
        self.engine
    }

    fn url(&self) -> String {
        self.url.clone()
    }

    async fn serve(&self, messages: Vec<ToWorker>) -> Vec<FromWorker> {
        println!("ask: {}", serde_json::to_string(&messages).unwrap());
        let mut line = String::new();
        std::io::stdin().read_line(&mut line).unwrap();
        serde_json::from_str(&line).unwrap()
    }
}
