// One coordinate over time, expected and happened, with a mark at the moment that is shown.

import { t } from "../texts.js";
import { html, svg, set } from "./make.js";

const [WIDTH, HEIGHT, EDGE] = [240, 56, 4];

export class Chart {
  // `lines` are {name, values}, the one behind first; `steps` is the length of the axis.
  constructor(name, lines, steps) {
    this.steps = steps;
    const all = lines.flatMap((line) => line.values);
    const [low, high] = [Math.min(...all), Math.max(...all)];
    const x = (i) => ((i / steps) * WIDTH).toFixed(2);
    const y = (value) => {
      const share = high > low ? (value - low) / (high - low) : 0.5;
      return (HEIGHT - EDGE - share * (HEIGHT - 2 * EDGE)).toFixed(2);
    };
    this.mark = svg("line", { class: "now", y1: 0, y2: HEIGHT });
    const drawn = lines.map((line) =>
      svg("polyline", {
        class: line.name,
        points: line.values.map((value, i) => `${x(i)},${y(value)}`).join(" "),
      }),
    );
    const digits = Math.min(4, Math.max(0, 2 - Math.floor(Math.log10(high - low || 1))));
    const short = (value) => value.toFixed(digits).replace(/^-(0\.?0*)$/, "$1").replace("-", "−");
    const range = high > low ? t("range", { low: short(low), high: short(high) }) : short(low);
    const told = lines.map((l) => t("ends", { name: t(l.name), value: short(l.values.at(-1)) })).join(", ");
    const box = { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, preserveAspectRatio: "none", role: "img" };
    this.root = html(
      "figure",
      { class: "chart" },
      html("figcaption", {}, html("span", {}, name), html("span", { class: "quiet" }, range)),
      svg("svg", { ...box, "aria-label": `${name}: ${told}` }, this.mark, ...drawn),
    );
  }

  show(step) {
    const x = (step / this.steps) * WIDTH;
    set(this.mark, { x1: x, x2: x });
  }
}
