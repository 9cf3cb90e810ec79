// What becomes of a run, and of what is said of it, when the reader goes elsewhere: back, to another model, to a file; and what is dropped meanwhile.
import path from "node:path";

import { check, fixture, root, threeFrames, until } from "./harness.mjs";
import { serve } from "./server.mjs";

const TINY = { model: "url", head: "2.1", earlier: "1.3", batches: 3, size: 10, seed: 0 };
const summary = (tab) => tab.at("run-summary").innerText();
const isRunning = (tab) => tab.at("cancel-button").isEnabled();

/** Starts a run that takes long, as its server is slow, and waits until it is under way. */
async function startSlowly(tab, url) {
  await tab.fill({ ...TINY, url });
  await tab.at("run-button").click();
  await until(tab.page, () => isRunning(tab), (running) => running, "no run");
}

const slowly = (use) => async (tab, more) => {
  tab.allow(/ERR_ABORTED/);
  const server = await serve(fixture("tiny"), { cors: true, delay: 1000 });
  try {
    await tab.open();
    await use(tab, server, more);
  } finally {
    await server.close();
  }
};

/** Drops files on the page: `[name, text]`. */
const drop = (tab, files) =>
  tab.page.evaluate((files) => {
    const transfer = new DataTransfer();
    for (const [name, text] of files) transfer.items.add(new File([text], name));
    window.dispatchEvent(new DragEvent("drop", { dataTransfer: transfer, bubbles: true, cancelable: true }));
  }, files);

