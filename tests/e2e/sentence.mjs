// One sentence: typed, answered, a pair chosen by mouse, keyboard and touch, the decomposition, the link.
import path from "node:path";

import { check, root, until } from "./harness.mjs";
import { serve } from "./server.mjs";

const RECORDED = "When John and Mary went to the shops, John gave the bag to";
export const TEXT = "When Mary and John went to the store, John gave a drink to";

/** Opens the part of the page, types `text` and runs it on the bundled model. */
export async function ask(tab, text = TEXT) {
  // What is overtaken stops its downloads.
  tab.allow(/request failed: .*ERR_ABORTED/);
  await tab.open();
  await tab.at("tab-sentence").click();
  await tab.at("sentence-input").fill(text);
  await tab.at("sentence-input").press("Enter");
  await tab.at("offer-bundled").click();
  await answered(tab);
}

/** Waits until the whole answer is there. */
export async function answered(tab) {
  await tab.at("asking").waitFor({ state: "detached", timeout: 60_000 });
  await tab.at("answer").getByText(/^Head \d+\.\d+ at /).waitFor({ timeout: 60_000 });
  await tab.at("decomposition-sum").getByText("add up to").waitFor({ timeout: 60_000 });
}

const answer = (tab) => tab.at("answer").innerText();
const token = (tab, position) => tab.page.locator(`#token-${position}`);
/** Positions of the pair that is shown: query, key. */
const pair = (tab) =>
  tab.page.evaluate(() => {
    const key = document.querySelector('[data-testid="tokens"]').getAttribute("aria-activedescendant");
    // A head may look at the query's own token.
    const query = document.querySelector(".token.query")?.id ?? key;
    return [query, key].map((id) => Number(id.replace("token-", "")));
  });
const becomes = (tab, read, expected, what) => until(tab.page, read, (value) => JSON.stringify(value) === JSON.stringify(expected), what);

