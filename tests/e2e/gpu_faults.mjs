// What can happen to a GPU, on Chromium's software adapter: the run goes on with an engine on the CPU from the block where it was, with the same
// numbers, and the page says so once. The faults are the test's: it changes WebGPU in the page's worker, whose code is as it ships.
import { chromium } from "playwright-core";

import { notice, run, same } from "./gpu.mjs";
import { check, FLAGS, SOFTWARE_GPU, Tab } from "./harness.mjs";

/** The engine that goes on. */
const ON_CPU = "relaxed";

/** Notes what the worker of `page` posts, in `window.posted`. */
const notePosted = (page) =>
  page.addInitScript(() => {
    window.posted = [];
    window.Worker = class extends Worker {
      constructor(...given) {
        super(...given);
        this.addEventListener("message", ({ data }) => typeof data === "string" && window.posted.push(JSON.parse(data)));
      }
    };
  });

/** The messages of one kind that the worker has posted since the last run began. */
const posted = (page, kind) => page.evaluate((kind) => window.posted.map((message) => message[kind]).filter(Boolean), kind);

/**
 * The worker of `page`. There `around(type, method, use)` puts `use(plain, given)` in place of a method, and `holdAt(wait)` stops the worker where it waits for
 * the GPU for the `wait`th time from then on: `held` is fulfilled then, and `goOn()` lets it continue.
 */
async function workerOf(page) {
  const isOurs = (worker) => /\/worker-[0-9a-f]+\.js$/.test(worker.url());
  const worker = page.workers().find(isOurs) ?? (await page.waitForEvent("worker", isOurs));
  await worker.evaluate(() => {
    globalThis.around = (type, method, use) => {
      const plain = type.prototype[method];
      type.prototype[method] = function (...given) {
        return use(() => plain.apply(this, given), given);
      };
    };
    let left = 0;
    let reached;
    let goes;
    globalThis.holdAt = (wait) => {
      left = wait;
      globalThis.held = new Promise((done) => (reached = done));
      goes = new Promise((done) => (globalThis.goOn = done));
    };
    around(GPUAdapter, "requestDevice", async (plain) => (globalThis.device = await plain()));
    around(GPUBuffer, "mapAsync", async (plain) => {
      left -= 1;
      if (left === 0) {
        reached();
        await goes;
      }
      return plain();
    });
  });
  return worker;
}

