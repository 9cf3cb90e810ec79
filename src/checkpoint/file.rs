//! A checkpoint source that reads a local folder.

use std::fs::File;
use std::io::{ErrorKind as IoKind, Read, Seek, SeekFrom};
use std::ops::Range;
use std::path::{Path, PathBuf};

use futures::future::LocalBoxFuture;

use super::source::{Sink, Source, missing, truncated};
use crate::error::{Error, ErrorKind, Result};

/// Bytes read at a time while a tensor is filled.
const PIECE: usize = 1 << 18;

/// The files of a local folder. Reading blocks the thread.
#[derive(Debug, Clone)]
pub struct FileSource {
    folder: PathBuf,
}

impl FileSource {
    /// The checkpoint in `folder`. Nothing is read yet.
    pub fn new(folder: impl AsRef<Path>) -> Self {
        Self {
            folder: folder.as_ref().to_path_buf(),
        }
    }

    fn open(&self, file: &str) -> Result<(File, u64)> {
        if self.folder.is_file() {
            let folder = self.folder.parent().filter(|folder| !folder.as_os_str().is_empty());
            let folder = folder.unwrap_or(Path::new("."));
            return Err(Error::new(ErrorKind::Source, format!("{} is a file", self.location()))
                .expected("a folder with config.json, model.safetensors and tokenizer.json")
                .advice(format!("Give the folder that it is in: {}", sentence(folder))));
        }
        if !self.folder.is_dir() {
            return Err(
                Error::new(ErrorKind::Source, format!("there is no folder {}", self.location()))
                    .expected("a folder with config.json, model.safetensors and tokenizer.json")
                    .advice("Check the path."),
            );
        }
        let opened = File::open(self.folder.join(file)).map_err(|cause| match cause.kind() {
            IoKind::NotFound => missing(file, &self.location()),
            _ => self.unreadable(file, &cause),
        })?;
        let metadata = opened.metadata().map_err(|cause| self.unreadable(file, &cause))?;
        if !metadata.is_file() {
            return Err(Error::new(
                ErrorKind::Source,
                format!("{file} in {} is not a file", self.location()),
            ));
        }
        Ok((opened, metadata.len()))
    }

    fn unreadable(&self, file: &str, cause: &std::io::Error) -> Error {
        Error::new(
            ErrorKind::Source,
            format!("{file} in {} can't be read ({cause})", self.location()),
        )
    }

    fn copy(&self, file: &str, range: Range<u64>, sink: &mut Sink<'_>) -> Result<()> {
        let (mut opened, length) = self.open(file)?;
        if range.end > length {
            return Err(truncated(file, length, range.end));
        }
        let unreadable = |cause| self.unreadable(file, &cause);
        opened.seek(SeekFrom::Start(range.start)).map_err(unreadable)?;
        let mut left = range.end.saturating_sub(range.start);
        let mut piece = vec![0; PIECE.min(usize::try_from(left).unwrap_or(PIECE))];
        while left > 0 {
            let wanted = piece.len().min(usize::try_from(left).unwrap_or(PIECE));
            opened.read_exact(&mut piece[..wanted]).map_err(unreadable)?;
            sink(&piece[..wanted])?;
            left -= wanted as u64;
        }
        Ok(())
    }
}

impl Source for FileSource {
    fn location(&self) -> String {
        self.folder.display().to_string()
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
            let range = match range {
                Some(range) => range,
                None => 0..self.open(file)?.1,
            };
            self.copy(file, range, sink)
        })
    }

    fn length<'a>(&'a self, file: &'a str) -> LocalBoxFuture<'a, Result<Option<u64>>> {
        Box::pin(async move { Ok(Some(self.open(file)?.1)) })
    }

    fn listing(&self) -> LocalBoxFuture<'_, Option<Vec<String>>> {
        let entries = std::fs::read_dir(&self.folder).into_iter().flatten().flatten();
        let files = entries.filter(|entry| entry.path().is_file());
        let mut names: Vec<String> = files.filter_map(|entry| entry.file_name().into_string().ok()).collect();
        names.sort();
        Box::pin(async { Some(names) })
    }
}

/// A path as the end of a sentence.
fn sentence(path: &Path) -> String {
    format!("\"{}\".", path.display())
}
