// Two series prompt by prompt, and the list of prompts beside them: choosing, picking by keyboard, sorting, filtering, the link.
import { readFile } from "node:fs/promises";
import path from "node:path";

import { check, drawn, root, threeFrames, until } from "./harness.mjs";

const recordedFile = path.join(root, "public/recorded/gpt2-small-10.7.json");
const X = "keys_fixed_scores:W_U[IO]";
const Y = "keys_fixed_scores:NMH 9.9 output";

const figure = (tab) => tab.at("figure-scatter");
const within = (tab, name) => figure(tab).getByTestId(name);
const rows = (tab) => within(tab, "prompt-list").locator("tbody tr");
/** What stands in each row of the list. */
const cells = (tab) => rows(tab).evaluateAll((rows) => rows.map((row) => [...row.children].map((cell) => cell.textContent.trim())));

/** Waits until the list has so many prompts. */
const counts = (tab, told) => until(tab.page, () => within(tab, "list-count").innerText(), (text) => text === told, `not ${told}`);

/** The values of one series of the recorded run. */
async function recorded(of) {
  const [histogram, series] = of.split(/:(.*)/);
  return JSON.parse(await readFile(recordedFile, "utf8")).histograms[histogram].series[series];
}

const told = (value) => value.toFixed(2).replace(/^-(?=.*[1-9])/, "\u2212").replace(/^-/, "");

/** The recorded run's file with texts for its prompts. */
async function withTexts() {
  const result = JSON.parse(await readFile(recordedFile, "utf8"));
  const count = result.batch_size * result.batches;
  // What version 1 holds of a prompt; its text is all that is looked at.
  const rest = { tokens: [1, 2, 3], IO: "Mary", S: "John", IO_token: 1, S_token: 2, random_token: 3, random_name_token: 4, positions: { IO: 0, S1: 1, S2: 1, END: 2 } };
  result.prompts = Array.from({ length: count }, (_, prompt) => ({ text: `${prompt % 3 ? "John" : "Mary"} went home, number ${prompt}`, ...rest }));
  return { name: "texts.json", mimeType: "application/json", buffer: Buffer.from(JSON.stringify(result)) };
}

export const scatter = [
  {
    name: "two series are chosen, a mark is picked by keyboard and found in the list; the list is sorted and filtered; the link opens the same",
    async run(tab, { screenshots }) {
      await tab.open();
      await drawn(tab.page);
      await figure(tab).scrollIntoViewIfNeeded();
      await within(tab, "scatter-x").selectOption(X);
      await within(tab, "scatter-y").selectOption(Y);
      const title = figure(tab).locator(".plot-title");
      await until(tab.page, () => title.innerText(), (text) => text.startsWith("NMH 9.9 output against W_U[IO]"), "another title");
      await until(tab.page, () => within(tab, "agreement").innerText(), (text) => /r = \S+ \(n = 1,200, 95 % interval/.test(text), "no correlation");

      // The greatest value along the axis below, by keyboard alone.
      const [xs, ys] = [await recorded(X), await recorded(Y)];
      const greatest = xs.indexOf(Math.max(...xs));
      const canvas = figure(tab).locator("canvas").first();
      await canvas.focus();
      await tab.page.keyboard.press("End");
      const spoken = within(tab, "spoken");
      await until(tab.page, () => spoken.innerText(), (text) => text.startsWith(`prompt ${(greatest + 1).toLocaleString("en")},`), "another prompt is told");
      await tab.page.keyboard.press("Enter");
      const marked = rows(tab).locator("button[aria-pressed=true]");
      await marked.waitFor();
      const row = await rows(tab).filter({ has: tab.page.locator("button[aria-pressed=true]") }).locator("td").allInnerTexts();
      check(row[0] === told(xs[greatest]) && row[1] === told(ys[greatest]), `${row}, not ${told(xs[greatest])}, ${told(ys[greatest])}`);
      check((await marked.innerText()) === (greatest + 1).toLocaleString("en"), "another prompt is marked");

      // Sorted by a third series, greatest first; the page with the marked prompt is shown, so it is let go first.
      await marked.click();
      const Z = "queries_fixed_scores:W_EE[IO]";
      await within(tab, "list-sort").selectOption(Z);
      await within(tab, "list-descending").click();
      const zs = await recorded(Z);
      const sorted = zs.map((value, prompt) => [value, prompt]).sort((a, b) => b[0] - a[0] || a[1] - b[1]);
      const first = told(sorted[0][0]);
      await until(tab.page, () => cells(tab), (rows) => rows[0]?.[3] === first, `${first} is not first`);
      const listed = await cells(tab);
      check(listed.length === 12, `${listed.length} rows`);
      listed.forEach((row, place) => check(row[3] === told(sorted[place][0]), `${row[3]} at ${place}`));

      // A prompt of the list is marked in the plot.
      await rows(tab).nth(2).getByRole("button").click();
      await figure(tab).getByTestId("picked-prompt").waitFor();

      await within(tab, "list-of").selectOption(X);
      await within(tab, "list-least").fill("10");
      await within(tab, "list-least").press("Enter");
      const left = xs.filter((value) => value >= 10).length;
      await counts(tab, `${left.toLocaleString("en")} of 1,200 prompts`);
      await within(tab, "list-kind").selectOption({ index: 1 });
      await until(tab.page, () => within(tab, "list-count").innerText(), (text) => parseInt(text.replace(",", "")) < left, "the kind leaves nothing out");
      const count = await within(tab, "list-count").innerText();
      await figure(tab).screenshot({ path: path.join(screenshots, "scatter.png") });

      await until(tab.page, () => tab.page.url(), (url) => url.includes("group=order"), "the address does not follow");
      const before = await cells(tab);
      await tab.page.reload();
      await drawn(tab.page);
      await counts(tab, count);
      check(JSON.stringify(await cells(tab)) === JSON.stringify(before), "another list");
      check((await within(tab, "scatter-y").inputValue()) === Y && (await within(tab, "list-sort").inputValue()) === Z, "other series");
      await within(tab, "list-all").click();
      await counts(tab, "1,200 of 1,200 prompts");
    },
  },
  {
    name: "prompts are found by their texts, which are in the fragment of the address and not in its query",
    async run(tab) {
      await tab.open();
      await tab.at("open-result").setInputFiles(await withTexts());
      await until(tab.page, () => rows(tab).first().innerText().catch(() => ""), (text) => text.includes("went home"), "no texts in the list");
      await within(tab, "list-text").fill("mary");
      await counts(tab, "400 of 1,200 prompts");
      check((await cells(tab)).every((row) => row.at(-1).startsWith("Mary")), "another prompt");
      await until(tab.page, () => tab.page.url(), (url) => url.includes("#find=mary"), "the address does not follow");
      check(!new URL(tab.page.url()).search.includes("mary"), "the query has it");
      await threeFrames(tab.page);
      check((await rows(tab).count()) === 12, "more rows than a page has");
    },
  },
];
