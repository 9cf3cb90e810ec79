// Everything that can be taken along, opened and compared with the data.
import { execFile } from "node:child_process";
import { access, mkdtemp, readFile, readdir, rm, writeFile } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { promisify } from "node:util";

import { check, root, target, until } from "./harness.mjs";
import { numbers, readCsv, readMarkdown, same } from "./tables.mjs";
import { inVersion1 } from "./version_1.mjs";

const HISTOGRAMS = ["keys_fixed_scores", "keys_fixed_probs", "queries_fixed_scores", "queries_fixed_probs"];
const FIGURES = [...HISTOGRAMS, "heatmap"];
const RECORDED = path.join(root, "public/recorded/gpt2-small-10.7.json");
const CACHE = process.env.KEYSIDE_CACHE ?? path.join(process.env.XDG_CACHE_HOME ?? path.join(os.homedir(), ".cache"), "keyside");
const PYTHON = process.env.KEYSIDE_PYTHON ?? path.join(CACHE, "python/bin/python");
const CLIPBOARD = { permissions: ["clipboard-read", "clipboard-write"] };

const execute = promisify(execFile);
const recorded = async () => JSON.parse(await readFile(RECORDED, "utf8"));
/** The tables behind a figure, by what is said above them. */
const CAPTIONS = {
  keys_fixed_scores: () => [
    "Statistics of each series over all prompts.",
    "Each series minus each later one, prompt by prompt: mean, standard deviation, 95 % interval of the mean (Student's t), effect size (mean / standard deviation of the differences), and in how many prompts it is larger or smaller.",
    "Number of values of each series in each bin, from its lower edge up to its upper edge.",
    "The value of each prompt in each series.",
    "The values beyond the whiskers.",
  ],
  heatmap: ({ heatmaps: { key } }) => [
    `A row per layer, a column per component. The row misc holds W_E, W_pos, b_K. The sum of all is ${key.sum}.`,
    "A row per component, with its share of the sum of all.",
  ],
};
/** What the names of a figure's files begin with. */
const stem = (figure) => (figure === "heatmap" ? "heatmap_key" : figure);

