// Runs in the worker: the bundled model, a model from a URL, progress, cancel, the keyboard.
import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { promisify } from "node:util";

import { arrays, compare, goldenArrays } from "./compare.mjs";
import { check, fixture, root, target, until } from "./harness.mjs";
import { colours } from "./recorded_run.mjs";
import { serve } from "./server.mjs";
import { inVersion1 } from "./version_1.mjs";

/** The command line's result for the same settings. */
async function analyze(model, { head, earlier, batches, size, seed }) {
  const folder = await mkdtemp(path.join(os.tmpdir(), "keyside-"));
  const out = path.join(folder, "result.json");
  const settings = ["--head", head, "--earlier-head", earlier, "--batches", batches, "--batch-size", size, "--seed", seed];
  await promisify(execFile)(path.join(target, "release/keyside"), ["analyze", "--model", model, ...settings.map(String), "--out", out]);
  const result = inVersion1(JSON.parse(await readFile(out, "utf8")));
  await rm(folder, { recursive: true });
  return result;
}

/** Chooses the bundled model and waits for its settings. */
async function chooseBundled(tab) {
  await tab.fill({ model: "bundled" });
  await tab.page.waitForFunction(() => /is not GPT-2/i.test(document.querySelector(".panel .about").textContent));
  await tab.at("run-button").and(tab.page.locator(":enabled")).waitFor();
}

