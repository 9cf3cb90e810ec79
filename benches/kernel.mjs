// How near the products come to what a core can do: node benches/kernel.mjs [ROUNDS, 5], after scripts/build-kernels.sh
// Headless Chromium, each module on one thread or two, between limit loops (benches/limit.mjs) of the same run: alone, and two side
// by side. Prints JSON: GFLOP/s, the best of all rounds, and the share of the limit.
import { cp, mkdtemp, rm, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import os from "node:os";
import path from "node:path";

import { FLAGS, root, target } from "../tests/e2e/harness.mjs";
import { serve } from "../tests/e2e/server.mjs";

const { chromium } = createRequire(path.join(root, "tests/e2e/"))("playwright-core");
const rounds = Number(process.argv[2] ?? 5);
const SHAPES = [
  { shape: [760, 768, 3072], times: 3 },
  { shape: [760, 768, 3072], activation: "gelu_new", times: 3 },
  { shape: [760, 3072, 768], times: 3 },
  { shape: [20, 768, 3072], times: 60 },
  // Over before another program gets its turn: what can be seen on a machine that is not idle.
  { shape: [96, 768, 512], times: 200 },
  { shape: [96, 768, 512], activation: "gelu_new", times: 200 },
];
const MODULES = [
  { name: "kernel-simd", relaxed: false, threads: 1 },
  { name: "kernel-relaxed", relaxed: true, threads: 1 },
  { name: "kernel-simd-threads", relaxed: false, threads: 2 },
  { name: "kernel-relaxed-threads", relaxed: true, threads: 2 },
];

const folder = await mkdtemp(path.join(os.tmpdir(), "keyside-bench-"));
const files = ["scripts/page/kernel.js", "scripts/page/kernel-thread.js", "benches/kernel_worker.js", "benches/limit.mjs"].map((file) => path.join(root, file));
files.push(...MODULES.map(({ name }) => path.join(target, "kernels", `${name}.wasm`)));
await Promise.all(files.map((file) => cp(file, path.join(folder, path.basename(file)))));
await writeFile(path.join(folder, "index.html"), "<!doctype html><title>kernels</title>");
const headers = { "Cross-Origin-Opener-Policy": "same-origin", "Cross-Origin-Embedder-Policy": "require-corp" };
const site = await serve(folder, { headers });
const browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium", args: FLAGS });
try {
  const page = await browser.newPage();
  await page.goto(site.url);
  await page.evaluate(() => {
    const workers = [0, 1].map(() => new Worker("./kernel_worker.js", { type: "module" }));
    window.ask = (index, question) =>
      new Promise((done, fail) => {
        workers[index].onmessage = ({ data }) => (data.error ? fail(new Error(data.error)) : done(data.answer));
        workers[index].onerror = (event) => fail(new Error(event.message));
        workers[index].postMessage(question);
      });
  });
  const product = (what) => page.evaluate((what) => window.ask(0, { step: "product", ...what }), what);
  const limit = (relaxed, threads) =>
    page.evaluate(
      async ({ relaxed, threads }) => {
        const rates = await Promise.all([0, 1].slice(0, threads).map((index) => window.ask(index, { step: "limit", relaxed })));
        return rates.reduce((sum, rate) => sum + rate, 0);
      },
      { relaxed, threads },
    );
  const limits = new Map();
  const products = MODULES.flatMap((module) => SHAPES.map((shape) => ({ ...module, ...shape, rate: 0 })));
  for (let round = 0; round < rounds; round++) {
    for (const one of products) {
      const key = `${one.relaxed ? "relaxed" : "simd"} x ${one.threads}`;
      const before = await limit(one.relaxed, one.threads);
      one.rate = Math.max(one.rate, await product(one));
      limits.set(key, Math.max(limits.get(key) ?? 0, before, await limit(one.relaxed, one.threads)));
      one.limit = key;
    }
  }
  const rounded = (value) => Number(value.toFixed(2));
  const report = {
    browser: browser.version(),
    cores: os.cpus().length,
    load: os.loadavg().map(rounded),
    limits: Object.fromEntries([...limits].map(([key, rate]) => [key, rounded(rate)])),
    products: products.map(({ name, threads, shape, activation, rate, limit }) => ({
      module: name,
      threads,
      shape,
      activation,
      gflops: rounded(rate),
      share_of_limit: rounded(rate / limits.get(limit)),
    })),
  };
  console.log(JSON.stringify(report, null, 2));
} finally {
  await browser.close();
  await site.close();
  await rm(folder, { recursive: true });
}
