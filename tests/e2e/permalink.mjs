// The address: a link shows what its sender saw, the address follows, "back" and "forward" restore; themes, the story.
import path from "node:path";

import { arrays, compare } from "./compare.mjs";
import { check, cornerIs, threeFrames, until, withSite } from "./harness.mjs";

const HISTOGRAMS = ["keys_fixed_scores", "keys_fixed_probs", "queries_fixed_scores", "queries_fixed_probs"];
const SERIES = {
  keys_fixed_scores: ["No patching", "W_U[IO]", "W_U[S]", "W_U[random name]", "W_U[random]", "NMH 9.9 output"],
  keys_fixed_probs: ["No patching", "W_U[IO]", "W_U[S]", "W_U[random name]", "W_U[random]", "NMH 9.9 output"],
  queries_fixed_scores: ["No patching", "W_EE[IO]", "W_E[IO]", "W_EE_subE[IO]"],
  queries_fixed_probs: ["No patching", "W_EE[IO]", "W_E[IO]", "W_EE_subE[IO]"],
};
const HIDDEN_AT_FIRST = new Set(["W_U[S]", "W_U[random name]"]);

/** Numbers that are the same on every run (mulberry32). */
function random(seed) {
  let state = seed;
  const next = () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
  return { below: (end) => Math.floor(next() * end), sometimes: () => next() < 0.5, of: (list) => list[Math.floor(next() * list.length)] };
}

/** A state, as pairs of the query in the order in which the page writes them. */
function randomState(draw) {
  const pairs = [["v", "1"]];
  const model = draw.of(["recorded", "url", "hub:gpt2", "hub:gpt2-medium@main", "hub:distilgpt2", "picked"]);
  if (model !== "recorded") {
    pairs.push(["model", model]);
    if (model === "url") pairs.push(["url", `http://127.0.0.1:9/models/${draw.below(100)}?a=b&c d`]);
    const layer = 1 + draw.below(11);
    if (draw.sometimes()) pairs.push(["head", `${layer}.${draw.below(12)}`], ["earlier", `${draw.below(layer)}.${draw.below(12)}`]);
    if (draw.sometimes()) pairs.push(["seed", String(1 + draw.below(4294967295))]);
    if (draw.sometimes()) pairs.push(["batches", String(31 + draw.below(900))]);
    if (draw.sometimes()) pairs.push(["size", String(1 + draw.below(39))]);
    if (draw.sometimes()) pairs.push(["bos", "1"]);
  }
  HISTOGRAMS.forEach((name, index) => {
    const toggled = SERIES[name].filter(() => draw.below(4) === 0).sort((a, b) => (a < b ? -1 : 1));
    for (const label of toggled) pairs.push([`toggle${index + 1}`, label]);
    if (draw.below(3) === 0) pairs.push([`bins${index + 1}`, String(10 + draw.below(190))]);
    if (draw.below(3) === 0) pairs.push([`log${index + 1}`, "1"]);
    if (draw.below(3) === 0) pairs.push([`zoom${index + 1}`, `${Number((draw.below(3000) / 1000 - 2.5).toFixed(3))},${Number((1 + draw.below(100000) / 1e4).toFixed(4))}`]);
    if (draw.below(3) === 0) pairs.push([`order${index + 1}`, draw.of(["median", "label"])]);
  });
  if (draw.sometimes()) pairs.push(["notebook", "1"]);
  if (draw.below(3) === 0) pairs.push(["cells", `${draw.below(3)}-${3 + draw.below(8)},${draw.below(4)}-${4 + draw.below(8)}`]);
  if (draw.below(3) === 0) pairs.push(["cell", `${1 + draw.below(10)},${draw.below(13)}`]);
  if (draw.below(3) === 0) pairs.push(["prompt", String(draw.below(1200))]);
  if (draw.sometimes()) pairs.push(["theme", draw.of(["light", "dark"])]);
  if (draw.sometimes()) pairs.push(["text", "0"]);
  return pairs.length > 1 ? pairs : [...pairs, ["tab", "prompts"]];
}