export const liveRuns = [
  {
    name: "the bundled model runs live, with progress, and equals the command line",
    timeout: 120_000,
    async run(tab, { screenshots }) {
      await tab.open();
      await chooseBundled(tab);
      await tab.fill({ batches: 6, size: 40, seed: 3 });
      const settings = {
        head: await tab.at("head-input").inputValue(),
        earlier: await tab.at("earlier-head-input").inputValue(),
        batches: 6,
        size: 40,
        seed: 3,
      };
      // Progress is collected as it passes: a fast machine shows each line for a few frames only.
      await tab.page.evaluate(() => {
        window.seen = { texts: new Set(), summaries: new Set(), bars: new Set() };
        const look = () => {
          const text = (name) => document.querySelector(`[data-testid="${name}"]`)?.textContent ?? "";
          window.seen.texts.add(text("progress-text"));
          window.seen.summaries.add(text("run-summary"));
          window.seen.bars.add(document.querySelector('[data-testid="progress"]')?.value ?? -1);
          requestAnimationFrame(look);
        };
        look();
      });
      await tab.run();
      const seen = await tab.page.evaluate(() => Object.fromEntries(Object.entries(window.seen).map(([key, set]) => [key, [...set]])));
      check(seen.texts.some((text) => /batch \d of 6/.test(text)), `no batch in the progress: ${seen.texts}`);
      check(seen.texts.some((text) => /positions\/s/.test(text)), `no rate in the progress: ${seen.texts}`);
      check(seen.bars.some((value) => value > 0 && value < 1), `the bar did not move: ${seen.bars}`);
      check(seen.summaries.some((text) => /partial: [1-5] of 6/.test(text)), "the histograms did not fill in as batches arrived");
      const identity = await tab.at("identity-text").innerText();
      check(/over 40 prompts sum and score differ by at most \d(\.\d+)?e-\d of the sum of the absolute cells/.test(identity), identity);
      await tab.page.screenshot({ path: path.join(screenshots, "bundled-wide-full.png"), fullPage: true });
      const { result } = await tab.download();
      compare(arrays(result), arrays(await analyze(path.join(root, "public/models/tiny-ioi"), settings)), 1e-4);
      check(result.heatmaps.key.max_abs_residual < 1e-4, `contributions do not add up: ${result.heatmaps.key.max_abs_residual}`);
      // Isolated as a host's headers do it, the page computes on all cores.
      const [isolated, cores] = await tab.page.evaluate(() => [crossOriginIsolated, navigator.hardwareConcurrency]);
      check(isolated && result.timing.threads === Math.min(cores, 8), `isolated: ${isolated}, ${result.timing.threads} threads of ${cores} cores`);
      // A second run on the model that is loaded, and the switch that leaves out b_O.
      await tab.at("notebook-switch").check();
      await until(tab.page, () => tab.at("identity-text").innerText(), (text) => text.includes("without b_O"), "the switch changed nothing");
    },
  },
  {
    name: "a phone runs the bundled model",
    timeout: 120_000,
    context: { viewport: { width: 390, height: 844 }, deviceScaleFactor: 2, hasTouch: true },
    async run(tab, { screenshots }) {
      await tab.open();
      await chooseBundled(tab);
      await tab.fill({ batches: 2 });
      await tab.run();
      await tab.page.screenshot({ path: path.join(screenshots, "bundled-phone.png") });
      await tab.page.screenshot({ path: path.join(screenshots, "bundled-phone-full.png"), fullPage: true });
    },
  },
  {
    name: "cancel stops a run, keeps what is shown, and the next run works",
    timeout: 120_000,
    async run(tab) {
      await tab.open();
      await chooseBundled(tab);
      await tab.fill({ batches: 500, size: 40 });
      await tab.at("run-button").click();
      await tab.page.waitForFunction(() => /batch [2-9]/.test(document.querySelector('[data-testid="progress-text"]')?.textContent ?? ""));
      await tab.at("cancel-button").click();
      await tab.at("progress-text").getByText(/^Cancelled/).waitFor({ timeout: 10_000 });
      check((await tab.at("error").count()) === 0, "cancelling is not an error");
      // Every batch that finished is still there: in the words, in the figure, and in the table of its six series and the true score.
      const said = await tab.at("progress-text").innerText();
      const kept = Number(/^Cancelled\. The histograms keep the (\d+) batch(?:es)? that finished\.$/.exec(said)?.[1]);
      check(kept >= 1 && kept < 500, said);
      await tab.at("run-summary").getByText(`Live run, partial: ${kept} of 500 batches`).waitFor();
      await until(tab.page, () => colours(tab, "keys_fixed_scores"), (count) => count > 5, "the figure is empty");
      const data = tab.at("figure-keys_fixed_scores").getByTestId("data-table");
      await data.locator("summary").first().click();
      await data.getByTestId("data-statistics").waitFor();
      const counts = await data.getByTestId("data-statistics").locator("tbody tr td:nth-of-type(2)").allInnerTexts();
      check(counts.length === 7 && counts.every((count) => count === (40 * kept).toLocaleString("en-US")), `${counts} values in ${kept} batches`);
      await tab.fill({ batches: 1, size: 5 });
      await tab.run();
    },
  },
  {
    name: "a checkpoint from another origin gives the golden numbers through the worker",
    timeout: 120_000,
    async run(tab) {
      const models = await serve(fixture("tiny"), { cors: true });
      try {
        const golden = JSON.parse(await readFile(fixture("tiny-golden.json"), "utf8"));
        await tab.open();
        for (const head of ["2.1", "2.3"]) {
          await tab.fill({ model: "url", url: models.url, head, earlier: "1.3", batches: 3, size: 10, seed: 0 });
          await tab.run();
          await tab.at("run-summary").getByText(`head ${head}`).waitFor();
          const { result } = await tab.download();
          compare(arrays(result), goldenArrays(golden, head), 1e-4);
        }
        const ranges = models.requests.filter((request) => request.path.endsWith(".safetensors"));
        check(ranges.length > 0 && ranges.every((request) => request.range), "weights were not read by ranges");
      } finally {
        await models.close();
      }
    },
  },
  {
    name: "the keyboard alone is enough",
    timeout: 120_000,
    async run(tab) {
      await tab.open();
      const focusOn = async (name) => {
        for (let i = 0; i < 80; i += 1) {
          await tab.page.keyboard.press("Tab");
          const at = await tab.page.evaluate(() => document.activeElement?.dataset.testid ?? "");
          if (at === name) return;
        }
        throw new Error(`Tab does not reach ${name}`);
      };
      await focusOn("model-select");
      await tab.page.keyboard.press("ArrowDown");
      await tab.page.waitForFunction(() => document.querySelector('[data-testid="head-input"]').value !== "10.7");
      await tab.at("run-button").and(tab.page.locator(":enabled")).waitFor();
      await focusOn("batches-input");
      await tab.page.keyboard.press("ControlOrMeta+A");
      await tab.page.keyboard.type("1");
      await tab.page.keyboard.press("Enter");
      await tab.at("run-summary").getByText("Live run, finished").waitFor({ timeout: 60_000 });
      await tab.at("figure-keys_fixed_scores").locator(".legend button").first().focus();
      await tab.page.keyboard.press("Space");
      const pressed = await tab.page.evaluate(() => document.activeElement.getAttribute("aria-pressed"));
      check(pressed === "false", "Space does not toggle a legend entry");
    },
  },
];
