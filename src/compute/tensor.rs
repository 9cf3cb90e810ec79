//! Conversions between candle's tensors and slices, without copying.

use candle_core::{CpuStorage, Device, Storage, Tensor};

use crate::error::{Error, ErrorKind, Result};

/// The product `[rows, out]` of `input [rows, in]` and `weight [in, out]`.
///
/// All matrix products of the gemm engine go through here.
pub(crate) fn product(input: Vec<f32>, weight: &Tensor) -> Result<Tensor> {
    let width = weight.dim(0)?;
    let rows = input.len() / width;
    Ok(Tensor::from_vec(input, (rows, width), &Device::Cpu)?.matmul(weight)?)
}

/// Calls `read` with the elements of a contiguous f32 tensor.
pub(crate) fn read<R>(tensor: &Tensor, read: impl FnOnce(&[f32]) -> R) -> Result<R> {
    let (storage, layout) = tensor.storage_and_layout();
    let elements = match (&*storage, layout.contiguous_offsets()) {
        (Storage::Cpu(CpuStorage::F32(elements)), Some((start, end))) => elements.get(start..end),
        _ => None,
    };
    elements
        .map(read)
        .ok_or_else(|| Error::new(ErrorKind::Internal, "a tensor is not contiguous f32 in memory"))
}

/// A matrix of `width` columns from its elements in row order.
pub(crate) fn matrix(elements: Vec<f32>, width: usize) -> Result<Tensor> {
    let rows = elements.len() / width;
    Ok(Tensor::from_vec(elements, (rows, width), &Device::Cpu)?)
}

/// The elements of `tensor` in row order, copied.
pub(crate) fn to_vec(tensor: &Tensor) -> Result<Vec<f32>> {
    Ok(tensor.flatten_all()?.to_vec1()?)
}
