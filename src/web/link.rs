//! The page's end of the connection to its worker.

use std::cell::Cell;
use std::rc::Rc;

use js_sys::{Array, Object, Reflect};
use wasm_bindgen::prelude::*;
use web_sys::{ErrorEvent, File, MessageEvent, Worker};

use super::document::{meta, text_of, what_is_wrong};
use crate::names::EngineChoice;
use crate::worker::{FromWorker, ToWorker};

/// Name of the `<meta>` element with the URL of the worker's script, which has the same version as the page.
const META: &str = "keyside-worker";

/// Events of the worker.
pub enum WorkerEvent {
    /// A message.
    Message(Box<FromWorker>),
    /// The worker could not start, or broke down, for this reason.
    Lost(String),
}

/// A running worker. Messages are queued until the worker reports that it listens.
pub struct Link {
    worker: Worker,
    waiting: Option<Vec<JsValue>>,
    /// The engine that the worker uses.
    engine: EngineChoice,
    _on_message: Closure<dyn FnMut(MessageEvent)>,
    _on_error: Closure<dyn FnMut(ErrorEvent)>,
}

impl Link {
    /// Starts a worker; `hear` receives all its events.
    ///
    /// # Errors
    /// Why it can't be started.
    pub fn start(hear: impl Fn(WorkerEvent) + Clone + 'static) -> Result<Self, String> {
        let script =
            meta(META).ok_or_else(|| format!("the worker can't start (the page has no meta element {META})"))?;
        let worker = Worker::new(&script).map_err(|cause| format!("the worker can't start ({})", text_of(&cause)))?;
        let hear_message = hear.clone();
        let listens = Rc::new(Cell::new(false));
        let has_spoken = Rc::clone(&listens);
        let on_message = Closure::<dyn FnMut(MessageEvent)>::new(move |event: MessageEvent| {
            has_spoken.set(true);
            let text = event.data().as_string().unwrap_or_default();
            // Parsed from bytes, as results are: parsing from `str` would add the parser to the page's wasm a second
            // time.
            hear_message(match serde_json::from_slice(text.as_bytes()) {
                Ok(message) => WorkerEvent::Message(Box::new(message)),
                Err(cause) => WorkerEvent::Lost(format!("the worker said something that makes no sense ({cause})")),
            });
        });
        let on_error = Closure::<dyn FnMut(ErrorEvent)>::new(move |event: ErrorEvent| {
            let cause = Reflect::get(&event, &"message".into())
                .ok()
                .and_then(|message| message.as_string());
            if let (true, Some(cause)) = (listens.get(), &cause) {
                return hear(WorkerEvent::Lost(format!("the worker broke down ({cause})")));
            }
            let (hear, file) = (hear.clone(), script.clone());
            leptos::task::spawn_local(async move {
                let wrong = what_is_wrong(&file).await;
                let what = wrong.or(cause).unwrap_or_else(|| format!("{file} can't be loaded"));
                hear(WorkerEvent::Lost(format!("the worker can't start: {what}")));
            });
        });
        worker.set_onmessage(Some(on_message.as_ref().unchecked_ref()));
        worker.set_onerror(Some(on_error.as_ref().unchecked_ref()));
        Ok(Self {
            worker,
            waiting: Some(Vec::new()),
            engine: EngineChoice::default(),
            _on_message: on_message,
            _on_error: on_error,
        })
    }

    /// Sends the queued messages, once the worker listens.
    pub fn ready(&mut self) {
        for message in self.waiting.take().into_iter().flatten() {
            self.post(message);
        }
    }

    /// Sets the engine that the worker uses from now on.
    pub fn choose(&mut self, engine: EngineChoice) {
        if engine != self.engine {
            self.engine = engine;
            self.send(&ToWorker::Choose { engine });
        }
    }

    /// Sends `message`, or queues it until the worker listens.
    pub fn send(&mut self, message: &ToWorker) {
        // A message is a tree of numbers and text, which can always be serialized.
        if let Ok(text) = serde_json::to_string(message) {
            self.post(text.into());
        }
    }

    /// Sends the files of the model at `address`, which must precede any message that names that address.
    pub fn give(&mut self, address: &str, files: &[File]) {
        let object = Object::new();
        let list: Array = files.iter().collect();
        // Setting a property of an object made here can't fail.
        let _ = Reflect::set(&object, &"address".into(), &address.into());
        let _ = Reflect::set(&object, &"files".into(), &list);
        self.post(object.into());
    }

    fn post(&mut self, message: JsValue) {
        match &mut self.waiting {
            Some(waiting) => waiting.push(message),
            // Text and files can always be posted.
            None => drop(self.worker.post_message(&message)),
        }
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        self.worker.set_onmessage(None);
        self.worker.set_onerror(None);
        self.worker.terminate();
    }
}
