//! A checkpoint over HTTP(S): requests, and going on after what passes.

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

/// The files under an HTTP(S) address.
///
/// A request that breaks off, stalls or meets a busy server is sent again after a while, for the bytes that are
/// missing; what can't pass (a file that is not there, say) fails at once. When the server calls a file by another version,
/// or a new run begins, a few bytes of it are read again first: parts of two versions are an error.
pub struct HttpSource {
    folder: HttpFolder,
    transport: Box<dyn Transport>,
    retry_policy: RetryPolicy,
    gate: Gate,
    received: Cell<u64>,
    answered: Cell<bool>,
    /// Whether the last range was answered with the whole file.
    whole: Cell<bool>,
    version_probes: RefCell<BTreeMap<String, VersionProbe>>,
    notices: NoticeBoard,
}

/// Why an attempt failed.
enum Failure {
    /// Trying again would not help.
    Final(Error),
    /// It may pass; the server may have said when.
    Passing(Error, RetryHint),
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Final(error)
    }
}

impl HttpSource {
    /// The checkpoint under `url`, a slash at its end optional; nothing is read yet.
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

    /// The same source, asked for as `name`, which could have been a folder's: errors say that there is none.
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

    /// The same source, held back while `gate` is closed.
    #[must_use]
    pub fn with_gate(mut self, gate: Gate) -> Self {
        self.gate = gate;
        self
    }

    /// The same source, which writes what a reader should know on `notices`.
    #[must_use]
    pub fn with_notices(mut self, notices: NoticeBoard) -> Self {
        self.notices = notices;
        self
    }

    /// Streams a range, going on where a broken attempt ended.
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

    /// Reads a whole file; a broken attempt begins anew.
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

    /// Waits after an attempt that may be repeated. Says whether it succeeded.
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
        // From now on until bytes come: that the request is sent is no news yet.
        self.notices.set_retry(Some(format!("{cause}; trying again.")));
        Ok(false)
    }

    /// Asks once, and hands on what comes.
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

    /// Sends a request; the answer is one that has the bytes.
    async fn send(&self, file: &str, range: Option<&Range<u64>>) -> std::result::Result<(Answer, Cutter), Failure> {
        let url = self.folder.url_of(file);
        let mut answer = self.ask(file, &url, range).await?;
        if answer.status == 403 && answer.redirected {
            // The address that the first server names is good for some time only: it names another one.
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

    /// Hands on the body of an answer, as far as it was asked for.
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
            // Read to its very end a request ends by itself; a browser counts one that is dropped before as failed.
            drop(self.in_time(body.next()).await);
        }
        match cutter.finish() {
            // The file itself ends there.
            Err(error) if answer.status == 200 => Err(Failure::Final(error)),
            Err(error) => Err(Failure::Passing(error, RetryHint::Unspecified)),
            Ok(()) => Ok(()),
        }
    }

    /// Makes sure that `file` is the one that was read before: reads a few bytes from all over it again.
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

    /// `work`, unless it takes longer than servers may be silent.
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

/// Whether an answer with `status` may be another one later.
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
