

with open(RESULT, encoding="utf-8") as file:
    result = json.load(file)
section = next(section for section in result["sections"] if section["kind"] == "run_writes")

for part in ("text.color", "axes.labelcolor", "axes.edgecolor", "xtick.color", "ytick.color"):
    plt.rcParams[part] = TEXT
plt.rcParams["text.parse_math"] = False
figure, axes = plt.subplots(figsize=(10, 5), facecolor=BACKGROUND, layout="constrained")
axes.set_facecolor(BACKGROUND)
axes.spines[["top", "right"]].set_visible(False)
edges = [START + SIZE * index for index in range(COUNT)]
for field, label, color in SERIES:
    values = section[field]["data"] if field == "source" else [value for value in section[field] if value is not None]
    heights = [0] * COUNT
    for value in values:
        place = int((value - START) / SIZE + 1e-5)
        if 0 <= place < COUNT:
            heights[place] += 1
    axes.bar(edges, heights, SIZE, align="edge", color=color, alpha=OPACITY, label=label)
axes.axvline(0, color=TEXT, linewidth=1, alpha=0.55)
axes.set(xlabel=X_LABEL, ylabel=Y_LABEL)
axes.set_title(TITLE, loc="left", wrap=True)
axes.legend(facecolor=BACKGROUND, edgecolor=BACKGROUND)
figure.savefig(PICTURE, dpi=200)
plt.show()
