// How fast the release page is on a slow machine: Chromium with its processor slowed down (CDP).
//   make dist && node benches/page.mjs [FOLDER] [--slow 4] [--rounds 5]
// Prints a table to stderr, and everything as JSON. First picture: the frame that shows the figure which the page brings
// along. First plot: performance.mark("keyside-first-plot"), when the first canvas has been drawn and can be explored.
// Interaction latency: Event Timing from the input to the next frame that is painted; for hovering,
// which Event Timing leaves out, from the event to the end of the next frame. Interactions are those of three visits.
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import os from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { brotliCompressSync, gzipSync } from "node:zlib";

import { FLAGS } from "../tests/e2e/harness.mjs";
import { serve } from "../tests/e2e/server.mjs";

const here = path.dirname(fileURLToPath(import.meta.url));
const { chromium } = createRequire(path.join(here, "../tests/e2e/"))("playwright-core");
const { values: given, positionals } = parseArgs({
  allowPositionals: true,
  options: { slow: { type: "string", default: "4" }, rounds: { type: "string", default: "5" } },
});
const folder = positionals[0] ?? path.join(here, "../dist");
const [slow, rounds] = [Number(given.slow), Number(given.rounds)];
/** For people: JSON alone goes to the output. */
const table = new console.Console(process.stderr);
const median = (values) => values.toSorted((a, b) => a - b)[values.length >> 1];

/** In the page, before anything else: when each canvas has been drawn, and how long inputs take. */
function watch() {
  const seen = { drawn: {}, events: [], moves: [] };
  window.keysideBench = seen;
  const afterFrame = (task) =>
    requestAnimationFrame(() => {
      const { port1, port2 } = new MessageChannel();
      port1.onmessage = task;
      port2.postMessage(0);
    });
  const arriving = new MutationObserver(() => {
    // With the second drawing the first one is complete.
    if (document.querySelectorAll("#first-view .plot svg").length < 2) return;
    arriving.disconnect();
    afterFrame(() => (seen.picture = performance.now()));
  });
  arriving.observe(document, { subtree: true, childList: true });
  // A drawing sets the canvas's size first, and what observes that runs when the drawing is done.
  new MutationObserver((changes) => {
    for (const { target } of changes) {
      const figure = target.closest?.("[data-testid^=figure-]")?.dataset.testid.slice(7);
      if (target.localName === "canvas" && figure) seen.drawn[figure] ??= performance.now();
    }
  }).observe(document, { subtree: true, attributes: true, attributeFilter: ["width"] });
  new PerformanceObserver((list) => {
    for (const { name, duration, interactionId, processingStart, startTime, target } of list.getEntries()) {
      const where = (target?.ariaLabel ?? target?.textContent ?? "").trim().slice(0, 40);
      if (interactionId) seen.events.push({ name, duration, waited: processingStart - startTime, where });
    }
  }).observe({ type: "event", durationThreshold: 16, buffered: true });
  addEventListener("pointermove", ({ timeStamp }) => {
    afterFrame(() => seen.moves.push(performance.now() - timeStamp));
  }, { capture: true, passive: true });
}

/** An empty window on a slow machine, with nothing in its cache. The processes of the window before have ended, and its own have started. */
async function slowWindow(browser) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 } });
  const page = await context.newPage();
  await page.waitForTimeout(2000);
  const session = await context.newCDPSession(page);
  await session.send("Emulation.setCPUThrottlingRate", { rate: slow });
  return { context, page };
}

/** The page, watched, with its first canvas drawn. */
async function open(browser, url) {
  const { context, page } = await slowWindow(browser);
  await page.addInitScript(watch);
  await page.goto(url);
  await page.waitForFunction(() => Object.keys(keysideBench.drawn).length > 0, undefined, { timeout: 120_000, polling: 100 });
  return { context, page };
}

/** When this browser, as slow, paints a page of one word: what of the figures is not the page's own. */
async function emptyPage(browser, url) {
  const { context, page } = await slowWindow(browser);
  await page.route(`${url}empty`, (route) => route.fulfill({ contentType: "text/html", body: "<!doctype html><title>empty</title><p>Empty</p>" }));
  await page.goto(`${url}empty`);
  const painted = await page.waitForFunction(() => performance.getEntriesByName("first-contentful-paint")[0]?.startTime, undefined, { polling: 100 });
  const paint = await painted.jsonValue();
  await context.close();
  return paint;
}

