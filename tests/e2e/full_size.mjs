// Head 10.7 of a checkpoint of GPT-2 small's size, served over HTTP, in Chromium, against the golden numbers.
import { readFile } from "node:fs/promises";

import { arrays, compare, goldenArrays } from "./compare.mjs";
import { check, fixture } from "./harness.mjs";
import { serve } from "./server.mjs";

export const fullSize = [
  {
    name: "head 10.7 at full size, 30 x 40 prompts",
    timeout: 1_800_000,
    async run(tab) {
      const folder = process.env.KEYSIDE_FULL_SIZE;
      check(folder, "say where the checkpoint is: KEYSIDE_FULL_SIZE=FOLDER");
      const models = await serve(folder, { cors: true });
      try {
        await tab.open();
        await tab.fill({ model: "url", url: models.url, head: "10.7", earlier: "9.9", batches: 30, size: 40, seed: 0 });
        await tab.run(1_800_000);
        const { result } = await tab.download();
        const golden = JSON.parse(await readFile(fixture("full-size-golden-10.7.json"), "utf8"));
        compare(arrays(result), goldenArrays(golden, "10.7"), 1e-4);
        const { seconds, positions, positions_per_second: rate, bytes_read: bytes, peak_linear_memory: peak } = result.timing;
        console.log(`        ${seconds.toFixed(1)} s, ${positions} positions, ${rate.toFixed(0)} positions/s`);
        console.log(`        ${(bytes / 1e6).toFixed(1)} MB read, peak linear memory ${(peak / 1e6).toFixed(1)} MB`);
        console.log(`        contributions add up to ${result.heatmaps.key.max_abs_residual.toExponential(1)} per prompt`);
      } finally {
        await models.close();
      }
    },
  },
];
