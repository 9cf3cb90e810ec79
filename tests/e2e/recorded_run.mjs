// What a visitor sees and does without running anything.
import { readFile } from "node:fs/promises";
import path from "node:path";

import { check, drawn, root, until } from "./harness.mjs";

const HISTOGRAMS = ["keys_fixed_scores", "keys_fixed_probs", "queries_fixed_scores", "queries_fixed_probs"];
const recorded = path.join(root, "public/recorded/gpt2-small-10.7.json");

/** Number of different colours on a figure's canvas: 1 for an empty one. */
export async function colours(tab, figure) {
  return tab.at(`figure-${figure}`).locator("canvas").first().evaluate((canvas) => {
    const copy = new OffscreenCanvas(canvas.width, canvas.height).getContext("2d");
    copy.drawImage(canvas, 0, 0);
    const { data } = copy.getImageData(0, 0, canvas.width, canvas.height);
    const seen = new Set();
    for (let i = 0; i < data.length; i += 4) seen.add((data[i] << 16) | (data[i + 1] << 8) | data[i + 2]);
    return seen.size;
  });
}

/** The pixels of a figure's canvas, as one string. */
const pixels = (tab, figure) => tab.at(`figure-${figure}`).locator("canvas").first().evaluate((canvas) => canvas.toDataURL());

/** Moves the pointer over a figure until a tooltip answers `pattern`. */
async function hoverUntil(tab, figure, pattern) {
  const canvas = tab.at(`figure-${figure}`).locator("canvas").first();
  await canvas.scrollIntoViewIfNeeded();
  const box = await canvas.boundingBox();
  for (const y of [0.75, 0.6, 0.5]) {
    for (let x = 0.2; x < 0.85; x += 0.05) {
      await tab.page.mouse.move(box.x + box.width * x, box.y + box.height * y);
      const tooltip = tab.at("tooltip").filter({ visible: true });
      const text = (await tooltip.count()) ? await tooltip.first().innerText() : "";
      if (pattern.test(text)) return text;
    }
  }
  throw new Error(`no tooltip over ${figure} says ${pattern}`);
}

/** Where the parts of the first view are, and what takes their place. */
const placesOf = (tab, root) =>
  tab.page.evaluate((root) => {
    const parts = ["h1", ".lead", ".tokens", ".token.key", ".token.query", ".answer"];
    const place = (part) => document.querySelector(`${root} ${part}`).getBoundingClientRect();
    return Object.fromEntries(parts.map((part) => [part, [place(part).x, place(part).y, place(part).width, place(part).height]]));
  }, root);

const WINDOWS = [
  ["wide", { viewport: { width: 1280, height: 900 } }],
  ["narrow-dark", { viewport: { width: 390, height: 844 }, colorScheme: "dark" }],
];

