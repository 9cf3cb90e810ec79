//! The WGSL source of the shaders.
//!
//! Rows of activations and weights are padded with zeros to a multiple of [`TILE`]: all reads are of four numbers, and
//! no product checks the end of a matrix.

use std::fmt::Write;

use crate::model::Activation;

/// Padded widths are multiples of this.
pub(super) const TILE: usize = 64;

/// Threads per workgroup.
const THREADS: u32 = 64;

/// The tile of a product: `rows` by `columns`, `depth` of the inner dimension at a time; each thread computes
/// `of_thread` of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Tile {
    pub(super) rows: u32,
    pub(super) columns: u32,
    depth: u32,
    of_thread: (u32, u32),
}

/// For many rows: 31 TFLOP/s for [20480, 768] x [768, 3072] on an H200, where cuBLAS reaches 48.
pub(super) const LARGE: Tile = Tile {
    rows: 64,
    columns: 64,
    depth: 16,
    of_thread: (8, 8),
};

/// For few rows, whose large tiles would leave most of the GPU idle.
pub(super) const SMALL: Tile = Tile {
    rows: 32,
    columns: 32,
    depth: 16,
    of_thread: (4, 4),
};

/// The shaders.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Program {
    /// `y = f(x W + b)`, or `y += x W + b`.
    Product {
        tile: Tile,
        activation: Option<Activation>,
        adds: bool,
    },
    /// LayerNorm of each row.
    Norm,
    /// Attention of each row and head to the listed rows.
    Attention { d_head: u32 },
    /// The outputs of single heads.
    Results,
    /// `y += x`.
    Add,
}

impl Program {
    /// The WGSL source.
    pub(super) fn text(self) -> String {
        match self {
            Self::Product { tile, activation, adds } => product(tile, activation, adds),
            Self::Norm => format!("{SHAPE}{NORM}"),
            Self::Attention { d_head } => attention(d_head),
            Self::Results => format!("{SHAPE}{RESULTS}"),
            Self::Add => format!("{SHAPE}{ADD}"),
        }
    }
}

const LANES: [&str; 4] = ["x", "y", "z", "w"];

