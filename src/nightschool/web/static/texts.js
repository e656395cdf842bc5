// The texts of a page, from the catalogue: the page brings its own as a block of data.

const block = document.getElementById("texts");
const texts = block ? JSON.parse(block.textContent) : {};

// The text of that name with its {names} filled in; a missing one shows by its name.
export function t(name, values = {}) {
  const text = texts[name] ?? name;
  return text.replace(/\{(\w+)\}/g, (all, key) => (key in values ? String(values[key]) : all));
}