async function loading(browser, url) {
  const { context, page } = await open(browser, url);
  await page.waitForTimeout(2000);
  const times = await page.evaluate(() => ({
    first_paint: performance.getEntriesByName("first-contentful-paint")[0]?.startTime,
    first_picture: Math.max(keysideBench.picture, performance.getEntriesByName("first-contentful-paint")[0]?.startTime ?? 0),
    first_plot: performance.getEntriesByName("keyside-first-plot")[0]?.startTime ?? Math.min(...Object.values(keysideBench.drawn)),
    marked: performance.getEntriesByName("keyside-first-plot").length > 0,
    drawn: keysideBench.drawn,
    resources: performance.getEntriesByType("resource").map(({ name, responseEnd }) => ({ name, end: responseEnd })),
  }));
  // Figures that are drawn when they are needed: what scrolling to them takes.
  const figures = await page.locator("[data-testid^=figure-]").all();
  let scrolling = 0;
  for (const figure of figures) {
    const name = (await figure.getAttribute("data-testid")).slice(7);
    if (times.drawn[name]) continue;
    const since = await figure.evaluate((element) => (element.scrollIntoView(), performance.now()));
    const at = await page.waitForFunction((name) => keysideBench.drawn[name], name, { timeout: 30_000, polling: 20 });
    scrolling = Math.max(scrolling, (await at.jsonValue()) - since);
  }
  await context.close();
  return { ...times, at_once: Object.keys(times.drawn).length, figures: figures.length, last_at_once: Math.max(...Object.values(times.drawn)), scrolling };
}

/** Goes to an element and waits until what that changes is done: a press comes later than the pointer. */
async function reach(page, element) {
  await element.scrollIntoViewIfNeeded();
  await element.hover();
  await page.waitForTimeout(250);
}

/** Presses what the pointer is over. A locator's click would look in the page for what it hits, and slow down what is measured. */
async function press(page, clickCount = 1) {
  await page.mouse.down({ clickCount });
  await page.waitForTimeout(30);
  await page.mouse.up({ clickCount });
}

const interactions = [
  ["show or hide a series", async (page) => {
    const entry = page.getByTestId("figure-keys_fixed_scores").locator(".legend button").first();
    await reach(page, entry);
    for (let time = 0; time < 6; time += 1) {
      await press(page);
      await page.waitForTimeout(150);
    }
  }],
  ["isolate a series", async (page) => {
    const entry = page.getByTestId("figure-keys_fixed_scores").locator(".legend button").first();
    await reach(page, entry);
    for (const clickCount of [1, 2]) {
      await press(page, clickCount);
      await page.waitForTimeout(100);
    }
  }],
  ["the heatmap's switch", async (page) => {
    await reach(page, page.getByTestId("heatmap-select"));
    await page.getByTestId("heatmap-select").focus();
    for (let time = 0; time < 6; time += 1) {
      await page.keyboard.press("ArrowDown", { delay: 20 });
      await page.waitForTimeout(200);
    }
    return true;
  }],
  ["arrow keys in a plot", async (page) => {
    const canvas = page.getByTestId("figure-keys_fixed_scores").locator("[tabindex='0']").first();
    if (!(await canvas.count())) return false;
    await reach(page, canvas);
    await canvas.focus();
    for (let time = 0; time < 12; time += 1) await page.keyboard.press("ArrowRight", { delay: 20 });
    return true;
  }],
  ["open and close what opens", async (page) => {
    const openers = await page.locator('summary, button[aria-haspopup]:enabled, button[aria-expanded="false"]:enabled').filter({ visible: true }).elementHandles();
    for (const opener of openers) {
      await reach(page, opener);
      await press(page);
      // A large table comes, and goes, after what is shown of the press.
      await page.waitForTimeout(400);
      await page.keyboard.press("Escape", { delay: 20 });
      await page.waitForTimeout(100);
      if ((await opener.evaluate((element) => element.localName)) === "summary") await press(page);
      await page.waitForTimeout(400);
    }
  }],
  ["type into a field", async (page) => {
    await page.getByTestId("model-select").selectOption("url");
    await reach(page, page.getByTestId("head-input"));
    await press(page);
    await page.keyboard.type("10.7 11.10 9.9", { delay: 40 });
    await page.getByTestId("model-select").selectOption("recorded");
  }],
];

