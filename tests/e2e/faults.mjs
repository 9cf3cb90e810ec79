// What goes wrong between a server, the page and the browser's storage. After each fault a plain run gives the golden numbers.
import { readFile } from "node:fs/promises";
import path from "node:path";

import { arrays, compare, goldenArrays } from "./compare.mjs";
import { serveFaults } from "./fault_server.mjs";
import { check, fixture, Tab, until } from "./harness.mjs";

const TINY = { model: "url", head: "2.1", earlier: "1.3", batches: 3, size: 10, seed: 0 };
const ALWAYS = 1000;

async function plainRun(tab, url) {
  await tab.fill({ ...TINY, url });
  await tab.run(90_000);
  const { result } = await tab.download();
  const golden = JSON.parse(await readFile(fixture("tiny-golden.json"), "utf8"));
  compare(arrays(result), goldenArrays(golden, "2.1"), 1e-4);
  return result;
}

/** Bytes of one whole download of the tiny checkpoint. */
async function oneDownload(context, url, more = {}) {
  const server = await serveFaults(more);
  const tab = new Tab(await context.newPage(), url);
  await tab.open();
  await plainRun(tab, server.url);
  await server.close();
  await tab.page.close();
  return server.state.bytes;
}

/** Checks that no piece is asked for twice. Twice may be read: the weights' header, config.json, and samples of at most 1 KiB. */
function checkOnce(asked) {
  const seen = new Map();
  for (const { file, range } of asked) {
    const [from, to] = range ? range.slice("bytes=".length).split("-").map(Number) : [0, Infinity];
    if (file === "config.json" || (range && (from <= 8 || to - from < 1024))) continue;
    for (const [start, end] of seen.get(file) ?? []) {
      check(to < start || from > end, `${file} ${range ?? "whole"} was asked for after ${start}-${end}`);
    }
    seen.set(file, [...(seen.get(file) ?? []), [from, to]]);
  }
}

const passing = (fault, times, more = {}) => ({
  name: `${fault}: passes`,
  timeout: 120_000,
  async run(tab) {
    tab.allow(/./);
    const server = await serveFaults({ fault, times, ...more });
    try {
      await tab.open();
      await plainRun(tab, server.url);
      check(server.state.wrong > 0, "nothing went wrong");
      server.state.times = 0;
      await plainRun(tab, server.url);
    } finally {
      await server.close();
    }
  },
});

/** The text of a notice once there is one. */
async function notice(tab, name) {
  await tab.at(name).filter({ hasText: /./ }).waitFor();
  return tab.at(name).innerText();
}

/** Files of the page's storage that are no whole piece: not listed by the newest manifest of their folder. */
const strays = (tab) =>
  tab.page.evaluate(async () => {
    const found = [];
    const top = await (await navigator.storage.getDirectory()).getDirectoryHandle("keyside", { create: true });
    for await (const folder of top.values()) {
      const files = [];
      for await (const file of folder.values()) files.push(file);
      const last = files.map((file) => file.name).filter((name) => name.startsWith("manifest-")).sort().at(-1);
      // One that is being written can't be read.
      const text = last && (await folder.getFileHandle(last).then((file) => file.getFile()).then((file) => file.text()).catch(() => ""));
      const named = text ? Object.keys(JSON.parse(text.slice(text.indexOf("\n") + 1)).pieces) : [];
      found.push(...files.map((file) => file.name).filter((name) => name !== last && !named.includes(name)));
    }
    return found;
  });

const failing = (fault, words, more = {}) => ({
  name: `${fault}: a clear message`,
  timeout: 150_000,
  async run(tab) {
    tab.allow(/./);
    const server = await serveFaults({ fault, times: ALWAYS, ...more });
    try {
      await tab.open();
      await tab.fill({ ...TINY, url: server.url });
      await tab.at("run-button").click();
      await tab.at("error").waitFor({ timeout: 90_000 });
      const message = await tab.at("error").locator("p").innerText();
      check(words.test(message), `"${message}" does not say ${words}`);
      check((await tab.at("run-summary").innerText()).includes("Recorded run"), "what was shown is lost");
      server.state.times = 0;
      await plainRun(tab, server.url);
    } finally {
      await server.close();
    }
  },
});

