// The figures, fetched again every few seconds while somebody looks.

import { change, tell } from "./telling.js";
import { t } from "./texts.js";

const EVERY_MS = 5_000;
const stale = document.getElementById("stale");

async function refresh() {
  if (document.hidden) return;
  try {
    const response = await fetch("/status", { signal: AbortSignal.timeout(10_000) });
    if (!response.ok) throw new Error(response.status);
    const page = new DOMParser().parseFromString(await response.text(), "text/html");
    show(page.getElementById("figures"));
    stale.hidden = true;
  } catch {
    stale.hidden = false;
  }
}

let last = document.getElementById("figures").innerHTML;

/** Show fresh figures, unless nothing is new or a reader would lose the place. */
function show(fresh) {
  const shown = document.getElementById("figures");
  const busy = !getSelection().isCollapsed || shown.matches(":has(:popover-open, .u-hz:hover)");
  if (busy || fresh.innerHTML === last) return;
  last = fresh.innerHTML;
  const running = (figures) => figures.querySelector("[data-running]") !== null;
  if (running(shown) && !running(fresh)) tell(t("night_over"));
  const focused = shown.contains(document.activeElement) ? place(document.activeElement) : null;
  const scrolled = [...shown.querySelectorAll(".wide")].map((e) => [e.scrollLeft, e.scrollTop]);
  shown.replaceWith(fresh);
  fresh.querySelectorAll(".wide").forEach((e, i) => ([e.scrollLeft, e.scrollTop] = scrolled[i] ?? [0, 0]));
  document.dispatchEvent(new Event("morning"));
  if (focused) fresh.querySelector(focused)?.focus({ preventScroll: true });
}

function place(element) {
  const target = element.getAttribute("popovertarget");
  if ("night" in element.dataset) return "[data-night]";
  return target ? `[popovertarget="${target}"]` : element.matches(".wide") ? ".wide" : null;
}

document.addEventListener("click", async ({ target }) => {
  const button = target.closest("[data-night]");
  if (!button || button.ariaDisabled === "true") return;
  if (await change("/api/night", {})) tell(t("night_begun"));
  await refresh();
});

setInterval(refresh, EVERY_MS);
addEventListener("focus", refresh);
