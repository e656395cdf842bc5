// A trial that can be played: the body, a slider over its time, and every coordinate below.

import { bodyOf } from "./bodies.js";
import { Chart } from "./chart.js";
import { t } from "../texts.js";
import { html } from "./make.js";
import { Scene } from "./scene.js";
import { unwrapped } from "./series.js";

const SHORTEST_MS = 2_500; // quick trials are shown slowed
const PACE_S = 0.05; // of a step, where the system has not told its own

export class Player {
  // `trial` as the school tells it; either of its `states` and `expected` may be missing.
  constructor(root, trial) {
    const start = (trial.states ?? trial.expected)[0];
    this.lines = [
      { name: "expected", states: trial.expected },
      { name: "happened", states: trial.states },
    ]
      .filter((line) => line.states)
      .map((line) => ({ ...line, states: unwrapped(line.states, trial.angles, start) }));
    this.steps = Math.max(1, ...this.lines.map((line) => line.states.length - 1));
    this.pace = trial.seconds ?? PACE_S;
    this.still = matchMedia("(prefers-reduced-motion: reduce)").matches;
    this.frame = 0;
    const body = bodyOf(trial.system, trial.names.length);
    const scenes = body ? [new Scene(body, this.lines, { stills: this.still })] : [];
    const charts = this.charts(trial);
    this.views = [...scenes, ...charts];
    const roots = (views) => views.map((view) => view.root);
    const below = html("div", { class: "charts" }, ...roots(charts));
    root.replaceChildren(html("div", { class: "player" }, ...roots(scenes), this.controls(), below));
    if (this.still) this.show(this.steps);
    else this.play();
  }

  charts(trial) {
    return trial.names.map((name, k) => {
      const lines = this.lines.map(({ name, states }) => ({ name, values: states.map((s) => s[k]) }));
      return new Chart(name, lines, this.steps);
    });
  }

  controls() {
    this.button = html("button", { type: "button", class: "play" }, t("play"));
    this.button.hidden = this.still;
    this.button.addEventListener("click", () => (this.frame ? this.stop() : this.play()));
    const range = { type: "range", min: 0, max: this.steps, step: "any" };
    this.slider = html("input", { ...range, "aria-label": t("time") });
    this.slider.addEventListener("input", () => {
      this.stop();
      this.show(Number(this.slider.value));
    });
    this.clock = html("span", { class: "clock quiet" });
    const keys = this.lines.map(({ name }) => html("span", { class: `key ${name}` }, t(name)));
    return html("div", { class: "controls" }, this.button, this.slider, this.clock, html("p", {}, ...keys));
  }

  show(step) {
    this.step = step;
    for (const view of this.views) view.show(step);
    this.slider.value = step;
    const told = (steps) => (steps * this.pace).toFixed(2);
    this.clock.textContent = t("clock", { now: told(step), all: told(this.steps) });
    this.slider.setAttribute("aria-valuetext", t("seconds", { now: told(step) }));
  }

  // From where it stands, or from the beginning when it stands at the end.
  play() {
    const from = this.step === undefined || this.step >= this.steps ? 0 : this.step;
    const whole = Math.max(SHORTEST_MS, 1000 * this.steps * this.pace);
    const began = performance.now() - (from / this.steps) * whole;
    const tick = (now) => {
      const step = Math.max(0, Math.min(this.steps, ((now - began) / whole) * this.steps));
      this.show(step);
      if (step < this.steps) this.frame = requestAnimationFrame(tick);
      else this.stop();
    };
    this.button.textContent = t("pause");
    this.frame = requestAnimationFrame(tick);
    this.show(from);
  }

  stop() {
    cancelAnimationFrame(this.frame);
    this.frame = 0;
    this.button.textContent = t("play");
  }
}