export const faults = [
  passing("dropped mid-body", 2),
  passing("dropped before the head", 2),
  passing("stalled", 1),
  passing("too few bytes", 2),
  passing("too many bytes", 2),
  passing("no ranges", ALWAYS),
  passing("an empty body", 1),
  passing("a redirect", ALWAYS),
  passing("429 with Retry-After", 2),
  passing(500, 2),
  passing(503, 2),
  failing(403, /403/),
  failing(404, /404/),
  failing(416, /truncated/),
  failing("a corrupt header", /header/),
  failing("corrupt weights", /not a finite number/),
  failing("a redirect to itself", /can.t be read/),
  failing("no CORS", /can.t be read/),
  failing("CORS for another origin", /can.t be read/),
  failing("a page of HTML", /config\.json is not JSON/, { file: "config.json" }),
  {
    name: "the worker dies in the middle of a run",
    timeout: 120_000,
    async run(tab) {
      tab.allow(/./);
      const server = await serveFaults({ portion: 20_000, delay: 60 });
      try {
        await tab.open();
        await tab.fill({ ...TINY, url: server.url });
        await tab.at("run-button").click();
        await tab.at("download-text").waitFor();
        // In a turn of its own: what a debugger evaluates may throw.
        await tab.page.workers()[0].evaluate(() => setTimeout(() => { throw new Error("killed"); }));
        await tab.at("restart-button").click();
        await tab.at("run-button").and(tab.page.locator(":enabled")).waitFor();
        await plainRun(tab, server.url);
      } finally {
        await server.close();
      }
    },
  },
  {
    name: "a tab that closes while it stores: the next goes on, and nothing complete is asked for again",
    timeout: 120_000,
    async run(tab) {
      tab.allow(/./);
      const context = tab.page.context();
      const whole = await oneDownload(context, tab.url);
      const server = await serveFaults({ portion: 20_000, delay: 60 });
      try {
        const first = new Tab(await context.newPage(), tab.url);
        await first.open();
        await first.fill({ ...TINY, url: server.url });
        await first.at("run-button").click();
        await server.reaches(({ bytes }) => bytes >= whole / 2);
        await first.page.close();
        // What is on its way to the closed tab is still counted.
        await server.reaches(({ open }) => open === 0);
        const before = server.state.bytes;
        await tab.open();
        await plainRun(tab, server.url);
        check(server.state.bytes - before <= whole, `${server.state.bytes - before} of ${whole} bytes after the first ${before}`);
        const after = server.state.bytes;
        await tab.open();
        await plainRun(tab, server.url);
        check(server.state.bytes === after, "what is stored was asked for again");
      } finally {
        await server.close();
      }
    },
  },
  {
    name: "two tabs that download the same model fetch each byte once",
    timeout: 120_000,
    async run(tab) {
      const context = tab.page.context();
      const whole = await oneDownload(context, tab.url, { layers: true });
      const server = await serveFaults({ portion: 20_000, delay: 20, layers: true });
      try {
        const other = new Tab(await context.newPage(), tab.url);
        await Promise.all([tab.open(), other.open()]);
        await Promise.all([plainRun(tab, server.url), plainRun(other, server.url)]);
        checkOnce(server.state.asked);
        // The second reads the header again, and a few bytes of what the first has stored.
        const again = server.state.bytes - whole;
        check(again < 20_000, `${again} bytes more than the ${whole} of the model`);
        await other.page.close();
      } finally {
        await server.close();
      }
    },
  },
  {
    name: "a retry is announced as long as it lasts",
    timeout: 120_000,
    async run(tab, { screenshots }) {
      tab.allow(/./);
      const server = await serveFaults({ fault: "429 with Retry-After", times: 2 });
      try {
        await tab.open();
        await tab.fill({ ...TINY, url: server.url });
        await tab.at("run-button").click();
        const text = await notice(tab, "notice-retry");
        check(/429.*trying again in 1 s\.$/.test(text), text);
        await tab.at("notice-retry").scrollIntoViewIfNeeded();
        await tab.page.screenshot({ path: path.join(screenshots, "notice-retry.png") });
        await tab.at("run-summary").getByText("Live run, finished").waitFor({ timeout: 60_000 });
        check((await tab.at("notice-retry").innerText()) === "", "it is still announced");
      } finally {
        await server.close();
      }
    },
  },
  {
    name: "another version of the weights under the same header is noticed when more is needed",
    timeout: 150_000,
    async run(tab) {
      const server = await serveFaults({ fault: "another version", layers: true });
      const shallow = { ...TINY, url: server.url, head: "1.1", earlier: "0.1" };
      const changed = async () => {
        await tab.fill({ ...TINY, url: server.url });
        await tab.at("run-button").click();
        await tab.at("error").waitFor({ timeout: 60_000 });
        const message = await tab.at("error").locator("p").innerText();
        check(/has changed since parts of it were read/.test(message), message);
      };
      try {
        // Between two visits.
        await tab.open();
        await tab.fill(shallow);
        await tab.run();
        server.state.times = ALWAYS;
        await tab.open();
        await changed();
        await tab.fill({ ...TINY, url: server.url });
        await tab.run();
        // Between two runs of one visit, in which the model stays open.
        await tab.open();
        await tab.at("models-panel").locator("summary").click();
        await tab.at("delete-stored").click();
        await tab.at("delete-for-good").click();
        await tab.at("stored-model").waitFor({ state: "detached" });
        await tab.fill(shallow);
        await tab.run();
        server.state.times = 0;
        await changed();
        await tab.open();
        await plainRun(tab, server.url);
      } finally {
        await server.close();
      }
    },
  },
  {
    name: "half-written pieces of a tab that was closed go when the model is opened again",
    timeout: 120_000,
    async run(tab) {
      const context = tab.page.context();
      const server = await serveFaults({ portion: 20_000, delay: 60 });
      try {
        const first = new Tab(await context.newPage(), tab.url);
        await first.open();
        await first.fill({ ...TINY, url: server.url });
        await first.at("run-button").click();
        await tab.open();
        await until(tab.page, () => strays(tab), (found) => found.length > 0, "nothing is half-written");
        await first.page.close();
        check((await strays(tab)).length > 0, "nothing was left half-written");
        await tab.fill({ ...TINY, url: server.url });
        await tab.run(90_000);
        check((await strays(tab)).length === 0, `left: ${await strays(tab)}`);
      } finally {
        await server.close();
      }
    },
  },
  {
    name: "no room in the browser's storage: the run goes on in memory",
    timeout: 120_000,
    async run(tab, { screenshots }) {
      const server = await serveFaults({});
      try {
        await tab.open();
        const session = await tab.page.context().newCDPSession(tab.page);
        const origin = new URL(tab.url).origin;
        await session.send("Storage.overrideQuotaForOrigin", { origin, quotaSize: 100_000 });
        await plainRun(tab, server.url);
        // It is said after the run too, in a live region, until the next one.
        const text = await notice(tab, "notice-not-kept");
        check(/is not kept in this browser .*the run goes on in memory/.test(text), text);
        check((await tab.page.locator('[role="status"]', { has: tab.at("notice-not-kept") }).count()) === 1, "not in a live region");
        await tab.at("notice-not-kept").scrollIntoViewIfNeeded();
        await tab.page.screenshot({ path: path.join(screenshots, "notice-not-kept.png") });
        check((await strays(tab)).length === 0, `left: ${await strays(tab)}`);
        await session.send("Storage.overrideQuotaForOrigin", { origin });
        await tab.open();
        await plainRun(tab, server.url);
        check((await tab.at("notice-not-kept").innerText()) === "", "the notice is still there");
      } finally {
        await server.close();
      }
    },
  },
  {
    name: "a stored piece that was damaged is fetched again, alone",
    timeout: 120_000,
    async run(tab) {
      const server = await serveFaults({});
      try {
        await tab.open();
        await plainRun(tab, server.url);
        const whole = server.state.bytes;
        const size = await tab.page.evaluate(async () => {
          let largest;
          const walk = async (folder) => {
            for await (const entry of folder.values()) {
              if (entry.kind === "directory") await walk(entry);
              else {
                const file = await entry.getFile();
                if (!largest || file.size > largest.file.size) largest = { entry, file };
              }
            }
          };
          await walk(await navigator.storage.getDirectory());
          const bytes = new Uint8Array(await largest.file.arrayBuffer());
          bytes[bytes.length >> 1] ^= 1;
          const writable = await largest.entry.createWritable();
          await writable.write(bytes);
          await writable.close();
          return bytes.length;
        });
        await tab.open();
        await plainRun(tab, server.url);
        const again = server.state.bytes - whole;
        check(again >= size && again < whole, `${again} bytes again, for a damaged piece of ${size} of ${whole}`);
      } finally {
        await server.close();
      }
    },
  },
];
