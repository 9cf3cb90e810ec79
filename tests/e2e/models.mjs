// Where models come from and where they are kept: storage, files from disk, the hub's names; pausing a download.
import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import os from "node:os";
import path from "node:path";

import { arrays, compare, goldenArrays } from "./compare.mjs";
import { check, fixture, until } from "./harness.mjs";
import { answered } from "./sentence.mjs";
import { serve } from "./server.mjs";

const FILES = ["config.json", "model.safetensors", "tokenizer.json"];
const SETTINGS = { head: "2.1", earlier: "1.3", batches: 3, size: 10, seed: 0 };

const golden = async () => goldenArrays(JSON.parse(await readFile(fixture("tiny-golden.json"), "utf8")), "2.1");

/** Puts the weights of the checkpoint in `folder` into two files, with the index of them. */
export async function writeShards(folder) {
  const whole = await readFile(path.join(folder, "model.safetensors"));
  await rm(path.join(folder, "model.safetensors"));
  const data = 8 + Number(whole.readBigUInt64LE(0));
  const { __metadata__: _, ...header } = JSON.parse(whole.subarray(8, data).toString());
  const weight_map = {};
  for (const number of [1, 2]) {
    const name = `model-0000${number}-of-00002.safetensors`;
    const [entries, parts] = [{}, []];
    let end = 0;
    for (const [tensor, entry] of Object.entries(header)) {
      if (/h\.[01]\./.test(tensor) !== (number === 1)) continue;
      const [from, to] = entry.data_offsets;
      parts.push(whole.subarray(data + from, data + to));
      entries[tensor] = { ...entry, data_offsets: [end, (end += to - from)] };
      weight_map[tensor] = name;
    }
    const json = Buffer.from(JSON.stringify(entries));
    const length = Buffer.alloc(8);
    length.writeBigUInt64LE(BigInt(json.length));
    await writeFile(path.join(folder, name), Buffer.concat([length, json, ...parts]));
  }
  await writeFile(path.join(folder, "model.safetensors.index.json"), JSON.stringify({ metadata: {}, weight_map }));
}

