// Browsers that give a page little memory: a model runs where two of its blocks fit, with the same numbers; where it does not, the page says how much there
// is and what fits.
import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { promisify } from "node:util";

import { chromium } from "playwright-core";

import { arrays, compare } from "./compare.mjs";
import { check, FLAGS, fixture, Tab, target } from "./harness.mjs";
import { serve } from "./server.mjs";
import { inVersion1 } from "./version_1.mjs";

/** Blocks of 28.3 MB. */
const SHAPE = { n_layer: 4, n_head: 12, n_embd: 768, vocab_size: 989, n_ctx: 64 };
const SETTINGS = { head: "3.0", earlier: "2.0", batches: 1, size: 10, seed: 0 };
const PAGE = 65_536;

/** Writes a model of that shape with the tokenizer of the tiny checkpoint, and small weights that repeat late. */
async function writeModel(folder) {
  const { n_layer: layers, n_embd: d, vocab_size: vocabulary, n_ctx: context } = SHAPE;
  const shapes = { "wte.weight": [vocabulary, d], "wpe.weight": [context, d], "ln_f.weight": [d], "ln_f.bias": [d] };
  for (let layer = 0; layer < layers; layer += 1) {
    const block = { "ln_1.weight": [d], "ln_1.bias": [d], "attn.c_attn.weight": [d, 3 * d], "attn.c_attn.bias": [3 * d], "attn.c_proj.weight": [d, d], "attn.c_proj.bias": [d] };
    const mlp = { "ln_2.weight": [d], "ln_2.bias": [d], "mlp.c_fc.weight": [d, 4 * d], "mlp.c_fc.bias": [4 * d], "mlp.c_proj.weight": [4 * d, d], "mlp.c_proj.bias": [d] };
    for (const [name, shape] of Object.entries({ ...block, ...mlp })) shapes[`h.${layer}.${name}`] = shape;
  }
  const header = {};
  let at = 0;
  for (const [name, shape] of Object.entries(shapes)) {
    const bytes = 4 * shape.reduce((product, size) => product * size, 1);
    header[name] = { dtype: "F32", shape, data_offsets: [at, at + bytes] };
    at += bytes;
  }
  const weights = new Float32Array(at / 4);
  for (let index = 0, state = 1; index < weights.length; index += 1) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    weights[index] = 0.1 * (state / 2 ** 32 - 0.5);
  }
  for (const [name, { data_offsets: [from, to] }] of Object.entries(header)) if (/ln_.*\.weight/.test(name)) weights.fill(1, from / 4, to / 4);
  const json = Buffer.from(JSON.stringify(header));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(json.length));
  await writeFile(path.join(folder, "model.safetensors"), Buffer.concat([length, json, Buffer.from(weights.buffer)]));
  const tiny = JSON.parse(await readFile(path.join(fixture("tiny"), "config.json"), "utf8"));
  await writeFile(path.join(folder, "config.json"), JSON.stringify({ ...tiny, ...SHAPE, n_positions: context }));
  await writeFile(path.join(folder, "tokenizer.json"), await readFile(path.join(fixture("tiny"), "tokenizer.json")));
}

/** Uses the model in a browser in which a memory of WebAssembly has at most `megabytes`. */
const within = (megabytes, use) => async (_, { site, screenshots }) => {
  const folder = await mkdtemp(path.join(os.tmpdir(), "keyside-memory-"));
  const args = [...FLAGS, `--js-flags=--wasm-max-mem-pages=${Math.floor((megabytes * 1e6) / PAGE)}`];
  const browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium", args });
  let models;
  try {
    await writeModel(folder);
    models = await serve(folder, { cors: true });
    const context = await browser.newContext({ acceptDownloads: true, serviceWorkers: "block" });
    const tab = new Tab(await context.newPage(), site.url);
    await tab.open();
    await tab.fill({ model: "url", url: models.url, ...SETTINGS });
    await use(tab, folder, screenshots);
    check(tab.unexpected().length === 0, tab.unexpected().join("\n"));
  } finally {
    await browser.close();
    await models?.close();
    await rm(folder, { recursive: true });
  }
};

/** Runs the bundled model: the page is still usable. */
async function runBundled(tab) {
  await tab.fill({ model: "bundled", batches: 1 });
  await tab.at("run-button").and(tab.page.locator(":enabled")).waitFor();
  await tab.run();
}

export const littleMemory = [
  {
    name: "little memory: a model runs where two of its blocks fit",
    timeout: 180_000,
    run: within(92, async (tab, folder) => {
      await tab.run(150_000);
      const { result } = await tab.download();
      const out = path.join(folder, "result.json");
      const { head, earlier, batches, size, seed } = SETTINGS;
      const settings = ["--head", head, "--earlier-head", earlier, "--batches", batches, "--batch-size", size, "--seed", seed];
      await promisify(execFile)(path.join(target, "release/keyside"), ["analyze", "--model", folder, ...settings.map(String), "--out", out]);
      compare(arrays(result), arrays(inVersion1(JSON.parse(await readFile(out, "utf8")))), 1e-3);
    }),
  },
  {
    name: "not enough memory: how much there is, what fits, and the page goes on",
    timeout: 180_000,
    run: within(52, async (tab, _, screenshots) => {
      await tab.at("run-button").click();
      await tab.at("error").waitFor({ timeout: 120_000 });
      const said = await tab.at("error").locator("p").innerText();
      check(/^there is not enough memory: this page gets \d+\.\d MB, and a model of this size takes \d+\.\d MB; expected /.test(said), said);
      check(/Close other tabs and programs, or use the command line\.$/.test(said), said);
      await tab.page.screenshot({ path: path.join(screenshots, "not-enough-memory.png") });
      await tab.at("dismiss-error").click();
      await runBundled(tab);
    }),
  },
];
