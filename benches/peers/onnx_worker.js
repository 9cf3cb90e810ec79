// ONNX Runtime Web in a worker: `{ model, threads }` opens a session, `{ batch, length }` runs it on tokens. Answers seconds.
import * as ort from "./ort.wasm.bundle.min.mjs";

let session;

async function open({ model, threads }) {
  ort.env.wasm.numThreads = threads;
  ort.env.wasm.wasmPaths = new URL("./", self.location.href).href;
  const bytes = new Uint8Array(await (await fetch(model)).arrayBuffer());
  session = await ort.InferenceSession.create(bytes, { executionProviders: ["wasm"], graphOptimizationLevel: "all" });
}

async function run({ batch, length }) {
  const tokens = BigInt64Array.from({ length: batch * length }, (_, index) => BigInt((index * 7919) % 50257));
  const begun = performance.now();
  const out = await session.run({ tokens: new ort.Tensor("int64", tokens, [batch, length]) });
  // What it computed is read, as a user of it would.
  const [value] = Object.values(out)[0].data;
  if (!Number.isFinite(value)) throw new Error(`the result begins with ${value}`);
  return (performance.now() - begun) / 1000;
}

self.onmessage = async ({ data }) => {
  try {
    self.postMessage({ answer: data.model ? await open(data) : await run(data) });
  } catch (error) {
    self.postMessage({ error: `${error?.stack ?? error}` });
  }
};
