//! A command list for the GPU: operations, copies and what is read back.

use std::ops::Range;
use std::rc::Rc;

use super::buffers::Scratch;
use super::device::GpuDevice;
use super::matrix::Matrix;
use super::upload::{bytes_of, stride_of, without_padding};
use super::wgsl::{LARGE, Program, SMALL};
use crate::error::Result;
use crate::model::Activation;

/// Offset between uniforms in their buffer: the alignment that every GPU supports.
const OF_UNIFORM: usize = 256;
/// Bytes of a uniform.
const SHAPE: usize = 32;
/// Operations of one piece of work: some ten for each block.
const MOST: usize = 128;
/// Large tiles, where they make at least so many.
const LARGE_TILES: usize = 96;

/// The sizes of an operation; `Shape` in `wgsl.rs`.
#[derive(Debug, Clone, Copy, Default)]
struct Shape {
    rows: usize,
    inner: usize,
    outer: usize,
    first: usize,
    heads: usize,
    width: usize,
    number: f32,
}

impl Shape {
    fn bytes(&self) -> [u8; SHAPE] {
        let mut bytes = [0; SHAPE];
        let sizes = [self.rows, self.inner, self.outer, self.first, self.heads, self.width];
        let words = sizes.map(|size| size as u32).into_iter().chain([self.number.to_bits()]);
        for (to, word) in bytes.chunks_exact_mut(4).zip(words) {
            to.copy_from_slice(&word.to_le_bytes());
        }
        bytes
    }
}

/// A range of rows to be read back.
pub(super) struct Reading {
    /// The index of its first number in the buffer that is read back.
    at: usize,
    rows: usize,
    width: usize,
    stride: usize,
}

impl Reading {
    /// The `[rows, width]` numbers in the data that was read back.
    pub(super) fn of(&self, all: &[f32]) -> Vec<f32> {
        without_padding(&all[self.at..][..self.rows * self.stride], self.stride, self.width)
    }
}

/// The rows that a row attends to: see the attention shader.
pub(super) struct AttentionShape {
    pub(super) rows: usize,
    /// The index of the first one among all rows.
    pub(super) first: usize,
    pub(super) n_head: usize,
    pub(super) d_head: usize,
    /// The factor of the product of a query and a key.
    pub(super) factor: f32,
}

/// Operations that are recorded, then submitted together.
pub(super) struct Work<'a> {
    gpu: &'a Rc<GpuDevice>,
    encoder: wgpu::CommandEncoder,
    /// Kept open between operations: beginning a pass costs more than a small operation.
    pass: Option<wgpu::ComputePass<'static>>,
    shapes: Scratch,
    shape_bytes: Vec<u8>,
    reads: Vec<(wgpu::Buffer, u64, u64)>,
    numbers_read: usize,
    /// Buffers written before the submission; they must not be reused until then.
    kept: Vec<Scratch>,
}

impl<'a> Work<'a> {
    /// An empty command list.
    pub(super) fn new(gpu: &'a Rc<GpuDevice>) -> Result<Self> {
        Ok(Self {
            encoder: gpu.encoder(),
            shapes: gpu.scratch((MOST * OF_UNIFORM) as u64)?,
            gpu,
            pass: None,
            shape_bytes: Vec::new(),
            reads: Vec::new(),
            numbers_read: 0,
            kept: Vec::new(),
        })
    }

    /// A buffer that contains `words` when the operations start.
    pub(super) fn upload<T: bytemuck::NoUninit>(&mut self, words: &[T]) -> Result<wgpu::Buffer> {
        let bytes = bytemuck::cast_slice(words);
        let scratch = self.gpu.scratch(bytes.len() as u64)?;
        self.gpu.write(&scratch.buffer, 0, bytes);
        Ok(self.keep(scratch))
    }

    /// A buffer for `numbers` numbers.
    pub(super) fn buffer(&mut self, numbers: usize) -> Result<wgpu::Buffer> {
        let scratch = self.gpu.scratch(bytes_of(numbers))?;
        Ok(self.keep(scratch))
    }

    fn keep(&mut self, scratch: Scratch) -> wgpu::Buffer {
        let buffer = scratch.buffer.clone();
        self.kept.push(scratch);
        buffer
    }

