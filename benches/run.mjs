// The benchmark: writes target/bench/report.json and prints its table (benches/README.md has the method).
//   node benches/run.mjs CHECKPOINT_FOLDER [--rounds 3] [--only limits,forward,notebook,scaling,native,python] [--sizes FOLDER,FOLDER]
import { execFile } from "node:child_process";
import { mkdir, readFile, stat, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import os from "node:os";
import path from "node:path";
import { parseArgs, promisify } from "node:util";

import { check, FLAGS, root, target } from "../tests/e2e/harness.mjs";
import { flop, onnxRuntime, ours, PROMPT_TOKENS, SEQUENCES, serveAll } from "./forward.mjs";
import { products } from "./kernel.mjs";
import { table } from "./table.mjs";

const { chromium } = createRequire(path.join(root, "tests/e2e/"))("playwright-core");
const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: { rounds: { type: "string", default: "3" }, only: { type: "string" }, sizes: { type: "string", default: "" } },
});
const PARTS = ["limits", "forward", "notebook", "scaling", "native", "python"];
const [checkpoint] = positionals;
const rounds = Number(options.rounds);
const only = options.only?.split(",") ?? PARTS;
check(checkpoint && rounds >= 1 && only.every((part) => PARTS.includes(part)), `node benches/run.mjs CHECKPOINT_FOLDER [--rounds N] [--only ${PARTS.join(",")}]`);

/** What is computed with, the default of a browser with relaxed SIMD first. */
const ENGINES = [
  { engine: "relaxed", threads: 1 },
  { engine: "packed", threads: 1 },
  { engine: "relaxed", threads: 2 },
  { engine: "packed", threads: 2 },
];
const NOTEBOOK = { head: "10.7", earlier_head: "9.9", prompts: { ioi: { seed: 0, batches: 30, batch_size: 40, prepend_bos: false } } };
/** Heads of the same and of the next layer, whose runs go on with what that one has left. */
const NEXT_HEADS = ["10.0", "11.10"];
const PROMPTS = 12;
const packages = path.join(root, "benches/peers/node_modules");
const graph = path.join(target, "bench", "model.onnx");
const say = (text) => console.error(`keyside: ${text}`);
const there = (file) => stat(file).then(() => true, () => false);

const summary = (values) => {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (share) => sorted[Math.round(share * (sorted.length - 1))];
  return { median: at(0.5), least: sorted[0], most: sorted.at(-1), n: sorted.length };
};

/** The forward pass by engine and threads, and ONNX Runtime Web's, in turns; then single prompts with weights in memory. */
async function forward(browser, config) {
  const all = await serveAll(checkpoint);
  const rates = new Map();
  const note = (name, seconds) => rates.set(name, [...(rates.get(name) ?? []), flop(config, SEQUENCES.batch * SEQUENCES.length) / seconds / 1e9]);
  const prompts = {};
  try {
    const workers = [];
    for (const of of ENGINES) workers.push({ name: `${of.engine} x ${of.threads}`, of: await ours(browser, all.site, all.model.url, of) });
    const peers = [];
    if (await there(graph)) {
      for (const threads of [1, 2]) peers.push({ name: `ONNX Runtime Web x ${threads}`, of: await onnxRuntime(browser, { file: graph, packages, threads }) });
    } else say(`no ${graph}: without ONNX Runtime Web`);
    // Reads the weights, and warms up.
    for (const { of } of workers) await of.forward();
    for (const { of } of peers) await of.run(SEQUENCES);
    for (let round = 0; round < rounds; round += 1) {
      for (const { name, of } of workers) note(name, await of.forward());
      for (const { name, of } of peers) note(name, await of.run(SEQUENCES));
      say(`forward pass: round ${round + 1} of ${rounds}`);
    }
    for (const { of } of peers) await of.end();
    for (const { name, of } of workers) {
      const times = [];
      for (let number = 0; number < PROMPTS; number += 1) times.push(await of.prompt(number));
      prompts[name] = { tokens: PROMPT_TOKENS, seconds: summary(times.slice(2).map(({ timing }) => timing.seconds)) };
      await of.end();
    }
  } finally {
    await all.close();
  }
  return { rows: SEQUENCES, gflops: Object.fromEntries([...rates].map(([name, values]) => [name, summary(values)])), prompts };
}

