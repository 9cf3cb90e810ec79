//! The environment of the worker's loop in a browser: `postMessage`, macrotasks, HTTP.

use std::cell::RefCell;
use std::rc::Rc;

use futures::channel::{mpsc, oneshot};
use futures::future::LocalBoxFuture;
use js_sys::Reflect;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;
use web_sys::{DedicatedWorkerGlobalScope, File, MessageChannel, MessageEvent, MessagePort, Url};

use super::fetch::FetchTransport;
use super::kernels::WebKernels;
use super::opfs::OpfsStore;
use super::picked::PickedSource;
use crate::checkpoint::{Gate, HttpSource, NoticeBoard, Source, Store, StoredSource, check_for_page, not_kept};
use crate::error::{Error, ErrorKind, Result};
use crate::forward::{ComputeResources, GpuDevice, Kernels};
use crate::names::{EngineChoice, EngineName};
use crate::worker::{FromWorker, PICKED, Port, serve};

fn scope() -> DedicatedWorkerGlobalScope {
    js_sys::global().unchecked_into()
}

fn post(message: &FromWorker) {
    // Messages consist of numbers and text: they can always be serialized, and text can always be posted.
    if let Ok(text) = serde_json::to_string(message) {
        drop(scope().post_message(&text.into()));
    }
}

/// Serves the page that started this worker.
pub fn start_worker() {
    std::panic::set_hook(Box::new(|info| {
        console_error_panic_hook::hook(info);
        let message = info.payload_as_str().unwrap_or("no message").to_owned();
        post(&FromWorker::Panicked { message });
    }));
    let (sender, inbox) = mpsc::unbounded();
    let picked = Rc::new(RefCell::new(Picked::default()));
    let to_picked = Rc::clone(&picked);
    let on_message = Closure::<dyn FnMut(MessageEvent)>::new(move |event: MessageEvent| {
        let Some(text) = event.data().as_string() else {
            to_picked.borrow_mut().receive(&event.data());
            return;
        };
        if let Ok(message) = serde_json::from_slice(text.as_bytes()) {
            drop(sender.unbounded_send(message));
        }
    });
    scope().set_onmessage(Some(on_message.as_ref().unchecked_ref()));
    // The listener lives as long as the worker.
    on_message.forget();
    wasm_bindgen_futures::spawn_local(async move {
        match Macrotasks::new() {
            Ok(macrotasks) => {
                let (store, no_store) = match OpfsStore::open().await {
                    Ok(store) => (Some(Rc::new(store) as Rc<dyn Store>), None),
                    Err(error) => (None, Some(error.cause)),
                };
                let browser = Browser {
                    macrotasks,
                    gate: Gate::default(),
                    notices: NoticeBoard::default(),
                    store,
                    no_store,
                    own: own_models(),
                    picked,
                };
                serve(&browser, inbox).await;
            }
            Err(cause) => post(&FromWorker::Panicked {
                message: format!("no message channel: {cause:?}"),
            }),
        }
    });
}

/// URL of the folder with the page's bundled models, relative to the worker's script.
fn own_models() -> Option<String> {
    let location = scope().location().href();
    let url = Url::new_with_base("models/", &location).ok()?;
    Some(url.href())
}

/// The files that the reader picked last.
#[derive(Default)]
struct Picked {
    address: String,
    files: Vec<File>,
}

impl Picked {
    /// Stores the files of a message `{ address, files }`.
    fn receive(&mut self, data: &JsValue) {
        let property = |name: &str| Reflect::get(data, &name.into()).ok();
        let (Some(address), Some(files)) = (
            property("address").and_then(|address| address.as_string()),
            property("files"),
        ) else {
            return;
        };
        let files = js_sys::Array::from(&files);
        self.files = files.iter().filter_map(|file| file.dyn_into().ok()).collect();
        self.address = address;
    }

    /// The source of the model at `address`, which must be the one in [`PICKED`].
    fn source(&self, address: &str) -> Result<Box<dyn Source>> {
        if self.address != address {
            return Err(
                Error::new(ErrorKind::Source, "the picked files are not here any more").advice("Pick them again.")
            );
        }
        let label = address.split_once('/').map_or(address, |(_, label)| label);
        Ok(Box::new(PickedSource::new(label, self.files.clone())))
    }
}

struct Browser {
    macrotasks: Macrotasks,
    gate: Gate,
    notices: NoticeBoard,
    /// None where the browser stores nothing for this page.
    store: Option<Rc<dyn Store>>,
    /// Why there is no store.
    no_store: Option<String>,
    /// URL prefix of the models that are served with the page.
    own: Option<String>,
    picked: Rc<RefCell<Picked>>,
}

