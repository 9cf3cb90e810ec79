

def percentile(values, p):
    values = sorted(values)
    place = min(max(len(values) * p - 0.5, 0), len(values) - 1)
    below = int(place)
    above = min(below + 1, len(values) - 1)
    return values[below] + (place - below) * (values[above] - values[below])


with open(RESULT, encoding="utf-8") as file:
    result = json.load(file)
section = next(section for section in result["sections"] if section["kind"] == "substituted")
samples = section.get("samples", {})
bands = section.get("run", {}).get("bands", {}).get(HISTOGRAM, {})

for part in ("text.color", "axes.labelcolor", "axes.edgecolor", "xtick.color", "ytick.color"):
    plt.rcParams[part] = TEXT
plt.rcParams["text.parse_math"] = False
figure, axes = plt.subplots(figsize=(8, 0.4 * len(ROWS) + 1.8), facecolor=BACKGROUND, layout="constrained")
axes.set_facecolor(BACKGROUND)
axes.axvline(section[OWN], color=TEXT, linewidth=1, alpha=0.55)
for place, (series, label, color) in enumerate(ROWS):
    values = section["series"][SIDE][series][VALUES]["data"]
    if series in bands:
        band = bands[series]
        axes.barh(place, band["high"] - band["low"], 0.4, band["low"], color=color, alpha=0.28)
        axes.vlines(band["mean"], place - 0.2, place + 0.2, color=color, alpha=0.8)
    if series in samples:
        axes.hlines(place, percentile(values, 0.05), percentile(values, 0.95), color=color, alpha=0.8, linewidth=2)
    value = sum(values) / len(values)
    axes.plot(value, place, "o", color=color)
    axes.annotate(f"{value:.2f}", (1.01, place), xycoords=("axes fraction", "data"), va="center")
axes.set_yticks(range(len(ROWS)), [label for _, label, _ in ROWS])
axes.invert_yaxis()
axes.set(xlabel=X_LABEL)
if RANGE:
    axes.set_xlim(RANGE)
axes.set_title(TITLE, loc="left", wrap=True)
figure.savefig(PICTURE, dpi=200)
plt.show()
