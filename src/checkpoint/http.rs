//! HTTP(S) semantics without the network: URLs, response checks, and cutting bodies to the requested range.
//!
//! Ranges are requested with the single header `Range: bytes=a-b`, which browsers send across origins without a
//! preflight request. Servers answer 206 with the range, or 200 with the whole file, which is then streamed and cut.
//! HEAD requests are not used, because some servers refuse them.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::ops::Range;

use super::hub::hub_name;
use super::source::{missing, too_large, truncated, whole_file_limit};
use crate::error::{Error, ErrorKind, Result};

/// An HTTP(S) URL to which file names are appended, and the file lengths learned from responses.
#[derive(Debug, Clone)]
pub(crate) struct HttpFolder {
    prefix: String,
    lengths: RefCell<BTreeMap<String, u64>>,
    /// The model name that the user entered, if it could also have been the name of a local folder. Used in error
    /// messages.
    pub(crate) name: Option<String>,
}

impl HttpFolder {
    /// Parses and checks the URL `text`; a slash at its end is optional.
    pub(crate) fn parse(text: &str) -> Result<Self> {
        let text = text.trim();
        let wrong = |cause: &str| {
            Error::new(ErrorKind::Source, format!("{text:?} {cause}"))
                .expected("the URL of a folder, such as https://huggingface.co/openai-community/gpt2/resolve/main")
        };
        let lower = text.to_ascii_lowercase();
        let rest = lower.strip_prefix("https://").or_else(|| lower.strip_prefix("http://"));
        let rest = rest.ok_or_else(|| wrong("does not start with http:// or https://"))?;
        if text.contains(|c: char| c.is_whitespace() || c.is_control() || "\"<>\\^`{|}".contains(c)) {
            return Err(wrong("has a character that URLs do not have"));
        }
        if text.contains(['?', '#']) {
            return Err(wrong("has a query or a fragment"));
        }
        let host = rest.split('/').next().unwrap_or_default();
        if host.contains('@') {
            return Err(wrong("has a user name in it"));
        }
        if host.is_empty() || host.starts_with(':') {
            return Err(wrong("names no server"));
        }
        Ok(Self {
            prefix: text.trim_end_matches('/').to_owned(),
            lengths: RefCell::default(),
            name: None,
        })
    }

    /// The URL without a slash at its end.
    pub(crate) fn location(&self) -> &str {
        &self.prefix
    }

    /// The URL of `file`.
    pub(crate) fn url_of(&self, file: &str) -> String {
        format!("{}/{file}", self.prefix)
    }

    /// Length of `file`, if a response has told it.
    pub(crate) fn length(&self, file: &str) -> Option<u64> {
        self.lengths.borrow().get(file).copied()
    }

    /// Checks the status and `Content-Range` of a response, and returns a [`Cutter`] for its body.
    pub(crate) fn answer(
        &self,
        file: &str,
        range: Option<&Range<u64>>,
        status: u16,
        content_range: Option<&str>,
    ) -> Result<Cutter> {
        let told = content_range.and_then(ContentRange::parse);
        if let Some(total) = told.and_then(|told| told.total) {
            self.lengths.borrow_mut().insert(file.to_owned(), total);
        }
        match (status, range) {
            (200, None) => Ok(Cutter::whole(file)),
            (200, Some(range)) => Ok(Cutter::part(file, range.start, range)),
            (206, Some(range)) if told.and_then(|told| told.total).is_some_and(|total| total < range.end) => {
                Err(truncated(file, self.length(file).unwrap_or_default(), range.end))
            }
            (206, Some(range)) => match told.and_then(|told| told.start) {
                Some(start) if start != range.start => Err(Error::new(
                    ErrorKind::Source,
                    format!("{} answered with bytes from {start} on", self.url_of(file)),
                )
                .expected(format!("bytes from {} on", range.start))),
                _ => Ok(Cutter::part(file, 0, range)),
            },
            (416, Some(range)) => Err(truncated(file, self.length(file).unwrap_or(range.start), range.end)),
            _ => Err(self.status_error(file, status)),
        }
    }

