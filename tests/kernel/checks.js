// Runs in a worker of headless Chromium: every operation of one module against the same in f64, and threads that fail.
import { KernelError, startKernel } from "./kernel.js";

const NO_PARENT = 2 ** 32 - 1;

/** Numbers from -1 to 1, the same every time. */
function drawer(seed) {
  let state = seed;
  const next = () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
  return {
    upTo: (most) => Math.floor(next() * (most + 1)),
    numbers: (count, scale = 1) => Float32Array.from({ length: count }, () => scale * (2 * next() - 1)),
  };
}

/** The complementary error function: by its series, and by its continued fraction where that is good. */
function erfc(x) {
  if (x < 0) return 2 - erfc(-x);
  if (x < 2.5) {
    let [term, sum] = [x, x];
    for (let n = 1; n < 100; n++) {
      term *= (-x * x) / n;
      sum += term / (2 * n + 1);
    }
    return 1 - (2 / Math.sqrt(Math.PI)) * sum;
  }
  let fraction = 0;
  for (let n = 60; n > 0; n--) fraction = n / 2 / (x + fraction);
  return Math.exp(-x * x) / Math.sqrt(Math.PI) / (x + fraction);
}

const FUNCTIONS = {
  identity: (x) => x,
  gelu_new: (x) => 0.5 * x * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3))),
  gelu: (x) => 0.5 * x * erfc(-x / Math.SQRT2),
  relu: (x) => Math.max(x, 0),
  silu: (x) => x / (1 + Math.exp(-x)),
};
const NAMES = Object.keys(FUNCTIONS);

function normalized(x, width, norm) {
  if (!norm) return Float64Array.from(x);
  const out = new Float64Array(x.length);
  for (let row = 0; row < x.length; row += width) {
    const values = Float64Array.from(x.subarray(row, row + width));
    const mean = values.reduce((sum, v) => sum + v, 0) / width;
    const variance = values.reduce((sum, v) => sum + (v - mean) ** 2, 0) / width;
    values.forEach((v, at) => {
      out[row + at] = ((v - mean) / Math.sqrt(variance + norm.eps)) * (norm.weight?.[at] ?? 1) + (norm.bias?.[at] ?? 0);
    });
  }
  return out;
}

function product(x, w, k, n, bias, activation = "identity") {
  const out = new Float64Array((x.length / k) * n);
  out.forEach((_, index) => {
    const [row, column] = [Math.floor(index / n), index % n];
    let sum = bias?.[column] ?? 0;
    for (let at = 0; at < k; at++) sum += x[row * k + at] * w[at * n + column];
    out[index] = FUNCTIONS[activation](sum);
  });
  return out;
}

const plus = (a, b) => (b ? a.map((v, at) => v + b[at]) : a);

function close(found, expected, tolerance, what) {
  if (found.length !== expected.length) throw new Error(`${what}: ${found.length} numbers, not ${expected.length}`);
  for (let at = 0; at < found.length; at++) {
    if (!(Math.abs(found[at] - expected[at]) <= tolerance)) throw new Error(`${what}: number ${at} is ${found[at]}, not ${expected[at]}`);
  }
}

function equal(found, expected, what) {
  if (found !== expected) throw new Error(`${what}: ${found}, not ${expected}`);
}

function refused(kind, run) {
  try {
    run();
  } catch (error) {
    if (error instanceof KernelError && error.kind === kind) return;
    throw error;
  }
  throw new Error(`what is to be refused as "${kind}" was not`);
}

function products(kernel) {
  const draw = drawer(1);
  for (let round = 0; round < 80; round++) {
    const most = round % 20 === 0 ? [700, 40, 40] : round % 20 === 1 ? [60, 900, 300] : [30, 60, 60];
    const [m, k, n] = most.map((most) => Math.max(1, draw.upTo(most)));
    const rows = round % 7 === 0 ? 0 : m;
    const [x, w] = [draw.numbers(rows * k), draw.numbers(k * n)];
    const norm = [undefined, { eps: 1e-5 }, { eps: 1e-5, weight: draw.numbers(k), bias: draw.numbers(k) }][draw.upTo(2)];
    const bias = draw.upTo(1) ? draw.numbers(n) : undefined;
    const residual = draw.upTo(1) ? draw.numbers(rows * n) : undefined;
    const activation = NAMES[draw.upTo(4)];
    const matrix = kernel.matrix(w, k, n);
    const found = kernel.product(x, matrix, { norm, bias, residual, activation });
    const expected = plus(product(normalized(x, k, norm), w, k, n, bias, activation), residual);
    close(found, expected, 2e-6 * (k + 2), `round ${round}: [${rows}, ${k}] x [${k}, ${n}]`);
    matrix.free();
  }
}

