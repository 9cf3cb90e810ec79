// Figures as web pages of one file: opened from the disk, with every network refused.
import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { pathToFileURL } from "node:url";
import { promisify } from "node:util";

import { checkView } from "./axe.mjs";
import { check, root, target, until } from "./harness.mjs";
import { inVersion1 } from "./version_1.mjs";

const RECORDED = path.join(root, "public/recorded/gpt2-small-10.7.json");
const execute = promisify(execFile);

/** Writes the page of `figures`, opens it from the disk and looks at it; every request but for the file fails the scenario. */
const withPage = (tab, figures, run) =>
  withFile(tab, "figure.html", (file) => ["plot", RECORDED, ...figures.flatMap((figure) => ["--figure", figure]), "--html", file], run);

/** The same of a page `name` that the command line of `command` writes. */
async function withFile(tab, name, command, run) {
  const folder = await mkdtemp(path.join(os.tmpdir(), "keyside-page-"));
  try {
    const file = path.join(folder, name);
    await execute(path.join(target, "release/keyside"), command(file));
    const requests = [];
    tab.page.on("request", (request) => requests.push(request.url()));
    await tab.page.context().setOffline(true);
    await tab.page.goto(pathToFileURL(file).href);
    await run(tab.page, folder);
    check(requests.every((url) => url.startsWith("file:")), `the page asks for ${requests}`);
    check(requests.length === 1, `${requests.length} requests`);
  } finally {
    await rm(folder, { recursive: true });
  }
}

export const plotOf = (page, number = 0) => page.locator('[data-part="plot"]').nth(number);
const tipOf = (page, number = 0) => page.locator('[data-part="tip"]').nth(number);
/** The lines of a tooltip; none where it is not shown. */
export const told = async (page, number = 0) => {
  const tip = tipOf(page, number);
  return (await tip.isVisible()) ? tip.locator("div").allInnerTexts() : [];
};
/** The lines of what is picked; none where nothing is. */
export const kept = (page, number = 0) => page.locator('[data-part="kept"]').nth(number).evaluate((kept) => (kept.classList.contains("empty") ? [] : [...kept.children].map((line) => line.innerText)));
/** What the middle of a target is on the screen. */
export const middleOf = (page, number, of) =>
  page.evaluate(
    ([number, of]) => {
      const root = document.querySelectorAll('[data-part="plot"]')[number].closest('[role="group"]');
      const { size, targets } = JSON.parse(root.querySelector('[data-part="data"]').textContent);
      const target = targets.find(({ lines }) => lines[0].startsWith(of));
      const frame = root.querySelector("svg").getBoundingClientRect();
      const [left, top, width, height] = target.mark.map((length) => (length * frame.width) / size[0]);
      return [frame.left + left + width / 2, frame.top + top + height / 2];
    },
    [number, of],
  );
/** The value that the result has for a cell of its heatmap. */
async function valueOf(component) {
  const result = inVersion1(JSON.parse(await readFile(RECORDED, "utf8")));
  const [layer, head] = component.split(".").map(Number);
  return result.heatmaps.key.values[layer + 1][head];
}
const near = (text, value) => Math.abs(Number(text.replace("contribution ", "").replace("−", "-")) - value) < 5.1e-5;
export const background = (page, number = 0) => plotOf(page, number).evaluate((plot) => getComputedStyle(plot.closest('[role="group"]')).backgroundColor);
/** The color of an axis' title. */
const ink = (page, number = 0) => plotOf(page, number).evaluate((plot) => getComputedStyle([...plot.querySelectorAll("text")].at(-1)).fill);
const visible = (page, group) => page.locator(`[data-group="${group}"]`).first().evaluate((element) => element.getAttribute("display") !== "none");