    /// Adds to `error` that the text was taken for a name on the hub.
    fn of_name(&self, mut error: Error) -> Error {
        if let Some(name) = &self.name {
            let told = format!("There is no folder {name} here, so that hub:{name} was asked for.");
            error.advice = [told, error.advice].join(" ").trim_end().to_owned();
        }
        error
    }

    fn status_error(&self, file: &str, status: u16) -> Error {
        self.of_name(self.error_of_status(file, status))
    }

    fn error_of_status(&self, file: &str, status: u16) -> Error {
        let url = self.url_of(file);
        let error = |cause: String| Error::new(ErrorKind::Source, cause);
        match (status, hub_name(&self.prefix)) {
            (401, Some(name)) => {
                let name = name.trim_end_matches("@main");
                error(format!("the hub has no public model {name}, or it is gated (it answered 401)"))
                    .expected("the name of a model that anyone may read, such as openai-community/gpt2")
                    .advice("Check the name. What needs an account is downloaded with one, and then given as a folder.")
            }
            (404 | 410, _) => missing(file, &self.prefix).advice(format!(
                "The server answered {status}. Check the URL; files on Hugging Face are under .../OWNER/MODEL/resolve/main."
            )),
            (401 | 403, _) => error(format!("{url} may not be read (the server answered {status})"))
                .expected("a file that anyone may read")
                .advice("Choose a public model, or serve a copy of it yourself."),
            (429, _) => error(format!("{url} was asked for too often (the server answered 429)")).advice("Wait and try again."),
            (500..=599, _) => error(format!("the server failed to send {url} (it answered {status})")).advice("Try again later."),
            _ => error(format!("{url} could not be read (the server answered {status})")).expected("the status 200 or 206"),
        }
    }

    /// The error for a file that is sent compressed: ranges of it cannot be read.
    pub(crate) fn compressed(&self, file: &str, encoding: &str) -> Error {
        let cause = format!("{} comes compressed (Content-Encoding: {encoding})", self.url_of(file));
        Error::new(ErrorKind::Source, cause)
            .expected("the bytes of the file: of what is compressed no part can be read")
            .advice("Let the server send a model\u{2019}s files as they are.")
    }

    /// The error for a URL that cannot be reached, or for a broken connection.
    pub(crate) fn network_error(&self, file: &str, cause: &str, advice: &str) -> Error {
        let cause = cause.split_whitespace().collect::<Vec<_>>().join(" ");
        let cause = cause.trim_end_matches('.');
        let error = Error::new(
            ErrorKind::Source,
            format!("{} can't be read ({cause})", self.url_of(file)),
        );
        self.of_name(error.advice(advice))
    }
}

/// The value of the `Range` header for a non-empty range.
pub(crate) fn range_header(range: &Range<u64>) -> String {
    format!("bytes={}-{}", range.start, range.end.saturating_sub(1))
}

/// Parsed `Content-Range` header: `bytes 0-7/100`, `bytes 0-7/*` or `bytes */100`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct ContentRange {
    start: Option<u64>,
    total: Option<u64>,
}

impl ContentRange {
    fn parse(text: &str) -> Option<Self> {
        let (part, total) = text.trim().strip_prefix("bytes")?.trim().split_once('/')?;
        Some(Self {
            start: part.split_once('-').and_then(|(start, _)| start.trim().parse().ok()),
            total: total.trim().parse().ok(),
        })
    }
}

/// Cuts the requested bytes out of a response body that arrives in chunks.
#[derive(Debug, Clone)]
pub(crate) struct Cutter {
    file: String,
    skip: u64,
    // None where the whole file was requested.
    left: Option<u64>,
    seen: u64,
    end: u64,
}