const queryOf = (pairs) => new URLSearchParams(pairs).toString();
/** The pairs in the page's address. */
const written = (tab) => tab.page.evaluate(() => [...new URLSearchParams(location.search)]);
const address = (tab) => tab.page.evaluate(() => location.search);

/** Waits until the address has, or has not, a part that `pattern` matches. */
const addressSays = (tab, pattern, has = true) =>
  tab.page.waitForFunction(([source, has]) => new RegExp(source).test(decodeURIComponent(location.search)) === has, [pattern, has]);

async function openAt(tab, query) {
  await tab.page.goto(`${tab.url}${query ? `?${query}` : ""}`);
  await tab.at("run-summary").getByText("Recorded run").first().waitFor();
}

/** Compares what the page shows with the state that its address names. */
async function checkShown(tab, pairs) {
  const get = (key, otherwise) => pairs.find(([known]) => known === key)?.[1] ?? otherwise;
  const all = (key) => pairs.filter(([known]) => known === key).map(([, value]) => value);
  const model = get("model", "recorded");
  const kind = model.split(":")[0];
  check((await tab.at("model-select").inputValue()) === kind, `the form has not the model ${model}`);
  const fields = [
    ["head-input", get("head", "10.7")],
    ["earlier-head-input", get("earlier", "9.9")],
    ["seed-input", get("seed", "0")],
    ["batches-input", get("batches", "30")],
    ["batch-size-input", get("size", "40")],
  ];
  if (kind === "url") fields.push(["model-url", get("url")]);
  if (kind === "hub") fields.push(["hub-model", model.slice(4).split("@")[0]], ["hub-revision", model.split("@")[1] ?? ""]);
  for (const [name, value] of fields) {
    const there = await tab.at(name).inputValue();
    check(there === value, `${name} has ${there}, the address ${value}`);
  }
  check((await tab.at("bos-checkbox").isChecked()) === (get("bos") === "1"), "BOS is not as in the address");
  for (const [index, name] of HISTOGRAMS.entries()) {
    const toggled = new Set(all(`toggle${index + 1}`));
    const wanted = SERIES[name].filter((label) => HIDDEN_AT_FIRST.has(label) === toggled.has(label)).sort();
    const shown = await tab.at(`figure-${name}`).locator('.legend button[aria-pressed="true"] code').allInnerTexts();
    check(shown.sort().join() === wanted.join(), `${name} shows ${shown}, the address ${wanted}`);
  }
  const theme = get("theme", "system");
  check(await tab.at(`theme-${theme}`).isChecked(), `the switch is not at ${theme}`);
  check((await tab.page.evaluate(() => document.documentElement.dataset.theme ?? "system")) === theme, `the page is not ${theme}`);
  check((await tab.at("lead").isVisible()) === (get("text") !== "0"), "the text is not as in the address");
  check((await tab.at("invitation").isVisible()) === (model !== "recorded"), "the run that the link asks for is not offered");
}

