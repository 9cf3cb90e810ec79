// The main jobs, once for all browsers.
import { cp, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { pathToFileURL } from "node:url";

import { arrays, goldenArrays, largestDifference } from "../e2e/compare.mjs";
import { check, fixture, page as built, root } from "../e2e/harness.mjs";
import { serve } from "../e2e/server.mjs";
import { id } from "./tab.mjs";

const TEXT = "When Mary and John went to the store, John gave a drink to";
const TINY = { head: "2.1", earlier: "1.3", batches: 3, size: 10, seed: 0 };
const NO_STORAGE = "this browser has no storage for files";
const FIGURES = ["keys_fixed_scores", "keys_fixed_probs", "queries_fixed_scores", "queries_fixed_probs", "heatmap"];

const plotOf = (figure) => `${id(`figure-${figure}`)} .plot canvas`;
const tipOf = (figure) => `${id(`figure-${figure}`)} ${id("tooltip")}`;
const keptOf = (figure) => `${id(`figure-${figure}`)} ${id("kept")}`;
const spokenOf = (figure) => `${id(`figure-${figure}`)} ${id("spoken")}`;

/** Fails where the golden numbers of the tiny checkpoint are others. */
async function checkGolden(result) {
  const golden = goldenArrays(JSON.parse(await readFile(fixture("tiny-golden.json"), "utf8")), TINY.head);
  const found = arrays(result);
  for (const [name, values] of Object.entries(golden)) {
    const difference = largestDifference(found[name], values);
    check(difference <= 1e-4, `${name}: a difference of ${difference}`);
  }
}

/** How many colors a plot has, and the one near its corner. */
const colorsOf = (tab, figure) =>
  tab.evaluate((selector) => {
    const canvas = document.querySelector(selector);
    const copy = new OffscreenCanvas(canvas.width, canvas.height).getContext("2d");
    copy.drawImage(canvas, 0, 0);
    const { data } = copy.getImageData(0, 0, canvas.width, canvas.height);
    const colors = new Set();
    for (let at = 0; at < data.length; at += 4) colors.add((data[at] << 16) | (data[at + 1] << 8) | data[at + 2]);
    return { colors: colors.size, corner: [...copy.getImageData(2, 2, 1, 1).data].slice(0, 3).join() };
  }, plotOf(figure));

/** The text of a figure's tooltip; empty where there is none. */
const tip = (tab, figure) => tab.text(tipOf(figure));

/** Moves the mouse over a figure at a part of its height until its tooltip begins with `title`. */
async function pointAt(tab, figure, title, height = 0.72) {
  const box = await tab.box(plotOf(figure));
  for (let x = 60; x < box.width - 10; x += 4) {
    const at = [box.left + x, box.top + box.height * height];
    await tab.shown.move(...at);
    await tab.frames();
    if ((await tip(tab, figure)).startsWith(title)) return at;
  }
  throw new Error(`nothing in ${figure} begins with ${title}`);
}

/** Opens "Your sentence" and asks about a sentence with the bundled model. */
async function ask(tab, text = TEXT) {
  await tab.click(id("tab-sentence"));
  await tab.fill(id("sentence-input"), text);
  await tab.shown.press("Enter");
  await tab.click(id("offer-bundled"));
  await tab.see(id("decomposition-sum"), "add up to");
  await tab.gone(id("asking"));
}

/** Waits until the service worker has everything. */
const kept = (tab) => tab.evaluate(() => navigator.serviceWorker.ready.then(({ active }) => active.state));

export const jobs = [
  {
    name: "the story opens in the place of the first view",
    async run(tab, { shoot }) {
      await tab.shown.goto(tab.url);
      await tab.see(id("answer"), "looks at");
      await tab.gone("#first-view");
      await tab.see(id("effect-words"), "9.9 (+2.99)");
      check(!(await tab.evaluate(() => document.querySelector('[data-testid="start-error"]')?.textContent)), "the page says that it can't start");
      const wider = await tab.evaluate(() => document.documentElement.scrollWidth - innerWidth);
      check(wider <= 0, `the page is ${wider} px wider than the window`);
      await shoot("story");
    },
  },
  ...[false, true].map((dark) => ({
    name: `all five figures are drawn: ${dark ? "dark" : "light"}`,
    options: { dark, height: 1000 },
    async run(tab, { shoot }) {
      await tab.open();
      await tab.drawn();
      for (const figure of FIGURES) {
        await tab.box(plotOf(figure));
        await tab.frames();
        const { colors, corner } = await colorsOf(tab, figure);
        check(colors > 20, `${figure} has ${colors} colors`);
        check(corner === (dark ? "22,25,29" : "255,255,255"), `behind ${figure} is ${corner}`);
        await shoot(`${figure}-${dark ? "dark" : "light"}`);
      }
    },
  })),
  {
    name: "a bin and a cell tell their values by mouse and keyboard",
    async run(tab, { shoot }) {
      await tab.open();
      await tab.drawn();
      await pointAt(tab, "keys_fixed_scores", "4.2 to 4.4");
      const lines = (await tip(tab, "keys_fixed_scores")).split("\n").map((line) => line.trim()).filter(Boolean);
      check(lines.length === 5 && lines.includes("No patching: 103"), lines.join("|"));
      await shoot("tooltip");
      // A click keeps them below the plot.
      await tab.shown.down();
      await tab.shown.up();
      await tab.shown.move(2, 2);
      await tab.see(keptOf("keys_fixed_scores"), "No patching: 103");
      await tab.gone(tipOf("keys_fixed_scores"));
      await tab.focus(plotOf("keys_fixed_scores"));
      await tab.shown.press("Home");
      await tab.see(spokenOf("keys_fixed_scores"), "\u22129.0 to \u22128.8");
      await tab.shown.press("ArrowUp");
      await tab.see(spokenOf("keys_fixed_scores"), "W_U[random]: 1200 values");
      await tab.focus(plotOf("heatmap"));
      await tab.shown.press("ArrowDown");
      await tab.see(spokenOf("heatmap"), "W_E (token embedding), contribution ");
      await tab.shown.press("ArrowDown");
      await tab.shown.press("End");
      await tab.see(spokenOf("heatmap"), "MLP 0, ");
      await tab.shown.press("+");
      await tab.see(`${id("figure-heatmap")} ${id("reset-zoom")}`);
      await tab.shown.press("0");
      await tab.gone(`${id("figure-heatmap")} ${id("reset-zoom")}`);
    },
  },
  {
    name: "a drag zooms, the legend shows and hides",
    async run(tab) {
      await tab.open();
      await tab.drawn();
      const figure = id("figure-keys_fixed_scores");
      const { left, top, width, height } = await tab.box(plotOf("keys_fixed_scores"));
      await tab.shown.move(left + width * 0.4, top + height * 0.7);
      await tab.shown.down();
      await tab.shown.move(left + width * 0.5, top + height * 0.7);
      await tab.shown.move(left + width * 0.6, top + height * 0.7);
      await tab.frames();
      await tab.shown.up();
      await tab.see(`${figure} ${id("reset-zoom")}`);
      await tab.click(`${figure} ${id("reset-zoom")}`);
      await tab.gone(`${figure} ${id("reset-zoom")}`);
      await tab.click(`${figure} .legend-entry`, "No patching");
      await tab.see(`${figure} .legend-entry[aria-pressed="false"]`, "No patching");
      await tab.focus(plotOf("keys_fixed_scores"));
      await tab.shown.press("Home");
      await tab.shown.press("ArrowUp");
      await tab.shown.press("ArrowUp");
      // The next box is the next series that is shown.
      await tab.see(spokenOf("keys_fixed_scores"), "NMH 9.9 output: 1200 values");
    },
  },
  {
    name: "a sentence is answered, and an arrow key chooses another key",
    async run(tab, { shoot }) {
      await tab.open();
      await ask(tab);
      const key = () => tab.evaluate(() => document.querySelector('[data-testid="tokens"]').getAttribute("aria-activedescendant"));
      await tab.focus(id("tokens"));
      await tab.shown.press("Home");
      await tab.until("the key is not the first token", () => document.querySelector('[data-testid="tokens"]').getAttribute("aria-activedescendant") === "token-0");
      await tab.gone(id("asking"));
      await tab.shown.press("ArrowRight");
      await tab.until("the key is not the second token", () => document.querySelector('[data-testid="tokens"]').getAttribute("aria-activedescendant") === "token-1");
      await tab.see(id("decomposition-sum"), "add up to");
      await shoot(`sentence-${await key()}`);
    },
  },
  {
    name: "the bundled model runs, on several threads where memory can be shared",
    async run(tab, { shoot, browser }) {
      await tab.open();
      await tab.settings({ model: "bundled", batches: 2, size: 20, seed: 1 });
      const result = await tab.run();
      check(result.histograms.true_score.length === 40, `${result.histograms.true_score.length} prompts`);
      const { max_abs_residual: residual } = result.heatmaps.key;
      check(residual < 1e-4, `contributions do not add up: ${residual}`);
      const { engine, threads } = result.timing;
      check(await tab.evaluate(() => crossOriginIsolated), "the page is not isolated");
      const told = `${engine} on ${threads} thread${threads > 1 ? "s" : ""}`;
      await tab.see(id("run-summary"), `${threads} thread`);
      await shoot("live");
      const [shares, cores] = await tab.evaluate(() => [typeof SharedArrayBuffer === "function", navigator.hardwareConcurrency]);
      check(shares || browser === "webkit", "memory can't be shared");
      check(threads === (shares ? Math.min(cores, 8) : 1), `${told}, of ${cores} cores`);
      return shares ? told : `${told}: memory can't be shared`;
    },
  },
  {
    name: "a model is kept, found after a reload without its server, and deleted; or it is said why not",
    async run(tab, { shoot, browser }) {
      const models = await serve(fixture("tiny"), { cors: true });
      await tab.open();
      const keeps = await tab.evaluate(() => typeof navigator.storage?.getDirectory === "function");
      check(keeps || browser === "webkit", "there is no storage for files");
      try {
        await tab.settings({ model: "url", url: models.url, ...TINY });
        await checkGolden(await tab.run());
      } finally {
        await models.close();
      }
      if (!keeps) await tab.see(id("notice-not-kept"), NO_STORAGE);
      await tab.open();
      await tab.click(`${id("models-panel")} summary`);
      if (!keeps) {
        await tab.see(id("none-stored"), NO_STORAGE);
        await shoot("not-stored");
        return NO_STORAGE;
      }
      await tab.see(id("stored-model"), new URL(models.url).host);
      await shoot("stored");
      await tab.click(id("use-stored"));
      await tab.settings(TINY);
      const result = await tab.run();
      await checkGolden(result);
      check(result.timing.bytes_from_network === 0, `${result.timing.bytes_from_network} bytes from the network`);
      await tab.click(id("delete-stored"));
      await tab.click(id("delete-for-good"));
      await tab.see(id("none-stored"));
    },
  },
  {
    name: "exported files open: SVG, PNG, result, a web page of one file from the disk",
    async run(tab, { shoot }) {
      await tab.open();
      await tab.drawn();
      const figure = id("figure-heatmap");
      await tab.click(`${figure} ${id("export-button")}`);
      const save = (what) => tab.download(() => tab.click(`${figure} ${id(`export-${what}`)}`));
      const files = {};
      for (const what of ["svg", "png", "page", "result"]) files[what] = await save(what);
      const folder = await mkdtemp(path.join(os.tmpdir(), "keyside-exports-"));
      try {
        for (const [what, ending] of Object.entries({ svg: "svg", png: "png", page: "html", result: "json" })) {
          await cp(files[what], path.join(folder, `exported.${ending}`));
        }
        const header = (await readFile(path.join(folder, "exported.png"))).subarray(0, 24);
        check(header.subarray(1, 4).toString() === "PNG" && header.readUInt32BE(16) >= 2000, `${header.toString("hex")} is no picture of 2000 pixels`);
        await tab.shown.setFiles(id("open-result"), [path.join(folder, "exported.json")]);
        await tab.see(id("run-summary"), "Opened from exported.json");
        // The SVG is drawn by the browser itself.
        const svg = await readFile(path.join(folder, "exported.svg"), "utf8");
        const size = await tab.evaluate(async (svg) => {
          const image = new Image();
          image.src = URL.createObjectURL(new Blob([svg], { type: "image/svg+xml" }));
          await image.decode();
          return [image.naturalWidth, image.naturalHeight];
        }, svg);
        check(size[0] >= 1000 && size[1] >= 600, `the SVG is ${size}`);
        await tab.shown.goto(pathToFileURL(path.join(folder, "exported.html")).href);
        await tab.see('[data-part="plot"]');
        await tab.focus('[data-part="plot"]');
        await tab.shown.press("ArrowDown");
        await tab.see('[data-part="tip"]', "contribution ");
        await shoot("web-page");
      } finally {
        await rm(folder, { recursive: true });
      }
    },
  },
  {
    name: "a tap keeps the values of a bar and of a cell below the plot",
    options: { width: 390, height: 844, touch: true },
    async run(tab, { shoot }) {
      await tab.open();
      await tab.drawn();
      for (const [figure, told] of [["keys_fixed_scores", "No patching: "], ["heatmap", "contribution "]]) {
        const box = await tab.box(plotOf(figure));
        await tab.shown.tap(box.left + box.width * 0.55, box.top + box.height * 0.6);
        await tab.see(keptOf(figure), told);
        await shoot(`tap-${figure}`);
      }
      await tab.click(`${id("largest-cells")} button`);
      await tab.see(keptOf("heatmap"), "head 0.11");
      const wider = await tab.evaluate(() => document.documentElement.scrollWidth - innerWidth);
      check(wider <= 0, `the page is ${wider} px wider than a phone`);
    },
  },
  {
    name: "where fingerprinting is resisted plots are drawn, and PNG and clipboard say that they would be noise and offer SVG",
    only: ["firefox"],
    options: { preferences: { "privacy.resistFingerprinting": true } },
    async run(tab, { shoot }) {
      await tab.open();
      await tab.drawn();
      const figure = id("figure-heatmap");
      await tab.click(`${figure} ${id("export-button")}`);
      for (const what of ["png", "copy-picture"]) {
        await tab.click(`${figure} ${id(`export-${what}`)}`);
        await tab.see(`${figure} .export-said`, "changes the pixels that a page reads back");
        await shoot(`noise-${what}`);
        const svg = await readFile(await tab.download(() => tab.click(`${figure} ${id("export-svg-instead")}`)), "utf8");
        check(svg.startsWith("<svg ") && svg.includes("MLP6"), svg.slice(0, 100));
      }
    },
  },
  {
    name: "without a server after one visit: the page, a live run",
    async run(tab, { site, shoot }) {
      await tab.open();
      check((await kept(tab)).startsWith("activ"), "the service worker is not there");
      await site.close();
      await tab.open();
      await tab.settings({ model: "bundled", batches: 1, size: 10 });
      const result = await tab.run();
      check(result.histograms.true_score.length === 10, "not ten prompts");
      await shoot("offline");
    },
    allow: /service-worker|Failed to fetch|ERR_CONNECTION_REFUSED|NetworkError/i,
  },
  {
    name: "a figure in a page of another origin, as high as its content",
    async run(tab, { site, shoot }) {
      const folder = await mkdtemp(path.join(os.tmpdir(), "keyside-blog-"));
      await cp(path.join(root, "public/recorded/gpt2-small-10.7.json"), path.join(folder, "own.json"));
      await writeFile(
        path.join(folder, "a.html"),
        `<!doctype html><html lang="en"><title>Blog</title><link rel="icon" href="data:,"><script>addEventListener("keyside-shown", ({ detail }) => (window.shown = detail), true)</script><script src="${site.url}keyside-plot.js" async></script><body><keyside-plot plot="keys_fixed_scores" src="own.json">Wait</keyside-plot>`,
      );
      // The host is not isolated: frames of other origins never are in one that is.
      const open = await serve(built, { cors: true });
      const blog = await serve(folder);
      try {
        const page = await readFile(path.join(folder, "a.html"), "utf8");
        await writeFile(path.join(folder, "a.html"), page.replace(site.url, open.url));
        await tab.shown.goto(`${blog.url}a.html`);
        const shown = await tab.until("no figure is shown", () => window.shown);
        check(shown === "Attention scores with keys fixed, head 10.7 of GPT-2 small", shown);
        const height = await tab.until("the frame has no height", () => document.querySelector("keyside-plot").shadowRoot.querySelector("iframe").clientHeight);
        check(height > 400, `the frame is ${height} px high`);
        await shoot("embed");
      } finally {
        await Promise.all([blog.close(), open.close()]);
        await rm(folder, { recursive: true });
      }
    },
  },
];
