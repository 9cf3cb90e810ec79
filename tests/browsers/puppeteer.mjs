// Chromium by its own protocol, and Firefox by WebDriver BiDi.
import { mkdtemp, rm } from "node:fs/promises";
import os from "node:os";
import path from "node:path";

import puppeteer from "puppeteer-core";

import { FLAGS } from "../e2e/harness.mjs";

const PROGRAMS = { chromium: process.env.CHROMIUM ?? "/usr/bin/chromium", firefox: process.env.FIREFOX ?? "/usr/bin/firefox-esr" };

/** What makes Firefox save files without asking. */
const saving = (folder) => ({
  "browser.download.dir": folder,
  "browser.download.folderList": 2,
  "browser.download.useDownloadDir": true,
  "browser.download.always_ask_before_handling_new_types": false,
  "browser.download.alwaysOpenPanel": false,
  "browser.download.manager.showWhenStarting": false,
});

/** The driver of `name`. */
export async function startPuppeteer(name) {
  const windows = new Set();
  const start = async ({ width = 1280, height = 800, dark = false, touch = false, preferences = {} } = {}) => {
    const downloads = await mkdtemp(path.join(os.tmpdir(), `keyside-${name}-`));
    const browser = await puppeteer.launch({
      browser: name === "firefox" ? "firefox" : "chrome",
      executablePath: PROGRAMS[name],
      headless: true,
      defaultViewport: null,
      args: name === "chromium" ? FLAGS : [],
      extraPrefsFirefox: { ...saving(downloads), "ui.systemUsesDarkTheme": dark ? 1 : 0, ...preferences },
    });
    const [page] = await browser.pages();
    if (name === "chromium") {
      const session = await browser.target().createCDPSession();
      await session.send("Browser.setDownloadBehavior", { behavior: "allow", downloadPath: downloads });
      await page.emulateMediaFeatures([{ name: "prefers-color-scheme", value: dark ? "dark" : "light" }]);
    }
    const shown = new Shown(browser, page, downloads, () => windows.delete(shown));
    windows.add(shown);
    await shown.resize(width, height, touch);
    return shown;
  };
  const first = await start();
  const version = await first.browser.version();
  await first.close();
  return { name, version, start, close: () => Promise.all([...windows].map((shown) => shown.close())) };
}

/** See driver.mjs. */
class Shown {
  constructor(browser, page, downloads, gone) {
    Object.assign(this, { browser, page, downloads, gone, complaints: [] });
    page.on("pageerror", (error) => this.complaints.push(`page error: ${error.message}`));
    page.on("console", (message) => {
      if (message.type() === "error") this.complaints.push(`console: ${message.text()}`);
    });
  }

  goto(url) {
    return this.page.goto(url, { waitUntil: "load" });
  }

  reload() {
    return this.page.reload({ waitUntil: "load" });
  }

  evaluate(fn, ...args) {
    return this.page.evaluate(fn, ...args);
  }

  move(x, y) {
    return this.page.mouse.move(x, y);
  }

  down() {
    return this.page.mouse.down();
  }

  up() {
    return this.page.mouse.up();
  }

  tap(x, y) {
    return this.page.touchscreen.tap(x, y);
  }

  async press(key, ...held) {
    for (const other of held) await this.page.keyboard.down(other);
    await this.page.keyboard.press(key);
    for (const other of held) await this.page.keyboard.up(other);
  }

  type(text) {
    return this.page.keyboard.type(text);
  }

  async setFiles(selector, files) {
    const field = await this.page.$(selector);
    await field.uploadFile(...files);
  }

  resize(width, height, touch = false) {
    return this.page.setViewport({ width, height, hasTouch: touch });
  }

  async screenshot() {
    return Buffer.from(await this.page.screenshot());
  }

  async close() {
    this.gone();
    await this.browser.close();
    await rm(this.downloads, { recursive: true, force: true });
  }
}
