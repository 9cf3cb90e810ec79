//! A checkpoint over HTTP(S), in the browser: `fetch`, in a worker or in a window.

use std::ops::Range;

use futures::future::LocalBoxFuture;
use js_sys::{Reflect, Uint8Array};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{
    AbortController, Headers, ReadableStreamDefaultReader, ReferrerPolicy, Request, RequestCredentials, RequestInit,
    RequestMode, Response, Window, WorkerGlobalScope,
};

use super::http::{HttpFolder, range_header};
use super::source::{Sink, Source};
use crate::error::{Error, ErrorKind, Result};

/// A browser tells a page no more than "failed", so the advice names what it can be.
const ADVICE: &str = "Check the URL and the connection. A server on another origin must allow this page to read from it \
    (CORS: the header Access-Control-Allow-Origin), and a page opened over https can't read from http.";

/// The status of an answer that is just the range asked for.
const PARTIAL_CONTENT: u16 = 206;

/// The files under an HTTP(S) address, read with `fetch`. Dropping a read aborts its request.
pub struct HttpSource {
    folder: HttpFolder,
}

/// Aborts a request when it is dropped; a request that has ended doesn't mind.
struct Abort(AbortController);

impl Drop for Abort {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl HttpSource {
    /// The checkpoint under `url`, a slash at its end optional; nothing is read yet.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Source`] when `url` is not an HTTP(S) address of a folder.
    pub fn new(url: &str) -> Result<Self> {
        Ok(Self {
            folder: HttpFolder::parse(url)?,
        })
    }

    async fn fetch(&self, file: &str, range: Option<Range<u64>>, sink: &mut Sink<'_>) -> Result<()> {
        if range.as_ref().is_some_and(Range::is_empty) {
            return Ok(());
        }
        let failed = |cause: JsValue| self.folder.network_error(file, &describe(&cause), ADVICE);
        let abort = Abort(AbortController::new().map_err(failed)?);
        let request = request(&self.folder.url_of(file), range.as_ref(), &abort.0).map_err(failed)?;
        let response: Response = JsFuture::from(start(&request)?).await.map_err(failed)?.unchecked_into();
        let content_range = response.headers().get("content-range").map_err(failed)?;
        let mut cutter = self
            .folder
            .answer(file, range.as_ref(), response.status(), content_range.as_deref())?;
        let Some(body) = response.body() else {
            return cutter.finish();
        };
        let reader: ReadableStreamDefaultReader = body.get_reader().unchecked_into();
        let mut piece = Vec::new();
        while !cutter.is_done() {
            let next = JsFuture::from(reader.read()).await.map_err(failed)?;
            let value = Reflect::get(&next, &JsValue::from_str("value")).map_err(failed)?;
            let Ok(bytes) = value.dyn_into::<Uint8Array>() else {
                break;
            };
            piece.resize(bytes.length() as usize, 0);
            bytes.copy_to(&mut piece);
            sink(cutter.cut(&piece)?)?;
        }
        if response.status() == PARTIAL_CONTENT && cutter.is_done() {
            // Read to its very end, the request ends by itself; otherwise dropping it would count as a failed one.
            JsFuture::from(reader.read()).await.map_err(failed)?;
        }
        cutter.finish()
    }
}

impl Source for HttpSource {
    fn location(&self) -> String {
        self.folder.location().to_owned()
    }

    fn read<'a>(&'a self, file: &'a str, range: Option<Range<u64>>) -> LocalBoxFuture<'a, Result<Vec<u8>>> {
        Box::pin(async move {
            let mut bytes = Vec::new();
            let mut sink = |piece: &[u8]| {
                bytes.extend_from_slice(piece);
                Ok(())
            };
            self.fetch(file, range, &mut sink).await?;
            Ok(bytes)
        })
    }

    fn stream<'a>(
        &'a self,
        file: &'a str,
        range: Range<u64>,
        sink: &'a mut Sink<'a>,
    ) -> LocalBoxFuture<'a, Result<()>> {
        Box::pin(async move { self.fetch(file, Some(range), sink).await })
    }

    fn length<'a>(&'a self, file: &'a str) -> LocalBoxFuture<'a, Result<Option<u64>>> {
        Box::pin(async move { Ok(self.folder.length(file)) })
    }
}

fn request(url: &str, range: Option<&Range<u64>>, abort: &AbortController) -> std::result::Result<Request, JsValue> {
    let init = RequestInit::new();
    init.set_method("GET");
    init.set_mode(RequestMode::Cors);
    init.set_credentials(RequestCredentials::SameOrigin);
    init.set_referrer_policy(ReferrerPolicy::NoReferrer);
    init.set_signal(Some(&abort.signal()));
    if let Some(range) = range {
        let headers = Headers::new()?;
        headers.set("Range", &range_header(range))?;
        init.set_headers(&headers);
    }
    Request::new_with_str_and_init(url, &init)
}

/// Starts a request in whatever this runs in.
fn start(request: &Request) -> Result<js_sys::Promise> {
    let global = js_sys::global();
    if let Some(worker) = global.dyn_ref::<WorkerGlobalScope>() {
        return Ok(worker.fetch_with_request(request));
    }
    match global.dyn_ref::<Window>() {
        Some(window) => Ok(window.fetch_with_request(request)),
        None => Err(Error::new(
            ErrorKind::Internal,
            "there is neither a worker nor a window to fetch from",
        )),
    }
}

fn describe(cause: &JsValue) -> String {
    match cause.dyn_ref::<js_sys::Error>() {
        Some(error) => String::from(error.to_string()),
        None => format!("{cause:?}"),
    }
}
