// The figures, fetched again every few seconds while somebody looks.

const EVERY_MS = 3_000;
const stale = document.getElementById("stale");

async function refresh() {
  if (document.hidden) return;
  try {
    const response = await fetch("/status", { signal: AbortSignal.timeout(10_000) });
    if (!response.ok) throw new Error(response.status);
    const page = new DOMParser().parseFromString(await response.text(), "text/html");
    const fresh = page.getElementById("figures");
    const shown = document.getElementById("figures");
    // Not while somebody selects text, nor when nothing is new: a reader must not lose the place.
    if (getSelection().isCollapsed && fresh.innerHTML !== shown.innerHTML) {
      const place = shown.querySelector(".wide")?.scrollLeft ?? 0;
      shown.replaceWith(fresh);
      const wide = fresh.querySelector(".wide");
      if (wide) wide.scrollLeft = place;
    }
    stale.hidden = true;
  } catch {
    stale.hidden = false;
  }
}

setInterval(refresh, EVERY_MS);
addEventListener("focus", refresh);
