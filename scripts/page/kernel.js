// The kernels (src/kernel, built by scripts/build-kernels.sh) for a worker: matrices are packed once into the module's memory;
// operations on them are synchronous and use all threads. Activations are copied in and out. Not for a window, in which
// blocking waits are not allowed.

/** Instructions whose support is tested: vector arithmetic; relaxed multiply-add with one rounding. A browser rejects a whole module for one unsupported instruction. */
const SIMD = [65, 1, 253, 15, 65, 1, 253, 15, 253, 228, 1];
const RELAXED = [65, 1, 253, 15, 65, 1, 253, 15, 65, 1, 253, 15, 253, 133, 2];
const PAGE = 65536;
const MOST_PAGES = 65536;
const STACK = 65536;
/** How long the start waits for threads; later ones still take part. */
const TIMEOUT = 3000;
const ALIGNED = 64;
/** The largest piece of a matrix that is copied in before it is packed, in numbers. */
const PIECE = 1 << 18;
const NO_PARENT = 2 ** 32 - 1;
/** In the order of the module's numbering. */
const ACTIVATIONS = ["identity", "gelu_new", "gelu", "relu", "silu"];

/** An error with a message of one sentence. `kind` is "unsupported", "memory" or "size". */
export class KernelError extends Error {
  constructor(kind, message) {
    super(message);
    this.name = "KernelError";
    this.kind = kind;
  }
}

const has = (instructions) =>
  WebAssembly.validate(
    new Uint8Array([
      0, 97, 115, 109, 1, 0, 0, 0, 1, 5, 1, 96, 0, 1, 123, 3, 2, 1, 0,
      10, instructions.length + 4, 1, instructions.length + 2, 0, ...instructions, 11,
    ]),
  );

/** The capabilities of this browser: `{ simd, relaxed, threads }`. */
export const support = () => ({
  simd: has(SIMD),
  relaxed: has(RELAXED),
  // Memory can be shared with another worker only in a cross-origin isolated page.
  threads: typeof SharedArrayBuffer === "function" && globalThis.crossOriginIsolated !== false,
});

/** The name of the module for `threads` threads, without ".wasm". Throws where the browser lacks SIMD. */
export function moduleFor(threads, { simd, relaxed } = support()) {
  if (!simd) throw new KernelError("unsupported", "This browser's WebAssembly has no SIMD, which computing needs: please use a browser of 2021 or later.");
  return `kernel-${relaxed ? "relaxed" : "simd"}${threads > 1 ? "-threads" : ""}`;
}

/** The default number of threads: that of the cores, at most 8; one where memory can't be shared. */
export const defaultThreads = () => (support().threads ? Math.min(globalThis.navigator?.hardwareConcurrency ?? 1, 8) : 1);

/** An allocator in growing memory. Addresses are multiples of 64. */
export class Areas {
  /** `memory` from the address `start` on. */
  constructor(memory, start) {
    this.memory = memory;
    this.end = align(start);
    /** Free areas `[start, end]` in ascending order; adjacent ones are merged. */
    this.free = [];
    /** Lengths of allocated areas by address. */
    this.taken = new Map();
  }

  /** Allocates `bytes`; returns the address. */
  take(bytes) {
    const length = Math.max(align(bytes), ALIGNED);
    // Best fit, so that large areas stay whole.
    const fits = this.free.filter(([start, end]) => end - start >= length);
    const best = fits.sort((a, b) => a[1] - a[0] - (b[1] - b[0]))[0];
    let start = best?.[0];
    if (best) {
      best[0] += length;
      if (best[0] === best[1]) this.free.splice(this.free.indexOf(best), 1);
    } else {
      start = this.extend(length);
    }
    this.taken.set(start, length);
    return start;
  }

  /** Allocates `length` bytes at the end of the memory, including a free area there. */
  extend(length) {
    const last = this.free.at(-1);
    const start = last?.[1] === this.end ? last[0] : this.end;
    const missing = start + length - this.memory.buffer.byteLength;
    if (missing > 0) {
      try {
        this.memory.grow(Math.ceil(missing / PAGE));
      } catch {
        throw new KernelError("memory", `There is no memory for ${megabytes(length)} more; ${megabytes(this.bytes)} are in use.`);
      }
    }
    if (start !== this.end) this.free.pop();
    this.end = start + length;
    return start;
  }