function parts(kernel) {
  const draw = drawer(2);
  const [k, n, m] = [37, 53, 9];
  const w = draw.numbers(k * n);
  const matrix = kernel.matrix(w, k, n);
  for (let round = 0; round < 40; round++) {
    const part = { firstRow: draw.upTo(k - 1), firstColumn: draw.upTo(n - 1) };
    part.rows = 1 + draw.upTo(k - part.firstRow - 1);
    part.columns = 1 + draw.upTo(n - part.firstColumn - 1);
    const values = new Float32Array(part.rows * part.columns).map((_, at) => {
      const [row, column] = [Math.floor(at / part.columns), at % part.columns];
      return w[(part.firstRow + row) * n + part.firstColumn + column];
    });
    const x = draw.numbers(m * part.rows);
    close(kernel.product(x, matrix, { part }), product(x, values, part.rows, part.columns), 1e-4, JSON.stringify(part));
  }
  refused("size", () => kernel.product(draw.numbers(k), matrix, { part: { firstRow: 1 } }));
  matrix.free();
  refused("size", () => kernel.product(draw.numbers(k), matrix));
}

function mlps(kernel) {
  const draw = drawer(3);
  for (let round = 0; round < 30; round++) {
    const [m, d, hidden, n] = (round ? [30, 40, 90, 40] : [600, 12, 30, 12]).map((most) => 1 + draw.upTo(most));
    const [x, w, v] = [draw.numbers(m * d), draw.numbers(d * hidden), draw.numbers(hidden * n)];
    const [bIn, bOut, residual] = [draw.numbers(hidden), draw.numbers(n), draw.numbers(m * n)];
    const norm = { eps: 1e-5 };
    const activation = NAMES[draw.upTo(4)];
    const [wIn, wOut] = [kernel.matrix(w, d, hidden), kernel.matrix(v, hidden, n)];
    const found = kernel.mlp(x, wIn, wOut, { norm, bIn, activation, bOut, residual });
    const between = product(normalized(x, d, norm), w, d, hidden, bIn, activation);
    const expected = plus(product(between, v, hidden, n, bOut), residual);
    close(found, expected, 2e-6 * (hidden + 2) * 8, `round ${round}: [${m}, ${d}], ${hidden}, ${n}`);
    wIn.free();
    wOut.free();
  }
}

function attention(kernel) {
  const draw = drawer(4);
  for (let round = 0; round < 20; round++) {
    const rows = round ? draw.upTo(40) : 200;
    const [heads, dHead] = [1 + draw.upTo(3), 1 + draw.upTo(70)];
    const d = heads * dHead;
    const qkv = draw.numbers(rows * 3 * d, 3);
    const parents = Uint32Array.from({ length: rows }, (_, row) => (row === 0 || (round && draw.upTo(9) === 0) ? NO_PARENT : row - 1));
    const [first, factor] = [draw.upTo(rows), 1 / Math.sqrt(dHead)];
    const found = kernel.attention(qkv, parents, { first, heads, dHead, factor });
    const part = (row, which, head) => qkv.subarray((3 * row + which) * d + head * dHead).subarray(0, dHead);
    const expected = [];
    for (let row = first; row < rows; row++) {
      const attended = [];
      for (let at = row; at !== NO_PARENT; at = parents[at]) attended.push(at);
      for (let head = 0; head < heads; head++) {
        const query = part(row, 0, head);
        const e = attended.map((key) => Math.exp(factor * part(key, 1, head).reduce((sum, v, at) => sum + v * query[at], 0)));
        const total = e.reduce((sum, v) => sum + v, 0);
        for (let at = 0; at < dHead; at++) expected.push(attended.reduce((sum, value, index) => sum + e[index] * part(value, 2, head)[at], 0) / total);
      }
    }
    close(found, expected, 2e-5, `round ${round}: ${rows} rows`);
  }
  refused("size", () => kernel.attention(new Float32Array(3), Uint32Array.of(0), { heads: 1, dHead: 1, factor: 1 }));
}

