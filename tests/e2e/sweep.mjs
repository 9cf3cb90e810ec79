// A sweep of the command line, opened in the page: its maps, its filter, and a head's own run.
import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { promisify } from "node:util";

import { check, root, target, until } from "./harness.mjs";

const MODEL = "public/models/tiny-ioi";

/** Runs a sweep, and hands the path of its rows and the rows to `run`. */
async function withRows(run) {
  const folder = await mkdtemp(path.join(os.tmpdir(), "keyside-sweep-"));
  try {
    const flags = ["sweep", "--models", MODEL, "--seeds", "0..3", "--batches", "2", "--batch-size", "20", "--out", path.join(folder, "sweep")];
    await promisify(execFile)(path.join(target, "release/keyside"), flags, { cwd: root });
    const file = path.join(folder, "sweep/rows.jsonl");
    const lines = (await readFile(file, "utf8")).trim().split("\n");
    await run(file, lines.map((line) => JSON.parse(line)), folder);
  } finally {
    await rm(folder, { recursive: true });
  }
}

const open = async (tab, file) => {
  await tab.at("open-result").setInputFiles(file);
  await tab.at("card-sweep").waitFor();
};
const card = (tab) => tab.at("card-sweep");
const plotOf = (tab) => card(tab).getByRole("application");

export const sweep = [
  {
    name: "a sweep is opened: maps, filter, keyboard, and a head's own run with the numbers of its row",
    timeout: 240_000,
    async run(tab, { screenshots }) {
      await withRows(async (file, rows) => {
        await tab.open();
        await open(tab, file);
        const heads = new Set(rows.map(({ head }) => head)).size;
        check((await card(tab).innerText()).includes(`${heads} heads on 3 sets of prompts`), await card(tab).innerText());
        await until(tab.page, () => plotOf(tab).getAttribute("aria-label"), (label) => label.includes("seed 0"), "the first set");
        await tab.page.screenshot({ path: path.join(screenshots, "sweep.png") });

        // The filter leaves one set, and the list beside the map has its largest heads.
        await tab.at("sweep-filter").fill("seed 2");
        await until(tab.page, () => plotOf(tab).getAttribute("aria-label"), (label) => label.includes("seed 2"), "the filtered set");
        check((await tab.at("sweep-set").locator("option").count()) === 1, "the filter leaves more than one set");
        const [largest] = rows.filter(({ seed }) => seed === 2).sort((a, b) => b.prob - a.prob);
        const first = await tab.at("sweep-head").first().innerText();
        check(first.startsWith(largest.head), `${first} is not ${largest.head}`);
        await tab.at("sweep-filter").fill("no such set");
        await card(tab).getByText("No set has such a name.").waitFor();
        await tab.at("sweep-filter").fill("seed 2");

        // Another measure is another map.
        await tab.at("sweep-measure-score").check({ force: true });
        await until(tab.page, () => plotOf(tab).getAttribute("aria-label"), (label) => label.startsWith("Attention score"), "the map of scores");

        // A head of the first layer says why it leads nowhere; by keys, as others are reached.
        await plotOf(tab).focus();
        await tab.page.keyboard.press("Home");
        await tab.page.keyboard.press("ArrowUp");
        await tab.page.keyboard.press("ArrowUp");
        await tab.page.keyboard.press("Enter");
        await tab.at("sweep-said").getByText("first layer").waitFor();

        // A head is run: the mean of its scores is that of its row.
        const row = rows.find(({ head, seed }) => head === "2.0" && seed === 2);
        await tab.at("sweep-measure-attention").check({ force: true });
        await tab.at("sweep-head").getByText("2.0", { exact: false }).first().click();
        await tab.at("sweep-said").getByText("Head 2.0 is run below.").waitFor();
        await tab.at("run-summary").getByText("Live run, finished").waitFor({ timeout: 120_000 });
        const { result } = await tab.download();
        const scores = result.histograms.true_score;
        const mean = scores.reduce((sum, score) => sum + score, 0) / scores.length;
        check(result.head === "2.0" && scores.length === row.count && row.count === 40, `head ${result.head}, ${scores.length} prompts`);
        check(Math.abs(mean - row.score) < 1e-4, `the mean score is ${mean}, the row has ${row.score}`);
        await tab.page.screenshot({ path: path.join(screenshots, "sweep-run.png"), fullPage: true });

        // Closed, and opened by a drop.
        await tab.at("close-sweep").click();
        await card(tab).waitFor({ state: "detached" });
        const text = await readFile(file, "utf8");
        await tab.page.evaluate((text) => {
          const transfer = new DataTransfer();
          transfer.items.add(new File([text], "rows.jsonl"));
          window.dispatchEvent(new DragEvent("drop", { dataTransfer: transfer, bubbles: true, cancelable: true }));
        }, text);
        await card(tab).waitFor();
      });
    },
  },
  {
    name: "a sweep on a phone, and files that are none",
    timeout: 120_000,
    context: { viewport: { width: 390, height: 844 }, hasTouch: true },
    async run(tab, { screenshots }) {
      await withRows(async (file, rows, folder) => {
        await tab.open();
        const toggle = tab.at("controls-toggle");
        if ((await toggle.getAttribute("aria-expanded")) === "false") await toggle.click();
        const wrong = path.join(folder, "wrong.jsonl");
        await writeFile(wrong, `${JSON.stringify(rows[0])}\n{"head":"1.0"}\n`);
        await tab.at("open-result").setInputFiles(wrong);
        await tab.at("error").getByText("line 2 is no row of a sweep").waitFor();
        await open(tab, file);
        await tab.page.waitForFunction(() => document.documentElement.scrollWidth <= window.innerWidth);
        await card(tab).scrollIntoViewIfNeeded();
        await tab.page.screenshot({ path: path.join(screenshots, "sweep-phone.png") });
      });
    },
  },
];
