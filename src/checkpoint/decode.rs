//! Decodes little-endian F64, F32, F16 and BF16 to f32, chunk by chunk, into the final buffer.

use std::collections::TryReserveError;

use half::{bf16, f16};

/// The dtypes that weights may have in a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum WeightDtype {
    F64,
    F32,
    F16,
    BF16,
}

impl WeightDtype {
    fn size(self) -> usize {
        match self {
            Self::F64 => 8,
            Self::F32 => 4,
            Self::F16 | Self::BF16 => 2,
        }
    }

    fn value(self, bytes: &[u8]) -> f32 {
        match (self, bytes) {
            (Self::F64, &[a, b, c, d, e, f, g, h]) => f64::from_le_bytes([a, b, c, d, e, f, g, h]) as f32,
            (Self::F32, &[a, b, c, d]) => f32::from_le_bytes([a, b, c, d]),
            (Self::F16, &[a, b]) => f16::from_le_bytes([a, b]).to_f32(),
            (Self::BF16, &[a, b]) => bf16::from_le_bytes([a, b]).to_f32(),
            _ => f32::NAN,
        }
    }
}

/// Decodes bytes that arrive in chunks of any length, and collects the values as f32.
pub(crate) struct Decoder {
    dtype: WeightDtype,
    values: Vec<f32>,
    // The first bytes of a value that was split between two chunks.
    rest: Vec<u8>,
    damaged: bool,
}

impl Decoder {
    /// A decoder with capacity for `count` values.
    ///
    /// # Errors
    /// When there is not so much memory: a corrupt header can ask for any size.
    pub(crate) fn new(dtype: WeightDtype, count: usize) -> std::result::Result<Self, TryReserveError> {
        let mut values = Vec::new();
        values.try_reserve_exact(count)?;
        Ok(Self {
            dtype,
            values,
            rest: Vec::with_capacity(8),
            damaged: false,
        })
    }

    /// Decodes the next chunk of bytes.
    pub(crate) fn push(&mut self, mut piece: &[u8]) {
        let size = self.dtype.size();
        let before = self.values.len();
        if !self.rest.is_empty() {
            let wanted = (size - self.rest.len()).min(piece.len());
            self.rest.extend_from_slice(&piece[..wanted]);
            piece = &piece[wanted..];
            if self.rest.len() < size {
                return;
            }
            self.values.push(self.dtype.value(&self.rest));
            self.rest.clear();
        }
        let whole = piece.len() / size * size;
        self.extend(&piece[..whole]);
        self.rest.extend_from_slice(&piece[whole..]);
        // Weights are finite; anything else means that the file is damaged.
        self.damaged |= !self.values[before..].iter().all(|value| value.is_finite());
    }

    /// Whether any value was infinite or NaN.
    pub(crate) fn is_damaged(&self) -> bool {
        self.damaged
    }

    /// Passes all complete rows of `width` values to `row`, and drops them from the buffer.
    pub(crate) fn take_rows(&mut self, width: usize, row: &mut dyn FnMut(&[f32])) {
        let whole = self.values.len() / width * width;
        self.values[..whole].chunks_exact(width).for_each(row);
        self.values.drain(..whole);
    }

    // One loop per dtype, so that each compiles to a plain copy or conversion.
    fn extend(&mut self, bytes: &[u8]) {
        match self.dtype {
            WeightDtype::F64 => {
                let (chunks, _) = bytes.as_chunks::<8>();
                self.values
                    .extend(chunks.iter().map(|value| f64::from_le_bytes(*value) as f32));
            }
            WeightDtype::F32 => {
                let (chunks, _) = bytes.as_chunks::<4>();
                self.values
                    .extend(chunks.iter().map(|value| f32::from_le_bytes(*value)));
            }
            WeightDtype::F16 => {
                let (chunks, _) = bytes.as_chunks::<2>();
                self.values
                    .extend(chunks.iter().map(|value| f16::from_le_bytes(*value).to_f32()));
            }
            WeightDtype::BF16 => {
                let (chunks, _) = bytes.as_chunks::<2>();
                self.values
                    .extend(chunks.iter().map(|value| bf16::from_le_bytes(*value).to_f32()));
            }
        }
    }

    /// The values decoded so far.
    pub(crate) fn into_values(self) -> Vec<f32> {
        self.values
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_of_any_length_give_the_same_values() {
        let values = [0.0f32, 1.5, -2.25, 65504.0, -0.0, 0.1];
        let f64_bytes: Vec<u8> = values.iter().flat_map(|v| f64::from(*v).to_le_bytes()).collect();
        let f32_bytes: Vec<u8> = values.iter().flat_map(|v| v.to_le_bytes()).collect();
        let f16_bytes: Vec<u8> = values.iter().flat_map(|v| f16::from_f32(*v).to_le_bytes()).collect();
        let bf16_bytes: Vec<u8> = values.iter().flat_map(|v| bf16::from_f32(*v).to_le_bytes()).collect();
        let halves = values.map(|v| f16::from_f32(v).to_f32());
        let brains = values.map(|v| bf16::from_f32(v).to_f32());
        for (dtype, bytes, expected) in [
            (WeightDtype::F64, f64_bytes, values),
            (WeightDtype::F32, f32_bytes, values),
            (WeightDtype::F16, f16_bytes, halves),
            (WeightDtype::BF16, bf16_bytes, brains),
        ] {
            for step in 1..=bytes.len() {
                let mut decoder = Decoder::new(dtype, values.len()).expect("fits");
                bytes.chunks(step).for_each(|piece| decoder.push(piece));
                assert_eq!(decoder.into_values(), expected, "{dtype:?} in pieces of {step}");
            }
        }
    }

    #[test]
    fn an_absurd_size_is_an_error() {
        assert!(Decoder::new(WeightDtype::F32, usize::MAX / 8).is_err());
    }
}