impl Port for Browser {
    fn post(&self, message: FromWorker) {
        post(&message);
    }

    fn yield_now(&self) -> LocalBoxFuture<'_, ()> {
        Box::pin(self.macrotasks.next())
    }

    fn source(&self, url: &str) -> Result<Box<dyn Source>> {
        if url.starts_with(PICKED) {
            return self.picked.borrow().source(url);
        }
        check_for_page(url, &scope().location().origin())?;
        let source = HttpSource::new(url, Box::new(FetchTransport))?;
        let source = Box::new(source.with_gate(self.gate()).with_notices(self.notices()));
        // Bundled models are cached by the service worker, so they are not stored.
        let own = self.own.as_ref().is_some_and(|own| url.starts_with(own.as_str()));
        match &self.store {
            Some(store) if !own => {
                let stored = StoredSource::new(source, Rc::clone(store));
                Ok(Box::new(stored.with_notices(self.notices())))
            }
            _ => {
                if let Some(why) = self.no_store.as_ref().filter(|_| !own) {
                    self.notices.set_not_kept(not_kept(why));
                }
                Ok(source)
            }
        }
    }

    fn no_store(&self) -> Option<String> {
        self.no_store.clone()
    }

    fn store(&self) -> Option<Rc<dyn Store>> {
        self.store.clone()
    }

    fn gate(&self) -> Gate {
        self.gate.clone()
    }

    fn notices(&self) -> NoticeBoard {
        self.notices.clone()
    }

    fn engine(&self, choice: EngineChoice) -> LocalBoxFuture<'_, Result<ComputeResources>> {
        Box::pin(async move {
            if choice.engine == Some(EngineName::Gemm) {
                return Ok(ComputeResources::default());
            }
            let kernels = match WebKernels::start(choice).await {
                Ok(kernels) => Some(Rc::new(kernels) as Rc<dyn Kernels>),
                // The default engine falls back to a slower one.
                Err(_) if matches!(choice.engine, None | Some(EngineName::Gpu)) => None,
                Err(error) => return Err(error),
            };
            // A run without the GPU that was asked for is slower; none would be worse.
            let gpu = match choice.engine {
                Some(EngineName::Gpu) => GpuDevice::tested(true, adapter().await).await,
                _ => Ok(None),
            };
            let (gpu, failure) = match gpu {
                Ok(gpu) => (gpu, None),
                Err(error) => (None, Some(error)),
            };
            Ok(ComputeResources { kernels, gpu, failure })
        })
    }

    fn gpu(&self) -> LocalBoxFuture<'_, Result<Option<Rc<GpuDevice>>>> {
        Box::pin(async { GpuDevice::tested(false, adapter().await).await })
    }
}

/// The browser's name for its adapter, as far as it tells: "NVIDIA GeForce RTX 3060", "apple metal-3". None where there is none.
async fn adapter() -> Option<String> {
    let get = |object: &JsValue, name: &str| Reflect::get(object, &name.into()).ok().filter(JsValue::is_truthy);
    let gpu = get(&get(&js_sys::global(), "navigator")?, "gpu")?;
    let options = js_sys::Object::new();
    // A plain object takes every property.
    let _ = Reflect::set(&options, &"powerPreference".into(), &"high-performance".into());
    let request: js_sys::Function = get(&gpu, "requestAdapter")?.dyn_into().ok()?;
    let asked: js_sys::Promise = request.call1(&gpu, &options).ok()?.dyn_into().ok()?;
    let found = JsFuture::from(asked).await.ok()?;
    let info = get(&found, "info")?;
    let text = |name: &str| get(&info, name).and_then(|value| value.as_string());
    let parts = || {
        [text("vendor"), text("architecture")]
            .into_iter()
            .flatten()
            .collect::<Vec<_>>()
    };
    let name = text("description").unwrap_or_else(|| parts().join(" "));
    (!name.is_empty()).then_some(name)
}

/// Turns of the event loop by a message to itself: unlike a timer it is not delayed by 4 ms.
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

    /// Completes in the next turn of the event loop.
    async fn next(&self) {
        let (sender, receiver) = oneshot::channel();
        *self.waiting.borrow_mut() = Some(sender);
        if self.to.post_message(&JsValue::NULL).is_ok() {
            // A dropped sender means the same: continue.
            let _ = receiver.await;
        }
    }
}
