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
    const { size, colors, targets, first, legend } = JSON.parse(part("data").textContent);
    const [plot, tip, kept, said] = ["plot", "tip", "kept", "said"].map(part);
    const svg = plot.querySelector("svg");
    const groups = [...svg.querySelectorAll("[data-group]")];
    const shown = (legend?.series ?? []).map((series) => series.shown);
    let [pointed, picked] = [-1, -1];

    const isShown = ([series, filled]) => filled && shown[series];
    const isThere = (number) => {
      const of = targets[number].series.filter(Boolean);
      return !of.length || of.some(isShown);
    };
    /** What is said of a target: a text and a color each. */
    const linesOf = ({ lines, series, swatches }) =>
      lines.map((text, line) => ({ text, color: colors[swatches[line]], of: series[line] })).filter(({ of }) => !of || shown[of[0]]);
    const elements = (lines) =>
      lines.map(({ text, color }) => {
        const element = document.createElement("div");
        if (color) {
          const swatch = document.createElement("span");
          swatch.className = "swatch";
          swatch.style.background = color;
          element.append(swatch);
        }
        element.append(text);
        return element;
      });
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
    /** Where a target stands now: left, top, width, height; and the same of what a tooltip stands beside. */
    const placed = ({ mark: [left, top, width, height], about, row: of }) => {
      if (!legend) return { mark: [left, top, width, height], about };
      if (of !== null) {
        const [rowTop, rowHeight] = row(of);
        return { mark: [left, rowTop, width, rowHeight], about: [about[0], rowTop, about[2], rowHeight] };
      }
      const highest = Math.max(top, legend.bottom - (legend.bottom - about[1]) * longer()[1]);
      return { mark: [left, top, width, height], about: [about[0], highest, about[2], top + height - highest] };
    };

    const frame = (name, number) => {
      const rect = svg.querySelector(`.mark.${name}`);
      rect.setAttribute("visibility", number < 0 ? "hidden" : "visible");
      if (number < 0) return;
      const { mark } = placed(targets[number]);
      ["x", "y", "width", "height"].forEach((key, index) => rect.setAttribute(key, mark[index]));
    };
    const show = (speak) => {
      frame("pointed", pointed === picked ? -1 : pointed);
      frame("picked", picked);
      kept.replaceChildren(...(picked < 0 ? elements([{ text: kept.dataset.hint }]) : elements(linesOf(targets[picked]))));
      kept.classList.toggle("empty", picked < 0);
      tip.hidden = pointed < 0;
      const at = pointed < 0 ? picked : pointed;
      if (speak) said.textContent = at < 0 ? "" : `${linesOf(targets[at]).map(({ text }) => text).join(", ")}${at === picked ? ", picked" : ""}`;
      if (pointed < 0) return;
      tip.replaceChildren(...elements(linesOf(targets[pointed])));
      const scale = svg.clientWidth ? svg.clientWidth / size[0] : plot.clientWidth / size[0];
      const [left, top, width, height] = placed(targets[pointed]).about.map((value) => value * scale);
      const { offsetWidth: wide, offsetHeight: tall } = tip;
      const within = (value, most) => Math.max(0, Math.min(value, most));
      const room = [left, plot.clientWidth - left - width];
      const isBeside = Math.max(...room) >= wide + 10;
      // Beside what it is about, so that it can be seen; above or below where there is no room on either side.
      const x = !isBeside ? left + (width - wide) / 2 : room[1] >= wide + 10 ? left + width + 10 : left - wide - 10;
      const y = isBeside ? top : top >= tall + 8 ? top - tall - 8 : top + height + 8;
      tip.style.left = `${within(x, plot.clientWidth - wide)}px`;
      tip.style.top = `${isBeside ? within(y, plot.clientHeight - tall) : y}px`;
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
        const [left, top, width, height] = placed(target).mark;
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
        if (group.dataset.group[0] !== "c") group.style.opacity = of === undefined || Number(group.dataset.group.slice(1)) === of ? "" : "0.5";
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
    show(false);
    part("theme").addEventListener("click", () => {
      root.dataset.theme = getComputedStyle(root).getPropertyValue("--dark").trim() === "1" ? "light" : "dark";
    });
  };

  // The element that this script is in: where a script knows it, and all of its kind.
  const own = document.currentScript?.closest(".keyside-figure");
  if (own) start(own);
  document.querySelectorAll(".keyside-figure").forEach(start);
})();
