//! A checkpoint source over HTTP(S), with retries and resumption.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::future::Future;
use std::ops::Range;
use std::pin::pin;

use futures::future::{Either, LocalBoxFuture, select};

use super::http::{Cutter, HttpFolder};
use super::notices::NoticeBoard;
use super::source::{Sink, Source, Traffic};
use super::transport::{Answer, Gate, RetryHint, RetryPolicy, Transport};
use super::version_probe::{VersionProbe, changed};
use crate::error::{Error, Result};

/// The files below an HTTP(S) URL.
///
/// A request that breaks off, stalls or meets a busy server is retried after a delay, for the missing bytes only.
/// Permanent failures (such as 404) are errors at once. When the server reports another version of a file, or when a
/// new run begins, a few bytes of the file are read again and compared first: mixing two versions is an error.
pub struct HttpSource {
    folder: HttpFolder,
    transport: Box<dyn Transport>,
    retry_policy: RetryPolicy,
    gate: Gate,
    received: Cell<u64>,
    answered: Cell<bool>,
    /// Whether the server has answered the last range request with the whole file.
    whole: Cell<bool>,
    version_probes: RefCell<BTreeMap<String, VersionProbe>>,
    notices: NoticeBoard,
}

/// Why an attempt failed.
enum Failure {
    /// Permanent: a retry would not help.
    Final(Error),
    /// Temporary: worth a retry. The server may have said when.
    Passing(Error, RetryHint),
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Final(error)
    }
}

impl HttpSource {
    /// The checkpoint below `url` (a slash at its end is optional). Nothing is read yet.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Source`] when `url` is not an HTTP(S) address of a folder.
    pub fn new(url: &str, transport: Box<dyn Transport>) -> Result<Self> {
        Ok(Self {
            folder: HttpFolder::parse(url)?,
            transport,
            retry_policy: RetryPolicy::default(),
            gate: Gate::default(),
            received: Cell::new(0),
            answered: Cell::new(false),
            whole: Cell::new(false),
            version_probes: RefCell::default(),
            notices: NoticeBoard::default(),
        })
    }

    /// Remembers that the user entered `name`, which could also have been a local folder, so that errors can say that
    /// no such folder exists.
    #[cfg(all(feature = "cli", not(target_arch = "wasm32")))]
    #[must_use]
    pub(crate) fn by_name(mut self, name: Option<&str>) -> Self {
        self.folder.name = name.map(str::to_owned);
        self
    }

    /// The same source with another retry policy.
    #[must_use]
    pub fn with_retry_policy(mut self, retry_policy: RetryPolicy) -> Self {
        self.retry_policy = retry_policy;
        self
    }

    /// The same source, whose requests wait while `gate` is closed.
    #[must_use]
    pub fn with_gate(mut self, gate: Gate) -> Self {
        self.gate = gate;
        self
    }

    /// The same source, which reports retries on `notices`.
    #[must_use]
    pub fn with_notices(mut self, notices: NoticeBoard) -> Self {
        self.notices = notices;
        self
    }

    /// Streams a range of `file`, and resumes where a failed attempt ended.
    async fn range(&self, file: &str, range: Range<u64>, sink: &mut Sink<'_>) -> Result<()> {
        let mut start = range.start;
        let mut attempt = 0;
        while start < range.end {
            let before = start;
            let mut counting = |bytes: &[u8]| {
                start += bytes.len() as u64;
                sink(bytes)
            };
            let outcome = self.attempt(file, Some(&(before..range.end)), &mut counting).await;
            if start > before {
                attempt = 0;
            }
            self.after(outcome, &mut attempt).await?;
        }
        Ok(())
    }

    /// Reads a whole file. After a failed attempt it starts over.
    async fn whole(&self, file: &str, sink: &mut Sink<'_>) -> Result<()> {
        let mut attempt = 0;
        loop {
            let mut bytes = Vec::new();
            let mut collect = |piece: &[u8]| {
                bytes.extend_from_slice(piece);
                Ok(())
            };
            let outcome = self.attempt(file, None, &mut collect).await;
            if self.after(outcome, &mut attempt).await? {
                return sink(&bytes);
            }
        }
    }

