//! Where the files of a checkpoint come from, and the source that keeps them in memory.

use std::collections::BTreeMap;
use std::ops::Range;

use futures::future::LocalBoxFuture;

use crate::error::{Error, ErrorKind, Result};

/// Largest file that is read whole (`tokenizer.json`, `config.json`), in bytes. Weights are read by range.
pub const WHOLE_FILE_LIMIT: u64 = 32 << 20;

/// Largest `config.json`, in bytes: a hundred times what a GPT-2 has.
const CONFIG_LIMIT: u64 = 1 << 20;

/// Most bytes of `file` that are read where it is read whole.
pub(crate) fn whole_file_limit(file: &str) -> u64 {
    if file == "config.json" {
        CONFIG_LIMIT
    } else {
        WHOLE_FILE_LIMIT
    }
}

/// What takes the bytes of a file piece by piece, in order.
pub type Sink<'a> = dyn FnMut(&[u8]) -> Result<()> + 'a;

/// What has come from where so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Traffic {
    /// Bytes that came over the network.
    pub network: u64,
    /// Bytes that came from the browser's storage.
    pub storage: u64,
}

/// Where the files of a checkpoint come from: memory, a folder, an HTTP(S) prefix.
pub trait Source {
    /// The folder or URL, for messages and the result file.
    fn location(&self) -> String;

    /// Hands exactly `range` of `file` (all of it where `range` is None) to `sink`, in pieces of the source's choice.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Missing`] when there is no such file; [`crate::ErrorKind::Source`] when it can't be read or is
    /// shorter than `range`; [`crate::ErrorKind::Changed`] when it is found not to be what it was; those of `sink`, which end the reading.
    fn stream<'a>(
        &'a self,
        file: &'a str,
        range: Option<Range<u64>>,
        sink: &'a mut Sink<'a>,
    ) -> LocalBoxFuture<'a, Result<()>>;

    /// Reads `range` of `file` (all of it where `range` is None), exactly; at most [`WHOLE_FILE_LIMIT`] bytes,
    /// and of `config.json` at most 1 MiB.
    ///
    /// # Errors
    /// Those of [`Source::stream`], and [`crate::ErrorKind::Source`] when it is too much.
    fn read<'a>(&'a self, file: &'a str, range: Option<Range<u64>>) -> LocalBoxFuture<'a, Result<Vec<u8>>> {
        Box::pin(async move {
            let mut bytes = Vec::new();
            let limit = whole_file_limit(file);
            let mut sink = |piece: &[u8]| {
                if (bytes.len() + piece.len()) as u64 > limit {
                    return Err(too_large(file, limit));
                }
                bytes.extend_from_slice(piece);
                Ok(())
            };
            self.stream(file, range, &mut sink).await?;
            Ok(bytes)
        })
    }

    /// Length of `file` in bytes, where the source knows it without reading the file.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Missing`] when there is no such file.
    fn length<'a>(&'a self, file: &'a str) -> LocalBoxFuture<'a, Result<Option<u64>>> {
        let _ = file;
        Box::pin(async { Ok(None) })
    }

    /// The names of the files that are there, where the source can tell without asking anybody.
    fn listing(&self) -> LocalBoxFuture<'_, Option<Vec<String>>> {
        Box::pin(async { None })
    }

    /// Whether `file` is there. What is read for the answer is not kept.
    fn has<'a>(&'a self, file: &'a str) -> LocalBoxFuture<'a, bool> {
        Box::pin(async move { self.read(file, Some(0..1)).await.is_ok() })
    }

    /// Whether something of `file` is kept, to be read without asking anybody.
    fn keeps<'a>(&'a self, file: &'a str) -> LocalBoxFuture<'a, bool> {
        let _ = file;
        Box::pin(async { false })
    }

    /// Tells in which pieces `file` may be taken apart: ascending ranges that do not overlap. A source that keeps what it
    /// reads keeps whole pieces.
    fn divide(&self, file: &str, pieces: &[Range<u64>]) {
        let _ = (file, pieces);
    }

    /// What was read of `range` of `file` makes no sense: it is not to be kept.
    fn invalidate<'a>(&'a self, file: &'a str, range: Option<Range<u64>>) -> LocalBoxFuture<'a, ()> {
        let _ = (file, range);
        Box::pin(async {})
    }

    /// Time has passed: what is read from now on may be of another version than what was read before. A source that can
    /// tell makes sure before it adds to it.
    fn mark_stale(&self) {}

    /// What the source calls the version of `file` that it reads, where it has a name for it.
    fn label(&self, file: &str) -> Option<String> {
        let _ = file;
        None
    }

    /// Whether reading costs next to nothing: from memory or a disk.
    fn is_local(&self) -> bool {
        false
    }

    /// Whether a part of a file costs as much as everything before it.
    fn reads_from_the_start(&self) -> bool {
        false
    }

    /// What has come from where so far.
    fn traffic(&self) -> Traffic {
        Traffic::default()
    }
}

