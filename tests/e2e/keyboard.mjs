// From a sentence to a pair, its directions, one intervention with a second sentence, and the numbers in a file: on a phone's
// window, with keys alone.
import { readFile } from "node:fs/promises";

import { checkView } from "./axe.mjs";
import { check, until } from "./harness.mjs";
import { TEXT, answered } from "./sentence.mjs";

const EXCHANGED = "When John and Mary went to the store, Mary gave a drink to";
/** More than there are stops on the page. */
const STOPS = 500;

/** Goes from stop to stop until `element` has the focus, with the key Tab. */
async function tabTo(tab, element, what) {
  await element.waitFor();
  for (let stop = 0; stop < STOPS; stop++) {
    if (await element.evaluate((element) => element === document.activeElement)) return;
    await tab.page.keyboard.press("Tab");
  }
  check(false, `Tab does not reach ${what}`);
}

export const keyboard = [
  {
    name: "with keys alone, on a phone: a sentence, a pair, its directions, an intervention with a second sentence, the numbers in a file",
    timeout: 300_000,
    async run(tab, { screenshots }) {
      // What is overtaken stops its downloads.
      tab.allow(/request failed: .*ERR_ABORTED/);
      const keys = tab.page.keyboard;
      const enter = async (name) => {
        await tabTo(tab, tab.at(name).first(), name);
        await keys.press("Enter");
      };
      const type = async (name, text) => {
        await tabTo(tab, tab.at(name), name);
        await keys.press("Control+A");
        await keys.type(text);
        await keys.press("Enter");
      };
      await tab.page.setViewportSize({ width: 390, height: 844 });
      await tab.openStory();
      await enter("tab-sentence");
      await type("sentence-input", TEXT);
      await enter("offer-bundled");
      await answered(tab);

      // A pair.
      await tabTo(tab, tab.at("tokens"), "the tokens");
      const key = () => tab.at("tokens").getAttribute("aria-activedescendant");
      await keys.press("Home");
      await until(tab.page, key, (now) => now === "token-0", "the key is not the first token");
      await answered(tab);
      await keys.press("ArrowRight");
      await until(tab.page, key, (now) => now === "token-1", "the key is not the second token");
      await answered(tab);
      await checkView(tab.page, "a pair on a phone");

      // Its directions.
      await enter("open-directions");
      await tab.at("directions-told").waitFor({ timeout: 60_000 });
      const opened = await tab.at("opened-direction").innerText();
      await tabTo(tab, tab.at("direction-groups").getByRole("button").nth(1), "the second direction");
      await keys.press("Enter");
      await until(tab.page, () => tab.at("opened-direction").innerText(), (now) => now !== opened, "no other direction is opened");
      await checkView(tab.page, "directions on a phone");

      // The second sentence, and what is copied from it.
      await tabTo(tab, tab.at("second-input"), "the second sentence");
      await keys.type(EXCHANGED);
      await enter("try-copy-q");
      await tab.at("outcome").getByText(/^Copied the own query of \d+\.\d+ from the second sentence at the token that looks: /).waitFor({ timeout: 60_000 });
      const score = await tab.at("measures").locator("tbody tr").first().evaluate((row) => [...row.cells].map((cell) => cell.innerText));
      const [was, is] = score.slice(1, 3).map((text) => Number(text.replaceAll("\u2212", "-").match(/-?\d+(\.\d+)?/)[0]));
      check(was !== is, `the query of the other sentence changes nothing: ${score}`);
      await checkView(tab.page, "an intervention on a phone");
      await tab.page.screenshot({ path: `${screenshots}/keyboard-phone.png`, fullPage: true });

      // The numbers.
      const figure = tab.at("card-causes");
      await tabTo(tab, figure.getByTestId("export-button").first(), "the export menu");
      await keys.press("Enter");
      const coming = tab.page.waitForEvent("download");
      await tabTo(tab, figure.getByTestId("export-csv-measures"), "the table");
      await keys.press("Enter");
      const rows = (await readFile(await (await coming).path(), "utf8")).trim().split("\n").filter((line) => !line.startsWith("#"));
      const numbers = rows.flatMap((line) => line.split(",")).map(Number).filter(Number.isFinite);
      for (const shown of [was, is]) {
        check(numbers.some((number) => Math.abs(number - shown) <= 0.0051), `${shown} is on the page, and not in the file:\n${rows.slice(0, 5).join("\n")}`);
      }
      const wider = await tab.page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
      check(wider <= 0, `the page is ${wider} px wider than a phone`);
    },
  },
];
