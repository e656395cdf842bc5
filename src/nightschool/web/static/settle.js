// One disagreement at a time: number keys choose, and the next one comes.

import { call, Refusal } from "./api.js";
import { t } from "./texts.js";

const AGAIN_MS = 4_000;
const MOST = 50;
const $ = (id) => document.getElementById(id);
const undoButton = document.querySelector("[data-do=undo]");

let open = [];
let totals = { left: 0, settled: 0 };
let last = null; // the settling answer that can be taken back
let busy = false;
const later = new Set();

async function load() {
  try {
    const told = await call(`/api/settle?most=${MOST + later.size}`);
    open = told.open.filter((dispute) => !later.has(dispute.question_id));
    totals = { left: told.total, settled: told.settled };
    show();
  } catch (error) {
    $("state").textContent = error instanceof Refusal ? error.message : t("away");
    $("state").hidden = false;
    setTimeout(load, AGAIN_MS);
  }
}

function show() {
  const dispute = open[0];
  const left = Math.max(totals.left, open.length);
  const told = [left ? t("left", { n: left }) : t("left_none")];
  if (totals.settled) told.push(t("settled", { n: totals.settled }));
  $("count").textContent = told.join(" · ");
  $("dispute").hidden = !dispute;
  $("state").hidden = Boolean(dispute);
  undoButton.hidden = !last;
  if (!dispute) {
    $("state").textContent = later.size ? t("all_later", { n: later.size }) : `${t("empty_title")} ${t("empty")}`;
    return;
  }
  $("asked").textContent = dispute.text;
  $("facts").textContent = [
    t(`partition_${dispute.partition}`),
    t("entropy", { bits: dispute.entropy.toFixed(1) }),
    t(dispute.decided ? "makes" : "open"),
  ].join(" · ");
  const shares = dispute.alternatives.map((each) => Math.round(100 * each.probability));
  const rest = 100 - shares.reduce((sum, share) => sum + share, 0);
  $("rest").textContent = rest > 0 ? t("rest", { p: rest }) : "";
  $("alternatives").replaceChildren(...dispute.alternatives.map(alternative));
  $("another").value = "";
  $("asked").focus({ preventScroll: true });
}

function alternative(each, i) {
  const button = element("button", "");
  button.type = "button";
  if (i < 9) button.append(element("kbd", "", String(i + 1)));
  else button.append(element("span", ""));
  button.append(element("span", "text", each.text || t("no_answer")));
  button.append(element("span", "p", t("probability", { p: Math.round(100 * each.probability) })));
  button.append(bar(each.probability));
  const voters = element("span", "voters");
  for (const voter of each.voters) {
    const said = t("voter", { person: voter.person, trust: Math.round(100 * voter.trust) });
    const more = [said];
    if (!each.text) more.push(t(voter.reply));
    else if (voter.text !== each.text) more.push(t("wrote", { text: voter.text }));
    voters.append(element("span", "", more.join(", ") + (voter === each.voters.at(-1) ? "" : "; ")));
    if (voter.note) voters.append(element("span", "note", voter.note));
  }
  button.append(voters);
  button.addEventListener("click", () => choose(i));
  const item = document.createElement("li");
  item.append(button);
  return item;
}

function bar(share) {
  const space = "http://www.w3.org/2000/svg";
  const svg = document.createElementNS(space, "svg");
  svg.setAttribute("class", "odds");
  svg.setAttribute("viewBox", "0 0 100 4");
  svg.setAttribute("preserveAspectRatio", "none");
  svg.setAttribute("aria-hidden", "true");
  const line = document.createElementNS(space, "rect");
  line.setAttribute("width", String(100 * share));
  line.setAttribute("height", "4");
  svg.append(line);
  return svg;
}

function element(name, kind, text = "") {
  const made = document.createElement(name);
  if (kind) made.className = kind;
  made.textContent = text;
  return made;
}

function choose(i) {
  const each = open[0]?.alternatives[i];
  if (!each) return;
  if (each.text) settle("answer", each.text);
  else settle(each.voters[0].reply, "");
}

// The id is made once for each question: a second try cannot settle it twice.
async function settle(reply, text) {
  if (busy || !open[0]) return;
  busy = true;
  const dispute = open[0];
  dispute.id ??= crypto.randomUUID();
  try {
    const sent = { id: dispute.id, question_id: dispute.question_id, reply, text };
    const told = await call("/api/settle", sent);
    last = { answer_id: told.answer_id, dispute };
    open.shift();
    totals = { left: totals.left - 1, settled: totals.settled + 1 };
    say(text ? t("kept", { text }) : t("kept_none"));
    if (open.length) show();
    else await load();
  } catch (error) {
    say(t("refused", { reason: error.message }), true);
    dispute.id = undefined;
  } finally {
    busy = false;
  }
}

async function undo() {
  if (busy || !last) return;
  busy = true;
  try {
    await call("/api/settle/undo", { answer_id: last.answer_id });
    last.dispute.id = undefined;
    open.unshift(last.dispute);
    totals = { left: totals.left + 1, settled: totals.settled - 1 };
    last = null;
    say(t("undone"));
    show();
  } catch (error) {
    say(t("refused", { reason: error.message }), true);
  } finally {
    busy = false;
  }
}

function leave() {
  if (!open[0]) return;
  later.add(open[0].question_id);
  open.shift();
  show();
}

function say(text, seen = false) {
  $("spoken").textContent = text;
  $("spoken").classList.toggle("seen", seen);
}

const actions = { none: () => settle("cant_tell", ""), later: leave, undo };
for (const button of document.querySelectorAll("[data-do]")) {
  button.addEventListener("click", () => actions[button.dataset.do]());
}
$("other").addEventListener("submit", (event) => {
  event.preventDefault();
  const text = $("another").value;
  if (text.trim()) settle("answer", text);
});

const LETTERS = { n: "none", s: "later", u: "undo" };
document.addEventListener("keydown", (event) => {
  if (event.isComposing || event.repeat || event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.target.matches("input")) {
    if (event.key === "Escape") $("asked").focus();
    return;
  }
  const key = event.key.toLowerCase();
  if (/^[1-9]$/.test(key)) choose(Number(key) - 1);
  else if (key === "t") $("another").focus();
  else if (key in LETTERS) actions[LETTERS[key]]();
  else return;
  event.preventDefault();
});

load();
