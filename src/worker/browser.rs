//! The loop's surroundings in a browser: `postMessage`, macrotasks, HTTP.

use std::cell::RefCell;
use std::rc::Rc;

use futures::channel::{mpsc, oneshot};
use futures::future::LocalBoxFuture;
use wasm_bindgen::prelude::*;
use web_sys::{DedicatedWorkerGlobalScope, MessageChannel, MessageEvent, MessagePort, Url};

use super::{FromWorker, Port, serve};
use crate::checkpoint::{FetchTransport, Gate, HttpSource, OpfsStore, Source, Store, StoredSource, check_for_page};
use crate::error::Result;

fn scope() -> DedicatedWorkerGlobalScope {
    js_sys::global().unchecked_into()
}

fn post(message: &FromWorker) {
    // Numbers and text: always JSON, and text can always be posted.
    if let Ok(text) = serde_json::to_string(message) {
        drop(scope().post_message(&text.into()));
    }
}

/// Serves the page that started this worker.
pub fn start() {
    std::panic::set_hook(Box::new(|info| {
        console_error_panic_hook::hook(info);
        let message = info.payload_as_str().unwrap_or("no message").to_owned();
        post(&FromWorker::Panicked { message });
    }));
    let (sender, inbox) = mpsc::unbounded();
    let on_message = Closure::<dyn FnMut(MessageEvent)>::new(move |event: MessageEvent| {
        let message = event
            .data()
            .as_string()
            .and_then(|text| serde_json::from_str(&text).ok());
        if let Some(message) = message {
            drop(sender.unbounded_send(message));
        }
    });
    scope().set_onmessage(Some(on_message.as_ref().unchecked_ref()));
    // As long as the worker.
    on_message.forget();
    wasm_bindgen_futures::spawn_local(async move {
        match Macrotasks::new() {
            Ok(macrotasks) => {
                let store = OpfsStore::open().await.ok();
                let browser = Browser {
                    macrotasks,
                    gate: Gate::default(),
                    store: store.map(|store| Rc::new(store) as Rc<dyn Store>),
                    own: own_models(),
                };
                serve(&browser, inbox).await;
            }
            Err(cause) => post(&FromWorker::Panicked {
                message: format!("no message channel: {cause:?}"),
            }),
        }
    });
}

/// Where the page keeps its own models: beside the worker's script.
fn own_models() -> Option<String> {
    let location = scope().location().href();
    let url = Url::new_with_base("models/", &location).ok()?;
    Some(url.href())
}

struct Browser {
    macrotasks: Macrotasks,
    gate: Gate,
    /// None where the browser keeps nothing for this page.
    store: Option<Rc<dyn Store>>,
    /// Beginning of the addresses of models that ship with the page.
    own: Option<String>,
}

impl Port for Browser {
    fn post(&self, message: FromWorker) {
        post(&message);
    }

    fn breathe(&self) -> LocalBoxFuture<'_, ()> {
        Box::pin(self.macrotasks.next())
    }

    fn source(&self, url: &str) -> Result<Box<dyn Source>> {
        check_for_page(url, &scope().location().origin())?;
        let source = Box::new(HttpSource::new(url, Box::new(FetchTransport))?.with_gate(self.gate()));
        // The page's own models are kept with the page.
        let own = self.own.as_ref().is_some_and(|own| url.starts_with(own.as_str()));
        match &self.store {
            Some(store) if !own => Ok(Box::new(StoredSource::new(source, Rc::clone(store)))),
            _ => Ok(source),
        }
    }

    fn store(&self) -> Option<Rc<dyn Store>> {
        self.store.clone()
    }

    fn gate(&self) -> Gate {
        self.gate.clone()
    }
}

/// Turns of the event loop, by a message to oneself: unlike a timer, it is not held back 4 ms.
struct Macrotasks {
    to: MessagePort,
    waiting: Rc<RefCell<Option<oneshot::Sender<()>>>>,
    _from: MessagePort,
    _on_message: Closure<dyn FnMut()>,
}

impl Macrotasks {
    fn new() -> std::result::Result<Self, JsValue> {
        let channel = MessageChannel::new()?;
        let waiting = Rc::new(RefCell::new(None::<oneshot::Sender<()>>));
        let wake = Rc::clone(&waiting);
        let on_message = Closure::<dyn FnMut()>::new(move || {
            if let Some(sender) = wake.borrow_mut().take() {
                let _ = sender.send(());
            }
        });
        let from = channel.port1();
        from.set_onmessage(Some(on_message.as_ref().unchecked_ref()));
        Ok(Self {
            to: channel.port2(),
            waiting,
            _from: from,
            _on_message: on_message,
        })
    }

    /// Ends in the next turn of the event loop.
    async fn next(&self) {
        let (sender, receiver) = oneshot::channel();
        *self.waiting.borrow_mut() = Some(sender);
        if self.to.post_message(&JsValue::NULL).is_ok() {
            // A sender that was dropped means the same: go on.
            let _ = receiver.await;
        }
    }
}
