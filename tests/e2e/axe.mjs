// axe-core on every view: WCAG 2.2 A and AA and its best practices, in frames too. Nothing may be found.
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";

import { withBlog } from "./embed.mjs";
import { check } from "./harness.mjs";
import { answered } from "./sentence.mjs";

const AXE = await readFile(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];
/** What opens something when it is clicked. */
const OPENERS = 'button[aria-haspopup]:enabled, button[aria-expanded="false"]:enabled';

/** Fails with what axe finds in the page and its frames. */
export async function checkView(page, view) {
  for (const frame of page.frames()) {
    await frame.evaluate(AXE);
    await frame.evaluate(() => axe.configure({ allowedOrigins: ["<unsafe_all_origins>"] }));
  }
  const { violations, passes } = await page.evaluate((values) => axe.run(document, { runOnly: { type: "tag", values }, resultTypes: ["violations"] }), TAGS);
  check(passes.length > 10, `${view}: axe looked at ${passes.length} rules only`);
  const found = violations.flatMap(({ id, help, nodes }) => nodes.map(({ target, failureSummary }) => `${view}: ${id} (${help}) at ${target.flat().join(" ")}: ${failureSummary.split("\n").slice(1).join(" ").trim()}`));
  check(found.length === 0, found.join("\n"));
}

/** Opens every fold of the page. */
const unfold = (page) => page.evaluate(() => document.querySelectorAll("details").forEach((details) => (details.open = true)));

const screens = [
  ["wide", { viewport: { width: 1280, height: 800 } }],
  ["dark", { viewport: { width: 1280, height: 800 }, colorScheme: "dark" }],
  ["phone", { viewport: { width: 390, height: 844 } }],
  ["narrow and dark", { viewport: { width: 320, height: 700 }, colorScheme: "dark" }],
];