const LOST = /stopped computing \(it was lost: /;

/** Opens the page, and runs there on the CPU: the worker, and the result. */
async function prepare(tab) {
  // The next block may be on its way when an engine fails, and is asked for again by the other one.
  tab.allow(/model\.safetensors net::ERR_ABORTED/);
  await notePosted(tab.page);
  await tab.open();
  const expected = await run(tab, ON_CPU);
  return { worker: await workerOf(tab.page), expected };
}

/**
 * Checks that `found` was computed without a GPU to the end, as `expected`, that its progress has not gone back, and that the page has said `said` once. That no
 * layer is run twice is tested where it can be counted (tests/gpu_faults).
 */
async function wentOn(tab, { found, expected, said }) {
  same(found, expected);
  check(found.timing.engine === expected.timing.engine, `computed by ${found.timing.engine}`);
  const shares = (await posted(tab.page, "progress")).map(({ progress }) => progress.computed);
  check(shares.length > 1 && shares.every((share, index) => share <= 1 && !(share < shares[index - 1])), `went back: ${shares}`);
  const told = (await posted(tab.page, "notices")).map(({ notices }) => notices.engine).filter(Boolean);
  check(told.length === 1 && said.test(told[0]), `told: ${told.join(" | ")}`);
  check((await notice(tab).innerText()) === told[0], `said: ${await notice(tab).innerText()}`);
}

/** A run with the engine on the GPU, which is opened and tested for it where another engine was chosen before. */
async function runOnGpu(tab, meanwhile) {
  await tab.page.evaluate(() => (window.posted = []));
  return run(tab, "gpu", meanwhile);
}

/** The worker waits four times before the first batch: for the test of the GPU, and for what all batches use. */
const BEFORE_BATCHES = 4;
const IN_FIRST_BATCH = 5;

const faults = [
  {
    name: "a GPU that runs out of memory in the middle of a run",
    at: BEFORE_BATCHES,
    // SwiftShader gives no buffer of a gibibyte, which is within its limits. The first batch needs buffers of new sizes.
    during: (_, worker) =>
      worker.evaluate(() => {
        let isFirst = true;
        around(GPUDevice, "createBuffer", (plain, given) => {
          if (isFirst) given[0] = { ...given[0], size: 2 ** 30 };
          isFirst = false;
          return plain();
        });
      }),
    said: /stopped computing \(.*out of memory/is,
  },
  {
    name: "a GPU that takes the first matrix of a block, but not the second",
    before: () => Object.defineProperty(GPUSupportedLimits.prototype, "maxStorageBufferBindingSize", { get: () => 4 * 192 * 512 }),
    said: /takes at most 393216 bytes in one piece, and 491520 are needed\.$/,
  },
  {
    name: "a GPU that can't be opened",
    before: () => around(GPUAdapter, "requestDevice", () => Promise.reject(new DOMException("too many devices", "OperationError"))),
    said: /can't be opened \(/,
  },
  {
    name: "a GPU that computes something else",
    before: () =>
      around(GPUBuffer, "getMappedRange", (plain) => {
        const range = plain();
        new Float32Array(range).forEach((number, index, numbers) => (numbers[index] = 1.001 * number));
        return range;
      }),
    said: /swiftshader.* \(software\) computes something else/i,
  },
  {
    name: "a browser that has no adapter",
    before: () => around(GPU, "requestAdapter", async () => null),
    said: /: there is no GPU to compute on\.$/,
  },
  {
    name: "a browser without WebGPU",
    before: () => Object.defineProperty(WorkerNavigator.prototype, "gpu", { value: undefined }),
    said: /: there is no GPU to compute on\.$/,
  },
];

/** Chromium's process for GPUs is killed, and the worker is told. */
async function kill(tab, worker) {
  const session = await tab.page.context().browser().newBrowserCDPSession();
  // The process is gone before it answers.
  await session.send("Browser.crashGpuProcess").catch(() => {});
  await worker.evaluate(() => device.lost);
}

/** What keeps tabs in the background as fast as others. */
const AWAKE = ["--disable-background-timer-throttling", "--disable-backgrounding-occluded-windows", "--disable-renderer-backgrounding"];

/** Runs `use` with a tab in a browser of its own, in which tabs are sent to the background as readers' are, and no other tab loses its GPU. */
const inOwnBrowser = (use) => async (_, { site }) => {
  const args = [...FLAGS, ...SOFTWARE_GPU];
  const browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium", args, ignoreDefaultArgs: AWAKE });
  try {
    const context = await browser.newContext({ acceptDownloads: true, serviceWorkers: "block" });
    const tab = new Tab(await context.newPage(), site.url);
    await use(tab);
    check(tab.unexpected().length === 0, tab.unexpected().join("\n"));
  } finally {
    await browser.close();
  }
};

/** Sends `page` to the background until what is answered is called. */
async function sendToBackground(page) {
  // Playwright makes all pages believe that they are in front, and has no option for that.
  await page._connection.toImpl(page).delegate._mainFrameSession._client.send("Emulation.setFocusEmulationEnabled", { enabled: false });
  const other = await page.context().newPage();
  await other.bringToFront();
  await page.evaluate(() => new Promise((done) => (document.hidden ? done() : document.addEventListener("visibilitychange", done, { once: true }))));
  return () => page.bringToFront();
}

/** Freezes `page` and its workers, as browsers do with tabs that have been in the background for a while, until what is answered is called. */
async function freeze(page) {
  const session = await page.context().newCDPSession(page);
  await page.evaluate(() => {
    window.frozen = new Promise((done) => document.addEventListener("freeze", done, { once: true }));
  });
  await session.send("Page.setWebLifecycleState", { state: "frozen" });
  await page.evaluate(() => window.frozen);
  return () => session.send("Page.setWebLifecycleState", { state: "active" });
}

/** A run in the middle of which `tab` goes to the background, is frozen there, and `during` happens; answers its result when it is back. */
const runInBackground = (tab, worker, during) =>
  runOnGpu(tab, async () => {
    await worker.evaluate(() => held);
    const bringBack = await sendToBackground(tab.page);
    const thaw = await freeze(tab.page);
    const happened = during();
    await thaw();
    await happened;
    await worker.evaluate(() => goOn());
    await tab.page.waitForFunction(() => window.posted.some((message) => message.finished), undefined, { polling: 50 });
    check(await tab.page.evaluate(() => document.hidden), "the tab did not stay in the background");
    await bringBack();
  });

export const gpuFaults = [
  {
    name: "a GPU that is lost, wherever a run waits for it: the CPU goes on, and it is said once",
    timeout: 240_000,
    flags: SOFTWARE_GPU,
    async run(tab) {
      const { worker, expected } = await prepare(tab);
      for (let wait = 1; ; wait += 1) {
        await worker.evaluate((wait) => {
          holdAt(wait);
          held.then(() => (device.destroy(), goOn()));
        }, wait);
        const found = await runOnGpu(tab);
        if (found.timing.engine !== "gpu") {
          await wentOn(tab, { found, expected, said: LOST });
          // The GPU is opened anew once another engine was chosen.
          await run(tab, ON_CPU);
          continue;
        }
        // The run was over before.
        check(wait > IN_FIRST_BATCH + 1, `lost ${wait - 1} times`);
        same(found, expected);
        break;
      }
    },
  },
  ...faults.map(({ name, before, at = IN_FIRST_BATCH, during, said }) => ({
    name: `${name}: the CPU goes on, and it is said once`,
    timeout: 120_000,
    flags: SOFTWARE_GPU,
    async run(tab) {
      const { worker, expected } = await prepare(tab);
      if (before) await worker.evaluate(before);
      if (during) await worker.evaluate((wait) => holdAt(wait), at);
      const found = await runOnGpu(tab, async () => {
        if (!during) return;
        await worker.evaluate(() => held);
        await during(tab, worker);
        await worker.evaluate(() => goOn());
      });
      await wentOn(tab, { found, expected, said });
      // The engine stays, and nothing more is said.
      const again = await run(tab, "gpu");
      same(again, expected);
      check((await notice(tab).innerText()) === "", await notice(tab).innerText());
      check(again.timing.engine === expected.timing.engine, `computed by ${again.timing.engine}`);
    },
  })),
  {
    name: "a GPU whose process is killed in the middle of a run: the CPU goes on, and it is said once",
    timeout: 120_000,
    run: inOwnBrowser(async (tab) => {
      const { worker, expected } = await prepare(tab);
      await worker.evaluate((wait) => holdAt(wait), IN_FIRST_BATCH);
      const found = await runOnGpu(tab, async () => {
        await worker.evaluate(() => held);
        await kill(tab, worker);
        await worker.evaluate(() => goOn());
      });
      await wentOn(tab, { found, expected, said: LOST });
    }),
  },
  ...[false, true].map((isKilled) => ({
    name: isKilled
      ? "the process of the GPU is killed while the tab is in the background: the CPU goes on there, and it is said once"
      : "a tab in the background, frozen for a while: the GPU goes on there",
    timeout: 120_000,
    run: inOwnBrowser(async (tab) => {
      const { worker, expected } = await prepare(tab);
      await worker.evaluate((wait) => holdAt(wait), IN_FIRST_BATCH);
      const found = await runInBackground(tab, worker, async () => isKilled && kill(tab, worker));
      if (isKilled) return wentOn(tab, { found, expected, said: LOST });
      same(found, expected);
      check(found.timing.engine === "gpu", `computed by ${found.timing.engine}`);
      check((await notice(tab).innerText()) === "", await notice(tab).innerText());
    }),
  })),
];
