// Writes the licences of everything that is compiled into the page: node scripts/third-party.mjs > THIRD-PARTY.txt
// Which crates those are, and where their texts lie, is what cargo says.
import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";

const page = ["--locked", "--no-default-features", "--features", "page"];
const cargo = (...asked) => execFileSync("cargo", asked, { maxBuffer: 256 * 2 ** 20, encoding: "utf8" });

/** What the page is made of: neither build scripts nor macros, which only run when it is built, nor what other members of the workspace need. */
const tree = cargo("tree", ...page, "--package", "keyside", "--target", "wasm32-unknown-unknown", "--edges", "normal,no-proc-macro", "--prefix", "none", "--format", "{p}");
const used = new Set(tree.split("\n").map((line) => line.match(/^(\S+ v\S+)/)?.[1]).filter(Boolean));
const { packages } = JSON.parse(cargo("metadata", ...page, "--format-version", "1", "--filter-platform", "wasm32-unknown-unknown"));
const crates = packages.filter(({ name, version, source }) => source !== null && used.has(`${name} v${version}`));

/** Licence texts to the crates that have them. */
const texts = new Map();
const without = [];
for (const { name, version, license, manifest_path: manifest } of crates.sort((a, b) => (a.name < b.name ? -1 : 1))) {
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
console.log(`The page is made of these works too, under their own licences. ${crates.length} crates of Rust; the standard library of Rust (MIT or Apache-2.0) is in it as well.\n`);
if (without.length) console.log(`These come without a text of their own; their licence is named behind them:\n\n${without.map((crate) => `  ${crate}`).join("\n")}\n`);
for (const [text, crates] of texts) console.log(`${line}\n${[...new Set(crates)].join("\n")}\n${line}\n\n${text}\n`);
