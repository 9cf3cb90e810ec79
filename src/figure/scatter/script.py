

def values_of(histogram, side, values, truth, label):
    """The values of one series, one for each prompt; the true ones where there is no label."""
    if result["format"] == "keyside-result/1":
        histograms = result["histograms"]
        return histograms[histogram]["series"][label] if label else histograms[truth]
    section = next(section for section in result["sections"] if section["kind"] == "substitution")
    return section["series"][side][label][values]["data"] if label else section[truth]["data"]


def correlation(pairs):
    """Pearson's correlation."""
    mean_x = sum(x for x, _ in pairs) / len(pairs)
    mean_y = sum(y for _, y in pairs) / len(pairs)
    both = sum((x - mean_x) * (y - mean_y) for x, y in pairs)
    of_x = sum((x - mean_x) ** 2 for x, _ in pairs)
    of_y = sum((y - mean_y) ** 2 for _, y in pairs)
    return both / (of_x * of_y) ** 0.5 if of_x * of_y > 0 else float("nan")


with open(RESULT, encoding="utf-8") as file:
    result = json.load(file)
*x_place, x_label = X
*y_place, y_label = Y
pairs = list(zip(values_of(*x_place), values_of(*y_place)))
print(f"n = {len(pairs)}, r = {correlation(pairs):.6f}")

for part in ("text.color", "axes.labelcolor", "axes.edgecolor", "xtick.color", "ytick.color"):
    plt.rcParams[part] = TEXT
plt.rcParams["text.parse_math"] = False
figure, axes = plt.subplots(figsize=(10, 6), facecolor=BACKGROUND, layout="constrained")
axes.set_facecolor(BACKGROUND)
axes.spines[["top", "right"]].set_visible(False)
axes.scatter([x for x, _ in pairs], [y for _, y in pairs], s=14, color=COLOR, alpha=0.62, linewidths=0)
if SAME_UNIT and pairs:
    low, high = min(min(pair) for pair in pairs), max(max(pair) for pair in pairs)
    spare = 0.05 * (high - low) or 1
    axes.set(xlim=(low - spare, high + spare), ylim=(low - spare, high + spare))
    axes.axline((low, low), slope=1, color=TEXT, alpha=0.6, linewidth=0.8, zorder=0)
axes.set_title(TITLE, loc="left")
axes.set(xlabel=x_label, ylabel=y_label)
figure.savefig(PICTURE, dpi=200)
plt.show()
