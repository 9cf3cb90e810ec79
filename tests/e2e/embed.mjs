// Figures in another page, of another origin: the example post on one port, the app on another.
import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import os from "node:os";
import path from "node:path";

import { check, page as built, root, threeFrames, until } from "./harness.mjs";
import { serve } from "./server.mjs";

const recorded = path.join(root, "public/recorded/gpt2-small-10.7.json");

/** A blog on a server of its own: the example post with the app's address in it, a result file, and the pages given. */
export async function withBlog(tab, pages, scenario) {
  const folder = await mkdtemp(path.join(os.tmpdir(), "keyside-blog-"));
  const examples = path.join(root, "public/examples");
  await cp(examples, path.join(folder, "examples"), { recursive: true });
  await cp(path.join(root, "public/icons"), path.join(folder, "icons"), { recursive: true });
  await mkdir(path.join(folder, "recorded"));
  await cp(recorded, path.join(folder, "recorded/gpt2-small-10.7.json"));
  // What an author does: everything of the app's by its own address. The post's result file is the blog's.
  const post = await readFile(path.join(examples, "post.html"), "utf8");
  await writeFile(path.join(folder, "examples/post.html"), post.replaceAll('"../keyside-plot.js"', `"${tab.url}keyside-plot.js"`).replaceAll('"../?', `"${tab.url}?`).replaceAll('"../"', `"${tab.url}"`));
  const script = `<!doctype html><html lang="en"><title>Blog</title><meta name="viewport" content="width=device-width"><link rel="icon" href="data:,"><script src="${tab.url}keyside-plot.js" async></script><body>`;
  for (const [name, body] of Object.entries(pages)) await writeFile(path.join(folder, name), script + body);
  const blog = await serve(folder);
  try {
    await scenario(blog, folder);
  } finally {
    await blog.close();
    await rm(folder, { recursive: true, force: true });
  }
}

/** Opens a page of the blog and waits for its figure; answers the element and the frame in it. */
async function shown(tab, url, selector = "keyside-plot") {
  await tab.page.goto(url);
  const element = tab.page.locator(selector).first();
  await element.scrollIntoViewIfNeeded();
  const frame = element.locator("iframe");
  await frame.and(tab.page.locator(":not(.waiting)")).waitFor();
  return { element, frame, inside: frame.contentFrame() };
}

/** The page that is in a frame. */
const contentOf = async (frame) => (await frame.elementHandle()).contentFrame();

/** Waits until the frame is as high as its content, and nothing in it scrolls; answers the height. */
async function checkHeight(frame, what) {
  const content = await contentOf(frame);
  const sizes = async () => {
    // What is in the frame may be of another process, and not yet as wide as the frame.
    await threeFrames(content);
    const given = await frame.evaluate((element) => element.clientWidth);
    const found = await content.evaluate(() => {
      const { scrollHeight, scrollWidth, clientHeight, clientWidth } = document.documentElement;
      return { body: document.body.getBoundingClientRect().height, scrollHeight, scrollWidth, clientHeight, clientWidth, inner: innerWidth };
    });
    return { given, ...found };
  };
  const fits = ({ given, body, scrollHeight, scrollWidth, clientHeight, clientWidth, inner }) =>
    Math.abs(clientHeight - body) <= 1 && scrollHeight <= clientHeight && scrollWidth <= clientWidth && clientWidth === inner && inner === given && body > 200;
  return (await until(frame.page(), sizes, fits, what)).body;
}

/** Notes in `told` what a window hears; as text, for the pages of the blog, and as a function, for frames. */
const NOTES = `<script>window.told = []; addEventListener("message", ({ data, source, origin }) => told.push({ data, source, origin }));</script>`;
const notes = (frame) =>
  frame.evaluate(() => {
    window.told = [];
    addEventListener("message", ({ data, source, origin }) => told.push({ data, source, origin }));
  });

