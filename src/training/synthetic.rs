//! Synthetic checkpoints of GPT-2's full size, the same on every machine, for tests at scale.
//!
//! The weights are NumPy's legacy normal stream, scaled so that attention scores have the size that they have
//! in a trained model. The golden numbers of the full-size test were computed from the model `gpt2` here.

use std::io::Write;

use serde_json::{Map, Value, json};

use crate::checkpoint::TensorSpec;
use crate::error::{Error, ErrorKind, Result};
use crate::model::Config;
use crate::model::tensors::{self, TensorGroup};
use crate::prompts::ioi::random::NumpyRandom;

/// The constant of the original code: 2 pi rounded to three digits.
#[allow(clippy::approx_constant)]
const ROUGHLY_TAU: f64 = 6.28;

/// The shape and seed of a synthetic checkpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Synthetic {
    /// Number of blocks.
    pub n_layer: usize,
    /// Attention heads per block.
    pub n_head: usize,
    /// Width of the residual stream.
    pub d_model: usize,
    /// Entries of the vocabulary.
    pub d_vocab: usize,
    /// Longest prompt.
    pub n_ctx: usize,
    /// Seed of NumPy's `RandomState`.
    pub seed: u32,
}

impl Synthetic {
    /// The shape of a published model: `gpt2`, `gpt2-medium` or `distilgpt2`.
    ///
    /// # Errors
    /// [`ErrorKind::Request`] for another name.
    pub fn named(name: &str) -> Result<Self> {
        let (n_layer, n_head, d_model, seed) = match name {
            "gpt2" => (12, 12, 768, 2023),
            "gpt2-medium" => (24, 16, 1024, 2024),
            "distilgpt2" => (6, 12, 768, 2025),
            "gpt2-xl" => (48, 25, 1600, 2026),
            _ => {
                return Err(Error::new(ErrorKind::Request, format!("there is no size \"{name}\""))
                    .expected("gpt2, gpt2-medium, gpt2-xl or distilgpt2"));
            }
        };
        Ok(Self {
            n_layer,
            n_head,
            d_model,
            d_vocab: 50257,
            n_ctx: 1024,
            seed,
        })
    }

    /// `config.json`.
    pub fn config_json(&self) -> String {
        let last = self.d_vocab.saturating_sub(1);
        let config = json!({
            "activation_function": "gelu_new", "architectures": ["GPT2LMHeadModel"], "attn_pdrop": 0.1,
            "bos_token_id": last, "embd_pdrop": 0.1, "eos_token_id": last, "initializer_range": 0.02,
            "layer_norm_epsilon": 1e-05, "model_type": "gpt2", "n_ctx": self.n_ctx, "n_embd": self.d_model,
            "n_head": self.n_head, "n_layer": self.n_layer, "n_positions": self.n_ctx, "resid_pdrop": 0.1,
            "vocab_size": self.d_vocab,
        });
        format!("{config:#}\n")
    }

    /// Writes `model.safetensors` (F32, with the causal-mask buffers of the published files), a row at a time.
    ///
    /// # Errors
    /// [`ErrorKind::Source`] when `out` can't be written.
    pub fn write_safetensors(&self, out: impl Write) -> Result<()> {
        let mut generator = Generator {
            numpy: NumpyRandom::new(self.seed),
            out,
        };
        generator.model(self, &self.header()?).map_err(|error| {
            Error::new(
                ErrorKind::Source,
                format!("the synthetic weights can't be written: {error}"),
            )
        })
    }

    /// Names and shapes, in the order in which they are drawn and written: that of the published files, each block's
    /// causal mask at its end.
    fn shapes(&self) -> Result<Vec<TensorSpec>> {
        let config = Config::from_json(self.config_json().as_bytes())?;
        let mut shapes = tensors::of_part(&config, TensorGroup::Embedding);
        for layer in 0..self.n_layer {
            shapes.extend(tensors::of_block(&config, layer));
            shapes.push(tensors::mask_buffer(&config, layer));
        }
        shapes.extend(tensors::of_part(&config, TensorGroup::FinalLayerNorm));
        Ok(shapes)
    }

    /// The length of the header, then the header, padded to a multiple of 8 bytes.
    fn header(&self) -> Result<Vec<u8>> {
        let mut header = Map::from_iter([("__metadata__".to_owned(), json!({"format": "pt"}))]);
        let mut start = 0;
        for (name, shape) in self.shapes()? {
            let end = start + size_of::<f32>() * shape.iter().product::<usize>();
            header.insert(
                name,
                json!({"dtype": "F32", "shape": shape, "data_offsets": [start, end]}),
            );
            start = end;
        }
        let mut json = Value::Object(header).to_string().into_bytes();
        json.resize(json.len().next_multiple_of(8), b' ');
        Ok([&(json.len() as u64).to_le_bytes()[..], &json].concat())
    }
}