  /** Frees the area at `address`. */
  give(address) {
    const length = this.taken.get(address);
    if (length === undefined) throw new KernelError("size", `There is no area at ${address}.`);
    this.taken.delete(address);
    const after = this.free.findIndex(([start]) => start > address);
    const at = after < 0 ? this.free.length : after;
    const area = [address, address + length];
    const [before, next] = [this.free[at - 1], this.free[at]];
    const joinsBefore = before?.[1] === area[0];
    const joinsNext = next?.[0] === area[1];
    if (joinsBefore) area[0] = before[0];
    if (joinsNext) area[1] = next[1];
    this.free.splice(at - joinsBefore, joinsBefore + joinsNext, area);
  }

  /** Allocated bytes. */
  get bytes() {
    return [...this.taken.values()].reduce((sum, length) => sum + length, 0);
  }
}

const align = (bytes) => Math.ceil(bytes / ALIGNED) * ALIGNED;
const megabytes = (bytes) => `${Math.ceil(bytes / 1e6)} MB`;

function memoryOf(shared) {
  // Reserving addresses may fail where the address space is small.
  for (let maximum = MOST_PAGES; maximum > 2048; maximum /= 2) {
    try {
      return new WebAssembly.Memory({ initial: 16, maximum, shared });
    } catch {
      // Retry with less.
    }
  }
  return null;
}

/**
 * Starts the kernels: `load(name)` resolves to the bytes of a module; `startThread()` returns a new worker that runs kernel-thread.js.
 * Threads that do not start are left out.
 */
export async function startKernel({ load, startThread, threads = defaultThreads(), relaxed = true }) {
  const able = support();
  const wanted = able.threads ? Math.max(1, Math.floor(threads)) : 1;
  // Without shared memory there is one thread with unshared memory.
  const shared = wanted > 1 ? memoryOf(true) : null;
  const memory = shared ?? memoryOf(false);
  if (!memory) throw new KernelError("memory", "There is no memory to compute in.");
  const name = moduleFor(shared ? wanted : 1, { ...able, relaxed: able.relaxed && relaxed });
  const module = await WebAssembly.compile(await load(name));
  const kernel = new Kernel(module, memory, startThread);
  await kernel.begin();
  if (shared) await kernel.startThreads(wanted - 1);
  return kernel;
}

/** A matrix in the kernel's memory. */
class Matrix {
  constructor(kernel, at, rows, columns) {
    Object.assign(this, { kernel, at, rows, columns });
  }

  /** Frees the matrix. */
  free() {
    this.kernel.areas.give(this.at);
    this.at = 0;
  }
}

class Kernel {
  constructor(module, memory, startThread) {
    Object.assign(this, { module, memory, startThread, workers: [], activationArea: { at: 0, bytes: 0 } });
  }

  async begin() {
    const { memory } = this;
    // The memory may grow; a view of the old buffer keeps seeing these words.
    const words = memory.buffer instanceof ArrayBuffer ? null : new Int32Array(memory.buffer);
    const host = {
      sleep: (at, value, milliseconds) => Atomics.wait(words, at >>> 2, value, milliseconds < 0 ? Infinity : milliseconds),
      wake: (at) => Atomics.notify(words, at >>> 2),
    };
    this.exports = (await WebAssembly.instantiate(this.module, { env: { memory }, host })).exports;
    this.areas = new Areas(memory, this.exports.__heap_base.value);
    // New memory is zero, and zeros represent a team without threads.
    this.team = this.areas.take(this.exports.team_size());
  }

  /** Number of threads, including the calling one. */
  get threads() {
    return 1 + (this.exports.present?.(this.team) ?? 0);
  }

  /** Size of the kernel's memory in bytes. */
  get bytes() {
    return this.memory.buffer.byteLength;
  }

  /** Starts `count` threads, and waits until they are ready, have failed, or time out. */
  async startThreads(count) {
    const crew = this.exports.crew(this.team);
    const starts = Array.from({ length: count }, () => {
      return new Promise((come) => {
        try {
          // Stacks are not reused, since a terminated thread may go on for a while.
          const stack = this.areas.take(STACK) + STACK;
          const worker = this.startThread();
          this.workers.push(worker);
          worker.onmessage = come;
          worker.onerror = (event) => {
            event.preventDefault?.();
            come();
          };
          worker.postMessage({ module: this.module, memory: this.memory, stack, team: this.team, crew });
        } catch {
          come();
        }
      });
    });
    await Promise.race([Promise.all(starts), new Promise((done) => setTimeout(done, TIMEOUT))]);
  }

