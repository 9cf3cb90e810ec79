//! The exports of the WebAssembly module for `scripts/page/kernel.js`: operations on addresses in its memory.
//!
//! Addresses are of `f32` unless noted otherwise, sizes are counts of them; address 0 means absent. An operation
//! returns 0, or 1 if a thread was lost on the way (the result is complete anyway).

use core::panic::PanicInfo;
use core::slice;
use core::sync::atomic::AtomicU32;

use super::attention::Attention;
use super::functions::Function;
use super::norm::Norm;
use super::operations::{self, Input, Linear};
use super::output::Output;
use super::pack;
use super::phase::Phase;
use super::product::Matrix;
use super::team::{Lost, Sleep, Team};

#[panic_handler]
fn stop(_: &PanicInfo<'_>) -> ! {
    core::arch::wasm32::unreachable()
}

/// With shared memory, threads sleep by JavaScript's `Atomics`, because stable Rust does not expose the instructions.
struct Threads;

#[cfg(kernel_threads)]
mod host {
    #[link(wasm_import_module = "host")]
    unsafe extern "C" {
        pub(super) fn sleep(word: *const u32, value: u32, milliseconds: i32);
        pub(super) fn wake(word: *const u32);
    }
}

#[cfg(kernel_threads)]
impl Sleep for Threads {
    /// 2 s; a piece of work takes milliseconds.
    const MAX_IDLE_SLEEPS: Option<u32> = Some(8);

    fn sleep(word: &AtomicU32, value: u32, milliseconds: i32) {
        // SAFETY: `Atomics.wait` on a word of this memory.
        unsafe { host::sleep(word.as_ptr(), value, milliseconds) }
    }

    fn wake(word: &AtomicU32) {
        // SAFETY: `Atomics.notify` on a word of this memory.
        unsafe { host::wake(word.as_ptr()) }
    }
}

/// Without shared memory there are no other threads.
#[cfg(not(kernel_threads))]
impl Sleep for Threads {
    const MAX_IDLE_SLEEPS: Option<u32> = None;

    fn sleep(_: &AtomicU32, _: u32, _: i32) {}
    fn wake(_: &AtomicU32) {}
}

/// The numbers at `at`.
///
/// # Safety
/// They are within memory that the host has allocated, which it neither frees nor writes during a call, and which no
/// other argument of the call may write.
unsafe fn floats<'a>(at: usize, len: usize) -> &'a [f32] {
    // SAFETY: guaranteed by the caller. Every bit pattern is a valid f32.
    unsafe { slice::from_raw_parts(at as *const f32, len) }
}

/// The numbers at `at`, for writing.
///
/// # Safety
/// As for [`floats`], and nothing else in the call overlaps them.
unsafe fn floats_mut<'a>(at: usize, len: usize) -> &'a mut [f32] {
    // SAFETY: guaranteed by the caller.
    unsafe { slice::from_raw_parts_mut(at as *mut f32, len) }
}

/// The numbers at `at`, if it is not 0.
///
/// # Safety
/// As for [`floats`].
unsafe fn optional<'a>(at: usize, len: usize) -> Option<&'a [f32]> {
    // SAFETY: guaranteed by the caller.
    (at != 0).then(|| unsafe { floats(at, len) })
}

/// The team at `at`.
///
/// # Safety
/// The host has allocated `team_size` bytes there, zeroed them before the first use, and never frees them.
unsafe fn team<'a>(at: usize) -> &'a Team {
    // SAFETY: guaranteed by the caller; all zeros is a valid team, and all of its fields are atomic.
    unsafe { &*(at as *const Team) }
}

/// A LayerNorm; without affine part if `weight` is 0, and None if `eps` is negative.
///
/// # Safety
/// As for [`floats`].
unsafe fn norm<'a>(eps: f64, weight: usize, bias: usize, width: usize) -> Option<Norm<'a>> {
    if eps < 0.0 {
        return None;
    }
    // SAFETY: guaranteed by the caller.
    let affine = unsafe { optional(weight, width).zip(optional(bias, width)) };
    Some(Norm { eps, affine })
}