    /// Waits before the next attempt if `outcome` is a temporary failure. Returns true if the attempt succeeded.
    async fn after(&self, outcome: std::result::Result<(), Failure>, attempt: &mut usize) -> Result<bool> {
        let (error, again) = match outcome {
            Ok(()) => return Ok(true),
            Err(Failure::Final(error)) => {
                self.notices.set_retry(None);
                return Err(error);
            }
            Err(Failure::Passing(error, again)) => (error, again),
        };
        let Some(wait) = self.retry_policy.wait(*attempt, self.answered.get(), again) else {
            self.notices.set_retry(None);
            return Err(error);
        };
        *attempt += 1;
        let seconds = wait.as_secs_f64().ceil();
        let cause = error.cause;
        self.notices
            .set_retry(Some(format!("{cause}; trying again in {seconds} s.")));
        self.transport.sleep(wait).await;
        // The notice stays until bytes arrive: sending the request alone proves nothing.
        self.notices.set_retry(Some(format!("{cause}; trying again.")));
        Ok(false)
    }

    /// Makes one attempt, and passes on what arrives.
    async fn attempt(
        &self,
        file: &str,
        range: Option<&Range<u64>>,
        sink: &mut dyn FnMut(&[u8]) -> Result<()>,
    ) -> std::result::Result<(), Failure> {
        if self.with_version_probe(file, |version_probe| version_probe.is_stale()) {
            self.verify(file).await?;
        }
        let (mut answer, mut cutter) = self.send(file, range).await?;
        if self.with_version_probe(file, |version_probe| {
            version_probe.is_new_label(answer.label.as_deref())
        }) {
            drop(answer);
            self.verify(file).await?;
            (answer, cutter) = self.send(file, range).await?;
        }
        let label = answer.label.take();
        let mut at = range.map_or(0, |range| range.start);
        let mut first = true;
        let mut watched = |bytes: &[u8]| {
            if !bytes.is_empty() && std::mem::take(&mut first) {
                self.with_version_probe(file, |version_probe| version_probe.record(at, bytes, label.as_ref()));
            }
            at += bytes.len() as u64;
            sink(bytes)
        };
        self.take(answer, cutter, range, &mut watched).await
    }

    /// Sends a request, and checks that the response contains the requested bytes.
    async fn send(&self, file: &str, range: Option<&Range<u64>>) -> std::result::Result<(Answer, Cutter), Failure> {
        let url = self.folder.url_of(file);
        let mut answer = self.ask(file, &url, range).await?;
        if answer.status == 403 && answer.redirected {
            // The redirect target is a signed URL that expires: ask the original server for a new one.
            drop(answer);
            answer = self.ask(file, &url, range).await?;
        }
        if let Some(encoding) = answer
            .encoding
            .as_ref()
            .filter(|encoding| !encoding.eq_ignore_ascii_case("identity"))
        {
            return Err(Failure::Final(self.folder.compressed(file, encoding)));
        }
        let told = answer.content_range.as_deref();
        let cutter = self.folder.answer(file, range, answer.status, told);
        if range.is_some() {
            self.whole.set(answer.status == 200);
        }
        match cutter {
            Ok(cutter) => Ok((answer, cutter)),
            Err(error) if may_pass(answer.status) => Err(Failure::Passing(error, answer.retry_hint())),
            Err(error) => Err(Failure::Final(error)),
        }
    }

    async fn ask(&self, file: &str, url: &str, range: Option<&Range<u64>>) -> std::result::Result<Answer, Failure> {
        self.gate.pass().await;
        let sent = self.in_time(self.transport.get(url, range)).await;
        let answer = sent.map_err(|cause| self.broken(file, &cause))?;
        self.answered.set(true);
        Ok(answer)
    }

