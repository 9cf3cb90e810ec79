// Writes the licences of everything that is compiled into the page: node scripts/third-party.mjs > THIRD-PARTY.txt
// Which crates those are, and where their texts lie, is what cargo says.
import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";

const asked = ["metadata", "--locked", "--format-version", "1", "--no-default-features", "--features", "page", "--filter-platform", "wasm32-unknown-unknown"];
const { packages, resolve } = JSON.parse(execFileSync("cargo", asked, { maxBuffer: 256 * 2 ** 20 }));
const byId = new Map(packages.map((crate) => [crate.id, crate]));
const nodes = new Map(resolve.nodes.map((node) => [node.id, node]));
const isMacro = (id) => byId.get(id).targets.some(({ kind }) => kind.includes("proc-macro"));

/** What the page is made of: neither build scripts nor macros, which only run when it is built. */
const used = new Set();
const waiting = [resolve.root];
while (waiting.length) {
  const id = waiting.pop();
  if (used.has(id) || isMacro(id)) continue;
  used.add(id);
  for (const { pkg, dep_kinds: kinds } of nodes.get(id).deps) if (kinds.some(({ kind }) => kind === null)) waiting.push(pkg);
}
used.delete(resolve.root);

/** Licence texts to the crates that have them. */
const texts = new Map();
const without = [];
for (const { name, version, license, manifest_path: manifest } of [...used].map((id) => byId.get(id)).sort((a, b) => (a.name < b.name ? -1 : 1))) {
  const folder = path.dirname(manifest);
  const files = readdirSync(folder).filter((file) => /^(licen[cs]e|copying|notice|unlicense)/i.test(file)).sort();
  const crate = `${name} ${version} (${license ?? "see its text"})`;
  let found = false;
  for (const file of files) {
    let text;
    try {
      text = readFileSync(path.join(folder, file), "utf8").replaceAll("\r\n", "\n").trim();
    } catch {
      continue; // A folder of texts, whose names the crate's licence has.
    }
    texts.set(text, [...(texts.get(text) ?? []), crate]);
    found = true;
  }
  if (!found) without.push(crate);
}

const line = "=".repeat(100);
console.log(`The page is made of these works too, under their own licences. ${used.size} crates of Rust; the standard library of Rust (MIT or Apache-2.0) is in it as well.\n`);
if (without.length) console.log(`These come without a text of their own; their licence is named behind them:\n\n${without.map((crate) => `  ${crate}`).join("\n")}\n`);
for (const [text, crates] of texts) console.log(`${line}\n${[...new Set(crates)].join("\n")}\n${line}\n\n${text}\n`);