    /// Records `program` on `buffers` with `groups` workgroups.
    fn run(&mut self, program: Program, shape: Shape, buffers: &[&wgpu::Buffer], groups: [usize; 3]) {
        let program = self.gpu.program(program);
        let offset = self.shape_bytes.len();
        self.shape_bytes.extend_from_slice(&shape.bytes());
        self.shape_bytes.resize(offset + OF_UNIFORM, 0);
        let uniform = wgpu::BufferBinding {
            buffer: &self.shapes.buffer,
            offset: offset as u64,
            size: std::num::NonZero::new(SHAPE as u64),
        };
        let mut entries = vec![wgpu::BindGroupEntry {
            binding: 0,
            resource: wgpu::BindingResource::Buffer(uniform),
        }];
        let bound = (1..).zip(buffers).map(|(binding, buffer)| wgpu::BindGroupEntry {
            binding,
            resource: buffer.as_entire_binding(),
        });
        entries.extend(bound);
        let group = self.gpu.bind(&program, &entries);
        let encoder = &mut self.encoder;
        let pass = self.pass.get_or_insert_with(|| {
            encoder
                .begin_compute_pass(&wgpu::ComputePassDescriptor::default())
                .forget_lifetime()
        });
        let [x, y, z] = groups.map(|count| count as u32);
        pass.set_pipeline(&program);
        pass.set_bind_group(0, &group, &[]);
        pass.dispatch_workgroups(x, y, z);
    }

    /// `y[first..] = f(x W + b)`, or `y += x W + b` where it `adds`, of `rows` rows.
    pub(super) fn product(
        &mut self,
        (x, rows): (&wgpu::Buffer, usize),
        matrix: &Matrix,
        bias: &wgpu::Buffer,
        (y, first): (&wgpu::Buffer, usize),
        then: Epilogue,
    ) {
        let (inner, outer) = (stride_of(matrix.inputs), stride_of(matrix.outputs));
        let tiles = |tile: super::wgsl::Tile| (outer / tile.columns as usize, rows.div_ceil(tile.rows as usize));
        let (across, down) = tiles(LARGE);
        let tile = if across * down >= LARGE_TILES { LARGE } else { SMALL };
        let (across, down) = tiles(tile);
        let program = Program::Product {
            tile,
            activation: match then {
                Epilogue::Activate(activation) => Some(activation),
                Epilogue::Store | Epilogue::Add => None,
            },
            adds: matches!(then, Epilogue::Add),
        };
        let shape = Shape {
            rows,
            inner,
            outer,
            first,
            ..Shape::default()
        };
        self.run(program, shape, &[x, matrix.buffer(), bias, y], [across, down, 1]);
    }

    /// LayerNorm of `rows` rows of `width` numbers, with `affine` (weights, then biases), and scales that are `edited`.
    pub(super) fn norm(
        &mut self,
        x: &wgpu::Buffer,
        (rows, width): (usize, usize),
        (affine, eps): (&wgpu::Buffer, f64),
        edited: &wgpu::Buffer,
        (normalized, scales): (&wgpu::Buffer, &wgpu::Buffer),
    ) {
        let shape = Shape {
            rows,
            inner: stride_of(width),
            width,
            number: eps as f32,
            ..Shape::default()
        };
        self.run(
            Program::Norm,
            shape,
            &[x, affine, edited, normalized, scales],
            [rows, 1, 1],
        );
    }

    /// `z` of all heads: attention to the rows `attended[starts[row]..starts[row + 1]]`.
    pub(super) fn attention(
        &mut self,
        qkv: &wgpu::Buffer,
        (starts, attended): (&wgpu::Buffer, &wgpu::Buffer),
        z: &wgpu::Buffer,
        of: &AttentionShape,
    ) {
        let width = of.n_head * of.d_head;
        let shape = Shape {
            rows: of.rows,
            inner: stride_of(3 * width),
            outer: stride_of(width),
            first: of.first,
            heads: of.n_head,
            width,
            number: of.factor,
        };
        let program = Program::Attention {
            d_head: of.d_head as u32,
        };
        self.run(program, shape, &[qkv, starts, attended, z], [of.rows, of.n_head, 1]);
    }

    /// The outputs of `heads` heads of width `d_head` at `rows` rows; `listed` holds the rows, then the heads.
    pub(super) fn results(
        &mut self,
        z: &wgpu::Buffer,
        w_o: &Matrix,
        listed: &wgpu::Buffer,
        (rows, heads, d_head): (usize, usize, usize),
        results: &wgpu::Buffer,
    ) {
        let outer = stride_of(w_o.outputs);
        let shape = Shape {
            rows,
            inner: stride_of(w_o.inputs),
            outer,
            heads,
            width: d_head,
            ..Shape::default()
        };
        let groups = [outer / super::wgsl::TILE, rows, heads];
        self.run(Program::Results, shape, &[z, w_o.buffer(), listed, results], groups);
    }

    /// `y += x`, of `rows` rows of `width` numbers.
    pub(super) fn add(&mut self, x: &wgpu::Buffer, y: &wgpu::Buffer, (rows, width): (usize, usize)) {
        let inner = stride_of(width);
        let shape = Shape {
            rows,
            inner,
            ..Shape::default()
        };
        self.run(Program::Add, shape, &[x, y], [inner / super::wgsl::TILE, rows, 1]);
    }

