// The engine on a GPU, on Chromium's software adapter: the same numbers, and what happens where it is not there or breaks down.
import { check, SOFTWARE_GPU, until } from "./harness.mjs";

/** Runs three batches of the bundled model with `engine`; while it runs, `meanwhile` may do something. */
async function run(tab, engine, meanwhile = async () => {}) {
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

/** Checks that both results have the same scores. */
function same(found, expected) {
  const [a, b] = [found, expected].map((result) => result.histograms.true_score);
  const off = Math.max(...a.map((value, index) => Math.abs(value - b[index])));
  check(a.length === b.length && off <= 1e-4, `${off} off`);
}

const notice = (tab) => tab.at("notice-engine");

export const gpu = [
  {
    name: "a graphics processor gives the processor's numbers, and is not chosen where it is a processor itself",
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
    name: "a graphics process that is killed in the middle of a run: the processor goes on, and it is said once",
    timeout: 240_000,
    flags: SOFTWARE_GPU,
    async run(tab) {
      await tab.open();
      const expected = await run(tab, "packed");
      const session = await tab.page.context().browser().newBrowserCDPSession();
      const found = await run(tab, "gpu", async () => {
        await until(tab.page, () => tab.at("progress-text").innerText().catch(() => ""), (text) => /batch|prompts|position/i.test(text), "the run has begun", 60_000);
        await session.send("Browser.crashGpuProcess").catch(() => {});
      });
      same(found, expected);
      check(found.timing.engine !== "gpu", "the run was over before the process was killed");
      check(/graphics processor/.test(await notice(tab).innerText()), `said: ${await notice(tab).innerText()}`);
    },
  },
  {
    name: "where there is no graphics processor the processor computes, and it is said",
    timeout: 120_000,
    async run(tab) {
      await tab.open();
      const found = await run(tab, "gpu");
      check(found.timing.engine !== "gpu", "there is a graphics processor");
      check(/no graphics processor/.test(await notice(tab).innerText()), `said: ${await notice(tab).innerText()}`);
    },
  },
];
