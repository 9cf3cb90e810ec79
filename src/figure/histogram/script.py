

def float32(values):
    """The values as the run computed them: 0.7 is 0.69999999 in single precision."""
    rounded = memoryview(bytearray(4 * len(values))).cast("f")
    for index, value in enumerate(values):
        rounded[index] = value
    return list(rounded)


def counts(values):
    """Number of values in each bin. A value a hair's breadth below an edge counts as on it."""
    found = [0] * COUNT
    for value in values:
        place = (value - START) / SIZE + 1e-5
        if 0 <= place < COUNT:
            found[int(place)] += 1
    return found


def quantile(ordered, part):
    """As Plotly does by default: the value at n * part - 0.5, interpolated."""
    place = min(max(len(ordered) * part - 0.5, 0), len(ordered) - 1)
    below = int(place)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (place - below) * (ordered[above] - ordered[below])


def draw_box(axes, y, values, color):
    """A notched box at height y, with whiskers up to 1.5 times its length and dots for what lies beyond."""
    ordered = sorted(values)
    first, median, third = (quantile(ordered, part) for part in (0.25, 0.5, 0.75))
    reach = 1.5 * (third - first)
    low = min([first] + [value for value in ordered if value >= first - reach])
    high = max([third] + [value for value in ordered if value <= third + reach])
    notch = 1.57 * (third - first) / len(ordered) ** 0.5
    left, right = max(median - notch, first), min(median + notch, third)
    top, bottom, waist = y + 0.26, y - 0.26, 0.13
    axes.plot([low, first], [y, y], color=color, zorder=2)
    axes.plot([third, high], [y, y], color=color, zorder=2)
    axes.plot([low, low], [y - waist, y + waist], color=color)
    axes.plot([high, high], [y - waist, y + waist], color=color)
    xs = [first, left, median, right, third, third, right, median, left, first]
    ys = [top, top, y + waist, top, top, bottom, bottom, y - waist, bottom, bottom]
    axes.fill(xs, ys, facecolor=color, alpha=0.5)
    axes.plot(xs + xs[:1], ys + ys[:1], color=color)
    axes.plot([median, median], [y - waist, y + waist], color=color)
    outliers = [value for value in ordered if value < low or value > high]
    axes.plot(outliers, [y] * len(outliers), ".", color=color)


with open(RESULT, encoding="utf-8") as file:
    result = json.load(file)
if MEASURE:
    section = next(section for section in result["sections"] if section["kind"] == "changes")
    before = section["before"][MEASURE]["data"]
    series, true_values = {}, []
    for label, part in (("recomputed", "after"), ("predicted", "predicted")):
        if MEASURE in section[part]:
            series[label] = [value - start for value, start in zip(section[part][MEASURE]["data"], before)]
elif result["format"] == "keyside-result/1":
    series = result["histograms"][HISTOGRAM]["series"]
    true_values = result["histograms"].get(TRUE_VALUES, [])
else:
    section = next(section for section in result["sections"] if section["kind"] == "substitution")
    series = {label: arrays[VALUES]["data"] for label, arrays in section["series"][SIDE].items() if VALUES in arrays}
    true_values = section[TRUE_VALUES]["data"] if TRUE_VALUES in section else []

for part in ("text.color", "axes.labelcolor", "axes.edgecolor", "xtick.color", "ytick.color"):
    plt.rcParams[part] = TEXT
plt.rcParams["text.parse_math"] = False
figure, (boxes, bars) = plt.subplots(
    2, 1, sharex=True, figsize=(10, 6), facecolor=BACKGROUND, gridspec_kw={"height_ratios": [1, 3]}, layout="constrained"
)
edges = [START + SIZE * index for index in range(COUNT)]
seen = [index for index, edge in enumerate(edges) if edge < RANGE[1] and edge + SIZE > RANGE[0]]
tallest = 1
for row, (label, color) in enumerate(SERIES):
    values = float32(series[label] if label in series else true_values)
    heights = counts(values)
    tallest = max([tallest] + [heights[index] for index in seen])
    bars.bar(edges, heights, SIZE, align="edge", color=color, alpha=OPACITY, label=label)
    if values:
        draw_box(boxes, row, values, color)
for axes in (boxes, bars):
    axes.set_facecolor(BACKGROUND)
    axes.spines[["top", "right"]].set_visible(False)
boxes.set_yticks([])
boxes.set_title(TITLE, loc="left")
bars.set(xlabel=X_LABEL, ylabel=Y_LABEL, xlim=RANGE)
if LOG:
    bars.set_yscale("log")
    bars.set_ylim(0.5, tallest * 1.3)
else:
    bars.set_ylim(0, tallest * 1.05)
figure.legend(title=LEGEND_TITLE, loc="outside right upper", facecolor=BACKGROUND, edgecolor=BACKGROUND)
figure.savefig(PICTURE, dpi=200)
plt.show()
