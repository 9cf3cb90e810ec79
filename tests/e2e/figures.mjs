// What a reader does with the figures: pointing, zooming, toggling, walking by keyboard, linking, picking.
import { readFile } from "node:fs/promises";
import path from "node:path";

import { check, cornerIs, cornerOf, drawn, root, threeFrames, until } from "./harness.mjs";

const recordedFile = path.join(root, "public/recorded/gpt2-small-10.7.json");
const SCORES = "keys_fixed_scores";

/** The figure's canvas for pixels, its frame on the screen, its tooltip and what it says to screen readers. */
function figure(tab, name) {
  const element = tab.at(`figure-${name}`);
  const canvas = element.locator("canvas").first();
  return {
    element,
    canvas,
    tooltip: element.getByTestId("tooltip").first(),
    kept: element.getByTestId("kept").first(),
    spoken: element.getByTestId("spoken").first(),
    button: (label) => element.locator(".legend").getByRole("button", { name: label, exact: true }),
    box: async () => {
      await canvas.scrollIntoViewIfNeeded();
      return canvas.boundingBox();
    },
    // Of the plot, and of what lights up over it.
    pixels: () =>
      canvas.evaluate((canvas) => {
        const upper = canvas.parentElement.querySelector(".upper");
        return [canvas.toDataURL(), getComputedStyle(upper).visibility === "visible" && upper.toDataURL()].join();
      }),
  };
}

/** Waits for three frames: what a press or a pointer changes is on the screen then, also what comes after its first frame. */
const settle = (tab) => threeFrames(tab.page);

/** Waits until `what` is said. */
const hears = (spoken, what) => until(spoken.page(), () => spoken.innerText(), (text) => what.test(text), `not ${what}`);

/** Opens the page and waits until the plots are drawn. */
async function open(tab) {
  await tab.open();
  await drawn(tab.page);
}

/** Moves over the figure at heights `ys` (parts of the canvas) until the tooltip's first line is `title`. */
async function pointAt(tab, name, title, ys = [0.72], step = 2) {
  const { box, tooltip } = figure(tab, name);
  const { x, y, width, height } = await box();
  for (const part of ys) {
    for (let at = 50; at < width - 10; at += step) {
      await tab.page.mouse.move(x + at, y + height * part);
      await settle(tab);
      if ((await tooltip.count()) && (await tooltip.locator("strong").innerText()) === title) return { x: x + at, y: y + height * part };
    }
  }
  throw new Error(`nothing in ${name} is called ${title}`);
}

/** Lines of the tooltip that is shown. */
const lines = async (tab, name) => (await figure(tab, name).tooltip.innerText()).split("\n").filter(Boolean);

/** The counts that the page should show for the bin from `low` to `high`. */
async function counts(low, high) {
  const { histograms } = JSON.parse(await readFile(recordedFile, "utf8"));
  const inside = (value) => value >= low - 1e-6 && value < high - 1e-6;
  return Object.fromEntries(Object.entries(histograms[SCORES].series).map(([label, values]) => [label, values.filter(inside).length]));
}

/** Drags over the figure between two parts of its canvas. */
async function drag(tab, name, from, to, look = async () => {}) {
  const { x, y, width, height } = await figure(tab, name).box();
  await tab.page.mouse.move(x + width * from[0], y + height * from[1]);
  await tab.page.mouse.down();
  await tab.page.mouse.move(x + width * ((from[0] + to[0]) / 2), y + height * ((from[1] + to[1]) / 2));
  await tab.page.mouse.move(x + width * to[0], y + height * to[1]);
  await settle(tab);
  await look();
  await tab.page.mouse.up();
  await settle(tab);
}

/** The recorded run's file with made-up values for each prompt of the first batch behind its heatmap: ever greater ones. */
async function withPrompts() {
  const result = JSON.parse(await readFile(recordedFile, "utf8"));
  const { values } = result.heatmaps.key;
  const shifts = Array.from({ length: result.batch_size }, (_, prompt) => (prompt - (result.batch_size - 1) / 2) / 50);
  result.heatmaps.key.per_prompt = shifts.map((by) => values.map((row, i) => row.map((value, j) => (i === 0 && j > 2 ? 0 : value + by))));
  return { name: "prompts.json", mimeType: "application/json", buffer: Buffer.from(JSON.stringify(result)) };
}

