// The scene: what happened, solid, over what was expected, a ghost.

import { t } from "../texts.js";
import { svg, set } from "./make.js";
import { at } from "./series.js";

const SIZE = 200;
const STILLS = 5;

export class Scene {
  // `lines` are {name, states}, the one behind first.
  constructor(body, lines, { stills }) {
    this.body = body;
    this.root = svg("svg", { viewBox: `0 0 ${SIZE} ${SIZE}`, class: "scene", role: "img" });
    this.root.setAttribute("aria-label", t("body", { lines: lines.map((l) => t(l.name)).join(", ") }));
    this.root.append(svg("rect", { class: "ground", width: SIZE, height: SIZE, rx: 10 }));
    for (const line of lines) this.root.append(this.trace(line));
    if (stills) for (const line of lines) this.still(line);
    this.moving = lines.map((line) => ({ ...line, shape: this.shape(line) }));
    this.show(0);
  }

  show(step) {
    for (const { states, shape } of this.moving) this.pose(shape, at(states, step));
  }

  // The way of the arm's end.
  trace({ name, states }) {
    const ends = states.map((state) => this.point(this.body.pose(state).arm.at(-1)).join());
    return svg("polyline", { class: `trace ${name}`, points: ends.join(" ") });
  }

  // Where nothing may move: the same body at several moments.
  still({ name, states }) {
    for (let i = 0; i < STILLS; i++) {
      const shape = this.shape({ name: `${name} still`, states });
      this.pose(shape, at(states, (i * (states.length - 1)) / STILLS));
    }
  }

  shape({ name, states }) {
    const { arm, discs } = this.body.pose(states[0]);
    const shape = {
      discs: discs.map(([kind]) => svg("circle", { class: kind })),
      arm: svg("polyline", { class: "arm" }),
      joints: arm.map((_, i) =>
        svg("circle", { class: i === arm.length - 1 ? "tip" : "joint", r: i === arm.length - 1 ? 5 : 2.5 }),
      ),
    };
    this.root.append(svg("g", { class: name }, ...shape.discs, shape.arm, ...shape.joints));
    return shape;
  }

  pose(shape, state) {
    const { arm, discs } = this.body.pose(state);
    const points = arm.map((point) => this.point(point));
    set(shape.arm, { points: points.join(" ") });
    points.forEach(([cx, cy], i) => set(shape.joints[i], { cx, cy }));
    discs.forEach(([, x, y, radius], i) => {
      const [cx, cy] = this.point([x, y]);
      set(shape.discs[i], { cx, cy, r: (radius / this.body.box[2]) * SIZE });
    });
  }

  point([x, y]) {
    const [left, bottom, width, height] = this.body.box;
    const places = [((x - left) / width) * SIZE, (1 - (y - bottom) / height) * SIZE];
    return places.map((place) => Math.round(100 * place) / 100);
  }
}
