// The story: what a reader sees first, and the ways from there.
import path from "node:path";

import { checkView } from "./axe.mjs";
import { check, until } from "./harness.mjs";

const search = (tab) => tab.page.evaluate(() => location.search);
const OWN = "When Ann and Tom went home, Tom gave the key to";

const windows = [
  ["wide", { viewport: { width: 1280, height: 800 } }],
  ["phone", { viewport: { width: 390, height: 844 }, deviceScaleFactor: 2, hasTouch: true }],
];

export const story = [
  ...windows.map(([name, context]) => ({
    name: `the first screen has the sentence, where the head looks, and the answer: ${name}`,
    context,
    async run(tab, { screenshots, site }) {
      const before = site.requests.length;
      await tab.openStory();
      const { height } = tab.page.viewportSize();
      for (const part of ["tab-story", "tokens", "answer"]) {
        const box = await tab.at(part).boundingBox();
        check(box.y >= 0 && box.y + box.height <= height, `${part} is not on the first screen: ${JSON.stringify(box)}`);
      }
      const answer = await tab.at("answer").innerText();
      check(/Head 10\.7 at .to.*looks at .Mary. with 81 % of its attention/.test(answer), answer);
      const arcs = await tab.page.locator(".arcs path").count();
      check(name === "phone" || arcs > 1, `${arcs} arcs`);
      await tab.page.screenshot({ path: path.join(screenshots, `story-${name}.png`) });
      // All steps are told from what is recorded.
      await tab.at("effect-words").getByText("9.9 (+2.99)").waitFor();
      await tab.at("ablation-words").getByText("costs 0.63").waitFor();
      for (const figure of ["keys_fixed_scores", "heatmap", "queries_fixed_scores"]) {
        await tab.at(`figure-${figure}`).getByRole("application").first().waitFor();
      }
      check((await tab.at("most-changed").locator("tbody tr").first().innerText()).startsWith("10.7"), "10.7 changes most");
      await tab.page.screenshot({ path: path.join(screenshots, `story-${name}-whole.png`), fullPage: true });
      const asked = site.requests.slice(before).map((request) => request.path);
      check(!asked.some((file) => /worker-|\/models\//.test(file)), "the story started the worker or read a model");
      check((await search(tab)) === "", await search(tab));
      const width = await tab.page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
      check(width <= 0, `the page is ${width} pixels wider than the window`);
    },
  })),
  ...windows.map(([name, context]) => ({
    name: `the last step on the model at hand, beside the recorded numbers: ${name}`,
    timeout: 120_000,
    context,
    async run(tab, { screenshots }) {
      await tab.openStory("?v=1&tab=story&step=without");
      await tab.at("ablation-words").waitFor();
      check((await tab.at("lesson-numbers").count()) === 0, "there are numbers of nothing");
      await tab.at("lesson-button").press("Enter");
      await tab.at("lesson-words").getByText(/^Tiny IOI.*, asked the same: .*one sentence/).waitFor();
      const rows = await tab.at("lesson-numbers").locator("tbody tr").evaluateAll((rows) => rows.map((row) => [...row.cells].map((cell) => cell.innerText)));
      const [basis, head, before, own, predicted, after, cost] = rows;
      check(basis[1] === "means of 8 prompts" && basis[2] === "of one sentence", `${basis}`);
      check(head[1] === "9.9" && /^\d\.\d$/.test(head[2]), `${head}`);
      const value = (row) => Number(row[2].replace("\u2212", "-"));
      check(Math.abs(value(before) - value(own) - value(predicted)) < 0.011, `${before} ${own} ${predicted}`);
      check(Math.abs(value(before) - value(after) - value(cost)) < 0.011 && value(own) > 0, `${before} ${after} ${cost}`);
      check((await tab.at("lesson-changed").locator("tbody tr").count()) === 4, "not four heads that change");
      check((await search(tab)).includes("tab=story") || (await search(tab)).includes("step=without"), "the story was left");
      const width = await tab.page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
      check(width <= 0, `the page is ${width} pixels wider than the window`);
      await tab.at("story-step-without").screenshot({ path: path.join(screenshots, `lesson-${name}.png`) });
      await checkView(tab.page, `the lesson: ${name}`);
    },
  })),
  {
    name: "the notebook's last line: what is recorded of it, and one click to try it live",
    timeout: 120_000,
    async run(tab, { screenshots }) {
      await tab.openStory("?v=1&tab=story&step=asks");
      const said = tab.at("last-line");
      await said.getByText(/Over 1,200 prompts, .* 10\.52 \(standard deviation 1\.36\); .* 4\.41/).waitFor();
      await said.getByText("10.81 in place of 3.95").waitFor();
      await tab.at("story-step-asks").screenshot({ path: path.join(screenshots, "last-line.png") });
      await tab.at("last-line-live").press("Enter");
      await tab.at("outcome").getByText(/^Made the query from W_U of \u201cMary\u201d: /).waitFor();
      check((await tab.at("sentence-input").inputValue()).startsWith("When John and Mary"), "another sentence is asked");
      check(/model=bundled/.test(await search(tab)), await search(tab));
      check((await tab.at("try-notebook").getAttribute("aria-pressed")) === "true", "the preset is not marked");
    },
  },
  ...windows.map(([name, context]) => ({
    name: `the method is a page, in the page's theme, and runs nothing: ${name}`,
    context,
    async run(tab, { screenshots, site }) {
      await tab.openStory("?theme=dark");
      const [opened] = await Promise.all([tab.page.context().waitForEvent("page"), tab.at("method-link").getByRole("link").click()]);
      const before = site.requests.length;
      await opened.waitForLoadState();
      check(opened.url().endsWith("method.html?theme=dark"), opened.url());
      const found = await opened.evaluate(() => ({
        sections: document.querySelectorAll("h2[id]").length,
        entries: [...document.querySelectorAll("nav a")].every((link) => document.getElementById(link.hash.slice(1))),
        tables: document.querySelectorAll("table").length,
        formulas: document.querySelectorAll("pre code").length,
        wider: document.documentElement.scrollWidth - innerWidth,
        dark: getComputedStyle(document.body).backgroundColor,
        scripts: document.querySelectorAll("script[src]").length,
        back: document.querySelector('.top-bar a').href,
      }));
      check(found.sections > 8 && found.entries && found.tables > 8 && found.formulas >= 5, JSON.stringify(found));
      check(found.wider <= 0 && found.scripts === 0, JSON.stringify(found));
      check(found.dark === "rgb(14, 16, 19)" && found.back.endsWith("?theme=dark"), JSON.stringify(found));
      check(site.requests.slice(before).every(({ path: asked }) => /^\/(method\.html|icons\/)/.test(asked)), JSON.stringify(site.requests.slice(before)));
      await opened.screenshot({ path: path.join(screenshots, `method-${name}.png`) });
      await opened.locator("#traps-of-the-original").scrollIntoViewIfNeeded();
      await opened.screenshot({ path: path.join(screenshots, `method-${name}-traps.png`) });
      await checkView(opened, `the method: ${name}`);
      await opened.close();
    },
  })),
  {
    name: "a click in the story is a question of the reader's own, with a way back",
    async run(tab) {
      await tab.openStory();
      await tab.page.locator(".token").nth(2).click();
      await tab.at("from-story").waitFor();
      await tab.at("answer").getByText("gives \u201cJohn\u201d").waitFor();
      check(/tab=sentence/.test(await until(tab.page, () => search(tab), (now) => now.includes("tab=sentence"), "the address stays")), "");
      check((await tab.at("sentence-input").inputValue()).startsWith("When John and Mary"), "another sentence is open");
      await tab.at("story-back").click();
      await tab.at("step-looks").waitFor();
      await until(tab.page, () => search(tab), (now) => now === "", "the story's address is not short");
      await tab.at("answer").getByText("looks at \u201cMary\u201d").waitFor();
      await tab.page.goBack();
      await tab.at("from-story").waitFor();
    },
  },
  {
    name: "a step is a link, and is tried on another sentence with its head",
    timeout: 120_000,
    async run(tab) {
      await tab.openStory("?v=1&tab=story&step=says");
      const top = () => tab.at("story-step-says").evaluate((step) => step.getBoundingClientRect().top);
      await until(tab.page, top, (top) => Math.abs(top) < 200, "the link does not lead to the step");
      await tab.at("step-effect").click();
      await until(tab.page, () => search(tab), (now) => now.includes("step=effect"), "the step is not in the address");
      await tab.at("try-without").click();
      await tab.at("from-story").getByText("step 5 of 5").waitFor();
      check((await tab.at("chosen-head").innerText()) === "9.9", "the step is not about 9.9");
      // What is typed takes the place of the sentence.
      await until(tab.page, () => tab.page.evaluate(() => document.activeElement.id), (id) => id === "sentence-input", "the field is not ready to type in");
      await tab.page.keyboard.type(OWN);
      check((await tab.at("sentence-input").inputValue()) === OWN, await tab.at("sentence-input").inputValue());
      await tab.page.keyboard.press("Enter");
      await tab.at("offer-bundled").first().click();
      await tab.at("answer").getByText(/Head \d\.\d/).waitFor();
      await tab.at("decomposition-sum").getByText(/add up/).waitFor();
      await tab.at("from-story").waitFor();
      const link = tab.page.url();
      check(/step=without/.test(link) && /model=bundled/.test(link), link);
    },
  },
  {
    name: "a cell of the map of effects shows where its head looks; arrow keys and Enter do, too",
    async run(tab) {
      await tab.openStory();
      const map = tab.at("story-step-effect").getByRole("application");
      await map.focus();
      await tab.page.keyboard.press("End");
      await tab.page.keyboard.press("ArrowDown");
      await tab.at("story-step-effect").getByTestId("spoken").filter({ hasText: /direct effect/ }).waitFor({ state: "attached" });
      await tab.at("story-step-effect").locator("label").filter({ hasText: "pattern restores" }).click();
      await tab.at("story-step-effect").getByText("What the pattern of every head restores").waitFor();
      await map.focus();
      await tab.page.keyboard.press("End");
      await tab.page.keyboard.press("Enter");
      await tab.at("from-story").getByText("step 2 of 5").waitFor();
    },
  },
];
