// A sheet of paper: what was done on it, step by step, so that each step can be taken back.
//
// A step is a stroke, {tool: "clear"}, or {tool: "picture", src}: a file in place of a drawing.

import { t } from "../texts.js";
import { SIDE, blank, draw, place } from "./ink.js";

const NEAR = 0.4; // points closer than this to the last one tell nothing
const BEYOND = 32; // how far over the edge a stroke is followed

export class Sheet {
  tool = "pen";
  width = 14;

  // `hint` tells why the pen does not write.
  constructor(canvas, { changed, hint }) {
    this.canvas = canvas;
    this.changed = changed;
    this.hint = hint;
    this.stroke = null;
    this.load([]);
    canvas.addEventListener("pointerdown", (event) => this.begin(event));
    canvas.addEventListener("pointermove", (event) => this.go(event));
    for (const end of ["pointerup", "pointercancel"]) {
      canvas.addEventListener(end, (event) => this.end(event));
    }
  }

  load(steps) {
    this.steps = [...steps];
    this.undone = [];
    this.stroke = null;
    this.render();
  }

  // Everything that was done, with the stroke that is being drawn.
  get all() {
    return this.stroke ? [...this.steps, this.stroke] : this.steps;
  }

  // What can be seen: nothing from before the last clearing, or the last picture.
  get strokes() {
    const last = this.steps.findLastIndex((step) => !step.points);
    return this.steps.slice(last + 1);
  }

  get picture() {
    const last = this.steps.findLast((step) => !step.points);
    return last?.tool === "picture" && !this.strokes.length ? last.src : null;
  }

  get empty() {
    return !this.picture && !this.strokes.length;
  }

  // Nothing to be seen, though the eraser may have passed.
  get blank() {
    return !this.picture && !this.strokes.some((stroke) => stroke.tool === "pen");
  }

  // The stroke that is being drawn ends where it is.
  finish() {
    const { stroke } = this;
    this.stroke = null;
    if (stroke) this.add(stroke);
  }

  add(step) {
    this.finish();
    this.steps.push(step);
    this.undone = [];
    this.settle();
  }

  undo() {
    this.finish();
    if (this.steps.length) this.undone.push(this.steps.pop());
    this.settle();
  }

  redo() {
    this.finish();
    if (this.undone.length) this.steps.push(this.undone.pop());
    this.settle();
  }

  clear() {
    this.finish();
    if (!this.empty) this.add({ tool: "clear" });
  }

  // The picture that is sent, in base64: as it came, or drawn at its size.
  png() {
    if (this.picture) return this.picture.split(",")[1];
    const canvas = document.createElement("canvas");
    canvas.width = canvas.height = SIDE;
    const ink = blank(canvas);
    for (const stroke of this.strokes) draw(ink, stroke);
    return canvas.toDataURL("image/png").split(",")[1];
  }

  settle() {
    this.render();
    this.changed();
  }

  render() {
    const ink = blank(this.canvas);
    for (const stroke of this.strokes) draw(ink, stroke);
    const src = this.picture;
    if (src) {
      const image = new Image();
      image.onload = () => src === this.picture && place(blank(this.canvas), image);
      image.src = src;
    }
  }

  // The pointer -----------------------------------------------------------------------------------

  begin(event) {
    if (event.button > 0 && event.button !== 5) return; // 5: the other end of a pen
    if (this.stroke || !event.isPrimary) return;
    event.preventDefault();
    this.canvas.focus({ preventScroll: true });
    if (this.picture) {
      this.hint(t("as_it_is"));
      return;
    }
    this.canvas.setPointerCapture(event.pointerId);
    const tool = event.button === 5 ? "eraser" : this.tool;
    const width = tool === "eraser" ? 2 * this.width : this.width;
    this.stroke = { tool, width, points: [] };
    this.pointer = event.pointerId;
    this.since = event.timeStamp;
    this.follow(event);
  }

  go(event) {
    if (!this.stroke || event.pointerId !== this.pointer) return;
    const between = event.getCoalescedEvents?.() ?? [];
    for (const one of between.length ? between : [event]) this.follow(one);
  }

  end(event) {
    if (!this.stroke || event.pointerId !== this.pointer) return;
    if (event.type === "pointerup") this.follow(event);
    this.finish();
  }

  follow(event) {
    const { points } = this.stroke;
    const point = this.point(event);
    const last = points.at(-1);
    if (last && Math.hypot(point[0] - last[0], point[1] - last[1]) < NEAR) return;
    points.push(point);
    draw(this.canvas.getContext("2d"), this.stroke, points.length - 1);
  }

  point(event) {
    const box = this.canvas.getBoundingClientRect();
    const edge = this.canvas.clientLeft;
    const along = (at, start, length) => {
      const here = ((at - start - edge) / (length - 2 * edge)) * SIDE;
      return Math.round(10 * Math.min(SIDE + BEYOND, Math.max(-BEYOND, here))) / 10;
    };
    return [
      along(event.clientX, box.left, box.width),
      along(event.clientY, box.top, box.height),
      Math.max(0, Math.round(event.timeStamp - this.since)),
      event.pointerType === "pen" ? Math.round(100 * event.pressure) / 100 : 0.5,
    ];
  }
}
