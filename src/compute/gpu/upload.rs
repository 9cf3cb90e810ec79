//! Conversion of rows between the host and the GPU, where they are padded to a multiple of the tile width.

use std::borrow::Cow;

use super::wgsl::TILE;

/// The padded width of rows of `width` numbers.
pub(super) const fn stride_of(width: usize) -> usize {
    width.next_multiple_of(TILE)
}

/// The size of `numbers` f32 numbers in bytes.
pub(super) const fn bytes_of(numbers: usize) -> u64 {
    4 * numbers as u64
}

/// `values [rows, width]` padded.
pub(super) fn padded(values: &[f32], width: usize) -> Cow<'_, [f32]> {
    let stride = stride_of(width);
    if stride == width || values.is_empty() {
        return Cow::Borrowed(values);
    }
    let mut rows = Vec::with_capacity(values.len() / width * stride);
    for row in values.chunks_exact(width) {
        rows.extend_from_slice(row);
        rows.resize(rows.len() + stride - width, 0.0);
    }
    Cow::Owned(rows)
}

/// The first `width` numbers of each row of `values [rows, stride]`.
pub(super) fn without_padding(values: &[f32], stride: usize, width: usize) -> Vec<f32> {
    if stride == width {
        return values.to_vec();
    }
    values
        .chunks_exact(stride)
        .flat_map(|row| &row[..width])
        .copied()
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_padded_comes_back() {
        for width in [1, 63, 64, 65, 200] {
            let values: Vec<f32> = (0..3 * width).map(|v| v as f32).collect();
            let there = padded(&values, width);
            assert_eq!(there.len(), 3 * stride_of(width));
            assert_eq!(without_padding(&there, stride_of(width), width), values);
        }
    }
}
