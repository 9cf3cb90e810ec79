

def softmax(scores):
    most = max(scores)
    powers = [exp(score - most) for score in scores]
    return [power / sum(powers) for power in powers]


with open(RESULT, encoding="utf-8") as file:
    result = json.load(file)
of_kind = {section["kind"]: section for section in result["sections"]}
cells = []
if KIND == "heads":
    section = of_kind["attention"]
    has_scores = "scores" in section
    numbers = section["scores" if has_scores else "probs"]
    seen = numbers["shape"][-1]
    names = [f"{layer}.{head}" for layer in range(len(ROWS)) for head in range(len(COLUMNS))]
    rows = {}
    for place, name in enumerate(section.get("heads", names)):
        rows[name] = numbers["data"][place * seen : (place + 1) * seen]
    for layer in range(len(ROWS)):
        cells.append([])
        for head in range(len(COLUMNS)):
            row = rows.get(f"{layer}.{head}")
            if row is None:
                cells[-1].append(float("nan"))
                continue
            pattern = softmax(row) if has_scores else row
            entropy = -sum(p * log(p) for p in pattern if p > 0)
            value = {"attention": pattern[section["src"]], "score": row[section["src"]], "entropy": entropy}
            for name, kind in (("previous", "previous_token"), ("first", "first_token"), ("duplicate", "duplicate_token")):
                means = section.get("measures", {}).get(kind)
                value[name] = means["data"][layer * len(COLUMNS) + head] if means else float("nan")
            direct = of_kind.get("effects", {"components": [], "effects": {"data": []}})
            effects = dict(zip(direct["components"], direct["effects"]["data"]))
            value["direct"] = effects.get(f"{layer}.{head}", float("nan"))
            cells[-1].append(value[MEASURE])
elif KIND == "effects":
    section = of_kind["head_effects"]
    direct = section["direct"]["data"]
    if EFFECT == "direct":
        data = direct
    elif EFFECT in ("without", "change"):
        data = section["without"]["direct"]["data"]
    else:
        data = section["patched"][EFFECT.removeprefix("patched_")]["data"]
    if EFFECT == "change":
        data = [after - before for after, before in zip(data, direct)]
    cells = [data[layer * len(COLUMNS) : (layer + 1) * len(COLUMNS)] for layer in range(len(ROWS))]
elif KIND == "direct":
    section = of_kind["effects"]
    values = dict(zip(section["components"], section["effects"]["data"]))
    cells = [[values[name] if name else float("nan") for name in row] for row in COMPONENTS]
elif KIND == "direction":
    opened = of_kind["directions"]["opened"]
    values = dict(zip(opened["components"], opened[SIDE]["data"]))
    cells = [[values[name] if name else float("nan") for name in row] for row in COMPONENTS]
elif KIND == "directions":
    section = of_kind["directions"]
    data = section["contributions"]["data"]
    adds = [sum(data[first : first + count]) for first, count in GROUPS] + [sum(section["biases"]["data"])]
    cells = [adds, [sum(adds[: place + 1]) for place in range(len(adds))]]
elif KIND == "lens":
    section = of_kind["lens"]
    for layer in section["layers"]:
        told = [token["logprob"] for token in layer["tokens"]] + [layer["logprob_a"], layer["logprob_b"]]
        cells.append([exp(value) for value in told])
elif KIND == "writes":
    section = of_kind["writes"]
    cells = [[token["value"] for token in section[end]] for end in ("raised", "lowered")]
    cells = [list(row) for row in zip(*cells)]
elif KIND == "pattern":
    data = of_kind["attention"]["pattern"]["data"]
    columns = range(FIRST_COLUMN, FIRST_COLUMN + len(COLUMNS))
    for row in range(FIRST_ROW, FIRST_ROW + len(ROWS)):
        first = row * (row + 1) // 2
        cells.append([data[first + column] if column <= row else float("nan") for column in columns])
elif KIND == "intervention":
    section = of_kind["intervention"]
    cells = [section["before"]["row"]] + [effect["after"]["row"] for effect in section["effects"]]
elif KIND == "causal":
    section = of_kind["causal"]
    # What is not recomputed yet has no number.
    values = dict(zip(section["components"], section[SIDE][MAP][MEASURE]))
    cells = [[values.get(name, float("nan")) for name in row] for row in COMPONENTS]
else:
    section = of_kind["pair"]
    count = len(section["components"])
    data = section["table"]["data"]
    table = [data[row * count : (row + 1) * count] for row in range(count)]
    if KIND == "table":
        cells = [[sum(table[m][n] for m in rows for n in columns) for columns in COLUMN_PARTS] for rows in ROW_PARTS]
    else:
        sums = [sum(row) for row in (table if SIDE == "query" else zip(*table))]
        values = dict(zip(section["components"][:-1] + [BIAS], sums))
        cells = [[values[name] if name else float("nan") for name in row] for row in COMPONENTS]

for part in ("text.color", "axes.labelcolor", "axes.edgecolor", "xtick.color", "ytick.color"):
    plt.rcParams[part] = TEXT
plt.rcParams["text.parse_math"] = False
size = (max(7, 0.34 * len(COLUMNS) + 3), max(5, 0.3 * len(ROWS) + 2))
figure, axes = plt.subplots(figsize=size, facecolor=BACKGROUND, layout="constrained")
axes.set_facecolor(BACKGROUND)
scale = LinearSegmentedColormap.from_list("keyside", COLORS)
image = axes.imshow(cells, cmap=scale, vmin=LIMITS[0], vmax=LIMITS[1], aspect="equal", interpolation="nearest")
axes.set_xticks(range(len(COLUMNS)), COLUMNS, rotation=90 if max(map(len, COLUMNS)) > 3 else 0)
axes.set_yticks(range(len(ROWS)), ROWS)
axes.set(xlabel=X_LABEL, ylabel=Y_LABEL)
axes.set_title(TITLE, loc="left")
for row, labels in enumerate(LABELS):
    for column, label in enumerate(labels):
        axes.text(column, row, label, ha="center", va="center", fontsize=5)
figure.colorbar(image)
figure.savefig(PICTURE, dpi=200)
plt.show()