/** Runs `keyside plot` and answers what it wrote: name to bytes. */
async function plot(result, ...options) {
  const folder = await mkdtemp(path.join(os.tmpdir(), "keyside-plot-"));
  try {
    await execute(path.join(target, "release/keyside"), ["plot", result, "--out", folder, ...options]);
    const names = await readdir(folder);
    return Object.fromEntries(await Promise.all(names.map(async (name) => [name, await readFile(path.join(folder, name))])));
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** Opens a figure's export menu, if it is not open. */
async function openMenu(tab, figure) {
  const button = tab.at(`figure-${figure}`).getByTestId("export-button");
  if ((await button.getAttribute("aria-expanded")) === "false") await button.click();
}

/** Chooses `action` in a figure's export menu. */
async function choose(tab, figure, action) {
  await openMenu(tab, figure);
  await tab.at(`figure-${figure}`).getByTestId(`export-${action}`).click();
}

/** Waits until a figure's menu says that it has done something, and answers what. */
async function said(tab, figure, pattern) {
  const status = tab.at(`figure-${figure}`).getByTestId("export-status").filter({ hasText: pattern });
  await status.waitFor({ state: "attached" });
  return status.innerText();
}

/** The file that `action` saves. */
async function saved(tab, figure, action) {
  // A pause and no condition: Chromium drops downloads beyond ten in a second, and tells nobody when the second is over.
  await tab.page.waitForTimeout(120);
  const [download] = await Promise.all([tab.page.waitForEvent("download"), choose(tab, figure, action)]);
  const chunks = [];
  for await (const chunk of await download.createReadStream()) chunks.push(chunk);
  const name = download.suggestedFilename();
  await said(tab, figure, `Saved ${name}.`);
  return { name, bytes: Buffer.concat(chunks), text: Buffer.concat(chunks).toString() };
}

/** The text that `action` copies. */
async function copied(tab, figure, action) {
  await choose(tab, figure, action);
  await said(tab, figure, /^Copied/);
  return tab.page.evaluate(() => navigator.clipboard.readText());
}

/** Size and number of colours of a PNG. */
function decode(tab, base64) {
  return tab.page.evaluate(async (data) => {
    const bytes = Uint8Array.from(atob(data), (c) => c.charCodeAt(0));
    const picture = await createImageBitmap(new Blob([bytes], { type: "image/png" }));
    const context = new OffscreenCanvas(picture.width, picture.height).getContext("2d");
    context.drawImage(picture, 0, 0);
    const pixels = new Uint32Array(context.getImageData(0, 0, picture.width, picture.height).data.buffer);
    const corner = [...new Uint8Array(pixels.buffer, 0, 3)];
    return { width: picture.width, height: picture.height, colours: new Set(pixels).size, corner };
  }, base64);
}

/** The rectangles of an SVG, and its texts. */
function readSvg(tab, text) {
  return tab.page.evaluate((svg) => {
    const document = new DOMParser().parseFromString(svg, "image/svg+xml");
    if (document.querySelector("parsererror")) throw new Error("the SVG is not XML");
    const rects = [...document.querySelectorAll("rect")].map((rect) => ({ fill: rect.getAttribute("fill"), opacity: Number(rect.getAttribute("opacity") ?? 1) }));
    const { width, height } = document.documentElement;
    return { rects, texts: [...document.querySelectorAll("text")].map((text) => text.textContent.trim()), size: [width.baseVal.value, height.baseVal.value] };
  }, text);
}

/** Runs a script beside the result file `result` of the name `name`, and answers what it drew. */
async function runPython(script, name, result) {
  await access(PYTHON).catch(() => {
    throw new Error(`there is no Python with matplotlib at ${PYTHON}: run scripts/setup.sh python`);
  });
  const folder = await mkdtemp(path.join(os.tmpdir(), "keyside-python-"));
  try {
    await writeFile(path.join(folder, name), result);
    await writeFile(path.join(folder, "figure.py"), script);
    const { stdout } = await execute(PYTHON, [path.join(root, "tests/e2e/drawn.py"), "figure.py"], { cwd: folder, maxBuffer: 64 << 20 });
    const pictures = (await readdir(folder)).filter((file) => file.endsWith(".png"));
    check(pictures.length === 1, `the script saved ${pictures}`);
    return JSON.parse(stdout);
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** Compares bars and boxes that Python drew with the tables `bins` and `statistics`. */
function compareHistogram(drawn, bins, statistics) {
  const [boxes, bars] = drawn.axes;
  const shown = statistics.rows.filter((row) => row.shown === "yes");
  const labels = shown.map((row) => row.series);
  check(bars.series.map((series) => series.label).join() === labels.join(), `Python draws ${bars.series.map((series) => series.label)}, we ${labels}`);
  check(drawn.legend.join() === labels.join(), `legend ${drawn.legend}`);
  let counted = 0;
  for (const series of bars.series) {
    const heights = series.bars.map(([, , height]) => height);
    check(same(heights, numbers(bins, series.label)), `other counts of ${series.label}`);
    const near = (a, b) => a.every((value, index) => Math.abs(value - b[index]) < 1e-9);
    check(near(series.bars.map(([x]) => x), numbers(bins, "from")), `other edges of ${series.label}`);
    check(near(series.bars.map(([x, width]) => x + width), numbers(bins, "to")), `other widths of ${series.label}`);
    counted += heights.reduce((sum, height) => sum + height, 0);
  }
  shown.forEach((row, index) => {
    const [left, right, , , box, median, outliers] = boxes.lines.slice(7 * index, 7 * index + 7);
    const expected = ["lower whisker", "first quartile", "third quartile", "upper whisker", "median"].map((name) => Number(row[name]));
    const found = [...left, ...right, median[0]];
    check(found.every((value, place) => Math.abs(value - expected[place]) < 1e-9 * Math.max(1, Math.abs(value))), `box of ${row.series}: ${found} instead of ${expected}`);
    check(outliers.length === Number(row.outliers) && box.length === 11, `${outliers.length} outliers of ${row.series}`);
  });
  return counted;
}

/** Compares the image that Python drew with the table `cells`. */
function compareHeatmap(drawn, cells) {
  const [{ images, ticks, texts }] = drawn.axes;
  const [columns, rows] = ticks;
  check(columns.join() === cells.columns.slice(1).join(), `columns ${columns}`);
  check(rows.join() === cells.rows.map((row) => row.layer).join(), `rows ${rows}`);
  const expected = cells.rows.flatMap((row) => columns.map((column) => (row[column] === "" ? null : Number(row[column]))));
  const found = images[0].cells.flat();
  check(found.length === expected.length && found.every((value, index) => value === expected[index]), "the image has other cells");
  const limit = Math.max(...expected.map((value) => Math.abs(value ?? 0)));
  check(same(images[0].limits, [-limit, limit]), `the scale goes from ${images[0].limits}`);
  check(texts.length === expected.filter((value) => value !== null).length, `${texts.length} labels`);
  return texts;
}

/** Compares the tables of a figure with the result. */
async function compareTables(tab, figure, result) {
  const table = async (name) => {
    const file = await saved(tab, figure, `csv-${name}`);
    check(file.name.endsWith(`${result.head}-${stem(figure)}-${name}.csv`), file.name);
    return readCsv(file.text);
  };
  const [markdown] = readMarkdown((await saved(tab, figure, "markdown")).text);
  if (figure === "heatmap") {
    const heatmap = result.heatmaps.key;
    const cells = await table("cells");
    check(JSON.stringify(markdown) === JSON.stringify(cells), "Markdown and CSV differ");
    heatmap.columns.forEach((column, index) => {
      const expected = heatmap.values.map((row) => row[index]).filter((_, row) => heatmap.rows[row] !== "misc" || index < 3);
      const found = numbers(cells, column).filter((value) => !Number.isNaN(value));
      check(same(found, expected), `column ${column} differs`);
    });
    const components = await table("components");
    check(components.rows.length === (heatmap.rows.length - 1) * heatmap.columns.length + 3, `${components.rows.length} components`);
    if (heatmap.per_prompt) {
      const prompts = await table("prompts");
      check(prompts.rows.length === result.batch_size && prompts.rows[0].text === result.prompts[0].text, "other prompts");
      const [last, mlp] = [heatmap.rows.length - 1, heatmap.columns.indexOf("MLP")];
      check(same(numbers(prompts, `MLP${heatmap.rows[last]}`), heatmap.per_prompt.map((cells) => cells[last][mlp])), "other contributions of the last MLP");
      check(same(numbers(prompts, "W_pos"), heatmap.per_prompt.map((cells) => cells[0][1])), "other contributions of W_pos");
    }
    return;
  }
  const series = { ...result.histograms[figure].series };
  const truth = result.histograms[figure.endsWith("scores") ? "true_score" : "true_prob"] ?? [];
  if (truth.length) series[figure.endsWith("scores") ? "true score" : "true probability"] = truth;
  const values = await table("values");
  const bins = await table("bins");
  const statistics = await table("statistics");
  const outliers = await table("outliers");
  check(JSON.stringify(markdown) === JSON.stringify(statistics), "Markdown and CSV differ");
  check(statistics.rows.length === Object.keys(series).length, `${statistics.rows.length} series`);
  for (const [label, expected] of Object.entries(series)) {
    check(same(numbers(values, label), expected), `the values of ${label} differ`);
    check(numbers(bins, label).reduce((sum, count) => sum + count, 0) === expected.length, `bins lose values of ${label}`);
    const row = statistics.rows.find(({ series }) => series === label);
    const mean = expected.reduce((sum, value) => sum + Math.fround(value), 0) / expected.length;
    check(Math.abs(Number(row.mean) - mean) < 1e-9 && Number(row.count) === expected.length, `the mean of ${label} is ${row.mean}`);
    check(Math.fround(row.min) === Math.fround(Math.min(...expected)) && Math.fround(row.max) === Math.fround(Math.max(...expected)), `range of ${label}`);
    const beyond = expected.filter((value) => Math.fround(value) < Number(row["lower whisker"]) || Math.fround(value) > Number(row["upper whisker"]));
    check(same(numbers({ rows: outliers.rows.filter(({ series }) => series === label) }, "value"), beyond), `outliers of ${label}`);
  }
  if (result.prompts?.length) check(values.rows.every((row, index) => row.text === result.prompts[index].text), "other prompts");
}

/** Runs the command line's scripts for heatmaps of every kind, of the mean and of one prompt. */
async function compareHeatmaps(text) {
  const folder = await mkdtemp(path.join(os.tmpdir(), "keyside-result-"));
  try {
    const file = path.join(folder, "r.json");
    await writeFile(file, text);
    const names = Object.entries(inVersion1(JSON.parse(text)).heatmaps).flatMap(([name, { facets }]) => (facets ? Object.keys(facets).map((facet) => `${name}/${facet}`) : [name]));
    check(names.length > 8 && names.some((name) => name.includes("/")), `heatmaps ${names}`);
    const figures = names.flatMap((name) => ["--figure", name]);
    for (const options of [[], ["--prompt", "2"]]) {
      const files = await plot(file, "--python", "--csv", ...figures, ...options);
      for (const name of names) {
        const figure = `heatmap_${name.replaceAll(/[^\w.]+/g, "-")}`;
        const script = files[`${figure}.py`].toString().replace(/^RESULT = .*$/m, 'RESULT = "r.json"');
        // Drawing takes some seconds; one of every kind is enough.
        if (!["key", "query_subS1", "key_split/q par k par"].includes(name)) continue;
        const drawn = await runPython(script, "r.json", text);
        compareHeatmap(drawn, readCsv(files[`${figure}-cells.csv`].toString()));
        check(drawn.axes[0].title.includes("prompt 2") === (options.length > 0 && !name.includes("/")), `title ${drawn.axes[0].title}`);
      }
    }
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** A live run on a few prompts, whose values have all their digits. */
async function live(tab) {
  await tab.open();
  await tab.fill({ model: "bundled", batches: 2, size: 5 });
  await tab.run();
}

export const exporting = [
  {
    name: "a picture as PNG: twice the size, not blank, with title, legend and theme",
    async run(tab, { screenshots }) {
      await tab.open();
      for (const figure of FIGURES) {
        const { name, bytes } = await saved(tab, figure, "png");
        check(name === `keyside-gpt-2-small-10.7-${stem(figure)}.png`, name);
        const picture = await decode(tab, bytes.toString("base64"));
        check(picture.width === 2000 && picture.height === 1200, `${figure}: ${picture.width} x ${picture.height}`);
        check(picture.colours > 50 && picture.corner.join() === "255,255,255", `${figure}: ${picture.colours} colours, ${picture.corner}`);
        await writeFile(path.join(screenshots, `export-${figure}.png`), bytes);
      }
      const before = (await saved(tab, "keys_fixed_scores", "png")).bytes;
      // The menu stays open, and lies over the legend.
      await tab.page.keyboard.press("Escape");
      await tab.at("figure-keys_fixed_scores").getByRole("button", { name: "W_U[IO]" }).click();
      const after = (await saved(tab, "keys_fixed_scores", "png")).bytes;
      check(!before.equals(after), "hiding a series changes nothing in the picture");
    },
  },
  {
    name: "a picture as SVG: the bars that there are, and the command line's bytes",
    async run(tab) {
      await tab.open();
      const command = await plot(RECORDED, "--svg", "--csv");
      for (const figure of FIGURES) {
        const { text, bytes } = await saved(tab, figure, "svg");
        const { rects, texts, size } = await readSvg(tab, text);
        check(size.join() === "1000,600", `${figure}: ${size}`);
        check(bytes.equals(command[`${stem(figure)}.svg`]), `${figure}: the command line's SVG is another`);
        if (figure === "heatmap") {
          const cells = readCsv(command["heatmap_key-components.csv"].toString()).rows;
          // The labels of the cells come first; the axes have numbers that look like some of them.
          const labels = cells.map(({ component }) => component);
          check(labels.length === 133 && texts.slice(0, labels.length).join() === labels.join(), `labels ${texts}`);
          check(rects.length > cells.length, `${rects.length} rectangles`);
          continue;
        }
        const bins = readCsv(command[`${figure}-bins.csv`].toString());
        const shown = readCsv(command[`${figure}-statistics.csv`].toString()).rows.filter((row) => row.shown === "yes");
        // A series' bars have one colour, and let others shine through.
        const bars = {};
        for (const { fill } of rects.filter(({ opacity }) => opacity > 0.5 && opacity < 1)) bars[fill] = (bars[fill] ?? 0) + 1;
        const expected = shown.map(({ series }) => numbers(bins, series).filter((count) => count > 0).length);
        for (const count of expected) check(Object.values(bars).includes(count), `${figure}: bars ${Object.values(bars)} instead of ${expected}`);
        check(shown.every(({ series }) => texts.includes(series)), `${figure}: ${texts}`);
      }
    },
  },
  {
    name: "the command line's SVG and script are the page's: series, bins, order, log axis, zoom, another heatmap, in the dark",
    context: { colorScheme: "dark" },
    async run(tab) {
      await tab.open();
      const figure = "keys_fixed_scores";
      const at = (name) => tab.at(`figure-${figure}`).getByTestId(name);
      for (const label of ["W_U[IO]", "W_U[S]"]) await tab.at(`figure-${figure}`).getByRole("button", { name: label }).click();
      await at("bins").selectOption("40");
      await at("order").selectOption("label");
      await at("log-counts").click();
      const canvas = tab.at(`figure-${figure}`).locator("canvas").first();
      await canvas.scrollIntoViewIfNeeded();
      const box = await canvas.boundingBox();
      const drag = [0.4, 0.7].map((part) => [box.x + part * box.width, box.y + 0.7 * box.height]);
      await tab.page.mouse.move(...drag[0]);
      await tab.page.mouse.down();
      await tab.page.mouse.move(...drag[1], { steps: 5 });
      await tab.page.mouse.up();
      await at("reset-zoom").waitFor();
      await tab.at("heatmap-variant").selectOption("key_subWU");
      const script = (await saved(tab, figure, "python")).text;
      const [, from, to] = script.match(/^RANGE = \((.*), (.*)\)$/m);
      check(Number(to) - Number(from) < 12, `not zoomed: ${from} to ${to}`);
      const shown = ["--hide", "W_U[IO]", "--show", "W_U[S]", "--bins", "40", "--order", "label", "--log", "--zoom", `${from}:${to}`];
      const command = await plot(RECORDED, "--svg", "--python", "--theme", "dark", ...shown, "--figure", figure, "--figure", "key_subWU");
      check(script.replace(/^RESULT = .*$/m, "") === command[`${figure}.py`].toString().replace(/^RESULT = .*$/m, ""), "the command line's script is another");
      for (const [name, file] of [[figure, `${figure}.svg`], ["heatmap", "heatmap_key_subWU.svg"]]) {
        const { bytes } = await saved(tab, name, "svg");
        check(bytes.equals(command[file]), `${name}: the command line's SVG is another`);
      }
      const { corner } = await decode(tab, (await saved(tab, figure, "png")).bytes.toString("base64"));
      check(corner.every((channel) => channel < 64), `the picture is not dark: ${corner}`);
    },
  },
  {
    name: "a web page of one file is the command line's, also with a series hidden",
    async run(tab) {
      await tab.open();
      await tab.at("figure-keys_fixed_scores").getByRole("button", { name: "W_U[IO]" }).click();
      for (const figure of ["keys_fixed_scores", "heatmap"]) {
        const { name, bytes } = await saved(tab, figure, "page");
        check(name === `keyside-gpt-2-small-10.7-${stem(figure)}.html`, name);
        const folder = await mkdtemp(path.join(os.tmpdir(), "keyside-page-"));
        try {
          const file = path.join(folder, "figure.html");
          await execute(path.join(target, "release/keyside"), ["plot", RECORDED, "--figure", stem(figure), "--hide", "W_U[IO]", "--html", file]);
          check(bytes.equals(await readFile(file)), `the command line's page of ${figure} is another one`);
        } finally {
          await rm(folder, { recursive: true });
        }
      }
    },
  },
  {
    name: "the menu opens in sight where the window ends",
    async run(tab) {
      for (const size of [{ width: 1280, height: 800 }, { width: 390, height: 844 }, { width: 320, height: 700 }]) {
        await tab.page.setViewportSize(size);
        await tab.open();
        for (const figure of FIGURES) {
          const button = tab.at(`figure-${figure}`).getByTestId("export-button");
          await button.evaluate((element) => element.scrollIntoView({ block: "end" }));
          await button.click();
          const panel = tab.at(`figure-${figure}`).getByRole("group", { name: "Export" });
          const place = () => panel.evaluate((element) => element.getBoundingClientRect().toJSON());
          const { bottom } = await until(tab.page, place, ({ top, bottom }) => top >= 0 && bottom <= size.height, `${figure}: the menu in a window of ${size.height}`);
          const end = await tab.at(`figure-${figure}`).evaluate((element) => element.getBoundingClientRect().bottom);
          check(bottom <= end, `${figure}: the menu ends at ${bottom}, and is cut off at ${end}`);
          await tab.page.keyboard.press("Escape");
        }
      }
    },
  },
  {
    name: "CSV and Markdown of every figure of the recorded run read back to its numbers",
    timeout: 120_000,
    async run(tab) {
      await tab.open();
      const result = await recorded();
      for (const figure of FIGURES) await compareTables(tab, figure, result);
    },
  },
  {
    name: "CSV, Markdown, JSON and Python of a live run have its numbers, to the last bit",
    timeout: 300_000,
    async run(tab) {
      await live(tab);
      const { name, text } = await saved(tab, "heatmap", "result");
      const result = inVersion1(JSON.parse(text));
      const { result: other } = await tab.download();
      check(JSON.stringify(result) === JSON.stringify(other), "two downloads of one result differ");
      for (const figure of FIGURES) {
        await compareTables(tab, figure, result);
        const drawn = await runPython((await saved(tab, figure, "python")).text, name, text);
        if (figure === "heatmap") {
          compareHeatmap(drawn, readCsv((await saved(tab, figure, "csv-cells")).text));
        } else {
          const [bins, statistics] = [await saved(tab, figure, "csv-bins"), await saved(tab, figure, "csv-statistics")];
          const counted = compareHistogram(drawn, readCsv(bins.text), readCsv(statistics.text));
          check(counted >= 10, `${counted} values drawn`);
        }
      }
      await compareHeatmaps(text);
    },
  },
  {
    name: "the result as JSON is the file that was recorded",
    async run(tab) {
      await tab.open();
      const { name, text } = await saved(tab, "keys_fixed_probs", "result");
      check(name === "keyside-gpt-2-small-10.7.json", name);
      const [found, expected] = [inVersion1(JSON.parse(text)), await recorded()];
      check(JSON.stringify(found.histograms.keys_fixed_probs) === JSON.stringify(expected.histograms.keys_fixed_probs), "other values");
      check(JSON.stringify(found.heatmaps.key.values) === JSON.stringify(expected.heatmaps.key.values), "other cells");
    },
  },
  {
    name: "the page's Python scripts redraw the recorded figures with the same numbers, from both versions of the file",
    timeout: 300_000,
    async run(tab) {
      await tab.open();
      const { text: written } = await saved(tab, "heatmap", "result");
      check(JSON.parse(written).format === "keyside-result/2", "not written in version 2");
      const versions = [await readFile(RECORDED), written];
      const tables = await plot(RECORDED, "--csv");
      const table = (name) => readCsv(tables[`${name}.csv`].toString());
      for (const figure of FIGURES) {
        const { name, text } = await saved(tab, figure, "python");
        check(name === `keyside-gpt-2-small-10.7-${stem(figure)}.py`, name);
        for (const result of versions) {
          const drawn = await runPython(text, "keyside-gpt-2-small-10.7.json", result);
          if (figure === "heatmap") {
            const texts = compareHeatmap(drawn, table("heatmap_key-cells"));
            const components = table("heatmap_key-components").rows.map(({ component }) => component);
            check(texts.map(([text]) => text).join() === components.join(), "other labels");
          } else {
            compareHistogram(drawn, table(`${figure}-bins`), table(`${figure}-statistics`));
            check(drawn.axes[1].labels[0] === (figure.endsWith("scores") ? "Attention score" : "Attention probability"), drawn.axes[1].labels[0]);
          }
        }
      }
    },
  },
  {
    name: "the command line's Python scripts: few bins, log axis, zoom, order, dark",
    timeout: 120_000,
    async run() {
      const options = ["--bins", "25", "--log", "--zoom", "-1:3.5", "--order", "label", "--show", "W_U[S]", "--theme", "dark", "--as-in-notebook"];
      const files = await plot(RECORDED, "--python", "--csv", ...options);
      const result = await readFile(RECORDED);
      const table = (name) => readCsv(files[`${name}.csv`].toString());
      for (const figure of FIGURES.map(stem)) {
        const script = files[`${figure}.py`].toString();
        // The script reads what was typed; here it stands in a folder of its own.
        const drawn = await runPython(script.replace(/^RESULT = .*$/m, 'RESULT = "r.json"'), "r.json", result);
        if (figure === "heatmap_key") {
          compareHeatmap(drawn, table(`${figure}-cells`));
          continue;
        }
        const bins = table(`${figure}-bins`);
        check(bins.rows.length <= 27, `${bins.rows.length} bins`);
        compareHistogram(drawn, bins, table(`${figure}-statistics`));
        const [, bars] = drawn.axes;
        // Probabilities all lie within that range: it shows them all.
        const range = figure.endsWith("scores") ? bars.x_limits.join() === "-1,3.5" : bars.x_limits[0] > -1 && bars.x_limits[1] < 1.2;
        check(bars.y_scale === "log" && range, `${bars.y_scale} ${bars.x_limits}`);
        check(bars.background !== "#ffffff", bars.background);
        check(drawn.legend.join() === drawn.legend.toSorted().join(), `not in order: ${drawn.legend}`);
      }
    },
  },
  {
    name: "copies the picture, tables, script and citation to the clipboard",
    context: CLIPBOARD,
    async run(tab) {
      await tab.open();
      const figure = "queries_fixed_scores";
      await choose(tab, figure, "copy-picture");
      await said(tab, figure, "Copied the picture.");
      const base64 = await tab.page.evaluate(async () => {
        const [item] = await navigator.clipboard.read();
        const bytes = new Uint8Array(await (await item.getType("image/png")).arrayBuffer());
        return btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(""));
      });
      const picture = await decode(tab, base64);
      check(picture.width === 2000 && picture.height === 1200 && picture.colours > 50, JSON.stringify(picture));

      const command = await plot(RECORDED, "--markdown", "--python", "--figure", figure);
      check((await copied(tab, figure, "copy-markdown")) === command[`${figure}.md`].toString(), "other tables");
      const script = (await copied(tab, figure, "copy-python")).replace(/^RESULT = .*$/m, "");
      check(script === command[`${figure}.py`].toString().replace(/^RESULT = .*$/m, ""), "another script");

      const today = new Date().toISOString().slice(0, 10);
      const text = await copied(tab, figure, "copy-citation");
      for (const part of ["keyside 0.", "model GPT-2 small", "head 10.7", "1200 prompts", tab.page.url(), today, "arXiv:2211.00593"]) {
        check(text.includes(part), `the citation lacks ${part}: ${text}`);
      }
      const bibtex = await copied(tab, figure, "copy-bibtex");
      check(bibtex.match(/^@\w+\{[\w-]+,$/gm)?.length === 3 && bibtex.includes(`url = {${tab.page.url()}}`) && bibtex.includes(`urldate = {${today}}`), bibtex);
    },
  },
  {
    name: "a clipboard that refuses, or is not there, is said",
    async run(tab) {
      await tab.page.addInitScript(() => {
        const refuse = () => Promise.reject(new DOMException("Write permission denied.", "NotAllowedError"));
        Clipboard.prototype.writeText = refuse;
        Clipboard.prototype.write = refuse;
      });
      await tab.open();
      for (const action of ["copy-picture", "copy-citation"]) {
        await choose(tab, "heatmap", action);
        const text = await said(tab, "heatmap", "did not let this page copy");
        check(text === "the browser did not let this page copy (Write permission denied). Allow it to use the clipboard, or save the file instead.", text);
        await tab.at("figure-heatmap").getByTestId("export-button").click();
      }
      await tab.page.evaluate(() => Object.defineProperty(navigator, "clipboard", { value: undefined }));
      for (const action of ["copy-picture", "copy-markdown"]) {
        await choose(tab, "heatmap", action);
        await said(tab, "heatmap", "gives this page no clipboard");
        await tab.at("figure-heatmap").getByTestId("export-button").click();
      }
    },
  },
  {
    name: "the export menu by keyboard",
    async run(tab) {
      await tab.open();
      const figure = tab.at("figure-keys_fixed_scores");
      const button = figure.getByTestId("export-button");
      await button.focus();
      await tab.page.keyboard.press("Enter");
      check((await button.getAttribute("aria-expanded")) === "true", "Enter does not open it");
      await tab.page.keyboard.press("Tab");
      check(await figure.getByTestId("export-png").evaluate((element) => element === document.activeElement), "Tab does not reach the first action");
      await tab.page.keyboard.press("Tab");
      const [download] = await Promise.all([tab.page.waitForEvent("download"), tab.page.keyboard.press("Enter")]);
      check(download.suggestedFilename().endsWith(".svg"), download.suggestedFilename());
      await said(tab, "keys_fixed_scores", "Saved keyside-gpt-2-small-10.7-keys_fixed_scores.svg.");
      await tab.page.keyboard.press("Escape");
      check((await button.getAttribute("aria-expanded")) === "false", "Escape does not close it");
      check(await button.evaluate((element) => element === document.activeElement), "focus is lost");
      await tab.page.keyboard.press("Enter");
      await tab.at("figure-keys_fixed_probs").getByTestId("export-button").focus();
      check((await button.getAttribute("aria-expanded")) === "false", "it stays open when focus leaves");
    },
  },
  ...[
    ["wide", {}],
    ["wide-dark", { colorScheme: "dark" }],
    ["narrow", { viewport: { width: 320, height: 700 } }],
  ].map(([name, context]) => ({
    name: `the data behind a figure, and its menu: ${name}`,
    context,
    async run(tab, { screenshots }) {
      await tab.open();
      const result = await recorded();
      for (const figure of ["keys_fixed_scores", "heatmap"]) {
        const data = tab.at(`figure-${figure}`).getByTestId("data-table");
        check((await data.locator("table").count()) === 0, "tables are made before they are asked for");
        await data.locator("summary").first().click();
        await data.locator("table").first().waitFor();
        check((await data.locator("table").count()) === 1, "tables are made before they are unfolded");
        const folds = await data.locator("details").all();
        for (const [index, fold] of folds.entries()) {
          check(/\. [\d,]+ rows?$/.test(await fold.locator("summary").innerText()), "what is folded does not say what it has");
          await fold.locator("summary").click();
          await data.locator("table").nth(index + 1).waitFor();
        }
        const captions = await data.locator("table caption").allInnerTexts();
        check(captions.join("|") === CAPTIONS[figure](result).join("|"), `captions ${captions.join("|")}`);
        check(folds.length === captions.length - 1, `${folds.length} folds for ${captions.length} tables`);
        for (const table of await data.locator("table").all()) {
          check((await table.locator("tbody tr").count()) > 0, "a table is empty");
          check((await table.locator("thead th:not([scope=col])").count()) === 0, "a head without scope");
          check((await table.locator("tbody tr").count()) === (await table.locator("tbody th[scope=row]").count()), "a row without its name");
          check((await table.locator("tbody tr").count()) <= 200, "too many rows");
        }
        if (figure === "heatmap") {
          const row = await data.getByTestId("data-cells").locator("tbody tr").nth(3).locator("td").allInnerTexts();
          const expected = result.heatmaps.key.values[3].map((value) => String(value).replace("-", "−"));
          check(row.join() === expected.join(), `${row} instead of ${expected}`);
        } else {
          const values = data.getByTestId("data-values");
          const columns = await values.locator("thead th").allInnerTexts();
          const row = await values.locator("tbody tr").nth(7).locator("th, td").allInnerTexts();
          const expected = ["8", ...columns.slice(1).map((label) => String(result.histograms[figure].series[label][7]).replace("-", "−"))];
          check(row.join() === expected.join(), `${row} instead of ${expected}`);
          check((await data.innerText()).includes("The first 200 of 1,200 rows"), "nothing says that rows are left out");
          // Tables follow the figure, and stay as they are unfolded.
          const hidden = data.getByTestId("data-statistics").locator("td", { hasText: /^no$/ });
          const before = await hidden.count();
          await tab.at(`figure-${figure}`).locator(".legend button").first().click();
          await hidden.nth(before).waitFor();
          check((await data.locator("table").count()) === folds.length + 1, "a table folds up when a series is hidden");
        }
      }
      await openMenu(tab, "keys_fixed_scores");
      const { scroll, width } = await tab.page.evaluate(() => ({ scroll: document.documentElement.scrollWidth, width: document.documentElement.clientWidth }));
      check(scroll <= width, `scrolls sideways: ${scroll} > ${width}`);
      await tab.at("figure-keys_fixed_scores").getByTestId("export-copy-bibtex").scrollIntoViewIfNeeded();
      await tab.page.screenshot({ path: path.join(screenshots, `export-menu-${name}.png`) });
      await tab.at("figure-keys_fixed_scores").getByTestId("data-table").scrollIntoViewIfNeeded();
      await tab.page.screenshot({ path: path.join(screenshots, `export-data-${name}.png`) });
    },
  })),
  {
    name: "where a canvas gives back noise, PNG and clipboard say so and offer SVG",
    context: { permissions: ["clipboard-read", "clipboard-write"] },
    async run(tab, { screenshots }) {
      // As protection against fingerprinting does it: one pixel in some is a little off.
      await tab.page.addInitScript(() => {
        const noise = (canvas) => {
          const copy = document.createElement("canvas");
          [copy.width, copy.height] = [canvas.width, canvas.height];
          const context = copy.getContext("2d");
          context.drawImage(canvas, 0, 0);
          context.fillStyle = "rgb(1 2 3 / 2%)";
          for (let at = 0; at < 20; at += 1) context.fillRect((at * 7) % canvas.width, (at * 13) % canvas.height, 1, 1);
          return copy;
        };
        const { toBlob } = HTMLCanvasElement.prototype;
        HTMLCanvasElement.prototype.toBlob = function (...given) {
          return toBlob.apply(noise(this), given);
        };
      });
      await tab.open();
      const figure = tab.at("figure-heatmap");
      await figure.getByTestId("export-button").click();
      for (const what of ["png", "copy-picture"]) {
        await figure.getByTestId(`export-${what}`).click();
        await figure.getByTestId("export-status").getByText(/changes the pixels that a page reads back.*Save it as SVG instead/).waitFor();
        const [download] = await Promise.all([tab.page.waitForEvent("download"), figure.getByTestId("export-svg-instead").click()]);
        check(download.suggestedFilename().endsWith(".svg"), download.suggestedFilename());
        await figure.getByTestId("export-svg-instead").waitFor({ state: "detached" });
      }
      await tab.page.screenshot({ path: path.join(screenshots, "export-noise.png") });
    },
  },
];

