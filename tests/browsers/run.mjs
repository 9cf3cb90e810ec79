// The main jobs in each browser: node tests/browsers/run.mjs [BROWSER...] [job words]. Prints "N passed, N failed".
import { mkdir, writeFile } from "node:fs/promises";
import path from "node:path";

import { check, page, root } from "../e2e/harness.mjs";
import { serve } from "../e2e/server.mjs";
import { BROWSERS } from "./driver.mjs";
import { jobs } from "./jobs.mjs";
import { Tab } from "./tab.mjs";

const screenshots = path.join(root, "screenshots/browsers");
const words = process.argv.slice(2);
const named = words.filter((word) => word in BROWSERS);
const part = words.filter((word) => !(word in BROWSERS)).join(" ");
const chosen = jobs.filter(({ name }) => name.includes(part));
await mkdir(screenshots, { recursive: true });
let [passed, failed] = [0, 0];

/** Does `job` in a window of its own. */
async function does(driver, { name, run, options = {}, only, patience = 1, allow }) {
  if (only && !only.includes(driver.name)) return;
  const started = Date.now();
  // Isolated, so that threads may share memory.
  const site = await serve(page, { isolated: true });
  const label = `${driver.name}: ${name}`;
  let shown;
  let timer;
  const limit = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error("took more than 4 minutes")), 240_000);
  });
  try {
    shown = await driver.start(typeof options === "function" ? options(driver.name) : options);
    const tab = new Tab(shown, site.url);
    tab.patience = patience;
    const shoot = async (what) => {
      const picture = await shown.screenshot().catch(() => null);
      if (picture) await writeFile(path.join(screenshots, `${what}-${driver.name}.png`), picture);
    };
    const told = await Promise.race([run(tab, { site, shoot, browser: driver.name }), limit]);
    const complaints = shown.complaints.filter((text) => !allow?.test(text));
    check(complaints.length === 0, complaints.join("\n"));
    passed += 1;
    console.log(`ok      ${label} (${((Date.now() - started) / 1000).toFixed(1)} s)${told ? `: ${told}` : ""}`);
  } catch (error) {
    failed += 1;
    console.log(`FAILED  ${label}: ${error.message}`);
    for (const complaint of shown?.complaints ?? []) console.log(`        ${complaint}`);
    const picture = await shown?.screenshot().catch(() => null);
    if (picture) await writeFile(path.join(screenshots, `failed-${label.replaceAll(/\W+/g, "-")}.png`), picture);
  } finally {
    clearTimeout(timer);
    await shown?.close().catch(() => {});
    await site.close().catch(() => {});
  }
}

for (const name of named.length ? named : Object.keys(BROWSERS)) {
  try {
    const driver = await BROWSERS[name]();
    console.log(`        ${name}: ${driver.version}`);
    for (const job of chosen) await does(driver, job);
    await driver.close();
  } catch (error) {
    failed += 1;
    console.log(`FAILED  ${name}: ${error.message}`);
  }
}
console.log(`${passed} passed, ${failed} failed`);
process.exit(failed ? 1 : 0);