export const webPage = [
  {
    name: "a heatmap in one file, without a network: hover, click, keys, Escape, axe",
    async run(tab, { screenshots }) {
      await withPage(tab, ["heatmap_key"], async (page) => {
        const value = await valueOf("5.9");
        await page.mouse.move(...(await middleOf(page, 0, "head 5.9")));
        let lines = await told(page);
        check(lines[0] === "head 5.9" && near(lines[1], value), `${lines} instead of ${value}`);
        await page.mouse.move(5, 5);
        check((await told(page)).length === 0, "a tooltip stays");
        await page.mouse.click(...(await middleOf(page, 0, "head 5.9")));
        await page.mouse.move(5, 5);
        check((await kept(page))[0] === "head 5.9" && near((await kept(page))[1], value), `what is picked does not stay: ${await kept(page)}`);
        check((await told(page)).length === 0, "a tooltip stays over the plot");
        await plotOf(page).focus();
        await page.keyboard.press("ArrowRight");
        check((await told(page))[0] === "head 5.10", `${await told(page)}`);
        await page.keyboard.press("ArrowDown");
        await page.keyboard.press("Home");
        check((await told(page))[0] === "head 6.0", `${await told(page)}`);
        check((await page.getByRole("status").innerText()).startsWith("head 6.0, contribution "), "nothing is said");
        await page.keyboard.press("Enter");
        await page.locator("body").click({ position: { x: 2, y: 2 } });
        check((await kept(page))[0] === "head 6.0", "Enter does not pick");
        await page.screenshot({ path: path.join(screenshots, "web-page-heatmap.png") });
        await checkView(page, "a cell is picked");
        await plotOf(page).focus();
        await page.keyboard.press("Escape");
        check((await told(page)).length === 0 && (await kept(page)).length === 0, "Escape does not let go");
      });
    },
  },
  {
    name: "a histogram in one file: the legend shows and hides series, bars keep their counts",
    async run(tab, { screenshots }) {
      await withPage(tab, ["keys_fixed_scores"], async (page) => {
        const series = (label) => page.locator(".legend button", { hasText: label }).first();
        const number = async (label) => series(label).getAttribute("data-series");
        const io = await number("W_U[IO]");
        const axis = async () => (await page.locator('[data-group^="c"]').evaluateAll((groups) => groups.filter((group) => group.getAttribute("display") !== "none").map((group) => group.dataset.group))).join();
        const before = await axis();
        check((await visible(page, `b${io}`)) && (await visible(page, `x${io}`)), "a series is missing");
        await page.mouse.move(...(await middleOf(page, 0, "W_U[IO]: 1200")));
        check((await told(page))[0] === "W_U[IO]: 1200 values", `${await told(page)}`);
        await series("W_U[IO]").click();
        check((await series("W_U[IO]").getAttribute("aria-pressed")) === "false", "the button does not say so");
        check(!(await visible(page, `b${io}`)) && !(await visible(page, `x${io}`)), "a hidden series is shown");
        // All but one are hidden: the axis is that of its largest count, and it reaches nearly to the top.
        for (const label of ["NMH 9.9", "No patching", "W_U[random]", "W_U[S]"]) {
          if ((await series(label).getAttribute("aria-pressed")) === "true") await series(label).click();
        }
        await series("W_U[random name]").click();
        check((await axis()) !== before, "the axis of counts stays");
        const random = await number("W_U[random name]");
        const [bars, drawing] = await Promise.all([page.locator(`[data-group="b${random}"]`).first().boundingBox(), page.locator("svg").boundingBox()]);
        check(bars.height > 0.55 * drawing.height && bars.height < 0.8 * drawing.height, `bars are ${bars.height} of ${drawing.height}`);
        // Keys pass over what is hidden: bins that only hidden series fill, and boxes.
        await plotOf(page).focus();
        let bins = 0;
        let counted = 0;
        for (let last = ""; ; bins += 1) {
          await page.keyboard.press(bins ? "ArrowRight" : "Home");
          const lines = await told(page);
          if (lines.join() === last) break;
          last = lines.join();
          check(lines.length === 2 && lines[1].startsWith("W_U[random name]: "), `${lines}`);
          counted += Number(lines[1].split(": ")[1]);
        }
        check(counted === 1200 && bins > 10, `${counted} values in ${bins} bins`);
        await page.keyboard.press("ArrowUp");
        check((await told(page))[0] === "W_U[random name]: 1200 values", `${await told(page)}`);
        await page.screenshot({ path: path.join(screenshots, "web-page-histogram.png") });
        await checkView(page, "one series is shown");
      });
    },
  },
  {
    name: "a figure in one file on a phone: a tap picks, another one lets go; dark as the system is, and by its switch",
    context: { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true, colorScheme: "dark" },
    async run(tab, { screenshots }) {
      await withPage(tab, ["heatmap_key"], async (page) => {
        check((await background(page)) === "rgb(22, 25, 29)" && (await ink(page)) === "rgb(228, 230, 233)", `${await background(page)}, ${await ink(page)}`);
        const at = await middleOf(page, 0, "head 3.1");
        await page.touchscreen.tap(...at);
        check((await kept(page))[0] === "head 3.1", `${await kept(page)}`);
        await page.screenshot({ path: path.join(screenshots, "web-page-phone.png") });
        await page.touchscreen.tap(...at);
        check((await kept(page)).length === 0, "a second tap does not let go");
        const wide = await page.evaluate(() => document.documentElement.scrollWidth);
        check(wide <= 390, `the page is ${wide} wide`);
        await checkView(page, "dark, on a phone");
        await page.locator('[data-part="theme"]').click();
        check((await background(page)) === "rgb(255, 255, 255)" && (await ink(page)) === "rgb(36, 36, 36)", "the switch does nothing");
        await page.emulateMedia({ colorScheme: "light" });
        check((await background(page)) === "rgb(255, 255, 255)", "light is not light");
        await page.locator('[data-part="theme"]').click();
        check((await background(page)) === "rgb(22, 25, 29)", "the switch is stuck");
      });
    },
  },
  {
    name: "thirty figures in one document, taken out and put in again: none disturbs another, and nothing stays",
    timeout: 120_000,
    async run(tab) {
      await withPage(tab, ["heatmap_key", "keys_fixed_probs", "heatmap_key"], async (page) => {
        // The same figure twice: each answers for itself.
        await plotOf(page, 2).focus();
        await page.keyboard.press("End");
        check((await told(page, 2)).length > 0 && (await told(page, 0)).length === 0, "another figure answers");
        await page.locator('[data-part="theme"]').nth(1).click();
        const colors = await Promise.all([0, 1, 2].map((number) => background(page, number)));
        check(colors[1] !== colors[0] && colors[2] === colors[0], `${colors}`);
        check((await page.locator("[id]").count()) === 0, "there are ids");
        // As a notebook does it: text into an element, scripts made anew, and all of it again.
        const { live, told: said } = await page.evaluate(async () => {
          const fragment = document.querySelector("main > div").outerHTML;
          const before = Object.keys(window).length;
          const gone = [];
          const put = (cell) => {
            cell.innerHTML = fragment;
            for (const script of cell.querySelectorAll("script")) {
              const made = document.createElement("script");
              for (const { name, value } of script.attributes) made.setAttribute(name, value);
              made.textContent = script.textContent;
              script.replaceWith(made);
            }
            gone.push(new WeakRef(cell.querySelector("svg")));
          };
          const cells = Array.from({ length: 30 }, () => document.body.appendChild(document.createElement("div")));
          for (let run = 0; run < 5; run += 1) cells.forEach(put);
          const plot = cells[29].querySelector('[data-part="plot"]');
          plot.dispatchEvent(new KeyboardEvent("keydown", { key: "End", bubbles: true }));
          const told = [...document.querySelectorAll('[data-part="tip"]')].filter((tip) => !tip.hidden).length;
          window.keysideGone = gone;
          return { live: Object.keys(window).length - before - 1, told };
        });
        check(live === 0, `${live} globals`);
        check(said === 1, `${said} tooltips instead of that of the last cell`);
        const session = await page.context().newCDPSession(page);
        const kept = async () => {
          await session.send("HeapProfiler.collectGarbage");
          return page.evaluate(() => window.keysideGone.filter((svg) => svg.deref()).length);
        };
        await until(page, kept, (count) => count === 30, "figures that were taken out stay in memory");
      });
    },
  },
  {
    name: "maps of the heads of a sweep in one file: a map for each seed, with the values of its rows",
    async run(tab, { screenshots }) {
      const command = (file) => ["sweep", "--models", path.join(root, "public/models/tiny-ioi"), "--seeds", "0..2", "--out", path.dirname(file)];
      await withFile(tab, "maps.html", command, async (page, folder) => {
        const rows = (await readFile(path.join(folder, "rows.jsonl"), "utf8")).trim().split("\n").map(JSON.parse);
        check(rows.length === 24 && (await page.locator('[data-part="plot"]').count()) === 2, `${rows.length} rows`);
        for (const seed of [0, 1]) {
          const { prob, largest } = rows.find((row) => row.head === "2.0" && row.seed === seed);
          await plotOf(page, seed).scrollIntoViewIfNeeded();
          await page.mouse.move(...(await middleOf(page, seed, "head 2.0")));
          const [name, attention, , share] = await told(page, seed);
          check(name === "head 2.0" && attention.startsWith(`attention ${prob.toFixed(4)}, `), `${attention} instead of ${prob}`);
          check(share === `the largest in ${(100 * largest).toFixed(1)} % of 40 prompts`, share);
        }
        await checkView(page, "maps of heads");
        await page.screenshot({ path: path.join(screenshots, "web-page-maps.png"), fullPage: true });
      });
    },
  },
  {
    name: "a figure in one file without its script is a picture",
    context: { javaScriptEnabled: false },
    async run(tab) {
      await withPage(tab, ["keys_fixed_scores"], async (page) => {
        const picture = await page.locator("svg").screenshot();
        check(picture.length > 10_000, `${picture.length} bytes of a picture`);
        check((await page.locator("svg text").allTextContents()).includes("Attention score"), "the axis has no name");
        check(!(await tipOf(page).isVisible()), "an empty tooltip is shown");
      });
    },
  },
];
