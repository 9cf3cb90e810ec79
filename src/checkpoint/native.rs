//! HTTP requests outside of the browser. They block the thread.

use std::io::Read;
use std::ops::Range;
use std::time::Duration;

use futures::future::{LocalBoxFuture, pending, ready};

use ureq::ResponseExt;

use super::http::range_header;
use super::transport::{Answer, Body, Transport};

/// Bytes read at a time.
const PIECE: usize = 1 << 16;

/// Sends requests with `ureq`. Sending, reading and waiting block the thread.
pub struct BlockingTransport {
    agent: ureq::Agent,
}

impl BlockingTransport {
    /// A transport for which a connection is broken after `stall_timeout` without any data.
    pub fn new(stall_timeout: Duration) -> Self {
        let agent = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .timeout_connect(Some(stall_timeout))
            .timeout_recv_response(Some(stall_timeout))
            .timeout_per_read(Some(stall_timeout))
            .user_agent(concat!("keyside/", env!("CARGO_PKG_VERSION")))
            .build()
            .new_agent();
        Self { agent }
    }

    fn send(&self, url: &str, range: Option<&Range<u64>>) -> std::result::Result<Answer, String> {
        // Ranges of a compressed body could not be read.
        let mut request = self.agent.get(url).header("Accept-Encoding", "identity");
        if let Some(range) = range {
            request = request.header("Range", range_header(range));
        }
        let response = request.call().map_err(|cause| cause.to_string())?;
        let header = |name: &str| {
            let value = response.headers().get(name).and_then(|value| value.to_str().ok());
            value.map(str::to_owned)
        };
        Ok(Answer {
            status: response.status().as_u16(),
            content_range: header("content-range"),
            retry_after: header("retry-after"),
            rate_limit: header("ratelimit"),
            encoding: header("content-encoding"),
            redirected: response.get_uri().to_string().trim_end_matches('/') != url.trim_end_matches('/'),
            label: header("etag").or_else(|| header("last-modified")),
            body: Box::new(Blocking {
                reader: Box::new(response.into_body().into_reader()),
                piece: vec![0; PIECE],
            }),
        })
    }
}

impl Transport for BlockingTransport {
    fn get<'a>(
        &'a self,
        url: &'a str,
        range: Option<&'a Range<u64>>,
    ) -> LocalBoxFuture<'a, std::result::Result<Answer, String>> {
        Box::pin(ready(self.send(url, range)))
    }

    fn sleep(&self, duration: Duration) -> LocalBoxFuture<'_, ()> {
        std::thread::sleep(duration);
        Box::pin(ready(()))
    }

    fn stall_timeout(&self, _timeout: Duration) -> LocalBoxFuture<'_, ()> {
        Box::pin(pending())
    }

    fn advice(&self, _url: &str) -> &'static str {
        "Check the URL and the connection."
    }
}

struct Blocking {
    reader: Box<dyn Read>,
    piece: Vec<u8>,
}

impl Body for Blocking {
    fn next(&mut self) -> LocalBoxFuture<'_, std::result::Result<Option<&[u8]>, String>> {
        let count = loop {
            match self.reader.read(&mut self.piece) {
                Err(cause) if cause.kind() == std::io::ErrorKind::Interrupted => {}
                other => break other,
            }
        };
        let bytes = count.map(|count| (count > 0).then(|| &self.piece[..count]));
        Box::pin(ready(bytes.map_err(|cause| cause.to_string())))
    }
}
