// The table of a report of benches/run.mjs, as text.

const number = (value) => (value >= 100 ? value.toFixed(0) : value >= 10 ? value.toFixed(1) : value.toFixed(2));
const spread = ({ median, least, most, n }) => `${number(median)} (${number(least)} to ${number(most)}, n ${n})`;

/** Lines of `rows`, in columns. */
function columns(rows) {
  const widths = rows[0].map((_, column) => Math.max(...rows.map((row) => `${row[column]}`.length)));
  return rows.map((row) => row.map((cell, column) => `${cell}`.padEnd(widths[column])).join("  ").trimEnd());
}

function kernels({ limits, reading, products }) {
  const limit = Object.entries(limits).map(([name, rate]) => [`limit loop, ${name}`, number(rate), ""]);
  const rates = products.map(({ module, threads, shape: [m, k, n], activation, gflops, share_of_limit }) => [
    `${module} x ${threads}, [${m},${k}]x[${k},${n}]${activation ? `, ${activation}` : ""}`, number(gflops), share_of_limit.toFixed(2),
  ]);
  return ["Products in Chromium, best of all rounds", ...columns([["", "GFLOP/s", "of limit"], ...limit, ...rates]), `Reading 340 MiB once: ${number(reading * 1000)} ms`];
}

function forward({ rows: { batch, length }, gflops, prompts }) {
  const peer = (name) => gflops[`ONNX Runtime Web x ${name.at(-1)}`]?.median;
  const ratio = (name, { median }) => (peer(name) ? (median / peer(name)).toFixed(2) : "");
  const lines = Object.entries(gflops).map(([name, rates]) => [name, spread(rates), ratio(name, rates)]);
  const whole = Object.entries(prompts).map(([name, { tokens, seconds }]) => [`${name}, one new prompt of ${tokens} tokens`, `${number(seconds.median * 1000)} ms`]);
  return [
    `Forward pass of ${batch} x ${length} tokens through all layers`,
    ...columns([["", "GFLOP/s, median", "of ONNX Runtime Web"], ...lines]),
    ...columns([["", "median"], ...whole]),
  ];
}

const runs = (title, all) => [
  title,
  ...columns([
    ["", "seconds", "loading", "GFLOP/s", "positions", "peak MB"],
    ...Object.entries(all).map(([name, of]) => [
      name, number(of.seconds), number(of.loading_seconds), of.gflop_per_second ? number(of.gflop_per_second) : "", of.positions, of.peak_linear_memory ? number(of.peak_linear_memory / 1e6) : "",
    ]),
  ]),
];

/** The report as a table. */
export function table(report) {
  const parts = [
    [`${report.cpu}, ${report.cores} cores, ${report.browser}, load before: ${report.load_before.toFixed(1)}`],
    report.kernels && kernels(report.kernels),
    report.forward && forward(report.forward),
    report.notebook && runs("The notebook's run (1,200 prompts) in Chromium", report.notebook),
    report.scaling && ["Rates of runs in Chromium, GFLOP/s", ...columns([["", ""], ...Object.entries(report.scaling).map(([name, rate]) => [name, number(rate)])])],
    report.native && runs("The same on the command line", report.native),
    report.python && ["Python, on the same cores", ...Object.entries(report.python).map(([name, value]) => `${name}: ${typeof value === "number" ? number(value) : value}`)],
  ];
  return parts.filter(Boolean).map((lines) => lines.join("\n")).join("\n\n");
}
