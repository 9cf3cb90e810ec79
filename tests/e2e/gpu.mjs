// The engine on a GPU, on Chromium's software adapter: the same numbers. What may happen to a GPU: gpu_faults.mjs.
import { arrays, largestDifference } from "./compare.mjs";
import { check, SOFTWARE_GPU } from "./harness.mjs";

/** Runs three batches of the bundled model with `engine`; while it runs, `meanwhile` may do something. */
export async function run(tab, engine, meanwhile = async () => {}) {
  await tab.fill({ model: "bundled" });
  await tab.page.waitForFunction(() => /is not GPT-2/i.test(document.querySelector(".panel .about").textContent));
  await tab.fill({ batches: 3, size: 20, seed: 5 });
  const panel = tab.at("weights-panel");
  if (!(await panel.evaluate((panel) => panel.open))) await panel.locator("summary").click();
  await tab.at("engine-input").selectOption(engine);
  await Promise.all([tab.run(120_000), meanwhile()]);
  const { result } = await tab.download();
  return result;
}

/** Checks that both results have the same numbers. */
export function same(found, expected) {
  const of = arrays(found);
  for (const [name, values] of Object.entries(arrays(expected))) {
    const off = largestDifference(of[name] ?? [], values);
    check(off <= 1e-4, `${name}: ${off} off`);
  }
}

export const notice = (tab) => tab.at("notice-engine");

export const gpu = [
  {
    name: "a GPU gives the CPU's numbers, and is not chosen where its adapter is software",
    timeout: 240_000,
    flags: SOFTWARE_GPU,
    async run(tab) {
      await tab.open();
      const expected = await run(tab, "auto");
      check(expected.timing.engine !== "gpu", "a software adapter was chosen");
      const found = await run(tab, "gpu");
      check(found.timing.engine === "gpu", `computed by ${found.timing.engine}`);
      check(/swiftshader.* \(software\)$/i.test(found.timing.adapter), `on ${found.timing.adapter}`);
      const line = await tab.at("run-summary").innerText();
      check(line.includes(`engine gpu on ${found.timing.adapter}, `), line);
      check((await notice(tab).innerText()) === "", await notice(tab).innerText());
      same(found, expected);
    },
  },
  {
    name: "where there is no GPU the CPU computes, and it is said",
    timeout: 120_000,
    async run(tab) {
      await tab.open();
      const found = await run(tab, "gpu");
      check(found.timing.engine !== "gpu", "there is a GPU");
      check(/: there is no GPU to compute on\.$/.test(await notice(tab).innerText()), `said: ${await notice(tab).innerText()}`);
    },
  },
];
