// What the pages about people share: what is told, a secret shown once, times in local words.

import { t } from "./texts.js";

export function tell(text) {
  document.getElementById("told").textContent = text;
}

// A link or token, shown once, with a button that copies it.
export function secret(text) {
  const box = document.getElementById("link");
  box.querySelector("code").textContent = text;
  box.hidden = false;
  box.querySelector("button").focus();
}

export function copies() {
  document.addEventListener("click", async (event) => {
    if (!event.target.closest("[data-copy]")) return;
    await navigator.clipboard.writeText(document.querySelector("#link code").textContent);
    tell(t("copied"));
  });
}

export function times() {
  const local = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" });
  for (const time of document.querySelectorAll("time[data-at]")) {
    const at = new Date(1000 * Number(time.dataset.at));
    const when = local.format(at);
    time.dateTime = at.toISOString();
    time.textContent = time.dataset.text ? t(time.dataset.text.split(".")[1], { when }) : when;
  }
}
