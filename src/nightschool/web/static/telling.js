// What the pages about people share: what is told, a secret shown once, times in local words, and
// parts of a page that the server tells anew.

import { call } from "./api.js";
import { t } from "./texts.js";

export function tell(text) {
  document.getElementById("told").textContent = text;
}

// Asks the school for a change; tells why not, and returns null, where it is refused.
export async function change(path, body) {
  try {
    return (await call(path, body)) ?? {};
  } catch (error) {
    tell(error.told || error.message || t("away"));
    return null;
  }
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

export function times(within = document) {
  const local = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" });
  for (const time of within.querySelectorAll("time[data-at]")) {
    const at = new Date(1000 * Number(time.dataset.at));
    const when = local.format(at);
    time.dateTime = at.toISOString();
    time.textContent = time.dataset.text ? t(time.dataset.text.split(".")[1], { when }) : when;
  }
}

// Every [data-part] as the server has it now; the cursor stays where it is, or goes to the part
// from which its place has gone. What was done is told when it can be seen.
export async function refresh(told) {
  const response = await fetch(location.href).catch(() => null);
  if (!response?.ok) return location.reload(); // signed out, or no longer allowed to look
  const fresh = new DOMParser().parseFromString(await response.text(), "text/html");
  const back = place(document.activeElement);
  for (const part of document.querySelectorAll("[data-part]")) {
    part.replaceChildren(...(fresh.getElementById(part.id)?.childNodes ?? []));
    times(part);
  }
  back();
  tell(told);
}

// Where the cursor is, as a way to get back there when the part was made anew.
function place(element) {
  const part = element?.closest("[data-part]");
  const row = element?.closest("[data-person], [data-id]");
  const own = Object.keys(element?.dataset ?? {})[0];
  return () => {
    if (!part) return;
    const [key, value] = Object.entries(row?.dataset ?? {})[0] ?? [];
    const again = key && part.querySelector(`[data-${key}="${CSS.escape(value)}"] [data-${own}]`);
    (again || part).focus();
  };
}
