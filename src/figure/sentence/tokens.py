

with open(RESULT, encoding="utf-8") as file:
    result = json.load(file)
section = next(section for section in result["sections"] if section["kind"] == "attention")
layer, head = map(int, section["head"].split("."))
_, heads, seen = section["scores"]["shape"]
first = (layer * heads + head) * seen
scores = section["scores"]["data"][first : first + seen]
powers = [exp(score - max(scores)) for score in scores]
attention = [power / sum(powers) for power in powers] + [0] * (len(TOKENS) - seen)

for part in ("text.color", "axes.labelcolor", "axes.edgecolor", "xtick.color", "ytick.color"):
    plt.rcParams[part] = TEXT
plt.rcParams["text.parse_math"] = False
figure, axes = plt.subplots(figsize=(7, max(3, 0.26 * len(TOKENS) + 1.5)), facecolor=BACKGROUND, layout="constrained")
axes.set_facecolor(BACKGROUND)
bars = axes.barh(range(len(TOKENS)), attention, color=KEY)
axes.bar_label(bars, [f"{share:.1%}" if place < seen else "" for place, share in enumerate(attention)], padding=3)
axes.set_yticks(range(len(TOKENS)), TOKENS)
axes.get_yticklabels()[section["src"]].set_color(KEY)
axes.get_yticklabels()[section["dest"]].set_color(QUERY)
axes.invert_yaxis()
axes.set(xlabel="Attention", xlim=(0, 1.1))
axes.set_title(TITLE, loc="left")
figure.savefig(PICTURE, dpi=200)
plt.show()
