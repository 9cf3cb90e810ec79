//! The initial weights of the training, in which some heads of layer 0 already have a role.
//!
//! W_pos starts as sinusoids (Vaswani et al. 2017) in the first [`POSITION_WIDTH`] coordinates of the residual stream,
//! where token embeddings start as zeros. A shift by some positions is a rotation of these coordinates, so that queries
//! that are rotated against the keys attend to the token at that distance. All weights are trained.

use std::collections::BTreeMap;
use std::f64::consts::PI;

use crate::error::{Error, ErrorKind, Result};
use crate::model::{Config, tensors};
use crate::names::Head;
use crate::prompts::ioi::random::NumpyRandom;

/// Starts as a previous-token head.
pub const PREVIOUS_TOKEN_HEAD: Head = Head::new(0, 0);

/// Starts by attending to the token two positions back.
pub const TWO_BACK_HEAD: Head = Head::new(0, 1);

/// Starts by attending to an earlier occurrence of the same token, up to about 100 positions back.
pub const DUPLICATE_TOKEN_HEAD: Head = Head::new(0, 2);

/// Coordinates of the residual stream that hold the position at the start.
pub const POSITION_WIDTH: usize = 32;

/// Sinusoids, each of which takes two coordinates.
const FREQUENCIES: usize = POSITION_WIDTH / 2;

/// Amplitude of the sinusoids, and standard deviation of token embeddings in the other coordinates.
const POSITION_AMPLITUDE: f64 = 0.25;
const TOKEN_STD: f64 = 0.09;

/// Gain of queries and keys that compare positions.
const POSITION_GAIN: f64 = 1.5;

/// Gain of queries and keys that compare tokens.
const TOKEN_GAIN: f64 = 2.4;

/// Coordinates in which the duplicate-token head compares tokens, and those in which it compares positions.
const COMPARED_TOKEN: usize = 28;
const COMPARED_POSITION: usize = 12;

/// Gain of values and of outputs that copy tokens.
const COPY_GAIN: f64 = 0.45;

/// Angular frequency of sinusoid `index`.
///
/// Spaced by the power 1.5 of the index, no shift other than 0 brings all sinusoids back into phase: within 256
/// positions the mean of their cosines is 1 at shift 0 and at most 0.37 elsewhere.
fn frequency(index: usize) -> f64 {
    PI * ((index as f64 + 0.5) / FREQUENCIES as f64).powf(1.5)
}

/// A weight matrix or vector.
#[derive(Debug, Clone, PartialEq)]
pub struct Weight {
    /// The numbers, row by row.
    pub values: Vec<f32>,
    /// The shape, as in the file.
    pub shape: Vec<usize>,
}

/// The initial weights of a model of shape `config` under their names in the file.
///
/// # Errors
/// [`ErrorKind::Config`] when heads are narrower than the position's coordinates or layer 0 has fewer than three.
pub fn initial_weights(config: &Config, seed: u32) -> Result<BTreeMap<String, Weight>> {
    let narrowest = COMPARED_TOKEN + COMPARED_POSITION;
    if config.n_head <= DUPLICATE_TOKEN_HEAD.head || config.d_head() < narrowest {
        let cause = format!("{} heads of width {} can't start", config.n_head, config.d_head());
        return Err(Error::new(ErrorKind::Config, cause)
            .expected(format!("at least 3 heads, each of width {narrowest} or more")));
    }
    let mut numpy = NumpyRandom::new(seed);
    let mut weights: BTreeMap<String, Weight> = BTreeMap::new();
    for (name, shape) in tensors::required(config) {
        let count: usize = shape.iter().product();
        let values = match standard_deviation(&name, config) {
            Some(std) => (0..count).map(|_| (std * numpy.standard_normal()) as f32).collect(),
            None if name.contains("ln_") && name.ends_with(".weight") => vec![1.0; count],
            None => vec![0.0; count],
        };
        weights.insert(name, Weight { values, shape });
    }
    let mut embed = |name: &str, set: &dyn Fn(usize, usize) -> Option<f64>| {
        let weight = weights.get_mut(name).ok_or_else(|| missing(name))?;
        for (row, values) in weight.values.chunks_exact_mut(config.d_model).enumerate() {
            for (column, value) in values.iter_mut().enumerate() {
                *value = set(row, column).map_or(*value, |value| value as f32);
            }
        }
        Ok::<(), Error>(())
    };
    embed("wte.weight", &|_, column| (column < POSITION_WIDTH).then_some(0.0))?;
    embed("wpe.weight", &|position, column| Some(sinusoid(position, column)))?;

    let mut heads = Heads {
        config,
        numpy,
        weights: &mut weights,
    };
    heads.attend_back(PREVIOUS_TOKEN_HEAD, 1)?;
    heads.attend_back(TWO_BACK_HEAD, 2)?;
    heads.attend_to_same(DUPLICATE_TOKEN_HEAD)?;
    Ok(weights)
}

