// A window of any browser, with what the jobs do in it.
import { mkdtemp, readFile, readdir, rename } from "node:fs/promises";
import path from "node:path";

import { check } from "../e2e/harness.mjs";
import { inVersion1 } from "../e2e/version_1.mjs";

const PATIENCE = 30_000;

/** The selector of a test id. */
export const id = (name) => `[data-testid="${name}"]`;

export class Tab {
  /** `shown` is a driver's window (driver.mjs), `url` where the page is. */
  constructor(shown, url) {
    Object.assign(this, { shown, url });
  }

  evaluate(fn, ...args) {
    return this.shown.evaluate(fn, ...args);
  }

  /** Waits until `fn`, asked in the page with `args`, answers something that is not nothing; answers that. */
  async until(what, fn, ...args) {
    const timeout = PATIENCE * (this.patience ?? 1);
    for (const end = Date.now() + timeout; ; ) {
      const found = await this.evaluate(fn, ...args);
      if (found) return found;
      check(Date.now() < end, `${what}: not within ${timeout / 1000} s`);
      await this.frames(1);
    }
  }

  /** Waits until the page has been painted `count` times. */
  frames(count = 3) {
    return this.evaluate(async (count) => {
      for (let painted = 0; painted < count; painted += 1) await new Promise(requestAnimationFrame);
    }, count);
  }

  /** Waits until an element is seen; with `text`, one that has it. */
  see(selector, text = "") {
    return this.until(`${selector} ${text}`, (selector, text) => [...document.querySelectorAll(selector)].some((element) => element.checkVisibility() && element.textContent.includes(text)), selector, text);
  }

  /** Waits until no such element is seen. */
  gone(selector) {
    return this.until(`${selector} stays`, (selector) => ![...document.querySelectorAll(selector)].some((element) => element.checkVisibility()), selector);
  }

  /** What stands in the first such element; nothing where there is none. */
  text(selector) {
    return this.evaluate((selector) => document.querySelector(selector)?.innerText ?? "", selector);
  }

  /** Left, top, width and height of an element, which is brought into view and can be pressed. */
  async box(selector, text = "") {
    await this.see(selector, text);
    return this.until(
      `${selector} ${text} can't be pressed`,
      (selector, text) => {
        const element = [...document.querySelectorAll(selector)].find((element) => element.checkVisibility() && element.textContent.includes(text));
        element.scrollIntoView({ block: "center", inline: "nearest", behavior: "instant" });
        const { left, top, width, height } = element.getBoundingClientRect();
        const there = document.elementFromPoint(left + width / 2, top + height / 2);
        const isIt = there && (element.contains(there) || there.contains(element) || there.closest("label")?.contains(element));
        return isIt && !element.disabled ? { left, top, width, height } : null;
      },
      selector,
      text,
    );
  }

  async click(selector, text = "") {
    const { left, top, width, height } = await this.box(selector, text);
    await this.clickAt(left + width / 2, top + height / 2);
  }

  async clickAt(x, y) {
    await this.shown.move(x, y);
    await this.shown.down();
    await this.shown.up();
  }

  /** Types `value` into a field in place of what is there. */
  async fill(selector, value) {
    await this.click(selector);
    await this.evaluate((selector) => document.querySelector(selector).select(), selector);
    await this.shown.type(String(value));
    await this.until(`${selector} is not ${value}`, (selector, value) => document.querySelector(selector).value === value, selector, String(value));
  }

  /** Chooses an option. Its list is the system's, which not every driver can reach. */
  async choose(selector, value) {
    await this.see(selector);
    await this.evaluate(
      (selector, value) => {
        const field = document.querySelector(selector);
        field.value = value;
        field.dispatchEvent(new Event("change", { bubbles: true }));
      },
      selector,
      value,
    );
  }

  async focus(selector) {
    await this.evaluate((selector) => document.querySelector(selector).focus(), selector);
  }

  /** Opens the part about many prompts, and waits for the recorded run. */
  async open(query = "") {
    await this.shown.goto(`${this.url}?tab=prompts${query}`);
    await this.see(id("run-summary"), "Recorded run");
  }

  /** Waits until all plots are drawn, also those out of view. */
  async drawn() {
    await this.until("a plot is not drawn", () => {
      const canvases = [...document.querySelectorAll(".figure > .plot > canvas:first-child, .figure > div > .plot > canvas:first-child")];
      return canvases.length > 0 && canvases.every((canvas) => canvas.width !== 300 || canvas.height !== 150 || !canvas.offsetParent);
    });
    await this.frames();
  }

  /** Fills in the form of a run. */
  async settings({ model, url, ...fields }) {
    const names = { head: "head-input", earlier: "earlier-head-input", seed: "seed-input", batches: "batches-input", size: "batch-size-input" };
    if (model) await this.choose(id("model-select"), model);
    if (url) await this.fill(id("model-url"), url);
    if (model === "bundled") await this.see(".panel .about", "not GPT-2");
    for (const [key, value] of Object.entries(fields)) await this.fill(id(names[key]), value);
  }

  /** Runs what the form says, to the end; answers the result. */
  async run() {
    await this.click(id("run-button"));
    await this.until("the run does not end", () => {
      const at = (name) => document.querySelector(`[data-testid="${name}"]`);
      return at("error")?.textContent || (at("cancel-button").disabled && at("run-summary").textContent.includes("Live run, finished"));
    }).then((said) => check(said === true, `${said}`));
    return this.result();
  }

  /** The file that "Download result" gives, parsed, in the names of version 1. */
  async result() {
    const file = await this.download(() => this.click(id("download-result")));
    return inVersion1(JSON.parse(await readFile(file, "utf8")));
  }

  /** Waits for the file that `trigger` makes the browser save; answers its path. */
  async download(trigger) {
    const there = async () => (await readdir(this.shown.downloads)).filter((name) => !/\.(part|crdownload|wkdownload)$|^\.|^org\./.test(name));
    const before = await there();
    await trigger();
    for (const end = Date.now() + PATIENCE; ; ) {
      const added = (await there()).filter((name) => !before.includes(name));
      if (added.length) {
        const file = path.join(this.shown.downloads, added[0]);
        // Whole when it stays as it is for a moment: not every browser gives it another name meanwhile.
        const sizes = [];
        for (let time = 0; time < 2; time += 1) {
          sizes.push((await readFile(file)).length);
          await this.frames(6);
        }
        if (sizes[0] > 0 && sizes[0] === sizes[1]) {
          // Out of the way of another one of the same name.
          const kept = path.join(await mkdtemp(path.join(this.shown.downloads, ".kept-")), added[0]);
          await rename(file, kept);
          return kept;
        }
      }
      check(Date.now() < end, `nothing was saved: ${await readdir(this.shown.downloads)}`);
      await this.frames(1);
    }
  }
}