fn function(number: usize) -> Function {
    match number {
        1 => Function::GeluNew,
        2 => Function::Gelu,
        3 => Function::Relu,
        4 => Function::Silu,
        _ => Function::Identity,
    }
}

fn status(result: Result<(), Lost>) -> usize {
    usize::from(result.is_err())
}

/// Size of a team in bytes.
#[unsafe(no_mangle)]
extern "C" fn team_size() -> usize {
    size_of::<Team>()
}

/// Works for the team until crew number `crew` is dismissed. Called by the other threads.
#[cfg(kernel_threads)]
#[unsafe(no_mangle)]
extern "C" fn serve(team_address: usize, crew: u32) {
    // SAFETY: the host passes the team's address.
    unsafe { team(team_address) }.serve::<Threads>(crew);
}

/// The number of the current crew, which new threads have to join.
#[cfg(kernel_threads)]
#[unsafe(no_mangle)]
extern "C" fn crew(team_address: usize) -> u32 {
    // SAFETY: the host passes the team's address.
    unsafe { team(team_address) }.crew()
}

/// Number of threads that have joined.
#[cfg(kernel_threads)]
#[unsafe(no_mangle)]
extern "C" fn present(team_address: usize) -> u32 {
    // SAFETY: the host passes the team's address.
    unsafe { team(team_address) }.present()
}

/// Dismisses the threads; returns the number of the next crew.
#[cfg(kernel_threads)]
#[unsafe(no_mangle)]
extern "C" fn dismiss(team_address: usize) -> u32 {
    // SAFETY: the host passes the team's address.
    unsafe { team(team_address) }.dismiss::<Threads>()
}

/// Number of `f32`s of a packed matrix.
#[unsafe(no_mangle)]
extern "C" fn matrix_len(rows: usize, columns: usize) -> usize {
    pack::matrix_len(rows, columns)
}

/// Number of `f32`s of scratch memory for an operation on `rows` rows; `hidden` is 0 for a single product.
#[unsafe(no_mangle)]
extern "C" fn work_len(rows: usize, width: usize, hidden: usize) -> usize {
    operations::work_len(rows, &[width, hidden])
}

/// Packs `count` rows `[count, columns]` of a matrix with `rows` rows, starting at row `first`.
#[unsafe(no_mangle)]
extern "C" fn pack_matrix(values: usize, count: usize, columns: usize, rows: usize, first: usize, packed: usize) {
    // SAFETY: the host passes memory areas of these sizes that do not overlap.
    unsafe {
        let packed = floats_mut(packed, pack::matrix_len(rows, columns));
        pack::pack_matrix(floats(values, count * columns), columns, rows, first, packed);
    }
}

/// `function(norm(x) matrix + bias) + residual`, with `width` rows of the matrix starting at `first_row`, and `columns`
/// of its columns starting at `first_column`.
#[unsafe(no_mangle)]
extern "C" fn product(
    team_address: usize,
    x: usize,
    rows: usize,
    width: usize,
    eps: f64,
    norm_weight: usize,
    norm_bias: usize,
    matrix: usize,
    all_rows: usize,
    all_columns: usize,
    first_row: usize,
    first_column: usize,
    columns: usize,
    bias: usize,
    activation: usize,
    residual: usize,
    work: usize,
    out: usize,
) -> usize {
    // SAFETY: the host passes memory areas of these sizes; `work` and `out` overlap nothing.
    unsafe {
        let input = Input {
            x: floats(x, rows * width),
            rows,
            width,
            norm: norm(eps, norm_weight, norm_bias, width),
        };
        let linear = Linear {
            matrix: Matrix {
                packed: floats(matrix, pack::matrix_len(all_rows, all_columns)),
                all_rows,
                first_row,
                first_column,
                columns,
            },
            bias: optional(bias, columns),
            function: function(activation),
        };
        let residual = optional(residual, rows * columns);
        let work = floats_mut(work, operations::work_len(rows, &[width]));
        let out = floats_mut(out, rows * columns);
        status(operations::product::<Threads>(
            team(team_address),
            input,
            linear,
            residual,
            work,
            out,
        ))
    }
}

