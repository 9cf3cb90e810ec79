//! The kernels of `scripts/page/kernel.js` in the worker: matrix products in a WebAssembly module with a memory of its
//! own.

use std::cell::RefCell;
use std::ops::Range;

use js_sys::{Float32Array, Object, Reflect};
use wasm_bindgen::prelude::*;

use crate::error::{Error, ErrorKind, Result};
use crate::forward::{Kernels, Linear, TreeAttention, note_kernels};
use crate::model::Activation;
use crate::names::{EngineChoice, EngineName};

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(js_namespace = kernels, js_name = start, catch)]
    async fn start(relaxed: bool, threads: u32) -> std::result::Result<JsValue, JsValue>;
    #[wasm_bindgen(js_namespace = kernels, js_name = hasRelaxed)]
    fn has_relaxed() -> bool;
    #[wasm_bindgen(js_namespace = kernels, js_name = threadsByDefault)]
    fn threads_by_default() -> u32;

    type JsKernel;
    #[wasm_bindgen(method, getter, js_name = threads)]
    fn threads_now(this: &JsKernel) -> usize;
    #[wasm_bindgen(method, getter, js_name = bytes)]
    fn bytes_now(this: &JsKernel) -> f64;
    #[wasm_bindgen(method, catch)]
    fn matrix(this: &JsKernel, values: &[f32], rows: usize, columns: usize) -> std::result::Result<JsMatrix, JsValue>;
    #[wasm_bindgen(method, catch, js_name = elements)]
    fn elements_of(this: &JsKernel, matrix: &JsMatrix, part: &Object) -> std::result::Result<Float32Array, JsValue>;
    #[wasm_bindgen(method, catch, js_name = product)]
    fn one_product(
        this: &JsKernel,
        x: &[f32],
        matrix: &JsMatrix,
        options: &Object,
    ) -> std::result::Result<Float32Array, JsValue>;
    #[wasm_bindgen(method, catch)]
    fn mlp(
        this: &JsKernel,
        x: &[f32],
        first: &JsMatrix,
        second: &JsMatrix,
        options: &Object,
    ) -> std::result::Result<Float32Array, JsValue>;
    #[wasm_bindgen(method, catch, js_name = attention)]
    fn tree_attention(
        this: &JsKernel,
        qkv: &[f32],
        parents: &[u32],
        options: &Object,
    ) -> std::result::Result<Float32Array, JsValue>;
    #[wasm_bindgen(method)]
    fn close(this: &JsKernel);

    type JsMatrix;
    #[wasm_bindgen(method, catch, js_name = free)]
    fn give_back(this: &JsMatrix) -> std::result::Result<(), JsValue>;
}

/// Started kernels. Their threads end when this is dropped.
pub(super) struct WebKernels {
    js: JsKernel,
    name: EngineName,
    /// Matrices by index; None where one was freed.
    matrices: RefCell<Vec<Option<JsMatrix>>>,
}

impl WebKernels {
    /// Starts the kernels of `choice`: the ones with relaxed SIMD where the browser has it and no others are asked for.
    ///
    /// # Errors
    /// [`ErrorKind::Request`] where the browser lacks what they need, [`ErrorKind::Source`] where their files do not come.
    pub(super) async fn start(choice: EngineChoice) -> Result<Self> {
        let name = match choice.engine {
            Some(EngineName::Relaxed) if !has_relaxed() => {
                return Err(Error::new(
                    ErrorKind::Request,
                    "this browser has no relaxed SIMD, which the engine \"relaxed\" needs",
                )
                .advice("Choose another engine, or leave the choice to the page."));
            }
            Some(EngineName::Packed) => EngineName::Packed,
            _ if has_relaxed() => EngineName::Relaxed,
            _ => EngineName::Packed,
        };
        let threads = choice.threads.unwrap_or_else(threads_by_default);
        let started = start(name == EngineName::Relaxed, threads).await;
        let js = started
            .map_err(|cause| said(&cause, ErrorKind::Source))?
            .unchecked_into();
        Ok(Self {
            js,
            name,
            matrices: RefCell::default(),
        })
    }

    fn note_memory(&self) {
        note_kernels(self.js.bytes_now() as u64);
    }

    fn with<R>(&self, number: usize, work: impl FnOnce(&JsMatrix) -> Result<R>) -> Result<R> {
        match self.matrices.borrow().get(number) {
            Some(Some(matrix)) => work(matrix),
            _ => Err(Error::new(
                ErrorKind::Internal,
                "a matrix was used that is not there any more",
            )),
        }
    }
}

impl Drop for WebKernels {
    fn drop(&mut self) {
        self.js.close();
        note_kernels(0);
    }
}

impl Kernels for WebKernels {
    fn name(&self) -> EngineName {
        self.name
    }

    fn threads(&self) -> usize {
        self.js.threads_now()
    }

