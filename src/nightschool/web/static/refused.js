// Answers that the school would not keep: shown with text and reason until the person decides.

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
      element("p", `Not kept: ${entry.message}`, "reason"),
      element("p", entry.question.text, "asked"),
      this.said(entry),
      button("Edit", () => {
        leave();
        this.edit(entry);
      }),
      button("Send again", () => {
        leave();
        this.again({ question: entry.question, answer: entry.answer });
      }),
      // Nothing that was typed goes away by one slip.
      button("Discard", (event) => {
        if (event.target.dataset.sure) leave();
        event.target.dataset.sure = "yes";
        event.target.textContent = "Discard for good?";
      }),
    );
    return card;
  }

  said(entry) {
    const { reply } = entry.answer;
    const said = reply === "answer" ? this.told(entry) : element("p", `(${reply.replace("_", " ")})`);
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
