// A browser that keeps nothing for the page: no storage, one that refuses, one that does not answer, one that is full. The run works from memory, one
// notice says why, the panel says the same, and nothing is left behind.
import { readFile } from "node:fs/promises";
import path from "node:path";

import { arrays, compare, goldenArrays } from "./compare.mjs";
import { check, fixture, until, withSite, workerBegins } from "./harness.mjs";
import { answered } from "./sentence.mjs";
import { serve } from "./server.mjs";

const TINY = { model: "url", head: "2.1", earlier: "1.3", batches: 3, size: 10, seed: 0 };
const refused = (name, words) => `() => Promise.reject(new DOMException(${JSON.stringify(words)}, "${name}"))`;
const NEVER = "() => new Promise(() => {})";

/** What the worker finds, and what is said of it. */
const STORAGES = [
  { name: "no storage for files", script: "delete StorageManager.prototype.getDirectory;", words: /this browser has no storage for files/ },
  {
    name: "a page without encryption",
    script: 'delete StorageManager.prototype.getDirectory; Object.defineProperty(self, "isSecureContext", { value: false });',
    words: /keep nothing for a page without encryption: open it over https/,
  },
  {
    name: "a storage that refuses, as in private windows",
    script: `StorageManager.prototype.getDirectory = ${refused("SecurityError", "The operation is insecure.")};`,
    words: /storage can.t be used \(The operation is insecure\)/,
  },
  { name: "a storage that never answers", script: `StorageManager.prototype.getDirectory = ${NEVER};`, words: /storage does not answer/ },
  {
    name: "a storage that stops answering",
    script: `FileSystemDirectoryHandle.prototype.getFileHandle = ${NEVER};`,
    words: /storage does not answer/,
  },
  {
    name: "a storage that is full from the start",
    script: `FileSystemFileHandle.prototype.createSyncAccessHandle = ${refused("QuotaExceededError", "The quota has been exceeded.")};`,
    words: /storage can.t be used \(The quota has been exceeded\)/,
    lists: /None yet/,
  },
];

/** The files that the page's storage holds. */
const kept = (page) =>
  page.evaluate(async () => {
    const found = [];
    const walk = async (folder) => {
      for await (const entry of folder.values()) {
        if (entry.kind === "directory") await walk(entry);
        else found.push(entry.name);
      }
    };
    await walk(await navigator.storage.getDirectory());
    return found;
  });

export const storage = STORAGES.map(({ name, script, words, lists = words }) => ({
  name: `${name}: one notice, a panel that says so, and a run from memory`,
  timeout: 120_000,
  run: (tab, { screenshots }) =>
    withSite(tab, { alter: workerBegins(script) }, async () => {
      const models = await serve(fixture("tiny"), { cors: true });
      try {
        await tab.open();
        await tab.at("models-panel").locator("summary").click();
        await tab.fill({ ...TINY, url: models.url });
        await tab.run(90_000);
        const { result } = await tab.download();
        compare(arrays(result), goldenArrays(JSON.parse(await readFile(fixture("tiny-golden.json"), "utf8")), "2.1"), 1e-4);
        const notice = await tab.at("notice-not-kept").innerText();
        check(/^The model is not kept in this browser \(.*\); the run goes on in memory\.$/.test(notice) && words.test(notice), notice);
        check((await tab.at("error").count()) === 0, "there is an error beside the notice");
        const panel = await until(tab.page, () => tab.at("none-stored").innerText(), (text) => lists.test(text), "the panel");
        check(lists !== words || /Nothing can be kept here/.test(panel), panel);
        check((await tab.at("stored-model").count()) === 0, "the panel lists a model");
        check((await kept(tab.page)).length === 0, `left: ${await kept(tab.page)}`);
        await tab.at("models-panel").scrollIntoViewIfNeeded();
        await tab.page.screenshot({ path: path.join(screenshots, `storage-${name.replaceAll(/\W+/g, "-")}.png`) });
        // A sentence is answered, too, and the same is said there.
        await tab.fill({ url: `${models.url}.` });
        await tab.at("tab-sentence").click();
        await tab.at("sentence-input").fill("The keys to the cabinet");
        await tab.at("sentence-input").press("Enter");
        await answered(tab);
        check(words.test(await tab.at("notice-not-kept").innerText()), await tab.at("notice-not-kept").innerText());
      } finally {
        await models.close();
      }
    }),
}));