/// `activation(norm(x) w_in + b_in) w_out + b_out + residual`.
#[unsafe(no_mangle)]
extern "C" fn mlp(
    team_address: usize,
    x: usize,
    rows: usize,
    width: usize,
    eps: f64,
    norm_weight: usize,
    norm_bias: usize,
    w_in: usize,
    hidden: usize,
    b_in: usize,
    activation: usize,
    w_out: usize,
    columns: usize,
    b_out: usize,
    residual: usize,
    work: usize,
    out: usize,
) -> usize {
    // SAFETY: the host passes memory areas of these sizes; `work` and `out` overlap nothing.
    unsafe {
        let input = Input {
            x: floats(x, rows * width),
            rows,
            width,
            norm: norm(eps, norm_weight, norm_bias, width),
        };
        let linear = |matrix, rows, columns, bias, number| Linear {
            matrix: Matrix {
                packed: floats(matrix, pack::matrix_len(rows, columns)),
                all_rows: rows,
                first_row: 0,
                first_column: 0,
                columns,
            },
            bias: optional(bias, columns),
            function: function(number),
        };
        let both = [
            linear(w_in, width, hidden, b_in, activation),
            linear(w_out, hidden, columns, b_out, 0),
        ];
        let residual = optional(residual, rows * columns);
        let work = floats_mut(work, operations::work_len(rows, &[width, hidden]));
        let out = floats_mut(out, rows * columns);
        status(operations::mlp::<Threads>(
            team(team_address),
            input,
            both,
            residual,
            work,
            out,
        ))
    }
}

/// `z [rows, heads * d_head]` of the rows from `first` on, given queries, keys and values of `all_rows` rows; `parents`
/// are `u32`.
#[unsafe(no_mangle)]
extern "C" fn attention(
    team_address: usize,
    qkv: usize,
    parents: usize,
    all_rows: usize,
    first: usize,
    rows: usize,
    heads: usize,
    d_head: usize,
    factor: f32,
    z: usize,
) -> usize {
    let d = heads * d_head;
    // SAFETY: the host passes memory areas of these sizes; `z` overlaps nothing.
    let phase = unsafe {
        Phase::Attention(Attention {
            qkv: floats(qkv, all_rows * 3 * d),
            parents: slice::from_raw_parts(parents as *const u32, all_rows),
            first,
            rows,
            heads,
            d_head,
            factor,
            z: Output::new(floats_mut(z, rows * d)),
        })
    };
    // SAFETY: the host passes the team's address.
    status(unsafe { team(team_address) }.run::<Threads>(&phase))
}

/// LayerNorm of `x [rows, width]`.
#[unsafe(no_mangle)]
extern "C" fn layer_norm(
    team_address: usize,
    x: usize,
    rows: usize,
    width: usize,
    eps: f64,
    weight: usize,
    bias: usize,
    out: usize,
) -> usize {
    // SAFETY: the host passes memory areas of these sizes; `out` overlaps nothing.
    unsafe {
        let Some(norm) = norm(eps, weight, bias, width) else {
            return 0;
        };
        let phase = Phase::Norm {
            x: floats(x, rows * width),
            width,
            norm,
            out: Output::new(floats_mut(out, rows * width)),
        };
        status(team(team_address).run::<Threads>(&phase))
    }
}

/// Softmax of each of `rows` rows, in place.
#[unsafe(no_mangle)]
extern "C" fn softmax(team_address: usize, x: usize, rows: usize, width: usize) -> usize {
    // SAFETY: the host passes a memory area of this size.
    unsafe {
        let x = Output::new(floats_mut(x, rows * width));
        status(team(team_address).run::<Threads>(&Phase::Softmax { x, rows, width }))
    }
}