/** A folder that is gone after `use`. */
async function inFolder(use) {
  const folder = await mkdtemp(path.join(os.tmpdir(), "keyside-models-"));
  try {
    await use(folder);
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** Answers all requests to other servers over https from the tiny checkpoint, and lists them. */
async function asHub(tab) {
  const asked = [];
  await tab.page.context().route(/^https:\/\//, async (route) => {
    const url = new URL(route.request().url());
    asked.push(url.href);
    const whole = await readFile(path.join(fixture("tiny"), path.basename(url.pathname)));
    const [, start, end] = /^bytes=(\d+)-(\d+)$/.exec(route.request().headers().range ?? "") ?? [];
    const body = start === undefined ? whole : whole.subarray(Number(start), Number(end) + 1);
    await route.fulfill({ status: start === undefined ? 200 : 206, body, headers: { "Access-Control-Allow-Origin": "*" } });
  });
  return asked;
}

/** The rows of the panel "Models in this browser". */
const stored = (tab) => tab.at("stored-model");

export const models = [
  {
    name: "a model is kept, listed, used again without its server, and deleted",
    async run(tab, { screenshots }) {
      const server = await serve(fixture("tiny"), { cors: true });
      await tab.open();
      await tab.at("models-panel").locator("summary").click();
      await tab.at("models-panel").getByText("None yet").waitFor();
      try {
        await tab.fill({ model: "url", url: server.url, ...SETTINGS });
        await tab.run();
        await stored(tab).waitFor();
        check((await stored(tab).innerText()).includes(new URL(server.url).host), await stored(tab).innerText());
        check(/\d MB of \d.* used/.test(await tab.at("storage-room").innerText()), await tab.at("storage-room").innerText());
        await tab.page.screenshot({ path: path.join(screenshots, "models-panel.png") });
      } finally {
        await server.close();
      }
      await tab.open();
      await tab.at("models-panel").locator("summary").click();
      await stored(tab).getByTestId("use-stored").click();
      await tab.fill(SETTINGS);
      await tab.run();
      const { result } = await tab.download();
      compare(arrays(result), await golden(), 1e-4);
      check(result.timing.bytes_from_network === 0, `${result.timing.bytes_from_network} bytes from the network`);
      // Deleting asks first.
      await stored(tab).getByTestId("delete-stored").click();
      await stored(tab).getByTestId("keep-stored").click();
      await stored(tab).getByTestId("delete-stored").click();
      await stored(tab).getByTestId("delete-for-good").click();
      await tab.at("models-panel").getByText("None yet").waitFor();
    },
  },
  {
    name: "files picked from disk run, and stay on the device",
    async run(tab) {
      await tab.open();
      await tab.fill({ model: "picked" });
      await tab.at("pick-files").setInputFiles([path.join(fixture("tiny"), FILES[0])]);
      await tab.at("error").getByText("model.safetensors and tokenizer.json is missing").waitFor();
      await tab.at("pick-files").setInputFiles(FILES.map((name) => path.join(fixture("tiny"), name)));
      await tab.at("picked").getByText("Picked: picked files").waitFor();
      await tab.fill(SETTINGS);
      await tab.run();
      const { result } = await tab.download();
      compare(arrays(result), await golden(), 1e-4);
      check(result.timing.bytes_from_network === 0, "files from disk came over the network");
    },
  },
  {
    name: "files dropped on the page are a model",
    async run(tab) {
      await tab.open();
      const files = await Promise.all(
        FILES.map(async (name) => ({ name, data: (await readFile(path.join(fixture("tiny"), name))).toString("base64") })),
      );
      await tab.page.evaluate((files) => {
        const transfer = new DataTransfer();
        for (const { name, data } of files) {
          transfer.items.add(new File([Uint8Array.from(atob(data), (c) => c.charCodeAt(0))], name));
        }
        window.dispatchEvent(new DragEvent("drop", { dataTransfer: transfer, bubbles: true, cancelable: true }));
      }, files);
      await tab.at("picked").getByText("Picked: picked files").waitFor();
      await tab.fill({ ...SETTINGS, batches: 1 });
      await tab.run();
    },
  },
  {
    name: "a model of the hub is asked for at its known commit",
    async run(tab) {
      const asked = await asHub(tab);
      await tab.open();
      await tab.fill({ model: "hub" });
      await tab.at("hub-model").selectOption("gpt2");
      await tab.fill({ ...SETTINGS, batches: 1 });
      await tab.run();
      check(asked.length > 0, "nothing was asked for");
      for (const href of asked) {
        check(/^https:\/\/huggingface\.co\/openai-community\/gpt2\/resolve\/[0-9a-f]{40}\/[a-z.]+$/.test(href), href);
      }
      await tab.at("models-panel").locator("summary").click();
      await stored(tab).getByText("gpt2", { exact: true }).waitFor();
    },
  },
  {
    name: "the hub is asked when somebody says so",
    async run(tab) {
      const asked = await asHub(tab);
      await tab.open();
      await tab.fill({ model: "hub" });
      await tab.at("hub-model").selectOption("distilgpt2");
      // Its six layers are known without asking.
      await until(tab.page, () => tab.at("head-input").inputValue(), (head) => head === "5.11", "the head");
      await tab.fill({ model: "url", url: "HF.co/someone/Own-GPT2/blob/main/model.safetensors?download=true" });
      await tab.at("model-url-read").getByText("Reads https://huggingface.co/someone/Own-GPT2/resolve/main").waitFor();
      await tab.at("seed-input").click();
      await tab.at("look-up").waitFor();
      check(asked.length === 0, `the hub was asked: ${asked}`);
      await tab.at("look-up").click();
      await tab.page.getByText("It has 3 layers").waitFor();
      check(asked.every((href) => href === "https://huggingface.co/someone/Own-GPT2/resolve/main/config.json"), `${asked}`);
      await tab.fill({ ...SETTINGS, batches: 1 });
      await tab.run();
      const { result } = await tab.download();
      check(result.model.name === "someone/Own-GPT2", result.model.name);
    },
  },
  {
    name: "a sentence is asked of the hub when somebody says so: not by choosing a model, not by a link",
    timeout: 120_000,
    async run(tab, { screenshots }) {
      tab.allow(/request failed: .*ERR_ABORTED/);
      const asked = await asHub(tab);
      const nothing = (what) => check(asked.length === 0, `${what} asked the hub: ${asked}`);
      const unasked = (name) => tab.at("unasked").getByText(`${name} is on the model hub, which is asked for nothing before you say so.`).waitFor();
      await tab.open();
      await tab.at("tab-sentence").click();
      await tab.at("sentence-input").fill("The keys to the cabinet");
      await tab.at("sentence-input").press("Enter");
      await tab.at("sentence-offer").waitFor();
      await tab.at("model-menu").locator("summary").first().click();
      await tab.at("model-select").selectOption("hub");
      await unasked("gpt2");
      await tab.at("hub-model").selectOption("distilgpt2");
      await unasked("distilgpt2");
      await tab.page.screenshot({ path: path.join(screenshots, "sentence-unasked.png") });
      await tab.at("model-select").selectOption("url");
      await tab.at("model-url").fill("someone/Own-GPT2");
      await unasked("someone/Own-GPT2");
      check((await tab.at("sentence-error").count()) === 0, "an address that is typed now is said to be missing");
      await tab.at("model-menu").locator("summary").first().click();
      // Nor by what is changed of the question.
      await tab.at("sentence-bos").click();
      await tab.at("model-menu").locator("summary").first().click();
      await tab.at("model-select").selectOption("hub");
      await unasked("distilgpt2");
      nothing("choosing a model");
      const link = await until(tab.page, () => tab.page.url(), (url) => url.includes("model=hub:distilgpt2") || url.includes("model=hub%3Adistilgpt2"), "the link");
      await tab.page.goto("about:blank");
      await tab.page.goto(link);
      await unasked("distilgpt2");
      await tab.at("tab-prompts").click();
      await until(tab.page, () => tab.page.url(), (url) => !url.includes("tab=sentence"), "the other tab's address");
      await tab.at("tab-sentence").click();
      await until(tab.page, () => tab.page.url(), (url) => url.includes("tab=sentence"), "the sentence's address");
      await tab.page.goBack();
      await tab.at("run-summary").waitFor();
      await tab.page.goForward();
      await unasked("distilgpt2");
      nothing("a link");
      await tab.at("ask-hub").click();
      await answered(tab);
      check((await tab.at("unasked").count()) === 0, "it is still said that nothing was asked");
      const mine = (href) => /^https:\/\/huggingface\.co\/distilbert\/distilgpt2\/resolve\/[0-9a-f]{40}\/[a-z.]+$/.test(href);
      check(asked.length > 0 && asked.every(mine), `${asked}`);
      // From now on it is asked without a word.
      await tab.at("sentence-input").fill("The keys to the old cabinet");
      await tab.at("sentence-input").press("Enter");
      await answered(tab);
      // And the next model is not.
      await tab.at("model-menu").locator("summary").first().click();
      await tab.at("hub-model").selectOption("gpt2-medium");
      await unasked("gpt2-medium");
      check(asked.every(mine), `${asked}`);
    },
  },
  {
    name: "a picked folder is one model, a choice, or none, and never a mixture",
    timeout: 90_000,
    async run(tab) {
      await inFolder(async (folder) => {
        const [mixed, two] = [path.join(folder, "mixed"), path.join(folder, "two")];
        for (const [part, files] of [["a", [FILES[0], FILES[2]]], ["b", [FILES[1]]]]) {
          await mkdir(path.join(mixed, part), { recursive: true });
          for (const name of files) await cp(path.join(fixture("tiny"), name), path.join(mixed, part, name));
        }
        await cp(fixture("tiny"), path.join(two, "one-file"), { recursive: true });
        await cp(fixture("tiny"), path.join(two, "shards"), { recursive: true });
        await writeShards(path.join(two, "shards"));
        await tab.open();
        await tab.fill({ model: "picked" });
        await tab.at("pick-folder").setInputFiles(mixed);
        await tab.at("error").getByText("model.safetensors is missing in mixed/a").waitFor();
        await tab.at("pick-folder").setInputFiles(two);
        await tab.at("pick-candidates").waitFor();
        check((await tab.at("pick-candidate").allInnerTexts()).join() === "two/one-file,two/shards", "the candidates");
        await tab.at("pick-candidate").getByText("two/shards").click();
        await tab.at("picked").getByText("Picked: two/shards").waitFor();
        await tab.fill(SETTINGS);
        await tab.run();
        const { result } = await tab.download();
        compare(arrays(result), await golden(), 1e-4);
      });
    },
  },
  {
    name: "weights in several files are read, kept, and used again without their server",
    timeout: 90_000,
    async run(tab) {
      // That there is no model.safetensors is in the browser's log.
      tab.allow(/404|model\.safetensors net::ERR_ABORTED/);
      await inFolder(async (folder) => {
        await cp(fixture("tiny"), path.join(folder, "shards"), { recursive: true });
        await writeShards(path.join(folder, "shards"));
        const server = await serve(folder, { cors: true });
        const url = `${server.url}shards`;
        await tab.open();
        try {
          await tab.fill({ model: "url", url, ...SETTINGS });
          await tab.run();
        } finally {
          await server.close();
        }
        await tab.open();
        await tab.fill({ model: "url", url, ...SETTINGS });
        await tab.run();
        const { result } = await tab.download();
        compare(arrays(result), await golden(), 1e-4);
        check(result.timing.bytes_from_network === 0, `${result.timing.bytes_from_network} bytes from the network`);
      });
    },
  },
  {
    name: "a download pauses, and goes on",
    async run(tab) {
      const server = await serve(fixture("tiny"), { cors: true, delay: 300 });
      try {
        await tab.open();
        await tab.fill({ model: "url", url: server.url, ...SETTINGS });
        await tab.at("run-button").click();
        await tab.at("pause-button").click();
        await tab.at("download-text").getByText("paused").waitFor();
        // What had been asked for may still arrive; then there is silence. Whatever followed upon it would be asked for before our own
        // question, and every question takes the server as long.
        const ask = () => tab.page.evaluate((url) => fetch(url).then((answer) => answer.text()), `${server.url}config.json?own`);
        await ask();
        await server.idle();
        const before = server.requests.length;
        await ask();
        await ask();
        check(server.requests.length === before + 2, `the download went on: ${JSON.stringify(server.requests.slice(before))}`);
        await tab.at("pause-button").click();
        await tab.at("run-summary").getByText("Live run, finished").waitFor();
      } finally {
        await server.close();
      }
    },
  },
];
