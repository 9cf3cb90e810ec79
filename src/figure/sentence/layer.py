

with open(RESULT, encoding="utf-8") as file:
    result = json.load(file)
of_kind = {section["kind"]: section for section in result["sections"]}
section = of_kind["layer"]
count, cells = section["patterns"]["shape"]
data = section["patterns"]["data"]
rows = int((2 * cells) ** 0.5)

for part in ("text.color", "axes.labelcolor", "axes.edgecolor", "xtick.color", "ytick.color"):
    plt.rcParams[part] = TEXT
plt.rcParams["text.parse_math"] = False
columns = min(count, 6)
lines = -(-count // columns)
size = (2 * columns + 1, 2.2 * lines + 1)
figure, axes = plt.subplots(lines, columns, figsize=size, facecolor=BACKGROUND, layout="constrained", squeeze=False)
scale = LinearSegmentedColormap.from_list("keyside", COLORS)
for place, ax in enumerate(axes.flat):
    ax.set_axis_off()
    if place >= count:
        continue
    of_head = data[place * cells : (place + 1) * cells]
    pattern = []
    for row in range(rows):
        first = row * (row + 1) // 2
        pattern.append(of_head[first : first + row + 1] + [float("nan")] * (rows - row - 1))
    image = ax.imshow(pattern, cmap=scale, vmin=0.0, vmax=1.0, aspect="equal", interpolation="nearest")
    ax.set_title(f"{section['layer']}.{place}", loc="left", fontweight="bold" if place == HEAD else "normal")
figure.suptitle(TITLE)
figure.colorbar(image, ax=axes)
figure.savefig(PICTURE, dpi=200)
plt.show()
