// The forward pass in a browser: the page's worker by engine and threads, and ONNX Runtime Web on the same checkpoint, in turns.
import { cp, mkdtemp, rm, stat, symlink, writeFile } from "node:fs/promises";
import os from "node:os";
import path from "node:path";

import { check, page as pageFolder, root } from "../tests/e2e/harness.mjs";
import { startWorker } from "../tests/e2e/page_worker.mjs";
import { ISOLATED, serve } from "../tests/e2e/server.mjs";

/** What heads are named by: random tokens through all layers, the patterns of all heads read (src/analysis/probes.rs). */
export const SEQUENCES = { batch: 32, length: 100 };
/** A sentence of 20 tokens that begins as none before it: nothing of it has been computed. */
const WORDS = " and Mary went to the store this morning, and the woman gave a big bottle of milk to";
export const PROMPT_TOKENS = 20;
const ASKED = { prepend_bos: false, dest: null, src: null, head: "11.0", relative: null };
const NAMES = ["Tom", "Mark", "Paul", "James", "John", "David", "Sam", "Adam", "Peter", "George", "Jack", "Henry"];

/** Floating-point operations of `positions` rows of a model: products of the blocks alone. */
export const flop = ({ n_layer, n_embd }, positions) => positions * n_layer * 24 * n_embd ** 2;

/** The page's worker in a new tab, computing with `engine` on `threads` threads; its model is at `url`. */
export async function ours(browser, site, url, { engine, threads }) {
  const page = await (await browser.newContext({ serviceWorkers: "block" })).newPage();
  await page.goto(site.url);
  const worker = await startWorker(page);
  let id = 0;
  const serve = async (...messages) => {
    const numbered = messages.map((message) => Object.fromEntries(Object.entries(message).map(([kind, of]) => [kind, { id: (id += 1), url, ...of }])));
    const answer = await worker.serve([{ choose: { engine: { engine, threads } } }, ...numbered]);
    const failed = answer.posted.find((message) => message.failed);
    check(!failed, JSON.stringify(failed));
    return answer;
  };
  return {
    serve,
    /** Seconds of random tokens through all layers. */
    forward: async () => (await serve({ name_heads: {} })).seconds,
    /** The first part of the answer to a new prompt: the patterns of all heads, and the time until they were there. */
    prompt: async (number) => {
      const text = `${NAMES[number % NAMES.length]}${WORDS}`;
      const { posted } = await serve({ ask: { question: { text, ...ASKED } } });
      return posted.find((message) => message.answer).answer.part;
    },
    analyze: async (analysis) => {
      const { posted, seconds } = await serve({ analyze: { analysis } });
      return { seconds, result: posted.find((message) => message.finished).finished.result };
    },
    end: () => page.context().close(),
  };
}

/** ONNX Runtime Web on `threads` threads with the graph at `file`; `packages` is the folder that npm has installed it in. */
export async function onnxRuntime(browser, { file, packages, threads }) {
  const folder = await mkdtemp(path.join(os.tmpdir(), "keyside-bench-"));
  const runtime = ["ort.wasm.bundle.min.mjs", "ort-wasm-simd-threaded.mjs", "ort-wasm-simd-threaded.wasm"].map((name) => path.join(packages, "onnxruntime-web/dist", name));
  await Promise.all([
    ...[...runtime, path.join(root, "benches/peers/onnx_worker.js")].map((file) => cp(file, path.join(folder, path.basename(file)))),
    symlink(path.resolve(file), path.join(folder, "model.onnx")),
    writeFile(path.join(folder, "index.html"), "<!doctype html><title>ONNX Runtime Web</title>"),
  ]);
  const site = await serve(folder, { headers: ISOLATED });
  const page = await (await browser.newContext()).newPage();
  await page.goto(site.url);
  const worker = await page.evaluateHandle(() => new Worker("./onnx_worker.js", { type: "module" }));
  const ask = (question) =>
    page.evaluate(
      ([worker, question]) =>
        new Promise((done, fail) => {
          worker.onmessage = ({ data }) => (data.error ? fail(new Error(data.error)) : done(data.answer));
          worker.onerror = (event) => fail(new Error(event.message));
          worker.postMessage(question);
        }),
      [worker, question],
    );
  await ask({ model: "./model.onnx", threads });
  return {
    run: ask,
    end: async () => {
      await page.context().close();
      await site.close();
      await rm(folder, { recursive: true });
    },
  };
}

/** Serves the page and the checkpoint in `folder`. */
export async function serveAll(folder) {
  check(await stat(path.join(folder, "model.safetensors")).catch(() => null), `there is no checkpoint in ${folder}`);
  const site = await serve(pageFolder, { headers: ISOLATED });
  const model = await serve(folder, { cors: true, headers: { "Cross-Origin-Resource-Policy": "cross-origin" } });
  return { site, model, close: () => Promise.all([site.close(), model.close()]) };
}
