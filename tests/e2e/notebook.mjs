// docs/notebook.ipynb as python/tests/test_notebook.py has executed and exported it, opened from the disk with every network refused.
// KEYSIDE_NOTEBOOK: the folder with notebook.html, and with empty.html, which is the same without outputs.
import path from "node:path";
import { pathToFileURL } from "node:url";

import { check } from "./harness.mjs";
import { background, kept, middleOf, plotOf, told } from "./web_page.mjs";

/** Opens a page of the folder without a network; answers what tells which addresses it has asked for. */
async function open(tab, page, name) {
  const requests = new Set();
  page.on("request", (request) => requests.add(request.url()));
  // Libraries that nbconvert loads for formulas and widgets. None of them comes, and no figure misses them.
  tab.allow(/net::ERR_INTERNET_DISCONNECTED/);
  await page.context().setOffline(true);
  await page.goto(pathToFileURL(path.join(process.env.KEYSIDE_NOTEBOOK, name)).href);
  return () => [...requests].filter((url) => !/^(file|data):/.test(url)).sort().join("\n");
}

export const notebook = [
  {
    name: "a notebook's export without a network: four figures, hover, keys, a theme; none asks for anything",
    async run(tab, { screenshots }) {
      const { page } = tab;
      const asked = await open(tab, page, "notebook.html");
      check((await page.locator('[data-part="plot"]').count()) === 4, "there are not four figures");
      for (let number = 0; number < 4; number += 1) {
        const plot = plotOf(page, number);
        await plot.scrollIntoViewIfNeeded();
        const { width, height } = await plot.boundingBox();
        check(width > 300 && height > 100, `figure ${number} is ${width} x ${height}`);
        await plot.focus();
        await page.keyboard.press("Home");
        check((await told(page, number)).length > 0, `figure ${number} says nothing`);
        await page.keyboard.press("Escape");
      }
      await plotOf(page, 0).scrollIntoViewIfNeeded();
      await page.mouse.move(...(await middleOf(page, 0, "head 1.1")));
      const lines = await told(page, 0);
      check(lines[0] === "head 1.1" && /^contribution [−\d.]+$/.test(lines[1]), `${lines}`);
      await page.screenshot({ path: path.join(screenshots, "notebook-heatmap.png") });
      const before = await background(page, 0);
      await page.locator('[data-part="theme"]').first().click();
      check((await background(page, 0)) !== before && (await background(page, 1)) === before, "the switch of one figure is not its own");
      await page.screenshot({ path: path.join(screenshots, "notebook.png"), fullPage: true });
      const other = await page.context().newPage();
      const without = (await open(tab, other, "empty.html"))();
      check(asked() === without, `the figures ask for something: ${asked()}\ninstead of ${without}`);
      await other.close();
    },
  },
  {
    name: "a notebook's export on a phone: figures fit, a tap picks",
    context: { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true },
    async run(tab, { screenshots }) {
      const { page } = tab;
      await open(tab, page, "notebook.html");
      await plotOf(page, 0).scrollIntoViewIfNeeded();
      await page.touchscreen.tap(...(await middleOf(page, 0, "head 1.1")));
      check((await kept(page, 0))[0] === "head 1.1", `${await kept(page, 0)}`);
      await page.screenshot({ path: path.join(screenshots, "notebook-phone.png") });
      // A plot that is wider scrolls within its figure.
      for (let number = 0; number < 4; number += 1) {
        const { x, width } = await page.locator('[role="group"]', { has: page.locator('[data-part="plot"]') }).nth(number).boundingBox();
        check(x >= 0 && x + width <= 391, `figure ${number} reaches from ${x} to ${x + width}`);
      }
    },
  },
];
