// The newest trials: a list that renews itself, and the one that was chosen, played.

import { Refusal, call } from "./api.js";
import { html } from "./figure/make.js";
import { Player } from "./figure/player.js";
import { t } from "./texts.js";

const EVERY_MS = 4_000;
const PATIENCE_MS = 120_000;

const $ = (id) => document.getElementById(id);
const trials = new Map(); // by id: a promise of the whole trial
let rows = [];
let shown = null;
let player = null;

function trial(id) {
  if (!trials.has(id)) {
    const coming = call(`/api/experiments/${encodeURIComponent(id)}`, undefined, PATIENCE_MS);
    coming.catch(() => trials.delete(id)); // asked again when it is looked at again
    trials.set(id, coming);
  }
  return trials.get(id);
}

async function choose(row) {
  shown = row.id;
  player?.stop();
  $("shown").textContent = `${when(row)}: ${outcome(row)}`;
  mark();
  const waits = setTimeout(() => ($("thinking").hidden = shown !== row.id), 150);
  try {
    const found = await trial(row.id);
    if (shown === row.id) player = new Player($("trial"), found);
  } catch (error) {
    const lost = t("lost");
    const told = html("p", { class: "quiet" }, error instanceof Refusal ? error.message : lost);
    if (shown === row.id) $("trial").replaceChildren(told);
  } finally {
    clearTimeout(waits);
    if (shown === row.id) $("thinking").hidden = true;
  }
}

// The list --------------------------------------------------------------------------------------

function list() {
  $("none").hidden = rows.length > 0;
  $("list").hidden = !rows.length;
  const focused = document.activeElement.closest("[data-id]")?.dataset.id;
  $("rows").replaceChildren(...rows.map(line));
  if (focused) document.querySelector(`[data-id="${CSS.escape(focused)}"] button`)?.focus();
  mark();
}

function line(row) {
  const name = html("button", { type: "button", class: "plain" }, when(row));
  name.disabled = !row.shown;
  name.addEventListener("click", () => choose(row));
  const result = html("td", { class: "n", "data-error": row.id }, row.shown ? "…" : "–");
  const told = html("span", { class: `outcome ${row.whole ? "whole" : "ended"}` }, outcome(row));
  return html(
    "tr",
    { "data-id": row.id },
    html("td", {}, name),
    html("td", {}, row.version),
    html("td", { class: "why" }, told),
    result,
  );
}

function mark() {
  for (const row of $("rows").children) {
    row.setAttribute("aria-current", row.dataset.id === shown);
  }
}

function when(row) {
  return new Date(1000 * row.at).toLocaleString([], { dateStyle: "medium", timeStyle: "medium" });
}

function outcome(row) {
  if (row.whole) return t("whole", row);
  if (row.shown) return t("ended", { ...row, why: row.ended });
  const told = row.reply.replace("_", " ");
  return row.note ? `${told}: ${row.note}` : told;
}

// Expectations are slow at first, so they come one after the other, newest first.
async function errors() {
  for (const row of rows.filter((r) => r.shown)) {
    let told = "–";
    try {
      const { error } = await trial(row.id);
      if (error !== null) told = `${(100 * error).toFixed(0)} %`;
    } catch {
      told = "?";
    }
    const cell = document.querySelector(`[data-error="${CSS.escape(row.id)}"]`);
    if (cell) cell.textContent = told;
  }
}

async function refresh() {
  if (document.hidden) return;
  try {
    const { experiments } = await call("/api/experiments");
    $("stale").hidden = true;
    if (rows.length && JSON.stringify(experiments) === JSON.stringify(rows)) return;
    rows = experiments;
    list();
    const first = rows.find((row) => row.shown);
    if (shown === null && first) await choose(first);
    await errors();
  } catch {
    $("stale").hidden = false;
  }
}

let wake = () => {};
for (const event of ["online", "focus"]) addEventListener(event, () => wake());

async function run() {
  for (;;) {
    await refresh();
    await new Promise((done) => {
      wake = done;
      setTimeout(done, EVERY_MS);
    });
  }
}

run();
