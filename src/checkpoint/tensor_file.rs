//! Opened weights in one or several files.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::ops::Range;
use std::rc::Rc;

use candle_core::{Device, Tensor};

use super::decode::Decoder;
use super::expected::Expected;
use super::header::{Header, TensorEntry};
use super::opening;
use super::pieces;
use super::source::{Sink, Source, Traffic};
use crate::error::{Error, ErrorKind, Result};

/// Number of places at which rows are sampled to tell whether two matrices are equal.
const SAMPLED_PLACES: u64 = 5;

/// Bytes of a matrix that are decoded at a time when its rows are streamed.
const ROW_STEP: usize = 1 << 18;

/// Opened weights: `model.safetensors`, or the files named by an index. Headers are read on opening, tensors on demand.
pub struct TensorFile {
    source: Box<dyn Source>,
    header: Header,
    /// The pieces of each file.
    pieces: BTreeMap<Rc<str>, Vec<Range<u64>>>,
}

impl TensorFile {
    /// Reads the header of `model.safetensors` in `source`, or else of all files that `model.safetensors.index.json`
    /// names, and checks names, shapes and dtypes against `expected`.
    ///
    /// # Errors
    /// One clear error for a file that is missing, truncated, or invalid.
    pub async fn open(source: Box<dyn Source>, expected: &Expected) -> Result<Self> {
        let header = opening::open(source.as_ref(), expected).await?;
        let places = header.places().into_iter();
        let pieces: BTreeMap<_, _> = places.map(|(file, places)| (file, pieces::divide(places))).collect();
        for (file, pieces) in &pieces {
            source.divide(file, pieces);
        }
        Ok(Self { source, header, pieces })
    }