export const leaving = [
  {
    name: "back during a run gives it up, and shows what was there; forward offers it again",
    run: slowly(async (tab, server) => {
      await startSlowly(tab, server.url);
      await until(tab.page, () => server.requests.some((request) => request.range), (asked) => asked, "no weights are asked for");
      await tab.page.goBack();
      await until(tab.page, () => isRunning(tab), (running) => !running, "the run goes on");
      await until(tab.page, () => tab.at("model-select").inputValue(), (model) => model !== "url", "the model");
      check((await summary(tab)).includes("Recorded run"), await summary(tab));
      check((await tab.at("error").count()) === 0, "an error is told");
      check((await tab.at("progress-text").count()) === 0, "it is said how the run ended");
      // What was asked for has been answered; whatever followed upon it would be asked for before our own questions.
      const ask = () => tab.page.evaluate((url) => fetch(url).then((answer) => answer.text()), `${server.url}config.json?own`);
      await ask();
      await server.idle();
      const before = server.requests.length + 1;
      await tab.page.goForward();
      await tab.at("invitation").waitFor();
      await ask();
      check(server.requests.length === before, `the run went on: ${JSON.stringify(server.requests)}, ${before}`);
      await tab.at("invitation-run").click();
      await tab.at("run-summary").getByText("Live run, finished").waitFor({ timeout: 40_000 });
    }),
    timeout: 90_000,
  },
  {
    name: "another part of the page, and the way back, leave a run alone",
    run: slowly(async (tab, server) => {
      await startSlowly(tab, server.url);
      await tab.at("tab-story").click();
      await tab.at("answer").first().waitFor();
      // Until then "back" leads to what was before the run.
      await until(tab.page, () => tab.page.url(), (url) => !url.includes("model=url"), "the story is not in the history");
      await tab.page.goBack();
      await tab.at("cancel-button").waitFor();
      check(await isRunning(tab), "the run was given up");
      await tab.at("run-summary").getByText("Live run, finished").waitFor({ timeout: 40_000 });
    }),
    timeout: 90_000,
  },
  {
    name: "how a run ended is said as long as its result is shown, and a chosen model that is not shown is marked",
    async run(tab, { screenshots }) {
      const server = await serve(fixture("tiny"), { cors: true });
      try {
        await tab.open();
        const finished = () => tab.at("progress-text").getByText("Finished.");
        await tab.fill({ ...TINY, url: server.url });
        const mark = tab.at("other-model");
        await mark.getByText("The chosen model is").waitFor();
        await tab.run();
        await finished().waitFor();
        check((await mark.count()) === 0, "the shown model is marked");
        await tab.fill({ url: `${server.url}elsewhere` });
        await mark.getByText(/^The chosen model is elsewhere\. What is shown is of /).waitFor();
        await tab.page.screenshot({ path: path.join(screenshots, "other-model.png") });
        await tab.at("model-select").selectOption("bundled");
        await finished().waitFor({ state: "detached" });
        await mark.getByText(/^The chosen model is Tiny model\./).waitFor();
        await tab.at("model-select").selectOption("recorded");
        await mark.waitFor({ state: "detached" });
        await tab.fill({ model: "bundled", batches: 1 });
        await tab.at("run-button").and(tab.page.locator(":enabled")).waitFor();
        await tab.run();
        await finished().waitFor();
        await tab.at("open-result").setInputFiles(path.join(root, "public/recorded/gpt2-small-10.7.json"));
        await tab.at("run-summary").getByText("Opened from").waitFor();
        await finished().waitFor({ state: "detached" });
        await mark.getByText(/^The chosen model is Tiny model\./).waitFor();
      } finally {
        await server.close();
      }
    },
  },
  {
    name: "in a sentence, an answer of another model than the chosen one is marked",
    async run(tab) {
      tab.allow(/ERR_ABORTED|huggingface/);
      await tab.page.context().route("https://huggingface.co/**", (route) => route.abort());
      await tab.open();
      await tab.at("tab-sentence").click();
      await tab.at("sentence-model").waitFor();
      check((await tab.at("other-model").count()) === 0, "the recorded answer is marked");
      await tab.at("model-menu").locator("summary").first().click();
      await tab.at("model-select").selectOption("hub");
      await tab.at("other-model").getByText(/^The chosen model is gpt2\. What is shown is of GPT-2 small\./).waitFor();
    },
  },
  {
    name: "what is dropped during a run is answered, and opened after it",
    run: slowly(async (tab, server, { screenshots }) => {
      await startSlowly(tab, server.url);
      await tab.page.evaluate(() => window.dispatchEvent(new DragEvent("dragenter")));
      await tab.page.getByText("A run is under way: cancel it, or wait for its end").waitFor();
      const prompts = [["mine.txt", "When Mary and John went to the store, John gave a drink to"]];
      await drop(tab, prompts);
      await tab.at("error").getByText("what was dropped was not opened: a run was under way").waitFor();
      check(await isRunning(tab), "the run was stopped");
      await tab.page.screenshot({ path: path.join(screenshots, "drop-during-run.png") });
      await tab.at("cancel-button").click();
      await tab.at("run-button").and(tab.page.locator(":enabled")).waitFor();
      await drop(tab, prompts);
      await until(tab.page, () => tab.at("own-prompts").inputValue(), (text) => text.startsWith("When Mary"), "the prompts are not there");
    }),
  },
  ...["?tab=prompts", "", "?tab=sentence"].map((query) => ({
    name: `a page that is not painted while it starts works when it is seen: ${query || "the story"}`,
    async run(tab) {
      // A tab in the background, or a frame that is not displayed, has no animation frames.
      await tab.page.addInitScript(() => {
        const real = window.requestAnimationFrame.bind(window);
        const held = [];
        window.requestAnimationFrame = (task) => held.push(task);
        window.paint = () => {
          window.requestAnimationFrame = real;
          held.splice(0).forEach((task) => real(task));
        };
      });
      await tab.page.goto(tab.url + query);
      await tab.page.waitForFunction(() => document.querySelector("[data-testid=tab-prompts]"), undefined, { polling: 100, timeout: 20_000 });
      await tab.page.evaluate(() => window.paint());
      await threeFrames(tab.page);
      await tab.at("tab-prompts").click();
      await tab.at("model-select").selectOption("bundled");
      await tab.at("run-button").and(tab.page.locator(":enabled")).click();
      await tab.at("run-summary").getByText("Live run, finished").waitFor();
    },
  })),
];