/// Files in memory, by name.
#[derive(Debug, Clone, Default)]
pub struct MemorySource {
    files: BTreeMap<String, Vec<u8>>,
}

impl MemorySource {
    /// A source without files.
    pub fn new() -> Self {
        Self::default()
    }

    /// The same source with the file `name`, replaced where it was there.
    #[must_use]
    pub fn with(mut self, name: impl Into<String>, bytes: impl Into<Vec<u8>>) -> Self {
        self.files.insert(name.into(), bytes.into());
        self
    }

    /// The same source without the file `name`.
    #[must_use]
    pub fn without(mut self, name: &str) -> Self {
        self.files.remove(name);
        self
    }

    /// The bytes of `name`, where there is such a file.
    pub fn get(&self, name: &str) -> Option<&[u8]> {
        self.files.get(name).map(Vec::as_slice)
    }

    fn file(&self, name: &str) -> Result<&[u8]> {
        self.get(name).ok_or_else(|| missing(name, &self.location()))
    }

    fn slice(&self, name: &str, range: &Range<u64>) -> Result<&[u8]> {
        let bytes = self.file(name)?;
        let start = usize::try_from(range.start).unwrap_or(usize::MAX);
        let end = usize::try_from(range.end).unwrap_or(usize::MAX);
        bytes
            .get(start..end)
            .ok_or_else(|| truncated(name, bytes.len() as u64, range.end))
    }
}

impl Source for MemorySource {
    fn location(&self) -> String {
        "memory".to_owned()
    }

    fn is_local(&self) -> bool {
        true
    }

    fn stream<'a>(
        &'a self,
        file: &'a str,
        range: Option<Range<u64>>,
        sink: &'a mut Sink<'a>,
    ) -> LocalBoxFuture<'a, Result<()>> {
        Box::pin(async move {
            match range {
                Some(range) => sink(self.slice(file, &range)?),
                None => sink(self.file(file)?),
            }
        })
    }

    fn length<'a>(&'a self, file: &'a str) -> LocalBoxFuture<'a, Result<Option<u64>>> {
        Box::pin(async move { Ok(Some(self.file(file)?.len() as u64)) })
    }

    fn listing(&self) -> LocalBoxFuture<'_, Option<Vec<String>>> {
        Box::pin(async { Some(self.files.keys().cloned().collect()) })
    }
}

/// The error of a file that is not there.
pub(crate) fn missing(file: &str, location: &str) -> Error {
    Error::new(ErrorKind::Missing, format!("there is no {file} in {location}"))
        .expected("a folder with config.json, model.safetensors and tokenizer.json")
        .advice("Check the path or URL.")
}

/// The error of a file that has `length` bytes and ends before byte `needed`.
pub(crate) fn truncated(file: &str, length: u64, needed: u64) -> Error {
    Error::new(
        ErrorKind::Source,
        format!("{file} is truncated: it ends after {length} bytes"),
    )
    .expected(format!("at least {needed}"))
    .advice("Download or copy it again.")
}

/// The error of a file that is too large to be read whole.
pub(crate) fn too_large(file: &str, limit: u64) -> Error {
    Error::new(ErrorKind::Source, format!("{file} is larger than {limit} bytes"))
        .expected("a smaller file")
        .advice("Check that it is the right file.")
}
