// Makes the package of public/keyside-plot.js: node npm/build.mjs FOLDER. The element has one source; what is added is the module around it.
import { copyFile, mkdir, readFile, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { fileURLToPath } from "node:url";

const here = path.dirname(fileURLToPath(import.meta.url));
const root = path.join(here, "..");
const read = (name) => readFile(path.join(root, name), "utf8");

/** The only text that both groups of names have: what is in the first and not in the second. */
const without = (names, others) => names.filter((name) => !others.includes(name));

/** Names of figures in docs/embedding.md, in the row of the attribute `plot`. */
const documented = (text) => {
  const row = text.split("\n").find((line) => line.startsWith("| `plot` |"));
  return [...new Set([...row.split("|")[2].matchAll(/`([a-z_]+)`/g)].map((match) => match[1]))];
};

/** The module: the element's script is one expression, whose value is the class. */
export function moduleOf(element) {
  const start = element.indexOf("(() => {");
  const end = element.lastIndexOf("})();");
  if (start < 0 || end < start || !/return customElements\.get\("keyside-plot"\);\s*$/.test(element.slice(start, end))) {
    throw new Error("public/keyside-plot.js is no single function that answers the class");
  }
  return `// <keyside-plot> as a module: made of public/keyside-plot.js by npm/build.mjs.
/** The class of the element, which importing this defines; undefined where there is no document, as on a server. */
export const KeysidePlot = typeof document === "undefined" ? undefined : ${element.slice(start, end)}})();
`;
}

/** What is added to the element. */
const PLOT = `
/** Attributes of the element among the options of plot(). */
const ATTRIBUTES = ["plot", "src", "controls", "theme", "state", "label", "app"];
let app;

/** Where the app is, for all figures that do not say it themselves. */
export function setApp(address) {
  app = String(address);
}

/**
 * A figure: the element, to be put into a page, or in \`target\` already, which is an element or a selector.
 */
export function plot(target, options) {
  const isTarget = typeof target === "string" || target instanceof Element;
  const { result, ...attributes } = (isTarget ? options : target) ?? {};
  const where = attributes.app ?? app;
  if (where === undefined) throw new Error("Say where keyside is: plot({ app: \\"https://…/keyside/\\" }), or setApp(\\"https://…/keyside/\\") once for all.");
  const unknown = Object.keys(attributes).find((name) => !ATTRIBUTES.includes(name));
  if (unknown !== undefined) throw new Error(\`plot() knows no option \${unknown}; there are \${[...ATTRIBUTES, "result"].join(", ")}.\`);
  const element = document.createElement("keyside-plot");
  for (const [name, value] of Object.entries({ ...attributes, app: where })) {
    if (value !== undefined && value !== null) element.setAttribute(name, Array.isArray(value) ? value.join() : String(value));
  }
  if (result !== undefined) element.result = result;
  if (isTarget) {
    const place = typeof target === "string" ? document.querySelector(target) : target;
    if (!place) throw new Error(\`There is no element \${target} to put a figure into.\`);
    place.append(element);
  }
  return element;
}
`;

async function build(folder) {
  const [element, types, embedding, cargo] = await Promise.all(["public/keyside-plot.js", "npm/index.d.ts", "docs/embedding.md", "Cargo.toml"].map(read));
  const listed = [...types.match(/export type Figure =([^;]+);/)[1].matchAll(/"([a-z_]+)"/g)].map((match) => match[1]);
  const known = documented(embedding);
  const wrong = [...without(listed, known), ...without(known, listed)];
  if (wrong.length) throw new Error(`npm/index.d.ts and docs/embedding.md name other figures: ${wrong.join(", ")}`);
  const version = cargo.match(/^version = "(.+)"$/m)[1];
  const description = { ...JSON.parse(await read("npm/package.json")), version };
  delete description.private;
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
  await writeFile(path.join(folder, "index.js"), `${moduleOf(element)}${PLOT}\nexport const version = ${JSON.stringify(version)};\n`);
  await writeFile(path.join(folder, "package.json"), `${JSON.stringify(description, null, 2)}\n`);
  for (const name of ["npm/index.d.ts", "npm/README.md", "LICENSE-MIT", "LICENSE-APACHE", "public/keyside-plot.js"]) {
    await copyFile(path.join(root, name), path.join(folder, path.basename(name)));
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  if (process.argv.length !== 3) throw new Error("into which folder? node npm/build.mjs FOLDER");
  await build(path.resolve(process.argv[2]));
}