  /** Terminates all threads; the calling thread continues alone. */
  stopThreads() {
    if (this.workers.length) this.exports.dismiss(this.team);
    this.workers.splice(0).forEach((worker) => worker.terminate());
  }

  /** After a call in which a thread was lost: terminates the others, and starts a team with one thread less. */
  settle(status) {
    if (!status) return;
    const left = this.workers.length - 1;
    this.workers.splice(0).forEach((worker) => worker.terminate());
    this.startThreads(left);
  }

  /** Allocates a matrix and packs `values [rows, columns]` into it. */
  matrix(values, rows, columns) {
    size("the matrix", values.length, rows * columns);
    const at = this.areas.take(4 * this.exports.matrix_len(rows, columns));
    const matrix = new Matrix(this, at, rows, columns);
    try {
      const rowsAtOnce = Math.max(1, Math.floor(PIECE / Math.max(columns, 1)));
      for (let first = 0; first < rows && columns; first += rowsAtOnce) {
        const count = Math.min(rowsAtOnce, rows - first);
        const [piece] = this.place([values.subarray(first * columns, (first + count) * columns)]);
        this.exports.pack_matrix(piece, count, columns, rows, first, at);
      }
    } catch (error) {
      matrix.free();
      throw error;
    }
    return matrix;
  }

  /** The elements of a part of a matrix, `{ firstRow, rows, firstColumn, columns }`, in row order. */
  elements(matrix, { firstRow, rows, firstColumn, columns }) {
    const packed = new Float32Array(this.memory.buffer, alive(matrix), this.exports.matrix_len(matrix.rows, matrix.columns));
    const out = new Float32Array(rows * columns);
    for (let column = 0; column < columns; column++) {
      const at = firstColumn + column;
      // Panels of eight columns, each in row order.
      const first = ((at >> 3) * matrix.rows + firstRow) * 8 + (at & 7);
      for (let row = 0; row < rows; row++) out[row * columns + column] = packed[first + row * 8];
    }
    return out;
  }

  /**
   * `activation(norm(x) matrix + bias) + residual`, `[rows, columns]`: a view that holds until the next call. `norm` is
   * `{ eps, weight, bias }`, the latter two together or not at all; `part` is `{ firstRow, rows, firstColumn, columns }` of the matrix.
   */
  product(x, matrix, { norm, bias, activation, residual, part } = {}) {
    const { firstRow, rows: width, firstColumn, columns } = { firstRow: 0, rows: matrix.rows, firstColumn: 0, columns: matrix.columns, ...part };
    if (!(firstRow >= 0 && firstRow + width <= matrix.rows && firstColumn >= 0 && firstColumn + columns <= matrix.columns)) {
      throw new KernelError("size", `A matrix [${matrix.rows}, ${matrix.columns}] has no such part.`);
    }
    const rows = this.rowsOf(x, width);
    sizes(norm, width, { bias: [bias, columns], residual: [residual, rows * columns] });
    const work = this.exports.work_len(rows, width, 0);
    const [of, weight, normBias, biasAt, residualAt, workAt, out] = this.place([x, norm?.weight, norm?.bias, bias, residual, work, rows * columns]);
    const status = this.exports.product(
      this.team, of, rows, width, norm?.eps ?? -1, weight, normBias, alive(matrix), matrix.rows, matrix.columns,
      firstRow, firstColumn, columns, biasAt, number(activation), residualAt, workAt, out,
    );
    return this.result(status, out, rows * columns);
  }

  /** `activation(norm(x) wIn + bIn) wOut + bOut + residual`, `[rows, columns]`: a view that holds until the next call. */
  mlp(x, wIn, wOut, { norm, bIn, activation, bOut, residual } = {}) {
    const rows = this.rowsOf(x, wIn.rows);
    size("the hidden layer", wIn.columns, wOut.rows);
    sizes(norm, wIn.rows, { bIn: [bIn, wIn.columns], bOut: [bOut, wOut.columns], residual: [residual, rows * wOut.columns] });
    const work = this.exports.work_len(rows, wIn.rows, wIn.columns);
    const [of, weight, normBias, bInAt, bOutAt, residualAt, workAt, out] = this.place([
      x, norm?.weight, norm?.bias, bIn, bOut, residual, work, rows * wOut.columns,
    ]);
    const status = this.exports.mlp(
      this.team, of, rows, wIn.rows, norm?.eps ?? -1, weight, normBias, alive(wIn), wIn.columns, bInAt, number(activation),
      alive(wOut), wOut.columns, bOutAt, residualAt, workAt, out,
    );
    return this.result(status, out, rows * wOut.columns);
  }

