// Pages and workers that do not start: the cause is named, with what to do.
import { check, withSite, workerBegins } from "./harness.mjs";

const WEB_PAGE = { type: "text/html; charset=utf-8", body: "<!doctype html><title>Sign in</title>" };
/** Answers files whose names fit `pattern` with `answer`. */
const answering = (pattern, answer) => (file) => (pattern.test(file) ? answer : undefined);
const PARTS = { script: /\/page-[0-9a-f]+\.js$/, wasm: /\/page-[0-9a-f]+_bg\.wasm$/, worker: /\/worker-[0-9a-f]+\.js$/, "worker's wasm": /\/worker-[0-9a-f]+_bg\.wasm$/ };

/** What is wrong with the page's own files, and what is said of it. */
const PAGES = [
  { name: "a script of another type", alter: answering(PARTS.script, { type: "text/plain" }), words: /sent page-[0-9a-f]+\.js as "text\/plain", which browsers do not run/ },
  { name: "a web page in place of the script", alter: answering(PARTS.script, WEB_PAGE), words: /sent a web page in place of page-[0-9a-f]+\.js/ },
  { name: "a script that is not there", alter: answering(PARTS.script, { status: 404, body: "" }), words: /answered 404 for page-[0-9a-f]+\.js/ },
  { name: "a web page in place of the wasm", alter: answering(PARTS.wasm, WEB_PAGE), words: /sent a web page in place of page-[0-9a-f]+_bg\.wasm/ },
  { name: "a wasm that is not there", alter: answering(PARTS.wasm, { status: 404, body: "" }), words: /answered 404 for page-[0-9a-f]+_bg\.wasm/ },
];

/** The same of the worker's. */
const WORKERS = [
  { name: "a web page in place of the worker", alter: answering(PARTS.worker, WEB_PAGE), words: /worker can.t start: the server sent a web page in place of worker-[0-9a-f]+\.js/ },
  { name: "a worker that is not there", alter: answering(PARTS.worker, { status: 404, body: "" }), words: /worker can.t start: the server answered 404 for worker-[0-9a-f]+\.js/ },
  { name: "a web page in place of the worker's wasm", alter: answering(PARTS["worker's wasm"], WEB_PAGE), words: /worker can.t start: the server sent a web page in place of worker-[0-9a-f]+_bg\.wasm/ },
  { name: "a worker without WebAssembly", alter: workerBegins("delete globalThis.WebAssembly;"), words: /worker can.t start: .*WebAssembly/ },
];

/** Runs the bundled model. */
async function runBundled(tab) {
  await tab.fill({ model: "bundled", batches: 1 });
  await tab.at("run-button").and(tab.page.locator(":enabled")).waitFor();
  await tab.run();
}

export const starting = [
  {
    name: "a browser without WebAssembly: said, with a button that loads the page anew",
    async run(tab) {
      tab.allow(/./);
      await tab.page.addInitScript(() => {
        if (!sessionStorage.getItem("with")) delete globalThis.WebAssembly;
      });
      await tab.page.goto(tab.url);
      const said = tab.at("start-error");
      await said.getByText(/this browser has no WebAssembly, or it is switched off/).waitFor();
      check((await said.count()) === 1, "it is said twice");
      // What is seen before the page starts can still be read.
      await tab.page.locator("#first-view").waitFor();
      await tab.page.evaluate(() => sessionStorage.setItem("with", "1"));
      await tab.at("start-reload").click();
      await tab.storyOpened();
    },
  },
  ...PAGES.map(({ name, alter, words }) => ({
    name: `${name}: named, with a button that loads the page anew`,
    async run(tab) {
      tab.allow(/./);
      let wrong = true;
      await withSite(tab, { alter: (file) => (wrong ? alter(file) : undefined) }, async () => {
        await tab.page.goto(tab.url);
        await tab.at("start-error").getByText(words).waitFor();
        check((await tab.at("start-error").count()) === 1, "it is said twice");
        wrong = false;
        await tab.at("start-reload").click();
        await tab.storyOpened();
      });
    },
  })),
  {
    name: "wasm and a worker of another type run all the same",
    async run(tab) {
      const alter = (file) => answering(/\.wasm$/, { type: "application/octet-stream" })(file) ?? answering(PARTS.worker, { type: "text/plain" })(file);
      await withSite(tab, { alter }, async () => {
        await tab.open();
        await runBundled(tab);
      });
    },
  },
  ...WORKERS.map(({ name, alter, words }) => ({
    name: `${name}: named, with buttons that start it or load the page anew`,
    async run(tab) {
      tab.allow(/./);
      let wrong = true;
      await withSite(tab, { alter: (...asked) => (wrong ? alter(...asked) : undefined) }, async () => {
        await tab.open();
        await tab.fill({ model: "bundled" });
        await tab.at("error").getByText(words).waitFor();
        // In "Your sentence", too.
        await tab.at("tab-sentence").click();
        await tab.at("reload-button").waitFor();
        await tab.at("lost-worker").getByText(words).waitFor();
        await tab.at("tab-prompts").click();
        wrong = false;
        await tab.at("restart-button").click();
        await runBundled(tab);
        wrong = true;
        await tab.page.reload();
        await tab.at("reload-button").waitFor();
        wrong = false;
        await tab.at("reload-button").click();
        // The address says what is run, and the bundled model is run at once.
        await tab.at("run-summary").getByText("Live run, finished").waitFor();
      });
    },
  })),
];