/// Standard deviation of a weight matrix at the start; None for LayerNorms, biases and W_pos.
///
/// The stream's coordinates start at about 0.1, far from GPT-2's 0.02, which is too little for 160 of them: scores
/// would be all the same, and learn slowly.
fn standard_deviation(name: &str, config: &Config) -> Option<f64> {
    let per_input = (config.d_model as f64).sqrt().recip();
    let per_writer = (2.0 * config.n_layer as f64).sqrt().recip();
    match name.rsplit_once("h.").map_or(name, |(_, part)| part) {
        "wte.weight" => Some(TOKEN_STD),
        part if part.ends_with("attn.c_attn.weight") => Some(0.7 * per_input),
        part if part.ends_with("attn.c_proj.weight") => Some(0.4 * per_input * per_writer),
        part if part.ends_with("mlp.c_fc.weight") => Some(per_input),
        part if part.ends_with("mlp.c_proj.weight") => Some(0.2 * per_input * per_writer),
        _ => None,
    }
}

/// W_pos at the start: cosines in even, sines in odd coordinates.
fn sinusoid(position: usize, column: usize) -> f64 {
    if column >= POSITION_WIDTH {
        return 0.0;
    }
    let angle = position as f64 * frequency(column / 2);
    POSITION_AMPLITUDE
        * if column.is_multiple_of(2) {
            angle.cos()
        } else {
            angle.sin()
        }
}

/// Writes heads of layer 0 into the weights.
struct Heads<'a> {
    config: &'a Config,
    numpy: NumpyRandom,
    weights: &'a mut BTreeMap<String, Weight>,
}

/// Which third of `c_attn` a matrix is.
#[derive(Clone, Copy)]
enum Input {
    Q,
    K,
    V,
}

impl Heads<'_> {
    /// Makes `head` attend to the token `back` positions before and copy it into directions of its own.
    fn attend_back(&mut self, head: Head, back: usize) -> Result<()> {
        self.clear(head)?;
        for index in 0..FREQUENCIES {
            let (sin, cos) = (back as f64 * frequency(index)).sin_cos();
            let (even, odd) = (2 * index, 2 * index + 1);
            // cos(a - b) and sin(a - b) of the query's angle a, shifted by b.
            for (row, column, value) in [(even, even, cos), (odd, even, sin), (odd, odd, cos), (even, odd, -sin)] {
                self.set_input(head, Input::Q, row, column, POSITION_GAIN * value)?;
            }
            self.set_input(head, Input::K, even, even, POSITION_GAIN)?;
            self.set_input(head, Input::K, odd, odd, POSITION_GAIN)?;
        }
        let (contents, d_head) = (self.config.d_model - POSITION_WIDTH, self.config.d_head());
        let from = orthonormal(&mut self.numpy, d_head, contents);
        let to = orthonormal(&mut self.numpy, d_head, contents);
        for column in 0..d_head {
            for row in 0..contents {
                let value = COPY_GAIN * from[column][row];
                self.set_input(head, Input::V, POSITION_WIDTH + row, column, value)?;
                self.set_output(head, column, POSITION_WIDTH + row, COPY_GAIN * to[column][row])?;
            }
        }
        Ok(())
    }

    /// Makes `head` attend to the same token elsewhere, rather than to itself; values stay as they are.
    fn attend_to_same(&mut self, head: Head) -> Result<()> {
        for row in 0..self.config.d_model {
            for column in 0..self.config.d_head() {
                self.set_input(head, Input::Q, row, column, 0.0)?;
                self.set_input(head, Input::K, row, column, 0.0)?;
            }
        }
        let contents = self.config.d_model - POSITION_WIDTH;
        let compared = orthonormal(&mut self.numpy, COMPARED_TOKEN, contents);
        for (column, direction) in compared.iter().enumerate() {
            for (row, value) in direction.iter().enumerate() {
                self.set_input(head, Input::Q, POSITION_WIDTH + row, column, TOKEN_GAIN * value)?;
                self.set_input(head, Input::K, POSITION_WIDTH + row, column, TOKEN_GAIN * value)?;
            }
        }
        // The highest frequencies, negative: least at the token's own position and beside it.
        for index in 0..COMPARED_POSITION {
            let (row, column) = (POSITION_WIDTH - COMPARED_POSITION + index, COMPARED_TOKEN + index);
            self.set_input(head, Input::Q, row, column, -POSITION_GAIN)?;
            self.set_input(head, Input::K, row, column, POSITION_GAIN)?;
        }
        Ok(())
    }

    /// Sets all weights of `head` to 0.
    fn clear(&mut self, head: Head) -> Result<()> {
        for row in 0..self.config.d_model {
            for column in 0..self.config.d_head() {
                for input in [Input::Q, Input::K, Input::V] {
                    self.set_input(head, input, row, column, 0.0)?;
                }
                self.set_output(head, column, row, 0.0)?;
            }
        }
        Ok(())
    }

    /// Sets the weight from coordinate `row` of the residual stream to coordinate `column` of the head.
    fn set_input(&mut self, head: Head, input: Input, row: usize, column: usize, value: f64) -> Result<()> {
        let d_model = self.config.d_model;
        let column = input as usize * d_model + head.head * self.config.d_head() + column;
        let name = format!("h.{}.attn.c_attn.weight", head.layer);
        self.set(&name, row * 3 * d_model + column, value)
    }

    /// Sets the weight from coordinate `row` of the head to coordinate `column` of the residual stream.
    fn set_output(&mut self, head: Head, row: usize, column: usize, value: f64) -> Result<()> {
        let row = head.head * self.config.d_head() + row;
        let name = format!("h.{}.attn.c_proj.weight", head.layer);
        self.set(&name, row * self.config.d_model + column, value)
    }

    fn set(&mut self, name: &str, index: usize, value: f64) -> Result<()> {
        let weight = self
            .weights
            .get_mut(name)
            .and_then(|weight| weight.values.get_mut(index));
        *weight.ok_or_else(|| missing(name))? = value as f32;
        Ok(())
    }
}

