

def of_token(section, tokens):
    """Whether the token of each prompt is lowered most, predicted, and both."""
    for token, lowest, predicted in zip(section[tokens], section["suppressed"], section["predicted"]):
        if token is not None:
            yield [token == lowest, token in predicted, token == lowest and token in predicted]


with open(RESULT, encoding="utf-8") as file:
    result = json.load(file)
section = next(section for section in result["sections"] if section["kind"] == "run_writes")
drawn = [[one["suppressed"], one["predicted"], one["both"]] for one in section["random"] if one is not None]
looked = [list(of_token(section, "attended")), list(of_token(section, "second")), drawn]
cells = [[sum(column) / max(len(of), 1) for column in zip(*of)] or [0, 0, 0] for of in looked]

for part in ("text.color", "axes.labelcolor", "axes.edgecolor", "xtick.color", "ytick.color"):
    plt.rcParams[part] = TEXT
plt.rcParams["text.parse_math"] = False
figure, axes = plt.subplots(figsize=(7, 3.5), facecolor=BACKGROUND, layout="constrained")
axes.set_facecolor(BACKGROUND)
scale = LinearSegmentedColormap.from_list("keyside", COLORS)
image = axes.imshow(cells, cmap=scale, vmin=0, vmax=1, aspect="auto", interpolation="nearest")
axes.set_xticks(range(len(COLUMNS)), COLUMNS)
axes.set_yticks(range(len(ROWS)), ROWS)
for row, shares in enumerate(cells):
    for column, share in enumerate(shares):
        axes.text(column, row, f"{100 * share:.1f} %", ha="center", va="center")
axes.set(xlabel=X_LABEL)
axes.set_title(TITLE, loc="left", wrap=True)
figure.colorbar(image)
figure.savefig(PICTURE, dpi=200)
plt.show()