/// A product with unrolled loops and its sums in separate variables: sums in an array that is indexed in loops run at a
/// twelfth of the speed.
fn product(tile: Tile, activation: Option<Activation>, adds: bool) -> String {
    let Tile {
        rows,
        columns,
        depth,
        of_thread: (height, width),
    } = tile;
    let (across, down) = (columns / width, rows / height);
    let threads = across * down;
    let (rows_4, columns_4, depth_4) = (rows / 4, columns / 4, depth / 4);
    let mut text = String::from(SHAPE);
    if let Some(activation) = activation {
        text.push_str(EXP);
        text.push_str(function(activation));
    }
    let mut line = |parts: std::fmt::Arguments<'_>| {
        // Writing to a string can't fail.
        let _ = text.write_fmt(parts);
        text.push('\n');
    };
    line(format_args!(
        "@group(0) @binding(1) var<storage, read> a: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read> b: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read> bias: array<vec4<f32>>;
@group(0) @binding(4) var<storage, read_write> c: array<vec4<f32>>;
var<workgroup> some_a: array<vec4<f32>, {}>;
var<workgroup> some_b: array<vec4<f32>, {}>;
@compute @workgroup_size({threads})
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) thread: u32) {{
let row_0 = group.y * {rows}u; let column_0 = group.x * {columns}u;
let x = thread % {across}u; let y = thread / {across}u;",
        depth * rows_4,
        depth * columns_4
    ));
    for i in 0..height {
        for j in 0..width / 4 {
            line(format_args!("var c{i}_{j} = vec4<f32>(0.0);"));
        }
    }
    line(format_args!("for (var k = 0u; k < s.inner; k += {depth}u) {{"));
    // Four rows by four columns of a each, transposed during the copy.
    let pieces = rows_4 * depth_4;
    for first in (0..pieces).step_by(threads as usize) {
        line(format_args!(
            "{{ let i = thread + {first}u; if (i < {pieces}u) {{ let r = (i / {depth_4}u) * 4u; let q = i % {depth_4}u;"
        ));
        for r in 0..4 {
            line(format_args!(
                "let v{r} = a[(min(row_0 + r + {r}u, s.rows - 1u) * s.inner + k) / 4u + q];"
            ));
        }
        for (n, lane) in LANES.iter().enumerate() {
            line(format_args!(
                "some_a[(q * 4u + {n}u) * {rows_4}u + r / 4u] = vec4<f32>(v0.{lane}, v1.{lane}, v2.{lane}, v3.{lane});"
            ));
        }
        line(format_args!("}} }}"));
    }
    let pieces = depth * columns_4;
    for first in (0..pieces).step_by(threads as usize) {
        line(format_args!(
            "{{ let i = thread + {first}u; if (i < {pieces}u) {{ let r = i / {columns_4}u; let q = i % {columns_4}u;
some_b[i] = b[((k + r) * s.outer + column_0) / 4u + q]; }} }}"
        ));
    }
    line(format_args!(
        "workgroupBarrier();\nfor (var kk = 0u; kk < {depth}u; kk++) {{"
    ));
    for i in 0..height / 4 {
        line(format_args!("let a{i} = some_a[kk * {rows_4}u + y + {}u];", i * down));
    }
    for j in 0..width / 4 {
        line(format_args!(
            "let b{j} = some_b[kk * {columns_4}u + x + {}u];",
            j * across
        ));
    }
    for i in 0..height {
        for j in 0..width / 4 {
            let (four, lane) = (i / 4, LANES[(i % 4) as usize]);
            line(format_args!(
                "c{i}_{j} = fma(vec4<f32>(a{four}.{lane}), b{j}, c{i}_{j});"
            ));
        }
    }
    line(format_args!("}}\nworkgroupBarrier();\n}}"));
    for i in 0..height {
        line(format_args!(
            "{{ let r = row_0 + (y + {}u) * 4u + {}u; if (r < s.rows) {{",
            (i / 4) * down,
            i % 4
        ));
        for j in 0..width / 4 {
            line(format_args!(
                "{{ let q = column_0 / 4u + x + {}u; let at = (s.first + r) * (s.outer / 4u) + q; let v = c{i}_{j} + bias[q];",
                j * across
            ));
            match (activation, adds) {
                (Some(_), _) => line(format_args!("c[at] = activation(v); }}")),
                (None, true) => line(format_args!("c[at] = c[at] + v; }}")),
                (None, false) => line(format_args!("c[at] = v; }}")),
            }
        }
        line(format_args!("}} }}"));
    }
    text.push_str("}\n");
    text
}

/// The struct with the sizes of an operation.
const SHAPE: &str =
    "struct Shape { rows: u32, inner: u32, outer: u32, first: u32, heads: u32, width: u32, number: f32, pad: u32 };
@group(0) @binding(0) var<uniform> s: Shape;
";

/// `e^x` as in `kernel/functions.rs`: the precision of a GPU's own `exp` is not specified exactly.
const EXP: &str = "fn exp_4(wide: vec4<f32>) -> vec4<f32> {
let x = clamp(wide, vec4<f32>(-87.0), vec4<f32>(88.0));
let n = round(x * 1.4426950408889634);
let r = fma(n, vec4<f32>(2.1219444e-4), fma(n, vec4<f32>(-0.6933594), x));
var p = vec4<f32>(1.9875691e-4);
p = fma(p, r, vec4<f32>(1.3981999e-3));
p = fma(p, r, vec4<f32>(8.333452e-3));
p = fma(p, r, vec4<f32>(4.1665796e-2));
p = fma(p, r, vec4<f32>(0.16666665));
p = fma(p, r, vec4<f32>(0.5));
let of_rest = fma(p * r, r, r) + 1.0;
return of_rest * bitcast<vec4<f32>>((vec4<i32>(n) + 127) << vec4<u32>(23u));
}
";

