// Without a network: the page, the recorded run, the bundled model and every stored model; and how a new version arrives.
import { cp, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import os from "node:os";
import path from "node:path";

import { finish } from "../../scripts/finish-page.mjs";
import { arrays, compare, goldenArrays } from "./compare.mjs";
import { check, fixture, page as built } from "./harness.mjs";
import { serve } from "./server.mjs";

const allowed = { serviceWorkers: "allow" };

/** Waits until the page's service worker has everything and serves the next visit. */
const kept = (tab) => tab.page.evaluate(() => navigator.serviceWorker.ready.then((registration) => registration.active.state));

/** Runs `scenario` on a copy of the built page that a server of its own serves, with `options` of `serve`. */
async function withSite(tab, scenario, options) {
  const folder = await mkdtemp(path.join(os.tmpdir(), "keyside-site-"));
  await cp(built, folder, { recursive: true });
  const site = await serve(folder, options);
  tab.url = site.url;
  try {
    await scenario(site, folder);
  } finally {
    await site.close().catch(() => {});
    await rm(folder, { recursive: true, force: true });
  }
}

/** The version of the page that is open. */
const version = (tab) => tab.page.evaluate(() => document.querySelector('meta[name="keyside-worker"]').content);

/** Makes the next version of the page in `folder`. */
async function nextVersion(folder) {
  const index = path.join(folder, "index.html");
  const html = await readFile(index, "utf8");
  await writeFile(index, html.replace("<title>", "<title>New: "));
  await finish(folder);
}

export const offline = [
  ...[false, true].map((isolated) => ({
    name: `once it is kept the page is isolated, and documents with its figures, and pages that are handed a result, are not: ${isolated ? "the host isolates it, too" : "a plain host"}`,
    context: allowed,
    timeout: 120_000,
    run: (tab) => withSite(tab, async () => {
      await tab.open();
      await kept(tab);
      await tab.open();
      const isIsolated = (page) => page.evaluate(() => crossOriginIsolated);
      check(await isIsolated(tab.page), "the page is not isolated");
      await tab.page.goto(`${tab.url}examples/post.html`);
      check(await tab.page.evaluate(() => Boolean(navigator.serviceWorker.controller)), "the service worker does not answer");
      const frame = tab.page.locator("keyside-plot[src]").first();
      await frame.scrollIntoViewIfNeeded();
      const inside = frame.locator("iframe:not(.waiting)").contentFrame();
      await inside.getByTestId("embed-origin").getByText("Opened from").waitFor();
      const [opened] = await Promise.all([tab.page.context().waitForEvent("page"), inside.getByTestId("open-full").click()]);
      await opened.getByTestId("run-summary").getByText("Opened from").first().waitFor();
      check(new URL(opened.url()).searchParams.get("result") === "opener", opened.url());
    }, { isolated }),
  })),
  {
    name: "without a network: the page, the recorded run, the bundled model and a stored model",
    timeout: 120_000,
    context: allowed,
    async run(tab) {
      const models = await serve(fixture("tiny"), { cors: true });
      const tiny = { model: "url", url: models.url, head: "2.1", earlier: "1.3", batches: 3, size: 10, seed: 0 };
      await withSite(tab, async (site) => {
        await tab.open();
        await kept(tab);
        await tab.fill(tiny);
        await tab.run();
        await models.close();
        await site.close();
        await tab.page.context().setOffline(true);

        await tab.page.goto(`${tab.url}method.html?theme=dark#glossary`);
        await tab.page.getByRole("heading", { name: "Glossary" }).waitFor();

        await tab.open();
        await tab.fill({ model: "bundled", batches: 2 });
        await tab.at("run-button").and(tab.page.locator(":enabled")).waitFor();
        await tab.run();
        await tab.at("run-summary").getByText("Tiny IOI", { exact: false }).first().waitFor();

        await tab.fill(tiny);
        await tab.run();
        const { result } = await tab.download();
        const golden = JSON.parse(await readFile(fixture("tiny-golden.json"), "utf8"));
        compare(arrays(result), goldenArrays(golden, "2.1"), 1e-4);
        check(result.timing.bytes_from_network === 0, `${result.timing.bytes_from_network} bytes from the network`);
      });
      // The browser looks for a new version at every visit, and finds no server.
      tab.allow(/service-worker\.js/);
    },
  },
  {
    name: "a new version is announced, waits, and is taken on reload",
    timeout: 120_000,
    context: allowed,
    async run(tab, { screenshots }) {
      await withSite(tab, async (site, folder) => {
        await tab.open();
        await kept(tab);
        const old = await version(tab);
        await tab.open();
        await nextVersion(folder);
        await tab.open();
        check((await version(tab)) === old, "the new version came without being asked for");
        await tab.at("update-banner").waitFor();
        await tab.page.screenshot({ path: path.join(screenshots, "update-banner.png") });
        await tab.at("update-reload").click();
        await tab.page.waitForFunction(() => document.title.startsWith("New: "));
        await tab.at("run-summary").getByText("Recorded run").first().waitFor();
        check((await version(tab)) !== old, "the old version is still there");
        // Its worker is of the same version, and works.
        await tab.fill({ model: "bundled", batches: 1 });
        await tab.at("run-button").and(tab.page.locator(":enabled")).waitFor();
        await tab.run();
      });
    },
  },
  {
    name: "half a new version is not taken",
    timeout: 120_000,
    context: allowed,
    async run(tab) {
      await withSite(tab, async (site, folder) => {
        await tab.open();
        await kept(tab);
        const old = await version(tab);
        const before = site.requests.length;
        await nextVersion(folder);
        const list = await readFile(path.join(folder, "service-worker.js"), "utf8");
        const wasm = /"(worker-[0-9a-f]+_bg\.wasm)"/.exec(list)[1];
        await rm(path.join(folder, wasm));
        tab.allow(/404|integrity|service-worker/i);
        await tab.open();
        // Time enough for the new service worker to fail.
        await tab.page.evaluate(async () => {
          const registration = await navigator.serviceWorker.ready;
          await registration.update().catch(() => {});
          const arriving = registration.installing;
          if (arriving) await new Promise((done) => arriving.addEventListener("statechange", done));
        });
        const asked = site.requests.slice(before).map((request) => request.path);
        check(asked.includes(`/${wasm}`), `nobody tried to take the new version: ${asked}`);
        check((await tab.at("update-banner").count()) === 0, "half a version was announced");
        await tab.open();
        check((await version(tab)) === old, "half a version was taken");
        await tab.fill({ model: "bundled", batches: 1 });
        await tab.at("run-button").and(tab.page.locator(":enabled")).waitFor();
        await tab.run();
      });
    },
  },
];