export const recordedRun = [
  ...WINDOWS.map(([name, context]) => ({
    name: `the sentence is there before the code is, and nothing moves when that has come: ${name}`,
    context,
    async run(tab, { screenshots }) {
      const arrive = await tab.openWithoutCode();
      const key = tab.page.locator("#first-view .token.key");
      check((await key.innerText()).includes("Mary"), "the key is not marked");
      // Of the theme that the system asks for.
      const background = await tab.page.evaluate(() => getComputedStyle(document.querySelector("#first-view .card")).backgroundColor);
      check(background === (name.endsWith("dark") ? "rgb(22, 25, 29)" : "rgb(255, 255, 255)"), background);
      const bar = await key.locator("rect").evaluate((rect) => rect.getBoundingClientRect().width / rect.ownerSVGElement.getBoundingClientRect().width);
      check(Math.abs(bar - 0.81) < 0.01, `the bar of the key has ${bar} of its place`);
      const before = await placesOf(tab, "#first-view");
      await tab.page.screenshot({ path: path.join(screenshots, `first-view-${name}.png`) });
      arrive();
      await tab.storyOpened();
      const after = await placesOf(tab, "body");
      for (const [part, place] of Object.entries(before)) {
        const moved = Math.max(...place.map((value, at) => Math.abs(value - after[part][at])));
        check(moved <= 2, `${part} has moved or grown by ${moved} pixels: ${place} to ${after[part]}`);
      }
    },
  })),
  {
    name: "an address that asks for something else is not answered with the first view",
    async run(tab) {
      const asked = [
        ["?theme=dark", true],
        ["?v=1&tab=story&theme=dark", true],
        ["?v=1&theme=dark", false],
        ["?v=1&model=bundled", false],
        ["?embed=heatmap", false],
      ];
      await tab.page.route(/page-[0-9a-f]+\.js$/, (route) => route.abort());
      tab.allow(/page-[0-9a-f]+\.js|ERR_FAILED/);
      for (const [query, shown] of asked) {
        await tab.page.goto(tab.url + query);
        check((await tab.page.locator("#first-view h1").isVisible()) === shown, `${query}: the first view is ${shown ? "not " : ""}there`);
      }
    },
  },
  {
    name: "opens on the recorded run, with no click and no model",
    async run(tab, { site }) {
      const before = site.requests.length;
      await tab.open();
      for (const name of [...HISTOGRAMS, "heatmap"]) check((await colours(tab, name)) > 5, `${name} is not drawn`);
      const expected = JSON.parse(await readFile(recorded, "utf8"));
      for (const name of HISTOGRAMS) {
        const labels = await tab.at(`figure-${name}`).locator(".legend button code").allInnerTexts();
        const wanted = Object.keys(expected.histograms[name].series);
        check(labels.toSorted().join() === wanted.toSorted().join(), `legend of ${name}: ${labels}`);
      }
      const pressed = await tab.at("figure-keys_fixed_scores").locator('.legend button[aria-pressed="false"]').allInnerTexts();
      check(pressed.toSorted().join() === "W_U[S],W_U[random name]", `hidden at the start: ${pressed}`);
      const identity = await tab.at("identity-text").innerText();
      check(identity.includes("3.667") && identity.includes("4.505") && identity.includes("0.838"), identity);
      const asked = site.requests.slice(before).map((request) => request.path);
      check(!asked.some((file) => file.startsWith("/models/")), `a model was read: ${asked}`);
    },
  },
  {
    name: "legend entries toggle their series",
    async run(tab) {
      await tab.open();
      const entry = tab.at("figure-keys_fixed_scores").getByRole("button", { name: "W_U[S]" });
      const before = await pixels(tab, "keys_fixed_scores");
      await entry.click();
      check((await entry.getAttribute("aria-pressed")) === "true", "not pressed after a click");
      const becomes = (same, what) => until(tab.page, async () => (await pixels(tab, "keys_fixed_scores")) === before, (found) => found === same, what);
      await becomes(false, "the picture did not change");
      await entry.click();
      await tab.page.mouse.move(0, 0);
      await becomes(true, "the picture did not come back");
    },
  },
  {
    name: "values on hover: a bin's range and counts, a cell's contribution",
    async run(tab) {
      await tab.open();
      const bin = await hoverUntil(tab, "keys_fixed_scores", /\d+(\.\d+)? (to|–|\.\.)|\[.*\)/);
      check(/W_U|No patching|NMH/.test(bin), `the tooltip names no series: ${bin}`);
      const cell = await hoverUntil(tab, "heatmap", /head \d+\.\d+/i);
      check(/\d\.\d{4}/.test(cell), `the tooltip has no value: ${cell}`);
    },
  },
  {
    name: "a result file opens, by the picker",
    async run(tab) {
      await tab.open();
      await tab.at("open-result").setInputFiles(recorded);
      await tab.at("run-summary").getByText("gpt2-small-10.7.json").waitFor();
      const { name, result } = await tab.download();
      check(name === "keyside-gpt-2-small-10.7.json", name);
      check(result.format === "keyside-result/2" && result.head === "10.7", "not the result that was opened");
    },
  },
  ...[
    ["wide", { viewport: { width: 1280, height: 800 } }],
    ["phone", { viewport: { width: 390, height: 844 }, deviceScaleFactor: 2 }],
    ["narrow", { viewport: { width: 320, height: 700 } }],
    ["wide-dark", { viewport: { width: 1280, height: 800 }, colorScheme: "dark" }],
  ].map(([name, context]) => ({
    name: `fits the screen: ${name}`,
    context,
    async run(tab, { screenshots }) {
      await tab.open();
      const { scroll, width } = await tab.page.evaluate(() => ({
        scroll: document.documentElement.scrollWidth,
        width: document.documentElement.clientWidth,
      }));
      check(scroll <= width, `scrolls sideways: ${scroll} > ${width}`);
      await drawn(tab.page);
      await tab.page.screenshot({ path: path.join(screenshots, `recorded-${name}.png`) });
      await tab.page.screenshot({ path: path.join(screenshots, `recorded-${name}-full.png`), fullPage: true });
    },
  })),
];
