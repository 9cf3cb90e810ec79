// How long a question about a sentence takes in Chromium, from Enter to the strip and to the whole answer, as JSON: on the bundled model and,
// where a folder of one is given, on another checkpoint. Sentences of 20 and 200 tokens; typed on by a word each time, and as other heads of
// the same sentence. "computing" is what the worker says, the rest is everything else.
//   node benches/sentence.mjs [FOLDER]      (needs the test page of make e2e; KEYSIDE_PAGE names another)
import path from "node:path";
import { createRequire } from "node:module";

import { check, FLAGS, page, root, Tab } from "../tests/e2e/harness.mjs";
import { serve } from "../tests/e2e/server.mjs";

const { chromium } = createRequire(path.join(root, "tests/e2e/"))("playwright-core");

const WORDS = "When Mary and John went to the store, John gave a drink to";
const MORE = " and then she said that he went to the store to get a drink for her and";
const LENGTHS = [20, 200];
const REPEATS = 5;
const MB = 1e6;

const median = (values) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)];
const rounded = (value) => Math.round(value * 1000) / 1000;

/** Seconds from Enter to the strip and to the whole answer, and those of computing. */
async function enter(tab, text) {
  await tab.at("sentence-input").fill(text);
  const times = await tab.page.evaluate(async (text) => {
    const at = (name) => document.querySelector(`[data-testid="${name}"]`);
    const field = at("sentence-input");
    const begun = performance.now();
    field.form.requestSubmit();
    const frame = () => new Promise(requestAnimationFrame);
    const strip = () => [...document.querySelectorAll(".token")].map((token) => [...token.childNodes].filter((node) => node.nodeType === Node.TEXT_NODE).map((node) => node.data).join("")).join("").replaceAll("\u{b7}", " ");
    while (strip() !== text) await frame();
    const shown = performance.now();
    while (at("asking")) await frame();
    return { strip: (shown - begun) / 1000, whole: (performance.now() - begun) / 1000 };
  }, text);
  const told = await tab.at("sentence-model").innerText();
  return { ...times, computing: Number(told.match(/Answered in ([\d.]+) s/)[1]) };
}

/** A sentence of so many tokens of the model, found by trying. */
async function sentenceOf(tab, length) {
  let text = WORDS;
  for (;;) {
    const { count } = await enter(tab, text).then(async () => ({ count: await tab.page.locator(".token").count() }));
    if (count >= length) return text;
    text += MORE.repeat(Math.max(1, Math.floor((length - count) / 18)));
  }
}

async function measure(tab, first) {
  const found = { first: first && { strip: rounded(first.strip), whole: rounded(first.whole) } };
  for (const length of LENGTHS) {
    const text = await sentenceOf(tab, length);
    const typed = [];
    for (let repeat = 0; repeat < REPEATS; repeat += 1) typed.push(await enter(tab, `${text}${" very".repeat(repeat + 1)}`));
    const of = (key) => rounded(median(typed.map((times) => times[key])));
    found[length] = { tokens: await tab.page.locator(".token").count(), strip: of("strip"), whole: of("whole"), computing: of("computing"), else: rounded(median(typed.map((times) => times.whole - times.computing))) };
  }
  const [download] = await Promise.all([
    tab.page.waitForEvent("download"),
    (async () => {
      await tab.at("card-heads").getByTestId("export-button").click();
      await tab.at("card-heads").getByTestId("export-result").click();
    })(),
  ]);
  const chunks = [];
  for await (const chunk of await download.createReadStream()) chunks.push(chunk);
  const { timing } = JSON.parse(Buffer.concat(chunks).toString());
  found.peak_linear_memory_mb = Math.round(timing.peak_linear_memory / MB);
  return found;
}

const [folder] = process.argv.slice(2);
const site = await serve(page);
const models = folder && (await serve(folder, { cors: true }));
const browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium", args: FLAGS });
try {
  const measured = {};
  const tab = new Tab(await (await browser.newContext({ acceptDownloads: true, serviceWorkers: "block" })).newPage(), site.url);
  await tab.page.goto(`${site.url}?tab=sentence&model=bundled#text=${encodeURIComponent(WORDS)}`);
  await tab.at("answer").waitFor();
  measured.bundled = await measure(tab);
  if (models) {
    const other = new Tab(await (await browser.newContext({ acceptDownloads: true, serviceWorkers: "block" })).newPage(), site.url);
    other.page.setDefaultTimeout(600_000);
    await other.page.goto(`${site.url}?tab=sentence&model=url&url=${encodeURIComponent(models.url)}`);
    const first = await enter(other, WORDS);
    measured.checkpoint = await measure(other, first);
    const bytes = models.requests.length;
    measured.checkpoint.requests = bytes;
  }
  check(tab.unexpected().length === 0, tab.unexpected().join("\n"));
  console.log(JSON.stringify(measured, null, 2));
} finally {
  await browser.close();
  await site.close();
  await models?.close();
}
