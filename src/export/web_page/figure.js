// What a figure does that stands in any page by itself: values on hover, tap and keys, a legend, light and dark. It knows nothing but
// elements of its own class, listens to nothing outside them, and keeps nothing: where an element goes, all of it goes.
(() => {
  "use strict";
  const KEYS = { ArrowLeft: 0, ArrowRight: 1, ArrowUp: 2, ArrowDown: 3, Home: 4, End: 5 };
  /** How far from a dot a pointer still means it, in CSS pixels. */
  const NEAR = 14;

  const start = (root) => {
    if (root.keysideStarted) return;
    root.keysideStarted = true;
    const part = (name) => root.querySelector(`[data-part="${name}"]`);
    const { size, targets, first, legend } = JSON.parse(part("data").textContent);
    const [plot, tip, said] = ["plot", "tip", "said"].map(part);
    const svg = plot.querySelector("svg");
    const groups = [...svg.querySelectorAll("[data-group]")];
    const shown = (legend?.series ?? []).map((series) => series.shown);
    let [pointed, picked] = [-1, -1];

    const isShown = ([series, filled]) => filled && shown[series];
    const isThere = (number) => {
      const of = targets[number].series.filter(Boolean);
      return !of.length || of.some(isShown);
    };
    const linesOf = ({ lines, series }) => lines.filter((_, line) => !series[line] || shown[series[line][0]]);
    const longer = () => {
      const largest = Math.max(-1, ...legend.series.filter((_, index) => shown[index]).map((series) => series.largest));
      return legend.axes.find(([of]) => of === largest) ?? legend.axes[0];
    };
    /** Top and height of the row of series `of` among those that are shown. */
    const row = (of) => {
      const [top, bottom] = legend.rows;
      const height = (bottom - top) / Math.max(1, shown.filter(Boolean).length);
      return [bottom - (shown.slice(0, of).filter(Boolean).length + 1) * height, height];
    };
    /** Where a target stands now: left, top, width, height, and what a tooltip points to. */
    const placed = ({ mark: [left, top, width, height], anchor: [x, y], row: of }) => {
      if (!legend) return [left, top, width, height, x, y];
      if (of !== null) {
        const [rowTop, rowHeight] = row(of);
        return [left, rowTop, width, rowHeight, x, rowTop];
      }
      return [left, top, width, height, x, Math.max(top, legend.bottom - (legend.bottom - y) * longer()[1])];
    };

    const frame = (name, number) => {
      const rect = svg.querySelector(`.mark.${name}`);
      rect.setAttribute("visibility", number < 0 ? "hidden" : "visible");
      if (number < 0) return;
      const place = placed(targets[number]);
      ["x", "y", "width", "height"].forEach((key, index) => rect.setAttribute(key, place[index]));
    };
    const show = (speak) => {
      const at = pointed < 0 ? picked : pointed;
      frame("pointed", pointed === picked ? -1 : pointed);
      frame("picked", picked);
      tip.hidden = at < 0;
      if (at < 0) {
        if (speak) said.textContent = "";
        return;
      }
      const lines = linesOf(targets[at]);
      tip.replaceChildren(
        ...lines.map((line) => {
          const element = document.createElement("div");
          element.textContent = line;
          return element;
        }),
      );
      if (speak) said.textContent = `${lines.join(", ")}${at === picked ? ", picked" : ""}`;
      const scale = svg.clientWidth ? svg.clientWidth / size[0] : plot.clientWidth / size[0];
      const [, top, , height, x, y] = placed(targets[at]).map((value) => value * scale);
      const above = y - tip.offsetHeight - 8;
      tip.style.left = `${Math.max(0, Math.min(x - tip.offsetWidth / 2, plot.clientWidth - tip.offsetWidth))}px`;
      tip.style.top = `${above < 0 ? top + height + 8 : above}px`;
    };

    /** The target below a pointer: the smallest that holds the point, or the nearest dot. */
    const below = (event) => {
      const frame = svg.getBoundingClientRect();
      const scale = size[0] / frame.width;
      const [x, y] = [(event.clientX - frame.left) * scale, (event.clientY - frame.top) * scale];
      let [found, least] = [-1, Infinity];
      let [nearest, distance] = [-1, NEAR * scale];
      targets.forEach((target, number) => {
        if (!isThere(number)) return;
        const [left, top, width, height] = placed(target);
        const isIn = x >= left && x < left + width && y >= top && y < top + height;
        if (isIn && width * height < least) [found, least] = [number, width * height];
        const away = Math.hypot(left + width / 2 - x, top + height / 2 - y);
        if (target.near && away <= distance) [nearest, distance] = [number, away];
      });
      return nearest >= 0 ? nearest : found;
    };

    /** Where a key leads, past what is hidden. */
    const step = (key) => {
      const from = pointed < 0 ? picked : pointed;
      let to = from < 0 ? first[key] : targets[from].steps[key];
      // From a first or last one that is hidden, inwards.
      const further = key === 4 ? 1 : key === 5 ? 0 : key;
      for (let passed = 0; to !== null && passed <= targets.length; passed += 1) {
        if (isThere(to)) return to;
        const next = targets[to].steps[further];
        if (next === to) break;
        to = next;
      }
      return from;
    };

    const pick = (number) => {
      picked = number === picked ? -1 : number;
      show(true);
    };
    plot.addEventListener("pointermove", (event) => {
      if (event.pointerType === "touch") return;
      const now = below(event);
      if (now === pointed) return;
      pointed = now;
      show(false);
    });
    plot.addEventListener("pointerleave", () => {
      pointed = -1;
      show(false);
    });
    // A tap is a click, too.
    plot.addEventListener("click", (event) => pick(below(event)));
    plot.addEventListener("blur", () => {
      pointed = -1;
      show(false);
    });
    plot.addEventListener("keydown", (event) => {
      if (event.altKey || event.ctrlKey || event.metaKey) return;
      if (event.key in KEYS) {
        pointed = step(KEYS[event.key]);
        show(true);
      } else if (event.key === "Enter" || event.key === " ") {
        if (pointed >= 0 || picked >= 0) pick(pointed < 0 ? picked : pointed);
      } else if (event.key === "Escape") {
        [pointed, picked] = [-1, -1];
        show(true);
      } else return;
      // A notebook takes arrow keys and Enter for its own.
      event.preventDefault();
      event.stopPropagation();
    });

    const update = () => {
      const [axis, factor] = longer();
      const { series, rows } = legend;
      const drawn = (rows[1] - rows[0]) / series.length;
      for (const group of groups) {
        const [kind, number] = [group.dataset.group[0], Number(group.dataset.group.slice(1))];
        const isOn = kind === "c" ? number === axis : shown[number];
        group.setAttribute("display", isOn ? "inline" : "none");
        if (kind === "b") group.setAttribute("transform", `translate(0 ${legend.bottom * (1 - factor)}) scale(1 ${factor})`);
        if (kind !== "x" || !isOn) continue;
        const [top, height] = row(number);
        group.setAttribute("transform", `translate(0 ${top + height / 2 - (rows[1] - (number + 0.5) * drawn)})`);
      }
      if (pointed >= 0 && !isThere(pointed)) pointed = -1;
      if (picked >= 0 && !isThere(picked)) picked = -1;
      show(false);
    };
    const light = (of) => {
      for (const group of groups) {
        if (group.dataset.group[0] !== "c") group.style.opacity = of === undefined || Number(group.dataset.group.slice(1)) === of ? "" : "0.2";
      }
    };
    for (const button of root.querySelectorAll("[data-series]")) {
      const of = Number(button.dataset.series);
      button.addEventListener("click", () => {
        shown[of] = !shown[of];
        button.setAttribute("aria-pressed", String(shown[of]));
        light(shown[of] ? of : undefined);
        update();
      });
      button.addEventListener("pointerenter", (event) => event.pointerType !== "touch" && shown[of] && light(of));
      button.addEventListener("pointerleave", () => light());
      button.addEventListener("blur", () => light());
    }
    part("theme").addEventListener("click", () => {
      root.dataset.theme = getComputedStyle(root).getPropertyValue("--dark").trim() === "1" ? "light" : "dark";
    });
  };

  // The element that this script is in: where a script knows it, and all of its kind.
  const own = document.currentScript?.closest(".keyside-figure");
  if (own) start(own);
  document.querySelectorAll(".keyside-figure").forEach(start);
})();
