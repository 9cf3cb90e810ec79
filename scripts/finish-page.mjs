// Finishes a built page: node scripts/finish-page.mjs FOLDER [FIRST_VIEW METHOD]
// Gives its own files one version in their names, writes hashes and the Content-Security-Policy, puts the page's own styles and
// scripts in place of Trunk's, and writes the method page and the service worker. Takes what build-page.sh makes, what Trunk makes, with
// the first view and the method that first-view.sh makes, and its own output, which has them.
import { createHash } from "node:crypto";
import { readFile, readdir, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { fileURLToPath } from "node:url";

/** Its inline script and styles are let in by their hashes. */
const policy = (script, style) => [
  "default-src 'none'",
  `script-src 'self' ${script} 'wasm-unsafe-eval'`,
  `style-src 'self' ${style}`,
  "img-src 'self' data: blob:",
  "connect-src 'self' https: http://127.0.0.1:* http://localhost:*",
  "worker-src 'self'",
  "manifest-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
].join("; ");
/** What the code of a page is called when it is built; Trunk puts a hash in between. */
const PARTS = {
  page: /^page(-[0-9a-f]+)?\.js$/,
  pageWasm: /^page(-[0-9a-f]+)?_bg\.wasm$/,
  frame: /^frame(-[0-9a-f]+)?\.js$/,
  frameWasm: /^frame(-[0-9a-f]+)?_bg\.wasm$/,
  worker: /^worker(-[0-9a-f]+)?\.js$/,
  workerWasm: /^worker(-[0-9a-f]+)?_bg\.wasm$/,
};
/** The modules of the kernels, and what their files are called. */
const KERNELS = ["kernel-simd", "kernel-relaxed", "kernel-simd-threads", "kernel-relaxed-threads"];
const KERNEL_FILES = Object.fromEntries(KERNELS.map((name) => [name, new RegExp(`^${name}(-[0-9a-f]{12})?\\.wasm$`)]));
/** The parts of the styles, scripts/page/styles, in their order; they become part of index.html. */
const STYLES = [
  "base",
  "first-view",
  "page",
  "controls",
  "results",
  "words",
  "figure",
  "narrow",
  "embed",
  "export",
  "storage",
  "figure-tools",
  "prompt-list",
  "print",
  "sentence",
  "answer",
  "cards",
  "consequences",
  "interventions",
  "forced-colors",
];
const INLINE_STYLE = /<style>([\s\S]*?)<\/style>\s*/;
/** The page that says what is computed; src/app/method.rs leads to it. */
const METHOD = "method.html";
/** What is written anew, or not needed: Trunk's loader. */
const REPLACED = /^(worker(-[0-9a-f]+)?_loader\.js|kernel-thread-[0-9a-f]+\.js|service-worker\.js)$/;
/** What the page does not need: descriptions of folders for people, and licences. */
const NOT_KEPT = /(^|\/)(README\.md|THIRD-PARTY\.txt)$/;
/** What index.html has for the view that stands there until the page has started. */
const FIRST_VIEW = /(<div class="first-view" id="first-view">)[\s\S]*?(<\/div>\s*<noscript id="after-first-view">)/;
/** Its place while there is none. */
const NO_FIRST_VIEW = /id="first-view"><\/div>/;
/** Where the text begins that this script appends to the output of wasm-bindgen. */
const SEAM = "\n// keyside: starts ";

const templates = path.join(path.dirname(fileURLToPath(import.meta.url)), "page");
const template = (name) => readFile(path.join(templates, name), "utf8");
/** The parts of the styles that are named, as one text. */
const styles = async (names) => (await Promise.all(names.map((name) => template(`styles/${name}.css`)))).join("\n");
const integrityOf = (content) => `sha384-${createHash("sha384").update(content).digest("base64")}`;

/** `text` as the content of an element `tag`, which its end tag would end. */
function inline(tag, text) {
  if (text.toLowerCase().includes(`</${tag}`)) throw new Error(`what goes into <${tag}> contains </${tag}`);
  return `<${tag}>${text}</${tag}>`;
}

/** Every file below `folder`, relative to it, with slashes, sorted. */
async function list(folder) {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile());
  return files.map((entry) => path.relative(folder, path.join(entry.parentPath, entry.name)).split(path.sep).join("/")).sort();
}

