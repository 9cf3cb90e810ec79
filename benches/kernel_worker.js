// A worker of benches/kernel.mjs: limit loops, reading, and products with the modules.
import { startKernel } from "./kernel.js";
import { FLOP, limitModule, readModule } from "./limit.mjs";

const TURNS = 100_000;
const limits = {};
const kernels = {};

function best(times, run) {
  let least = Infinity;
  for (let time = 0; time < times; time++) {
    const start = performance.now();
    run();
    least = Math.min(least, performance.now() - start);
  }
  return least;
}

/** GFLOP/s of the limit loop, best of five. */
async function limit({ relaxed }) {
  limits[relaxed] ??= (await WebAssembly.instantiate(limitModule({ relaxed }))).instance.exports.run;
  limits[relaxed](TURNS);
  return (TURNS * FLOP) / best(5, () => limits[relaxed](TURNS)) / 1e6;
}

/** GFLOP/s of `[m, k] x [k, n]`, best of `times`. */
async function product({ name, threads, shape: [m, k, n], activation, times }) {
  const load = async () => (await fetch(`./${name}.wasm`)).arrayBuffer();
  kernels[name] ??= await startKernel({ load, threads, startThread: () => new Worker("./kernel-thread.js") });
  const kernel = kernels[name];
  if (kernel.threads !== threads) await new Promise((done) => setTimeout(done, 500));
  if (kernel.threads !== threads) throw new Error(`${kernel.threads} threads are there, not ${threads}`);
  const numbers = (count) => Float32Array.from({ length: count }, (_, index) => Math.sin(1.7 * index));
  const matrix = kernel.matrix(numbers(k * n), k, n);
  const [x, bias] = [numbers(m * k), numbers(n)];
  const run = () => kernel.product(x, matrix, { bias, activation });
  best(3, run);
  const milliseconds = best(times, run);
  matrix.free();
  return (2 * m * k * n) / milliseconds / 1e6;
}

/** Seconds of reading `bytes` once, best of five. */
async function reading({ bytes }) {
  const { read, memory } = (await WebAssembly.instantiate(readModule(bytes))).instance.exports;
  // Memory that was never written is all one page.
  new Uint8Array(memory.buffer).fill(1);
  return best(5, () => read(0, bytes)) / 1000;
}

const steps = { limit, reading, product };
self.onmessage = async ({ data: { step, ...what } }) => {
  try {
    self.postMessage({ answer: await steps[step](what) });
  } catch (error) {
    self.postMessage({ error: `${error?.stack ?? error}` });
  }
};
