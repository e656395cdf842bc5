// A caption is answered by a drawing, made here with mouse, pen or finger, or by a picture file.

import { t } from "../texts.js";
import { SIDE } from "./ink.js";
import { fetched, pictureIn, take } from "./pictures.js";
import { Sheet } from "./sheet.js";

const WIDTHS = { thin: 8, medium: 14, thick: 22 };
const LONGEST_STROKES = 1_000_000; // characters; longer ones the school does not keep
const KEYS = { 1: "thin", 2: "medium", 3: "thick", e: "eraser", p: "pen", delete: "clear" };

const $ = (id) => document.getElementById(id);

export class Caption {
  takes = true;

  constructor(root, { changed, hint, say }) {
    this.root = root;
    this.changed = changed;
    this.say = say;
    this.question = null;
    this.path = null; // of a picture that is to come from the school
    this.sheet = new Sheet($("sheet"), { changed: () => this.drawn(), hint });
    this.listen();
    this.press();
  }

  show(question, draft) {
    this.question = question;
    $("caption").textContent = question.caption;
    this.sheet.load(draft?.steps ?? []);
    this.press();
    this.path = draft?.path ?? null;
    if (this.path) this.fetch(this.path);
  }

  draft() {
    const steps = this.sheet.all;
    if (this.path) return { steps, path: this.path };
    return steps.length ? { steps } : null;
  }

  finish() {
    this.sheet.finish();
  }

  problem() {
    return this.sheet.blank ? t("draw_first") : "";
  }

  read() {
    const picture = this.sheet.png();
    if (this.sheet.picture) return { picture };
    const sheet = { width: SIDE, height: SIDE, strokes: this.sheet.strokes };
    const strokes = JSON.stringify(sheet);
    return strokes.length > LONGEST_STROKES ? { picture } : { picture, strokes };
  }

  begun(answer) {
    if (answer.strokes) return { steps: fitted(JSON.parse(answer.strokes)) };
    if (!answer.picture) return null;
    if (answer.picture.startsWith("/api/")) return { steps: [], path: answer.picture };
    return { steps: [{ tool: "picture", src: source(answer.picture) }] };
  }

  told(answer) {
    const made = document.createElement("img");
    return Object.assign(made, { src: source(answer.picture), alt: t("the_drawing"), width: 96 });
  }

  focus() {
    $("sheet").focus({ preventScroll: true });
  }

  // Tools -----------------------------------------------------------------------------------------

  act(name) {
    const { sheet } = this;
    if (name in WIDTHS) {
      sheet.tool = "pen";
      sheet.width = WIDTHS[name];
    } else if (name === "eraser") sheet.tool = sheet.tool === "eraser" ? "pen" : "eraser";
    else if (name === "pen") sheet.tool = "pen";
    else if (name === "upload") $("file").click();
    else sheet[name]();
    this.press();
  }

  // The buttons show which tool is in the hand, and which steps there are to take back.
  press() {
    const { tool, width, steps, undone, empty } = this.sheet;
    for (const button of this.root.querySelectorAll("[data-draw]")) {
      const name = button.dataset.draw;
      const inHand = name === tool || (tool === "pen" && WIDTHS[name] === width);
      if (name in WIDTHS || name === "eraser") button.setAttribute("aria-pressed", inHand);
      if (name === "undo") disable(button, !steps.length);
      if (name === "redo") disable(button, !undone.length);
      if (name === "clear") disable(button, empty);
    }
    $("sheet").classList.toggle("erasing", tool === "eraser");
  }

  drawn() {
    this.press();
    this.changed();
  }

  // Until it is here, the draft says where it is.
  fetch(path) {
    this.use(fetched(path), () => (this.path = null));
  }

  // A picture that is on its way; where it belongs to a question that went away, it is dropped.
  async use(coming, here = () => {}) {
    const { question } = this;
    try {
      const src = await coming;
      if (question !== this.question) return;
      here();
      this.sheet.add({ tool: "picture", src });
    } catch (error) {
      this.say(error.message);
    }
  }

  // Listening -------------------------------------------------------------------------------------

  listen() {
    this.root.addEventListener("click", (event) => {
      const button = event.target.closest("[data-draw]");
      if (!button) return;
      if (button.getAttribute("aria-disabled") !== "true") this.act(button.dataset.draw);
      if (event.detail) this.focus(); // by pointer: Enter and the letters are the sheet's again
    });
    $("file").addEventListener("change", () => {
      this.offer($("file").files);
      $("file").value = "";
    });
    document.addEventListener("keydown", (event) => this.key(event));
    document.addEventListener("paste", (event) => this.offer(event.clipboardData?.files, event));
    document.addEventListener("dragover", (event) => this.seen && event.preventDefault());
    document.addEventListener("drop", (event) => this.offer(event.dataTransfer?.files, event));
  }

  get seen() {
    return Boolean(this.root.offsetParent) && !document.querySelector("dialog[open]");
  }

  offer(files, event) {
    const file = pictureIn(files);
    if (!this.seen) return;
    if (file || event?.type === "drop") event?.preventDefault();
    if (file) this.use(take(file));
  }

  key(event) {
    if (!this.seen || event.altKey || event.target.matches("input, textarea")) return;
    const name = event.ctrlKey || event.metaKey ? stepping(event) : KEYS[event.key.toLowerCase()];
    if (!name) return;
    event.preventDefault();
    this.act(name);
  }
}

function stepping(event) {
  const key = event.key.toLowerCase();
  if (key === "y") return "redo";
  return key === "z" ? (event.shiftKey ? "redo" : "undo") : null;
}

// The strokes of a sheet of any size, on this one.
function fitted({ width, height, strokes }) {
  const scale = SIDE / Math.max(width, height);
  if (scale === 1) return strokes;
  return strokes.map((stroke) => ({
    ...stroke,
    width: scale * stroke.width,
    points: stroke.points.map(([x, y, ...more]) => [scale * x, scale * y, ...more]),
  }));
}

// A button that is out of use stays where the keyboard is.
function disable(button, yes) {
  button.setAttribute("aria-disabled", yes);
}

function source(base64) {
  return `data:image/${base64.startsWith("/9j/") ? "jpeg" : "png"};base64,${base64}`;
}