/// An activation function as in `kernel/functions.rs`.
const fn function(activation: Activation) -> &'static str {
    match activation {
        Activation::GeluNew => {
            "fn activation(x: vec4<f32>) -> vec4<f32> {
return x / (exp_4(x * -1.5957692 * fma(x * x, vec4<f32>(0.044715), vec4<f32>(1.0))) + 1.0);
}
"
        }
        Activation::Gelu => {
            "fn activation(x: vec4<f32>) -> vec4<f32> {
let z = abs(x) * 0.70710678;
let t = 1.0 / fma(z, vec4<f32>(0.5), vec4<f32>(1.0));
var p = vec4<f32>(0.17087277);
p = fma(p, t, vec4<f32>(-0.8221522));
p = fma(p, t, vec4<f32>(1.4885159));
p = fma(p, t, vec4<f32>(-1.135204));
p = fma(p, t, vec4<f32>(0.27886807));
p = fma(p, t, vec4<f32>(-0.18628806));
p = fma(p, t, vec4<f32>(0.09678418));
p = fma(p, t, vec4<f32>(0.37409196));
p = fma(p, t, vec4<f32>(1.0000237));
p = fma(p, t, vec4<f32>(-1.2655122));
let complement = t * exp_4(p - z * z);
return x * select(2.0 - complement, complement, x < vec4<f32>(0.0)) * 0.5;
}
"
        }
        Activation::Relu => {
            "fn activation(x: vec4<f32>) -> vec4<f32> { return max(x, vec4<f32>(0.0)); }
"
        }
        Activation::Silu => {
            "fn activation(x: vec4<f32>) -> vec4<f32> { return x / (exp_4(-x) + 1.0); }
"
        }
    }
}

/// LayerNorm over the first `width` of the `inner` numbers of each row. The rounding error of the mean in f32 is
/// corrected by subtracting the mean of the centered values. An edited scale comes with the flag 1.
const NORM: &str = "@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read> affine: array<f32>;
@group(0) @binding(3) var<storage, read> edited: array<vec2<f32>>;
@group(0) @binding(4) var<storage, read_write> normalized: array<f32>;
@group(0) @binding(5) var<storage, read_write> scales: array<f32>;
var<workgroup> parts: array<f32, 64>;
fn total(thread: u32, part: f32) -> f32 {
workgroupBarrier();
parts[thread] = part;
workgroupBarrier();
for (var stride = 32u; stride > 0u; stride = stride / 2u) {
if (thread < stride) { parts[thread] += parts[thread + stride]; }
workgroupBarrier();
}
return parts[0];
}
@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) thread: u32) {
let row = group.x;
let at = row * s.inner;
let count = f32(s.width);
var sum = 0.0;
for (var i = thread; i < s.width; i += 64u) { sum += x[at + i]; }
let high = total(thread, sum) / count;
sum = 0.0;
for (var i = thread; i < s.width; i += 64u) { sum += x[at + i] - high; }
let low = total(thread, sum) / count;
sum = 0.0;
for (var i = thread; i < s.width; i += 64u) { let v = x[at + i] - high - low; sum += v * v; }
var scale = sqrt(total(thread, sum) / count + s.number);
if (edited[row].x > 0.0) { scale = edited[row].y; }
if (thread == 0u) { scales[row] = scale; }
for (var i = thread; i < s.inner; i += 64u) {
var v = 0.0;
if (i < s.width) { v = (x[at + i] - high - low) / scale * affine[i] + affine[s.inner + i]; }
normalized[at + i] = v;
}
}
";