/** The page's own text without what Trunk, build-page.sh or this script have put in. */
function plain(html) {
  return html
    .replace(/<script\b[^>]*>[\s\S]*?<\/script>\s*/g, "")
    .replace(/<meta\b[^>]*(http-equiv="Content-Security-Policy"|name="keyside-worker")[^>]*>\s*/g, "")
    .replace(/<link\b[^>]*rel="?(modulepreload|expect)"?[^>]*>\s*/g, "")
    .replace(/<link\b[^>]*rel="?preload"?[^>]*\.wasm[^>]*>\s*/g, "")
    .replace(/\s*<\/(head|body)>/g, "\n  </$1>");
}

/** The page's text with the policy first, and its own parts: what starts it comes after what is seen before. */
function page(html, { start, style, worker }) {
  const content = policy(`'${integrityOf(start)}'`, `'${integrityOf(style)}'`);
  // Inline, so that a slow machine has nothing to wait for before it can show the first view. The script comes first: it says
  // when the rest does not load.
  const parts = [
    `<meta name="keyside-worker" content="./${worker.name}" />`,
    inline("script", start),
    inline("style", style),
    // The first frame has the whole first view.
    `<link rel="expect" href="#after-first-view" blocking="render" />`,
  ];
  const head = /<head>\s*/;
  for (const tag of ["<head>", "</head>", "</body>"]) if (!html.includes(tag)) throw new Error(`index.html has no ${tag}`);
  checkPlain(html);
  return html
    .replace(head, () => `<head>\n    <meta http-equiv="Content-Security-Policy" content="${content}" />\n    `)
    .replace(/\s*<\/head>/, () => `\n    ${parts.join("\n    ")}\n  </head>`);
}

/** Fails where the page's own text has a script or a style, which the policy forbids. */
function checkPlain(html, name = "index.html") {
  if (/<script\b|<style\b|\sstyle=|\son[a-z]+=|javascript:|data-trunk/i.test(html)) {
    throw new Error(`${name} has a script or a style of its own, an inline handler or a link of Trunk's`);
  }
}

/** The page of the `method`, HTML, with the first part of the styles (colors, sizes, what all text has); it runs nothing but its own inline script, and talks to nobody. */
async function methodPage(method) {
  const html = (await template("method.html")).replace("__METHOD__", () => method);
  checkPlain(html, METHOD);
  const [script, own] = [await template("method.js"), `${await styles(STYLES.slice(0, 1))}\n${await template("method.css")}`];
  const content = `default-src 'none'; script-src '${integrityOf(script)}'; style-src '${integrityOf(own)}'; img-src 'self'; base-uri 'none'; form-action 'none'`;
  return html
    .replace("<head>", () => `<head>\n    <meta http-equiv="Content-Security-Policy" content="${content}" />`)
    .replace(/\s*<\/head>/, () => `\n    ${inline("script", script)}\n    ${inline("style", own)}\n  </head>`);
}