/** Longest and middle latency of every kind of interaction. */
async function using(browser, url) {
  const { context, page } = await open(browser, url);
  await page.waitForTimeout(4000);
  const rows = [];
  for (const [name, run] of interactions) {
    await page.evaluate(() => (keysideBench.events.length = 0));
    const done = await run(page).catch((error) => (console.error(`keyside: ${name}: ${error.message.split("\n")[0]}`), false));
    await page.waitForTimeout(500);
    const events = await page.evaluate(() => keysideBench.events);
    const durations = events.map(({ duration }) => duration);
    const slowest = events.toSorted((a, b) => b.duration - a.duration)[0];
    const which = slowest && `${slowest.name}, after ${Math.round(slowest.waited)} ms: ${slowest.where}`;
    // What takes less than a frame is not reported.
    if (done !== false) rows.push({ name, events: durations.length, median: durations.length ? median(durations) : 16, longest: Math.max(16, ...durations), which });
  }
  for (const figure of ["keys_fixed_scores", "heatmap"]) {
    const canvas = page.getByTestId(`figure-${figure}`).locator("canvas").first();
    await canvas.scrollIntoViewIfNeeded();
    await page.waitForTimeout(500);
    const box = await canvas.boundingBox();
    await page.evaluate(() => (keysideBench.moves.length = 0));
    for (let step = 0; step < 60; step += 1) {
      await page.mouse.move(box.x + box.width * (0.15 + step / 90), box.y + box.height * (0.4 + 0.3 * Math.sin(step / 7)));
      await page.waitForTimeout(16);
    }
    await page.waitForTimeout(300);
    const moves = await page.evaluate(() => keysideBench.moves);
    rows.push({ name: `hover over ${figure}`, events: moves.length, median: median(moves), longest: Math.max(...moves) });
  }
  await context.close();
  return rows;
}

/** The middle of several visits, for every kind of interaction: its usual latency, and its longest one. */
function merged(visits) {
  return visits[0].map(({ name }) => {
    const rows = visits.flatMap((visit) => visit.filter((row) => row.name === name)).toSorted((a, b) => a.longest - b.longest);
    const middle = rows[rows.length >> 1];
    return { ...middle, median: Math.round(median(rows.map((row) => row.median))), longest: Math.round(middle.longest), longest_of_all: Math.round(rows.at(-1).longest) };
  });
}

/** Sizes of what is read until the first plot: as it is, and as hosts send it. */
async function sizes(resources, until, base) {
  const rows = [];
  for (const { name, end } of [{ name: `${base}index.html`, end: 0 }, ...resources.filter(({ end }) => end <= until)]) {
    if (!name.startsWith(base)) continue;
    const bytes = await readFile(path.join(folder, new URL(name).pathname));
    rows.push({ name: name.slice(base.length), end, plain: bytes.length, gzip: gzipSync(bytes).length, brotli: brotliCompressSync(bytes).length });
  }
  const total = { name: "in all" };
  for (const key of ["plain", "gzip", "brotli"]) total[key] = rows.reduce((sum, row) => sum + row[key], 0);
  return [...rows, total];
}

const site = await serve(folder);
const browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium", args: FLAGS });
try {
  const loads = [];
  for (let round = 0; round < rounds; round += 1) {
    const empty = await emptyPage(browser, site.url);
    loads.push({ ...(await loading(browser, site.url)), empty });
  }
  const visits = [];
  for (let visit = 0; visit < Math.min(rounds, 3); visit += 1) visits.push(await using(browser, site.url));
  const of = (key) => Math.round(median(loads.map((load) => load[key])));
  const range = (key) => [Math.min, Math.max].map((pick) => Math.round(pick(...loads.map((load) => load[key]))));
  const summary = {
    slow_down: slow,
    rounds,
    // Figures of a machine that is busy otherwise say little.
    load_average: os.loadavg().map((load) => Math.round(load * 10) / 10),
    cores: os.cpus().length,
    empty_page_first_paint_ms: of("empty"),
    first_paint_ms: of("first_paint"),
    first_picture_ms: of("first_picture"),
    first_picture_range_ms: range("first_picture"),
    first_plot_ms: of("first_plot"),
    first_plot_range_ms: range("first_plot"),
    first_plot_is_marked: loads[0].marked,
    figures: loads[0].figures,
    figures_drawn_at_once: of("at_once"),
    last_of_them_ms: of("last_at_once"),
    longest_wait_after_scrolling_ms: of("scrolling"),
    before_first_plot: await sizes(loads[0].resources, loads[0].first_plot, site.url),
    interactions: merged(visits),
  };
  console.error(`an empty page's first paint ${summary.empty_page_first_paint_ms} ms, first paint ${summary.first_paint_ms} ms, first picture ${summary.first_picture_ms} ms, first plot ${summary.first_plot_ms} ms, ${summary.figures_drawn_at_once} of ${summary.figures} figures ${summary.last_of_them_ms} ms (medians of ${rounds}, ${slow}x slower; load ${summary.load_average[0]} on ${summary.cores} cores)`);
  table.table(summary.before_first_plot);
  table.table(summary.interactions);
  console.log(JSON.stringify(summary));
} finally {
  await browser.close();
  await site.close();
}