impl Cutter {
    fn whole(file: &str) -> Self {
        Self {
            file: file.to_owned(),
            skip: 0,
            left: None,
            seen: 0,
            end: 0,
        }
    }

    /// A cutter for a body that begins `skip` bytes before the range.
    fn part(file: &str, skip: u64, range: &Range<u64>) -> Self {
        Self {
            file: file.to_owned(),
            skip,
            left: Some(range.end.saturating_sub(range.start)),
            seen: range.start - skip,
            end: range.end,
        }
    }

    /// The file that the body belongs to.
    pub(crate) fn file(&self) -> &str {
        &self.file
    }

    /// The requested bytes of the chunk `piece`.
    ///
    /// # Errors
    /// [`ErrorKind::Source`] when a whole file is larger than [`whole_file_limit`].
    pub(crate) fn cut<'b>(&mut self, piece: &'b [u8]) -> Result<&'b [u8]> {
        self.seen += piece.len() as u64;
        let skipped = usize::try_from(self.skip).map_or(piece.len(), |skip| skip.min(piece.len()));
        self.skip -= skipped as u64;
        let piece = &piece[skipped..];
        match &mut self.left {
            None => match whole_file_limit(&self.file) {
                limit if self.seen > limit => Err(too_large(&self.file, limit)),
                _ => Ok(piece),
            },
            Some(left) => {
                let taken = usize::try_from(*left).map_or(piece.len(), |left| left.min(piece.len()));
                *left -= taken as u64;
                Ok(&piece[..taken])
            }
        }
    }

    /// Whether all requested bytes have arrived.
    pub(crate) fn is_done(&self) -> bool {
        self.left == Some(0)
    }

    /// Checks, at the end of the body, that all requested bytes have arrived.
    ///
    /// # Errors
    /// [`ErrorKind::Source`] when the body ended before the range did.
    pub(crate) fn finish(&self) -> Result<()> {
        match self.left {
            Some(1..) => Err(truncated(&self.file, self.seen, self.end)),
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_checked_and_joined() {
        for text in [
            "https://example.org/a/b",
            " https://example.org/a/b/ ",
            "https://example.org/a/b//",
            "https://example.org/a/b\n",
        ] {
            let folder = HttpFolder::parse(text).expect("valid");
            assert_eq!(folder.url_of("config.json"), "https://example.org/a/b/config.json");
        }
        let folder = HttpFolder::parse("HTTP://127.0.0.1:8080").expect("valid");
        assert_eq!(folder.url_of("config.json"), "HTTP://127.0.0.1:8080/config.json");
        for (text, part) in [
            ("ftp://example.org", "does not start with http:// or https://"),
            ("models/ioi", "does not start with"),
            ("", "does not start with"),
            ("javascript:alert(1)", "does not start with"),
            ("https://", "names no server"),
            ("https:///a", "names no server"),
            ("https://:80/a", "names no server"),
            ("https://me:secret@example.org", "user name"),
            ("https://example.org/a b", "a character that URLs do not have"),
            ("https://example.org/?model=a", "a query or a fragment"),
            ("https://example.org/#a", "a query or a fragment"),
        ] {
            let error = HttpFolder::parse(text).expect_err(text);
            assert!(
                error.cause.contains(part) && !error.to_string().contains('\n'),
                "{error}"
            );
        }
    }

    #[test]
    fn every_status_has_its_message() {
        let folder = HttpFolder::parse("https://example.org/m").expect("valid");
        let message = |status| {
            let error = folder.answer("config.json", None, status, None).expect_err("refused");
            let kind = if status == 404 {
                ErrorKind::Missing
            } else {
                ErrorKind::Source
            };
            assert_eq!(error.kind, kind);
            error.to_string()
        };
        assert!(message(404).starts_with("there is no config.json in https://example.org/m; expected"));
        assert!(message(403).contains("may not be read (the server answered 403)"));
        assert!(message(401).contains("may not be read (the server answered 401)"));
        assert!(message(429).contains("too often"));
        let hub = HttpFolder::parse("https://huggingface.co/someone/own-gpt2/resolve/main").expect("valid");
        let error = hub.answer("config.json", None, 401, None).expect_err("refused");
        assert!(
            error.cause.contains("no public model someone/own-gpt2, or it is gated"),
            "{error}"
        );
        assert!(message(503).contains("it answered 503"));
        assert!(message(301).contains("the server answered 301"));
        assert!(
            message(206).contains("the server answered 206"),
            "a part was not asked for"
        );
        let error = folder
            .answer("a", Some(&(8..10)), 416, Some("bytes */9"))
            .expect_err("refused");
        assert_eq!(error.cause, "a is truncated: it ends after 9 bytes");
        let error = folder
            .answer("a", Some(&(8..10)), 206, Some("bytes 0-1/90"))
            .expect_err("refused");
        assert!(error.cause.contains("bytes from 0 on"), "{error}");
        let error = folder
            .answer("a", Some(&(8..10)), 206, Some("bytes 8-8/9"))
            .expect_err("refused");
        assert_eq!(error.cause, "a is truncated: it ends after 9 bytes");
    }

    #[test]
    fn a_name_that_could_have_been_a_folder_is_said() {
        let mut folder = HttpFolder::parse("https://huggingface.co/runs/gpt2/resolve/main").expect("valid");
        folder.name = Some("runs/gpt2".into());
        let error = folder.answer("config.json", None, 401, None).expect_err("refused");
        let said = "There is no folder runs/gpt2 here, so that hub:runs/gpt2 was asked for. Check the name.";
        assert!(
            error.cause.contains("no public model runs/gpt2") && error.advice.starts_with(said),
            "{error}"
        );
        let error = folder.network_error("config.json", "no route", "Check the connection.");
        assert!(
            error.advice.ends_with("was asked for. Check the connection."),
            "{error}"
        );
    }

    #[test]
    fn lengths_are_learnt_from_answers() {
        let folder = HttpFolder::parse("https://example.org/m").expect("valid");
        assert_eq!(folder.length("a"), None);
        folder
            .answer("a", Some(&(0..8)), 206, Some("bytes 0-7/100"))
            .expect("fits");
        assert_eq!(folder.length("a"), Some(100));
        folder
            .answer("b", Some(&(0..8)), 206, Some("bytes 0-7/*"))
            .expect("fits");
        assert_eq!(folder.length("b"), None);
        assert_eq!(range_header(&(8..10)), "bytes=8-9");
    }

    #[test]
    fn bodies_are_cut_whatever_their_pieces() {
        let folder = HttpFolder::parse("https://example.org/m").expect("valid");
        let file: Vec<u8> = (0..50).collect();
        for (status, body) in [(200, &file[..]), (206, &file[13..29]), (206, &file[13..])] {
            for step in 1..=body.len() {
                let mut cutter = folder.answer("a", Some(&(13..29)), status, None).expect("fits");
                let mut out = Vec::new();
                for piece in body.chunks(step) {
                    assert_eq!(
                        (cutter.is_done(), cutter.finish().is_ok()),
                        (out.len() == 16, out.len() == 16)
                    );
                    out.extend_from_slice(cutter.cut(piece).expect("fits"));
                }
                assert!(cutter.is_done());
                cutter.finish().expect("complete");
                assert_eq!(out, file[13..29]);
            }
        }
        let mut cutter = folder.answer("a", Some(&(13..60)), 200, None).expect("fits");
        cutter.cut(&file).expect("fits");
        assert_eq!(
            cutter.finish().expect_err("short").cause,
            "a is truncated: it ends after 50 bytes"
        );
        let mut cutter = folder.answer("a", Some(&(13..60)), 206, None).expect("fits");
        cutter.cut(&file[13..]).expect("fits");
        assert_eq!(
            cutter.finish().expect_err("short").cause,
            "a is truncated: it ends after 50 bytes"
        );
    }
}