    /// Name of the weights file or of the index, for messages.
    pub fn name(&self) -> &'static str {
        self.header.name
    }

    /// The source's folder or URL.
    pub fn location(&self) -> String {
        self.source.location()
    }

    /// Whether the tensor `name` (without prefix, "h.0.ln_1.weight") exists.
    pub fn has(&self, name: &str) -> bool {
        self.header.tensors.contains_key(name)
    }

    /// Whether the tensors `one` and `other` seem to be equal: compares all bytes of a local source, else sampled rows.
    /// False where their dtypes or shapes differ, and where sampling costs as much as reading everything.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Source`] when the file can't be read.
    pub async fn look_the_same(&self, one: &str, other: &str) -> Result<bool> {
        let entries = self.header.tensors.get(one).zip(self.header.tensors.get(other));
        let Some((one, other)) =
            entries.filter(|(one, other)| (&one.dtype, &one.shape) == (&other.dtype, &other.shape))
        else {
            return Ok(false);
        };
        if self.source.reads_from_the_start() {
            return Ok(false);
        }
        let length = one.bytes.end - one.bytes.start;
        let rows = one.shape.first().copied().unwrap_or(1).max(1);
        let (step, places) = if self.source.is_local() {
            (ROW_STEP as u64, length.div_ceil(ROW_STEP as u64))
        } else {
            (length / rows, SAMPLED_PLACES)
        };
        for place in 0..places {
            let start = if self.source.is_local() {
                place * step
            } else {
                (rows - 1) * place / (SAMPLED_PLACES - 1) * step
            };
            let read = |entry: &'_ TensorEntry| {
                let from = entry.bytes.start + start;
                let range = from..(from + step).min(entry.bytes.end);
                let file = Rc::clone(&entry.file);
                async move { self.source.read(&file, Some(range)).await }
            };
            let (one, other) = futures::future::try_join(read(one), read(other)).await?;
            if one != other {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// The dtype of tensor `name` in the file: "F64", "F32", "F16", "BF16". None where it does not exist.
    pub fn dtype(&self, name: &str) -> Option<String> {
        let entry = self.header.tensors.get(name)?;
        Some(entry.dtype.name())
    }

    /// Size in the file of tensor `name`, in bytes; 0 where it does not exist.
    pub fn size_in_bytes(&self, name: &str) -> u64 {
        let entry = self.header.tensors.get(name);
        entry.map_or(0, |entry| entry.bytes.end - entry.bytes.start)
    }

    /// Reads tensor `name` as f32, whatever its dtype in the file (F64, F32, F16, BF16).
    ///
    /// # Errors
    /// As [`TensorFile::tensors`].
    pub async fn tensor(&self, name: &str, shape: &[usize]) -> Result<Tensor> {
        let wanted = [(name.to_owned(), shape.to_vec())];
        let mut found = self.tensors(&wanted, &|_| {}).await?;
        let values = found.remove(name).unwrap_or_default();
        Ok(Tensor::from_vec(values, shape, &Device::Cpu)?)
    }

    /// Reads the tensors `wanted` (name and shape) as f32, each into its own buffer; adjacent ones with one request.
    /// `seen` is called with the number of bytes that have arrived.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Checkpoint`] when one does not exist, has another shape or a value that is not finite;
    /// [`crate::ErrorKind::Source`] when the file can't be read, or ends before the tensor does.
    pub async fn tensors(
        &self,
        wanted: &[(String, Vec<usize>)],
        seen: &dyn Fn(u64),
    ) -> Result<BTreeMap<String, Vec<f32>>> {
        let mut slots = Vec::with_capacity(wanted.len());
        for (name, shape) in wanted {
            slots.push(self.slot(name, shape)?);
        }
        slots.sort_by(|one, other| (&one.file, one.bytes.start).cmp(&(&other.file, other.bytes.start)));
        let mut read = BTreeMap::new();
        let mut slots = slots.into_iter().peekable();
        while let Some(first) = slots.next() {
            let file = Rc::clone(&first.file);
            let mut of_file = vec![first];
            while let Some(slot) = slots.next_if(|slot| slot.file == file) {
                of_file.push(slot);
            }
            for slot in self.filled(&file, of_file, seen).await? {
                read.extend([slot.into_values()?]);
            }
        }
        Ok(read)
    }

    /// Reads only the rows `indices` (ascending) of the matrix `name` of `shape`; adjacent ones with one request.
    ///
    /// # Errors
    /// As [`TensorFile::tensors`], and [`crate::ErrorKind::Internal`] for a row that does not exist.
    pub async fn some_rows(
        &self,
        name: &str,
        shape: [usize; 2],
        indices: impl IntoIterator<Item = usize>,
        seen: &dyn Fn(u64),
    ) -> Result<Vec<Vec<f32>>> {
        let entry = self.entry(name, &shape)?;
        let dtype = entry.weight_dtype(name)?;
        let [rows, width] = shape;
        // The header was checked: its offsets fit the shape.
        let row_bytes = (entry.bytes.end - entry.bytes.start) / rows.max(1) as u64;
        let mut slots = Vec::new();
        for index in indices {
            if index >= rows {
                return Err(Error::new(
                    ErrorKind::Internal,
                    format!("row {index} of {name} was asked for, which has {rows}"),
                ));
            }
            let start = entry.bytes.start + index as u64 * row_bytes;
            slots.push(Slot {
                name: name.to_owned(),
                file: Rc::clone(&entry.file),
                bytes: start..start + row_bytes,
                count: width,
                decoder: Decoder::new(dtype, width).map_err(|_| too_large_tensor(name, &shape))?,
            });
        }
        let filled = self.filled(&entry.file, slots, seen).await?;
        filled.into_iter().map(|slot| Ok(slot.into_values()?.1)).collect()
    }

    /// Reads and decodes the tensors `slots` of `file`, in ascending order.
    async fn filled(&self, file: &Rc<str>, slots: Vec<Slot>, seen: &dyn Fn(u64)) -> Result<Vec<Slot>> {
        let places: Vec<Range<u64>> = slots.iter().map(|slot| slot.bytes.clone()).collect();
        let slots = RefCell::new(slots);
        for request in pieces::requests(&places, self.pieces_of(file)) {
            let mut at = request.start;
            let mut sink = |bytes: &[u8]| {
                let count = slots
                    .borrow_mut()
                    .iter_mut()
                    .map(|slot| slot.take(at, bytes))
                    .sum::<Result<u64>>()?;
                at += bytes.len() as u64;
                seen(count);
                Ok(())
            };
            self.stream(file, request, &mut sink).await?;
        }
        Ok(slots.into_inner())
    }

    fn pieces_of(&self, file: &str) -> &[Range<u64>] {
        self.pieces.get(file).map_or(&[], Vec::as_slice)
    }

    /// Streams the rows of the matrix `name` of `shape` to `row` without holding them. `yield_now` is awaited before
    /// each request, because processing the rows may take longer than reading them.
    ///
    /// # Errors
    /// As [`TensorFile::tensors`], and those of `yield_now`.
    pub async fn rows(
        &self,
        name: &str,
        shape: [usize; 2],
        seen: &dyn Fn(u64),
        yield_now: impl AsyncFn() -> Result<()>,
        row: &mut dyn FnMut(&[f32]),
    ) -> Result<()> {
        let entry = self.entry(name, &shape)?;
        let slot = RefCell::new(Slot {
            name: name.to_owned(),
            file: Rc::clone(&entry.file),
            bytes: entry.bytes.clone(),
            count: 0,
            decoder: Decoder::new(entry.weight_dtype(name)?, 0).map_err(|_| too_large_tensor(name, &shape))?,
        });
        for request in pieces::requests(std::slice::from_ref(&entry.bytes), self.pieces_of(&entry.file)) {
            yield_now().await?;
            let mut at = request.start;
            let mut sink = |bytes: &[u8]| {
                for bytes in bytes.chunks(ROW_STEP) {
                    let mut slot = slot.borrow_mut();
                    seen(slot.take(at, bytes)?);
                    slot.decoder.take_rows(shape[1], row);
                    at += bytes.len() as u64;
                }
                Ok(())
            };
            self.stream(&entry.file, request, &mut sink).await?;
        }
        Ok(())
    }

    /// Marks what was read so far as possibly outdated, at the beginning of a run: see [`Source::mark_stale`].
    pub fn mark_stale(&self) {
        self.source.mark_stale();
    }

    /// What has come from where so far.
    pub fn traffic(&self) -> Traffic {
        self.source.traffic()
    }

    /// Streams a range of the weights; a damaged range is dropped from the store.
    async fn stream<'a>(&'a self, file: &'a str, range: Range<u64>, sink: &'a mut Sink<'a>) -> Result<()> {
        let outcome = self.source.stream(file, Some(range.clone()), sink).await;
        if outcome.as_ref().is_err_and(|error| error.kind == ErrorKind::Checkpoint) {
            self.source.invalidate(file, Some(range)).await;
        }
        outcome
    }

    fn entry(&self, name: &str, shape: &[usize]) -> Result<&TensorEntry> {
        let Some(entry) = self.header.tensors.get(name) else {
            return Err(Error::new(
                ErrorKind::Checkpoint,
                format!("{} has no tensor {name}", self.header.name),
            ));
        };
        entry.check_shape(name, shape)?;
        Ok(entry)
    }

    fn slot(&self, name: &str, shape: &[usize]) -> Result<Slot> {
        let entry = self.entry(name, shape)?;
        let count = shape
            .iter()
            .try_fold(1usize, |product, size| product.checked_mul(*size));
        let count = count.ok_or_else(|| too_large_tensor(name, shape))?;
        Ok(Slot {
            name: name.to_owned(),
            file: Rc::clone(&entry.file),
            bytes: entry.bytes.clone(),
            count,
            decoder: Decoder::new(entry.weight_dtype(name)?, count).map_err(|_| too_large_tensor(name, shape))?,
        })
    }
}

