// How fast the release page is on a slow machine: Chromium with its CPU slowed down (CDP).
//   make dist && node benches/page.mjs [FOLDER] [--slow 4] [--rounds 5]
// Prints a table to stderr, and everything as JSON. First picture: the frame that shows the first step of the story, which the page
// brings along. First plot: performance.mark("keyside-first-plot"), when the first canvas has been drawn and can be explored.
// Interaction latency: Event Timing from the input to the next frame that is painted; for hovering,
// which Event Timing leaves out, from the event to the end of the next frame. Interactions are those of three visits.
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import os from "node:os";
import path from "node:path";
import { setTimeout as pause } from "node:timers/promises";
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
    // What comes after it: all of it is there.
    if (!document.getElementById("after-first-view")) return;
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
    for (const { name, duration, interactionId: id, processingStart, startTime, target } of list.getEntries()) {
      const where = (target?.ariaLabel ?? target?.textContent ?? "").trim().slice(0, 40);
      if (id) seen.events.push({ id, name, duration, waited: processingStart - startTime, where });
    }
  }).observe({ type: "event", durationThreshold: 16, buffered: true });
  addEventListener("pointermove", ({ timeStamp }) => {
    afterFrame(() => seen.moves.push(performance.now() - timeStamp));
  }, { capture: true, passive: true });
}

/** What `question` answers in the page, once that is something. */
async function until(page, question, of) {
  for (const since = Date.now(); Date.now() - since < 120_000; await pause(50)) {
    const answer = await page.evaluate(question, of);
    if (answer) return answer;
  }
  throw new Error(`nothing came of ${question} in two minutes`);
}

/** An empty window on a slow machine, with nothing in its cache. The processes of the window before have ended, and its own have started. */
async function slowWindow(browser) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 } });
  const page = await context.newPage();
  await pause(2000);
  const session = await context.newCDPSession(page);
  // A window has a frame, too: without room for it the browser never shows what is at the bottom of the page, and what happens
  // there is seen only when something else is painted.
  const { windowId } = await session.send("Browser.getWindowForTarget");
  await session.send("Browser.setWindowBounds", { windowId, bounds: { width: 1300, height: 1000 } });
  await session.send("Emulation.setCPUThrottlingRate", { rate: slow });
  return { context, page };
}

/** The page, watched, with its first canvas drawn. */
async function open(browser, url) {
  const { context, page } = await slowWindow(browser);
  await page.addInitScript(watch);
  await page.goto(url);
  await until(page, () => Object.keys(keysideBench.drawn).length > 0);
  return { context, page };
}

/** When this browser, as slow, paints a page of one word: what of the figures is not the page's own. */
async function emptyPage(browser, url) {
  const { context, page } = await slowWindow(browser);
  await page.route(`${url}empty`, (route) => route.fulfill({ contentType: "text/html", body: "<!doctype html><title>empty</title><p>Empty</p>" }));
  await page.goto(`${url}empty`);
  const paint = await until(page, () => performance.getEntriesByName("first-contentful-paint")[0]?.startTime);
  await context.close();
  return paint;
}

async function loading(browser, url) {
  const { context, page } = await open(browser, url);
  await pause(2000);
  const times = await page.evaluate(() => ({
    first_paint: performance.getEntriesByName("first-contentful-paint")[0]?.startTime,
    first_picture: Math.max(keysideBench.picture, performance.getEntriesByName("first-contentful-paint")[0]?.startTime ?? 0),
    first_plot: performance.getEntriesByName("keyside-first-plot")[0]?.startTime ?? Math.min(...Object.values(keysideBench.drawn)),
    marked: performance.getEntriesByName("keyside-first-plot").length > 0,
    drawn: keysideBench.drawn,
    resources: performance.getEntriesByType("resource").map(({ name, responseEnd }) => ({ name, end: responseEnd })),
  }));
  // Figures that are drawn when they are needed: what scrolling to them takes.
  const figures = await page.evaluate(() => Array.from(document.querySelectorAll("[data-testid^=figure-]"), (figure) => figure.dataset.testid.slice(7)));
  let scrolling = 0;
  for (const name of figures) {
    if (times.drawn[name]) continue;
    const since = await page.evaluate((name) => (document.querySelector(`[data-testid=figure-${name}]`).scrollIntoView(), performance.now()), name);
    scrolling = Math.max(scrolling, (await until(page, (name) => keysideBench.drawn[name], name)) - since);
  }
  await context.close();
  return { ...times, at_once: Object.keys(times.drawn).length, figures: figures.length, last_at_once: Math.max(...Object.values(times.drawn)), scrolling };
}

