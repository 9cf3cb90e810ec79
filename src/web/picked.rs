//! Files from the reader's disk as a checkpoint source, in a worker.

use std::ops::Range;

use futures::future::LocalBoxFuture;
use js_sys::Uint8Array;
use wasm_bindgen::prelude::*;
use web_sys::{File, FileReaderSync};

use crate::checkpoint::{Sink, Source, missing, truncated};
use crate::error::{Error, ErrorKind, Result};

/// Bytes per read.
const STEP: u64 = 4 << 20;

/// A checkpoint source of `File` objects, which are read in place without a copy.
pub struct PickedSource {
    label: String,
    files: Vec<File>,
}

impl PickedSource {
    /// A source of `files`, called `label` in messages and in the result file.
    pub fn new(label: impl Into<String>, files: Vec<File>) -> Self {
        Self {
            label: label.into(),
            files,
        }
    }

    fn file(&self, name: &str) -> Result<&File> {
        let found = self.files.iter().find(|file| file.name() == name);
        found.ok_or_else(|| missing(name, &self.label))
    }
}

impl Source for PickedSource {
    fn location(&self) -> String {
        self.label.clone()
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
            let picked = self.file(file)?;
            let length = picked.size() as u64;
            let range = range.unwrap_or(0..length);
            if range.end > length {
                return Err(truncated(file, length, range.end));
            }
            let reader = FileReaderSync::new().map_err(|cause| unreadable(file, &cause))?;
            let mut bytes = Vec::new();
            let mut at = range.start;
            while at < range.end {
                let end = range.end.min(at + STEP);
                let part = picked.slice_with_f64_and_f64(at as f64, end as f64);
                let read = part.and_then(|part| reader.read_as_array_buffer(&part));
                let buffer = read.map_err(|cause| unreadable(file, &cause))?;
                let view = Uint8Array::new(buffer.as_ref());
                bytes.resize(view.length() as usize, 0);
                view.copy_to(&mut bytes);
                sink(&bytes)?;
                at = end;
            }
            Ok(())
        })
    }

    fn listing(&self) -> LocalBoxFuture<'_, Option<Vec<String>>> {
        let names = self.files.iter().map(File::name).collect();
        Box::pin(async { Some(names) })
    }

    fn length<'a>(&'a self, file: &'a str) -> LocalBoxFuture<'a, Result<Option<u64>>> {
        Box::pin(async move { Ok(Some(self.file(file)?.size() as u64)) })
    }
}

/// The error for a file that can't be read, for example since it was moved or changed after it was picked.
fn unreadable(file: &str, cause: &JsValue) -> Error {
    let cause = js_sys::Object::from(cause.clone()).to_string();
    Error::new(ErrorKind::Source, format!("{file} can't be read any more ({cause})")).advice("Pick the files again.")
}
