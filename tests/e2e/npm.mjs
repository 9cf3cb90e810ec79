// The module of the npm package from a plain static folder, as from a CDN: nothing is installed or bundled.
import { execFile } from "node:child_process";
import { copyFile, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { promisify } from "node:util";

import { check, cornerIs, page as built, root, threeFrames, until } from "./harness.mjs";
import { serve } from "./server.mjs";

const execute = promisify(execFile);
const RECORDED = path.join(root, "public/recorded/gpt2-small-10.7.json");

/** Waits until the element `selector` shows a figure that is drawn on `background`, in a frame whose name has `title`. */
export async function checkDrawn(tab, selector, title, background) {
  const element = tab.page.locator(selector);
  await element.scrollIntoViewIfNeeded();
  const frame = element.locator("iframe");
  await frame.and(tab.page.locator(":not(.waiting)")).waitFor();
  await until(tab.page, () => frame.getAttribute("title"), (found) => title.test(found), `the frame of ${selector} is called otherwise`);
  const inside = await (await frame.elementHandle()).contentFrame();
  await threeFrames(inside);
  const canvas = inside.locator("canvas").first();
  await cornerIs(canvas, background, `${selector} has another background than ${background}`);
  const colors = await canvas.evaluate((canvas) => {
    const copy = new OffscreenCanvas(canvas.width, canvas.height).getContext("2d");
    copy.drawImage(canvas, 0, 0);
    return new Set(new Uint32Array(copy.getImageData(0, 0, canvas.width, canvas.height).data.buffer)).size;
  });
  check(colors > 20, `${selector}: ${colors} colors are drawn`);
}

/** Builds the package and serves it from one place, and a page with `script` as a module from another. */
async function withModule(tab, script, run) {
  const folder = await mkdtemp(path.join(os.tmpdir(), "keyside-cdn-"));
  const [cdn, pages] = [path.join(folder, "cdn/@keyside/plot"), path.join(folder, "pages")];
  const app = await serve(built, { cors: true });
  const servers = [app];
  try {
    await execute(process.execPath, [path.join(root, "npm/build.mjs"), cdn]);
    await mkdir(pages);
    await copyFile(RECORDED, path.join(pages, "result.json"));
    const served = await serve(path.join(folder, "cdn"), { cors: true });
    servers.push(served);
    const text = script.replaceAll("CDN", `${served.url}@keyside/plot/index.js`).replaceAll("APP", app.url);
    await writeFile(path.join(pages, "index.html"), `<!doctype html><html lang="en"><title>Page</title><link rel="icon" href="data:,"><body><script type="module">${text}</script>`);
    const site = await serve(pages);
    servers.push(site);
    await tab.page.goto(site.url);
    await run();
  } finally {
    await Promise.all(servers.map((server) => server.close()));
    await rm(folder, { recursive: true, force: true });
  }
}

export const npm = [
  {
    name: "npm: the module from a static folder of another origin: a file by its address, a result as it is, one after the other",
    async run(tab, { screenshots }) {
      const script = `
        import { plot, setApp, KeysidePlot, version } from "CDN";
        setApp("APP");
        document.body.append(plot({ plot: "heatmap", src: "result.json" }));
        const result = await (await fetch("result.json")).json();
        const given = plot({ plot: "keys_fixed_scores", result, theme: "dark" });
        document.body.append(given);
        Object.assign(window, { given, result, known: given instanceof KeysidePlot && customElements.get("keyside-plot") === KeysidePlot, version });`;
      await withModule(tab, script, async () => {
        await checkDrawn(tab, "keyside-plot >> nth=0", /Contribution/, "255,255,255");
        await checkDrawn(tab, "keyside-plot >> nth=1", /^Attention scores with keys fixed/, "22,25,29");
        check(await tab.page.evaluate(() => window.known && /^\d+\.\d+\.\d+$/.test(window.version)), "the class is another one");
        await tab.page.screenshot({ path: path.join(screenshots, "npm-module.png"), fullPage: true });
        // Another result in its place.
        const called = await tab.page.evaluate(() => {
          const { given, result } = window;
          given.result = JSON.stringify({ ...result, model: { ...result.model, name: "another model" } });
          return new Promise((done) => given.addEventListener("keyside-shown", (event) => done(event.detail), { once: true }));
        });
        check(/^Attention scores with keys fixed/.test(called), called);
      });
    },
  },
  {
    name: "npm: the lines of the README show a figure",
    async run(tab) {
      const readme = await readFile(path.join(root, "README.md"), "utf8");
      const [, lines] = readme.match(/## In a web page\n\n```html\n<script type="module">\n([^`]*)<\/script>\n```/);
      check(lines.trim().split("\n").length === 2, lines);
      await withModule(tab, lines.replace("https://CDN/@keyside/plot/index.js", "CDN").replace("https://APP/", "APP"), () => checkDrawn(tab, "keyside-plot", /Contribution/, "255,255,255"));
    },
  },
  {
    name: "npm: what is wrong with a call is said in words",
    async run(tab) {
      const script = `
        import { plot } from "CDN";
        const said = (...of) => { try { plot(...of); return "nothing"; } catch (error) { return error.message; } };
        window.said = [said({}), said({ app: "APP", figure: "heatmap" }), said("#nowhere", { app: "APP" })];
        const bad = plot({ app: "APP", result: "no result" });
        bad.addEventListener("keyside-error", (event) => (window.failed = event.detail));
        document.body.append(bad);`;
      await withModule(tab, script, async () => {
        await tab.page.waitForFunction(() => window.failed);
        const [app, option, place] = await tab.page.evaluate(() => window.said);
        check(/Say where keyside is/.test(app) && /no option figure; there are plot, src/.test(option) && /no element #nowhere/.test(place), `${[app, option, place]}`);
        check(/not JSON/.test(await tab.page.evaluate(() => window.failed)), await tab.page.evaluate(() => window.failed));
      });
    },
  },
];
