// Every configuration of GPT-2, and every form that its files have, on the page: by URL, from storage and from disk, as the command line says;
// what is out of the ordinary is said, and what is not read is called what it is.
import { execFile } from "node:child_process";
import { mkdir, mkdtemp, readFile, readdir, rename, rm, writeFile } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { promisify } from "node:util";

import { arrays, largestDifference } from "./compare.mjs";
import { check, fixture, target } from "./harness.mjs";
import { writeShards } from "./models.mjs";
import { serve } from "./server.mjs";
import { inVersion1 } from "./version_1.mjs";

const FILES = ["config.json", "model.safetensors", "tokenizer.json"];
const SETTINGS = { head: "2.1", earlier: "1.3", batches: 1, size: 10, seed: 0 };

/** The tensors of a safetensors file, by name without prefix: dtype, shape, bytes. */
function read(file) {
  const start = 8 + Number(file.readBigUInt64LE(0));
  const { __metadata__: _, ...header } = JSON.parse(file.subarray(8, start).toString());
  const tensor = ({ dtype, shape, data_offsets: [from, to] }) => ({ dtype, shape, bytes: Buffer.from(file.subarray(start + from, start + to)) });
  return Object.fromEntries(Object.entries(header).map(([name, entry]) => [name.replace(/^transformer\./, ""), tensor(entry)]));
}

/** The safetensors file of `tensors`. */
function write(tensors) {
  const header = {};
  let at = 0;
  for (const [name, { dtype, shape, bytes }] of Object.entries(tensors)) {
    header[name] = { dtype, shape, data_offsets: [at, at + bytes.length] };
    at += bytes.length;
  }
  const json = Buffer.from(JSON.stringify(header));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(json.length));
  return Buffer.concat([length, json, ...Object.values(tensors).map(({ bytes }) => bytes)]);
}

/** `tensor` with every number changed. */
function changed(tensor, change) {
  const bytes = Buffer.from(tensor.bytes);
  for (let index = 0; index * 4 < bytes.length; index += 1) bytes.writeFloatLE(change(bytes.readFloatLE(index * 4), index), index * 4);
  return { ...tensor, bytes };
}

/** The same numbers in F64. */
function inF64({ shape, bytes }) {
  const wide = Buffer.alloc(2 * bytes.length);
  for (let at = 0; at < bytes.length; at += 4) wide.writeDoubleLE(bytes.readFloatLE(at), 2 * at);
  return { dtype: "F64", shape, bytes: wide };
}

/** A token that is added to a tokenizer. */
const added = (id, content) => ({ id, content, single_word: false, lstrip: false, rstrip: false, normalized: false, special: true });
const GPT2_PATTERN = "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+";
const LFS_POINTER = "version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 497774208\n";

/** The pre-tokenizer that splits at `pattern`, spelt out. */
const splitAt = (pattern) => ({
  type: "Sequence",
  pretokenizers: [
    { type: "Split", pattern: { Regex: pattern }, behavior: "Isolated", invert: false },
    { type: "ByteLevel", add_prefix_space: false, trim_offsets: true, use_regex: false },
  ],
});

/**
 * What is done to the tiny checkpoint: to its configuration, tensors, tokenizer, and last to its folder (`files`); and what is said (`says`, in the strip
 * above the figures) or refused (`refused`). `lacks` are files whose absence is in the browser's log.
 */
