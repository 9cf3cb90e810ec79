// How near the products come to what a core can do. Headless Chromium, each module on one thread or two, between limit loops
// (benches/limit.mjs) of the same run: alone, and two side by side.
import { cp, mkdtemp, rm, writeFile } from "node:fs/promises";
import os from "node:os";
import path from "node:path";

import { root, target } from "../tests/e2e/harness.mjs";
import { ISOLATED, serve } from "../tests/e2e/server.mjs";

const SHAPES = [
  { shape: [760, 768, 3072], times: 3 },
  { shape: [760, 768, 3072], activation: "gelu_new", times: 3 },
  { shape: [760, 3072, 768], times: 3 },
  { shape: [20, 768, 3072], times: 60 },
  // Over before another program gets its turn: what can be seen on a machine that is not idle.
  { shape: [96, 768, 512], times: 200 },
  { shape: [96, 768, 512], activation: "gelu_new", times: 200 },
];
/** Bytes of the weights of GPT-2 small's blocks. */
const WEIGHTS = 340 * 2 ** 20;
const MODULES = [
  { name: "kernel-simd", relaxed: false, threads: 1 },
  { name: "kernel-relaxed", relaxed: true, threads: 1 },
  { name: "kernel-simd-threads", relaxed: false, threads: 2 },
  { name: "kernel-relaxed-threads", relaxed: true, threads: 2 },
];

/** GFLOP/s of limit loops and of products, the best of `rounds`, with shares of the limit; GB/s of reading. */
export async function products(browser, rounds) {
  const folder = await mkdtemp(path.join(os.tmpdir(), "keyside-bench-"));
  const files = ["scripts/page/kernel.js", "scripts/page/kernel-thread.js", "benches/kernel_worker.js", "benches/limit.mjs"].map((file) => path.join(root, file));
  files.push(...MODULES.map(({ name }) => path.join(target, "kernels", `${name}.wasm`)));
  await Promise.all(files.map((file) => cp(file, path.join(folder, path.basename(file)))));
  await writeFile(path.join(folder, "index.html"), "<!doctype html><title>kernels</title>");
  const site = await serve(folder, { headers: ISOLATED });
  const page = await browser.newPage();
  try {
    await page.goto(site.url);
    return await measure(page, rounds);
  } finally {
    await page.close();
    await site.close();
    await rm(folder, { recursive: true });
  }
}

async function measure(page, rounds) {
  await page.evaluate(() => {
    const workers = [0, 1].map(() => new Worker("./kernel_worker.js", { type: "module" }));
    window.ask = (index, question) =>
      new Promise((done, fail) => {
        workers[index].onmessage = ({ data }) => (data.error ? fail(new Error(data.error)) : done(data.answer));
        workers[index].onerror = (event) => fail(new Error(event.message));
        workers[index].postMessage(question);
      });
  });
  const ask = (question) => page.evaluate((question) => window.ask(0, question), question);
  const limit = (relaxed, threads) =>
    page.evaluate(
      async ({ relaxed, threads }) => {
        const rates = await Promise.all([0, 1].slice(0, threads).map((index) => window.ask(index, { step: "limit", relaxed })));
        return rates.reduce((sum, rate) => sum + rate, 0);
      },
      { relaxed, threads },
    );
  const limits = new Map();
  const measured = MODULES.flatMap((module) => SHAPES.map((shape) => ({ ...module, ...shape, rate: 0 })));
  for (let round = 0; round < rounds; round += 1) {
    for (const one of measured) {
      one.limit = `${one.relaxed ? "relaxed" : "simd"} x ${one.threads}`;
      const before = await limit(one.relaxed, one.threads);
      one.rate = Math.max(one.rate, await ask({ step: "product", ...one }));
      limits.set(one.limit, Math.max(limits.get(one.limit) ?? 0, before, await limit(one.relaxed, one.threads)));
    }
  }
  return {
    limits: Object.fromEntries(limits),
    reading: await ask({ step: "reading", bytes: WEIGHTS }),
    products: measured.map(({ name, threads, shape, activation, rate, limit }) => ({ module: name, threads, shape, activation, gflops: rate, share_of_limit: rate / limits.get(limit) })),
  };
}
