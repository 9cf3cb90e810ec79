// Result files and golden arrays, number by number.
import { check } from "./harness.mjs";

/** Largest |a - b| over two arrays of numbers of the same shape; NaN counts as infinite. */
export function largestDifference(a, b) {
  const [left, right] = [a, b].map((array) => [array].flat(Infinity));
  check(left.length === right.length && left.length > 0, `${left.length} values against ${right.length}`);
  let largest = 0;
  left.forEach((value, index) => {
    const difference = Math.abs(value - right[index]);
    largest = difference <= largest ? largest : Number.isNaN(difference) ? Infinity : difference;
  });
  return largest;
}

/** Every heatmap of a result file by name, facets as "key_split/q par k par". */
export function heatmaps(result) {
  return Object.entries(result.heatmaps).flatMap(([name, heatmap]) =>
    heatmap.facets ? Object.entries(heatmap.facets).map(([facet, of]) => [`${name}/${facet}`, of]) : [[name, heatmap]],
  );
}

/** The order of facets in the golden files. */
const FACETS = ["q par k par", "q par k perp", "q perp k par", "q perp k perp"];

/** Every array of a result file, by name. */
export function arrays(result) {
  const found = {};
  for (const [plot, { series }] of Object.entries(result.histograms).filter(([, plot]) => plot.series)) {
    for (const [label, values] of Object.entries(series)) found[`${plot}/${label}`] = values;
  }
  found.true_score = result.histograms.true_score;
  found.true_prob = result.histograms.true_prob;
  for (const [name, heatmap] of heatmaps(result)) {
    found[`${name}/values`] = heatmap.values;
    found[`${name}/sum`] = heatmap.sum;
    found[`${name}/mean_score`] = heatmap.mean_score;
    if (heatmap.per_prompt) found[`${name}/per_prompt`] = heatmap.per_prompt;
  }
  return found;
}

/** Compares every array of `expected` with that of `found`, prints the largest differences, fails beyond `tolerance`. */
export function compare(found, expected, tolerance) {
  const beyond = [];
  for (const [name, values] of Object.entries(expected)) {
    check(name in found, `the result has no ${name}`);
    const difference = largestDifference(found[name], values);
    console.log(`        ${name.padEnd(52)} largest difference ${difference.toExponential(2)}`);
    if (!(difference <= tolerance)) beyond.push(name);
  }
  check(beyond.length === 0, `beyond ${tolerance}: ${beyond.join(", ")}`);
}

/** The golden file's arrays for `head`, under the names of [`arrays`]. */
export function goldenArrays(golden, head) {
  const plots = {
    q_scores: "keys_fixed_scores",
    q_probs: "keys_fixed_probs",
    k_scores: "queries_fixed_scores",
    k_probs: "queries_fixed_probs",
  };
  const expected = {};
  for (const [name, { data, shape }] of Object.entries(golden.arrays)) {
    const [kind, of, ...rest] = name.split("/");
    if (of !== head) continue;
    const [plot, label] = [rest[0], rest.slice(1).join("/")];
    if (kind === "hist" && plots[plot]) expected[`${plots[plot]}/${label}`] = data;
    if (kind === "hist" && plot === "true" && label === "score") expected.true_score = data;
    if (kind === "hist" && plot === "true" && label === "prob") expected.true_prob = data;
    if (kind === "heat" && !plot.startsWith("true")) Object.assign(expected, heatmapMeans(plot, data, shape, label === "mean"));
  }
  return expected;
}

/** Means of heatmap `name`, or of its four facets, from `[rows, columns]` (`averaged`) or `[rows, columns, prompts]`. */
function heatmapMeans(name, data, shape, averaged) {
  const prompts = averaged ? 1 : shape.at(-1);
  const means = [];
  for (let start = 0; start < data.length; start += prompts) {
    means.push(data.slice(start, start + prompts).reduce((sum, value) => sum + value, 0) / prompts);
  }
  if (!name.includes("split")) return { [`${name}/values`]: means };
  const size = means.length / FACETS.length;
  return Object.fromEntries(FACETS.map((facet, index) => [`${name}/${facet}/values`, means.slice(index * size, (index + 1) * size)]));
}
