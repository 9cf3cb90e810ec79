// Where models come from and where they are kept: storage, files from disk, the hub's names; pausing a download.
import { readFile } from "node:fs/promises";
import path from "node:path";

import { arrays, compare, goldenArrays } from "./compare.mjs";
import { check, fixture } from "./harness.mjs";
import { serve } from "./server.mjs";

const FILES = ["config.json", "model.safetensors", "tokenizer.json"];
const SETTINGS = { head: "2.1", earlier: "1.3", batches: 3, size: 10, seed: 0 };

const golden = async () => goldenArrays(JSON.parse(await readFile(fixture("tiny-golden.json"), "utf8")), "2.1");

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
      await stored(tab).getByTestId("delete-stored").click();
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
      // The hub itself is not there for tests: its requests are answered from the tiny checkpoint.
      const asked = [];
      await tab.page.context().route(/^https:\/\//, async (route) => {
        const url = new URL(route.request().url());
        asked.push(url.href);
        const whole = await readFile(path.join(fixture("tiny"), path.basename(url.pathname)));
        const [, start, end] = /^bytes=(\d+)-(\d+)$/.exec(route.request().headers().range ?? "") ?? [];
        const body = start === undefined ? whole : whole.subarray(Number(start), Number(end) + 1);
        await route.fulfill({ status: start === undefined ? 200 : 206, body, headers: { "Access-Control-Allow-Origin": "*" } });
      });
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