/** What a `data` element of the post says it is, computed from the recorded run. */
function truth(of, result) {
  const mean = (values) => values.reduce((sum, value) => sum + value, 0) / values.length;
  const series = (histogram, label) => result.histograms[histogram].series[label];
  const { rows, columns, values, sum, mean_score: score } = result.heatmaps.key;
  const layers = values.filter((_, row) => rows[row] !== "misc");
  const cell = (row, column) => values[rows.indexOf(row)][columns.indexOf(column)];
  const total = (wanted) => layers.flatMap((row) => row.filter((_, column) => wanted(columns[column]))).reduce((a, b) => a + b, 0);
  const [kind, first, ...rest] = of.split(" ");
  const label = rest.join(" ");
  switch (kind) {
    case "count":
      return (result.batches * result.batch_size).toLocaleString("en-US");
    case "mean":
      return mean(series(first, label)).toFixed(2);
    case "percent":
      return (100 * mean(series(first, label))).toFixed(1);
    case "above": {
      const [one, other] = label.split(" / ").map((name) => series(first, name));
      return one.filter((value, index) => value > other[index]).length.toLocaleString("en-US");
    }
    case "cell":
      return cell(first, label).toFixed(2);
    case "less":
      return (-cell(first, label)).toFixed(2);
    case "column":
      return total((column) => column === first).toFixed(2);
    case "heads":
      return total((column) => column.startsWith("L.")).toFixed(2);
    case "sum":
      return sum.toFixed(2);
    case "mean_score":
      // 4.505 as it is stored is a little less in binary.
      return (Math.round(score * 100 + 1e-6) / 100).toFixed(2);
    default:
      throw new Error(`nothing is called ${of}`);
  }
}