/** The text that wasm-bindgen wrote, without what this script has appended. */
function glue(text) {
  const bare = text.split(SEAM)[0].trimEnd();
  if (/^\s*import\b[^(]/m.test(bare) || /from\s+["']\.\/snippets/.test(bare)) {
    throw new Error("wasm-bindgen's script imports other scripts, whose integrity can't be checked");
  }
  return bare;
}

/** Finishes the page in `folder`, with the HTML `firstView` and `method` where it has none yet; answers its version. */
export async function finish(folder, firstView, method) {
  const at = (name) => path.join(folder, name);
  const built = await list(folder);
  const content = {};
  for (const [part, pattern] of Object.entries({ ...PARTS, ...KERNEL_FILES })) {
    const found = built.filter((name) => pattern.test(name));
    if (found.length !== 1) throw new Error(`${folder} has ${found.length} files ${pattern}; expected one`);
    content[part] = await readFile(at(found[0]));
    await rm(at(found[0]));
  }
  const index = await readFile(at("index.html"), "utf8");
  const text = {
    html: plain(index.replace(INLINE_STYLE, "")),
    page: glue(content.page.toString()),
    frame: glue(content.frame.toString()),
    worker: glue(content.worker.toString()),
    start: await template("start.js"),
    style: await styles(STYLES),
    pageEnd: await template("page-end.js"),
    workerEnd: await template("worker-end.js"),
    // A worker's script imports none, whose integrity could not be checked.
    kernel: (await template("kernel.js")).replace(/^export /gm, ""),
    kernelThread: await template("kernel-thread.js"),
    diagnose: (await template("diagnose.js")).trimEnd(),
    serviceWorker: await template("service-worker.js"),
  };
  text.start = text.start.replace("__DIAGNOSE__", () => text.diagnose);
  if (!FIRST_VIEW.test(text.html)) throw new Error("index.html has no place for the first view");
  if (firstView) text.html = text.html.replace(FIRST_VIEW, (_, start, end) => `${start}${firstView}${end}`);
  if (NO_FIRST_VIEW.test(text.html)) throw new Error("which first view? scripts/first-view.sh makes it");
  if (method) {
    await writeFile(at(METHOD), await methodPage(method));
    if (!built.includes(METHOD)) built.push(METHOD);
    built.sort();
  }
  if (!built.includes(METHOD)) throw new Error("which method? scripts/first-view.sh makes it");
  const own = [/^index\.html$/, REPLACED, NOT_KEPT, ...Object.values(PARTS), ...Object.values(KERNEL_FILES)];
  const served = built.filter((name) => !own.some((pattern) => pattern.test(name)));
  const others = await Promise.all(served.map(async (name) => [name, await readFile(at(name))]));
  for (const name of built) if (REPLACED.test(name)) await rm(at(name));

  const hash = createHash("sha256").update(policy("", ""));
  const all = [...Object.entries(text), ...["pageWasm", "frameWasm", "workerWasm", ...KERNELS].map((part) => [part, content[part]]), ...others];
  for (const [name, bytes] of all) hash.update(`\0${name}\0${bytes.length}\0`).update(bytes);
  const version = hash.digest("hex").slice(0, 12);

  const files = [];
  const write = async (name, bytes) => {
    await writeFile(at(name), bytes);
    return { name, integrity: integrityOf(bytes) };
  };
  /** Writes what the service worker caches, too. */
  const add = async (name, bytes) => {
    const file = await write(name, bytes);
    files.push(file);
    return file;
  };
  const started = (script, end, wasm) =>
    `${script}\n${end.replaceAll("__WASM__", wasm.name).replaceAll("__INTEGRITY__", wasm.integrity)}`;
  const pageWasm = await add(`page-${version}_bg.wasm`, content.pageWasm);
  const workerWasm = await add(`worker-${version}_bg.wasm`, content.workerWasm);
  const kernels = {};
  for (const name of KERNELS) {
    const file = await add(`${name}-${version}.wasm`, content[name]);
    kernels[name] = [file.name, file.integrity];
  }
  const thread = await add(`kernel-thread-${version}.js`, text.kernelThread);
  const workerEnd = text.workerEnd
    .replace("__KERNEL__", () => text.kernel)
    .replace("__DIAGNOSE__", () => text.diagnose)
    .replace("__KERNELS__", JSON.stringify(kernels))
    .replace("__THREAD__", thread.name);
  const script = await add(`page-${version}.js`, started(text.page, text.pageEnd, pageWasm));
  // Whoever has a service worker has the page, which can do what the frame does.
  const frameWasm = await write(`frame-${version}_bg.wasm`, content.frameWasm);
  const frame = await write(`frame-${version}.js`, started(text.frame, text.pageEnd, frameWasm));
  const scripts = Object.fromEntries(Object.entries({ page: script, frame }).map(([name, file]) => [name, [`./${file.name}`, file.integrity]]));
  const html = page(text.html, {
    start: text.start.replace("__SCRIPTS__", () => JSON.stringify(scripts)),
    style: text.style,
    worker: await add(`worker-${version}.js`, started(text.worker, workerEnd, workerWasm)),
  });
  await writeFile(at("index.html"), html);
  files.push({ name: "./", integrity: integrityOf(html) });
  for (const [name, bytes] of others) files.push({ name, integrity: integrityOf(bytes) });
  const rows = files.map(({ name, integrity }) => `  ${JSON.stringify([name, integrity])},`).join("\n");
  await writeFile(at("service-worker.js"), text.serviceWorker.replace("__VERSION__", version).replace("__FILES__", () => `[\n${rows}\n]`));
  return version;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  try {
    const [folder, ...made] = process.argv.slice(2);
    if (!folder) throw new Error("which folder? node scripts/finish-page.mjs FOLDER [FIRST_VIEW METHOD]");
    const version = await finish(folder, ...(await Promise.all(made.map((file) => readFile(file, "utf8")))));
    console.error(`keyside: ${folder} is version ${version}`);
  } catch (error) {
    console.error(`keyside: error: ${error.message}`);
    process.exit(1);
  }
}
