// Answers that the school would not keep: shown with text and reason until the person decides.

import { t } from "./texts.js";

export class Refused {
  // `told(entry)` makes an element of what was sent.
  constructor(section, store, { told, edit, again }) {
    this.section = section;
    this.store = store;
    this.told = told;
    this.edit = edit;
    this.again = again;
  }

  show() {
    const names = this.store.names("refused");
    this.section.hidden = !names.length;
    this.section.replaceChildren(...names.map((name) => this.card(name, this.store.get(name))));
  }

  card(name, entry) {
    const leave = () => {
      this.store.remove(name);
      this.show();
    };
    const card = element("article", "");
    card.setAttribute("role", "alert");
    card.append(
      element("p", t("not_kept", { reason: entry.message }), "reason"),
      element("p", entry.question.text, "asked"),
      this.said(entry),
      button(t("edit"), () => {
        leave();
        this.edit(entry);
      }),
      button(t("again"), () => {
        leave();
        this.again({ question: entry.question, answer: entry.answer });
      }),
      // Nothing that was typed goes away by one slip.
      button(t("discard"), (event) => {
        if (event.target.dataset.sure) leave();
        event.target.dataset.sure = "yes";
        event.target.textContent = t("discard_sure");
      }),
    );
    return card;
  }

  said(entry) {
    const { reply } = entry.answer;
    const said = reply === "answer" ? this.told(entry) : element("p", `(${t(reply)})`);
    said.classList.add("said");
    return said;
  }
}

function element(tag, text, className = "") {
  const made = document.createElement(tag);
  made.textContent = text;
  if (className) made.className = className;
  return made;
}

function button(text, action) {
  const made = element("button", text);
  made.type = "button";
  made.addEventListener("click", action);
  return made;
}
