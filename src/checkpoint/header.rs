//! Parses the header of a safetensors file, without the rest of the file.
//!
//! The format: eight bytes with the length n of the header (little-endian), n bytes of JSON (name to dtype, shape and
//! offsets), then the data. See <https://github.com/huggingface/safetensors#format>. The reader of the `safetensors`
//! crate needs the whole file in one slice and counts in `usize`. Only its list of dtypes is used here, so that files
//! can be read by ranges and may be larger than 4 GB on wasm32.

use std::collections::BTreeMap;
use std::ops::Range;
use std::rc::Rc;

use safetensors::Dtype;
use serde::Deserialize;
use serde_json::Value;

use super::decode::WeightDtype;
use super::expected::Expected;
use crate::error::{Error, ErrorKind, Result};

/// File name of weights that are in a single file.
pub const FILE: &str = "model.safetensors";

/// Whether `file` is a weights file, judged by its name.
pub(crate) fn is_weights(file: &str) -> bool {
    file.ends_with(".safetensors")
}

/// Limit of the header's length in bytes: a hundred times that of the largest GPT-2.
pub(crate) const MAX_HEADER: u64 = 16 << 20;

/// Name endings of the extra tensors that quantized weights come with.
const QUANTIZED: [&str; 8] = [
    ".qweight",
    ".qzeros",
    ".g_idx",
    ".absmax",
    ".quant_map",
    ".SCB",
    ".weight_scale",
    ".weight_packed",
];

/// Tensor names in the file, with their header entries.
pub(crate) type Entries = Vec<(String, TensorEntry)>;

/// The dtype of a tensor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum TensorDtype {
    /// A dtype of the safetensors format.
    Known(Dtype),
    /// An unknown dtype: the tensor cannot be read. That is an error only if the tensor is needed.
    Unknown(String),
}

impl TensorDtype {
    /// The name in the file.
    pub(crate) fn name(&self) -> String {
        match self {
            Self::Known(dtype) => format!("{dtype:?}"),
            Self::Unknown(name) => name.clone(),
        }
    }
}

/// One tensor as described by the header.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TensorEntry {
    /// The file that contains it.
    pub(crate) file: Rc<str>,
    pub(crate) dtype: TensorDtype,
    pub(crate) shape: Vec<u64>,
    /// Byte range of the data, counted from the beginning of the file.
    pub(crate) bytes: Range<u64>,
}

impl TensorEntry {
    /// The dtype as a [`WeightDtype`]. An error where it cannot hold weights.
    pub(crate) fn weight_dtype(&self, name: &str) -> Result<WeightDtype> {
        let file = &self.file;
        let other = |what: &str| error(format!("tensor {name} of {file} has {what}")).expected("F64, F32, F16 or BF16");
        match &self.dtype {
            TensorDtype::Known(Dtype::F64) => Ok(WeightDtype::F64),
            TensorDtype::Known(Dtype::F32) => Ok(WeightDtype::F32),
            TensorDtype::Known(Dtype::F16) => Ok(WeightDtype::F16),
            TensorDtype::Known(Dtype::BF16) => Ok(WeightDtype::BF16),
            TensorDtype::Known(known) if known.bitsize() <= 8 => {
                Err(other(&format!("dtype {known:?}: quantized weights are not read")).advice(UNQUANTIZED))
            }
            TensorDtype::Known(known) => Err(other(&format!("dtype {known:?}"))),
            TensorDtype::Unknown(name) => Err(other(&format!("the unknown dtype {name:?}"))
                .advice("If the weights are quantized, use the model's original ones.")),
        }
    }

    /// Checks that it has `shape`.
    pub(crate) fn check_shape(&self, name: &str, shape: &[usize]) -> Result<()> {
        if self.shape.iter().copied().eq(shape.iter().map(|size| *size as u64)) {
            return Ok(());
        }
        let reversed = self.shape.iter().rev().copied();
        let advice = if shape.len() == 2 && reversed.eq(shape.iter().map(|size| *size as u64)) {
            "It looks transposed: GPT-2's maps are [in, out], those of a Linear layer [out, in]. Transpose the weights of \
                 all blocks' maps and save the file again."
        } else {
            "Check that config.json belongs to this file."
        };
        Err(
            error(format!("tensor {name} of {} has shape {:?}", self.file, self.shape))
                .expected(format!("{shape:?}"))
                .advice(advice),
        )
    }
}