/** Watches with the page's own functions: Playwright's locators would add listeners to every event of the pointer. */
const mark = (page, selector, nth = 0) =>
  page.evaluate(([selector, nth]) => {
    keysideBench.element = document.querySelectorAll(selector)[nth];
    return !!keysideBench.element;
  }, [selector, nth]);

/** Where the marked element is, in the window. */
const box = (page) => page.evaluate(() => {
  keysideBench.element.scrollIntoViewIfNeeded();
  const { x, y, width, height } = keysideBench.element.getBoundingClientRect();
  return { x, y, width, height };
});

/** Goes to the marked element with the pointer and waits until what that changes is done: a press comes later than the pointer. */
async function reach(page) {
  const { x, y, width, height } = await box(page);
  await page.mouse.move(x + width / 2, y + height / 2);
  await pause(250);
}

/** The same with the keyboard. */
async function focus(page) {
  await page.evaluate(() => keysideBench.element.focus());
  await pause(250);
}

async function press(page, clickCount = 1) {
  await page.mouse.down({ clickCount });
  await pause(30);
  await page.mouse.up({ clickCount });
}

/** Chooses a model as a reader does, without a pointer. */
const choose = (page, model) =>
  page.evaluate((model) => {
    const select = document.getElementById("model-select");
    select.value = model;
    select.dispatchEvent(new Event("change", { bubbles: true }));
  }, model);

const FIRST = "[data-testid=figure-keys_fixed_scores]";

const interactions = [
  ["show or hide a series", async (page) => {
    await mark(page, `${FIRST} .legend button`);
    await reach(page);
    for (let time = 0; time < 6; time += 1) {
      await press(page);
      await pause(150);
    }
  }],
  ["isolate a series", async (page) => {
    await mark(page, `${FIRST} .legend button`);
    await reach(page);
    for (const clickCount of [1, 2]) {
      await press(page, clickCount);
      await pause(100);
    }
  }],
  ["the heatmap's switch", async (page) => {
    await mark(page, "[data-testid=heatmap-variant]");
    await reach(page);
    await focus(page);
    for (let time = 0; time < 6; time += 1) {
      await page.keyboard.press("ArrowDown", { delay: 20 });
      await pause(200);
    }
  }],
  ["arrow keys in a plot", async (page) => {
    await mark(page, `${FIRST} [tabindex='0']`);
    await reach(page);
    await focus(page);
    // As a key repeats that is held: 30 times a second.
    for (let time = 0; time < 12; time += 1) {
      await page.keyboard.press("ArrowRight", { delay: 20 });
      await pause(13);
    }
  }],
  ["open and close what opens", async (page) => {
    const count = await page.evaluate(() => {
      const all = document.querySelectorAll('summary, button[aria-haspopup]:enabled, button[aria-expanded="false"]:enabled');
      keysideBench.openers = [...all].filter((element) => element.checkVisibility());
      return keysideBench.openers.length;
    });
    for (let nth = 0; nth < count; nth += 1) {
      const is_summary = await page.evaluate((nth) => {
        keysideBench.element = keysideBench.openers[nth];
        return keysideBench.element.localName === "summary";
      }, nth);
      await reach(page);
      await press(page);
      // A large table comes, and goes, after what is shown of the press.
      await pause(400);
      await page.keyboard.press("Escape", { delay: 20 });
      await pause(100);
      if (is_summary) await press(page);
      await pause(400);
    }
  }],
  ["type into a field", async (page) => {
    await choose(page, "url");
    await pause(400);
    await mark(page, "#head-input");
    await reach(page);
    await press(page);
    // A hundred and fifty words a minute.
    for (const character of "10.7 11.10 9.9") {
      await page.keyboard.press(character === " " ? "Space" : character, { delay: 40 });
      await pause(40);
    }
    await choose(page, "recorded");
  }],
];

