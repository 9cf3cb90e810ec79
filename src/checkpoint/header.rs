//! The header of a safetensors file, from its first bytes alone.
//!
//! The format: eight bytes with the length n of the header (little-endian), n bytes of JSON (name to
//! dtype, shape and offsets), then the data. See <https://github.com/huggingface/safetensors#format>.
//! The crate's own reader wants the whole file in one slice and counts in `usize`; only its list of
//! dtypes is used, so that a file is read by ranges and may be larger than 4 GB on wasm32.

use std::collections::BTreeMap;
use std::ops::Range;

use safetensors::Dtype;
use serde::Deserialize;
use serde_json::Value;

use super::decode::WeightDtype;
use super::expected::Expected;
use crate::error::{Error, ErrorKind, Result};

/// Name of the file with the weights.
pub(crate) const FILE: &str = "model.safetensors";

/// Longest header that is read, in bytes: a hundred times that of the largest GPT-2.
pub(crate) const MAX_HEADER: u64 = 16 << 20;

/// One tensor as the header describes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TensorEntry {
    pub(crate) dtype: Dtype,
    pub(crate) shape: Vec<u64>,
    /// Where its bytes are, counted from the beginning of the file.
    pub(crate) bytes: Range<u64>,
}

impl TensorEntry {
    /// Its dtype, where it can hold weights.
    pub(crate) fn weight_dtype(&self, name: &str) -> Result<WeightDtype> {
        match self.dtype {
            Dtype::F64 => Ok(WeightDtype::F64),
            Dtype::F32 => Ok(WeightDtype::F32),
            Dtype::F16 => Ok(WeightDtype::F16),
            Dtype::BF16 => Ok(WeightDtype::BF16),
            other => {
                Err(error(format!("tensor {name} of {FILE} has dtype {other:?}")).expected("F64, F32, F16 or BF16"))
            }
        }
    }

    /// Checks that it has `shape`.
    pub(crate) fn check_shape(&self, name: &str, shape: &[usize]) -> Result<()> {
        if self.shape.iter().copied().eq(shape.iter().map(|size| *size as u64)) {
            return Ok(());
        }
        let reversed = self.shape.iter().rev().copied();
        let advice = match shape.len() == 2 && reversed.eq(shape.iter().map(|size| *size as u64)) {
            true => {
                "It looks transposed: GPT-2's maps are [in, out], those of a Linear layer [out, in]. Transpose the weights of \
                 all blocks' maps and save the file again."
            }
            false => "Check that config.json belongs to this file.",
        };
        Err(error(format!("tensor {name} of {FILE} has shape {:?}", self.shape))
            .expected(format!("{shape:?}"))
            .advice(advice))
    }
}

/// The tensors of a file by name, without the prefix and without what is ignored (see [`Expected`]).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Header {
    pub(crate) tensors: BTreeMap<String, TensorEntry>,
}

#[derive(Deserialize)]
#[serde(rename = "tensor")]
struct RawEntry {
    dtype: String,
    shape: Vec<u64>,
    data_offsets: (u64, u64),
}

/// Where the header is, given the first eight bytes of the file and the file's length where it is known.
pub(crate) fn header_range(first: &[u8], length: Option<u64>) -> Result<Range<u64>> {
    let first: [u8; 8] = first
        .try_into()
        .map_err(|_| error(format!("{FILE} is truncated: it ends after {} bytes", first.len())))?;
    let size = u64::from_le_bytes(first);
    if let Some(length) = length
        && size > length.saturating_sub(8)
    {
        return Err(error(format!(
            "the header of {FILE} is longer than the file: {size} of {length} bytes"
        ))
        .advice("The file is truncated, or it is not a safetensors file."));
    }
    if size > MAX_HEADER {
        return Err(error(format!("the header of {FILE} says that it is {size} bytes long"))
            .expected(format!("at most {MAX_HEADER}"))
            .advice("Check that it is a safetensors file."));
    }
    Ok(8..8 + size)
}

impl Header {
    /// Reads the JSON of a header and checks every offset, dtype and size.
    ///
    /// `length` is the length of the file, where it is known.
    pub(crate) fn parse(json: &[u8], length: Option<u64>, expected: &Expected) -> Result<Self> {
        let raw: BTreeMap<String, Value> = serde_json::from_slice(json).map_err(|cause| {
            let what = if cause.is_data() { "a JSON object" } else { "JSON" };
            error(format!("the header of {FILE} is not {what} ({cause})"))
                .advice("Check that it is a safetensors file.")
        })?;
        let data_start = 8 + json.len() as u64;
        let mut entries = Vec::new();
        for (name, value) in raw {
            if name != "__metadata__" {
                let entry = entry(&name, value, data_start)?;
                entries.push((name, entry));
            }
        }
        check_offsets(&mut entries, data_start, length)?;
        let prefix = expected.prefix_of(entries.iter().map(|(name, _)| name.as_str()));
        let mut header = Self::default();
        for (name, entry) in entries {
            let short = expected.short(&name, &prefix);
            if (expected.ignored)(short) {
                continue;
            }
            if header.tensors.insert(short.to_owned(), entry).is_some() {
                return Err(error(format!(
                    "{FILE} has tensor {short} twice: with the prefix {prefix} and without"
                )));
            }
        }
        Ok(header)
    }