export const embed = [
  {
    name: "the numbers of the example post are those of the recorded run",
    async run(tab) {
      const result = JSON.parse(await readFile(recorded, "utf8"));
      await withBlog(tab, {}, async (blog) => {
        await tab.page.goto(`${blog.url}examples/post.html`);
        const said = await tab.page.locator("data").evaluateAll((all) => all.map((element) => [element.dataset.is, element.textContent]));
        check(said.length >= 20, `${said.length} numbers`);
        for (const [of, text] of said) {
          const expected = truth(of, result).replace("-", "−");
          check(text === expected, `${of}: the post says ${text}, the run ${expected}`);
        }
        // The largest cell and the sign of the column, which the post asserts.
        const { rows, columns, values } = result.heatmaps.key;
        const largest = Math.max(...values.flat());
        check(values[rows.indexOf("7")][columns.indexOf("MLP")] === largest, "MLP 7 is not the largest cell");
        check(values.slice(1).every((row) => row.at(-1) > 0), "an MLP lowers the score");
      });
    },
  },
  ...[
    ["wide", { viewport: { width: 1280, height: 900 } }],
    ["wide-dark", { viewport: { width: 1280, height: 900 }, colorScheme: "dark" }],
    ["phone", { viewport: { width: 390, height: 844 }, deviceScaleFactor: 2 }],
    ["narrow", { viewport: { width: 320, height: 700 } }],
  ].map(([name, context]) => ({
    name: `the example post, across origins: ${name}`,
    context,
    timeout: 90_000,
    async run(tab, { screenshots }) {
      await withBlog(tab, {}, async (blog) => {
        await tab.page.goto(`${blog.url}examples/post.html`);
        for (const [selector, title] of [
          ["iframe.keyside", /^Attention scores of head 10\.7 with the keys fixed, for six replacements/],
          ["keyside-plot:not([src])", /^Attention scores of head 10\.7 with the queries fixed, for three replacements/],
          ["keyside-plot[src]", /^Contributions of heads and MLPs to the attention score of head 10\.7$/],
        ]) {
          const place = tab.page.locator(selector);
          await place.scrollIntoViewIfNeeded();
          const frame = selector.startsWith("iframe") ? place : place.locator("iframe:not(.waiting)");
          await frame.contentFrame().locator("canvas").first().waitFor();
          await checkHeight(frame, selector);
          check(title.test(await frame.getAttribute("title")), `${selector}: ${await frame.getAttribute("title")}`);
        }
        check((await tab.page.locator("keyside-plot .fallback:visible").count()) === 0, "the fallback is still there");
        const { scroll, width } = await tab.page.evaluate(() => ({ scroll: document.documentElement.scrollWidth, width: document.documentElement.clientWidth }));
        check(scroll <= width, `scrolls sideways: ${scroll} > ${width}`);
        // A frame of another origin is painted inside the window alone: it must hold the whole page.
        const height = await tab.page.evaluate(() => (scrollTo(0, 0), document.documentElement.scrollHeight));
        await tab.page.setViewportSize({ width, height });
        for (const frame of tab.page.frames()) await threeFrames(frame);
        await tab.page.screenshot({ path: path.join(screenshots, `post-${name}.png`) });
      });
    },
  })),
  {
    name: "an element's height follows its width",
    async run(tab) {
      await withBlog(tab, { "a.html": "<keyside-plot></keyside-plot>" }, async (blog) => {
        const { frame } = await shown(tab, `${blog.url}a.html`);
        const heights = [];
        for (const width of [1200, 800, 500, 320, 1000]) {
          await tab.page.setViewportSize({ width, height: 700 });
          heights.push(await checkHeight(frame, `at ${width}`));
        }
        check(new Set(heights.map(Math.round)).size >= 3, `heights ${heights}`);
      });
    },
  },
  {
    name: "an element shows a result file of the page's own, without CORS, model or storage",
    async run(tab, { site }) {
      await withBlog(tab, { "a.html": '<keyside-plot plot="keys_fixed_scores" src="own.json"><b>Wait</b></keyside-plot>' }, async (blog, folder) => {
        const result = JSON.parse(await readFile(recorded, "utf8"));
        result.model.name = "GPT-2 of the blog";
        result.batches = 1;
        for (const histogram of ["keys_fixed_scores", "keys_fixed_probs", "queries_fixed_scores", "queries_fixed_probs"]) {
          const { series } = result.histograms[histogram];
          for (const label of Object.keys(series)) series[label].length = 40;
        }
        await writeFile(path.join(folder, "own.json"), JSON.stringify(result));
        const before = site.requests.length;
        const { element, frame, inside } = await shown(tab, `${blog.url}a.html`);
        await inside.getByTestId("embed-origin").getByText("Opened from own.json: GPT-2 of the blog").waitFor();
        check((await frame.getAttribute("title")) === "Attention scores with keys fixed, head 10.7 of GPT-2 of the blog", await frame.getAttribute("title"));
        check(!(await element.getByText("Wait").isVisible()), "the fallback is still there");
        const asked = site.requests.slice(before).map((request) => request.path);
        check(!asked.some((file) => file.startsWith("/models/") || file.includes("service-worker") || file.includes("worker-")), `asked for ${asked}`);
        // The page's code without all that a frame does not show.
        const code = asked.filter((file) => file.endsWith(".wasm")).map((file) => file.replace(/-[0-9a-f]+_bg/, ""));
        check(code.length > 0 && code.every((file) => file.endsWith("/frame.wasm")), `the frame runs ${code}`);
        const kept = await (await frame.elementHandle()).contentFrame().then((content) =>
          content.evaluate(async () => [localStorage.length, sessionStorage.length, (await caches.keys()).length, (await indexedDB.databases()).length, (await navigator.serviceWorker.getRegistrations()).length]));
        check(kept.every((count) => count === 0), `kept: ${kept}`);
      });
    },
  },
  {
    name: "an element shows a result file of version 2, and says which sections it skips",
    async run(tab) {
      await withBlog(tab, { "a.html": '<keyside-plot src="own.json"><b>Wait</b></keyside-plot>' }, async (blog, folder) => {
        const document = await readFile(path.join(root, "docs/result-file.md"), "utf8");
        await writeFile(path.join(folder, "own.json"), document.split("```json\n")[1].split("```")[0]);
        const { frame, inside } = await shown(tab, `${blog.url}a.html`);
        await inside.getByTestId("embed-origin").getByText(/Opened from own\.json: tiny.*does not show: later\.$/).waitFor();
        check((await frame.getAttribute("title")) === "Contributions of components to the attention score, head 1.1 of tiny", await frame.getAttribute("title"));
      });
    },
  },
  {
    name: "a bad result file is an error in words, and what stood there stays",
    async run(tab) {
      tab.allow(/404|ERR_ABORTED/);
      const pages = {
        "bad.html": '<keyside-plot src="bad.json"><b>A table instead</b></keyside-plot>',
        "none.html": '<keyside-plot src="none.json"><b>A table instead</b></keyside-plot>',
      };
      await withBlog(tab, pages, async (blog, folder) => {
        await writeFile(path.join(folder, "bad.json"), '{"format": "something else"}');
        for (const [name, words] of [["bad.html", 'the format "something else"'], ["none.html", "the server answered 404"]]) {
          await tab.page.goto(`${blog.url}${name}`);
          const element = tab.page.locator("keyside-plot");
          await element.getByRole("alert").getByText(words).waitFor();
          check(await element.getByText("A table instead").isVisible(), "the fallback is gone");
          check((await element.locator("iframe").count()) === 0, "the empty frame is still there");
        }
      });
    },
  },
  {
    name: "attributes that change: plot, theme, result, state, label",
    async run(tab) {
      await withBlog(tab, { "a.html": '<keyside-plot theme="light"></keyside-plot>' }, async (blog) => {
        const { element, frame, inside } = await shown(tab, `${blog.url}a.html`);
        await inside.getByTestId("figure-heatmap").waitFor();
        const background = () => inside.locator("main").evaluate((main) => getComputedStyle(main).backgroundColor);
        const light = await background();
        await element.evaluate((plot) => plot.setAttribute("theme", "dark"));
        await inside.locator('html[data-theme="dark"]').waitFor();
        check((await background()) !== light, "the theme did not change");
        await element.evaluate((plot) => {
          plot.setAttribute("plot", "keys_fixed_probs");
          plot.setAttribute("state", "toggle2=No patching");
          plot.setAttribute("label", "Ours");
        });
        await inside.getByTestId("figure-keys_fixed_probs").waitFor();
        await inside.locator('html[data-theme="dark"]').waitFor();
        check((await inside.getByRole("button", { name: "No patching" }).getAttribute("aria-pressed")) === "false", "the state did not arrive");
        await frame.and(tab.page.locator(":not(.waiting)")).waitFor();
        check((await frame.getAttribute("title")) === "Ours", await frame.getAttribute("title"));
        await element.evaluate((plot) => plot.setAttribute("src", "recorded/gpt2-small-10.7.json"));
        await inside.getByTestId("embed-origin").getByText("Opened from gpt2-small-10.7.json").waitFor();
        await element.evaluate((plot) => plot.remove());
      });
    },
  },
  {
    name: "controls: none, or those that were asked for",
    async run(tab) {
      await tab.page.goto(`${tab.url}?embed=keys_fixed_scores&controls=none`);
      const entry = tab.at("figure-keys_fixed_scores").getByRole("button", { name: "W_U[IO]" });
      await entry.waitFor();
      check(await entry.isDisabled(), "the legend can be clicked");
      await tab.page.goto(`${tab.url}?embed=keys_fixed_scores&controls=legend`);
      await entry.click();
      check((await entry.getAttribute("aria-pressed")) === "false", "the legend can't be clicked");
      check((await tab.at("run-button").count()) === 0, "there is a button to run");
      for (const [query, words] of [
        ["embed=heat", "keys_fixed_scores"],
        ["embed=heatmap&controls=all", "legend,toolbar,export"],
        ["embed=heatmap&parent=x", "an origin"],
        ["embed=heatmap&result=http://example.com/r.json", "without encryption"],
        ["embed=heatmap&result=none.json", "the server answered 404"],
        ["embed=heatmap&result=host", "no page around this figure"],
      ]) {
        tab.allow(/404|ERR_ABORTED/);
        await tab.page.goto(`${tab.url}?${query}`);
        await tab.at("error").getByText(words).waitFor();
      }
    },
  },
  {
    name: "a frame reads a result from an address that may be read",
    async run(tab) {
      const others = await serve(path.dirname(recorded), { cors: true });
      const closed = await serve(path.dirname(recorded));
      try {
        const at = (server) => encodeURIComponent(`${server.url}gpt2-small-10.7.json`);
        await tab.page.goto(`${tab.url}?embed=heatmap&result=${at(others)}`);
        await tab.at("embed-origin").getByText("Opened from gpt2-small-10.7.json").waitFor();
        // The whole page reads it as well.
        const link = await tab.at("open-full").getAttribute("href");
        check(link === `./?v=1&tab=prompts&result=${at(others)}`, link);
        await tab.page.goto(new URL(link, tab.url).href);
        await tab.at("run-summary").getByText("Opened from gpt2-small-10.7.json").waitFor();
        tab.allow(/CORS|Failed to fetch|ERR_FAILED/);
        await tab.page.goto(`${tab.url}?embed=heatmap&result=${at(closed)}`);
        await tab.at("error").getByText("CORS").waitFor();
      } finally {
        await others.close();
        await closed.close();
      }
    },
  },
  {
    name: "messages from a wrong window or origin are ignored, on both sides",
    async run(tab) {
      // A page of a third origin that plays the app to the window above it.
      const folder = await mkdtemp(path.join(os.tmpdir(), "keyside-stranger-"));
      await writeFile(path.join(folder, "index.html"), `<!doctype html><link rel="icon" href="data:,"><script>
        for (const type of ["height", "error", "shown"]) parent.postMessage({ keyside: 1, type, height: 77, message: "wrong", title: "wrong" }, "*");
      </script>`);
      const third = await serve(folder);
      const app = (query) => `<iframe src="${tab.url}?embed=heatmap&theme=light${query}" width="800" height="600"></iframe>`;
      const pages = {
        "element.html": `${NOTES}<keyside-plot theme="light"></keyside-plot>${app("")}`,
        "frame.html": `${app("")}<iframe id="stranger"></iframe>`,
        // Another host than the one that the frame is in.
        "named.html": NOTES + app(`&parent=${encodeURIComponent(third.url.slice(0, -1))}`),
      };
      // Whoever heard a message before has done by then what follows from it.
      const hears = async (frame, test, argument) => {
        await frame.waitForFunction(test, argument);
        await threeFrames(frame);
      };
      try {
        await withBlog(tab, pages, async (blog) => {
          // The element believes neither its own page, nor what has taken its frame's place.
          const { element, frame } = await shown(tab, `${blog.url}element.html`);
          const height = await checkHeight(frame, "at first");
          const unchanged = async (who) => {
            const now = await frame.evaluate((element) => parseFloat(element.style.height));
            check(Math.abs(now - height) <= 1, `${who} made the frame ${now} high`);
            check((await element.getByText("wrong").count()) === 0 && !(await frame.getAttribute("title")).includes("wrong"), `${who}'s words are shown`);
          };
          await tab.page.evaluate(() => {
            for (const type of ["height", "error", "shown"]) window.postMessage({ keyside: 1, type, height: 77, message: "wrong", title: "wrong" }, "*");
          });
          await hears(tab.page, () => told.filter(({ source }) => source === window).length === 3);
          await unchanged("the page");
          const neighbour = tab.page.locator("body > iframe");
          await neighbour.contentFrame().getByTestId("figure-heatmap").waitFor();
          await neighbour.evaluate((element) => {
            told.length = 0;
            element.width = 330;
          });
          await hears(tab.page, () => told.some(({ data, source }) => source === document.querySelector("body > iframe").contentWindow && data.type === "height"));
          await unchanged("another frame of the app");
          await frame.evaluate((element, url) => (element.src = url), third.url);
          await hears(tab.page, (origin) => told.filter((message) => message.origin === origin).length === 3, new URL(third.url).origin);
          await unchanged("another origin");

          // The app believes its parent alone, and only what is a message.
          await tab.page.goto(`${blog.url}frame.html`);
          const inside = tab.page.frameLocator("iframe >> nth=0");
          const theme = () => inside.locator("html").getAttribute("data-theme");
          await inside.getByTestId("figure-heatmap").waitFor();
          const content = await contentOf(tab.page.locator("iframe >> nth=0"));
          await notes(content);
          await tab.page.locator("#stranger").evaluate((stranger) => {
            stranger.srcdoc = `<script>parent.frames[0].postMessage({ keyside: 1, type: "theme", theme: "dark" }, "*");</script>`;
          });
          await tab.page.evaluate(() => {
            for (const data of [null, 1, "theme", [], { keyside: 2, type: "theme", theme: "dark" }, { type: "theme", theme: "dark" }, { keyside: 1, type: "later" }]) frames[0].postMessage(data, "*");
          });
          await hears(content, () => told.length === 8);
          check((await theme()) === "light", "a stranger changed the theme");
          check((await inside.getByTestId("error").count()) === 0, "a stranger caused an error");
          await tab.page.evaluate(() => frames[0].postMessage({ keyside: 1, type: "theme", theme: "dark" }, "*"));
          await until(tab.page, theme, (found) => found === "dark", "the host could not change the theme");

          // A host that is not the one named hears nothing, and is not heard.
          await tab.page.goto(`${blog.url}named.html`);
          tab.allow(/Failed to execute 'postMessage'|target origin/);
          await inside.getByTestId("figure-heatmap").waitFor();
          const named = await contentOf(tab.page.locator("iframe >> nth=0"));
          await notes(named);
          await tab.page.evaluate(() => frames[0].postMessage({ keyside: 1, type: "theme", theme: "dark" }, "*"));
          await hears(named, () => told.length === 1);
          // Everything that the frame has said comes before this.
          await named.evaluate(() => parent.postMessage("all", "*"));
          await hears(tab.page, () => told.some(({ data }) => data === "all"));
          const heard = await tab.page.evaluate(() => told.map(({ data }) => data));
          check(heard.join() === "all", `heard ${JSON.stringify(heard)}`);
          check((await theme()) === "light", "another host than the named one changed the theme");
        });
      } finally {
        await third.close();
        await rm(folder, { recursive: true, force: true });
      }
    },
  },
  {
    name: "numbers that are no heights are ignored",
    async run(tab) {
      // An app that says anything.
      const folder = await mkdtemp(path.join(os.tmpdir(), "keyside-app-"));
      await cp(path.join(built, "keyside-plot.js"), path.join(folder, "keyside-plot.js"));
      await writeFile(path.join(folder, "index.html"), `<!doctype html><link rel="icon" href="data:,"><script>
        const say = (message) => parent.postMessage({ keyside: 1, ...message }, "*");
        say({ type: "ready" });
        say({ type: "height", height: 123.2 });
        for (const height of [NaN, Infinity, -1, 0, 1e9, "77px", "77", null, {}]) say({ type: "height", height });
        say({ type: "shown", title: "It" });
      </script>`);
      const app = await serve(folder);
      try {
        await withBlog({ url: app.url }, { "a.html": "<keyside-plot></keyside-plot>" }, async (blog) => {
          const { frame } = await shown(tab, `${blog.url}a.html`);
          check((await frame.evaluate((element) => element.style.height)) === "124px", await frame.getAttribute("style"));
        });
      } finally {
        await app.close();
        await rm(folder, { recursive: true, force: true });
      }
    },
  },
  {
    name: "open the full app: the same state and the same result, in a new tab",
    async run(tab) {
      const pages = { "a.html": '<keyside-plot plot="keys_fixed_scores" src="recorded/gpt2-small-10.7.json" state="toggle1=W_U[IO]"></keyside-plot>' };
      await withBlog(tab, pages, async (blog) => {
        const { inside } = await shown(tab, `${blog.url}a.html`);
        await inside.getByTestId("embed-origin").getByText("Opened from gpt2-small-10.7.json").waitFor();
        // What has changed in the frame since goes along.
        await inside.getByTestId("figure-keys_fixed_scores").getByRole("button", { name: "No patching" }).click();
        const [opened] = await Promise.all([tab.page.context().waitForEvent("page"), inside.getByTestId("open-full").click()]);
        await opened.getByTestId("run-summary").getByText("Opened from gpt2-small-10.7.json").waitFor();
        const { searchParams } = new URL(opened.url());
        check(searchParams.get("result") === "opener" && !searchParams.has("embed") && !searchParams.has("parent"), opened.url());
        check(searchParams.getAll("toggle1").sort().join() === "No patching,W_U[IO]", opened.url());
        // Without the frame there is nobody to hand it over.
        await tab.page.goto(`${tab.url}?result=opener`);
        await tab.at("error").getByText("does not hand it over").waitFor();
      });
    },
  },
  {
    name: "a sandboxed frame without an origin works, where the server lets its files be read",
    // The test's own way of blocking service workers does not work in a sandbox.
    context: { serviceWorkers: "allow" },
    async run(tab) {
      const open = await serve(built, { cors: true });
      try {
        const pages = { "a.html": `<iframe sandbox="allow-scripts" src="${open.url}?embed=keys_fixed_scores" width="800" height="700"></iframe>` };
        await withBlog(tab, pages, async (blog) => {
          await tab.page.goto(`${blog.url}a.html`);
          const inside = tab.page.frameLocator("iframe");
          await inside.getByTestId("embed-origin").getByText("Recorded run").waitFor();
          await inside.locator("canvas").first().waitFor();
        });
      } finally {
        await open.close();
      }
    },
  },
  {
    name: "a sandboxed frame without CORS says so, and the page around it hears it",
    context: { serviceWorkers: "allow" },
    async run(tab) {
      tab.allow(/CORS|ERR_FAILED|integrity|has been blocked/i);
      const host = (blog) => `<iframe sandbox="allow-scripts" src="${tab.url}?embed=keys_fixed_scores&parent=${encodeURIComponent(blog.url.slice(0, -1))}" width="800" height="700"></iframe>`;
      await withBlog(tab, {}, async (blog, folder) => {
        await writeFile(path.join(folder, "a.html"), `<!doctype html><title>Blog</title><link rel="icon" href="data:,">${NOTES}${host(blog)}`);
        await tab.page.goto(`${blog.url}a.html`);
        const said = tab.page.frameLocator("iframe").getByTestId("start-error");
        await said.getByText(/no origin of its own \(sandbox without allow-same-origin\).*\(CORS\)/).waitFor();
        await tab.page.waitForFunction(() => told.some(({ data }) => data.keyside === 1 && data.type === "error" && data.message.includes("(CORS)")));
      });
    },
  },
  {
    name: "a frame of fixed height shrinks its figure until it fits, and grows with the frame",
    async run(tab, { screenshots }) {
      const frame = (plot) => `<iframe src="${tab.url}?embed=${plot}&theme=light" width="700" height="420" style="display: block"></iframe>`;
      const pages = { "a.html": `${frame("keys_fixed_scores")}${frame("heatmap")}` };
      await withBlog(tab, pages, async (blog) => {
        await tab.page.goto(`${blog.url}a.html`);
        for (const number of [0, 1]) {
          const element = tab.page.locator("iframe").nth(number);
          await element.scrollIntoViewIfNeeded();
          await element.contentFrame().locator("canvas").first().waitFor();
          const content = await contentOf(element);
          const sizes = () =>
            content.evaluate(() => {
              const plot = document.querySelector(".plot");
              return { over: document.documentElement.scrollHeight - innerHeight, plot: plot.clientHeight, suitable: Number(plot.dataset.height) };
            });
          const low = await until(tab.page, sizes, ({ over, plot }) => over <= 0 && plot > 130, `frame ${number} scrolls`);
          check(low.plot < low.suitable, `${JSON.stringify(low)}: nothing had to shrink`);
          await tab.page.screenshot({ path: path.join(screenshots, `fixed-frame-${number}.png`) });
          await element.evaluate((frame) => (frame.height = 900));
          await until(tab.page, sizes, ({ plot, suitable }) => plot === suitable, `frame ${number} does not grow`);
        }
      });
    },
  },
];
