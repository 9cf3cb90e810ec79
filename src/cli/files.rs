//! Reading and writing files on the command line, with error messages.

use std::cell::RefCell;
use std::fs::File;
use std::io::Read;
use std::io::Write;
use std::path::Path;

use crate::checkpoint::{NoticeBoard, Source, source_for};
use crate::error::{Error, ErrorKind, Result};

/// The source for the model `text`. Waiting for a server is reported on stderr.
pub(super) fn model_source(text: &str) -> Result<Box<dyn Source>> {
    let description = RefCell::new(None);
    let notices = NoticeBoard::with_listener(move |notices| {
        let Some(retry) = notices.retry.as_ref().filter(|retry| retry.contains(" in ")) else {
            return;
        };
        if description.replace(Some(retry.clone())).as_ref() != Some(retry) {
            // A closed stderr cannot be reported anywhere.
            let _ = writeln!(std::io::stderr(), "keyside: {retry}");
        }
    });
    source_for(text, notices)
}

/// Checks that `file` can be created, before anything is computed for it.
pub(super) fn check_writable(file: &Path) -> Result<()> {
    let folder = match file.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    if file.is_dir() {
        return Err(Error::new(ErrorKind::Source, format!("{} is a folder", file.display())).expected("a file name"));
    }
    if !folder.is_dir() {
        return Err(Error::new(
            ErrorKind::Source,
            format!(
                "{} can't be written: there is no folder {}",
                file.display(),
                folder.display()
            ),
        )
        .advice("Create the folder first."));
    }
    Ok(())
}

/// The first `most` bytes of `file`.
pub(super) fn read_at_most(file: &Path, most: u64) -> std::io::Result<Vec<u8>> {
    read_most_of(File::open(file)?, most)
}

/// The first `most` bytes of `reader`.
pub(super) fn read_most_of(reader: impl Read, most: u64) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    reader.take(most).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// The error for a failed write to `file`.
pub(super) fn cannot_write(file: &Path, cause: &std::io::Error) -> Error {
    Error::new(
        ErrorKind::Source,
        format!("{} can't be written ({cause})", file.display()),
    )
    .advice("Check the path and the space on the disk.")
}

/// The bytes of a result file.
pub(super) fn read_result(file: &Path) -> Result<Vec<u8>> {
    std::fs::read(file).map_err(|cause| {
        Error::new(ErrorKind::Source, format!("{} can't be read ({cause})", file.display()))
            .expected("a result file")
            .advice("Write one with keyside analyze --out, or with \"Download result\" in the page.")
    })
}
