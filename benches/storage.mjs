// Cache API against OPFS in Chromium: seconds to write and to read GPT-2 small's 450 MB in pieces of 8 MiB, in turns.
//   node benches/storage.mjs [ROUNDS]
import { mkdtemp, rm } from "node:fs/promises";
import { createRequire } from "node:module";
import os from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";

import { FLAGS } from "../tests/e2e/harness.mjs";
import { serve } from "../tests/e2e/server.mjs";

const here = path.dirname(fileURLToPath(import.meta.url));
const { chromium } = createRequire(path.join(here, "../tests/e2e/"))("playwright-core");
const rounds = Number(process.argv[2] ?? 5);
const work = { pieces: 54, size: 8 << 20, portion: 64 << 10, step: 1 << 20 };

const site = await serve(here);
const profile = await mkdtemp(path.join(os.tmpdir(), "keyside-bench-"));
const context = await chromium.launchPersistentContext(profile, { executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium", args: FLAGS });
try {
  const page = await context.newPage();
  await page.goto(`${site.url}storage.html`);
  const seconds = { cache: { writing: [], reading: [] }, opfs: { writing: [], reading: [] } };
  for (let round = 0; round < rounds; round += 1) {
    for (const kind of ["cache", "opfs"]) {
      const { writing, reading } = await page.evaluate(
        (message) =>
          new Promise((resolve, reject) => {
            const worker = new Worker("storage_worker.js");
            worker.onmessage = ({ data }) => (worker.terminate(), resolve(data));
            worker.onerror = (event) => reject(new Error(event.message));
            worker.postMessage(message);
          }),
        { kind, ...work },
      );
      seconds[kind].writing.push(writing);
      seconds[kind].reading.push(reading);
    }
  }
  const median = (values) => [...values].sort((a, b) => a - b)[values.length >> 1];
  const megabytes = (work.pieces * work.size) / 1e6;
  for (const [kind, { writing, reading }] of Object.entries(seconds)) {
    const say = (name, values) =>
      `${name} ${median(values).toFixed(2)} s (${Math.min(...values).toFixed(2)} to ${Math.max(...values).toFixed(2)}), ${(megabytes / median(values)).toFixed(0)} MB/s`;
    console.log(`${kind}: ${say("writing", writing)}; ${say("reading", reading)}`);
  }
} finally {
  await context.close();
  await site.close();
  await rm(profile, { recursive: true, force: true });
}
