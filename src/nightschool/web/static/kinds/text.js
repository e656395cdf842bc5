// A text is answered by a text, typed where it ends.

const box = document.getElementById("box");

export class Text {
  takes = true;

  constructor(root, { limit, changed }) {
    this.root = root;
    this.limit = limit;
    box.addEventListener("input", () => {
      fit();
      changed();
    });
    for (const button of root.querySelectorAll("[data-label]")) {
      button.addEventListener("click", () => {
        box.value = button.dataset.label;
        box.dispatchEvent(new Event("input"));
        box.form.requestSubmit();
      });
    }
  }

  show(question, draft) {
    document.getElementById("context").textContent = question.text;
    box.value = draft ?? "";
  }

  draft() {
    return box.value || null;
  }

  problem() {
    if (!box.value.trim()) return "Type an answer first. If there is none: Esc, then S, C or B.";
    const more = [...box.value].length - this.limit;
    return more > 0 ? `${more} characters too long: at most ${this.limit} are kept.` : "";
  }

  read() {
    return { text: box.value };
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
  if (CSS.supports("field-sizing", "content")) return;
  const widest = Math.max(...box.value.split("\n").map((line) => line.length));
  box.style.width = `${Math.max(8, widest + 2)}ch`;
  box.style.height = "auto";
  box.style.height = `${box.scrollHeight}px`;
}
