// The reader's own prompts: typed, opened, dropped, in a link; and that no word of them leaves the browser.
import { execFile } from "node:child_process";
import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { promisify } from "node:util";

import { check, target, until } from "./harness.mjs";

const PROMPTS = ["When [[Mary]] and John went to the store, John gave a drink [[to]]", "After [[John]] and Mary went to the garden, Mary gave a ring [[to]]", "Then, [[Mary]] and John had a long lunch, and John handed a book [[to]]"];
/** Words that stand in no file of the page's own paths. */
const TYPED = ["Mary", "garden", "lunch", "%5B%5B", "[["];
const SERIES = ["No patching", "W_U[src]", "W_U[random]"];

/** Opens the form for prompts of one's own; the bundled model takes the recorded run's place. */
async function chooseOwn(tab) {
  const toggle = tab.at("controls-toggle");
  if ((await toggle.isVisible()) && (await toggle.getAttribute("aria-expanded")) === "false") await toggle.click();
  await tab.at("prompts-own").check({ force: true });
  await tab.at("own-prompts").waitFor();
  check((await tab.at("model-select").inputValue()) === "bundled", "the recorded run is still chosen");
  await tab.page.waitForFunction(() => document.querySelector('[data-testid="head-input"]').value !== "10.7");
}

const legend = (tab, figure) => tab.at(`figure-${figure}`).locator(".legend button").allInnerTexts();

/** Waits for the message that has `pattern`, checks that nothing else has changed, and dismisses it. */
async function expectMessage(tab, pattern, typed) {
  await tab.at("error").getByText(pattern).waitFor({ timeout: 30_000 });
  check((await tab.at("error").count()) === 1, "more than one message");
  check((await tab.at("own-prompts").inputValue()) === typed, "what was typed is gone");
  check((await tab.at("run-summary").innerText()).includes("Recorded run"), "what was shown is gone");
  await tab.at("dismiss-error").click();
  await tab.at("error").waitFor({ state: "detached" });
}

/** Drops a file of `text` on the page. */
const drop = (tab, name, text) =>
  tab.page.evaluate(
    ([name, text]) => {
      const transfer = new DataTransfer();
      transfer.items.add(new File([text], name));
      window.dispatchEvent(new DragEvent("drop", { dataTransfer: transfer, bubbles: true, cancelable: true }));
    },
    [name, text],
  );