export const figures = [
  {
    name: "the tooltip of a bin has its range and exact counts; that of a cell its name, value and share",
    async run(tab) {
      await open(tab);
      await pointAt(tab, SCORES, "4.2 to 4.4");
      const expected = await counts(4.2, 4.4);
      const visible = ["W_U[random]", "No patching", "NMH 9.9 output", "W_U[IO]"];
      const legend = await figure(tab, SCORES).element.locator('.legend [aria-pressed="true"]').allInnerTexts();
      check(legend.join() === visible.join(), `the legend is ${legend}`);
      const wanted = ["4.2 to 4.4", ...visible.map((label) => `${label}: ${expected[label]}`)];
      check((await lines(tab, SCORES)).join("|") === wanted.join("|"), `${await lines(tab, SCORES)}, not ${wanted}`);
      check((await figure(tab, SCORES).element.locator(".crosshair:not(.absent)").count()) === 2, "no crosshair");
      // Beside the bin, with the colors of the legend.
      const { element, tooltip } = figure(tab, SCORES);
      const colors = (of) => of.locator(".swatch").evaluateAll((all) => all.map((swatch) => getComputedStyle(swatch).backgroundColor).join());
      check((await colors(tooltip)) === (await colors(element.locator('.legend [aria-pressed="true"]'))), `${await colors(tooltip)}`);
      const [tip, mark] = [await tooltip.boundingBox(), await element.locator(".mark").boundingBox()];
      check(tip.x >= mark.x + mark.width || tip.x + tip.width <= mark.x, `the tooltip covers its bin: ${JSON.stringify([tip, mark])}`);
      await pointAt(tab, "heatmap", "head 9.3", [0.82, 0.78, 0.86, 0.74], 15);
      const { heatmaps } = JSON.parse(await readFile(recordedFile, "utf8"));
      const row = heatmaps.key.rows.indexOf("9");
      const value = heatmaps.key.values[row][3];
      const cell = await lines(tab, "heatmap");
      check(cell[1] === `contribution ${value.toFixed(4)}`, `${cell}`);
      check(cell[2] === `${((100 * value) / heatmaps.key.sum).toFixed(1)} % of the sum ${heatmaps.key.sum.toFixed(4)}`, `${cell}`);
    },
  },
  {
    name: "the picture is not drawn again while the pointer moves",
    async run(tab) {
      await open(tab);
      const { box, pixels } = figure(tab, SCORES);
      const { x, y, width, height } = await box();
      await tab.page.mouse.move(0, 0);
      await settle(tab);
      const before = await pixels();
      // In the empty part above the lowest bars there is no series to light up.
      await tab.page.evaluate(() => {
        window.resized = 0;
        for (const canvas of document.querySelectorAll("canvas")) new MutationObserver((changes) => (window.resized += changes.length)).observe(canvas, { attributes: true, attributeFilter: ["width", "height"] });
      });
      for (let at = 0.2; at < 0.9; at += 0.05) await tab.page.mouse.move(x + width * at, y + height * 0.8);
      await settle(tab);
      check((await tab.page.evaluate(() => window.resized)) === 0, "a canvas was drawn from scratch");
      await tab.page.mouse.move(0, 0);
      await settle(tab);
      check((await pixels()) === before, "the picture did not come back");
    },
  },
  {
    name: "drag to zoom, the boxes and the axis follow; double click and the button show all again",
    async run(tab) {
      await open(tab);
      const { element, canvas, pixels, tooltip } = figure(tab, SCORES);
      await tab.page.mouse.move(0, 0);
      await settle(tab);
      const before = await pixels();
      const selection = element.locator(".selection");
      await drag(tab, SCORES, [0.45, 0.7], [0.6, 0.8], async () => {
        check(await selection.isVisible(), "no rectangle while dragging");
        check((await tooltip.count()) === 0, "a tooltip while dragging");
      });
      check(!(await selection.isVisible()), "the rectangle stays");
      await element.getByTestId("reset-zoom").waitFor();
      const { x, y, width, height } = await figure(tab, SCORES).box();
      await tab.page.mouse.move(x + width * 0.5, y + height * 0.85);
      await settle(tab);
      const near = parseFloat((await lines(tab, SCORES))[0].replace("\u2212", "-"));
      await tab.page.mouse.move(x + width * 0.6, y + height * 0.85);
      await settle(tab);
      const far = parseFloat((await lines(tab, SCORES))[0].replace("\u2212", "-"));
      check(far - near < 0.9, `a tenth of the plot spans ${far - near}: it is not zoomed`);
      await canvas.dblclick({ position: { x: width * 0.5, y: height * 0.9 } });
      await tab.page.mouse.move(0, 0);
      await settle(tab);
      check((await pixels()) === before, "double click does not show all again");
      await drag(tab, SCORES, [0.3, 0.7], [0.5, 0.7]);
      await element.getByTestId("reset-zoom").click();
      await tab.page.mouse.move(0, 0);
      await settle(tab);
      check((await pixels()) === before, "the button does not show all again");
    },
  },
  {
    name: "the heatmap zooms to the cells that were dragged over",
    async run(tab) {
      await open(tab);
      await drag(tab, "heatmap", [0.35, 0.5], [0.5, 0.7]);
      const { element, canvas, tooltip } = figure(tab, "heatmap");
      await element.getByTestId("reset-zoom").waitFor();
      await canvas.focus();
      const seen = new Set();
      for (let i = 0; i < 3; i += 1) await tab.page.keyboard.press("ArrowUp");
      await tab.page.keyboard.press("Home");
      for (let i = 0; i < 14; i += 1) {
        await settle(tab);
        seen.add(await tooltip.innerText());
        await tab.page.keyboard.press("ArrowRight");
      }
      check(seen.size > 1 && seen.size < 8, `${seen.size} cells in a row`);
      await tab.page.keyboard.press("0");
      await settle(tab);
      check((await element.getByTestId("reset-zoom").count()) === 0, "0 does not show all");
    },
  },
  {
    name: "a click toggles, a double click isolates, another brings all back",
    async run(tab) {
      await open(tab);
      const { element, button } = figure(tab, SCORES);
      const pressed = async () => (await element.locator('.legend button[aria-pressed="true"]').allInnerTexts()).toSorted().join();
      const first = await pressed();
      await button("W_U[S]").click();
      check((await pressed()).includes("W_U[S]"), "a click shows nothing");
      await button("W_U[S]").click();
      await button("No patching").dblclick();
      check((await pressed()) === "No patching", await pressed());
      await button("No patching").dblclick();
      check((await pressed()) === first, await pressed());
      await button("W_U[IO]").focus();
      await tab.page.keyboard.press("Shift+Enter");
      check((await pressed()) === "W_U[IO]", `by keyboard: ${await pressed()}`);
    },
  },
  {
    name: "bins, logarithmic counts and order change the plot, and back",
    async run(tab) {
      await open(tab);
      const { element, pixels, canvas, spoken } = figure(tab, SCORES);
      const first = await pixels();
      const changed = async (what) => {
        await settle(tab);
        check((await pixels()) !== first, `${what} changed nothing`);
      };
      await element.getByTestId("log-counts").click();
      await changed("log counts");
      check((await element.getByTestId("log-counts").getAttribute("aria-pressed")) === "true", "not pressed");
      await element.getByTestId("log-counts").click();
      await element.getByTestId("bins").selectOption("20");
      await changed("bins");
      await canvas.focus();
      await tab.page.keyboard.press("ArrowRight");
      await hears(spoken, /^−10 to −8, /);
      await tab.page.keyboard.press("Escape");
      await element.getByTestId("bins").selectOption("");
      await element.getByTestId("order").selectOption("label");
      await changed("order");
      const labels = await element.locator(".legend button code").allInnerTexts();
      check(labels.join() === labels.toSorted().join(), `${labels}`);
      await element.getByTestId("order").selectOption("mean");
      await tab.page.mouse.move(0, 0);
      await settle(tab);
      check((await pixels()) === first, "the plot did not come back");
    },
  },
  {
    name: "arrow keys walk bins, boxes and cells, and say where they are",
    async run(tab) {
      await open(tab);
      const scores = figure(tab, SCORES);
      await scores.canvas.focus();
      const press = async (...keys) => {
        for (const key of keys) await tab.page.keyboard.press(key);
        await settle(tab);
      };
      await press("Home");
      const first = /^−9\.0 to −8\.8, W_U\[random\]: 1, /;
      await hears(scores.spoken, first);
      check((await scores.tooltip.locator("strong").innerText()) === "−9.0 to −8.8", "the tooltip is elsewhere");
      await press("ArrowRight");
      await hears(scores.spoken, /^(?!−9\.0)./);
      await press("ArrowLeft");
      await hears(scores.spoken, first);
      await press("ArrowUp");
      await hears(scores.spoken, /^W_U\[random\]: 1200 values, mean /);
      await press("End");
      await hears(scores.spoken, /^W_U\[IO\]: 1200 values/);
      await press("Enter");
      await tab.page.keyboard.press("Tab");
      await settle(tab);
      check((await scores.tooltip.count()) === 0, "the tooltip stays");
      check((await scores.kept.innerText()).startsWith("W_U[IO]: 1200 values"), `Enter kept ${await scores.kept.innerText()}`);
      await scores.canvas.focus();
      await press("Escape");
      check((await scores.kept.innerText()).startsWith("Click or tap"), "Escape does not let go");
      await press("Home", "+");
      check((await scores.element.getByTestId("reset-zoom").count()) === 1, "+ does not zoom");
      await press("-");
      check((await scores.element.getByTestId("reset-zoom").count()) === 0, "- does not zoom out");
      const help = await scores.canvas.getAttribute("aria-describedby");
      check((await tab.page.locator(`#${help}`).innerText()).includes("Left and right"), "the keys are not described");
      const heatmap = figure(tab, "heatmap");
      await heatmap.canvas.focus();
      await press("ArrowDown");
      await hears(heatmap.spoken, /^W_E \(token embedding\), contribution /);
      await press("ArrowDown", "End");
      await hears(heatmap.spoken, /^MLP 0, /);
    },
  },
  {
    name: "of a key that is held, the last place is said",
    async run(tab) {
      await open(tab);
      const { canvas, spoken } = figure(tab, SCORES);
      await canvas.focus();
      await tab.page.keyboard.press("Home");
      await hears(spoken, /^−9\.0 to −8\.8, /);
      const said = await spoken.evaluateHandle((element) => {
        const said = [];
        new MutationObserver(() => said.push(element.textContent)).observe(element, { childList: true, characterData: true, subtree: true });
        return said;
      });
      for (let time = 0; time < 20; time += 1) await tab.page.keyboard.down("ArrowRight");
      await tab.page.keyboard.up("ArrowRight");
      await hears(spoken, /^−4\.2 to −4\.0, /);
      const times = await said.evaluate((said) => said.length);
      check(times < 10, `${times} of 20 places were said`);
      // Nothing is said of a plot that the keyboard has left: it would be before what is said of the next one.
      await tab.page.keyboard.press("ArrowRight");
      await canvas.blur();
      const next = figure(tab, "heatmap");
      await next.canvas.focus();
      await tab.page.keyboard.press("ArrowDown");
      await hears(next.spoken, /^W_E /);
      check((await spoken.innerText()) === "", await spoken.innerText());
    },
  },
  {
    name: "a series that is pointed at lights up in every figure that shows it",
    async run(tab) {
      await open(tab);
      await tab.page.setViewportSize({ width: 1280, height: 3400 });
      await drawn(tab.page);
      const names = [SCORES, "keys_fixed_probs", "queries_fixed_scores", "queries_fixed_probs"];
      const all = () => Promise.all(names.map((name) => figure(tab, name).pixels()));
      await tab.page.mouse.move(0, 0);
      await settle(tab);
      const before = await all();
      const changed = async () => (await all()).map((pixels, index) => pixels !== before[index]);
      await figure(tab, SCORES).button("No patching").hover();
      await settle(tab);
      check((await changed()).every(Boolean), `No patching: ${await changed()}`);
      await figure(tab, SCORES).button("W_U[IO]").hover();
      await settle(tab);
      check((await changed()).join() === "true,true,false,false", `W_U[IO]: ${await changed()}`);
      await tab.page.mouse.move(0, 0);
      await settle(tab);
      check((await changed()).every((is) => !is), "the pictures did not come back");
      // The tallest bar of figure 1, and a box of it.
      await pointAt(tab, SCORES, "4.2 to 4.4", [0.45]);
      check((await changed()).every(Boolean), `a bar: ${await changed()}`);
      const lit = await tab.page.locator(".legend-entry.lit").allInnerTexts();
      check(lit.length === 4 && lit.every((label) => label === "No patching"), `${lit}`);
      await tab.page.mouse.move(0, 0);
      await figure(tab, "queries_fixed_scores").button("W_E[IO]").focus();
      await tab.page.keyboard.press("Tab");
      await tab.page.keyboard.press("Shift+Tab");
      await settle(tab);
      check((await changed()).join() === "false,false,true,true", `by keyboard: ${await changed()}`);
    },
  },
  {
    name: "a cell shows its prompts, a click keeps them; a dot picks its prompt in every figure",
    async run(tab, { screenshots }) {
      await open(tab);
      const prompts = tab.at("prompts");
      check((await prompts.innerText()).includes("A live run has them all"), await prompts.innerText());
      await tab.at("open-result").setInputFiles(await withPrompts());
      await prompts.getByText("each of the 40 prompts").waitFor();
      const at = await pointAt(tab, "heatmap", "head 9.3", [0.82, 0.78, 0.86, 0.74], 15);
      const strip = prompts.locator("canvas").first();
      await strip.waitFor();
      check((await strip.getAttribute("aria-label")).startsWith("Contribution of head 9.3"), "the strip is of another cell");
      await tab.page.mouse.click(at.x, at.y);
      await tab.page.mouse.move(0, 0);
      await settle(tab);
      check(await strip.isVisible(), "a click does not keep the cell");
      const before = await figure(tab, SCORES).pixels();
      const title = await tab.at("heatmap-title").innerText();
      await strip.focus();
      await tab.page.keyboard.press("End");
      await settle(tab);
      await hears(prompts.getByTestId("spoken"), /^prompt 40, contribution /);
      await tab.page.keyboard.press("Enter");
      await settle(tab);
      check((await prompts.getByTestId("picked-prompt").innerText()).startsWith("Prompt 40 of 1,200"), "no prompt is picked");
      check((await tab.at("heatmap-title").innerText()) === title.replace(")", ", prompt 40)"), await tab.at("heatmap-title").innerText());
      check((await figure(tab, SCORES).pixels()) !== before, "its values are not marked");
      await tab.page.screenshot({ path: path.join(screenshots, "prompts-wide-full.png"), fullPage: true });
      await prompts.getByRole("button", { name: "Unmark" }).click();
      await tab.page.mouse.move(0, 0);
      await settle(tab);
      check((await figure(tab, SCORES).pixels()) === before, "the marks stay");
    },
  },
  {
    name: "a live run has the values of each prompt, and their texts",
    timeout: 120_000,
    async run(tab) {
      await open(tab);
      await tab.fill({ model: "bundled" });
      await tab.at("run-button").and(tab.page.locator(":enabled")).waitFor();
      await tab.fill({ batches: 2, size: 12, seed: 5 });
      await tab.run();
      await tab.at("prompts").getByText("each of the 12 prompts").waitFor();
      await figure(tab, "heatmap").canvas.focus();
      await tab.page.keyboard.press("ArrowDown");
      await tab.page.keyboard.press("Enter");
      const { result } = await tab.download();
      const values = result.heatmaps.key.per_prompt.map((cells) => cells[0][0]);
      const greatest = values.indexOf(Math.max(...values));
      await tab.at("prompts").locator("canvas").first().focus();
      await tab.page.keyboard.press("End");
      await tab.page.keyboard.press("Enter");
      await settle(tab);
      const picked = await tab.at("prompts").getByTestId("picked-prompt").innerText();
      check(picked.startsWith(`Prompt ${greatest + 1} of 24`), `${picked}, not ${greatest + 1}`);
      check(picked.includes(result.prompts[greatest].text), `${picked}, not ${result.prompts[greatest].text}`);
    },
  },
  {
    name: "plots are as sharp as the screen, and light on paper",
    context: { viewport: { width: 1000, height: 900 }, deviceScaleFactor: 1.5, colorScheme: "dark" },
    async run(tab) {
      await open(tab);
      const { canvas } = figure(tab, SCORES);
      const sizes = () => canvas.evaluate((canvas) => ({ pixels: canvas.width, wide: canvas.clientWidth, high: canvas.height, tall: canvas.clientHeight }));
      const sharp = ({ pixels, wide, high, tall }, ratio) => Math.abs(pixels - wide * ratio) <= 1 && Math.abs(high - tall * ratio) <= 1;
      check(sharp(await sizes(), 1.5), JSON.stringify(await sizes()));
      const client = await tab.page.context().newCDPSession(tab.page);
      await client.send("Emulation.setDeviceMetricsOverride", { width: 700, height: 900, deviceScaleFactor: 2.25, mobile: false });
      await until(tab.page, sizes, (found) => sharp(found, 2.25), "after a change of screen");
      const corner = async () => (await cornerOf(canvas)).join();
      await cornerIs(canvas, "22,25,29", "dark");
      await tab.page.evaluate(() => window.dispatchEvent(new Event("beforeprint")));
      await settle(tab);
      const paper = canvas.locator("xpath=following-sibling::canvas[@class='paper']");
      check((await cornerOf(paper)).join() === "255,255,255" && (await paper.isVisible()), `printed: ${await cornerOf(paper)}`);
      check(!(await canvas.isVisible()), "the dark plot is printed, too");
      check(sharp(await paper.evaluate((canvas) => ({ pixels: canvas.width, wide: canvas.clientWidth, high: canvas.height, tall: canvas.clientHeight })), 2.25), "not sharp on paper");
      await tab.page.evaluate(() => window.dispatchEvent(new Event("afterprint")));
      await settle(tab);
      check((await corner()) === "22,25,29" && (await canvas.isVisible()) && (await paper.count()) === 0, `dark again: ${await corner()}`);
    },
  },
  {
    name: "plots out of view are drawn in a browser that can't tell when it is idle",
    context: { colorScheme: "light" },
    async run(tab) {
      await tab.page.addInitScript(() => (window.requestIdleCallback = undefined));
      await open(tab);
      const { canvas } = figure(tab, "heatmap");
      await cornerIs(canvas, "255,255,255", "the heatmap is not light");
      await tab.page.emulateMedia({ colorScheme: "dark" });
      await cornerIs(canvas, "22,25,29", "the heatmap is not dark");
      check((await tab.page.evaluate(() => scrollY)) === 0, "the heatmap was in view");
    },
  },
  {
    name: "on a phone a tap keeps the values below the plot, a sideways drag zooms, and controls are large enough",
    context: { viewport: { width: 390, height: 844 }, deviceScaleFactor: 2, hasTouch: true, isMobile: true },
    async run(tab, { screenshots }) {
      await open(tab);
      const { element, canvas, kept, box } = figure(tab, SCORES);
      check((await canvas.evaluate((canvas) => getComputedStyle(canvas).touchAction)) === "pan-y", "vertical scrolling is taken away");
      const { x, y, width, height } = await box();
      await tab.page.touchscreen.tap(x + width * 0.55, y + height * 0.8);
      await settle(tab);
      check(/^\S+ to \S+\s+W_U\[random\]: \d+\s+No patching: \d+/.test(await kept.innerText()), `a tap keeps ${await kept.innerText()}`);
      await tab.page.touchscreen.tap(x + width * 0.55, y + height * 0.8);
      await settle(tab);
      check((await kept.innerText()).startsWith("Click or tap"), "a second tap does not let go");
      await tab.page.touchscreen.tap(x + width * 0.55, y + height * 0.8);
      await settle(tab);
      await tab.page.screenshot({ path: path.join(screenshots, "tap-phone.png") });
      for (const control of await element.locator(".toolbar button, .toolbar select, .legend button").all()) {
        const size = await control.boundingBox();
        check(size.height >= 44, `${await control.innerText()} is ${size.height} px high`);
      }
      const client = await tab.page.context().newCDPSession(tab.page);
      const touch = (type, part) =>
        client.send("Input.dispatchTouchEvent", { type, touchPoints: part === undefined ? [] : [{ x: x + width * part, y: y + height * 0.7 }] });
      await touch("touchStart", 0.4);
      for (const part of [0.45, 0.5, 0.55, 0.6, 0.65]) {
        await touch("touchMove", part);
        await settle(tab);
      }
      await touch("touchEnd");
      await settle(tab);
      check((await element.getByTestId("reset-zoom").count()) === 1, "a sideways drag does not zoom");
    },
  },
  {
    name: "a click keeps the values of a bar and of a cell below the plot, and says what a hidden series leaves",
    async run(tab) {
      await open(tab);
      const { element, canvas, kept, button } = figure(tab, SCORES);
      const at = await pointAt(tab, SCORES, "4.2 to 4.4");
      await tab.page.mouse.click(at.x, at.y);
      await tab.page.mouse.move(0, 0);
      await settle(tab);
      const told = (await kept.innerText()).split(/\n+/);
      check(told[0] === "4.2 to 4.4" && told.includes("No patching: 103"), `${told}`);
      check(await element.locator(".mark").isVisible(), "what is kept is not marked");
      await button("No patching").click();
      await settle(tab);
      check(!(await kept.innerText()).includes("No patching"), "a hidden series is told");
      await button("No patching").click();
      const pin = element.locator(".pin");
      const outlined = async () => (await pin.evaluate((pin) => getComputedStyle(pin).outlineStyle)) === "solid" && (await pin.isVisible());
      check(await outlined(), "what is kept has no outline");
      // Where another part is shown its values stay, and where it is shown again its outline is back.
      await canvas.focus();
      await tab.page.keyboard.press("End");
      const closer = async () => {
        await tab.page.keyboard.press("+");
        return outlined();
      };
      await until(tab.page, closer, (is) => !is, "what is outside has an outline");
      check((await kept.innerText()).startsWith("4.2 to 4.4"), `a zoom elsewhere leaves ${await kept.innerText()}`);
      await tab.page.keyboard.press("0");
      await until(tab.page, outlined, (is) => is, "the outline is not back");
      // Of other bins it is the one in which its middle lies, and with the old ones it is the old one.
      await element.getByTestId("bins").selectOption("20");
      await until(tab.page, () => kept.innerText(), (text) => text.startsWith("4 to 6"), "not the bin of its middle");
      await element.getByTestId("bins").selectOption("");
      await until(tab.page, () => kept.innerText(), (text) => text.startsWith("4.2 to 4.4"), "not the old bin");
      await canvas.focus();
      await tab.page.keyboard.press("Escape");
      await until(tab.page, () => kept.innerText(), (text) => text.startsWith("Click or tap"), "Escape does not let go");
      check(!(await outlined()), "nothing is kept, and has an outline");
      await canvas.focus();
      const heatmap = figure(tab, "heatmap");
      const cell = await pointAt(tab, "heatmap", "head 9.3", [0.82, 0.78, 0.86, 0.74], 15);
      await tab.page.mouse.click(cell.x, cell.y);
      await tab.page.mouse.move(0, 0);
      await settle(tab);
      check(/^head 9\.3\s+contribution /.test(await heatmap.kept.innerText()), await heatmap.kept.innerText());
      await until(tab.page, () => tab.page.url(), (url) => url.includes("cell="), "the link does not keep the cell");
      await tab.page.reload();
      await tab.opened();
      await until(tab.page, () => heatmap.kept.innerText(), (text) => /^head 9\.3\s+contribution /.test(text), "the link does not bring the value");
    },
  },
  {
    name: "what is zoomed to is moved by a drag and by keys",
    async run(tab) {
      await open(tab);
      const { element, canvas } = figure(tab, SCORES);
      check((await element.getByTestId("move-zoom").count()) === 0, "all is shown, and nothing can be moved");
      await drag(tab, SCORES, [0.45, 0.7], [0.6, 0.7]);
      await element.getByTestId("move-zoom").click();
      const range = async () => {
        await canvas.focus();
        await tab.page.keyboard.press("Home");
        await settle(tab);
        return parseFloat((await lines(tab, SCORES))[0].replace("\u2212", "-"));
      };
      const before = await range();
      await drag(tab, SCORES, [0.7, 0.7], [0.5, 0.7], async () => {
        check(!(await element.locator(".selection").isVisible()), "a rectangle while moving");
      });
      const after = await range();
      check(after > before + 0.3, `${before} has become ${after}`);
      check((await element.getByTestId("reset-zoom").count()) === 1, "all is shown");
      await canvas.focus();
      await tab.page.keyboard.press("Shift+ArrowLeft");
      await settle(tab);
      check((await range()) < after, "a key moves nothing");
      // In a heatmap, up and down too.
      await drag(tab, "heatmap", [0.35, 0.5], [0.5, 0.7]);
      const heatmap = figure(tab, "heatmap");
      await heatmap.element.getByTestId("move-zoom").click();
      const first = async () => {
        await heatmap.canvas.focus();
        await tab.page.keyboard.press("Escape");
        await tab.page.keyboard.press("ArrowDown");
        await settle(tab);
        return (await lines(tab, "heatmap"))[0];
      };
      const [row, column] = (await first()).match(/\d+/g).map(Number);
      await drag(tab, "heatmap", [0.4, 0.4], [0.6, 0.75]);
      const [nextRow, nextColumn] = (await first()).match(/\d+/g).map(Number);
      check(nextRow < row && nextColumn < column, `${row}.${column} has become ${nextRow}.${nextColumn}`);
    },
  },
  {
    name: "heatmaps are chosen by small choices, each of which keeps the others",
    async run(tab) {
      await open(tab);
      const title = () => tab.at("heatmap-title").innerText();
      const at = (name) => tab.at(`heatmap-${name}`);
      check((await at("side").locator("option").count()) === 2 && (await at("variant").locator("option").count()) === 3, "not two sides and three variants");
      await at("variant").selectOption({ label: "both ends split" });
      await until(tab.page, title, (text) => text.endsWith("(key side, q \u2225 W_U[IO], k \u2225 MLP 0)"), "not split");
      await at("key").selectOption({ label: "\u27c2 MLP 0" });
      await until(tab.page, title, (text) => text.endsWith("(key side, q \u2225 W_U[IO], k \u27c2 MLP 0)"), "not the other part");
      await at("side").focus();
      await at("side").selectOption({ label: "query" });
      await until(tab.page, title, (text) => text.endsWith("(query side, q \u2225 W_U[IO], k \u27c2 MLP 0)"), "not the other side");
      check(await at("side").evaluate((field) => field === document.activeElement), "the field has lost the focus");
      await at("minus").selectOption({ label: "END\u2192S1" });
      await until(tab.page, title, (text) => text.endsWith("(query side, minus END\u2192S1, q \u2225 W_U[IO], k \u27c2 MLP 0)"), "nothing is subtracted");
      check((await tab.page.locator("[data-testid=figure-heatmap] select").count()) <= 6, "too many choices");
    },
  },
  {
    name: "on a phone the largest cells stand in a list beside the heatmap, and pick them",
    context: { viewport: { width: 390, height: 844 }, deviceScaleFactor: 2, hasTouch: true, isMobile: true },
    async run(tab, { screenshots }) {
      await open(tab);
      const { kept, element } = figure(tab, "heatmap");
      const list = tab.at("largest-cells");
      const rows = list.locator("li button");
      check((await rows.count()) === 8, `${await rows.count()} cells`);
      const { heatmaps } = JSON.parse(await readFile(recordedFile, "utf8"));
      const sizes = heatmaps.key.values.flat().map(Math.abs).toSorted((a, b) => b - a);
      const told = await rows.locator(".amount").allInnerTexts();
      told.forEach((text, at) => check(Math.abs(Math.abs(Number(text.replace("\u2212", "-"))) - sizes[at]) < 6e-5, `${at}: ${text}, not ${sizes[at]}`));
      await rows.first().tap();
      await settle(tab);
      check((await kept.innerText()).startsWith("head 0.11"), await kept.innerText());
      await element.screenshot({ path: path.join(screenshots, "phone-heatmap.png") });
      await list.getByTestId("all-cells").tap();
      check((await rows.count()) > 100, `${await rows.count()} cells of all`);
      await tab.page.setViewportSize({ width: 1000, height: 800 });
      await settle(tab);
      check((await list.count()) === 0, "the list is there on a wide window, too");
    },
  },
  {
    name: "on a phone the choices of the heatmap take two rows, are whole and large enough, and work by touch and keyboard",
    context: { viewport: { width: 390, height: 844 }, deviceScaleFactor: 2, hasTouch: true, isMobile: true },
    async run(tab, { screenshots }) {
      await open(tab);
      const { element } = figure(tab, "heatmap");
      const toolbar = element.locator(".toolbar");
      const rows = () => toolbar.evaluate((bar) => new Set([...bar.children].filter((part) => part.checkVisibility()).map((part) => Math.round(part.getBoundingClientRect().top / 10))).size);
      const checkChoices = async (most) => {
        check((await rows()) <= most, `${await rows()} rows`);
        // Both boxes at one moment: the page may still move under figures that are drawn.
        const choices = await toolbar.locator("label.tool").evaluateAll((labels) =>
          labels.map((label) => {
            const box = ({ x, y, width, height }) => ({ x, y, width, height });
            const [name, field] = [label.querySelector("span"), label.querySelector("select")];
            return { text: name.innerText, cut: name.scrollWidth > name.clientWidth, name: box(name.getBoundingClientRect()), field: box(field.getBoundingClientRect()) };
          }),
        );
        check(choices.length > 0, "the toolbar has no choices");
        for (const { text, cut, name, field } of choices) {
          check(field.height >= 44 && field.x >= 0 && field.x + field.width <= 390, `${text}: ${JSON.stringify(field)}`);
          check(name.y >= field.y && name.y + name.height < field.y + field.height / 2 + 2, `${text} stands at ${JSON.stringify(name)} of ${JSON.stringify(field)}`);
          check(!cut, `${text} is cut off`);
        }
      };
      await element.scrollIntoViewIfNeeded();
      await checkChoices(2);
      await element.screenshot({ path: path.join(screenshots, "phone-heatmap-choices.png") });
      await tab.at("heatmap-variant").selectOption({ label: "both ends split" });
      await tab.at("heatmap-query").waitFor();
      await checkChoices(3);
      const side = tab.at("heatmap-side");
      await side.focus();
      await tab.page.keyboard.press("ArrowDown");
      await until(tab.page, () => tab.at("heatmap-title").innerText(), (text) => text.includes("query side"), "an arrow key chooses nothing");
    },
  },
  ...["light", "dark"].map((colorScheme) => ({
    name: `where the system forces its colors plots have them, and the legend says what is shown: ${colorScheme}`,
    context: { colorScheme, forcedColors: "active" },
    async run(tab, { screenshots }) {
      await open(tab);
      const { canvas, element, button } = figure(tab, SCORES);
      const system = await tab.page.evaluate(() => {
        const probe = document.body.appendChild(document.createElement("span"));
        probe.style.color = "Canvas";
        const color = getComputedStyle(probe).color;
        probe.remove();
        return color.match(/\d+/g).slice(0, 3).join();
      });
      await cornerIs(canvas, system, "the plot is not on the system's background");
      const swatches = await element.locator(".legend .swatch").evaluateAll((all) => new Set(all.map((swatch) => getComputedStyle(swatch).backgroundColor)).size);
      check(swatches === 6, `${swatches} colors in the legend`);
      const looks = (of) => of.evaluate((entry) => [getComputedStyle(entry).borderStyle, getComputedStyle(entry.querySelector(".swatch")).opacity].join());
      check((await looks(button("W_U[S]"))) !== (await looks(button("W_U[IO]"))), "what is hidden looks like what is shown");
      await pointAt(tab, SCORES, "4.2 to 4.4");
      check((await figure(tab, SCORES).tooltip.evaluate((tip) => getComputedStyle(tip).borderTopWidth)) === "1px", "the tooltip has no edge");
      await tab.page.screenshot({ path: path.join(screenshots, `forced-colors-${colorScheme}.png`) });
    },
  })),
];
