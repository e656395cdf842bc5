// The keyboard: single letters outside the text boxes, Alt with a letter inside them. Where an
// answer is made (`data-answer`: a box, a sheet), Enter keeps it and Escape leads out.

const LETTERS = { s: "skip", c: "cant_tell", b: "bad_question", u: "undo", n: "note" };

// On a Mac, Alt writes letters such as ñ; there only Escape leads out of the box.
const MAC = /Mac|iPhone|iPad/.test(navigator.platform);

export function listenToKeys(actions) {
  if (MAC) document.documentElement.classList.add("mac");
  document.addEventListener("keydown", (event) => {
    const held = event.repeat && !event.key.startsWith("Page");
    if (event.isComposing || held || document.querySelector("dialog[open]")) return;
    const name = meaning(event);
    if (!name) return;
    event.preventDefault();
    if (name === "leave") document.querySelector("[data-do=skip]").focus();
    else actions[name]();
  });
  // A held Enter answers once: neither a second answer nor a new line.
  document.addEventListener("keydown", (event) => {
    if (event.repeat && event.key === "Enter" && !event.shiftKey) event.preventDefault();
  });
}

function meaning(event) {
  const field = event.target;
  const typing = field.matches("textarea, input");
  const inBox = "answer" in field.dataset;
  if (event.ctrlKey || event.metaKey || event.getModifierState("AltGraph")) return null;
  if (event.altKey) return MAC ? null : LETTERS[letter(event)];
  if (event.key === "Escape") return inBox ? "leave" : "back";
  if (event.key === "Enter" && inBox && !event.shiftKey) return "answer";
  if (inBox && event.key === "PageUp") return "up";
  if (inBox && event.key === "PageDown") return "down";
  if (event.key === "Enter" && field.id === "person") return "back";
  if (event.key === "?" && (!typing || (inBox && !field.value))) return "help";
  if (typing) return null;
  return LETTERS[letter(event)];
}

// By the letter it writes; on other scripts by the place of the key.
function letter(event) {
  const key = event.key.toLowerCase();
  if (/^[a-z]$/.test(key)) return key;
  return event.code.startsWith("Key") ? event.code.slice(3).toLowerCase() : "";
}
