//! The components of the residual stream at some rows, as one head reads them.

use candle_core::Tensor;

use crate::compute::tensor;
use crate::error::Result;
use crate::math;

/// Asks for every component of the residual stream at some rows, multiplied with a map.
///
/// A head reads the stream through W_Q and W_K alone, so `d_head` numbers of a component are enough to know its part in any
/// score; its length along one direction tells how it splits there. Components themselves are not kept: at the sizes of
/// GPT-2 XL those of one position of 40 prompts take 330 MB, and 14 MB like this.
#[derive(Debug, Clone)]
pub struct Readout {
    /// Rows of the pass.
    pub rows: Vec<usize>,
    /// What every component is multiplied with, `[d_model, width]`: a head's W_Q or W_K.
    pub map: Tensor,
    /// What every component is split along.
    pub direction: Direction,
}

/// A vector at every row of a [`Readout`]; it is centred, and its length does not matter.
#[derive(Debug, Clone)]
pub enum Direction {
    /// These, `[rows, d_model]`.
    Of(Vec<f32>),
    /// What layer 0's MLP writes at that row.
    MlpOfLayer0,
}

/// What a [`Readout`] has captured: the components add up to the residual stream.
///
/// Components of the layers are numbered layer by layer: every head (`z W_O` without b_O), the MLP (b_out included), b_O.
#[derive(Debug, Clone, Default)]
pub struct Components {
    /// W_E, `[rows, d_model]`.
    pub w_e: Vec<f32>,
    /// W_pos, `[rows, d_model]`.
    pub w_pos: Vec<f32>,
    /// The directions, centred, with length 1 (0 for a vector without direction), `[rows, d_model]`.
    pub directions: Vec<f32>,
    /// Components of the layers times the map, `[components, rows, width]`.
    pub mapped: Vec<f32>,
    /// Lengths of the components of the layers along the directions, `[components, rows]`.
    pub along: Vec<f32>,
}

impl Components {
    /// Room for the directions of `readout`, and those that are given.
    pub(crate) fn new(readout: &Readout, d_model: usize) -> Self {
        let mut directions = match &readout.direction {
            Direction::Of(vectors) => vectors.clone(),
            Direction::MlpOfLayer0 => Vec::new(),
        };
        directions.resize(readout.rows.len() * d_model, 0.0);
        directions.chunks_exact_mut(d_model).for_each(math::unit);
        Self {
            directions,
            ..Self::default()
        }
    }

    /// Makes room for `count` more components.
    pub(crate) fn add_layer(&mut self, readout: &Readout, count: usize) -> Result<()> {
        let rows = count * readout.rows.len();
        self.mapped.resize(self.mapped.len() + rows * readout.map.dim(1)?, 0.0);
        self.along.resize(self.along.len() + rows, 0.0);
        Ok(())
    }

    /// Sets the directions at the `wanted` rows (index in the request, row) to `vectors [wanted, d_model]`.
    pub(crate) fn set_directions(&mut self, wanted: &[(usize, usize)], vectors: &[f32]) {
        let d_model = vectors.len() / wanted.len().max(1);
        for ((index, _), vector) in wanted.iter().zip(vectors.chunks_exact(d_model)) {
            let direction = &mut self.directions[index * d_model..][..d_model];
            direction.copy_from_slice(vector);
            math::unit(direction);
        }
    }

    /// Puts component `number` at the `wanted` rows, `vectors [wanted, d_model]`, where it belongs.
    pub(crate) fn put(
        &mut self,
        readout: &Readout,
        number: usize,
        wanted: &[(usize, usize)],
        vectors: Vec<f32>,
    ) -> Result<()> {
        let (d_model, width) = readout.map.dims2()?;
        let first = number * readout.rows.len();
        for ((index, _), vector) in wanted.iter().zip(vectors.chunks_exact(d_model)) {
            let direction = &self.directions[index * d_model..][..d_model];
            self.along[first + index] = math::dot(vector, direction) as f32;
        }
        tensor::read(&tensor::product(vectors, &readout.map)?, |mapped| {
            for ((index, _), mapped) in wanted.iter().zip(mapped.chunks_exact(width)) {
                self.mapped[(first + index) * width..][..width].copy_from_slice(mapped);
            }
        })
    }
}
