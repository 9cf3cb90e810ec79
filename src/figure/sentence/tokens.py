

with open(RESULT, encoding="utf-8") as file:
    result = json.load(file)
section = next(section for section in result["sections"] if section["kind"] == "attention")
numbers = section["scores" if "scores" in section else "probs"]
seen = numbers["shape"][-1]
if "heads" in section:
    place = section["heads"].index(section["head"])
else:
    layer, head = map(int, section["head"].split("."))
    place = layer * numbers["shape"][1] + head
row = numbers["data"][place * seen : (place + 1) * seen]
if "scores" in section:
    powers = [exp(score - max(row)) for score in row]
    row = [power / sum(powers) for power in powers]
attention = row + [0] * (len(TOKENS) - seen)

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
