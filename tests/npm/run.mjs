// The npm package as its users have it: the tarball is installed beside a page in TypeScript, which Vite builds, and looked at in Chromium.
// node tests/npm/run.mjs TARBALL; the page of keyside itself is the tests' (KEYSIDE_TARGET, scripts/build-page.sh).
import { execFile } from "node:child_process";
import { cp, copyFile, mkdtemp, rm, stat, symlink, writeFile } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

import { check, page as built, root, runAll, threeFrames } from "../e2e/harness.mjs";
import { checkDrawn } from "../e2e/npm.mjs";
import { serve } from "../e2e/server.mjs";

const here = path.dirname(fileURLToPath(import.meta.url));
const tools = path.join(here, "node_modules");
const tarball = path.resolve(process.argv[2] ?? "");
const execute = promisify(execFile);
/** Most bytes of the tarball: the element is a few kilobytes. */
const LARGEST = 20_000;

await runAll([
  {
    name: "npm: the tarball is small, its types hold, and a page that Vite builds shows its figures",
    timeout: 180_000,
    async run(tab, { screenshots }) {
      const { size } = await stat(tarball);
      check(size > 3000 && size < LARGEST, `${tarball} has ${size} bytes`);
      const folder = await mkdtemp(path.join(os.tmpdir(), "keyside-npm-"));
      const app = await serve(built, { cors: true });
      try {
        await cp(path.join(here, "app"), folder, { recursive: true });
        await writeFile(path.join(folder, "package.json"), JSON.stringify({ private: true, type: "module" }));
        await execute("npm", ["install", "--offline", "--no-audit", "--no-fund", "--silent", tarball], { cwd: folder });
        // Vite's types are found beside the package; it runs from where it is.
        await symlink(path.join(tools, "vite"), path.join(folder, "node_modules/vite"));
        const recorded = path.join(root, "public/recorded/gpt2-small-10.7.json");
        await copyFile(recorded, path.join(folder, "result.json"));
        await execute(process.execPath, [path.join(tools, "typescript/bin/tsc"), "--project", folder]);
        const began = Date.now();
        await execute(process.execPath, [path.join(tools, "vite/bin/vite.js"), "build", "--logLevel", "warn", folder], {
          cwd: folder,
          env: { ...process.env, VITE_APP: app.url },
        });
        console.log(`        ${size} bytes of a tarball; Vite took ${((Date.now() - began) / 1000).toFixed(1)} s`);
        await copyFile(recorded, path.join(folder, "dist/result.json"));
        const site = await serve(path.join(folder, "dist"));
        try {
          await tab.page.goto(site.url);
          await checkDrawn(tab, "#place keyside-plot", /Contribution/, "22,25,29");
          await checkDrawn(tab, "#given keyside-plot", /Scores/, "255,255,255");
          await checkDrawn(tab, "#element", /queries fixed/, "255,255,255");
          check(/^Scores, \d+\.\d+\.\d+$/.test(await tab.page.title()), await tab.page.title());
          // Frames of other origins are painted where they are in view.
          await tab.page.setViewportSize({ width: 1280, height: 2200 });
          for (const frame of tab.page.frames()) await threeFrames(frame);
          await tab.page.screenshot({ path: path.join(screenshots, "npm-vite.png") });
        } finally {
          await site.close();
        }
      } finally {
        await app.close();
        await rm(folder, { recursive: true, force: true });
      }
    },
  },
]);
