// The page below a path of its host, and the release archive behind a plain server.
import { execFile, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdir, mkdtemp, readFile, rm, symlink } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { promisify } from "node:util";

import { withBlog } from "./embed.mjs";
import { check, page as built, root } from "./harness.mjs";
import { serve } from "./server.mjs";

const BASE = "some/base/";
const run = promisify(execFile);

/** Runs `scenario` with a folder that is gone afterwards. */
async function withFolder(scenario) {
  const folder = await mkdtemp(path.join(os.tmpdir(), "keyside-host-"));
  try {
    await scenario(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Runs the bundled model. */
async function runBundled(tab) {
  await tab.fill({ model: "bundled", batches: 2 });
  await tab.at("run-button").and(tab.page.locator(":enabled")).waitFor();
  await tab.run();
  await tab.at("run-summary").getByText("Tiny IOI", { exact: false }).first().waitFor();
}

/** Serves `folder` with Python's own server, which knows no byte ranges; answers `{ url, stop }`. */
async function servePlainly(folder) {
  const server = spawn("python3", ["-u", "-m", "http.server", "0", "--bind", "127.0.0.1", "--directory", folder], { stdio: ["ignore", "pipe", "ignore"] });
  const port = await new Promise((resolve, reject) => {
    let said = "";
    server.once("error", reject);
    server.once("exit", (code) => reject(new Error(`python3 -m http.server ended with ${code}`)));
    server.stdout.on("data", (bytes) => {
      said += bytes;
      const found = /port (\d+)/.exec(said);
      if (found) resolve(Number(found[1]));
    });
  });
  return { url: `http://127.0.0.1:${port}/`, stop: () => server.kill() };
}

export const hosting = [
  {
    name: "below a path: recorded run, service worker, without a network, bundled model",
    timeout: 120_000,
    context: { serviceWorkers: "allow" },
    run: (tab) => withFolder(async (folder) => {
      await mkdir(path.join(folder, "some"));
      await symlink(built, path.join(folder, "some/base"));
      const site = await serve(folder);
      try {
        tab.url = site.url + BASE;
        await tab.open();
        const scope = await tab.page.evaluate(async () => (await navigator.serviceWorker.ready).scope);
        check(scope === tab.url, `the service worker's scope is ${scope}`);
        await runBundled(tab);
        const outside = site.requests.map((request) => request.path).filter((file) => !file.startsWith(`/${BASE}`));
        check(outside.length === 0, `asked for ${outside}`);
        await tab.open();
        await site.close();
        await tab.page.context().setOffline(true);
        await tab.open();
        await runBundled(tab);
        tab.allow(/service-worker\.js/);
      } finally {
        await site.close().catch(() => {});
      }
    }),
  },
  {
    name: "below a path: a figure in another page",
    run: (tab) => withFolder(async (folder) => {
      await mkdir(path.join(folder, "some"));
      await symlink(built, path.join(folder, "some/base"));
      const site = await serve(folder);
      try {
        tab.url = site.url + BASE;
        await withBlog(tab, { "a.html": '<keyside-plot plot="keys_fixed_scores"></keyside-plot>' }, async (blog) => {
          await tab.page.goto(`${blog.url}a.html`);
          const inside = tab.page.locator("keyside-plot iframe:not(.waiting)").contentFrame();
          await inside.getByTestId("embed-origin").getByText("Recorded run").waitFor();
          const full = await inside.getByTestId("open-full").evaluate((link) => link.href.split("?")[0]);
          check(full === tab.url, `the full app is said to be at ${full}`);
        });
      } finally {
        await site.close();
      }
    }),
  },
  {
    name: "the release archive: the same twice, and works behind a server without byte ranges",
    timeout: 120_000,
    run: (tab) => withFolder(async (folder) => {
      const archives = ["one.zip", "two.zip"].map((name) => path.join(folder, name));
      const hashes = [];
      for (const archive of archives) {
        await run(path.join(root, "scripts/archive.sh"), [built, archive]);
        hashes.push(createHash("sha256").update(await readFile(archive)).digest("hex"));
        // Another time, and another zone.
        process.env.TZ = "Pacific/Auckland";
      }
      delete process.env.TZ;
      check(hashes[0] === hashes[1], `two archives of one page differ: ${hashes}`);
      await run("unzip", ["-q", archives[0], "-d", folder]);
      const version = /^version = "(.+)"$/m.exec(await readFile(path.join(root, "Cargo.toml"), "utf8"))[1];
      const unpacked = path.join(folder, `keyside-${version}`);
      for (const name of ["LICENSE-MIT", "LICENSE-APACHE", "THIRD-PARTY.txt", "README.txt", "index.html"]) check((await readFile(path.join(unpacked, name))).length > 300, `${name} is missing`);
      const server = await servePlainly(unpacked);
      try {
        tab.url = server.url;
        const answer = await fetch(`${server.url}models/tiny-ioi/model.safetensors`, { headers: { Range: "bytes=0-7" } });
        check(answer.status === 200, `this server knows byte ranges: ${answer.status}`);
        await answer.body.cancel();
        // The page takes the whole file, and stops when it has what it asked for.
        tab.allow(/model\.safetensors net::ERR_ABORTED/);
        await tab.open();
        await runBundled(tab);
        await tab.page.goto(`${server.url}examples/post.html`);
        await tab.page.frameLocator("iframe.keyside").getByTestId("embed-origin").getByText("Recorded run").waitFor();
      } finally {
        server.stop();
      }
    }),
  },
];