/// A tensor that is being read.
struct Slot {
    name: String,
    file: Rc<str>,
    bytes: Range<u64>,
    count: usize,
    decoder: Decoder,
}

impl Slot {
    /// Decodes the part of `bytes` (which begin at file offset `at`) that belongs to this tensor. Returns the length of
    /// that part.
    fn take(&mut self, at: u64, bytes: &[u8]) -> Result<u64> {
        let within =
            |place: u64| usize::try_from(place.saturating_sub(at)).map_or(bytes.len(), |place| place.min(bytes.len()));
        let mine = &bytes[within(self.bytes.start)..within(self.bytes.end)];
        self.decoder.push(mine);
        if self.decoder.is_damaged() {
            return Err(Error::new(
                ErrorKind::Checkpoint,
                format!(
                    "tensor {} of {} has a value that is not a finite number",
                    self.name, self.file
                ),
            )
            .expected("weights")
            .advice("The file is damaged; download or copy it again."));
        }
        Ok(mine.len() as u64)
    }

    fn into_values(self) -> Result<(String, Vec<f32>)> {
        let values = self.decoder.into_values();
        if values.len() != self.count {
            return Err(Error::new(
                ErrorKind::Source,
                format!(
                    "tensor {} of {} was read as {} values",
                    self.name,
                    self.file,
                    values.len()
                ),
            )
            .expected(format!("{}", self.count)));
        }
        Ok((self.name, values))
    }
}

fn too_large_tensor(name: &str, shape: &[usize]) -> Error {
    Error::new(
        ErrorKind::Memory,
        format!("tensor {name} with shape {shape:?} does not fit into memory"),
    )
    .advice("Choose a smaller model, or check config.json.")
}
