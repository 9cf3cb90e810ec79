// The worker of the page, with each of its kernels, against the golden numbers: tests/pair.rs asks and compares.
import { spawn } from "node:child_process";
import { createInterface } from "node:readline";

import { SOFTWARE_GPU, check, fixture, root, target } from "./harness.mjs";
import { startWorker } from "./page_worker.mjs";
import { serve } from "./server.mjs";

const TEST = "a_worker_elsewhere_has_the_golden_numbers";

/** Runs the test with `environment`; `answer` gives what the worker posts of messages. Answers what the test prints. */
function compare(environment, answer) {
  const options = ["test", "--locked", "--release", "--test", "pair", "--", "--ignored", "--exact", TEST, "--nocapture"];
  const child = spawn("cargo", options, { cwd: root, env: { ...process.env, CARGO_TARGET_DIR: target, ...environment } });
  const printed = [];
  return new Promise((done, fail) => {
    child.on("error", fail);
    child.on("close", (status) => (status ? fail(new Error(printed.join("\n"))) : done(printed.join("\n"))));
    child.stderr.on("data", (text) => printed.push(String(text)));
    createInterface({ input: child.stdout }).on("line", async (line) => {
      const asked = /\bask: (\[.*\])$/.exec(line)?.[1];
      if (!asked) return printed.push(line);
      try {
        child.stdin.write(`${JSON.stringify(await answer(JSON.parse(asked)))}\n`);
      } catch (error) {
        child.kill();
        fail(error);
      }
    });
  });
}

export const golden = ["packed", "relaxed", "gpu"].map((engine) => ({
  name: `the page's worker with the engine "${engine}" has the golden numbers`,
  timeout: 300_000,
  flags: engine === "gpu" ? SOFTWARE_GPU : [],
  run: async (tab) => {
    const model = await serve(fixture("tiny"), { cors: true });
    try {
      await tab.openStory();
      const worker = await startWorker(tab.page);
      const answer = async (messages) => (await worker.serve(messages)).posted;
      const printed = await compare({ KEYSIDE_MODEL_URL: model.url, KEYSIDE_ENGINE: engine }, answer);
      check(/\b1 passed; 0 failed/.test(printed), printed);
      const differences = [...printed.matchAll(/largest difference (\S+)/g)].map(([, difference]) => Number(difference));
      console.log(`        ${differences.length} comparisons, largest difference ${Math.max(...differences)}`);
    } finally {
      await model.close();
    }
  },
}));
