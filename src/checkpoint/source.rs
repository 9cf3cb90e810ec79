//! Sources of checkpoint files, and the source that holds them in memory.

use std::collections::BTreeMap;
use std::ops::Range;

use futures::future::LocalBoxFuture;

use crate::error::{Error, ErrorKind, Result};

/// Size limit, in bytes, of files that are read whole (`tokenizer.json`, `config.json`). Weights are read by range.
pub const WHOLE_FILE_LIMIT: u64 = 32 << 20;

/// Size limit of `config.json` in bytes: a hundred times that of a GPT-2.
const CONFIG_LIMIT: u64 = 1 << 20;

/// Size limit, in bytes, when `file` is read whole.
pub(crate) fn whole_file_limit(file: &str) -> u64 {
    if file == "config.json" {
        CONFIG_LIMIT
    } else {
        WHOLE_FILE_LIMIT
    }
}

/// Receives the bytes of a file in order, chunk by chunk.
pub type Sink<'a> = dyn FnMut(&[u8]) -> Result<()> + 'a;

/// How many bytes came from where so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Traffic {
    /// Bytes from the network.
    pub network: u64,
    /// Bytes from the browser's storage.
    pub storage: u64,
}

/// A source of the files of one checkpoint: memory, a local folder, a URL.
pub trait Source {
    /// The folder or URL, for error messages and the result file.
    fn location(&self) -> String;

    /// Passes exactly `range` of `file` (the whole file where `range` is None) to `sink`, in chunks of any size.
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

    /// Reads exactly `range` of `file` (the whole file where `range` is None); at most [`WHOLE_FILE_LIMIT`] bytes, and
    /// at most 1 MiB of `config.json`.
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

    /// Length of `file` in bytes, where it is known without reading the file.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Missing`] when there is no such file.
    fn length<'a>(&'a self, file: &'a str) -> LocalBoxFuture<'a, Result<Option<u64>>> {
        let _ = file;
        Box::pin(async { Ok(None) })
    }

    /// The names of all files, where the source can list them without a request.
    fn listing(&self) -> LocalBoxFuture<'_, Option<Vec<String>>> {
        Box::pin(async { None })
    }

    /// Whether `file` exists. What is read to find out is not stored.
    fn has<'a>(&'a self, file: &'a str) -> LocalBoxFuture<'a, bool> {
        Box::pin(async move { self.read(file, Some(0..1)).await.is_ok() })
    }

    /// Whether part of `file` is stored, so that reading it needs no request.
    fn keeps<'a>(&'a self, file: &'a str) -> LocalBoxFuture<'a, bool> {
        let _ = file;
        Box::pin(async { false })
    }

    /// Sets the pieces in which `file` may be stored: ascending ranges that do not overlap. A source with a store
    /// stores whole pieces only.
    fn divide(&self, file: &str, pieces: &[Range<u64>]) {
        let _ = (file, pieces);
    }

    /// Drops `range` of `file` from the store, because its content turned out to be invalid.
    fn invalidate<'a>(&'a self, file: &'a str, range: Option<Range<u64>>) -> LocalBoxFuture<'a, ()> {
        let _ = (file, range);
        Box::pin(async {})
    }

    /// Marks everything read so far as possibly outdated, because some time has passed. A source that can verify the
    /// version does so before it reads more.
    fn mark_stale(&self) {}

    /// The version label of `file` (such as an `ETag`), where there is one.
    fn label(&self, file: &str) -> Option<String> {
        let _ = file;
        None
    }

    /// Whether reading is cheap: from memory or from a disk.
    fn is_local(&self) -> bool {
        false
    }

    /// Whether reading a part of a file costs as much as reading everything before it.
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
    /// A source without any files.
    pub fn new() -> Self {
        Self::default()
    }

    /// The same source with the file `name`; replaces an existing one.
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

    /// The content of the file `name`, if it exists.
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

/// The error for a file that does not exist.
pub(crate) fn missing(file: &str, location: &str) -> Error {
    Error::new(ErrorKind::Missing, format!("there is no {file} in {location}"))
        .expected("a folder with config.json, model.safetensors and tokenizer.json")
        .advice("Check the path or URL.")
}

/// The error for a file of `length` bytes that ends before byte `needed`.
pub(crate) fn truncated(file: &str, length: u64, needed: u64) -> Error {
    Error::new(
        ErrorKind::Source,
        format!("{file} is truncated: it ends after {length} bytes"),
    )
    .expected(format!("at least {needed}"))
    .advice("Download or copy it again.")
}

/// The error for a file that is too large to be read whole.
pub(crate) fn too_large(file: &str, limit: u64) -> Error {
    Error::new(ErrorKind::Source, format!("{file} is larger than {limit} bytes"))
        .expected("a smaller file")
        .advice("Check that it is the right file.")
}
