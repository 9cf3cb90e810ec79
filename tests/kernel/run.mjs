// The modules that a page's worker computes with: what they hold, how their memory is kept, and every operation in headless
// Chromium. node tests/kernel/run.mjs [FOLDER with the modules, target/kernels]
import { cp, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import os from "node:os";
import path from "node:path";

import { Areas, KernelError, moduleFor } from "../../scripts/page/kernel.js";
import { FLAGS, check, root, target } from "../e2e/harness.mjs";
import { ISOLATED, serve } from "../e2e/server.mjs";
import { opcodes } from "./opcodes.mjs";

const { chromium } = createRequire(path.join(root, "tests/e2e/"))("playwright-core");
const modules = process.argv[2] ?? path.join(target, "kernels");
const VARIANTS = ["kernel-simd", "kernel-relaxed", "kernel-simd-threads", "kernel-relaxed-threads"];
let [passed, failed] = [0, 0];

async function test(what, run) {
  try {
    await run();
    passed += 1;
    console.log(`ok      ${what}`);
  } catch (error) {
    failed += 1;
    console.log(`FAILED  ${what}\n        ${error.stack ?? error}`);
  }
}

for (const name of VARIANTS) {
  await test(`${name} has the instructions that it is named by, and no others`, async () => {
    const found = [...opcodes(await readFile(path.join(modules, `${name}.wasm`))).keys()];
    const numbers = (group) => found.filter((opcode) => opcode.startsWith(group)).map((opcode) => Number(opcode.split(" ")[1]));
    // Relaxed instructions are those from 0x100 on.
    check(numbers("0xfd").some((opcode) => opcode >= 0x100) === name.includes("relaxed"), `relaxed: ${numbers("0xfd")}`);
    // How a thread takes a piece of work: i32.atomic.rmw.cmpxchg.
    check(numbers("0xfe").includes(0x48) === name.includes("threads"), `atomic: ${numbers("0xfe")}`);
    check(numbers("0xfd").includes(0xe4), "there is no f32x4.add");
  });
}

await test("which module is chosen, and what is said where there is none", () => {
  check(moduleFor(1, { simd: true, relaxed: false }) === "kernel-simd", "simd");
  check(moduleFor(4, { simd: true, relaxed: true }) === "kernel-relaxed-threads", "relaxed");
  try {
    moduleFor(1, { simd: false, relaxed: false });
  } catch (error) {
    check(error instanceof KernelError && error.kind === "unsupported" && error.message.includes("SIMD"), error.message);
    return;
  }
  throw new Error("nothing is said");
});

await test("areas of memory never overlap, and all of it comes back", () => {
  const areas = new Areas(new WebAssembly.Memory({ initial: 1, maximum: 64 }), 1000);
  let state = 1;
  const next = (most) => (state = (Math.imul(state, 1664525) + 1013904223) >>> 0) % most;
  const held = new Map();
  let refusals = 0;
  for (let round = 0; round < 20_000; round++) {
    if (held.size && next(100) < 48) {
      const address = [...held.keys()][next(held.size)];
      areas.give(address);
      held.delete(address);
      continue;
    }
    const bytes = next(60_000);
    try {
      const start = areas.take(bytes);
      const end = start + Math.max(bytes, 1);
      check(start >= 1000 && start % 64 === 0 && end <= areas.memory.buffer.byteLength, `${start} to ${end}`);
      for (const [other, otherEnd] of held) check(end <= other || otherEnd <= start, `${start} to ${end} overlaps ${other} to ${otherEnd}`);
      held.set(start, end);
    } catch (error) {
      if (!(error instanceof KernelError) || error.kind !== "memory") throw error;
      refusals += 1;
    }
  }
  check(refusals > 0, "memory was never used up");
  for (const address of held.keys()) areas.give(address);
  check(areas.bytes === 0 && areas.free.length === 1 && areas.free[0][1] === areas.end, JSON.stringify(areas.free));
});

const folder = await mkdtemp(path.join(os.tmpdir(), "keyside-kernel-"));
const files = ["scripts/page/kernel.js", "scripts/page/kernel-thread.js", "tests/kernel/checks.js", "tests/kernel/dying-thread.js"];
await Promise.all([
  ...files.map((file) => cp(path.join(root, file), path.join(folder, path.basename(file)))),
  ...VARIANTS.map((name) => cp(path.join(modules, `${name}.wasm`), path.join(folder, `${name}.wasm`))),
  writeFile(path.join(folder, "index.html"), "<!doctype html><title>kernels</title>"),
]);
const site = await serve(folder, { headers: ISOLATED });
const browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium", args: FLAGS });
try {
  const page = await browser.newPage();
  await page.goto(site.url);
  for (const name of VARIANTS) {
    const results = await page.evaluate(
      ({ name, threads }) =>
        new Promise((done, fail) => {
          const worker = new Worker("./checks.js", { type: "module" });
          worker.onerror = (event) => fail(new Error(event.message));
          worker.onmessage = ({ data }) => done(data);
          worker.postMessage({ name, threads });
        }),
      { name, threads: name.includes("threads") ? 3 : 1 },
    );
    for (const { what, error } of results) {
      await test(`${name}: ${what}`, () => {
        if (error) throw new Error(error);
      });
    }
  }
} finally {
  await browser.close();
  await site.close();
  await rm(folder, { recursive: true });
}
console.log(`${passed} passed, ${failed} failed`);
process.exit(failed ? 1 : 0);
