

with open(RESULT, encoding="utf-8") as file:
    result = json.load(file)
section = next(section for section in result["sections"] if section["kind"] == "run_directions")
groups = section[OF]
means = groups["mean"]["data"]
deviations = groups["deviation"]["data"] if "deviation" in groups else [0] * len(means)
firsts = [sum(section["groups"][:place]) for place in range(len(means))]
order = sorted(range(len(means)), key=lambda place: -abs(means[place]))[:DRAWN]

for part in ("text.color", "axes.labelcolor", "axes.edgecolor", "xtick.color", "ytick.color"):
    plt.rcParams[part] = TEXT
plt.rcParams["text.parse_math"] = False
figure, axes = plt.subplots(figsize=(8, 0.4 * len(order) + 1.8), facecolor=BACKGROUND, layout="constrained")
axes.set_facecolor(BACKGROUND)
axes.axvline(0, color=TEXT, linewidth=1, alpha=0.55)
labels = []
for place, group in enumerate(order):
    first, count = firsts[group], section["groups"][group]
    labels.append(str(first) if count == 1 else f"{first}-{first + count - 1}")
    axes.barh(place, means[group], 0.4, color=COLOR, alpha=0.28)
    axes.hlines(place, means[group] - deviations[group], means[group] + deviations[group], color=COLOR, alpha=0.8, linewidth=2)
    axes.plot(means[group], place, "o", color=COLOR)
    share = 100 * groups["explaining"][group] / max(section["prompts"], 1)
    axes.annotate(f"{share:.1f} %", (1.01, place), xycoords=("axes fraction", "data"), va="center")
axes.set_yticks(range(len(order)), labels)
axes.invert_yaxis()
axes.set(xlabel=X_LABEL)
axes.set_title(TITLE, loc="left", wrap=True)
figure.savefig(PICTURE, dpi=200)
plt.show()
