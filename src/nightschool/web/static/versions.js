// One version: decide who serves, with a reason; ask what both said.

import { call } from "./api.js";
import { tell, times } from "./telling.js";
import { t } from "./texts.js";

const SLOW_MS = 300_000; // both models are loaded
const main = document.querySelector("main");
const dialog = document.getElementById("decide");
let path = "";

for (const button of document.querySelectorAll("[data-decide]")) {
  button.addEventListener("click", () => {
    path = button.dataset.decide;
    document.getElementById("decide-title").textContent = button.dataset.title;
    dialog.showModal();
  });
}
dialog.querySelector("[data-back]").addEventListener("click", () => dialog.close());
dialog.querySelector("form").addEventListener("submit", async (event) => {
  event.preventDefault();
  const reason = new FormData(event.target).get("reason");
  dialog.close();
  try {
    const told = await call(path, { reason });
    tell(t("done", { id: told.serves }));
    location.reload();
  } catch (error) {
    tell(t("refused", { reason: error.told || error.message || t("away") }));
  }
});

document.getElementById("ask")?.addEventListener("click", async (event) => {
  const button = event.target;
  button.disabled = true;
  tell(t("asking"));
  const { version, against } = main.dataset;
  try {
    const { said } = await call(`/api/versions/${version}/said?against=${against}`, undefined, SLOW_MS);
    for (const item of document.querySelectorAll("[data-item]")) {
      for (const [i, words] of (said[item.dataset.item] ?? []).entries()) {
        item.querySelector(`[data-said="${i}"]`).textContent = words;
      }
    }
    tell(Object.keys(said).length ? "" : t("no_words"));
    button.hidden = true;
  } catch (error) {
    tell(t("refused", { reason: error.told || error.message }));
    button.disabled = false;
  }
});

times();
