// Bad input: one clear message each, nothing shown is lost, the page stays usable.
import { cp, mkdtemp, readFile, rm, truncate, writeFile } from "node:fs/promises";
import os from "node:os";
import path from "node:path";

import { check, fixture, root } from "./harness.mjs";
import { serve } from "./server.mjs";

/** Waits for the one message, checks it, and that the recorded run is still shown; then dismisses it. */
async function expectMessage(tab, pattern) {
  await tab.at("error").getByText(pattern).waitFor({ timeout: 15_000 });
  check((await tab.at("error").count()) === 1, "more than one message");
  check((await tab.at("run-summary").innerText()).includes("Recorded run"), "what was shown is gone");
  await tab.at("dismiss-error").click();
  check((await tab.at("error").count()) === 0, "the message stays");
}

/** Runs the tiny checkpoint to the end: the page is still usable. */
async function plainRun(tab, url) {
  await tab.fill({ model: "url", url, head: "2.1", earlier: "1.3", batches: 1, size: 5, seed: 0 });
  await tab.run();
}

/** A server of damaged copies of the tiny checkpoint, one folder each, and of a sound one in `tiny/`. */
async function damaged(use) {
  const folder = await mkdtemp(path.join(os.tmpdir(), "keyside-damaged-"));
  const copy = async (name, damage) => {
    const to = path.join(folder, name);
    await cp(fixture("tiny"), to, { recursive: true });
    await damage((file) => path.join(to, file));
  };
  const json = async (file, change) => {
    const value = JSON.parse(await readFile(file, "utf8"));
    change(value);
    await writeFile(file, JSON.stringify(value));
  };
  await copy("tiny", () => {});
  await copy("truncated", (at) => truncate(at("model.safetensors"), 200_000));
  await copy("long-header", async (at) => {
    const bytes = await readFile(at("model.safetensors"));
    bytes.writeBigUInt64LE(BigInt(bytes.length), 0);
    await writeFile(at("model.safetensors"), bytes);
  });
  await copy("other-architecture", (at) => json(at("config.json"), (config) => (config.model_type = "llama")));
  await copy("wrong-shape", (at) => json(at("config.json"), (config) => (config.n_inner = 64)));
  await copy("other-tokenizer", (at) => cp(fixture("gpt2-tokenizer.json"), at("tokenizer.json")));
  await copy("no-weights", (at) => rm(at("model.safetensors")));
  const models = await serve(folder, { cors: true });
  try {
    await use((name) => `${models.url}${name}`);
  } finally {
    await models.close();
    await rm(folder, { recursive: true });
  }
}

/** The example of the result file's document with a change, as text. */
async function changed(change) {
  const document = await readFile(path.join(root, "docs/result-file.md"), "utf8");
  const file = JSON.parse(document.split("```json\n")[1].split("```")[0]);
  change(file);
  return JSON.stringify(file);
}

export const badInput = [
  {
    name: "settings that cannot be: one message each",
    timeout: 90_000,
    async run(tab) {
      // Words that are no URL are taken for a folder beside the page, and there is none.
      tab.allow(/not%20a%20url|404/);
      await damaged(async (url) => {
        await tab.open();
        const good = { model: "url", url: url("tiny"), head: "2.1", earlier: "1.3", batches: 1, size: 5, seed: 0 };
        for (const [bad, pattern] of [
          [{ head: "7.9" }, /7\.9 does not exist/],
          [{ head: "two" }, /two.*is not a head/],
          [{ earlier: "2.0" }, /2\.0/],
          [{ size: 0 }, /batch size|prompts per batch/i],
          [{ batches: 0 }, /batches/i],
          [{ seed: "x" }, /seed/i],
          [{ url: "not a url" }, /not a url|URL/],
          [{ url: "ftp://127.0.0.1/x" }, /ftp|https?/],
        ]) {
          await tab.fill({ ...good, ...bad });
          await tab.at("run-button").click();
          await expectMessage(tab, pattern);
        }
        await plainRun(tab, url("tiny"));
      });
    },
  },
  {
    name: "checkpoints that are damaged: one message each",
    timeout: 90_000,
    async run(tab) {
      tab.allow(/404/);
      tab.allow(/request failed/);
      await damaged(async (url) => {
        await tab.open();
        for (const [name, pattern] of [
          ["missing", /config\.json/],
          ["no-weights", /model\.safetensors/],
          ["truncated", /truncated|bytes|shorter|end/i],
          ["long-header", /header/],
          ["other-architecture", /llama/],
          ["wrong-shape", /shape/],
          ["other-tokenizer", /tokenizer/i],
        ]) {
          await tab.fill({ model: "url", url: url(name), head: "2.1", earlier: "1.3", batches: 1, size: 5, seed: 0 });
          await tab.at("run-button").click();
          await expectMessage(tab, pattern);
        }
        await plainRun(tab, url("tiny"));
      });
    },
  },
  {
    name: "a server that is not there, and one that lets no other origin read",
    async run(tab) {
      tab.allow(/ERR_CONNECTION_REFUSED|CORS|ERR_FAILED|request failed/);
      const closed = await serve(fixture("tiny"));
      await closed.close();
      const silent = await serve(fixture("tiny"));
      try {
        await tab.open();
        for (const url of [closed.url, silent.url]) {
          await tab.fill({ model: "url", url, head: "2.1", earlier: "1.3", batches: 1, size: 5, seed: 0 });
          await tab.at("run-button").click();
          await expectMessage(tab, /CORS|reach|origin/i);
        }
      } finally {
        await silent.close();
      }
    },
  },
  {
    name: "files that are not results: one message each",
    async run(tab) {
      await tab.open();
      for (const [name, text, pattern] of [
        ["picture.png", "\u0089PNG", /JSON/],
        ["other.json", '{"format": "something-else/3"}', /format|something-else/],
        ["part.json", '{"format": "keyside-result/1"}', /missing|field/],
        ["part2.json", '{"format": "keyside-result/2"}', /missing|field/],
        ["later.json", await changed((file) => (file.format = "keyside-result/3")), /keyside-result\/3.*newer keyside/],
        ["shape.json", await changed((file) => (file.sections[0].true_score.shape = [3])), /shape \[3\] has 2 numbers/],
        ["outside.json", await changed((file) => (file.prompts[0].positions.src = 15)), /position src of prompt 1 is 15/],
        ["unknown.json", await changed((file) => (file.sections = [{ kind: "newer" }])), /only sections of unknown kind.*newer/],
      ]) {
        await tab.at("open-result").setInputFiles({ name, mimeType: "application/json", buffer: Buffer.from(text) });
        await expectMessage(tab, pattern);
        check(await tab.at("run-summary").getByText("Recorded run").isVisible(), `${name}: what was shown is lost`);
      }
    },
  },
  {
    name: "a section of unknown kind is skipped, and the page says so",
    async run(tab) {
      await tab.open();
      const text = await changed((file) => file.sections.push({ kind: "newer", head: 7 }));
      await tab.at("open-result").setInputFiles({ name: "later.json", mimeType: "application/json", buffer: Buffer.from(text) });
      await tab.at("run-summary").getByText("Opened from later.json").waitFor();
      const said = await tab.at("skipped").innerText();
      check(/2 sections of kinds .* later, newer\.$/.test(said), said);
      await tab.at("open-result").setInputFiles(path.join(root, "public/recorded/gpt2-small-10.7.json"));
      await tab.at("run-summary").getByText("Opened from gpt2-small-10.7.json").waitFor();
      check((await tab.at("skipped").count()) === 0, "a whole result is said not to be");
    },
  },
];