/// Draws and writes the tensors in order. The arithmetic is that of the Python original: f32 unless noted.
struct Generator<W> {
    numpy: NumpyRandom,
    out: W,
}

impl<W: Write> Generator<W> {
    fn model(&mut self, size: &Synthetic, header: &[u8]) -> std::io::Result<()> {
        self.out.write_all(header)?;
        self.embeddings(size)?;
        for _ in 0..size.n_layer {
            self.block(size)?;
        }
        let d = size.d_model;
        self.matrix(1, d, |_, _, n| 1.3 * (0.3 * n).exp())?;
        self.matrix(1, d, |_, _, n| 0.1 * n)?;
        self.out.flush()
    }

    fn embeddings(&mut self, size: &Synthetic) -> std::io::Result<()> {
        let (d, n_ctx) = (size.d_model, size.n_ctx);
        let column = self.peek(size.d_vocab * d, d);
        self.matrix(size.d_vocab, d, |_, j, n| 0.14 * n + 0.05 * column[j] + 0.02)?;
        self.draw(d);
        let column = self.peek(n_ctx * d, d);
        self.matrix(n_ctx, d, |i, j, n| {
            // The wave is f64 in the original, and so is its sum with the f32 noise.
            let wave = ROUGHLY_TAU * (i as f64 / n_ctx as f64) * f64::from(column[j]);
            (f64::from(0.1 * n) + 0.1 * wave.sin() + 0.01) as f32
        })?;
        self.draw(d);
        Ok(())
    }

    fn block(&mut self, size: &Synthetic) -> std::io::Result<()> {
        let (d, n_head) = (size.d_model, size.n_head);
        for _ in 0..2 {
            self.matrix(1, d, |_, _, n| 0.35 * (0.25 * n).exp())?;
            self.matrix(1, d, |_, _, n| 0.08 * n)?;
        }
        let factors: Vec<f32> = self
            .peek(3 * d * d, 3 * n_head)
            .iter()
            .map(|n| (0.3 * n).exp())
            .collect();
        let d_head = d / n_head;
        self.matrix(d, 3 * d, |_, j, n| 0.14 * n * factors[j / d_head] + 0.01)?;
        self.draw(3 * n_head);
        self.matrix(1, 3 * d, |_, _, n| 0.4 * n)?;
        self.matrix_with_row_shift(d, d, 0.08)?;
        self.matrix(1, d, |_, _, n| 0.15 * n + 0.05)?;
        self.matrix(d, 4 * d, |_, _, n| 0.12 * n + 0.005)?;
        self.matrix(1, 4 * d, |_, _, n| 0.1 * n - 0.1)?;
        self.matrix_with_row_shift(4 * d, d, 0.05)?;
        self.matrix(1, d, |_, _, n| 0.1 * n + 0.03)?;
        self.causal_mask(size.n_ctx)
    }

    /// Scaled normals, plus one normal per row that is drawn after all of them.
    fn matrix_with_row_shift(&mut self, rows: usize, columns: usize, scale: f32) -> std::io::Result<()> {
        let shift = self.peek(rows * columns, rows);
        self.matrix(rows, columns, |i, _, n| scale * n + 0.01 * shift[i])?;
        self.draw(rows);
        Ok(())
    }

    /// Draws a normal for each element and writes `value(row, column, normal)`, row by row.
    fn matrix(&mut self, rows: usize, columns: usize, value: impl Fn(usize, usize, f32) -> f32) -> std::io::Result<()> {
        for i in 0..rows {
            let row: Vec<f32> = self
                .draw(columns)
                .into_iter()
                .enumerate()
                .map(|(j, n)| value(i, j, n))
                .collect();
            self.write(&row)?;
        }
        Ok(())
    }

    /// Ones where a query may attend to a key.
    fn causal_mask(&mut self, n_ctx: usize) -> std::io::Result<()> {
        (0..n_ctx).try_for_each(|query| {
            let row: Vec<f32> = (0..n_ctx).map(|key| if key <= query { 1.0 } else { 0.0 }).collect();
            self.write(&row)
        })
    }

    fn write(&mut self, row: &[f32]) -> std::io::Result<()> {
        let bytes: Vec<u8> = row.iter().flat_map(|value| value.to_le_bytes()).collect();
        self.out.write_all(&bytes)
    }

    fn draw(&mut self, count: usize) -> Vec<f32> {
        (0..count).map(|_| self.numpy.standard_normal() as f32).collect()
    }

    /// The `count` normals after the next `skip`. Drawing twice takes seconds, but keeps one row in memory instead of a
    /// whole tensor.
    fn peek(&self, skip: usize, count: usize) -> Vec<f32> {
        let mut ahead = self.numpy.clone();
        (0..skip).for_each(|_| {
            ahead.standard_normal();
        });
        (0..count).map(|_| ahead.standard_normal() as f32).collect()
    }
}