fn missing(name: &str) -> Error {
    Error::new(ErrorKind::Internal, format!("the model has no weight {name}"))
}

/// `count` random vectors of `width` numbers, of length 1 and at right angles to each other (Gram-Schmidt).
fn orthonormal(numpy: &mut NumpyRandom, count: usize, width: usize) -> Vec<Vec<f64>> {
    let mut basis: Vec<Vec<f64>> = Vec::with_capacity(count);
    for _ in 0..count {
        let mut vector: Vec<f64> = (0..width).map(|_| numpy.standard_normal()).collect();
        for other in &basis {
            let along: f64 = vector.iter().zip(other).map(|(a, b)| a * b).sum();
            vector.iter_mut().zip(other).for_each(|(a, b)| *a -= along * b);
        }
        let length = vector.iter().map(|a| a * a).sum::<f64>().sqrt();
        vector.iter_mut().for_each(|a| *a /= length);
        basis.push(vector);
    }
    basis
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::prompts::ioi::random::PythonRandom;
    use crate::training::{Repeats, Sequence, Transformer};

    const POSITIONS: usize = 256;

    fn config(n_head: usize) -> Config {
        Config {
            n_layer: 1,
            n_head,
            d_model: 160,
            d_mlp: 640,
            d_vocab: 500,
            n_ctx: POSITIONS,
            bos_token_id: Some(499),
            ..Config::default()
        }
    }

    /// Attention of `head` from each position to the one `back` before it, on a segment of random tokens repeated once.
    fn attention(head: Head, back: usize, segment: usize) -> Vec<f32> {
        let model = Transformer::new(config(4), 0).unwrap();
        let repeats = Repeats::draw(&mut PythonRandom::new(7), 499, segment, 2 * segment);
        let sequence = Sequence {
            tokens: repeats.tokens,
            ..Sequence::default()
        };
        let forward = model.forward(&[sequence]).unwrap();
        let pattern = forward.attention[0].get(0).unwrap().get(head.head).unwrap();
        let pattern: Vec<Vec<f32>> = pattern.to_vec2().unwrap();
        (back..2 * segment).map(|query| pattern[query][query - back]).collect()
    }

    #[test]
    fn heads_look_back_from_every_position() {
        for (head, back) in [(PREVIOUS_TOKEN_HEAD, 1), (TWO_BACK_HEAD, 2)] {
            let attention = attention(head, back, POSITIONS / 2);
            assert_eq!(attention.len(), POSITIONS - back);
            let least = attention.iter().copied().fold(f32::INFINITY, f32::min);
            println!("{head}: at least {least}");
            assert!(least > 0.7);
        }
    }

    #[test]
    fn a_head_looks_at_the_same_token() {
        for segment in [4, 8, 16, 24, 32, 48, 64, 96] {
            let attention = attention(DUPLICATE_TOKEN_HEAD, segment, segment);
            assert_eq!(attention.len(), segment);
            let mean = attention.iter().sum::<f32>() / segment as f32;
            println!("{DUPLICATE_TOKEN_HEAD}, {segment} tokens back: mean {mean}");
            assert!(mean > 0.7);
        }
    }

    #[test]
    fn heads_that_are_too_narrow_are_an_error() {
        assert!(initial_weights(&config(2), 0).is_err());
        let error = initial_weights(&config(8), 0).unwrap_err();
        assert!(error.to_string().contains("width 40"), "{error}");
    }
}
