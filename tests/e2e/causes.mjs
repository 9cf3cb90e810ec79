// Interventions and the causal map of a sentence: by keyboard, with numbers before and after.
import path from "node:path";

import { checkView } from "./axe.mjs";
import { check, root, until } from "./harness.mjs";
import { TEXT, answered, ask } from "./sentence.mjs";
import { serve } from "./server.mjs";

const EXCHANGED = "When John and Mary went to the store, Mary gave a drink to";
const outcome = (tab) => tab.at("outcome").innerText();
const numbers = (text) => (text.replaceAll("\u2212", "-").match(/-?\d+(\.\d+)?/g) ?? []).map(Number);
/** Presses the element as a reader without a mouse does. */
const press = (tab, name) => tab.at(name).press("Enter");
/** The rows of the table of numbers: before, after, predicted, difference. */
const measures = (tab) =>
  tab.at("measures").locator("tbody tr").evaluateAll((rows) => rows.map((row) => [...row.cells].map((cell) => cell.innerText)));

export const causes = [
  {
    name: "interventions: presets, a second sentence, the form; before and after beside the prediction, by keyboard; another pair leaves none of it",
    timeout: 240_000,
    async run(tab, { screenshots }) {
      await tab.open();
      await tab.at("tab-sentence").click();
      await tab.at("causes-not-recorded").waitFor();
      await ask(tab);
      await tab.page.goto(`${tab.page.url().split("#")[0].replace(/&head=[^&]*/, "")}&head=2.0#text=${encodeURIComponent(TEXT)}`);
      await answered(tab);
      check((await tab.at("measures").count()) === 0, "there is an outcome of nothing");

      // An earlier head knocked out.
      await press(tab, "try-without-earlier");
      await tab.at("outcome").getByText(/^Knocked out \d+\.\d+ at every token: score .* → .*, attention .* → .*, logit .* → .*\.$/).waitFor();
      const rows = await measures(tab);
      check(rows.length === 4 && rows[0][0] === "score", JSON.stringify(rows));
      const [before, after, predicted, difference] = rows[0].slice(1).map((text) => numbers(text)[0]);
      check(Math.abs(after - predicted - difference) < 0.011 && before !== after, JSON.stringify(rows[0]));
      check((await tab.at("prediction").innerText()).includes("gives score"), "the prediction is not told");
      check((await tab.at("shares").locator("li").count()) === 14, "not a bar for each token");
      const next = await tab.at("next-before").locator("li").count();
      check(next === 8 && (await tab.at("next-after").locator("li").count()) === next, `${next} next tokens`);
      check((await tab.at("try-without-earlier").getAttribute("aria-pressed")) === "true", "what was tried is not marked");
      await tab.page.screenshot({ path: `${screenshots}/causes.png`, fullPage: true });
      await checkView(tab.page, "an intervention");

      // The notebook's last line: the query from the name that stands once.
      await press(tab, "try-notebook");
      await tab.at("outcome").getByText(/^Made the query from W_U of “Mary”: /).waitFor();

      // Nothing typed, another length, the same length.
      await press(tab, "try-copy-q");
      await tab.at("intervention-error").getByText("no second sentence").waitFor();
      await tab.at("second-input").fill("When John and Mary went");
      await tab.at("second-input").press("Enter");
      await tab.at("intervention-error").getByText("the second sentence has 5 tokens, the first one 14").waitFor();
      await tab.at("outcome").getByText("Made the query").waitFor();
      await tab.at("second-input").fill(EXCHANGED);
      await press(tab, "try-copy-z");
      await tab.at("outcome").getByText(/^Copied the weighted values \(z\) of 2\.0 from the second sentence at the token that looks: /).waitFor();
      check((await tab.at("intervention-error").count()) === 0, "the error stays");
      check((await tab.at("both-strips").locator("td.differs").count()) === 2 * 3, "not three tokens of each differ");
      const [score] = await measures(tab);
      check(score[1] === score[2], `what it writes changes the score: ${score}`);
      await tab.page.screenshot({ path: `${screenshots}/causes-second.png`, fullPage: true });
      await checkView(tab.page, "a second sentence");
      // The numbers can be taken along.
      await tab.at("card-causes").getByTestId("data-table").first().locator("summary").press("Enter");
      await tab.at("card-causes").getByText("as linearly predicted.").first().waitFor();

      // Any other.
      await tab.at("trial-form").locator("summary").press("Enter");
      await tab.at("trial-token").fill("zebra");
      await tab.at("trial-token").press("Enter");
      await tab.at("intervention-error").getByText(/"zebra" is \d tokens: "/).waitFor();
      check((await outcome(tab)).startsWith("Copied the weighted values"), "what was found is gone");
      // A token that nothing on the screen has: the model's tokenizer reads it.
      await tab.at("trial-token").fill(" school");
      await tab.at("trial-token").press("Enter");
      await tab.at("outcome").getByText(/^Made the query from W_U of (“school”|token \d+): /).waitFor();
      check((await tab.at("intervention-error").count()) === 0, "the error stays");
      await tab.at("trial-token").fill("store");
      await tab.at("trial-token").press("Enter");
      await tab.at("outcome").getByText(/^Made the query from W_U of “store”: /).waitFor();
      await tab.at("trial-place").selectOption("without-key");
      await tab.at("trial-component").fill("MLP7");
      await press(tab, "trial-button");
      await tab.at("intervention-error").getByText("MLP 7").waitFor();
      await tab.at("trial-component").fill("MLP0");
      await press(tab, "trial-button");
      await tab.at("outcome").getByText(/^Took MLP 0 out of the key: /).waitFor();
      await tab.at("trial-place").selectOption("set-pattern");
      await tab.at("trial-put").selectOption("second");
      await tab.at("trial-head").fill("1.1");
      await tab.at("trial-everywhere").press("Space");
      await press(tab, "trial-button");
      await tab.at("outcome").getByText(/^Copied the pattern of 1\.1 from the second sentence at every token: /).waitFor();

      // The mean over the prompts of "Many prompts".
      await tab.at("trial-place").selectOption("made-query");
      await tab.at("trial-put").selectOption("mean");
      await tab.at("trial-mean").waitFor();
      await press(tab, "trial-button");
      await tab.at("outcome").getByText(/^Made the query from the mean of what is read there: .*The mean is over 400 prompts, which all have “to” there\.$/).waitFor();
      await tab.at("trial-place").selectOption("set-v");
      await press(tab, "trial-button");
      await tab.at("outcome").getByText(/^Set the value of 1\.1 to its mean at every token: .*position by position\.$/).or(tab.at("intervention-error").getByText("can't be taken over a prompt")).waitFor();
      await tab.at("trial-everywhere").press("Space");
      await press(tab, "trial-button");
      await tab.at("outcome").getByText(/^Set the value of 1\.1 to its mean at the token looked at: .*The mean is over 400 prompts, of which (none has|\d+ ha(s|ve)) “\w+” there/).waitFor();
      await tab.page.screenshot({ path: `${screenshots}/causes-mean.png`, fullPage: true });
      await checkView(tab.page, "a mean over a run");

      // Another pair: nothing of this one is said of it.
      await tab.at("tokens").press("Home");
      await answered(tab);
      await until(tab.page, () => outcome(tab), (text) => text === "", "the outcome of another pair is shown");
      // Swapped.
      await press(tab, "second-swap");
      await until(tab.page, () => tab.at("sentence-input").inputValue(), (text) => text === EXCHANGED, "they are not swapped");
      await answered(tab);
      check((await tab.at("second-input").inputValue()) === TEXT, "the first sentence is not the second");
    },
  },
  {
    name: "the causal map: fills in, beside the prediction, with correlation and the cells that differ most; by keyboard, in a frame",
    timeout: 240_000,
    async run(tab, { screenshots }) {
      await ask(tab);
      await tab.page.goto(`${tab.page.url().split("#")[0].replace(/&head=[^&]*/, "")}&head=2.0#text=${encodeURIComponent(TEXT)}`);
      await answered(tab);
      await press(tab, "causal-button");
      await tab.at("causal-agreement").getByText(/Change of the score: recomputed and predicted correlate with .* over all \d+ cells of both sides\./).waitFor();
      check((await tab.at("causal-worst").locator("li").count()) === 5, "not five cells that differ");
      const first = await tab.at("causal-agreement").innerText();
      check(Math.abs(numbers(first)[0]) <= 1, first);
      await tab.page.locator('[data-testid="causal-measure-score"]').press("ArrowRight");
      await tab.at("causal-agreement").getByText("Change of the ln attention").waitFor();
      await tab.page.locator('[data-testid="causal-side-query"]').focus();
      await tab.page.keyboard.press("Space");
      await until(tab.page, () => tab.page.url(), (url) => url.includes("causal=ln_attention") && url.includes("causal_side=query"), "the address does not follow");
      const canvas = tab.at("card-causes").locator(".two-maps canvas").first();
      await canvas.focus();
      await tab.page.keyboard.press("ArrowDown");
      await tab.page.getByText(/^recomputed /).first().waitFor();
      await tab.page.keyboard.press("Escape");
      await tab.page.screenshot({ path: `${screenshots}/causal-map.png`, fullPage: true });
      await checkView(tab.page, "a causal map");
      // On a phone nothing is wider than the window.
      await press(tab, "try-without-head");
      await tab.at("measures").waitFor();
      await tab.page.setViewportSize({ width: 390, height: 844 });
      const wider = () => tab.page.evaluate(() => [document.documentElement.scrollWidth - innerWidth, document.querySelector(".outcome .pairs").scrollWidth - document.querySelector(".outcome .pairs").clientWidth]);
      await until(tab.page, wider, ([page, table]) => page <= 0 && table <= 0, "something is wider than a phone");
      await checkView(tab.page, "a causal map on a phone");

      const files = await serve(path.join(root, "tests/fixtures"), { cors: true });
      try {
        const result = encodeURIComponent(new URL("tiny-causes-2.1.json", files.url).href);
        for (const [name, title] of [["intervention", /3 interventions: where head 2\.1 looks/], ["causal", /change of the score without each component of the key, recomputed/], ["causal_predicted", /without each component of the key, as linearly predicted/]]) {
          await tab.page.goto(`${tab.url}?embed=${name}&result=${result}`);
          const drawn = tab.page.locator("canvas").first();
          await until(tab.page, () => drawn.evaluate((drawn) => drawn.width).catch(() => 300), (width) => width > 300, `${name} is not drawn`);
          await tab.page.getByText(title).first().waitFor();
        }
      } finally {
        await files.close();
      }
    },
  },
];