  /**
   * `z [rows, heads * dHead]` of the rows from `first` on, of `qkv [all rows, 3 * heads * dHead]`: a view that holds until the
   * next call. `parents`, a Uint32Array, has the row of the position before, 2^32 - 1 at position 0. Each comes before its row.
   */
  attention(qkv, parents, { first = 0, heads, dHead, factor }) {
    const all = parents.length;
    const d = heads * dHead;
    size("queries, keys and values", qkv.length, all * 3 * d);
    if (parents.some((parent, row) => parent !== NO_PARENT && parent >= row)) throw new KernelError("size", "A row's parent does not come before it.");
    const rows = Math.max(0, all - first);
    const [of, parentsAt, z] = this.place([qkv, parents, rows * d]);
    return this.result(this.exports.attention(this.team, of, parentsAt, all, first, rows, heads, dHead, factor, z), z, rows * d);
  }

  /** LayerNorm of `x [rows, width]`. Returns a view that is valid until the next call. */
  layerNorm(x, width, norm) {
    const rows = this.rowsOf(x, width);
    sizes(norm, width, {});
    const [of, weight, bias, out] = this.place([x, norm.weight, norm.bias, x.length]);
    return this.result(this.exports.layer_norm(this.team, of, rows, width, norm.eps, weight, bias, out), out, x.length);
  }

  /** Softmax of each row of `x [rows, width]`. Returns a view that is valid until the next call. */
  softmax(x, width) {
    const rows = this.rowsOf(x, width);
    const [of] = this.place([x]);
    return this.result(this.exports.softmax(this.team, of, rows, width), of, x.length);
  }

  /** Terminates the threads. The kernel must not be used afterwards. */
  close() {
    this.stopThreads();
  }

  rowsOf(x, width) {
    const rows = width ? x.length / width : 0;
    if (!Number.isInteger(rows)) throw new KernelError("size", `${x.length} numbers are not rows of ${width}.`);
    return rows;
  }

  /** Allocates space for each argument: an array, which is copied in, or a number of values. Returns the addresses; 0 for a missing argument. */
  place(parts) {
    const length = (part) => align(4 * (part?.length ?? part ?? 0));
    const needed = parts.reduce((sum, part) => sum + length(part), ALIGNED);
    if (needed > this.activationArea.bytes) {
      // Freed first, so that the new area can overlap the old one.
      if (this.activationArea.bytes) this.areas.give(this.activationArea.at);
      this.activationArea = { at: 0, bytes: 0 };
      const bytes = Math.ceil(needed / PAGE) * PAGE;
      this.activationArea = { at: this.areas.take(bytes), bytes };
    }
    let next = this.activationArea.at;
    return parts.map((part) => {
      if (part === undefined || part === null) return 0;
      const at = next;
      next += length(part);
      if (part.length) new part.constructor(this.memory.buffer, at, part.length).set(part);
      return at;
    });
  }

  /** Frees the area for activations. */
  release() {
    if (this.activationArea.bytes) this.areas.give(this.activationArea.at);
    this.activationArea = { at: 0, bytes: 0 };
  }

  result(status, at, length) {
    this.settle(status);
    return new Float32Array(this.memory.buffer, at, length);
  }
}

function size(what, found, expected) {
  if (found !== expected) throw new KernelError("size", `${what} has ${found} numbers, not ${expected}.`);
}

function sizes(norm, width, others) {
  if (norm?.weight || norm?.bias) {
    size("LayerNorm's weight", norm.weight?.length, width);
    size("LayerNorm's bias", norm.bias?.length, width);
  }
  for (const [what, [values, expected]] of Object.entries(others)) if (values) size(what, values.length, expected);
}

function alive(matrix) {
  if (!matrix.at) throw new KernelError("size", "The matrix was freed.");
  return matrix.at;
}

function number(activation = "identity") {
  const found = ACTIVATIONS.indexOf(activation);
  if (found < 0) throw new KernelError("size", `There is no activation "${activation}".`);
  return found;
}