export const permalink = [
  {
    name: "a permalink round trip of 20 random states",
    timeout: 240_000,
    run: (tab) =>
      // A plain host: each way to an isolated page leads through a new process of the browser.
      withSite(tab, {}, async (site) => {
        const draw = random(7);
        for (let i = 0; i < 20; i += 1) {
          const pairs = randomState(draw);
          await openAt(tab, queryOf(pairs));
          await checkShown(tab, pairs);
          // A small change there and back makes the page write the address from what it holds.
          const old = await address(tab);
          await tab.at("text-switch").click();
          await tab.page.waitForFunction((old) => location.search !== old, old);
          await tab.at("text-switch").click();
          const wanted = JSON.stringify(pairs);
          await tab.page.waitForFunction((wanted) => JSON.stringify([...new URLSearchParams(location.search)]) === wanted, wanted, { timeout: 5000 }).catch(async () => {
            throw new Error(`the address was ${wanted} and became ${JSON.stringify(await written(tab))}`);
          });
        }
        const asked = site.requests.map((request) => request.path);
        check(!asked.some((file) => /worker-|\/models\//.test(file)), "a link started the worker or read a model");
      }),
  },
  {
    name: "an address that is wrong says so and opens the page as it is by default",
    async run(tab) {
      for (const [query, words] of [
        ["v=2", /"v"/],
        ["model=hub:gpt9", /hub:gpt9/],
        ["model=bundled&head=x", /"head"/],
        ["head=3.1", /no model to run/],
        ["zoom1=2,1", /"zoom1"/],
        ["theme=%3Cscript%3E", /"theme"/],
      ]) {
        await openAt(tab, query);
        const error = await tab.at("error").innerText();
        check(words.test(error) && /Correct the address/.test(error), `${query}: ${error}`);
        await tab.at("dismiss-error").click();
        await checkShown(tab, []);
      }
      await openAt(tab, "v=1&utm_source=x&zoom9=1");
      check((await tab.at("error").count()) === 0, "an unknown key is an error");
    },
  },
  {
    name: "a link to a run of the bundled model runs at once and gives the same numbers",
    timeout: 120_000,
    async run(tab) {
      await tab.open();
      await tab.fill({ model: "bundled" });
      await tab.at("run-button").and(tab.page.locator(":enabled")).waitFor();
      await tab.fill({ batches: 2, size: 8, seed: 5 });
      await tab.run();
      const first = (await tab.download()).result;
      await tab.at("figure-keys_fixed_scores").getByRole("button", { name: "W_U[S]" }).click();
      await addressSays(tab, "toggle1=W_U");
      const link = await address(tab);
      check(/model=bundled/.test(link) && /seed=5/.test(link) && /batches=2/.test(link) && /size=8/.test(link), link);
      await tab.page.goto("about:blank");
      await tab.page.goto(tab.url + link);
      await tab.at("run-summary").getByText("Live run, finished").waitFor();
      const again = (await tab.download()).result;
      compare(arrays(again), arrays(first), 0);
      const pressed = await tab.at("figure-keys_fixed_scores").getByRole("button", { name: "W_U[S]" }).getAttribute("aria-pressed");
      check(pressed === "true", "the series that the sender had shown is hidden");
      check((await address(tab)) === link, `the address became ${await address(tab)}`);
    },
  },
  {
    name: "a link to another model waits for the reader",
    async run(tab, { site, screenshots }) {
      const before = site.requests.length;
      await openAt(tab, "v=1&model=hub:gpt2&head=11.10&earlier=9.9");
      const words = await tab.at("invitation").innerText();
      check(/gpt2, head 11\.10 on 1,200 prompts/.test(words) && /548 MB/.test(words), words);
      await tab.page.screenshot({ path: path.join(screenshots, "invitation.png") });
      check((await tab.at("figure-keys_fixed_scores").getByRole("application").count()) === 1, "the recorded run is not shown");
      check(!site.requests.slice(before).some(({ path }) => /worker-/.test(path)), "the worker was fetched");
      await tab.fill({ model: "recorded" });
      await tab.at("invitation").waitFor({ state: "detached" });
    },
  },
  {
    name: "back and forward restore models, runs and views",
    timeout: 120_000,
    async run(tab) {
      await tab.open();
      const summary = (text) => tab.at("run-summary").getByText(text).first().waitFor();
      await tab.at("theme-dark").check({ force: true });
      await addressSays(tab, "theme=dark");
      await tab.fill({ model: "bundled" });
      await addressSays(tab, "model=bundled");
      await tab.at("run-button").and(tab.page.locator(":enabled")).waitFor();
      await tab.fill({ batches: 1, size: 5 });
      await tab.run();
      await tab.fill({ batches: 2 });
      await tab.run();
      await summary("10 prompts");
      await tab.page.goBack();
      await summary("5 prompts");
      check((await tab.at("batches-input").inputValue()) === "1", "the form did not go back");
      await tab.page.goBack();
      await summary("Recorded run");
      check((await tab.at("model-select").inputValue()) === "recorded", "the model did not go back");
      check(await tab.at("theme-dark").isChecked(), "the theme was lost on the way back");
      await tab.page.goForward();
      await summary("5 prompts");
      await tab.page.goForward();
      await summary("10 prompts");
      check((await tab.at("invitation").count()) === 0, "a run that is shown is asked for");
      // Small changes are no steps.
      const steps = await tab.page.evaluate(() => history.length);
      await tab.at("text-switch").click();
      await addressSays(tab, "text=0");
      check((await tab.page.evaluate(() => history.length)) === steps, "hiding the text is a step of its own");
    },
  },
  {
    name: "a heatmap that is chosen just before going back is not shown after it",
    async run(tab) {
      await tab.open();
      const title = () => tab.at("heatmap-title").innerText();
      const first = await title();
      await tab.at("heatmap-variant").selectOption("key_subWU");
      await addressSays(tab, "heatmap=key_subWU");
      check((await title()) !== first, "no other heatmap is shown");
      await tab.page.evaluate(() => {
        const select = document.querySelector("[data-testid=heatmap-minus]");
        select.value = "key_subWU_subS1";
        select.dispatchEvent(new Event("change", { bubbles: true }));
        history.back();
      });
      await addressSays(tab, "heatmap", false);
      await until(tab.page, title, (found) => found === first, "the first heatmap has not come back");
      // What is chosen waits as long as what is said: it would be shown by now.
      const figure = tab.at("figure-heatmap");
      await figure.locator("canvas").first().focus();
      await tab.page.keyboard.press("ArrowDown");
      await figure.getByTestId("spoken").first().filter({ hasText: /./ }).waitFor({ state: "attached" });
      await threeFrames(tab.page);
      check((await title()) === first, `${await title()} is shown`);
      check(!(await address(tab)).includes("heatmap"), tab.page.url());
    },
  },
  {
    name: "the link is copied, and says what it does not hold",
    context: { permissions: ["clipboard-read", "clipboard-write"] },
    async run(tab) {
      await openAt(tab, "v=1&theme=light&zoom1=-1,2");
      await tab.at("copy-link").click();
      await tab.at("copy-link-said").getByText("Link copied.").waitFor();
      const copied = await tab.page.evaluate(() => navigator.clipboard.readText());
      check(copied === `${tab.url}?v=1&theme=light&zoom1=-1,2` || copied === `${tab.url}?v=1&zoom1=-1,2&theme=light`, copied);
      await tab.fill({ model: "picked" });
      await tab.at("copy-link").click();
      await tab.at("copy-link-said").getByText("files are not in it").waitFor();
    },
  },
  {
    name: "the theme follows the switch, from the first paint on",
    context: { colorScheme: "light" },
    async run(tab) {
      const background = () => tab.page.evaluate(() => getComputedStyle(document.body).backgroundColor);
      const canvas = tab.at("figure-keys_fixed_scores").locator("canvas").first();
      await tab.open();
      const light = await background();
      await tab.at("theme-dark").check({ force: true });
      await tab.page.waitForFunction((light) => getComputedStyle(document.body).backgroundColor !== light, light);
      const dark = await background();
      await cornerIs(canvas, "22,25,29", "the figure stayed light");
      await tab.at("theme-system").check({ force: true });
      await tab.page.waitForFunction((light) => getComputedStyle(document.body).backgroundColor === light, light);
      await tab.page.emulateMedia({ colorScheme: "dark" });
      await tab.page.waitForFunction((dark) => getComputedStyle(document.body).backgroundColor === dark, dark);
      await tab.at("theme-light").check({ force: true });
      await tab.page.waitForFunction((light) => getComputedStyle(document.body).backgroundColor === light, light);
      // On paper nothing is dark.
      await tab.page.emulateMedia({ colorScheme: "dark", media: "print" });
      await cornerIs(canvas, "255,255,255", "the figure is dark on paper");
      await tab.page.emulateMedia({ colorScheme: "light", media: "screen" });
      // The theme of a link is there before the page is: with its script held back.
      let arrive;
      const arrived = new Promise((done) => (arrive = done));
      await tab.page.route(/page-[0-9a-f]+\.js$/, async (route) => {
        await arrived;
        await route.continue();
      });
      await tab.page.goto(`${tab.url}?theme=dark`, { waitUntil: "commit" });
      // Nothing is painted before the styles are there.
      await tab.page.waitForFunction(() => document.body && getComputedStyle(document.body).backgroundColor !== "rgba(0, 0, 0, 0)");
      check((await background()) === dark, "the page opens light and turns dark later");
      check(await tab.page.locator("#first-view h1").isVisible(), "the page was there before its theme could be seen");
      arrive();
      await tab.storyOpened();
    },
  },
  {
    name: "the text says what the data say, explains its words, and can be hidden",
    async run(tab) {
      await tab.open();
      const story = (name) => tab.at(`story-${name}`).innerText();
      await tab.at("story-keys_fixed_scores").getByText(/^W_U\[IO\] lies furthest right.*10\.52; second is NMH 9\.9 output with 5\.99/).waitFor();
      await tab.at("figure-keys_fixed_scores").getByRole("button", { name: "W_U[IO]" }).click();
      await tab.at("story-keys_fixed_scores").getByText(/^NMH 9\.9 output lies furthest right/).waitFor();
      check(/MLP 7 \(0\.72\)/.test(await story("heatmap")), await story("heatmap"));
      await tab.at("lead").getByRole("button", { name: "IO", exact: true }).click();
      await tab.page.locator("#term-io").getByText("The indirect object").waitFor();
      await tab.page.keyboard.press("Escape");
      await tab.page.locator("#term-io").waitFor({ state: "hidden" });
      await tab.at("text-switch").click();
      await tab.at("story-heatmap").waitFor({ state: "detached" });
      check((await tab.at("figure-heatmap").locator("h3").count()) === 1, "the captions are gone");
      check(/keyside \d+\.\d+\.\d+, files [0-9a-f]{12}/.test(await tab.at("versions").innerText()), await tab.at("versions").innerText());
    },
  },
  {
    name: "on a phone the figures come first, and the controls unfold",
    context: { viewport: { width: 390, height: 844 }, deviceScaleFactor: 2, hasTouch: true },
    async run(tab, { screenshots }) {
      await tab.open();
      check(!(await tab.at("model-select").isVisible()), "the controls are unfolded");
      const top = await tab.at("figure-keys_fixed_scores").evaluate((figure) => figure.getBoundingClientRect().top);
      check(top < 844, `the first figure begins at ${top}`);
      await tab.at("controls-toggle").click();
      await tab.at("model-select").waitFor();
      await tab.page.screenshot({ path: path.join(screenshots, "controls-phone.png") });
      await tab.at("controls-toggle").click();
      check(!(await tab.at("model-select").isVisible()), "the controls do not fold");
    },
  },
  {
    name: "the page prints",
    async run(tab, { screenshots }) {
      await openAt(tab, "v=1&theme=dark");
      const pdf = await tab.page.pdf({ path: path.join(screenshots, "page.pdf"), format: "A4", printBackground: true });
      check(pdf.length > 50_000, `${pdf.length} bytes of PDF`);
      check(!pdf.includes("/Subtype /Image"), "plots are printed as pixels, not as lines and letters");
      await tab.page.emulateMedia({ media: "print" });
      check(!(await tab.at("model-select").isVisible()) && !(await tab.at("copy-link").isVisible()), "controls are printed");
      check(await tab.at("figure-heatmap").isVisible(), "the heatmap is not printed");
    },
  },
];
