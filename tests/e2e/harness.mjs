// Starts the servers and Chromium, runs scenarios, and counts.
import { mkdir } from "node:fs/promises";
import { availableParallelism } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";

import { chromium } from "playwright-core";

import { serve } from "./server.mjs";
import { inVersion1 } from "./version_1.mjs";

export const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), "../..");
export const target = process.env.KEYSIDE_TARGET ?? path.join(root, "target");
/** The folder of the page that is tested. */
export const page = process.env.KEYSIDE_PAGE ?? path.join(target, "page-test");
export const fixture = (name) => path.join(root, "tests/fixtures", name);

export const FLAGS = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
  "--disable-dev-shm-usage",
];

/** A software adapter: right, and slow. Without these flags a headless browser has no GPU. */
export const SOFTWARE_GPU = ["--enable-unsafe-webgpu", "--use-webgpu-adapter=swiftshader"];

/** One open page, and whatever went wrong in it. */
export class Tab {
  constructor(page, url) {
    this.page = page;
    this.url = url;
    this.complaints = [];
    this.allowed = [];
    // A page may be left, and its server stopped, before its icon has come.
    const left = (url, text) => /\/icons\/icon[^/]*$/.test(url) && /net::ERR_/.test(text);
    page.on("console", (message) => {
      if (message.type() === "error" && !left(message.location().url, message.text())) this.complaints.push(`console: ${message.text()}`);
    });
    page.on("pageerror", (error) => this.complaints.push(`page error: ${error.message}`));
    page.on("requestfailed", (request) => {
      const cause = `${request.failure()?.errorText}`;
      if (!left(request.url(), cause)) this.complaints.push(`request failed: ${request.url()} ${cause}`);
    });
  }

  /** The element of a test id. */
  at(name) {
    return this.page.getByTestId(name);
  }

  /** Opens the part about many prompts and waits until the recorded run is drawn. */
  async open() {
    await this.page.goto(`${this.url}?tab=prompts`);
    await this.opened();
  }

  /** Waits until the recorded run is drawn. */
  async opened() {
    await this.at("run-summary").getByText("Recorded run").first().waitFor();
  }

  /** Opens the story and waits until it has taken the place of the first view. */
  async openStory(query = "") {
    await this.page.goto(this.url + query);
    await this.storyOpened();
  }

  /** Waits until the story has taken the place of the first view. */
  async storyOpened() {
    await this.at("answer").waitFor();
    await this.page.locator("#first-view").waitFor({ state: "detached" });
  }

  /** Opens the page without its code; answers what lets that come. */
  async openWithoutCode() {
    let arrive;
    const arrived = new Promise((done) => (arrive = done));
    await this.page.route(/page-[0-9a-f]+_bg\.wasm$/, async (route) => {
      await arrived;
      await route.continue();
    });
    await this.page.goto(this.url);
    return arrive;
  }

  /** A complaint that a scenario provokes on purpose. */
  allow(pattern) {
    this.allowed.push(pattern);
  }

  /** Chooses a model and fills in the fields given. */
  async fill(settings) {
    const fields = {
      url: "model-url",
      head: "head-input",
      earlier: "earlier-head-input",
      seed: "seed-input",
      batches: "batches-input",
      size: "batch-size-input",
    };
    // Where there is no room beside the figures, the controls are folded.
    const toggle = this.at("controls-toggle");
    if ((await toggle.isVisible()) && (await toggle.getAttribute("aria-expanded")) === "false") await toggle.click();
    if (settings.model) await this.at("model-select").selectOption(settings.model);
    for (const [key, name] of Object.entries(fields)) {
      if (settings[key] === undefined) continue;
      // The page fills heads in itself when it learns of the model: between the selection of the old text and the new one, too.
      const [field, text] = [this.at(name), String(settings[key])];
      await until(this.page, () => field.fill(text).then(() => field.inputValue()), (value) => value === text, `${name} is not ${text}`);
    }
  }

  /** Runs what the form says, to the end. */
  async run(timeout = 60_000) {
    await this.at("run-button").click();
    // Until the first batch has come the last run is shown, which may be a finished one too.
    await this.at("cancel-button").and(this.page.locator(":disabled")).waitFor({ state: "attached", timeout });
    await this.at("run-summary").getByText("Live run, finished").waitFor({ timeout });
  }

  /** The file that "Download result" gives, parsed, in the names of version 1. */
  async download() {
    const [download] = await Promise.all([this.page.waitForEvent("download"), this.at("download-result").click()]);
    const chunks = [];
    for await (const chunk of await download.createReadStream()) chunks.push(chunk);
    return { name: download.suggestedFilename(), result: inVersion1(JSON.parse(Buffer.concat(chunks).toString())) };
  }

  /** Unexpected console errors, exceptions and failed requests. */
  unexpected() {
    return this.complaints.filter((text) => !this.allowed.some((pattern) => pattern.test(text)));
  }
}

/** What makes `serve` begin the worker's script with `script`: of a browser that lacks something there, or does it otherwise. */
export const workerBegins = (script) => async (file, read) =>
  /\/worker-[0-9a-f]+\.js$/.test(file) ? { body: `{${script}}\n${await read()}` } : undefined;