    /// Copies `values` to `to` from index `at`, after all operations so far.
    pub(super) fn put(&mut self, values: &[f32], to: &wgpu::Buffer, at: usize) -> Result<()> {
        let from = self.upload(values)?;
        self.pass = None;
        self.encoder
            .copy_buffer_to_buffer(&from, 0, to, bytes_of(at), bytes_of(values.len()));
        Ok(())
    }

    /// What `rows` rows of `width` numbers in `buffer` are now, for as long as the work goes on.
    pub(super) fn snapshot(&mut self, buffer: &wgpu::Buffer, rows: usize, width: usize) -> Result<wgpu::Buffer> {
        let numbers = rows * stride_of(width);
        let to = self.buffer(numbers)?;
        self.pass = None;
        self.encoder.copy_buffer_to_buffer(buffer, 0, &to, 0, bytes_of(numbers));
        Ok(to)
    }

    /// Bytes that are read back so far.
    pub(super) fn bytes_read(&self) -> u64 {
        bytes_of(self.numbers_read)
    }

    /// The `rows` of `buffer`, ascending, `width` numbers each, are read back as they are in the end.
    pub(super) fn read_some(&mut self, buffer: &wgpu::Buffer, rows: &[usize], width: usize) -> Reading {
        let (at, stride) = (self.numbers_read, stride_of(width));
        for run in rows.chunk_by(|row, next| row + 1 == *next) {
            self.read(buffer, (run[0], run.len()), width);
        }
        Reading {
            at,
            rows: rows.len(),
            width,
            stride,
        }
    }

    /// Rows `first..first + rows` of `buffer`, `width` numbers each, are read back as they are in the end.
    pub(super) fn read(&mut self, buffer: &wgpu::Buffer, (first, rows): (usize, usize), width: usize) -> Reading {
        self.read_rows(buffer, first, rows, width, stride_of(width))
    }

    /// Reads back the first `count` numbers of `buffer`.
    pub(super) fn read_numbers(&mut self, buffer: &wgpu::Buffer, count: usize) -> Reading {
        self.read_rows(buffer, 0, 1, count, count)
    }

    fn read_rows(&mut self, buffer: &wgpu::Buffer, first: usize, rows: usize, width: usize, stride: usize) -> Reading {
        self.reads
            .push((buffer.clone(), bytes_of(first * stride), bytes_of(rows * stride)));
        let at = self.numbers_read;
        self.numbers_read += rows * stride;
        Reading {
            at,
            rows,
            width,
            stride,
        }
    }

    /// Submits all operations and returns the data that is read back.
    pub(super) async fn done(self) -> Result<Vec<f32>> {
        Ok(self.so_far().await?.0)
    }

    /// Submits the operations so far; returns the data that is read back, and a command list that continues with the
    /// same buffers.
    pub(super) async fn so_far(mut self) -> Result<(Vec<f32>, Self)> {
        self.pass = None;
        self.gpu.write(&self.shapes.buffer, 0, &self.shape_bytes);
        let bytes = bytes_of(self.numbers_read);
        let staging = self.gpu.staging(bytes)?;
        let mut to = 0;
        for (buffer, from, bytes) in self.reads.drain(..) {
            self.encoder
                .copy_buffer_to_buffer(&buffer, from, &staging.buffer, to, bytes);
            to += bytes;
        }
        self.gpu
            .submit(std::mem::replace(&mut self.encoder, self.gpu.encoder()));
        self.numbers_read = 0;
        self.shape_bytes.clear();
        let all = self.gpu.read(&staging, bytes).await?;
        Ok((all, self))
    }
}

impl Matrix {
    /// The elements in `rows` and `columns`, in row order.
    pub(super) async fn elements(
        &self,
        gpu: &Rc<GpuDevice>,
        rows: Range<usize>,
        columns: Range<usize>,
    ) -> Result<Vec<f32>> {
        let mut work = Work::new(gpu)?;
        let reading = work.read(self.buffer(), (rows.start, rows.len()), self.outputs);
        let rows = reading.of(&work.done().await?);
        let of_row = |row: &[f32]| row[columns.clone()].to_vec();
        Ok(rows.chunks_exact(self.outputs).flat_map(of_row).collect())
    }
}

/// The use of a product's result.
#[derive(Debug, Clone, Copy)]
pub(super) enum Epilogue {
    /// The result replaces the output.
    Store,
    /// An activation function of it replaces the output.
    Activate(Activation),
    /// The result is added to the output.
    Add,
}
