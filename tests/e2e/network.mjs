// Servers that answer otherwise than files are answered: too often, not any more, compressed, nobody, from this machine. The clock of the worker runs faster
// where it waits.
import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { createServer } from "node:https";
import os from "node:os";
import path from "node:path";
import { promisify } from "node:util";

import { arrays, compare, goldenArrays } from "./compare.mjs";
import { serveFaults } from "./fault_server.mjs";
import { check, fixture, page, until, withSite, workerBegins } from "./harness.mjs";
import { serve } from "./server.mjs";

const TINY = { model: "url", head: "2.1", earlier: "1.3", batches: 3, size: 10, seed: 0 };
const ALWAYS = 1000;
/** What a second of the worker's longer waits takes, in milliseconds. */
const SECOND = 20;
/** Notes the seconds that the worker waits, and shortens them; patience with a silent server (20 s) or storage is no wait of that kind. */
const QUICK = `
  self.waits = [];
  const later = self.setTimeout.bind(self);
  self.setTimeout = (task, milliseconds, ...more) => {
    if (!(milliseconds >= 500) || [5_000, 10_000, 20_000].includes(milliseconds)) return later(task, milliseconds, ...more);
    self.waits.push(milliseconds / 1000);
    return later(task, (milliseconds / 1000) * ${SECOND}, ...more);
  };
`;

const golden = async () => goldenArrays(JSON.parse(await readFile(fixture("tiny-golden.json"), "utf8")), "2.1");
const waits = (tab) => tab.page.workers()[0].evaluate(() => self.waits);

/** Runs the tiny checkpoint while `fault` lasts for `times` answers, in a worker whose clock runs faster. */
const during = (fault, times, use) => async (tab) => {
  tab.allow(/./);
  const server = await serveFaults({ fault, times });
  try {
    await withSite(tab, { alter: workerBegins(QUICK) }, async () => {
      await tab.open();
      await tab.fill({ ...TINY, url: server.url });
      // Whatever is said while it waits.
      await tab.page.evaluate(() => {
        window.told = [];
        const place = document.querySelector('[data-testid="notice-retry"]');
        new MutationObserver(() => place.textContent && window.told.push(place.textContent)).observe(place, { childList: true, characterData: true, subtree: true });
      });
      await tab.at("run-button").click();
      await use(tab, server, () => tab.page.evaluate(() => window.told));
    });
  } finally {
    await server.close();
  }
};

async function runs(tab) {
  await tab.at("run-summary").getByText("Live run, finished").waitFor({ timeout: 60_000 });
  const { result } = await tab.download();
  compare(arrays(result), await golden(), 1e-4);
}

/** A certificate of this machine, for as long as `use` takes: key and certificate. */
async function withCertificate(use) {
  const folder = await mkdtemp(path.join(os.tmpdir(), "keyside-https-"));
  const [key, cert] = ["key.pem", "cert.pem"].map((name) => path.join(folder, name));
  try {
    await promisify(execFile)("openssl", ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost", "-keyout", key, "-out", cert]);
    await use({ key: await readFile(key), cert: await readFile(cert) });
  } finally {
    await rm(folder, { recursive: true });
  }
}

export const network = [
  {
    name: "a rate limit whose window ends in 57 s is waited for, and said",
    run: during("429 with RateLimit", 1, async (tab, _, told) => {
      await runs(tab);
      check((await waits(tab)).join() === "57", `waited ${await waits(tab)}`);
      check((await told()).some((text) => /asked for too often \(the server answered 429\); trying again in 57 s\.$/.test(text)), `${await told()}`);
    }),
  },
  {
    name: "a rate limit without a word of its window is waited for up to two minutes",
    run: during(429, ALWAYS, async (tab, _, told) => {
      await tab.at("error").getByText(/was asked for too often \(the server answered 429\)/).waitFor({ timeout: 30_000 });
      const waited = await waits(tab);
      check(waited.reduce((sum, seconds) => sum + seconds, 0) === 120, `waited ${waited}`);
      check((await told()).some((text) => text.includes("trying again in 60 s.")), `${await told()}`);
    }),
  },
  {
    name: "an address that has expired: the first one is asked once more",
    run: during("an expired address", 1, async (tab, server) => {
      await runs(tab);
      check(server.state.wrong === 1 && (await waits(tab)).length === 0, "nothing expired, or it was waited for");
    }),
  },
  {
    name: "an address that is always expired is an error",
    run: during("an expired address", ALWAYS, async (tab, server) => {
      await tab.at("error").getByText(/may not be read \(the server answered 403\)/).waitFor();
      check(server.state.wrong === 2, `asked ${server.state.wrong} times`);
    }),
  },
  {
    name: "parts that come compressed are called so",
    run: during("compressed parts", ALWAYS, async (tab) => {
      await tab.at("error").getByText(/model\.safetensors can't be read \(no part of it can be had, as it comes compressed \(Content-Encoding: gzip\)\)/).waitFor();
    }),
  },
  {
    name: "401 of the hub: no public model of that name, or a gated one",
    async run(tab) {
      tab.allow(/401|ERR_ABORTED/);
      await tab.page.context().route(/^https:\/\/huggingface\.co\//, (route) => route.fulfill({ status: 401, body: "", headers: { "Access-Control-Allow-Origin": "*" } }));
      await tab.open();
      await tab.fill({ model: "url", url: "someone/own-gpt2" });
      await tab.at("run-button").click();
      await tab.at("error").getByText(/the hub has no public model someone\/own-gpt2, or it is gated \(it answered 401\)/).waitFor();
    },
  },
  {
    name: "[::1] is not offered to a page: 127.0.0.1 and localhost are",
    async run(tab) {
      await tab.open();
      await tab.fill({ model: "url", url: "[::1]:8000/gpt2" });
      await tab.at("run-button").click();
      await tab.at("error").getByText(/http:\/\/\[::1\]:8000\/gpt2 .*expected https, this page.s own server, or http on this machine \(127\.0\.0\.1 or localhost\)/).waitFor();
    },
  },
  {
    name: "a page over https that may not read from this machine names the browser's permission, and what else there is",
    context: { ignoreHTTPSErrors: true },
    async run(tab) {
      tab.allow(/./);
      // A server that says nothing of CORS is to a page what one is that the browser keeps from it.
      const [models, plain] = [await serve(fixture("tiny")), await serve(page)];
      await withCertificate(async (options) => {
        const site = createServer(options, async ({ url }, response) => {
          const answer = await fetch(new URL(url, plain.url));
          response.writeHead(answer.status, { "Content-Type": answer.headers.get("Content-Type") ?? "" }).end(Buffer.from(await answer.arrayBuffer()));
        });
        await new Promise((listening) => site.listen(0, "127.0.0.1", listening));
        try {
          tab.url = `https://localhost:${site.address().port}/`;
          await tab.open();
          await tab.fill({ ...TINY, url: models.url });
          await tab.at("run-button").click();
          const said = await until(tab.page, () => tab.at("error").allInnerTexts(), (texts) => texts.length > 0, "nothing is said", 30_000);
          for (const part of [/Local network access/, /Apps on device/, /pick the model.s files, or use the command line/]) check(part.test(said[0]), said[0]);
        } finally {
          site.closeAllConnections();
          site.close();
          await Promise.all([models.close(), plain.close()]);
        }
      });
    },
  },
];
