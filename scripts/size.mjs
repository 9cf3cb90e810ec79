// What a visitor loads, in bytes as they travel (brotli), against its limits: node scripts/size.mjs [FOLDER, dist]
// Fails where a limit is exceeded.
import { readdir, readFile } from "node:fs/promises";
import path from "node:path";
import { brotliCompressSync, constants } from "node:zlib";

const folder = process.argv[2] ?? "dist";
const KB = 1000;
/** Parts of the page by the names of their files, and their limits in bytes. */
const PARTS = [
  { what: "index.html, with styles and first view", files: /^index\.html$/, limit: 24 * KB },
  // 600 KB was the goal, of a page with fewer figures. What was tried is in benches/README.md, "Sizes".
  { what: "the page: index.html, code and WebAssembly, all of it before the first interaction", files: /^(index\.html|page-.*\.(js|wasm))$/, limit: 880 * KB },
  { what: "a figure in another page: index.html, code and WebAssembly", files: /^(index\.html|frame-.*\.(js|wasm))$/, limit: 625 * KB },
  { what: "the worker", files: /^worker-.*\.(js|wasm)$/, limit: 900 * KB },
  { what: "one of the kernels, the largest", files: /^kernel-(simd|relaxed).*\.wasm$/, limit: 16 * KB, largest: true },
  { what: "the element for other pages", files: /^keyside-plot\.js$/, limit: 8 * KB },
  { what: "the method page", files: /^method\.html$/, limit: 16 * KB },
];

const options = { params: { [constants.BROTLI_PARAM_QUALITY]: 11 } };
const names = await readdir(folder);
const bytes = new Map();
for (const name of names.filter((name) => PARTS.some(({ files }) => files.test(name)))) bytes.set(name, brotliCompressSync(await readFile(path.join(folder, name)), options).length);

let failed = 0;
for (const { what, files, limit, largest } of PARTS) {
  const sizes = [...bytes].filter(([name]) => files.test(name)).map(([, size]) => size);
  const size = largest ? Math.max(...sizes) : sizes.reduce((sum, size) => sum + size, 0);
  const holds = sizes.length > 0 && size <= limit;
  failed += holds ? 0 : 1;
  console.log(`${holds ? "ok      " : "FAILED  "}${(size / KB).toFixed(1).padStart(7)} of ${String(limit / KB).padStart(3)} KB  ${what}`);
}
process.exit(failed ? 1 : 0);