const UNQUANTIZED: &str = "Use the model's original weights, or dequantize them and save them as F32 or F16.";

/// The tensors of all weights files by name, without the prefix and without ignored ones (see [`Expected`]).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Header {
    /// Name of the weights file or of the index, for error messages.
    pub(crate) name: &'static str,
    pub(crate) tensors: BTreeMap<String, TensorEntry>,
}

#[derive(Deserialize)]
#[serde(rename = "tensor")]
struct RawEntry {
    dtype: String,
    shape: Vec<u64>,
    data_offsets: (u64, u64),
}

/// Byte range of the header's JSON, given the first eight bytes of the file, and the file's length where it is known.
pub(crate) fn header_range(file: &str, first: &[u8], length: Option<u64>) -> Result<Range<u64>> {
    let first: [u8; 8] = first
        .try_into()
        .map_err(|_| error(format!("{file} is truncated: it ends after {} bytes", first.len())))?;
    let size = u64::from_le_bytes(first);
    if let Some(length) = length
        && size > length.saturating_sub(8)
    {
        return Err(error(format!(
            "the header of {file} is longer than the file: {size} of {length} bytes"
        ))
        .advice("The file is truncated, or it is not a safetensors file."));
    }
    if size > MAX_HEADER {
        return Err(error(format!("the header of {file} says that it is {size} bytes long"))
            .expected(format!("at most {MAX_HEADER}"))
            .advice("Check that it is a safetensors file."));
    }
    Ok(8..8 + size)
}

/// Parses the JSON header of `file` and checks every offset and size.
///
/// `length` is the length of the file, where it is known.
pub(crate) fn entries(file: &str, json: &[u8], length: Option<u64>) -> Result<Entries> {
    let raw: BTreeMap<String, Value> = serde_json::from_slice(json).map_err(|cause| {
        let zeros = json.iter().rev().take_while(|byte| **byte == 0).count();
        if zeros > 0 && zeros < json.len() {
            return error(format!("the header of {file} ends in {zeros} zero bytes"))
                .expected("spaces, where a header is filled up")
                .advice("Write the file again with the library safetensors.");
        }
        let what = if cause.is_data() { "a JSON object" } else { "JSON" };
        error(format!("the header of {file} is not {what} ({cause})")).advice("Check that it is a safetensors file.")
    })?;
    let data_start = 8 + json.len() as u64;
    let name_of_file: Rc<str> = file.into();
    let mut entries = Entries::new();
    for (name, value) in raw {
        if name != "__metadata__" {
            let entry = entry(&name_of_file, &name, value, data_start)?;
            entries.push((name, entry));
        }
    }
    check_offsets(file, &mut entries, data_start, length)?;
    Ok(entries)
}

impl Header {
    /// Collects the `entries` of all files under the names of `expected`. `name` is the weights file or the index.
    pub(crate) fn of(name: &'static str, entries: Entries, expected: &Expected) -> Result<Self> {
        let prefix = expected.prefix_of(entries.iter().map(|(name, _)| name.as_str()));
        let mut tensors = BTreeMap::<String, TensorEntry>::new();
        for (full, entry) in entries {
            let short = expected.short(&full, &prefix);
            if (expected.ignored)(short) {
                continue;
            }
            let file = Rc::clone(&entry.file);
            if let Some(before) = tensors.insert(short.to_owned(), entry) {
                return Err(if before.file == file {
                    error(format!(
                        "{file} has tensor {short} twice: with the prefix {prefix} and without"
                    ))
                } else {
                    error(format!("tensor {short} is both in {} and in {file}", before.file))
                        .expected("each tensor in one file")
                        .advice("The files are not of one model; download all of them again.")
                });
            }
        }
        Ok(Self { name, tensors })
    }

    /// Per file, the byte ranges of its tensors in ascending order. Ignored tensors are left out.
    pub(crate) fn places(&self) -> BTreeMap<Rc<str>, Vec<Range<u64>>> {
        let mut files = BTreeMap::<Rc<str>, Vec<Range<u64>>>::new();
        for entry in self.tensors.values() {
            files
                .entry(Rc::clone(&entry.file))
                .or_default()
                .push(entry.bytes.clone());
        }
        files
            .values_mut()
            .for_each(|places| places.sort_by_key(|place| place.start));
        files
    }