/// Attention of a row in a head, 64 of the attended rows at a time; `number` is the factor of the products of queries
/// and keys.
fn attention(d_head: u32) -> String {
    let each = d_head.div_ceil(THREADS);
    let sums: String = (0..each).map(|i| format!("var z{i} = 0.0;\n")).collect();
    let of_dimension = |i: u32| format!("let d{i} = thread + {}u; ", i * THREADS);
    let scaled: String = (0..each).map(|i| format!("z{i} = z{i} * kept;\n")).collect();
    let added: String = (0..each)
        .map(|i| {
            let dimension = of_dimension(i);
            format!("{{ {dimension} if (d{i} < {d_head}u) {{ z{i} += p * qkv[value + d{i}]; }} }}\n")
        })
        .collect();
    let written: String = (0..each)
        .map(|i| {
            let dimension = of_dimension(i);
            format!("{{ {dimension} if (d{i} < {d_head}u) {{ z[to + d{i}] = z{i} / sum; }} }}\n")
        })
        .collect();
    format!(
        "{SHAPE}@group(0) @binding(1) var<storage, read> qkv: array<f32>;
@group(0) @binding(2) var<storage, read> starts: array<u32>;
@group(0) @binding(3) var<storage, read> attended: array<u32>;
@group(0) @binding(4) var<storage, read_write> z: array<f32>;
var<workgroup> query: array<f32, {d_head}>;
var<workgroup> weights: array<f32, 64>;
var<workgroup> parts: array<f32, 64>;
@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) thread: u32) {{
let row = group.x;
let head = group.y;
let own = (s.first + row) * s.inner + head * {d_head}u;
for (var i = thread; i < {d_head}u; i += 64u) {{ query[i] = qkv[own + i]; }}
workgroupBarrier();
let first = starts[row];
let end = starts[row + 1u];
var most = -3.0e38;
var sum = 0.0;
{sums}for (var start = first; start < end; start += 64u) {{
let here = min(64u, end - start);
var score = -3.0e38;
if (thread < here) {{
let key = attended[start + thread] * s.inner + s.width + head * {d_head}u;
var dot = 0.0;
for (var i = 0u; i < {d_head}u; i++) {{ dot = fma(query[i], qkv[key + i], dot); }}
score = dot * s.number;
}}
parts[thread] = score;
workgroupBarrier();
for (var stride = 32u; stride > 0u; stride = stride / 2u) {{
if (thread < stride) {{ parts[thread] = max(parts[thread], parts[thread + stride]); }}
workgroupBarrier();
}}
let largest = max(most, parts[0]);
workgroupBarrier();
let kept = exp(most - largest);
most = largest;
let weight = select(0.0, exp(score - largest), thread < here);
weights[thread] = weight;
parts[thread] = weight;
workgroupBarrier();
for (var stride = 32u; stride > 0u; stride = stride / 2u) {{
if (thread < stride) {{ parts[thread] += parts[thread + stride]; }}
workgroupBarrier();
}}
sum = sum * kept + parts[0];
{scaled}for (var j = 0u; j < here; j++) {{
let p = weights[j];
let value = attended[start + j] * s.inner + 2u * s.width + head * {d_head}u;
{added}}}
workgroupBarrier();
}}
let to = row * s.outer + head * {d_head}u;
{written}if (head == 0u) {{
for (var i = s.width + thread; i < s.outer; i += 64u) {{ z[row * s.outer + i] = 0.0; }}
}}
}}
"
    )
}

/// The outputs of heads: `[listed rows, listed heads, outer]`, where `width` is the width of a head.
const RESULTS: &str = "@group(0) @binding(1) var<storage, read> z: array<f32>;
@group(0) @binding(2) var<storage, read> w_o: array<f32>;
@group(0) @binding(3) var<storage, read> listed: array<u32>;
@group(0) @binding(4) var<storage, read_write> results: array<f32>;
@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) thread: u32) {
let column = group.x * 64u + thread;
let row = listed[group.y];
let head = listed[s.rows + group.z];
var sum = 0.0;
for (var i = 0u; i < s.width; i++) {
sum = fma(z[row * s.inner + head * s.width + i], w_o[(head * s.width + i) * s.outer + column], sum);
}
results[(group.y * s.heads + group.z) * s.outer + column] = sum;
}
";

/// The sum, row by row.
const ADD: &str = "@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read_write> y: array<f32>;
@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) thread: u32) {
let at = group.y * s.inner + group.x * 64u + thread;
y[at] = y[at] + x[at];
}
";