/** Runs `use` with a tab whose page comes from a server of its own, with `options` of `serve`. */
export async function withSite(tab, options, use) {
  const site = await serve(page, options);
  const url = tab.url;
  tab.url = site.url;
  try {
    await use(site);
  } finally {
    tab.url = url;
    await site.close();
  }
}

/** Fails with `message` unless `condition` holds. */
export function check(condition, message) {
  if (!condition) throw new Error(message);
}

/** Red, green and blue of a pixel near the corner of a plot: of what is behind it. */
export const cornerOf = (canvas) =>
  canvas.evaluate((canvas) => {
    const copy = new OffscreenCanvas(canvas.width, canvas.height).getContext("2d");
    copy.drawImage(canvas, 0, 0);
    return [...copy.getImageData(2, 2, 1, 1).data].slice(0, 3);
  });

/**
 * Waits until `test` accepts what `read` answers, which is asked anew after each frame that `page` paints, and answers it. Fails after
 * `timeout` with `what` and the last answer.
 */
export async function until(page, read, test, what, timeout = 15_000) {
  for (const end = Date.now() + timeout; ; ) {
    const found = await read();
    if (test(found)) return found;
    check(Date.now() < end, `${what}: ${JSON.stringify(found)}`);
    await page.evaluate(() => new Promise(requestAnimationFrame));
  }
}

/** Waits until the pixel near the corner of a plot is of `color`, "red,green,blue". */
export const cornerIs = (canvas, color, what) => until(canvas.page(), async () => (await cornerOf(canvas)).join(), (found) => found === color, what);

/** Waits until the plots are drawn, also those that wait for an idle moment, and painted: a canvas begins with 300 x 150 pixels. */
export async function drawn(page) {
  await page.waitForFunction(() =>
    [...document.querySelectorAll(".figure > .plot canvas, .figure > div > .plot canvas")].every((canvas) => canvas.width !== 300 || canvas.height !== 150 || !canvas.offsetParent),
  );
  await threeFrames(page);
}

/** Waits until `frame`, a page or a frame in it, has been painted three times. */
export const threeFrames = (frame) =>
  frame.evaluate(async () => {
    for (let painted = 0; painted < 3; painted += 1) await new Promise(requestAnimationFrame);
  });

/** How many scenarios run beside each other, each lane with a browser and a server of its own: much of a scenario is waiting. */
const LANES = Math.min(2, availableParallelism());

/** Runs `scenarios` ({ name, run, timeout?, context?, flags? }) and prints "N passed, N failed". */
export async function runAll(scenarios) {
  const screenshots = path.join(root, "screenshots");
  await mkdir(screenshots, { recursive: true });
  const waiting = scenarios.values();
  const lanes = await Promise.all(Array.from({ length: LANES }, () => lane(waiting, screenshots)));
  const failed = lanes.reduce((sum, failed) => sum + failed, 0);
  console.log(`${scenarios.length - failed} passed, ${failed} failed`);
  process.exitCode = failed ? 1 : 0;
}

/** Runs scenarios for as long as some are waiting, one after the other; answers how many failed. */
async function lane(waiting, screenshots) {
  const site = await serve(page, { isolated: true });
  // One for all scenarios with the same flags.
  const browsers = new Map();
  const browserOf = async (flags) => {
    const key = flags.join(" ");
    if (!browsers.has(key)) browsers.set(key, await chromium.launch({ executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium", args: [...FLAGS, ...flags] }));
    return browsers.get(key);
  };
  let failed = 0;
  for (const scenario of waiting) {
    if (!(await passes(scenario, await browserOf(scenario.flags ?? []), { site, screenshots }))) failed += 1;
  }
  for (const browser of browsers.values()) await browser.close();
  await site.close();
  return failed;
}

/** Runs one scenario in a tab of its own, and says how it ended. */
async function passes({ name, run, timeout = 60_000, context: options = {} }, browser, { site, screenshots }) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 }, acceptDownloads: true, serviceWorkers: "block", ...options });
  const view = await context.newPage();
  const tab = new Tab(view, site.url);
  const started = Date.now();
  let timer;
  // Not waited for: it ends a scenario that would wait for ever.
  const limit = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`took more than ${timeout / 1000} s`)), timeout);
  });
  try {
    await Promise.race([run(tab, { site, screenshots }), limit]);
    check(tab.unexpected().length === 0, tab.unexpected().join("\n"));
    console.log(`ok      ${name} (${((Date.now() - started) / 1000).toFixed(1)} s)`);
    return true;
  } catch (error) {
    console.log(`FAILED  ${name}: ${error.message}`);
    for (const complaint of tab.unexpected()) console.log(`        ${complaint}`);
    await view.screenshot({ path: path.join(screenshots, `failed-${name.replaceAll(/\W+/g, "-")}.png`) }).catch(() => {});
    return false;
  } finally {
    clearTimeout(timer);
    await context.close();
  }
}
