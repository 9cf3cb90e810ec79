// What the page says of the data, and the prompts by kind.
import { check, drawn, threeFrames, until } from "./harness.mjs";

const ORDERS = ["IO first (ABBA)", "S first (BABA)"];

/** Waits until the text of `id` matches `what`. */
const says = (tab, id, what) => until(tab.page, () => tab.at(id).innerText(), (text) => what.test(text), `${id} does not say ${what}`);

/** The rows of the figure's table of kinds. */
const rows = (tab, name) => tab.at(`split-table-${name}`).locator("tbody tr");

export const words = [
  {
    name: "what is concluded stands on intervals, which come while the page can be used",
    async run(tab) {
      await tab.open();
      await drawn(tab.page);
      await says(tab, "story-question", /68 % .*\(95 % interval 67 to 69 %\)\. On average that is more than all other positions get together, and so it is in 935/);
      await says(tab, "story-keys_fixed_scores", /That name gives more than another: W_U\[IO\] \(10\.52\) lies above W_U\[S\] \(4\.02\) \(difference 6\.50, 95 % interval 6\.38 to 6\.63, W_U\[IO\] higher in 1,198 of 1,200 prompts\)/);
      await says(tab, "story-queries_fixed_probs", /difference 18 points, 95 % interval 16 to 19 points, No patching higher in 866 of 1,200 prompts/);
      await says(tab, "story-ending", /On the key side W_EE\[IO\] alone gives most of the score.*95 % interval/);
      // Another pair of series: another comparison.
      await tab.at("figure-keys_fixed_scores").getByRole("button", { name: "W_U[IO]", exact: true }).click();
      await says(tab, "story-keys_fixed_scores", /^NMH 9\.9 output lies furthest right.*No patching.*95 % interval/);
    },
  },
  {
    name: "prompts are split by order, template and name, and the link keeps it",
    async run(tab) {
      const scores = "keys_fixed_scores";
      await tab.open();
      await drawn(tab.page);
      const select = tab.at(`figure-${scores}`).getByTestId("split");
      check((await tab.at(`split-table-${scores}`).count()) === 0, "a table before anything is chosen");
      await select.selectOption("order");
      await rows(tab, scores).first().waitFor();
      const labels = await rows(tab, scores).locator("th").allInnerTexts();
      check(labels.join() === ORDERS.join(), labels.join());
      const counts = (await rows(tab, scores).locator("td:nth-child(2)").allInnerTexts()).map(Number);
      check(counts[0] + counts[1] === 1200, counts.join());
      // A dot for each of the series that are shown at first.
      check((await rows(tab, scores).first().locator(".track b").count()) === 4, "dots");
      await tab.at(`figure-${scores}`).getByRole("button", { name: "W_U[S]", exact: true }).click();
      await threeFrames(tab.page);
      check((await rows(tab, scores).first().locator(".track b").count()) === 5, "a series that is shown has a dot");
      await select.selectOption("template");
      await until(tab.page, () => rows(tab, scores).count(), (count) => count === 7, "7 templates");
      await select.selectOption("name");
      await until(tab.page, () => rows(tab, scores).count(), (count) => count > 50, "names");
      await tab.page.waitForURL(/split1=name/);
      await tab.page.reload();
      await drawn(tab.page);
      await until(tab.page, () => rows(tab, scores).count(), (count) => count > 50, "names after a reload");
      check((await select.inputValue()) === "name", "the control after a reload");
      await select.selectOption("");
      await until(tab.page, () => tab.at(`split-table-${scores}`).count(), (count) => count === 0, "the table is gone");
    },
  },
];
