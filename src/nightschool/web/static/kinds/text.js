// A text is answered by a text, typed where it ends, or by one of a school's labels.

import { t } from "../texts.js";
import { Labels } from "./labels.js";

const UNREAD_MS = 200; // a question that has just come cannot have been read

const $ = (id) => document.getElementById(id);
const box = $("box");

export class Text {
  takes = true;

  constructor(root, { limit, changed }) {
    this.root = root;
    this.limit = limit;
    this.question = null;
    const choice = root.querySelector("[data-labels]");
    const send = () => box.form.requestSubmit();
    this.labels = choice && new Labels(JSON.parse(choice.dataset.labels), { box, changed, send, unread: () => this.unread });
    box.addEventListener("input", () => {
      fit();
      changed();
    });
  }

  show(question, draft) {
    this.question = question;
    this.since = performance.now();
    $("context").textContent = question.text;
    box.value = draft ?? "";
    this.labels?.show();
    if (this.labels?.chosen()) box.select(); // to type over it
    this.suggest(question.guess ?? "");
  }

  // The model's own guess, where the school shows it: Enter on an empty box keeps it.
  suggest(guess) {
    $("guess").hidden = !guess;
    const told = document.createElement("span");
    told.textContent = guess;
    told.className = "said";
    const key = Object.assign(document.createElement("kbd"), { textContent: "Enter" });
    $("guess").replaceChildren(`${t("guess")} `, told, " ", key, ` ${t("confirms")}`);
  }

  get unread() {
    return performance.now() - this.since < UNREAD_MS;
  }

  draft() {
    return box.value || null;
  }

  // What is sent: what was typed or chosen, or the suggestion where nothing was.
  said() {
    const empty = !box.value.trim() && !this.labels?.marked;
    if (empty) return this.unread ? "" : (this.question?.guess ?? "");
    return this.labels ? (this.labels.chosen() ?? "") : box.value;
  }

  problem() {
    const said = this.said();
    if (!said.trim()) return this.labels ? this.labels.problem() : t("type_first");
    const more = [...said].length - this.limit;
    return more > 0 ? t("too_long", { more, limit: this.limit }) : "";
  }

  read() {
    return { text: this.said() };
  }

  begun(answer) {
    return answer.text || null;
  }

  told(answer) {
    return Object.assign(document.createElement("p"), { textContent: answer.text });
  }

  focus() {
    fit();
    box.focus({ preventScroll: true });
    box.scrollIntoView({ block: "nearest" });
  }

  // Long contexts scroll by page, with the cursor staying in the box.
  turn(pages) {
    const sheet = this.root.querySelector(".page");
    sheet.scrollBy({ top: pages * 0.85 * sheet.clientHeight });
  }
}

// Where CSS cannot size the box to its text yet.
function fit() {
  if (box.matches("input") || CSS.supports("field-sizing", "content")) return;
  const widest = Math.max(...box.value.split("\n").map((line) => line.length));
  box.style.width = `${Math.max(8, widest + 2)}ch`;
  box.style.height = "auto";
  box.style.height = `${box.scrollHeight}px`;
}
