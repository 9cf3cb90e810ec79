//! HTTP requests by the browser's `fetch`, in a worker or in a window.

use std::ops::Range;
use std::time::Duration;

use futures::future::LocalBoxFuture;
use js_sys::{Promise, Reflect, Uint8Array};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{
    AbortController, Headers, ReadableStreamDefaultReader, ReferrerPolicy, Request, RequestCredentials, RequestInit,
    RequestMode, Response, Window, WorkerGlobalScope,
};

use crate::checkpoint::{Answer, Body, Transport, is_this_machine, range_header};

/// A [`Transport`] that uses `fetch`.
pub struct FetchTransport;

/// Aborts a request when it is dropped; aborting a finished request has no effect.
struct Abort(AbortController);

impl Drop for Abort {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl Transport for FetchTransport {
    fn get<'a>(
        &'a self,
        url: &'a str,
        range: Option<&'a Range<u64>>,
    ) -> LocalBoxFuture<'a, std::result::Result<Answer, String>> {
        Box::pin(async move {
            match send(url, range).await {
                // For a request without a range the browser decompresses the body.
                Ok(mut answer) => {
                    answer.encoding = answer.encoding.filter(|_| answer.status == 206);
                    Ok(answer)
                }
                Err(cause) => Err(match range {
                    Some(_) => why_no_part(url).await.unwrap_or_else(|| describe(&cause)),
                    None => describe(&cause),
                }),
            }
        })
    }

    fn sleep(&self, duration: Duration) -> LocalBoxFuture<'_, ()> {
        Box::pin(async move {
            let mut timer = Timer(None);
            let promise = Promise::new(&mut |resolve, _| timer.0 = set_timeout(&resolve, duration));
            let _ = JsFuture::from(promise).await;
        })
    }

    fn stall_timeout(&self, timeout: Duration) -> LocalBoxFuture<'_, ()> {
        self.sleep(timeout)
    }

    // A browser reports only "failed" to a page, so the advice lists the possible causes.
    fn advice(&self, url: &str) -> &'static str {
        let from_https = js_sys::Reflect::get(&js_sys::global(), &"location".into())
            .and_then(|location| Reflect::get(&location, &"protocol".into()))
            .is_ok_and(|protocol| protocol.as_string().as_deref() == Some("https:"));
        if from_https && is_this_machine(url) {
            return "A page opened over https may read from this machine only where the browser lets it: allow \
                this site to reach devices on the local network (\u{201c}Local network access\u{201d} or \
                \u{201c}Apps on device\u{201d} in the settings of the site), and let the server allow this page (CORS). \
                Else pick the model\u{2019}s files, or use the command line.";
        }
        "Check the URL and the connection. A server on another origin must allow this page to read from it \
            (CORS: the header Access-Control-Allow-Origin), and a page opened over https can't read from http."
    }
}

/// Why a range request for `url` fails where a request for the whole file works: browsers fail on compressed partial
/// content, and report it like any other failure. None where the whole file fails, too.
async fn why_no_part(url: &str) -> Option<String> {
    // The request is aborted as soon as its headers arrive.
    let whole = send(url, None).await.ok().filter(|answer| answer.status == 200)?;
    Some(match whole.encoding {
        Some(encoding) => format!("no part of it can be had, as it comes compressed (Content-Encoding: {encoding})"),
        None => "no part of it can be had, though all of it would come: its server compresses it, or keeps pages from asking for parts".to_owned(),
    })
}

async fn send(url: &str, range: Option<&Range<u64>>) -> std::result::Result<Answer, JsValue> {
    let abort = Abort(AbortController::new()?);
    let request = request(url, range, &abort.0)?;
    let response: Response = JsFuture::from(start(&request)?).await?.unchecked_into();
    let header = |name: &str| response.headers().get(name).ok().flatten();
    let reader = response.body().map(|body| body.get_reader().unchecked_into());
    Ok(Answer {
        status: response.status(),
        content_range: header("content-range"),
        retry_after: header("retry-after"),
        rate_limit: header("ratelimit"),
        encoding: header("content-encoding"),
        redirected: response.redirected(),
        label: header("etag").or_else(|| header("last-modified")),
        body: Box::new(FetchBody {
            reader,
            piece: Vec::new(),
            _abort: abort,
        }),
    })
}

struct FetchBody {
    /// None for an answer without a body.
    reader: Option<ReadableStreamDefaultReader>,
    piece: Vec<u8>,
    _abort: Abort,
}

impl Body for FetchBody {
    fn next(&mut self) -> LocalBoxFuture<'_, std::result::Result<Option<&[u8]>, String>> {
        Box::pin(async move {
            let Some(reader) = &self.reader else { return Ok(None) };
            let next = JsFuture::from(reader.read()).await.map_err(|cause| describe(&cause))?;
            let value = Reflect::get(&next, &JsValue::from_str("value")).map_err(|cause| describe(&cause))?;
            let Ok(bytes) = value.dyn_into::<Uint8Array>() else {
                return Ok(None);
            };
            self.piece.resize(bytes.length() as usize, 0);
            bytes.copy_to(&mut self.piece);
            Ok(Some(&self.piece[..]))
        })
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

/// Starts a request in the current global scope (worker or window).
fn start(request: &Request) -> std::result::Result<Promise, JsValue> {
    let global = js_sys::global();
    if let Some(worker) = global.dyn_ref::<WorkerGlobalScope>() {
        return Ok(worker.fetch_with_request(request));
    }
    match global.dyn_ref::<Window>() {
        Some(window) => Ok(window.fetch_with_request(request)),
        None => Err(JsValue::from_str(
            "there is neither a worker nor a window to fetch from",
        )),
    }
}

/// A timer that is cleared when it is dropped.
struct Timer(Option<i32>);

impl Drop for Timer {
    fn drop(&mut self) {
        let Some(timer) = self.0 else { return };
        let global = js_sys::global();
        if let Some(worker) = global.dyn_ref::<WorkerGlobalScope>() {
            worker.clear_timeout_with_handle(timer);
        } else if let Some(window) = global.dyn_ref::<Window>() {
            window.clear_timeout_with_handle(timer);
        }
    }
}

fn set_timeout(callback: &js_sys::Function, after: Duration) -> Option<i32> {
    let milliseconds = i32::try_from(after.as_millis()).unwrap_or(i32::MAX);
    let global = js_sys::global();
    if let Some(worker) = global.dyn_ref::<WorkerGlobalScope>() {
        return worker
            .set_timeout_with_callback_and_timeout_and_arguments_0(callback, milliseconds)
            .ok();
    }
    let window = global.dyn_ref::<Window>()?;
    window
        .set_timeout_with_callback_and_timeout_and_arguments_0(callback, milliseconds)
        .ok()
}

fn describe(cause: &JsValue) -> String {
    if let Some(error) = cause.dyn_ref::<js_sys::Error>() {
        return String::from(error.to_string());
    }
    cause.as_string().unwrap_or_else(|| format!("{cause:?}"))
}
