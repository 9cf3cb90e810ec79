//! A checkpoint over HTTP(S), natively.

use std::io::Read;
use std::ops::Range;
use std::time::Duration;

use futures::future::LocalBoxFuture;

use super::http::{HttpFolder, range_header};
use super::source::{Sink, Source};
use crate::error::Result;

/// Bytes that are read at once.
const PIECE: usize = 1 << 16;

/// The files under an HTTP(S) address. Reading blocks.
pub struct HttpSource {
    folder: HttpFolder,
    agent: ureq::Agent,
}

impl HttpSource {
    /// The checkpoint under `url`, a slash at its end optional; nothing is read yet.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Source`] when `url` is not an HTTP(S) address of a folder.
    pub fn new(url: &str) -> Result<Self> {
        let agent = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .timeout_connect(Some(Duration::from_secs(20)))
            .timeout_recv_response(Some(Duration::from_secs(60)))
            .timeout_per_read(Some(Duration::from_secs(60)))
            .user_agent(concat!("keyside/", env!("CARGO_PKG_VERSION")))
            .build()
            .new_agent();
        Ok(Self {
            folder: HttpFolder::parse(url)?,
            agent,
        })
    }

    fn fetch(&self, file: &str, range: Option<Range<u64>>, sink: &mut Sink<'_>) -> Result<()> {
        if range.as_ref().is_some_and(Range::is_empty) {
            return Ok(());
        }
        let advice = "Check the URL and the connection.";
        let mut request = self.agent.get(self.folder.url_of(file));
        if let Some(range) = &range {
            request = request.header("Range", range_header(range));
        }
        let response = request
            .call()
            .map_err(|cause| self.folder.network_error(file, &cause.to_string(), advice))?;
        let content_range = response
            .headers()
            .get("content-range")
            .and_then(|value| value.to_str().ok());
        let mut cutter = self
            .folder
            .answer(file, range.as_ref(), response.status().as_u16(), content_range)?;
        let mut body = response.into_body().into_reader();
        let mut piece = vec![0; PIECE];
        while !cutter.is_done() {
            match body.read(&mut piece) {
                Ok(0) => break,
                Ok(count) => sink(cutter.cut(&piece[..count])?)?,
                Err(cause) if cause.kind() == std::io::ErrorKind::Interrupted => {}
                Err(cause) => return Err(self.folder.network_error(file, &cause.to_string(), advice)),
            }
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
            self.fetch(file, range, &mut |piece| {
                bytes.extend_from_slice(piece);
                Ok(())
            })?;
            Ok(bytes)
        })
    }

    fn stream<'a>(
        &'a self,
        file: &'a str,
        range: Range<u64>,
        sink: &'a mut Sink<'a>,
    ) -> LocalBoxFuture<'a, Result<()>> {
        Box::pin(async move { self.fetch(file, Some(range), sink) })
    }

    fn length<'a>(&'a self, file: &'a str) -> LocalBoxFuture<'a, Result<Option<u64>>> {
        Box::pin(async move { Ok(self.folder.length(file)) })
    }
}