const CASES = {
  "untied without a head": { config: { tie_word_embeddings: false }, says: /not tied, but model\.safetensors has no lm_head\.weight/ },
  "tied with another head": {
    config: { tie_word_embeddings: true },
    tensors: (tensors) => ({ ...tensors, "lm_head.weight": changed(tensors["wte.weight"], (value, index) => value * ((index % 7) - 3)) }),
    says: /embeddings are tied, but model\.safetensors has a lm_head\.weight with other values/,
  },
  "tied with the same head": {
    config: { tie_word_embeddings: true },
    tensors: (tensors) => ({ ...tensors, "lm_head.weight": tensors["wte.weight"] }),
    bytes: 257_792,
  },
  "upcast attention": { config: { reorder_and_upcast_attn: true }, mean: 1.3324 },
  "attention scaled by layer": { config: { scale_attn_by_inverse_layer_idx: true } },
  "BOS of a padded vocabulary": {
    config: { vocab_size: 1024, bos_token_id: 1023 },
    tensors: ({ "wte.weight": { dtype, shape, bytes }, ...tensors }) => ({
      ...tensors,
      "wte.weight": { dtype, shape: [1024, shape[1]], bytes: Buffer.concat([bytes, Buffer.alloc((1024 - shape[0]) * shape[1] * 4, 7)]) },
    }),
    says: /names token 1023 as BOS, .*: token 988 is BOS instead/,
  },
  "no biases": {
    tensors: (tensors) => Object.fromEntries(Object.entries(tensors).filter(([name]) => !name.endsWith(".bias"))),
    says: /has no ln_1\.bias, .* in any block: these biases are taken to be 0/,
  },
  "weights in F64": {
    tensors: (tensors) => Object.fromEntries(Object.entries(tensors).map(([name, tensor]) => [name, inF64(tensor)])),
    says: /weights F64/,
    mean: 1.3324,
  },
  "another name of the tanh form": { config: { activation_function: "gelu_pytorch_tanh" }, mean: 1.3324 },
  "GELU by the error function": { config: { activation_function: "gelu" } },
  "scores of 100,000": { tensors: (tensors) => ({ ...tensors, "h.2.attn.c_attn.weight": changed(tensors["h.2.attn.c_attn.weight"], (value) => value * 300) }) },
  "an earlier head that writes nothing": {
    tensors: (tensors) => ({
      ...tensors,
      "h.1.attn.c_proj.weight": changed(tensors["h.1.attn.c_proj.weight"], (value, index) => (index < 24 * 32 ? value : 0)),
    }),
    leftOut: /NMH 1\.3 output is left out: head 1\.3 writes nothing, .* in 10 of 10 prompts/,
  },
  "MLPs that write nothing": {
    tensors: (tensors) => {
      const silent = ([name, tensor]) => [name, /mlp\.c_proj\./.test(name) ? changed(tensor, () => 0) : tensor];
      return Object.fromEntries(Object.entries(tensors).map(silent));
    },
    leftOut: /W_EE_subE\[IO\] is left out: its vector is the same number everywhere in 10 of 10 prompts/,
  },
  "transposed maps": {
    tensors: (tensors) => {
      const reversed = ([name, tensor]) => [name, /^h\..*(c_attn|c_fc|c_proj)\.weight/.test(name) ? { ...tensor, shape: tensor.shape.toReversed() } : tensor];
      return Object.fromEntries(Object.entries(tensors).map(reversed));
    },
    refused: /looks transposed/,
  },
  "weights in several files": { files: (folder) => writeShards(folder), mean: 1.3324, lacks: /model\.safetensors$/ },
  "a token beyond the vocabulary": { tokenizer: (file) => file.added_tokens.push(added(989, "[PAD]")), mean: 1.3324 },
  "a tensor of a dtype to come that is not needed": {
    tensors: (tensors) => ({ ...tensors, "h.0.attn.extra": { dtype: "F4", shape: [8], bytes: Buffer.alloc(4) } }),
    mean: 1.3324,
  },
  "quantized weights": {
    config: { quantization_config: { load_in_8bit: true, quant_method: "bitsandbytes" } },
    tensors: (tensors) => {
      const { shape, bytes } = tensors["h.0.attn.c_attn.weight"];
      return { ...tensors, "h.0.attn.c_attn.weight": { dtype: "I8", shape, bytes: bytes.subarray(0, bytes.length / 4) } };
    },
    refused: /quantized weights are not read/,
  },
  "weights in PyTorch's format": {
    files: (folder) => rename(path.join(folder, FILES[1]), path.join(folder, "pytorch_model.bin")),
    refused: /pytorch_model\.bin: weights in PyTorch.s format/,
    lacks: /model\.safetensors(\.index\.json)?$/,
  },
  "vocab.json and merges.txt": {
    async files(folder) {
      const { model } = JSON.parse(await readFile(path.join(folder, FILES[2]), "utf8"));
      await writeFile(path.join(folder, "vocab.json"), JSON.stringify(model.vocab));
      await writeFile(path.join(folder, "merges.txt"), ["#version: 0.2", ...model.merges].join("\r\n"));
      await rm(path.join(folder, FILES[2]));
    },
    mean: 1.3324,
    lacks: /(tokenizer|added_tokens)\.json$/,
  },
  "GPT-2's pattern, spelt out": { tokenizer: (file) => (file.pre_tokenizer = splitAt(GPT2_PATTERN)), mean: 1.3324 },
  "another pattern than GPT-2's": { tokenizer: (file) => (file.pre_tokenizer = splitAt("\\p{L}+|\\s+")), refused: /another pattern than GPT-2's/ },
  "a normalizer that does nothing": { tokenizer: (file) => (file.normalizer = { type: "Sequence", normalizers: [] }), mean: 1.3324 },
  "an unknown token that is only added": {
    tokenizer(file) {
      file.model.unk_token = "<unk>";
      file.added_tokens.unshift(added(989, "<unk>"));
    },
    mean: 1.3324,
  },
  "a git-lfs pointer": { files: (folder) => writeFile(path.join(folder, FILES[1]), LFS_POINTER), refused: /git-lfs pointer/ },
};

/** Writes the checkpoint of a case into `folder`. */
async function make(folder, { config = {}, tensors = (same) => same, tokenizer = () => {}, files = () => {} }) {
  const [oldConfig, weights, oldTokenizer] = await Promise.all(FILES.map((name) => readFile(path.join(fixture("tiny"), name))));
  await mkdir(folder);
  await writeFile(path.join(folder, FILES[0]), JSON.stringify({ ...JSON.parse(oldConfig), ...config }));
  await writeFile(path.join(folder, FILES[1]), write(tensors(read(weights))));
  const newTokenizer = JSON.parse(oldTokenizer);
  tokenizer(newTokenizer);
  await writeFile(path.join(folder, FILES[2]), JSON.stringify(newTokenizer));
  await files(folder);
}

/** The command line's result, or its error. */
async function analyze(folder) {
  const out = path.join(folder, "result.json");
  const { head, earlier, batches, size, seed } = SETTINGS;
  const settings = ["--head", head, "--earlier-head", earlier, "--batches", batches, "--batch-size", size, "--seed", seed];
  try {
    await promisify(execFile)(path.join(target, "release/keyside"), ["analyze", "--model", folder, ...settings.map(String), "--out", out]);
  } catch ({ stderr }) {
    return { error: stderr };
  }
  return inVersion1(JSON.parse(await readFile(out, "utf8")));
}

/** Checks what the page shows and gives after a run against the command line's result. */
async function compareWith(tab, expected, { says, leftOut, mean, bytes }, way) {
  const { result } = await tab.download();
  const [found, wanted] = [arrays(result), arrays(expected)];
  check(Object.keys(found).join() === Object.keys(wanted).join(), `${way}: ${Object.keys(found)} instead of ${Object.keys(wanted)}`);
  for (const [name, values] of Object.entries(wanted)) {
    const size = Math.max(1, ...[values].flat(Infinity).map(Math.abs));
    const difference = largestDifference(found[name], values) / size;
    check(difference <= 1e-4, `${way}, ${name}: ${difference}`);
  }
  const scores = result.histograms.true_score;
  const found_mean = scores.reduce((sum, score) => sum + score, 0) / scores.length;
  if (mean !== undefined) check(Math.abs(found_mean - mean) < 1e-4, `${way}: the mean true score is ${found_mean}`);
  if (bytes !== undefined) check(result.timing.bytes_read === bytes, `${way}: ${result.timing.bytes_read} bytes read`);
  const summary = await tab.at("run-summary").innerText();
  if (says) check(says.test(summary), `${way}: ${summary}`);
  const notes = (await tab.at("left-out").allInnerTexts()).join("\n").trim();
  check(leftOut ? leftOut.test(notes) : notes === "", `${way}: ${notes}`);
}

export const configurations = Object.entries(CASES).map(([name, of]) => ({
  name: `a model's files: ${name}`,
  timeout: 120_000,
  async run(tab) {
    // What is asked for and not there is in the browser's log, and a request that is given up.
    if (of.lacks) tab.allow(/status of 404|net::ERR_ABORTED/);
    const parent = await mkdtemp(path.join(os.tmpdir(), "keyside-"));
    const folder = path.join(parent, "model");
    await make(folder, of);
    const files = (await readdir(folder)).map((file) => path.join(folder, file));
    const expected = await analyze(folder);
    const server = await serve(folder, { cors: true });
    const pick = async () => {
      await tab.open();
      await tab.fill({ model: "picked" });
      await tab.at("pick-files").setInputFiles(files);
      await tab.at("picked").getByText("Picked: picked files").or(tab.at("error")).first().waitFor();
      await tab.fill(SETTINGS);
    };
    const choose = async () => {
      await tab.open();
      await tab.fill({ model: "url", url: server.url, ...SETTINGS });
    };
    try {
      if (of.refused) {
        check(of.refused.test(expected.error), `command line: ${expected.error}`);
        for (const prepare of [choose, pick]) {
          await prepare();
          // Names of picked files may be enough to tell.
          if ((await tab.at("error").count()) === 0) await tab.at("run-button").click();
          await tab.at("error").getByText(of.refused).waitFor();
        }
        return;
      }
      check(!expected.error, expected.error);
      await choose();
      await tab.run();
      await compareWith(tab, expected, of, "by URL");
      await pick();
      await tab.run();
      await compareWith(tab, expected, of, "picked");
      await server.close();
      await tab.open();
      await tab.at("models-panel").locator("summary").click();
      await tab.at("stored-model").getByTestId("use-stored").click();
      await tab.fill(SETTINGS);
      await tab.run();
      await compareWith(tab, expected, of, "from storage");
    } finally {
      await server.close();
      await rm(parent, { recursive: true });
    }
  },
}));
