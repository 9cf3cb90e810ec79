// What a run takes: bytes over the network, peak of the worker's linear memory; the same again from storage with the server
// stopped. Prints JSON, and fails where a bound is passed.
//   node tests/e2e/memory.mjs FOLDER SIZE...      FOLDER has a checkpoint of each size: gpt2, gpt2-medium, gpt2-xl
import { mkdtemp, rm } from "node:fs/promises";
import os from "node:os";
import path from "node:path";

import { chromium } from "playwright-core";

import { check, FLAGS, page, Tab } from "./harness.mjs";
import { serve } from "./server.mjs";

const MB = 1e6;
/** What is run, and the most that it may take, in MB. */
const RUNS = [
  { size: "gpt2", head: "10.7", earlier: "9.9", batches: 30, batchSize: 40, mostRead: 455, mostMemory: 450 },
  { size: "gpt2-medium", head: "22.7", earlier: "20.9", batches: 1, batchSize: 40, mostMemory: 750 },
  { size: "gpt2-xl", head: "46.7", earlier: "40.9", batches: 1, batchSize: 40, mostMemory: 1500 },
];
const HOURS = 3 * 3600 * 1000;

/** Runs the model at `url` in a new tab, so in a new worker; what its result says of it. */
async function measure(context, url, run) {
  const tab = new Tab(await context.newPage(), site.url);
  await tab.open();
  await tab.fill({ model: "url", url, head: run.head, earlier: run.earlier, batches: run.batches, size: run.batchSize, seed: 0 });
  const failed = tab.at("error").waitFor({ timeout: HOURS }).then(async () => {
    throw new Error(await tab.at("error").innerText());
  });
  await Promise.race([tab.run(HOURS), failed]);
  failed.catch(() => {});
  const { result } = await tab.download();
  check(tab.unexpected().length === 0, tab.unexpected().join("\n"));
  await tab.page.close();
  const { seconds, positions, bytes_read: read, bytes_from_network: network, peak_linear_memory: peak } = result.timing;
  const rounded = (value) => Math.round(value * 10) / 10;
  return {
    seconds: rounded(seconds),
    positions,
    weights_read_mb: rounded(read / MB),
    network_mb: rounded(network / MB),
    peak_linear_memory_mb: rounded(peak / MB),
    max_abs_residual: result.heatmaps.key.max_abs_residual,
  };
}

async function measureBoth(context, folder, run) {
  const models = await serve(folder, { cors: true });
  let first;
  let requests;
  try {
    first = await measure(context, models.url, run);
    requests = models.requests.length;
  } finally {
    await models.close();
  }
  const again = await measure(context, models.url, run);
  const within =
    first.peak_linear_memory_mb <= run.mostMemory &&
    again.peak_linear_memory_mb <= run.mostMemory &&
    (run.mostRead === undefined || first.network_mb <= run.mostRead) &&
    again.network_mb === 0;
  return { model: run.size, head: run.head, prompts: `${run.batches} x ${run.batchSize}`, first: { ...first, requests }, from_storage: again, within };
}

const [folder, ...sizes] = process.argv.slice(2);
check(sizes.length, "say what to run: node tests/e2e/memory.mjs FOLDER SIZE...");
const site = await serve(page);
// A profile on disk: a private window keeps its storage in memory, and little of it.
const profile = await mkdtemp(path.join(os.tmpdir(), "keyside-profile-"));
const browser = await chromium.launchPersistentContext(profile, {
  executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
  args: FLAGS,
  acceptDownloads: true,
  serviceWorkers: "block",
});
let outside = 0;
try {
  const measured = [];
  for (const run of RUNS.filter((run) => sizes.includes(run.size))) {
    const result = await measureBoth(browser, path.join(folder, run.size), run);
    measured.push(result);
    outside += result.within ? 0 : 1;
    console.error(`${run.size}: ${result.within ? "within its bounds" : "OUTSIDE its bounds"}`);
  }
  console.log(JSON.stringify(measured, null, 2));
} finally {
  await browser.close();
  await site.close();
  await rm(profile, { recursive: true, force: true });
}
process.exitCode = outside ? 1 : 0;