/** Interaction to Next Paint: the longest interaction, where one of each fifty may be longer. */
function nextPaint(events) {
  const interactions = new Map();
  for (const { id, duration } of events) interactions.set(id, Math.max(duration, interactions.get(id) ?? 0));
  const durations = [...interactions.values()].toSorted((a, b) => b - a);
  return durations[Math.floor(durations.length / 50)];
}

/** Longest and middle latency of every kind of interaction, and of all of them, on the tab with all kinds of figures. */
async function using(browser, url) {
  const { context, page } = await open(browser, `${url}?tab=prompts`);
  await pause(4000);
  const rows = [];
  const all = [];
  for (const [name, run] of interactions) {
    await page.evaluate(() => (keysideBench.events.length = 0));
    await run(page);
    await pause(500);
    const events = await page.evaluate(() => keysideBench.events);
    all.push(...events);
    const durations = events.map(({ duration }) => duration);
    const slowest = events.toSorted((a, b) => b.duration - a.duration)[0];
    const which = slowest && `${slowest.name}, after ${Math.round(slowest.waited)} ms: ${slowest.where}`;
    // What takes less than a frame is not reported.
    rows.push({ name, events: durations.length, median: durations.length ? median(durations) : 16, longest: Math.max(16, ...durations), which });
  }
  for (const figure of ["keys_fixed_scores", "heatmap"]) {
    await mark(page, `[data-testid=figure-${figure}] canvas`);
    const { x, y, width, height } = await box(page);
    await pause(500);
    await page.evaluate(() => (keysideBench.moves.length = 0));
    for (let step = 0; step < 60; step += 1) {
      await page.mouse.move(x + width * (0.15 + step / 90), y + height * (0.4 + 0.3 * Math.sin(step / 7)));
      await pause(16);
    }
    await pause(300);
    const moves = await page.evaluate(() => keysideBench.moves);
    rows.push({ name: `hover over ${figure}`, events: moves.length, median: median(moves), longest: Math.max(...moves) });
  }
  await context.close();
  return { rows, next_paint: nextPaint(all) };
}

/** The middle of several visits, for every kind of interaction: its usual latency, and its longest one. */
function merged(visits) {
  return visits[0].rows.map(({ name }) => {
    const rows = visits.flatMap((visit) => visit.rows.filter((row) => row.name === name)).toSorted((a, b) => a.longest - b.longest);
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
    interaction_to_next_paint_ms: visits.map((visit) => visit.next_paint),
  };
  console.error(`an empty page's first paint ${summary.empty_page_first_paint_ms} ms, first paint ${summary.first_paint_ms} ms, first picture ${summary.first_picture_ms} ms, first plot ${summary.first_plot_ms} ms, ${summary.figures_drawn_at_once} of ${summary.figures} figures ${summary.last_of_them_ms} ms (medians of ${rounds}, ${slow}x slower; load ${summary.load_average[0]} on ${summary.cores} cores)`);
  table.table(summary.before_first_plot);
  table.table(summary.interactions);
  console.error(`interaction to next paint: ${summary.interaction_to_next_paint_ms.join(", ")} ms (of each visit)`);
  console.log(JSON.stringify(summary));
} finally {
  await browser.close();
  await site.close();
}
