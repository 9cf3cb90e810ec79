// The lines of the README's "In the browser": what `make run` starts, and the addresses.
import { execFile, spawn } from "node:child_process";
import { readFile } from "node:fs/promises";
import path from "node:path";
import { promisify } from "node:util";

import { check, page as built, root } from "./harness.mjs";

const run = promisify(execFile);

/** The blocks of `language` in the section `title` of the README. */
async function blocks(title, language) {
  const readme = await readFile(path.join(root, "README.md"), "utf8");
  const section = readme.split(`\n## ${title}\n`)[1].split("\n## ")[0];
  return [...section.matchAll(new RegExp("^```" + language + "\\n(.*?)^```", "gms"))].map(([, text]) => text.trim().split("\n"));
}

/** The folder that `make run` builds. */
const PAGE = "target/page";

/** Serves the page that is tested with the command that `make run` ends with, on any port; answers `{ url, stop }`. */
async function served(line) {
  const [make, ...words] = line.split("#")[0].trim().split(/\s+/);
  check(make === "make", line);
  const { stdout } = await run("make", ["--dry-run", "--no-print-directory", ...words, "PORT=0"], { cwd: root });
  const command = stdout.trim().split("\n").at(-1).split(" ");
  check(command[0] === "node" && command.includes(PAGE), `${command.join(" ")} serves nothing`);
  const server = spawn(process.execPath, command.slice(1).map((word) => (word === PAGE ? built : word)), { cwd: root, stdio: ["ignore", "pipe", "inherit"] });
  const url = await new Promise((resolve, reject) => {
    server.once("error", reject);
    server.once("exit", (code) => reject(new Error(`${command.join(" ")} ended with ${code}`)));
    server.stdout.on("data", (said) => resolve(/http:\S+/.exec(said)[0]));
  });
  return { url, stop: () => server.kill() };
}

/** What is seen at an address, by what stands in it. */
const SEEN = [
  [/\?embed=heatmap$/, (tab) => tab.at("embed-origin").getByText("Recorded run").waitFor()],
  [
    /\?tab=sentence&model=bundled#text=/,
    async (tab, url) => {
      await tab.at("answer").getByText(/^Head \d+\.\d+ at /).waitFor();
      const text = decodeURIComponent(url.split("#text=")[1]);
      check((await tab.at("sentence-input").inputValue()) === text, `${text} is not the sentence`);
    },
  ],
  [
    /\?tab=prompts&model=bundled&head=2\.0&earlier=1\.1$/,
    async (tab) => {
      await tab.at("run-button").and(tab.page.locator(":enabled")).waitFor();
      await tab.fill({ batches: 1 });
      await tab.run();
      await tab.at("run-summary").getByText("Tiny IOI").first().waitFor();
    },
  ],
  [/^http:\/\/[^/]+\/$/, (tab) => tab.storyOpened()],
];

export const readme = [
  {
    name: "the lines of the README about the browser: what make run serves, and what its addresses show",
    timeout: 180_000,
    async run(tab) {
      const [[line, ...more], addresses] = [...(await blocks("In the browser", "sh")), ...(await blocks("In the browser", "text"))];
      check(more.length === 0 && addresses.length >= 4, `${[line, ...more, ...addresses].join("\n")}`);
      const server = await served(line);
      try {
        for (const address of addresses) {
          const url = address.split(/\s{2,}/)[0].replace("http://127.0.0.1:8080/", server.url);
          check(url.startsWith(server.url), address);
          const [, seen] = SEEN.find(([pattern]) => pattern.test(url)) ?? [];
          check(seen, `nothing says what is seen at ${address}`);
          await tab.page.goto("about:blank");
          await tab.page.goto(url);
          await seen(tab, url);
        }
      } finally {
        server.stop();
      }
    },
  },
];