export const sentence = [
  {
    name: "recorded sentences: answered at once and without a model; another example, a token, a head; what is not recorded says so",
    timeout: 120_000,
    async run(tab, { screenshots }) {
      tab.allow(/request failed: .*ERR_ABORTED/);
      const weights = [];
      tab.page.on("request", (request) => {
        if (/safetensors|tokenizer\.json/.test(request.url())) weights.push(request.url());
      });
      await tab.open();
      await tab.at("tab-sentence").click();
      // Nothing was typed: the canonical sentence, as others recorded it.
      await tab.at("answer").getByText(/^Head 10\.7 at \u201cto\u201d.* looks at \u201cMary\u201d with 81 % of its attention/).waitFor();
      check(!(await answer(tab)).includes("score"), "a score is told that nobody knows");
      await becomes(tab, () => pair(tab), [14, 4], "the pair is not the recorded one");
      check((await tab.at("sentence-input").inputValue()) === RECORDED, "the field has another sentence");
      check(await tab.at("sentence-bos").isChecked(), "BOS is not said");
      check((await tab.at("how-chosen").innerText()).includes("The recording begins with this head"), "how it was chosen is not said");
      check((await tab.at("measure-score").count()) === 0, "scores are offered that nobody knows");
      await tab.at("not-recorded").getByText("not recorded").waitFor();
      await tab.at("decomposition-offer").getByTestId("offer-bundled").waitFor();
      await tab.at("dots-not-recorded").waitFor();
      check((await tab.at("sentence-offer").count()) === 0, "the field offers a model, too");
      await tab.at("card-next").getByText("not recorded").waitFor();
      check((await tab.at("asking").count()) === 0, "something is awaited");
      await tab.page.screenshot({ path: `${screenshots}/sentence-recorded.png`, fullPage: true });
      // Another token.
      await token(tab, 2).click();
      await becomes(tab, () => pair(tab), [14, 2], "the key is not the token that was clicked");
      await tab.at("how-chosen").getByText("begins with").waitFor({ state: "detached" });

      // Another example: scores of all heads, and what comes next.
      const examples = tab.at("examples");
      check((await examples.locator("option").count()) === 1 + 10 + 6, "not ten guided examples and six sentences");
      await examples.selectOption({ label: "Data visualization empowers users to" });
      await until(tab.page, () => tab.page.locator(".token").count(), (count) => count === 6, "the example is not shown");
      check((await tab.at("how-chosen").innerText()).includes("of the 144 heads that are recorded"), "how it was chosen is not said");
      check((await answer(tab)).includes("score"), "the score is not told");
      check((await tab.at("next-tokens").locator("li").count()) === 20, "not twenty next tokens");
      await tab.at("measure-score").waitFor({ state: "attached" });
      // A head of the map.
      const before = await tab.at("chosen-head").innerText();
      await tab.at("card-heads").locator("canvas").first().focus();
      await tab.page.keyboard.press("ArrowDown");
      await tab.page.keyboard.press(before.startsWith("11.") ? "ArrowUp" : "ArrowDown");
      await tab.page.keyboard.press("Enter");
      await until(tab.page, () => tab.at("chosen-head").innerText(), (head) => head !== before, "the head stays");
      check((await tab.at("decomposition-offer").count()) === 1, "the decomposition offers no model");
      check(weights.length === 0, `a model was asked for: ${weights}`);

      // A link opens it again.
      await until(tab.page, () => tab.page.url(), (url) => url.includes("tab=sentence") && url.includes("head="), "the address does not follow");
      const shown = await answer(tab);
      await tab.page.reload();
      await tab.at("answer").getByText(shown).waitFor();

      // The reader's own sentence is asked of nobody until a model is chosen, and has no BOS that came with another.
      await tab.at("examples").selectOption({ label: RECORDED });
      await becomes(tab, () => pair(tab), [14, 4], "the first example is not shown");
      await tab.at("sentence-input").fill(TEXT);
      await tab.at("sentence-input").press("Enter");
      await tab.at("sentence-offer").waitFor();
      check(!(await tab.at("sentence-bos").isChecked()), "BOS stays");
      check((await tab.at("decomposition-offer").count()) === 0, "the offer is there twice");
      check(weights.length === 0, `a model was asked for: ${weights}`);
      await tab.at("examples").selectOption({ label: RECORDED });
      await tab.at("decomposition-offer").getByTestId("offer-bundled").click();
      await answered(tab);
      await tab.at("sentence-model").getByText("GPT-2 small").waitFor({ state: "detached" });
      check((await tab.at("decomposition-offer").count()) === 0, "a model is offered still");
    },
  },
  {
    name: "two levels down and back, each list adds up to what was opened",
    timeout: 180_000,
    async run(tab, { screenshots }) {
      await ask(tab);
      await tab.page.goto(`${tab.page.url().split("#")[0].replace(/&head=[^&]*/, "")}&head=2.0#text=${encodeURIComponent(TEXT)}`);
      await answered(tab);
      const adds = async (pattern) => {
        const told = (await tab.at("adds-up").getByText(pattern).innerText()).replaceAll("\u2212", "-");
        const [, sum, cell] = told.match(/add up to (-?\d+\.\d+); .* adds (-?\d+\.\d+)\./);
        check(Math.abs(Number(sum) - Number(cell)) < 2e-3, told);
      };
      const open = (name, list) => tab.at(list).getByRole("button", { name, exact: true }).click();
      await open("1.0", "writers");
      await adds(/source tokens add up to/);
      const first = tab.at("down-lines").getByRole("button").first();
      await first.click();
      await adds(/components add up to .*what was read at/);
      await open("MLP 0", "down-lines");
      await adds(/neurons and b_out add up to/);
      check((await tab.at("down-lines").locator("li").count()) === 22, "not twenty neurons, b_out and the rest");
      check((await tab.at("crumbs").locator("li").count()) === 4, "not four crumbs");
      await tab.page.screenshot({ path: `${screenshots}/sentence-down.png`, fullPage: true });
      await tab.at("crumbs").getByRole("button", { name: "1.0", exact: true }).click();
      await adds(/source tokens add up to/);
      await tab.at("close-down").click();
      await tab.at("down").waitFor({ state: "detached" });
    },
  },
  {
    name: "a sentence: typed, Enter, answered; the table adds up; a head from the map; the link opens it again without a word in the query",
    timeout: 180_000,
    async run(tab, { screenshots }) {
      const sent = [];
      tab.page.context().on("request", (request) => sent.push([request.url().split("#")[0], JSON.stringify(request.headers()), request.postData() ?? ""].join("\n")));
      await ask(tab);
      const first = await answer(tab);
      check(/at “to” \(13\) looks at “.+” with (over )?\d/.test(first), first);
      check((await tab.at("how-chosen").innerText()).includes("the likeliest next token"), "how it was chosen is not said");
      check((await tab.page.locator(".token").count()) === 14, "not fourteen tokens");
      const [query, key] = await pair(tab);
      check(query === 13 && key > 0, `the pair is ${query}, ${key}`);
      // The cells add up to the score that the answer names.
      const sum = (await tab.at("decomposition-sum").innerText()).replaceAll("\u2212", "-");
      const [, total, score] = sum.match(/add up to (-?\d+\.\d+); the score is (-?\d+\.\d+)/) ?? [];
      check(Math.abs(Number(total) - Number(score)) < 1e-3, sum);
      const named = first.replaceAll("\u2212", "-").match(/score (-?\d+\.\d+)/)[1];
      check(Math.abs(Number(named) - Number(score)) < 0.006, `${named} in ${first}, ${score} in ${sum}`);
      check((await tab.at("next-tokens").locator("li").count()) === 20, "not twenty next tokens");
      await tab.page.screenshot({ path: `${screenshots}/sentence.png`, fullPage: true });

      // Another head: its key is its most attended token other than the first.
      await tab.at("card-heads").locator("canvas").first().focus();
      const before = await tab.at("chosen-head").innerText();
      // Onto the chosen head, then to the layer after it.
      await tab.page.keyboard.press("ArrowDown");
      await tab.page.keyboard.press("ArrowDown");
      await tab.page.keyboard.press("Enter");
      await until(tab.page, () => tab.at("chosen-head").innerText(), (head) => head !== before, "the head stays");
      await answered(tab);
      await tab.at("how-chosen").getByText("Chosen").waitFor({ state: "detached" });

      // Relative to the mean, then both sides.
      await tab.at("relative-select").selectOption("mean");
      await tab.at("decomposition-sum").getByText("relative score").waitFor();
      await tab.at("decomposition-both").check({ force: true });
      check((await tab.at("pairs").locator("tbody tr").count()) === 21, "not twenty pairs and the rest");
      await tab.page.screenshot({ path: `${screenshots}/sentence-both.png`, fullPage: true });

      await until(tab.page, () => tab.page.url(), (url) => url.includes("minus=mean"), "the address does not follow");
      const link = tab.page.url();
      const search = new URL(link).search;
      check(search.includes("tab=sentence") && search.includes("query=13") && !/Mary|store/.test(search), search);
      check(sent.length > 3 && !sent.some((request) => /Mary|drink/.test(request)), sent.find((request) => /Mary|drink/.test(request)) ?? `${sent.length} requests`);
      const shown = await answer(tab);
      const profile = await tab.page.context().browser().newContext();
      const other = await profile.newPage();
      await other.goto(link);
      await other.getByTestId("answer").getByText(shown).waitFor({ timeout: 60_000 });
      await other.getByTestId("decomposition-sum").getByText("relative score").waitFor();
      // Sentences are at hand where they were typed, and there alone.
      const kept = (page) => page.evaluate(() => localStorage.getItem("keyside-sentences"));
      check((await kept(tab.page))?.includes(TEXT), "the sentence is not at hand");
      await profile.close();
    },
  },
  {
    name: "something else in place of what the head reads: dots, their table and their words; a run over many prompts behind them",
    timeout: 240_000,
    async run(tab, { screenshots }) {
      await ask(tab);
      const card = tab.at("card-dots");
      const canvas = card.locator("canvas").first();
      const words = () => canvas.getAttribute("aria-label");
      const plain = (text) => text.replaceAll("\u2212", "-");
      await until(tab.page, words, (text) => /^Score of head/.test(text ?? ""), "there are no dots");
      await until(tab.page, () => canvas.evaluate((canvas) => canvas.width), (width) => width !== 300, "the dots are not drawn");
      check(!/band|percentile of/.test(await card.innerText()), "there is a band of no run");

      // Every row of the table is told, with the same number.
      await card.locator("summary").first().click();
      const table = card.getByTestId("data-vectors");
      const rows = async () => {
        const cells = await table.locator("tbody tr").evaluateAll((rows) => rows.map((row) => [...row.children].map((cell) => cell.textContent)));
        return cells.map(([series, name, value]) => ({ series, name, value: Number(plain(value)) }));
      };
      const told = async (expected) => {
        await table.locator("tbody tr").first().waitFor();
        const [text, found] = [plain(await words()), await rows()];
        check(found.length === expected, `${found.length} rows`);
        for (const { name, value } of found) {
          const said = parseFloat(text.split(`${name} `)[1]);
          check(Math.abs(said - value) <= 0.0051, `${name} ${value} is told as ${said}: ${text}`);
        }
        check(found.every((row, index) => index === 0 || row.value <= found[index - 1].value), "the rows are in another order");
        return found;
      };
      const query = await told(6);
      check(query.some((row) => row.series === "W_U[random]" && row.name === "random tokens"), JSON.stringify(query));
      // The head's own score is that of the answer.
      const own = plain(await tab.at("dots-words").innerText()).match(/own score is (-?\d+\.\d+)/)[1];
      check(plain(await answer(tab)).includes(`score ${own}`), `${own} in ${await answer(tab)}`);
      // A sampled token has a row of its own.
      await card.getByTestId("data-fold-sampled").locator("summary").click();
      await until(tab.page, () => card.getByTestId("data-sampled").locator("tbody tr").count(), (count) => count > 50, "the tokens of the samples are not there");

      await tab.at("dots-side-key").check({ force: true });
      await until(tab.page, words, (text) => text.includes("queries fixed"), "the side stays");
      const key = await told(5);
      check(key.some((row) => row.series.startsWith("W_EE_subE")), JSON.stringify(key));
      await tab.at("dots-values-attention").check({ force: true });
      await until(tab.page, words, (text) => text.startsWith("Attention"), "the values stay");
      check((await rows()).every(({ value }) => value >= 0 && value <= 1), "no probabilities");
      await until(tab.page, () => tab.page.url(), (url) => url.includes("dots=queries_fixed_probs"), "the address does not follow");
      await tab.at("dots-side-query").check({ force: true });
      await tab.at("dots-values-score").check({ force: true });
      await until(tab.page, words, (text) => text.includes("keys fixed"), "the side stays");
      // By keyboard.
      await canvas.focus();
      await tab.page.keyboard.press("ArrowDown");
      await tab.page.keyboard.press("ArrowDown");
      await tab.at("tooltip").getByText(query[1].name).first().waitFor();
      await tab.page.keyboard.press("Escape");
      await tab.page.screenshot({ path: `${screenshots}/sentence-dots.png`, fullPage: true });

      // A run over many prompts about the same head stands behind them.
      const head = await tab.at("chosen-head").innerText();
      await tab.at("tab-prompts").click();
      await tab.fill({ model: "bundled" });
      await tab.fill({ head, earlier: "0.1", batches: 2, size: 20 });
      await tab.run();
      await tab.at("tab-sentence").click();
      await tab.at("dots-legend").getByText("band: the run\u2019s 40 prompts").waitFor();
      // The run's earlier head takes the place of the one that was found.
      await until(tab.page, words, (text) => text.includes("what 0.1 wrote"), "the run's earlier head is not asked for");
      await answered(tab);
      check(/lies (at the \d+(st|nd|rd|th) percentile of|below all of|above all of) the run\u2019s 40 prompts\./.test(await tab.at("dots-words").innerText()), await tab.at("dots-words").innerText());
      await tab.page.screenshot({ path: `${screenshots}/sentence-dots-run.png`, fullPage: true });
      // Another head, of which there is no run.
      await tab.at("card-heads").locator("canvas").first().focus();
      for (const key of ["ArrowDown", "ArrowDown", "Enter"]) await tab.page.keyboard.press(key);
      await until(tab.page, () => tab.at("chosen-head").innerText(), (chosen) => chosen !== head, "the head stays");
      await answered(tab);
      check(!(await tab.at("dots-legend").innerText()).includes("band"), "there is a band of another head");
    },
  },
  {
    name: "a pair by mouse and by keyboard alone, and a continuation",
    timeout: 180_000,
    async run(tab) {
      await ask(tab);
      await token(tab, 3).click();
      await becomes(tab, () => pair(tab), [13, 3], "the key is not the token that was clicked");
      await token(tab, 9).click({ modifiers: ["Shift"] });
      await until(tab.page, () => pair(tab), ([query]) => query === 9, "the query is not the token that was clicked");
      check((await tab.page.locator(".token.unseen").count()) === 4, "tokens after the query are seen");
      // A key after the query: the query follows.
      await token(tab, 11).click();
      await until(tab.page, () => tab.at("tokens").getAttribute("aria-activedescendant"), (id) => id === "token-11", "the key stays");
      await answered(tab);

      await tab.at("tokens").focus();
      await tab.page.keyboard.press("Home");
      await until(tab.page, () => tab.at("tokens").getAttribute("aria-activedescendant"), (id) => id === "token-0", "Home leads elsewhere");
      await tab.page.keyboard.press("ArrowRight");
      await until(tab.page, () => tab.at("tokens").getAttribute("aria-activedescendant"), (id) => id === "token-1", "the arrow leads elsewhere");
      await tab.page.keyboard.press("Shift+End");
      await until(tab.page, () => pair(tab), ([query]) => query === 13, "the query does not move");
      await answered(tab);

      // The pattern's cell: its row is the query, its column the key.
      const canvas = tab.at("card-pattern").locator("canvas").first();
      await canvas.focus();
      for (const key of ["ArrowUp", "ArrowUp", "ArrowUp", "Enter"]) await tab.page.keyboard.press(key);
      await until(tab.page, () => pair(tab), ([query]) => query === 11, "the pattern does not take over the pair");
      await answered(tab);

      const next = tab.at("next-tokens").locator("button").first();
      const word = (await next.locator("code").innerText()).replaceAll("\u{b7}", " ");
      const [query] = await pair(tab);
      await next.click();
      await until(tab.page, () => tab.at("sentence-input").inputValue(), (text) => text.endsWith(word) && text !== TEXT, "the sentence does not go on");
      await until(tab.page, () => tab.page.locator(".token").count(), (count) => count === query + 2, "the continuation has other tokens");
      await answered(tab);

      // The model goes on by itself: the same seed, the same words.
      const goOn = async (seed) => {
        await tab.at("sentence-input").fill(TEXT);
        await tab.at("sentence-input").press("Enter");
        await until(tab.page, () => tab.page.locator(".token").count(), (count) => count === 14, "the sentence is another");
        await tab.at("sample-seed").fill(seed);
        await tab.at("go-on-button").click();
        return until(tab.page, () => tab.at("sentence-input").inputValue(), (text) => text.startsWith(TEXT) && text !== TEXT, "the sentence does not go on");
      };
      await tab.at("go-on").locator("summary").click();
      await tab.at("sample-count").fill("6");
      const once = await goOn("3");
      check((await goOn("3")) === once, "the same seed gives other words");
      await tab.at("sample-top-p").fill("often");
      await tab.at("go-on-button").click();
      await tab.at("sentence-error").getByText("top-p").waitFor();
    },
  },
  {
    name: "a pair by touch: a tap is the key, a finger that rests the query",
    context: { hasTouch: true, viewport: { width: 390, height: 844 } },
    timeout: 180_000,
    async run(tab, { screenshots }) {
      await ask(tab);
      await token(tab, 3).tap();
      await becomes(tab, () => pair(tab), [13, 3], "the key is not the token that was tapped");
      const box = await token(tab, 9).boundingBox();
      const session = await tab.page.context().newCDPSession(tab.page);
      const point = { x: box.x + box.width / 2, y: box.y + box.height / 2 };
      await session.send("Input.dispatchTouchEvent", { type: "touchStart", touchPoints: [point] });
      await until(tab.page, () => pair(tab), ([query]) => query === 9, "a finger that rests does not move the query");
      await session.send("Input.dispatchTouchEvent", { type: "touchEnd", touchPoints: [] });
      check((await pair(tab))[0] === 9, "lifting the finger has moved the query away");
      const wide = await tab.page.evaluate(() => document.documentElement.scrollWidth);
      check(wide <= 390, `the page is ${wide} pixels wide`);
      // What is told while an answer is made takes room above the cards.
      await answered(tab);
      const bar = tab.page.getByRole("navigation", { name: "The pair" });
      check(/^1\.\d\s*John → \S+/.test((await bar.innerText()).replaceAll("\n", " ")), await bar.innerText());
      await bar.getByRole("button", { name: "Why" }).tap();
      await until(tab.page, () => tab.at("card-decomposition").evaluate((card) => Math.abs(card.getBoundingClientRect().top)), (top) => top < 200, "the bar does not lead to the account");
      check((await answer(tab)).startsWith("Head"), "the sentence is gone");
      await tab.page.screenshot({ path: `${screenshots}/sentence-phone.png`, fullPage: true });
    },
  },
  {
    name: "what can't be answered is said at the field, and the last answer stays",
    timeout: 120_000,
    async run(tab) {
      await ask(tab);
      const shown = await answer(tab);
      const send = async (text) => {
        await tab.at("sentence-input").fill(text);
        await tab.at("sentence-input").press("Enter");
      };
      await send("word ".repeat(400));
      await tab.at("sentence-error").getByText(/tokens; expected from 1 to/).waitFor();
      check((await answer(tab)) === shown, "the last answer is gone");
      await send("   ");
      await tab.at("sentence-error").getByText("no word to look at").waitFor();
      check((await answer(tab)) === shown, "the last answer is gone");
      // One token: it looks at itself.
      await send("a");
      await tab.at("answer").getByText("at “a” looks at “a” with 100 %").waitFor();
      check((await tab.at("sentence-error").count()) === 0, "the message stays");
      await send("naïve 東京 \u{7} x");
      await until(tab.page, () => tab.page.locator(".token").allInnerTexts().then((texts) => texts.join("")), (texts) => texts.includes("\u{2407}"), "control characters are not seen");
    },
  },
  {
    name: "several lines are several sentences: pasted, split and chosen; a bad one is named, and nothing is lost",
    context: { permissions: ["clipboard-read", "clipboard-write"] },
    timeout: 180_000,
    async run(tab, { screenshots }) {
      await ask(tab);
      const field = tab.at("sentence-input");
      const lines = tab.at("lines").locator("button");
      const paste = async (text) => {
        await tab.page.evaluate((text) => navigator.clipboard.writeText(text), text);
        await field.press("ControlOrMeta+v");
      };
      await field.press("ControlOrMeta+a");
      await paste(`${TEXT}\r\n\nJohn gave a ring to Mary\n${"word ".repeat(400)}`);
      check((await lines.count()) === 3, `${await lines.count()} lines`);
      check((await field.inputValue()) === TEXT, "the field has another line");
      // Another line is another sentence.
      const before = await answer(tab);
      await lines.nth(1).click();
      await until(tab.page, () => tab.page.locator(".token").count(), (count) => count === 6, "the second line is not shown");
      await answered(tab);
      check((await lines.nth(1).getAttribute("aria-pressed")) === "true" && (await answer(tab)) !== before, "the second line is not chosen");
      // A line that can't be answered is named; the last answer stays, and so do the lines.
      const second = await answer(tab);
      await lines.nth(2).click();
      await tab.at("sentence-error").getByText(/^Line 3 of 3: .*tokens; expected from 1 to/).waitFor();
      check((await answer(tab)) === second && (await lines.count()) === 3, "something is lost");
      await tab.page.screenshot({ path: `${screenshots}/sentence-lines.png` });
      await tab.at("remove-line").click();
      check((await lines.count()) === 2 && (await field.inputValue()) === "John gave a ring to Mary", "the wrong line is gone");
      // A new line at the caret.
      await field.press("End");
      await field.press("Shift+Enter");
      check((await lines.count()) === 3 && (await field.inputValue()) === "", "no new line");
      await field.fill("Paul gave a bone to Lisa");
      await field.press("Enter");
      await until(tab.page, () => tab.page.locator(".token").first().innerText(), (text) => text.includes("Paul"), "the third line is not shown");
      await answered(tab);
      // A link holds them all, after its "#".
      const link = await until(tab.page, () => tab.page.url(), (url) => url.includes("Paul%20gave%20a%20bone%20to%20Lisa&lines="), "the address does not follow");
      check(!/Paul|ring/.test(new URL(link).search), link);
      await tab.page.reload();
      await answered(tab);
      check((await lines.count()) === 3 && (await field.inputValue()) === "Paul gave a bone to Lisa", "the link lost a line");
      await paste("x\n".repeat(200));
      await tab.at("sentence-error").getByText(/there are 20\d lines; expected at most 100/).waitFor();
      check((await lines.count()) === 3, "lines are lost");
    },
  },
  {
    name: "a special token that is spelt out: said at the field, read as the token or as its characters, in the link",
    timeout: 180_000,
    async run(tab, { screenshots }) {
      await ask(tab, `${TEXT}<|endoftext|>`);
      await tab.at("specials").getByText("\u201c<|endoftext|>\u201d is read as one special token").waitFor();
      check((await tab.page.locator(".token").count()) === 15, "it is not one token");
      await tab.page.screenshot({ path: `${screenshots}/sentence-special.png` });
      await tab.at("special-text").check({ force: true });
      await until(tab.page, () => tab.page.locator(".token").count(), (count) => count > 18, "it is a token still");
      await tab.at("specials").getByText("is read as plain text").waitFor();
      await answered(tab);
      const link = await until(tab.page, () => tab.page.url(), (url) => url.includes("special=text"), "the address does not follow");
      const tokens = await tab.page.locator(".token").count();
      await tab.page.goto("about:blank");
      await tab.page.goto(link);
      await answered(tab);
      check((await tab.page.locator(".token").count()) === tokens && (await tab.at("special-text").isChecked()), "the link reads it otherwise");
      await tab.at("special-token").check({ force: true });
      await until(tab.page, () => tab.page.locator(".token").count(), (count) => count === 15, "it stays text");
      await tab.at("sentence-input").fill(TEXT);
      await tab.at("sentence-input").press("Enter");
      await tab.at("specials").waitFor({ state: "detached" });
    },
  },
  {
    name: "the table of both sides unfolds its layers, by keyboard and by choice, and folds them again",
    timeout: 180_000,
    async run(tab, { screenshots }) {
      await ask(tab);
      await tab.page.goto(`${tab.page.url().split("#")[0].replace(/&head=[^&]*/, "")}&head=2.0#text=${encodeURIComponent(TEXT)}`);
      await answered(tab);
      await tab.at("decomposition-both").check({ force: true });
      const canvas = tab.at("card-decomposition").locator("canvas").first();
      const folded = await until(tab.page, () => canvas.evaluate((canvas) => canvas.height), (height) => height > 150, "the table is not drawn");
      await canvas.focus();
      for (const key of ["ArrowDown", "ArrowDown", "ArrowDown", "Enter"]) await tab.page.keyboard.press(key);
      await until(tab.page, () => tab.page.url(), (url) => /&rows=\w+/.test(url) && /&columns=\w+/.test(url), "nothing is unfolded in the address");
      await until(tab.page, () => canvas.evaluate((canvas) => canvas.height), (height) => height !== folded, "nothing is unfolded");
      const rows = tab.at("unfold-query");
      check((await rows.inputValue()) !== "", "the choice does not follow");
      await tab.page.screenshot({ path: `${screenshots}/sentence-unfolded.png`, fullPage: true });
      await tab.page.keyboard.press("Escape");
      await tab.at("unfold-key").selectOption("");
      await rows.selectOption("1");
      await until(tab.page, () => tab.page.url(), (url) => url.includes("&rows=1") && !url.includes("&columns="), "the address does not follow");
      await rows.selectOption("");
      await until(tab.page, () => canvas.evaluate((canvas) => canvas.height), (height) => height === folded, "the table is not as it was");
    },
  },
  {
    name: "what heads do in the whole sentence is on the map, and all heads in a list: sorted, filtered, chosen; guided examples",
    timeout: 180_000,
    async run(tab, { screenshots }) {
      await ask(tab);
      await tab.at("measure-previous").check({ force: true });
      await tab.at("card-heads").getByText("Mean attention of every head to the token before").waitFor();
      await tab.at("list-heads").click();
      const rows = tab.at("heads-list").locator("tbody tr");
      // The card of the bundled model: head 0.0 is its previous-token head, 0.2 looks at copies.
      const first = () => rows.first().locator("th").innerText();
      await until(tab.page, first, (head) => head === "0.0", "the list is not sorted as the map");
      check((await rows.count()) === 12, `${await rows.count()} heads`);
      await tab.at("heads-list").getByRole("button", { name: "to copies" }).press("Enter");
      await until(tab.page, first, (head) => head === "0.2", "the list is not sorted by what was pressed");
      await tab.at("filter-heads").fill("2.");
      await until(tab.page, () => rows.count(), (count) => count === 4, "the list is not filtered");
      await tab.at("heads-list").getByRole("button", { name: "2.0", exact: true }).press("Enter");
      await until(tab.page, () => tab.at("chosen-head").innerText(), (head) => head === "2.0", "the head is not chosen");
      await answered(tab);
      await tab.page.screenshot({ path: `${screenshots}/sentence-heads.png`, fullPage: true });
      await until(tab.page, () => tab.page.url(), (url) => url.includes("measure=previous"), "the address does not follow");
      await tab.page.reload();
      await tab.at("card-heads").getByText("Mean attention of every head to the token before").waitFor();

      // Guided examples: of the bundled model, then recorded ones, without a model; a link has the words, another pair has not.
      await tab.at("examples").selectOption({ label: "Negative head 1.1" });
      await tab.at("guided").getByText("lowers the logit of").waitFor();
      await answered(tab);
      await becomes(tab, () => pair(tab), [13, 9], "another pair is shown");
      await tab.at("examples").selectOption({ label: "Duplicate-token head 3.0" });
      await tab.at("answer").getByText(/^Head 3\.0 at .* with 66 % of its attention/).waitFor();
      check((await tab.at("guided").innerText()).includes("with 66 % of its attention"), "the words have another number");
      await until(tab.page, () => tab.page.url(), (url) => url.includes("head=3.0") && url.includes("query=10") && url.includes("key=2"), "the address does not follow");
      await tab.page.reload();
      await tab.at("guided").getByText("Duplicate-token head").waitFor();
      await token(tab, 3).click();
      await tab.at("guided").waitFor({ state: "detached" });
    },
  },
  {
    name: "so what: nothing is computed before it is opened; direct effects add up, a target is typed, a bad one says how it tokenizes; directions; the link",
    timeout: 240_000,
    async run(tab, { screenshots }) {
      await ask(tab);
      check((await tab.at("effects-sum").count()) === 0 && (await tab.at("target-a").count()) === 0, "it is there before it is opened");
      // By keyboard.
      await tab.at("open-effects").focus();
      await tab.page.keyboard.press("Enter");
      const sum = tab.at("effects-sum");
      await sum.getByText("add up to").waitFor({ timeout: 60_000 });
      const adds = async () => {
        const told = (await sum.innerText()).replaceAll("\u2212", "-");
        const [, total, difference] = told.match(/add up to (-?\d+\.\d+); .* is (-?\d+\.\d+)\.$/) ?? [];
        check(Math.abs(Number(total) - Number(difference)) < 2e-3, told);
        return Number(difference);
      };
      const usual = await adds();
      check(usual >= 0, "the likeliest token is not the first target");
      const drawn = tab.at("card-effects").locator("canvas").first();
      await until(tab.page, () => drawn.evaluate((canvas) => canvas.width), (width) => width > 300, "the map is not drawn");
      check((await tab.at("head-effect").innerText()).includes("by itself, past all later layers"), "the head's own effect is not told");
      // On the map of heads, too.
      await tab.at("effects-on-map").click();
      await tab.at("card-heads").getByText(/^Direct effect of every head at/).waitFor();
      // Other targets: a text, then an id.
      await tab.at("target-b").fill(" store");
      await tab.at("target-b").press("Enter");
      await sum.getByText("\u00b7store").waitFor();
      await answered(tab);
      check((await adds()) !== usual, "the difference stays");
      // One that is no token says how it tokenizes, at the field; the rest is answered.
      const before = await sum.innerText();
      await tab.at("target-b").fill("nonsense words here");
      await tab.at("target-b").press("Enter");
      await tab.at("target-error").getByText(/is \d+ tokens: /).waitFor();
      check((await tab.at("sentence-error").count()) === 0 && (await sum.innerText()) === before, "the error is elsewhere, or the answer is lost");
      check((await tab.at("target-b").getAttribute("aria-invalid")) === "true", "the field is not marked");
      await tab.page.screenshot({ path: `${screenshots}/so-what-error.png`, fullPage: true });
      // The same token twice.
      await tab.at("target-a").fill(" store");
      await tab.at("target-a").press("Enter");
      await tab.at("target-b").fill(" store");
      await tab.at("target-b").press("Enter");
      await tab.at("target-error").getByText("held against itself").waitFor();
      await tab.at("target-a").fill("");
      await tab.at("target-a").press("Enter");
      await tab.at("target-error").waitFor({ state: "detached" });

      // What the head writes, after each layer, directions.
      await tab.at("open-writes").click();
      await tab.at("copies").getByText(/the head (copies|suppresses) it/).waitFor({ timeout: 60_000 });
      check((await tab.at("raised").locator("li").count()) === 10 && (await tab.at("lowered").locator("li").count()) === 10, "not ten tokens at each end");
      const unit = await tab.at("copies").innerText();
      await tab.at("writes-times-attention").check({ force: true });
      await until(tab.page, () => tab.at("copies").innerText(), (told) => told !== unit, "the attention changes nothing");
      await tab.at("open-lens").click();
      await tab.at("lens-told").getByText("is the likeliest").waitFor({ timeout: 60_000 });
      check((await tab.at("lens-layers").locator("tbody tr").count()) === 4, "not a row for each layer");
      await tab.at("open-directions").click();
      const told = tab.at("directions-told");
      await told.getByText("add up to").waitFor({ timeout: 60_000 });
      const [, all, score] = (await told.innerText()).replaceAll("\u2212", "-").match(/add up to (-?\d+\.\d+); the score is (-?\d+\.\d+)\.$/);
      check(Math.abs(Number(all) - Number(score)) < 2e-3, `${all} and ${score}`);
      const opened = await tab.at("opened-direction").innerText();
      await tab.at("direction-groups").getByRole("button").nth(1).press("Enter");
      await until(tab.page, () => tab.at("opened-direction").innerText(), (now) => now !== opened, "no other direction is opened");
      await until(tab.page, () => tab.at("direction-tokens").locator("tbody tr").count(), (count) => count === 4, "its tokens are not told");
      await answered(tab);
      await tab.page.screenshot({ path: `${screenshots}/so-what.png`, fullPage: true });

      // The link opens all of it; the target stands after its "#".
      await until(tab.page, () => tab.page.url(), (url) => url.includes("so_what=writes,effects,lens,directions") && url.includes("direction=") && url.includes("&b=%20store"), "the address does not follow");
      check(!/store/.test(new URL(tab.page.url()).search), tab.page.url());
      await tab.page.reload();
      await answered(tab);
      await sum.getByText("\u00b7store").waitFor();
      await told.getByText("add up to").waitFor();
      // Closed, it is not asked any more.
      await tab.at("open-directions").click();
      await told.waitFor({ state: "detached" });
      await until(tab.page, () => tab.page.url(), (url) => url.includes("so_what=writes,effects,lens") && !url.includes("lens,directions"), "the address keeps it open");
    },
  },
  {
    name: "all heads of a layer as small triangles: a fold, a click, keys; a recording that lacks some; a long sentence near the pair and whole",
    timeout: 240_000,
    async run(tab, { screenshots }) {
      tab.allow(/request failed: .*ERR_ABORTED/);
      const card = tab.at("card-pattern");
      // Of the canonical sentence 13 heads are recorded, of another example all.
      await tab.open();
      await tab.at("tab-sentence").click();
      await tab.at("all-of-layer").click();
      await tab.at("layer-not-recorded").waitFor();
      await tab.at("examples").selectOption({ label: "Data visualization empowers users to" });
      await card.locator('canvas[aria-label^="Of the 12 heads of layer"]').waitFor();
      check((await tab.at("layer-not-recorded").count()) === 0, "what is there is said to be missing");
      await tab.at("all-of-layer").click();
      await ask(tab);
      check((await tab.at("pattern-near").count()) === 0, "a short sentence has parts");
      const head = () => tab.at("chosen-head").innerText();
      await tab.at("all-of-layer").click();
      const canvas = card.locator("details.head-list canvas").first();
      await until(tab.page, () => canvas.evaluate((canvas) => canvas.width).catch(() => 300), (width) => width > 300, "the triangles are not drawn");
      await until(tab.page, () => tab.page.url(), (url) => url.includes("&layer=1"), "the fold is not in the address");
      const layer = (await head()).split(".")[0];
      check(new RegExp(`^Of the 4 heads of layer ${layer}, those that look most from`).test(await canvas.getAttribute("aria-label")), await canvas.getAttribute("aria-label"));
      await tab.page.screenshot({ path: `${screenshots}/sentence-layer.png`, fullPage: true });
      // By keyboard the first one, then the one that is clicked.
      await canvas.focus();
      for (const key of ["ArrowRight", "Home", "Enter"]) await tab.page.keyboard.press(key);
      await until(tab.page, head, (found) => found === `${layer}.0`, "Enter does not choose the first head");
      await answered(tab);
      const box = await canvas.boundingBox();
      await canvas.scrollIntoViewIfNeeded();
      // Right of the first, wherever lines end.
      await canvas.click({ position: { x: box.width * 0.7, y: 50 } });
      await until(tab.page, head, (found) => found !== `${layer}.0` && found.startsWith(`${layer}.`), "a click chooses no head");
      await answered(tab);
      await tab.at("all-of-layer").click();
      await until(tab.page, () => tab.page.url(), (url) => !url.includes("&layer=1"), "the address still has the fold");

      // Sixty words: near the pair at first.
      const names = ["Mary", "John", "Paul"];
      const words = Array.from({ length: 60 }, (_, index) => names[index % 3]).join(" ");
      await tab.at("sentence-input").fill(words);
      await tab.at("sentence-input").press("Enter");
      await tab.at("pattern-near").waitFor({ state: "attached", timeout: 60_000 });
      await answered(tab);
      check(await tab.at("pattern-near").isChecked(), "a long sentence does not begin near the pair");
      const [query, key] = await pair(tab);
      const plot = card.locator("canvas").first();
      await plot.focus();
      await tab.page.keyboard.press("ArrowLeft");
      await card.getByTestId("spoken").first().getByText(new RegExp(`\\(${query}\\).*\\(${key}\\)`)).waitFor({ state: "attached" });
      await tab.page.screenshot({ path: `${screenshots}/sentence-near.png`, fullPage: true });
      // The row above: another query, the same key.
      for (const press of ["ArrowUp", "Enter"]) await tab.page.keyboard.press(press);
      await until(tab.page, () => pair(tab), ([other]) => other === query - 1, "the pair is not the cell's");
      await answered(tab);
      await tab.at("pattern-whole").check({ force: true });
      await until(tab.page, () => tab.page.url(), (url) => url.includes("&pattern=whole"), "the address does not follow");
      await tab.page.reload();
      await answered(tab);
      check(await tab.at("pattern-whole").isChecked(), "the link forgets that all is shown");
      await tab.page.screenshot({ path: `${screenshots}/sentence-whole.png`, fullPage: true });
    },
  },
  {
    name: "the figures of a sentence in frames, from a result file elsewhere",
    async run(tab) {
      const files = await serve(path.join(root, "tests/fixtures"), { cors: true });
      try {
        const result = encodeURIComponent(new URL("tiny-sentence-2.1.json", files.url).href);
        for (const [name, title] of [["tokens", /2\.1/], ["heads", /^Attention of every head/], ["pattern", /^Attention pattern of head 2\.1/], ["layer", /^Attention patterns of all heads of layer 2/], ["writers", /score of head 2\.1/], ["table", /score of head 2\.1/], ["dots", /^Score of head 2\.1/]]) {
          await tab.page.goto(`${tab.url}?embed=${name}&result=${result}`);
          const canvas = tab.page.locator("canvas").first();
          await until(tab.page, () => canvas.evaluate((canvas) => canvas.width).catch(() => 300), (width) => width > 300, `${name} is not drawn`);
          check((await canvas.getAttribute("aria-label")).length > 20, `${name} has no words`);
          await tab.page.getByText(title).first().waitFor();
        }
      } finally {
        await files.close();
      }
    },
  },
];
