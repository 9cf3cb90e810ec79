

def luminance(color):
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in to_rgb(color)]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one, other):
    """Contrast ratio of two colours, as WCAG defines it."""
    dark, light = sorted([luminance(one), luminance(other)])
    return (light + 0.05) / (dark + 0.05)


with open(RESULT, encoding="utf-8") as file:
    result = json.load(file)
cells = []
if result["format"] == "keyside-result/1":
    heatmap = result["heatmaps"]
    for name in HEATMAP:
        heatmap = heatmap[name]
    table = heatmap["values"] if PROMPT is None else heatmap["per_prompt"][PROMPT]
    for row, labels in zip(ROWS, LABELS):
        values = dict(zip(heatmap["columns"], table[heatmap["rows"].index(row)]))
        cells.append([values[column] if label else float("nan") for column, label in zip(COLUMNS, labels)])
else:
    section = next(section for section in result["sections"] if section["kind"] == "contributions")
    heatmap = section["heatmaps"]["/".join(HEATMAP[::2])]
    side = "query" if HEATMAP[0].startswith("query") else "key"
    components = heatmap.get("components") or section["components"][side]
    count = len(components)
    data = heatmap["mean"]["data"] if PROMPT is None else heatmap["per_prompt"]["data"][PROMPT * count :]
    values = dict(zip(components, data))
    for labels in LABELS:
        cells.append([values[label] if label else float("nan") for label in labels])

for part in ("text.color", "axes.labelcolor", "axes.edgecolor", "xtick.color", "ytick.color"):
    plt.rcParams[part] = TEXT
plt.rcParams["text.parse_math"] = False
figure, axes = plt.subplots(figsize=(max(10, 0.62 * len(COLUMNS)), max(6, 0.42 * len(ROWS))), facecolor=BACKGROUND, layout="constrained")
scale = LinearSegmentedColormap.from_list("keyside", COLORS)
axes.set_facecolor(COLORS[len(COLORS) // 2])
image = axes.imshow(cells, cmap=scale, vmin=-LIMIT, vmax=LIMIT, aspect="auto", interpolation="nearest")
for row, labels in enumerate(LABELS):
    for column, label in enumerate(labels):
        if label:
            cell = scale(image.norm(cells[row][column]))
            color = max(TEXT_ON_LIGHT, TEXT_ON_DARK, key=lambda text: contrast(text, cell))
            axes.text(column, row, label, ha="center", va="center", fontsize=8, color=color)
axes.set_xticks(range(len(COLUMNS)), COLUMNS)
axes.set_yticks(range(len(ROWS)), ROWS)
axes.set(xlabel=X_LABEL, ylabel=Y_LABEL)
axes.set_title(TITLE, loc="left")
figure.colorbar(image)
figure.savefig(PICTURE, dpi=200)
plt.show()