export const ownPrompts = [
  {
    name: "three own prompts: typed, run, seen, exported, reloaded from the link, opened on the command line; no word leaves the browser",
    timeout: 180_000,
    context: { permissions: ["clipboard-read", "clipboard-write"], serviceWorkers: "allow" },
    async run(tab, { screenshots }) {
      const sent = [];
      tab.page.context().on("request", (request) => {
        sent.push([request.url().split("#")[0], JSON.stringify(request.headers()), request.postData() ?? ""].join("\n"));
      });
      await tab.open();
      await chooseOwn(tab);
      await tab.at("own-prompts").pressSequentially(PROMPTS.join("\n"));
      await tab.at("own-prompts-told").getByText("3 prompts.").waitFor();
      await tab.run();
      const summary = await tab.at("run-summary").innerText();
      check(summary.includes("3 prompts of one\u{2019}s own") && summary.includes("head 2.0"), summary);
      for (const figure of ["keys_fixed_scores", "keys_fixed_probs"]) {
        const entries = (await legend(tab, figure)).join(" ");
        check(SERIES.every((name) => entries.includes(name)) && !entries.includes("[S]") && !entries.includes("IO"), entries);
      }
      const keySide = (await legend(tab, "queries_fixed_scores")).join(" ");
      check(["W_U[src]", "W_E[src]", "W_EE[src]", "W_EE_subE[src]"].every((name) => keySide.includes(name)), keySide);
      check((await tab.at("figure-keys_fixed_scores").innerText()).includes("dest") && !(await tab.at("figure-keys_fixed_scores").innerText()).includes("END"), "END is spoken of");
      await tab.page.screenshot({ path: path.join(screenshots, "own-prompts.png") });
      await tab.page.screenshot({ path: path.join(screenshots, "own-prompts-full.png"), fullPage: true });

      // Export: the values of three prompts, the result file, the citation.
      
      await tab.at("figure-keys_fixed_scores").getByTestId("export-button").click();
      const [csv] = await Promise.all([tab.page.waitForEvent("download"), tab.at("figure-keys_fixed_scores").getByTestId("export-csv-values").click()]);
      let values = "";
      for await (const chunk of await csv.createReadStream()) values += chunk;
      check(values.trim().split("\n").length === 4, `${values}`);
      const [download] = await Promise.all([tab.page.waitForEvent("download"), tab.at("download-result").click()]);
      const folder = await mkdtemp(path.join(os.tmpdir(), "keyside-own-"));
      try {
        const file = path.join(folder, "result.json");
        await download.saveAs(file);
        const { stdout } = await promisify(execFile)(path.join(target, "release/keyside"), ["plot", file, "--out", path.join(folder, "plots"), "--svg"]);
        const plots = await readdir(path.join(folder, "plots"));
        check(plots.includes("keys_fixed_scores.svg") && plots.includes("heatmap_key.svg"), `${stdout}: ${plots}`);
      } finally {
        await rm(folder, { recursive: true });
      }

      // The link: the settings in the query, the texts after "#" alone.
      await tab.at("copy-link").click();
      await tab.at("copy-link-said").getByText("Link copied.").waitFor();
      const link = await tab.page.evaluate(() => navigator.clipboard.readText());
      const [query, fragment] = link.split("#");
      check(query.endsWith("?v=1&model=bundled&prompts=own&head=2.0&earlier=1.1") && TYPED.every((word) => !query.includes(word)), query);
      check(decodeURIComponent(fragment) === `prompts=${PROMPTS.join("\n")}`, fragment);
      const again = await tab.page.context().newPage();
      await again.goto(link);
      await again.getByTestId("run-summary").getByText("Live run, finished").waitFor({ timeout: 60_000 });
      check((await again.getByTestId("own-prompts").inputValue()) === PROMPTS.join("\n"), "the link has other prompts");
      check((await again.getByTestId("run-summary").innerText()).includes("3 prompts of one\u{2019}s own"), "the link runs others");
      await again.close();

      // What stays behind: nothing in what was asked for, nor in what the service worker keeps.
      check(sent.length > 10, `${sent.length} requests were seen`);
      for (const request of sent) for (const word of TYPED) check(!request.includes(word), `a request has ${word}: ${request}`);
      const kept = await tab.page.evaluate(async () => {
        const addresses = [];
        for (const name of await caches.keys()) for (const request of await (await caches.open(name)).keys()) addresses.push(request.url);
        return [...addresses, JSON.stringify({ ...localStorage }), JSON.stringify({ ...sessionStorage }), document.cookie].join("\n");
      });
      check(TYPED.every((word) => !kept.includes(word)), kept);
    },
  },
  {
    name: "prompts come from files and from what is dropped; CSV is read as CSV",
    timeout: 120_000,
    async run(tab) {
      await tab.open();
      await chooseOwn(tab);
      const folder = await mkdtemp(path.join(os.tmpdir(), "keyside-prompts-"));
      try {
        const file = path.join(folder, "prompts.txt");
        await writeFile(file, `\u{feff}${PROMPTS[0]}\r\n\r\n${PROMPTS[1]}\r\n`);
        await tab.at("open-prompts").setInputFiles(file);
        await tab.at("own-prompts-told").getByText("2 prompts.").waitFor();
        await writeFile(file, Buffer.from([0x61, 0x0a, 0xff, 0xfe]));
        await tab.at("open-prompts").setInputFiles(file);
        await tab.at("error").getByText(/prompts\.txt: line 2 .* is not UTF-8/).waitFor();
        check((await tab.at("own-prompts-told").innerText()).startsWith("2 prompts."), "what was there is gone");
        await tab.at("dismiss-error").click();
      } finally {
        await rm(folder, { recursive: true });
      }
      await drop(tab, "Mine.CSV", 'text,dest,src,a,b\n"Mary and John went to the store, and John gave it to Mary",,0,,\nThe cat and the dog and the,,1,,\n');
      await until(tab.page, () => tab.at("csv-checkbox").isChecked(), (is) => is, "it is not read as CSV");
      await tab.at("own-prompts-told").getByText("2 prompts.").waitFor();
      await tab.run();
      check((await tab.at("run-summary").innerText()).includes("2 prompts of one\u{2019}s own"), "other prompts were run");
      // Another model, or the IOI prompts and back: what was typed stays.
      await tab.at("prompts-ioi").check({ force: true });
      await tab.at("batches-input").waitFor();
      await tab.fill({ model: "url" });
      await tab.at("prompts-own").check({ force: true });
      check((await tab.at("own-prompts").inputValue()).startsWith("text,dest,src"), "what was typed is gone");
    },
  },
  {
    name: "a link that can't hold the prompts says so, and says what it lacks when it is opened",
    timeout: 90_000,
    context: { permissions: ["clipboard-read", "clipboard-write"] },
    async run(tab) {
      await tab.open();
      await chooseOwn(tab);
      const long = Array.from({ length: 30 }, () => PROMPTS[0]).join("\n");
      await tab.at("own-prompts").fill(long);
      await tab.at("own-prompts-told").getByText(/30 prompts, too long for a link/).waitFor();
      await tab.at("copy-link").click();
      await tab.at("copy-link-said").getByText(/Your prompts are not in it: they have 2,\d\d\d characters, and a link holds 1,500\. Send the result file/).waitFor();
      const link = await tab.page.evaluate(() => navigator.clipboard.readText());
      check(link.endsWith("?v=1&model=bundled&prompts=own&head=2.0&earlier=1.1"), link);
      await tab.page.goto("about:blank");
      await tab.page.goto(link);
      await tab.at("own-prompts").waitFor();
      await tab.at("invitation").getByText("on prompts of its sender\u{2019}s own, which are not in it").waitFor();
      check((await tab.at("error").count()) === 0, "that is no error");
    },
  },
  {
    name: "bad prompts: one sentence that names the line, and nothing is lost",
    timeout: 180_000,
    async run(tab) {
      await tab.open();
      await chooseOwn(tab);
      const good = PROMPTS[0];
      const attempts = [
        ["", /there is no prompt/],
        [" \n\n", /there is no prompt/],
        [`${good}\n[[]] and`, /line 2 \("\[\[\]\] and"\): a mark has nothing in it/],
        [`${good}\nno mark at all`, /line 2 \("no mark at all"\): it has no mark, and no position of the source/],
        [`${good}\n[[a]] [[b]] [[c]] d`, /line 2 .*: it has 3 marks/],
        [`${good}\n[[to]] the store [[M]]ary`, /line 2 .*: .*cuts/],
        [`${good}\nit is [[open`, /line 2 .*: a mark does not end/],
        [`${good}\n${"very ".repeat(300)}[[long]]`, /line 2 .*: it has \d+ tokens.*at most 256/],
        [`${good}\n${"x".repeat(100_000)}`, /line 2 .*: it has 100000 characters/],
        [Array.from({ length: 1001 }, () => good).join("\n"), /there are 1001 prompts; line 1001/],
      ];
      for (const [typed, pattern] of attempts) {
        await tab.at("own-prompts").fill(typed);
        await tab.at("run-button").click();
        await expectMessage(tab, pattern, typed);
      }
      await tab.at("own-prompts").fill(good.replaceAll("[[", "").replaceAll("]]", ""));
      for (const [src, dest, pattern] of [
        ["5", "3", /its destination, 3, is before its source, 5/],
        ["99", "", /its src is position 99, outside of its \d+ tokens/],
        ["x", "", /src: "x" can't be used/],
      ]) {
        await tab.at("src-input").fill(src);
        await tab.at("dest-input").fill(dest);
        await tab.at("run-button").click();
        await expectMessage(tab, pattern, PROMPTS[0].replaceAll(/\[\[|\]\]/g, ""));
      }
      await tab.at("src-input").fill("");
      await tab.at("csv-checkbox").check();
      for (const [typed, pattern] of [
        ["text,dest\na,1\n", /the header lacks src, a, b/],
        ['text,dest,src,a,b\n"never closed,1,0,,\n', /line 2: a field in quotes does not end/],
      ]) {
        await tab.at("own-prompts").fill(typed);
        await tab.at("run-button").click();
        await expectMessage(tab, pattern, typed);
      }
      await tab.at("csv-checkbox").uncheck();
      await tab.at("own-prompts").fill(good);
      await tab.run();
      await until(tab.page, () => tab.at("run-summary").innerText(), (text) => text.includes("1 prompt of one\u{2019}s own"), "one prompt is not run");
    },
  },
  {
    name: "own prompts on a phone",
    timeout: 90_000,
    context: { viewport: { width: 390, height: 844 }, hasTouch: true },
    async run(tab, { screenshots }) {
      await tab.open();
      await chooseOwn(tab);
      await tab.at("example-prompts").click();
      await tab.at("own-prompts-told").getByText("3 prompts.").waitFor();
      await tab.page.screenshot({ path: path.join(screenshots, "own-prompts-phone.png") });
      const wide = await tab.page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
      check(wide <= 0, `the page is ${wide} pixels too wide`);
      await tab.run();
      await tab.page.screenshot({ path: path.join(screenshots, "own-prompts-phone-run.png") });
    },
  },
];