    /// Passes the requested part of a response body to the sink.
    async fn take(
        &self,
        answer: Answer,
        mut cutter: Cutter,
        range: Option<&Range<u64>>,
        sink: &mut dyn FnMut(&[u8]) -> Result<()>,
    ) -> std::result::Result<(), Failure> {
        let name = cutter.file().to_owned();
        let broken = |cause: String| self.broken(&name, &cause);
        let mut body = answer.body;
        while !cutter.is_done() {
            self.gate.pass().await;
            let Some(bytes) = self.in_time(body.next()).await.map_err(broken)? else {
                break;
            };
            self.received.set(self.received.get() + bytes.len() as u64);
            self.notices.set_retry(None);
            sink(cutter.cut(bytes)?)?;
        }
        if range.is_some() && cutter.is_done() && answer.status == 206 {
            // Read to the very end, so that the request completes: browsers report a dropped one as failed.
            drop(self.in_time(body.next()).await);
        }
        match cutter.finish() {
            // The file itself is too short.
            Err(error) if answer.status == 200 => Err(Failure::Final(error)),
            Err(error) => Err(Failure::Passing(error, RetryHint::Unspecified)),
            Ok(()) => Ok(()),
        }
    }

    /// Verifies that `file` is still the version that was read before, by reading samples of it again.
    async fn verify(&self, file: &str) -> std::result::Result<(), Failure> {
        for (range, before) in self.with_version_probe(file, |version_probe| version_probe.samples()) {
            let (answer, cutter) = self.send(file, Some(&range)).await?;
            let mut now = Vec::new();
            let mut collect = |bytes: &[u8]| {
                now.extend_from_slice(bytes);
                Ok(())
            };
            self.take(answer, cutter, Some(&range), &mut collect).await?;
            if now != before {
                return Err(Failure::Final(changed(file, self.folder.location())));
            }
        }
        self.with_version_probe(file, VersionProbe::mark_verified);
        Ok(())
    }

    fn with_version_probe<T>(&self, file: &str, look: impl FnOnce(&mut VersionProbe) -> T) -> T {
        look(self.version_probes.borrow_mut().entry(file.to_owned()).or_default())
    }

    fn broken(&self, file: &str, cause: &str) -> Failure {
        let advice = self.transport.advice(self.folder.location());
        Failure::Passing(self.folder.network_error(file, cause, advice), RetryHint::Unspecified)
    }

    /// Awaits `work`, but fails if the server is silent for longer than the timeout.
    async fn in_time<T>(
        &self,
        work: impl Future<Output = std::result::Result<T, String>>,
    ) -> std::result::Result<T, String> {
        match select(
            pin!(work),
            self.transport.stall_timeout(self.retry_policy.stall_timeout),
        )
        .await
        {
            Either::Left((done, _)) => done,
            Either::Right(((), _)) => Err(format!(
                "the server was silent for {} s",
                self.retry_policy.stall_timeout.as_secs_f64()
            )),
        }
    }
}

/// Whether a response status may be temporary.
fn may_pass(status: u16) -> bool {
    matches!(status, 408 | 425 | 429 | 500 | 502 | 503 | 504)
}

impl Source for HttpSource {
    fn location(&self) -> String {
        self.folder.location().to_owned()
    }

    fn stream<'a>(
        &'a self,
        file: &'a str,
        range: Option<Range<u64>>,
        sink: &'a mut Sink<'a>,
    ) -> LocalBoxFuture<'a, Result<()>> {
        Box::pin(async move {
            match range {
                Some(range) => self.range(file, range, sink).await,
                None => self.whole(file, sink).await,
            }
        })
    }

    fn length<'a>(&'a self, file: &'a str) -> LocalBoxFuture<'a, Result<Option<u64>>> {
        Box::pin(async move { Ok(self.folder.length(file)) })
    }

    fn mark_stale(&self) {
        self.version_probes
            .borrow_mut()
            .values_mut()
            .for_each(VersionProbe::mark_stale);
    }

    fn label(&self, file: &str) -> Option<String> {
        self.with_version_probe(file, |version_probe| version_probe.label().cloned())
    }

    fn reads_from_the_start(&self) -> bool {
        self.whole.get()
    }

    fn traffic(&self) -> Traffic {
        Traffic {
            network: self.received.get(),
            storage: 0,
        }
    }
}