    fn pack(&self, values: &[f32], rows: usize, columns: usize) -> Result<usize> {
        let matrix = self.js.matrix(values, rows, columns).map_err(failed)?;
        self.note_memory();
        let mut matrices = self.matrices.borrow_mut();
        let number = matrices.iter().position(Option::is_none).unwrap_or(matrices.len());
        match matrices.get_mut(number) {
            Some(place) => *place = Some(matrix),
            None => matrices.push(Some(matrix)),
        }
        Ok(number)
    }

    fn free(&self, matrix: usize) {
        let taken = self.matrices.borrow_mut().get_mut(matrix).and_then(Option::take);
        if let Some(matrix) = taken {
            // A matrix is freed once.
            let _ = matrix.give_back();
        }
    }

    fn elements(&self, matrix: usize, rows: Range<usize>, columns: Range<usize>) -> Result<Vec<f32>> {
        self.with(matrix, |matrix| {
            let elements = self.js.elements_of(matrix, &part(&rows, &columns)).map_err(failed)?;
            Ok(elements.to_vec())
        })
    }

    fn product(&self, x: &[f32], linear: Linear<'_>, out: &mut Vec<f32>) -> Result<()> {
        self.with(linear.matrix, |matrix| {
            let options = Object::new();
            set(&options, "part", &part(&linear.inputs, &linear.outputs));
            set_then(&options, ["bias", "activation"], &linear);
            append(&self.js.one_product(x, matrix, &options).map_err(failed)?, out);
            Ok(())
        })
    }

    fn two_products(&self, x: &[f32], first: Linear<'_>, second: Linear<'_>, out: &mut Vec<f32>) -> Result<()> {
        self.with(first.matrix, |w_in| {
            self.with(second.matrix, |w_out| {
                let options = Object::new();
                set_then(&options, ["bIn", "activation"], &first);
                set_then(&options, ["bOut", "none"], &second);
                append(&self.js.mlp(x, w_in, w_out, &options).map_err(failed)?, out);
                Ok(())
            })
        })
    }

    fn attention(&self, attention: TreeAttention<'_>) -> Result<Vec<f32>> {
        let parents = attention.parents.iter();
        let parents: Vec<u32> = parents
            .map(|parent| parent.map_or(u32::MAX, |row| row as u32))
            .collect();
        let options = Object::new();
        for (name, value) in [
            ("first", attention.first as f64),
            ("heads", attention.n_head as f64),
            ("dHead", attention.d_head as f64),
            ("factor", f64::from(attention.factor)),
        ] {
            set(&options, name, &value.into());
        }
        let z = self
            .js
            .tree_attention(attention.qkv, &parents, &options)
            .map_err(failed)?;
        self.note_memory();
        Ok(z.to_vec())
    }
}

/// Appends the numbers of `view`, which is valid until the next call.
fn append(view: &Float32Array, out: &mut Vec<f32>) {
    let start = out.len();
    out.resize(start + view.length() as usize, 0.0);
    view.copy_to(&mut out[start..]);
}

fn part(rows: &Range<usize>, columns: &Range<usize>) -> Object {
    let part = Object::new();
    for (name, value) in [
        ("firstRow", rows.start),
        ("rows", rows.len()),
        ("firstColumn", columns.start),
        ("columns", columns.len()),
    ] {
        set(&part, name, &(value as f64).into());
    }
    part
}

/// Sets the bias and the activation of a product, where there are any.
fn set_then(options: &Object, [bias, activation]: [&str; 2], linear: &Linear<'_>) {
    if let Some(values) = linear.bias {
        set(options, bias, &Float32Array::from(values));
    }
    let function = linear.activation.map(|activation| match activation {
        Activation::GeluNew => "gelu_new",
        Activation::Gelu => "gelu",
        Activation::Relu => "relu",
        Activation::Silu => "silu",
    });
    if let Some(function) = function {
        set(options, activation, &function.into());
    }
}

fn set(object: &Object, name: &str, value: &JsValue) {
    // A plain object accepts every property.
    let _ = Reflect::set(object, &name.into(), value);
}

/// The error for an exception that `scripts/page/kernel.js` threw in an operation.
fn failed(cause: JsValue) -> Error {
    said(&cause, ErrorKind::Internal)
}

fn said(cause: &JsValue, otherwise: ErrorKind) -> Error {
    let text = |name: &str| {
        Reflect::get(cause, &name.into())
            .ok()
            .and_then(|value| value.as_string())
    };
    let message = text("message").unwrap_or_else(|| format!("{cause:?}"));
    match text("kind").as_deref() {
        Some("memory") => Error::new(ErrorKind::Memory, message).advice("Close other tabs, or choose a smaller model."),
        Some("unsupported") => Error::new(ErrorKind::Request, message),
        _ => Error::new(otherwise, message),
    }
}