    /// Where the tensors are, ascending. Those that are ignored are not among them.
    pub(crate) fn places(&self) -> Vec<Range<u64>> {
        let mut places: Vec<Range<u64>> = self.tensors.values().map(|entry| entry.bytes.clone()).collect();
        places.sort_by_key(|place| place.start);
        places
    }

    /// Checks that every tensor that is expected is there, with its shape and a dtype for weights.
    pub(crate) fn check(&self, expected: &Expected) -> Result<()> {
        let missing: Vec<&str> = expected
            .tensors
            .iter()
            .map(|(name, _)| name.as_str())
            .filter(|name| !self.tensors.contains_key(*name))
            .collect();
        if let [first, rest @ ..] = missing.as_slice() {
            let more = if rest.is_empty() {
                String::new()
            } else {
                format!(" and {} more", rest.len())
            };
            return Err(error(format!("{FILE} has no tensor {first}{more}"))
                .expected(format!("the {} tensors of {}", expected.tensors.len(), expected.of))
                .advice("Check that config.json belongs to this file."));
        }
        for (name, shape) in expected.tensors.iter().chain(&expected.optional) {
            if let Some(entry) = self.tensors.get(name) {
                entry.check_shape(name, shape)?;
                entry.weight_dtype(name)?;
            }
        }
        Ok(())
    }
}

fn entry(name: &str, value: Value, data_start: u64) -> Result<TensorEntry> {
    let raw: RawEntry = serde_json::from_value(value).map_err(|cause| {
        error(format!(
            "the header of {FILE} describes tensor {name:?} wrongly ({cause})"
        ))
        .expected("dtype, shape and data_offsets")
    })?;
    let dtype: Dtype = serde_json::from_value(Value::String(raw.dtype.clone())).map_err(|_| {
        error(format!(
            "tensor {name:?} of {FILE} has the unknown dtype {:?}",
            raw.dtype
        ))
        .expected("F64, F32, F16 or BF16")
    })?;
    let (start, end) = raw.data_offsets;
    let range = data_start.checked_add(start).zip(data_start.checked_add(end));
    let Some((from, to)) = range.filter(|(from, to)| from <= to) else {
        return Err(error(format!(
            "tensor {name:?} of {FILE} has the data_offsets [{start}, {end}]"
        ))
        .expected("a beginning before the end, inside the file"));
    };
    let count = raw
        .shape
        .iter()
        .try_fold(1u64, |product, size| product.checked_mul(*size));
    let bits = count.and_then(|count| count.checked_mul(dtype.bitsize() as u64));
    if bits != (end - start).checked_mul(8) {
        return Err(error(format!(
            "tensor {name:?} of {FILE} has {} bytes, which is not the size of {:?} values of {dtype:?}",
            end - start,
            raw.shape
        ))
        .expected(bits.map_or_else(|| "a smaller shape".to_owned(), |bits| format!("{} bytes", bits / 8))));
    }
    Ok(TensorEntry {
        dtype,
        shape: raw.shape,
        bytes: from..to,
    })
}

/// Checks that no two tensors share bytes and that the last one ends with the file.
fn check_offsets(entries: &mut [(String, TensorEntry)], data_start: u64, length: Option<u64>) -> Result<()> {
    entries.sort_by_key(|(_, entry)| (entry.bytes.start, entry.bytes.end));
    let mut end = data_start;
    let mut before = "the header";
    for (name, entry) in entries.iter() {
        if entry.bytes.start < end {
            return Err(error(format!("tensors {before:?} and {name:?} of {FILE} overlap"))
                .expected("data_offsets that do not overlap")
                .advice("Download or write the file again."));
        }
        end = entry.bytes.end;
        before = name;
    }
    match length {
        Some(length) if end > length => Err(error(format!(
            "{FILE} is truncated, or its offsets are out of range: it has {length} bytes, and tensor {before:?} ends at {end}"
        ))
        .expected(format!("{end} bytes"))
        .advice("Download or copy it again.")),
        _ => Ok(()),
    }
}

fn error(cause: impl Into<String>) -> Error {
    Error::new(ErrorKind::Checkpoint, cause)
}