/** The notebook's run in the page's worker: 1,200 prompts. */
async function notebook(browser) {
  const all = await serveAll(checkpoint);
  const runs = {};
  try {
    for (const of of ENGINES) {
      const worker = await ours(browser, all.site, all.model.url, of);
      const { result, seconds } = await worker.analyze({ ...NOTEBOOK, engine: of });
      runs[`${of.engine} x ${of.threads}`] = { seconds, ...result.timing };
      // The same prompts: what comes before the head is there.
      for (const head of NEXT_HEADS) {
        const next = await worker.analyze({ ...NOTEBOOK, head, engine: of });
        runs[`${of.engine} x ${of.threads}, then head ${head}`] = { seconds: next.seconds, ...next.result.timing };
      }
      await worker.end();
      say(`notebook's run, ${of.engine} on ${of.threads}: ${seconds.toFixed(1)} s`);
    }
  } finally {
    await all.close();
  }
  return runs;
}

/** Rates of computing by number of batches, and of models of other sizes: the engine of a browser by default. */
async function scaling(browser) {
  const rates = {};
  const run = async (folder, batches, layer) => {
    const all = await serveAll(folder);
    try {
      const worker = await ours(browser, all.site, all.model.url, ENGINES[0]);
      const prompts = { ioi: { ...NOTEBOOK.prompts.ioi, batches } };
      const { result } = await worker.analyze({ head: `${layer}.0`, earlier_head: `${layer - 1}.0`, prompts, engine: ENGINES[0] });
      const name = `${path.basename(folder)}, head ${layer}.0, batches: ${batches}`;
      rates[name] = result.timing.gflop_per_second;
      say(`${name}: ${rates[name].toFixed(1)} GFLOP/s`);
      await worker.end();
    } finally {
      await all.close();
    }
  };
  for (const batches of [1, 5, 10, 30]) await run(checkpoint, batches, 10);
  for (const folder of options.sizes.split(",").filter(Boolean)) {
    const { n_layer } = JSON.parse(await readFile(path.join(folder, "config.json")));
    await run(folder, 5, n_layer - 2);
  }
  return rates;
}

/** The same on the command line. */
async function native() {
  const runs = {};
  for (const engine of ["gemm", "packed"]) {
    const out = path.join(target, "bench", `native-${engine}.json`);
    const begun = performance.now();
    const flags = ["analyze", "--model", checkpoint, "--head", "10.7", "--earlier-head", "9.9", "--engine", engine, "--out", out];
    await promisify(execFile)(path.join(target, "release/keyside"), flags, { maxBuffer: 1 << 26 });
    const { timing } = JSON.parse(await readFile(out));
    runs[engine] = { seconds: (performance.now() - begun) / 1000, ...timing };
    say(`notebook's run, command line, ${engine}: ${timing.seconds.toFixed(1)} s`);
  }
  return runs;
}

/** TransformerLens' two functions of the notebook, and a plain PyTorch program, where they are installed. */
async function python() {
  const interpreter = process.env.KEYSIDE_PEERS_PYTHON;
  if (!interpreter) return undefined;
  const { stdout } = await promisify(execFile)(interpreter, [path.join(root, "benches/peers/notebook.py"), checkpoint], { maxBuffer: 1 << 26 });
  return JSON.parse(stdout.slice(stdout.indexOf("{")));
}

const config = JSON.parse(await readFile(path.join(checkpoint, "config.json")));
await mkdir(path.join(target, "bench"), { recursive: true });
const browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium", args: FLAGS });
const report = { browser: browser.version(), cpu: os.cpus()[0].model, cores: os.cpus().length, load_before: os.loadavg()[0] };
const file = path.join(target, "bench", "report.json");
const parts = {
  limits: async () => ({ kernels: await products(browser, rounds + 2) }),
  forward: async () => ({ forward: await forward(browser, config) }),
  notebook: async () => ({ notebook: await notebook(browser) }),
  scaling: async () => ({ scaling: await scaling(browser) }),
  native: async () => ({ native: await native() }),
  python: async () => ({ python: await python() }),
};
try {
  for (const part of only) {
    Object.assign(report, await parts[part]());
    // What is there stays, whatever comes after.
    await writeFile(file, `${JSON.stringify(report, null, 2)}\n`);
  }
} finally {
  await browser.close();
}
console.log(table(report));
say(`the whole report is ${file}`);
