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

/** Every array of a result file, by name. */
export function arrays(result) {
  const found = {};
  for (const [plot, { series }] of Object.entries(result.histograms).filter(([, plot]) => plot.series)) {
    for (const [label, values] of Object.entries(series)) found[`${plot}/${label}`] = values;
  }
  found.true_score = result.histograms.true_score;
  found.true_prob = result.histograms.true_prob;
  for (const [name, heatmap] of Object.entries(result.heatmaps)) {
    found[`${name}/values`] = heatmap.values;
    found[`${name}/sum`] = heatmap.sum;
    found[`${name}/mean_score`] = heatmap.mean_score;
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
    if (kind === "heat" && plot === "key") expected["key/values"] = meanOverPrompts(data, shape);
  }
  return expected;
}

/** `[rows, columns, prompts]` averaged over prompts; `[rows, columns]` as it is. */
function meanOverPrompts(data, shape) {
  if (shape.length === 2) return data;
  const prompts = shape[2];
  const means = [];
  for (let start = 0; start < data.length; start += prompts) {
    means.push(data.slice(start, start + prompts).reduce((sum, value) => sum + value, 0) / prompts);
  }
  return means;
}