    /// Checks that every required tensor exists, with the expected shape and a dtype that can hold weights.
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
            let file = self.name;
            let quantized = |name: &&String| QUANTIZED.iter().any(|ending| name.ends_with(ending));
            if let Some(name) = self.tensors.keys().find(quantized) {
                return Err(error(format!(
                    "{file} has no tensor {first}, but {name}: quantized weights are not read"
                ))
                .expected("F64, F32, F16 or BF16")
                .advice(UNQUANTIZED));
            }
            return Err(error(format!("{file} has no tensor {first}{more}"))
                .expected(format!("the {} tensors of {}", expected.tensors.len(), expected.owner))
                .advice("Check that config.json belongs to this file."));
        }
        for (name, shape) in expected.tensors.iter().chain(&expected.optional) {
            if let Some(entry) = self.tensors.get(name) {
                // Checked before the shape: quantized weights have other shapes, too.
                entry.weight_dtype(name)?;
                entry.check_shape(name, shape)?;
            }
        }
        Ok(())
    }
}

fn entry(file: &Rc<str>, name: &str, value: Value, data_start: u64) -> Result<TensorEntry> {
    let raw: RawEntry = serde_json::from_value(value).map_err(|cause| {
        error(format!(
            "the header of {file} describes tensor {name:?} wrongly ({cause})"
        ))
        .expected("dtype, shape and data_offsets")
    })?;
    let dtype = match serde_json::from_value(Value::String(raw.dtype.clone())) {
        Ok(dtype) => TensorDtype::Known(dtype),
        Err(_) => TensorDtype::Unknown(raw.dtype),
    };
    let (start, end) = raw.data_offsets;
    let range = data_start.checked_add(start).zip(data_start.checked_add(end));
    let Some((from, to)) = range.filter(|(from, to)| from <= to) else {
        return Err(error(format!(
            "tensor {name:?} of {file} has the data_offsets [{start}, {end}]"
        ))
        .expected("a beginning before the end, inside the file"));
    };
    if let TensorDtype::Known(dtype) = dtype {
        check_size(file, name, (dtype, &raw.shape), end - start)?;
    }
    Ok(TensorEntry {
        file: Rc::clone(file),
        dtype,
        shape: raw.shape,
        bytes: from..to,
    })
}

/// Checks that the number of bytes fits `dtype` and `shape`.
fn check_size(file: &str, name: &str, (dtype, shape): (Dtype, &[u64]), bytes: u64) -> Result<()> {
    let count = shape.iter().try_fold(1u64, |product, size| product.checked_mul(*size));
    let bits = count.and_then(|count| count.checked_mul(dtype.bitsize() as u64));
    if bits == bytes.checked_mul(8) {
        return Ok(());
    }
    Err(error(format!(
        "tensor {name:?} of {file} has {bytes} bytes, which is not the size of {shape:?} values of {dtype:?}"
    ))
    .expected(bits.map_or_else(|| "a smaller shape".to_owned(), |bits| format!("{} bytes", bits / 8))))
}

/// Checks that no two tensors overlap and that the last one ends at the end of the file.
fn check_offsets(
    file: &str,
    entries: &mut [(String, TensorEntry)],
    data_start: u64,
    length: Option<u64>,
) -> Result<()> {
    entries.sort_by_key(|(_, entry)| (entry.bytes.start, entry.bytes.end));
    let mut end = data_start;
    let mut before = "the header";
    for (name, entry) in entries.iter() {
        if entry.bytes.start < end {
            return Err(error(format!("tensors {before:?} and {name:?} of {file} overlap"))
                .expected("data_offsets that do not overlap")
                .advice("Download or write the file again."));
        }
        end = entry.bytes.end;
        before = name;
    }
    match length {
        Some(length) if end > length => Err(error(format!(
            "{file} is truncated, or its offsets are out of range: it has {length} bytes, and tensor {before:?} ends at {end}"
        ))
        .expected(format!("{end} bytes"))
        .advice("Download or copy it again.")),
        _ => Ok(()),
    }
}

fn error(cause: impl Into<String>) -> Error {
    Error::new(ErrorKind::Checkpoint, cause)
}