function rest(kernel) {
  const draw = drawer(5);
  const width = 37;
  const x = draw.numbers(40 * width, 9);
  const norm = { eps: 1e-5, weight: draw.numbers(width), bias: draw.numbers(width) };
  close(kernel.layerNorm(x, width, norm), normalized(x, width, norm), 1e-5, "LayerNorm");
  const rows = Array.from({ length: 40 }, (_, row) => x.subarray(row * width, (row + 1) * width));
  const expected = rows.flatMap((row) => {
    const e = Array.from(row, Math.exp);
    const total = e.reduce((sum, v) => sum + v, 0);
    return e.map((v) => v / total);
  });
  close(kernel.softmax(x, width), expected, 1e-6, "softmax");
  // What is not a number shows in all that is computed from it.
  const nan = (values) => values.every((v) => Number.isNaN(v));
  const matrix = kernel.matrix(Float32Array.of(1, 2, 3, 4, 5, 6), 2, 3);
  for (const activation of NAMES) equal(nan(kernel.product(Float32Array.of(1, NaN), matrix, { activation })), true, activation);
  matrix.free();
  equal(nan(kernel.softmax(Float32Array.of(1, NaN, 3, 4, 5), 5)), true, "softmax of what is not a number");
}

function memory(kernel) {
  const draw = drawer(6);
  const [k, n] = [300, 500];
  kernel.release();
  const before = kernel.areas.bytes;
  const w = draw.numbers(k * n);
  const matrices = Array.from({ length: 10 }, () => kernel.matrix(w, k, n));
  matrices.forEach((matrix) => matrix.free());
  kernel.release();
  equal(kernel.areas.bytes, before, "bytes that are taken after all was given back");
  const size = kernel.bytes;
  Array.from({ length: 10 }, () => kernel.matrix(w, k, n)).forEach((matrix) => matrix.free());
  equal(kernel.bytes, size, "bytes of memory, the second time");
  const grow = kernel.memory.grow;
  kernel.memory.grow = () => {
    throw new RangeError("no more");
  };
  refused("memory", () => Array.from({ length: 1000 }, () => kernel.matrix(w, k, n)));
  kernel.memory.grow = grow;
  // What was there before goes on.
  rest(kernel);
}

/** Waits for a condition that another thread makes true. */
async function until(condition, what) {
  for (const start = performance.now(); !condition(); await new Promise((done) => setTimeout(done, 5))) {
    if (performance.now() - start > 20_000) throw new Error(what);
  }
}

/** Threads that end, that do not come, and that do not come back. */
async function threads(start, worker) {
  const kernel = await start(3, worker);
  await until(() => kernel.threads === 3, "the threads have not come");
  kernel.workers[0].terminate();
  products(kernel);
  kernel.close();
  equal(kernel.threads, 1, "threads of a kernel that is closed");
  products(kernel);

  const missing = await start(3, () => new Worker("./missing.js"));
  equal(missing.threads, 1, "threads that are not there");
  products(missing);

  const { Memory } = WebAssembly;
  WebAssembly.Memory = function (options) {
    if (options.shared) throw new RangeError("no room");
    return new Memory(options);
  };
  const names = [];
  const alone = await startKernel({
    load: async (name) => (names.push(name), (await fetch(`./${name}.wasm`)).arrayBuffer()),
    startThread: worker,
    threads: 3,
  });
  WebAssembly.Memory = Memory;
  equal(`${alone.threads} ${names}`, "1 kernel-relaxed", "threads where memory can't be shared");
  products(alone);

  let count = 0;
  const lossy = await start(3, () => (count++ ? worker() : new Worker("./dying-thread.js")));
  await until(() => lossy.threads === 3, "the threads have not come");
  await until(() => (products(lossy), count > 2), "nothing was lost");
  await until(() => lossy.threads === 2, "no thread has come in place of those that were ended");
  products(lossy);
  lossy.close();
}

self.onmessage = async ({ data: { name, threads: count } }) => {
  const worker = () => new Worker("./kernel-thread.js");
  const bytes = async () => (await fetch(`./${name}.wasm`)).arrayBuffer();
  const start = (threads, startThread) => startKernel({ load: bytes, startThread, threads });
  const tests = { products, parts, mlps, attention, rest, memory };
  const results = [];
  const run = async (what, test) => {
    try {
      await test();
      results.push({ what });
    } catch (error) {
      results.push({ what, error: `${error?.stack ?? error}` });
    }
  };
  await run("starts", async () => {
    const kernel = await start(count, worker);
    await until(() => kernel.threads === count, "the threads have not come");
    for (const [what, test] of Object.entries(tests)) await run(what, () => test(kernel));
    kernel.close();
  });
  if (count > 1) await run("threads", () => threads(start, worker));
  self.postMessage(results);
};