export const axe = [
  ...screens.map(([name, context]) => ({
    name: `axe: the story: ${name}`,
    context,
    timeout: 120_000,
    async run(tab) {
      const arrive = await tab.openWithoutCode();
      await checkView(tab.page, "before the code has come");
      arrive();
      await tab.storyOpened();
      await tab.at("most-changed").waitFor();
      await checkView(tab.page, "at first");
      await unfold(tab.page);
      await checkView(tab.page, "folds open");
      await tab.at("try-effect").click();
      await tab.at("from-story").waitFor();
      await checkView(tab.page, "left for a sentence");
    },
  })),
  ...screens.map(([name, context]) => ({
    name: `axe: the recorded run, folds open and closed: ${name}`,
    context,
    timeout: 120_000,
    async run(tab) {
      await tab.open();
      await checkView(tab.page, "at first");
      await unfold(tab.page);
      await checkView(tab.page, "folds open");
    },
  })),
  ...screens.slice(0, 3).map(([name, context]) => ({
    name: `axe: a model chosen, running, finished, stored; an error: ${name}`,
    context,
    timeout: 180_000,
    async run(tab) {
      // What the page asks a model on the hub is not for tests to ask.
      await tab.page.context().route("https://huggingface.co/**", (route) => route.abort());
      tab.allow(/huggingface\.co|Failed to load resource/);
      await tab.open();
      const choices = await tab.at("model-select").locator("option").evaluateAll((all) => all.map((option) => option.value));
      check(choices.join() === "recorded,bundled,hub,url,picked", `${choices}`);
      for (const model of choices) {
        await tab.fill({ model });
        await checkView(tab.page, `model ${model}`);
      }
      await tab.fill({ model: "bundled", batches: 1000 });
      await tab.at("run-button").and(tab.page.locator(":enabled")).waitFor();
      await tab.at("run-button").click();
      await tab.at("run-summary").getByText("partial").waitFor({ timeout: 60_000 });
      await checkView(tab.page, "running");
      // Running folds the controls where there is no room for them.
      await tab.fill({});
      await checkView(tab.page, "running, controls open");
      await tab.at("cancel-button").click();
      await tab.at("progress-text").getByText("Cancelled").waitFor();
      await checkView(tab.page, "cancelled");
      await tab.fill({ model: "bundled", batches: 2 });
      await tab.run();
      await unfold(tab.page);
      await checkView(tab.page, "finished");
      await tab.fill({ model: "url", url: "nowhere" });
      await tab.at("run-button").click();
      await tab.at("error").waitFor();
      await checkView(tab.page, "an error");
    },
  })),
  ...screens.slice(0, 3).map(([name, context]) => ({
    name: `axe: everything that opens: ${name}`,
    context,
    timeout: 180_000,
    async run(tab) {
      await tab.open();
      await unfold(tab.page);
      const all = await tab.page.locator(OPENERS).filter({ visible: true }).elementHandles();
      // The menu of each of the five figures, at least.
      check(all.length >= 5, `${all.length} buttons open something`);
      for (const opener of all) {
        const what = await opener.evaluate((button) => button.dataset.testid ?? button.getAttribute("aria-label") ?? button.textContent);
        await opener.click();
        await checkView(tab.page, `${what} open`);
        await tab.page.keyboard.press("Escape");
        if ((await opener.getAttribute("aria-expanded")) === "true") await opener.click();
      }
      const figure = tab.at("figure-keys_fixed_scores");
      // Unscrolled: where a page happens to be scrolled to, its sticky bar may hide half a button.
      await tab.page.setViewportSize({ ...tab.page.viewportSize(), height: 2000 });
      await tab.page.evaluate(() => scrollTo(0, 0));
      const canvas = await figure.locator("canvas").first().boundingBox();
      await tab.page.mouse.move(canvas.x + 200, canvas.y + 250);
      await tab.at("tooltip").waitFor();
      await checkView(tab.page, "a tooltip");
    },
  })),
  ...screens.map(([name, context]) => ({
    name: `axe: one sentence: ${name}`,
    context,
    timeout: 180_000,
    async run(tab) {
      // What is overtaken stops its downloads.
      tab.allow(/request failed: .*ERR_ABORTED/);
      await tab.open();
      await tab.at("tab-sentence").click();
      await checkView(tab.page, "nothing asked yet");
      await tab.at("sentence-input").fill("When Mary and John went to the store, John gave a drink to");
      await tab.at("sentence-input").press("Enter");
      await tab.at("sentence-offer").waitFor();
      await checkView(tab.page, "a model is offered");
      await tab.at("offer-bundled").click();
      await answered(tab);
      await checkView(tab.page, "answered");
      await tab.at("name-heads").click();
      await tab.at("named-heads").waitFor({ timeout: 60_000 });
      await tab.at("writers").getByRole("button").first().click();
      await tab.at("down").waitFor();
      await unfold(tab.page);
      await checkView(tab.page, "heads named, one level down, folds open");
      await tab.at("decomposition-both").check({ force: true });
      await tab.at("pairs").waitFor();
      await tab.at("unfold-query").selectOption("0");
      // Unfolded above, each is asked for.
      for (const told of ["copies", "effects-sum", "lens-told", "directions-told"]) await tab.at(told).waitFor({ timeout: 60_000 });
      await tab.at("target-b").fill("no such token");
      await tab.at("target-b").press("Enter");
      await tab.at("target-error").waitFor();
      await checkView(tab.page, "so what: all open, a target that is none");
      await tab.at("target-b").fill("");
      await tab.at("target-b").press("Enter");
      await answered(tab);
      await tab.at("sentence-input").press("Shift+Enter");
      await tab.at("sentence-input").fill("John gave a<|endoftext|>");
      await tab.at("sentence-input").press("Enter");
      await tab.at("specials").waitFor();
      await answered(tab);
      await checkView(tab.page, "both sides unfolded, two sentences, a special token");
      await tab.at("examples").selectOption({ label: "Induction head 1.0" });
      await tab.at("guided").waitFor();
      await answered(tab);
      await checkView(tab.page, "a guided example");
      await tab.at("sentence-input").fill("word ".repeat(400));
      await tab.at("sentence-input").press("Enter");
      await tab.at("sentence-error").waitFor();
      await checkView(tab.page, "both sides, an error");
    },
  })),
  ...screens.map(([name, context]) => ({
    name: `axe: figures for other pages, and the example post: ${name}`,
    context,
    timeout: 120_000,
    async run(tab) {
      for (const query of ["embed=keys_fixed_scores", "embed=heatmap&controls=legend,toolbar,export", "embed=queries_fixed_probs&controls=none&theme=dark", "embed=heatmap&theme=light"]) {
        await tab.page.goto(`${tab.url}?${query}`);
        await tab.at("embed-origin").getByText("Recorded run").waitFor();
        await checkView(tab.page, query);
      }
      await tab.page.goto(`${tab.url}?embed=nothing`);
      await tab.at("error").waitFor();
      await checkView(tab.page, "a frame with an error");
      await withBlog(tab, {}, async (blog) => {
        await tab.page.goto(`${blog.url}examples/post.html`);
        const figures = await tab.page.locator("iframe.keyside, keyside-plot").all();
        check(figures.length === 3, `${figures.length} figures in the post`);
        for (const element of figures) {
          await element.scrollIntoViewIfNeeded();
          const frame = (await element.evaluate((node) => node.localName)) === "iframe" ? element : element.locator("iframe:not(.waiting)");
          await frame.contentFrame().locator("canvas").first().waitFor();
        }
        await checkView(tab.page, "the example post");
      });
    },
  })),
];
