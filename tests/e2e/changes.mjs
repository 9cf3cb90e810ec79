// An intervention in every prompt of a run: chosen in the form, recomputed, shown, said, and kept in a link.
import { check, until } from "./harness.mjs";

const FIGURES = ["change_attention", "change_logits", "change_logprob"];

export const changes = [
  {
    name: "an intervention in every prompt is chosen by a click, shown with its interval, and a link reopens it",
    timeout: 120_000,
    async run(tab) {
      await tab.open();
      await tab.fill({ model: "bundled" });
      await tab.at("run-button").and(tab.page.locator(":enabled")).waitFor();
      await tab.fill({ batches: 2, size: 20 });
      await tab.at("intervention-panel").locator("summary").click();
      const field = tab.at("intervention-input");
      const earlier = await tab.at("earlier-head-input").inputValue();
      await tab.at("intervention-presets").getByRole("button", { name: `take ${earlier} out of the query` }).click();
      await until(tab.page, () => field.inputValue(), (text) => text === `query without ${earlier}`, "the preset is not in the field");
      await tab.run();
      for (const name of FIGURES) {
        await tab.at(`figure-${name}`).waitFor();
        const told = await tab.at(`story-${name}`).innerText();
        // Of two groups each has its own number.
        check(/40 prompts/.test(told) || /two groups: \d+ prompts around .* and \d+ around/.test(told), `${name}: ${told}`);
        check(/95 % interval/.test(told) || /stays as it is/.test(told) || /two groups/.test(told), `${name}: ${told}`);
      }
      const logits = await tab.at("story-change_logits").innerText();
      check(logits.includes(`With head ${earlier} taken out of the query`) && logits.includes("The linear prediction is"), logits);
      const address = tab.page.url();
      check(new URL(address).searchParams.get("intervention") === `query without ${earlier}`, address);
      // What can't be done is said at once, and nothing is lost.
      const head = await tab.at("head-input").inputValue();
      await field.fill(`query without ${head}`);
      await tab.at("run-button").click();
      const error = await tab.at("error").innerText();
      check(error.includes("Intervention in every prompt") && error.includes(`head ${head}`), error);
      check(await tab.at("figure-change_logits").isVisible(), "the figures are gone");
      // The link brings the run's settings, and the same numbers.
      await tab.page.goto(address);
      await tab.at("run-button").and(tab.page.locator(":enabled")).waitFor();
      check((await tab.at("intervention-input").inputValue()) === `query without ${earlier}`, "the link has lost the intervention");
      await tab.run();
      await until(tab.page, () => tab.at("story-change_logits").innerText(), (text) => text === logits, "another run of the same says something else");
    },
  },
];
