// How smooth the figures are while a pointer moves over them: node benches/hover.mjs [SECONDS per figure, 3]
// Headless Chromium opens a result of 12 series x 1200 values with 40 prompts behind each cell, moves the pointer back and
// forth over each figure, and prints the times between frames, the script's share of a frame and how JavaScript's heap grew.
// The page is target/page-test (scripts/build-page.sh), or KEYSIDE_PAGE.
import { readFile } from "node:fs/promises";
import path from "node:path";
import { createRequire } from "node:module";

import { FLAGS, page as folder, root } from "../tests/e2e/harness.mjs";
import { serve } from "../tests/e2e/server.mjs";

const { chromium } = createRequire(path.join(root, "tests/e2e/"))("playwright-core");
const seconds = Number(process.argv[2] ?? 3);
const SERIES = 12;
const VALUES = 1200;
const FIGURES = ["keys_fixed_scores", "keys_fixed_probs", "queries_fixed_scores", "queries_fixed_probs", "heatmap"];

/** Numbers from 0 to 1, the same every time. */
function uniform(seed) {
  let state = seed;
  return () => {
    state = (state * 1664525 + 1013904223) % 2 ** 32;
    return state / 2 ** 32;
  };
}

/** The recorded run's file with twelve visible series in each histogram, and prompts behind its cells. */
async function result() {
  const file = JSON.parse(await readFile(path.join(root, "public/recorded/gpt2-small-10.7.json"), "utf8"));
  const next = uniform(7);
  const bell = () => next() + next() + next() + next() - 2;
  for (const [name, plot] of Object.entries(file.histograms)) {
    if (!plot.series) continue;
    const value = name.endsWith("probs") ? (index) => 1 / (1 + Math.exp(-4 * bell() - index / 4)) : (index) => index + 3 * bell();
    plot.series = Object.fromEntries(Array.from({ length: SERIES }, (_, index) => [`series ${index + 1}`, Array.from({ length: VALUES }, () => value(index))]));
  }
  const { values } = file.heatmaps.key;
  file.heatmaps.key.per_prompt = Array.from({ length: file.batch_size }, () => values.map((row) => row.map((mean) => mean + bell() / 10)));
  return { name: "hover.json", mimeType: "application/json", buffer: Buffer.from(JSON.stringify(file)) };
}

const quantile = (sorted, part) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))];

const site = await serve(folder);
const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
  args: [...FLAGS, "--enable-precise-memory-info"],
});
const page = await browser.newPage({ viewport: { width: 1280, height: 900 } });
await page.goto(site.url);
await page.getByTestId("run-summary").getByText("Recorded run").first().waitFor();
await page.getByTestId("open-result").setInputFiles(await result());
await page.getByTestId("run-summary").getByText("hover.json").waitFor();
await page.waitForTimeout(1000);
const client = await page.context().newCDPSession(page);
await client.send("Performance.enable");
await client.send("HeapProfiler.enable");
const metrics = async () => Object.fromEntries((await client.send("Performance.getMetrics")).metrics.map(({ name, value }) => [name, value]));

console.log(`${SERIES} series x ${VALUES} values, ${seconds} s per figure; times in ms`);
for (const name of FIGURES) {
  const canvas = page.getByTestId(`figure-${name}`).locator("canvas").first();
  await canvas.evaluate((canvas) => canvas.scrollIntoView({ block: "center" }));
  await page.waitForTimeout(500);
  const box = await canvas.boundingBox();
  await page.mouse.move(box.x + box.width / 2, box.y + box.height * 0.6);
  await client.send("HeapProfiler.collectGarbage");
  const before = await metrics();
  await page.evaluate(() => {
    window.frames_ = [];
    window.watching_ = true;
    const look = (now) => {
      window.frames_.push(now);
      if (window.watching_) requestAnimationFrame(look);
    };
    requestAnimationFrame(look);
  });
  const end = Date.now() + 1000 * seconds;
  let moves = 0;
  const flying = [];
  while (Date.now() < end) {
    const x = 0.5 + 0.42 * Math.sin(moves / 23);
    const y = 0.55 + 0.35 * Math.sin(moves / 7);
    // Several on their way at once: an answer takes longer than a frame.
    const move = client.send("Input.dispatchMouseEvent", { type: "mouseMoved", x: box.x + box.width * x, y: box.y + box.height * y });
    flying.push(move);
    if (flying.length >= 6) await flying.shift();
    moves += 1;
  }
  await Promise.all(flying);
  const frames = await page.evaluate(() => {
    window.watching_ = false;
    return window.frames_;
  });
  const grown = await metrics();
  await client.send("HeapProfiler.collectGarbage");
  const after = await metrics();
  const between = frames.slice(1).map((at, index) => at - frames[index]).toSorted((a, b) => a - b);
  const show = (value) => value.toFixed(1).padStart(6);
  const script = (1000 * (grown.ScriptDuration - before.ScriptDuration)) / between.length;
  const kib = (bytes) => `${(bytes / 1024).toFixed(0)} KiB`;
  console.log(
    `${name.padEnd(21)} frames: median ${show(quantile(between, 0.5))}  95 % ${show(quantile(between, 0.95))}  longest ${show(between.at(-1))}` +
      `  script per frame ${show(script)}  heap: ${kib(grown.JSHeapUsedSize - before.JSHeapUsedSize)} before, ${kib(after.JSHeapUsedSize - before.JSHeapUsedSize)} after collection  (${moves} moves, ${between.length} frames)`,
  );
}
await browser.close();
await site.close();
