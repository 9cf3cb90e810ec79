//! Weights in GPU memory.

use std::rc::Rc;

use super::buffers::WeightBuffer;
use super::device::GpuDevice;
use super::upload::{bytes_of, padded, stride_of};
use crate::error::Result;
use crate::model::layer_norm::LayerNorm;

/// A matrix `[inputs, outputs]`, with rows and columns padded with zeros.
pub(super) struct Matrix {
    weights: WeightBuffer,
    pub(super) inputs: usize,
    pub(super) outputs: usize,
}

impl Matrix {
    /// Uploads a matrix with `outputs` columns whose elements are given in row order.
    pub(super) fn new(device: &Rc<GpuDevice>, elements: &[f32], outputs: usize) -> Result<Self> {
        let inputs = elements.len() / outputs.max(1);
        // Buffers are initialized with 0.
        let weights = device.weights(bytes_of(stride_of(inputs) * stride_of(outputs)))?;
        device.write(&weights.buffer, 0, bytemuck::cast_slice(&padded(elements, outputs)));
        Ok(Self {
            weights,
            inputs,
            outputs,
        })
    }

    pub(super) fn buffer(&self) -> &wgpu::Buffer {
        &self.weights.buffer
    }
}

/// Uploads a bias, padded.
pub(super) fn bias(device: &Rc<GpuDevice>, values: &[f32]) -> Result<WeightBuffer> {
    let weights = device.weights(bytes_of(stride_of(values.len())))?;
    device.write(&weights.buffer, 0, bytemuck::cast_slice(values));
    Ok(weights)
}

/// Uploads the weights of a LayerNorm over `width` numbers, then its biases, each padded.
pub(super) fn affine(norm: &LayerNorm, width: usize, with_bias: bool) -> Vec<f32> {
    let stride = stride_of(width);
    let mut values = vec![0.0; 2 * stride];
    match &norm.affine {
        Some(affine) => {
            values[..width].copy_from_slice(&affine.weight);
            if with_bias {
                values[stride..][..width].copy_from_slice(&affine.bias);
            }
        }
        None => values[..width].fill(1.0),
    }
    values
}
