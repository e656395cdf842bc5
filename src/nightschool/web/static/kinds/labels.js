// The labels of a school, as a combobox with its list: a number, a click, or some letters and Enter.
//
// A label is sent by its number (where there are few), by a click, or by Enter when it is certain
// which is meant: typed in full, the only one left, or marked with the arrows. Never by accident: a
// number that comes right after a new question, before anybody can have read it, does nothing.

import { t } from "../texts.js";

const NUMBERED = 9; // keys 1 to 9

export class Labels {
  constructor(labels, { box, changed, send, unread }) {
    Object.assign(this, { labels, box, changed, send, unread });
    this.list = document.getElementById("labels");
    this.numbered = labels.length <= NUMBERED;
    this.options = labels.map((label, i) => this.option(label, i));
    this.list.replaceChildren(...this.options);
    this.list.classList.toggle("many", !this.numbered);
    this.marked = null;
    // No keyboard slides over the labels where a finger chooses one of a few.
    if (this.numbered && matchMedia("(pointer: coarse)").matches) box.inputMode = "none";
    box.addEventListener("input", () => this.filter());
    document.addEventListener("keydown", (event) => this.key(event));
  }

  option(label, i) {
    const option = document.createElement("li");
    option.id = `label-${i}`;
    option.dataset.label = label;
    option.setAttribute("role", "option");
    option.setAttribute("aria-selected", "false");
    if (this.numbered) {
      option.append(Object.assign(document.createElement("kbd"), { textContent: i + 1 }));
    }
    option.append(label);
    option.addEventListener("pointerdown", (event) => event.preventDefault()); // the cursor stays
    option.addEventListener("click", () => this.take(option));
    return option;
  }

  show() {
    this.filter();
  }

  // Shows the labels that hold what is typed, those that begin with it first.
  filter() {
    const typed = plain(this.box.value);
    for (const option of this.options) option.hidden = !plain(option.dataset.label).includes(typed);
    const begins = (option) => plain(option.dataset.label).startsWith(typed);
    const sorted = typed
      ? [...this.options.filter(begins), ...this.options.filter((o) => !begins(o))]
      : this.options;
    this.list.replaceChildren(...sorted);
    this.mark(null);
    this.list.scrollTop = 0;
  }

  get shown() {
    return [...this.list.children].filter((option) => !option.hidden);
  }

  mark(option) {
    this.marked?.setAttribute("aria-selected", "false");
    this.marked = option;
    option?.setAttribute("aria-selected", "true");
    option?.scrollIntoView({ block: "nearest" });
    if (option) this.box.setAttribute("aria-activedescendant", option.id);
    else this.box.removeAttribute("aria-activedescendant");
  }

  // The label that is meant, where that is certain; null otherwise.
  chosen() {
    if (this.marked) return this.marked.dataset.label;
    const typed = plain(this.box.value);
    if (!typed) return null;
    const exact = this.labels.find((label) => plain(label) === typed);
    const { shown } = this;
    return exact ?? (shown.length === 1 ? shown[0].dataset.label : null);
  }

  problem() {
    return t(this.shown.length ? "choose_first" : "no_label");
  }

  take(option) {
    this.mark(option);
    this.send();
  }

  key(event) {
    const { target } = event;
    const elsewhere = target !== this.box && target.matches("input, textarea");
    if (elsewhere || !this.list.offsetParent || document.querySelector("dialog[open]")) return;
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    // Out of the box by Escape: every label is there again, for its number to choose.
    if (event.key === "Escape" && this.box.value) {
      this.box.value = "";
      this.filter();
      this.changed();
    } else if (step && target === this.box) {
      event.preventDefault();
      this.step(step);
    } else if (/^[1-9]$/.test(event.key)) this.number(event);
  }

  step(by) {
    const { shown } = this;
    if (!shown.length) return;
    const at = shown.indexOf(this.marked);
    const next = at < 0 ? (by > 0 ? 0 : shown.length - 1) : at + by;
    this.mark(shown[(next + shown.length) % shown.length]);
    this.changed();
  }

  // Where a label itself begins with a number, numbers are letters like any other.
  number(event) {
    if (!this.numbered || this.box.value || this.labels.some((label) => /^\d/.test(label))) return;
    const option = this.options[Number(event.key) - 1];
    if (!option) return;
    event.preventDefault();
    if (event.repeat || this.unread()) return;
    this.take(option);
  }
}

// Letters as they are compared: small, without accents, one space at a time.
function plain(text) {
  const bare = text.normalize("NFKD").replace(/\p{Diacritic}/gu, "");
  return bare.toLowerCase().replace(/\s+/g, " ").trim();
}
