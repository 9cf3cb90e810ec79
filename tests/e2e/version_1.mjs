// Result files in the names of version 1, in which the tests look at them.

/** The components of no layer in the first columns of row `misc`. */
const MISC = { W_E: 0, W_pos: 1, b_K: 2, b_Q: 2 };

/** Row and column name of a component. */
function place(component) {
  if (component in MISC) return ["misc", MISC[component]];
  const [, mlp, bias, layer, head] = component.match(/^(?:MLP(\d+)|b_O(\d+)|(\d+)\.(\d+))$/);
  return mlp ? [mlp, "MLP"] : bias ? [bias, "b_O"] : [layer, `L.${head}`];
}

/** A heatmap as a table: rows, columns, values, per_prompt. */
function table({ components, mean, per_prompt: perPrompt, ...rest }) {
  const places = components.map(place);
  const rows = [...new Set(places.map(([row]) => row))];
  const columns = [...new Set(places.filter(([row]) => row !== "misc").map(([, column]) => column))];
  const values = (data) => {
    const cells = rows.map(() => columns.map(() => 0));
    places.forEach(([row, column], index) => {
      cells[rows.indexOf(row)][row === "misc" ? column : columns.indexOf(column)] = data[index];
    });
    return cells;
  };
  const count = components.length;
  const prompts = perPrompt && Array.from({ length: perPrompt.shape[0] }, (_, prompt) => values(perPrompt.data.slice(prompt * count, (prompt + 1) * count)));
  return { rows, columns, values: values(mean.data), ...(prompts && { per_prompt: prompts }), ...rest };
}

/** A parsed result file of either version in the names of version 1; its format stays what it is. */
export function inVersion1(result) {
  if (result.format === "keyside-result/1") return result;
  const of = (kind) => result.sections.find((section) => section.kind === kind);
  const [substitution, contributions] = [of("substitution"), of("contributions")];
  const histogram = (side, values) => ({
    series: Object.fromEntries(Object.entries(substitution.series[side]).map(([label, arrays]) => [label, arrays[values].data])),
  });
  const heatmaps = {};
  for (const [name, heatmap] of Object.entries(contributions?.heatmaps ?? {})) {
    const [group, facet] = name.split("/");
    const whole = table({ components: contributions.components[name.startsWith("query") ? "query" : "key"], ...heatmap });
    if (facet) ((heatmaps[group] ??= { facets: {} }).facets[facet] = whole);
    else heatmaps[name] = whole;
  }
  const { maker: _, ...set } = result.prompt_set ?? {};
  return {
    ...result,
    ...set,
    head: substitution.head,
    earlier_head: substitution.earlier_head,
    histograms: {
      keys_fixed_scores: histogram("query", "scores"),
      keys_fixed_probs: histogram("query", "probabilities"),
      queries_fixed_scores: histogram("key", "scores"),
      queries_fixed_probs: histogram("key", "probabilities"),
      true_score: substitution.true_score?.data ?? [],
      true_prob: substitution.true_prob?.data ?? [],
    },
    heatmaps,
  };
}
