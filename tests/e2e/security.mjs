// What the page lets in, and whom it talks to.
import { cp, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import os from "node:os";
import path from "node:path";

import { heatmaps } from "./compare.mjs";
import { check, fixture, page as built, root, until } from "./harness.mjs";
import { serve } from "./server.mjs";

const MARKUP = `<img src=x onerror="window.injected=1"><script>window.injected=1</script>`;

/** Nothing that was text has become an element or has run. */
async function checkNotInjected(tab) {
  const found = await tab.page.evaluate(() => ({ ran: window.injected === 1, images: document.querySelectorAll("img").length }));
  check(!found.ran && found.images === 0, `text became HTML: ${JSON.stringify(found)}`);
}

/** A copy of a folder, changed by `change`, and served. */
async function withCopy(from, change, options, use) {
  const folder = await mkdtemp(path.join(os.tmpdir(), "keyside-copy-"));
  await cp(from, folder, { recursive: true });
  await change(folder);
  const server = await serve(folder, options);
  try {
    await use(server);
  } finally {
    await server.close();
    await rm(folder, { recursive: true, force: true });
  }
}

export const security = [
  {
    name: "the policy stops scripts and styles that are not the page's",
    async run(tab) {
      tab.allow(/Content.Security.Policy|x\.js csp/i);
      await tab.open();
      const policy = await tab.page.evaluate(() => document.querySelector('meta[http-equiv="Content-Security-Policy"]').content);
      check(/script-src 'self' 'sha384-[A-Za-z0-9+/]{64}' 'wasm-unsafe-eval'; style-src 'self' 'sha384-[A-Za-z0-9+/]{64}';/.test(policy) && /default-src 'none'/.test(policy), policy);
      check(!/unsafe-inline|'unsafe-eval'|\*(?!;| http)/.test(policy.replace(/http:\/\/[a-z0-9.]+:\*/g, "")), policy);
      await tab.page.evaluate(() => {
        const seen = (window.seen = []);
        document.addEventListener("securitypolicyviolation", (event) => seen.push(event.effectiveDirective));
        const script = document.createElement("script");
        script.textContent = "window.injected = 1";
        document.body.append(script);
        const style = document.createElement("style");
        style.textContent = "body { display: none }";
        document.body.append(style);
        const other = document.createElement("script");
        other.src = "https://example.org/x.js";
        document.body.append(other);
        // In a turn of its own: what a debugger evaluates may evaluate text.
        setTimeout(() => {
          try {
            new Function("window.injected = 1")();
          } catch {
            seen.push("eval");
          }
        });
      });
      // Both scripts, the style, and the text that would be evaluated.
      const wanted = ["eval", "script-src-elem", "script-src-elem", "style-src-elem"].join();
      await until(tab.page, () => tab.page.evaluate(() => seen.filter((directive) => directive !== "script-src").toSorted().join()), (found) => found === wanted, "what the policy stopped");
      const { ran, styled } = await tab.page.evaluate(() => ({ ran: window.injected === 1, styled: getComputedStyle(document.body).display === "none" }));
      check(!ran, "an injected script has run");
      check(!styled, "injected styles apply");
    },
  },
  {
    name: "no request goes to any host but the page's and the chosen model's",
    timeout: 120_000,
    async run(tab) {
      const hosts = new Set();
      tab.page.context().on("request", (request) => {
        const url = new URL(request.url());
        if (url.protocol.startsWith("http")) hosts.add(url.host);
      });
      const own = new URL(tab.url).host;
      const models = await serve(fixture("tiny"), { cors: true });
      try {
        await tab.open();
        await tab.fill({ model: "bundled", batches: 1 });
        await tab.at("run-button").and(tab.page.locator(":enabled")).waitFor();
        await tab.run();
        check([...hosts].join() === own, `requests went to ${[...hosts]}`);
        await tab.fill({ model: "url", url: models.url, head: "2.1", earlier: "1.3", batches: 1, size: 5 });
        await tab.run();
        check([...hosts].sort().join() === [own, new URL(models.url).host].sort().join(), `requests went to ${[...hosts]}`);
      } finally {
        await models.close();
      }
    },
  },
  {
    name: "text of files, tokens and addresses is never HTML",
    timeout: 120_000,
    async run(tab) {
      await tab.open();
      // A result file.
      const result = JSON.parse(await readFile(path.join(root, "public/recorded/gpt2-small-10.7.json"), "utf8"));
      result.model = { name: MARKUP, source: MARKUP };
      for (const histogram of ["keys_fixed_scores", "keys_fixed_probs"]) {
        const { series } = result.histograms[histogram];
        const [label] = Object.keys(series);
        series[MARKUP] = series[label];
        delete series[label];
      }
      for (const [, heatmap] of heatmaps(result)) heatmap.note = MARKUP;
      await tab.at("open-result").setInputFiles({ name: `${MARKUP}.json`, mimeType: "application/json", buffer: Buffer.from(JSON.stringify(result)) });
      await tab.at("run-summary").getByText(MARKUP).first().waitFor();
      await checkNotInjected(tab);
      // A column that is no component's: refused, in words that quote it.
      for (const [, heatmap] of heatmaps(result)) heatmap.columns[0] = MARKUP;
      await tab.at("open-result").setInputFiles({ name: "columns.json", mimeType: "application/json", buffer: Buffer.from(JSON.stringify(result)) });
      await tab.at("error").getByText("a heatmap has a cell").waitFor();
      await tab.at("error").getByText("<img src=x").waitFor();
      await checkNotInjected(tab);
      await tab.at("open-result").setInputFiles({ name: "x.json", mimeType: "application/json", buffer: Buffer.from(`{"format": "${MARKUP.replaceAll('"', "'")}"}`) });
      await tab.at("error").getByText("<img src=x").waitFor();
      await checkNotInjected(tab);
      // A model's own words: its configuration and its tokens.
      const change = async (folder) => {
        const config = JSON.parse(await readFile(path.join(folder, "config.json"), "utf8"));
        config.keyside = { name: MARKUP, note: `${MARKUP}.`, head: "2.1", earlier_head: "1.3" };
        await writeFile(path.join(folder, "config.json"), JSON.stringify(config));
      };
      await withCopy(fixture("tiny"), change, { cors: true }, async (models) => {
        await tab.fill({ model: "url", url: models.url, head: "2.1", earlier: "1.3", batches: 1, size: 5 });
        await tab.run();
        await tab.at("run-summary").getByText(MARKUP).first().waitFor();
        await checkNotInjected(tab);
      });
      // An address.
      await tab.fill({ url: `https://example.org/${MARKUP}` });
      await tab.at("run-button").click();
      await tab.at("error").getByText("<img src=x").waitFor();
      await checkNotInjected(tab);
    },
  },
  {
    name: "a model over plain http from another machine is refused, and not asked for",
    async run(tab) {
      const asked = [];
      tab.page.context().on("request", (request) => asked.push(request.url()));
      await tab.open();
      for (const url of ["http://example.com/gpt2", "http://127.0.0.1@example.com/gpt2", "//example.com/gpt2"]) {
        await tab.fill({ model: "url", url });
        await tab.at("run-button").click();
        await tab.at("error").getByText(/without encryption|not an address/).waitFor();
        await tab.at("dismiss-error").click();
      }
      check(!asked.some((url) => url.includes("example.com")), `asked for ${asked}`);
    },
  },
  ...["page", "worker"].map((part) => ({
    name: `a changed byte in the ${part}'s wasm is refused with a message`,
    timeout: 120_000,
    async run(tab) {
      tab.allow(/integrity|can't be run|Failed to fetch|error/i);
      const change = async (folder) => {
        const name = (await readdir(folder)).find((name) => name.startsWith(`${part}-`) && name.endsWith(".wasm"));
        const bytes = await readFile(path.join(folder, name));
        bytes[bytes.length >> 1] ^= 1;
        await writeFile(path.join(folder, name), bytes);
      };
      await withCopy(built, change, {}, async (site) => {
        tab.url = site.url;
        if (part === "page") {
          await tab.page.goto(site.url);
          await tab.at("start-error").getByText(/can't start: page-[0-9a-f]+_bg\.wasm is not the file that belongs/).waitFor();
          return;
        }
        await tab.open();
        await tab.fill({ model: "bundled" });
        await tab.at("error").getByText(/worker can't start: worker-[0-9a-f]+_bg\.wasm is not the file that belongs/).waitFor();
        await tab.at("restart-button").waitFor();
      });
    },
  })),
];
