// The page on which somebody answers: shows a question, takes a reply, shows the next at once.

import { Ahead } from "./ahead.js";
import { Refusal, call } from "./api.js";
import { listenToKeys } from "./keys.js";
import { Outbox } from "./outbox.js";
import { Refused } from "./refused.js";
import { Stopwatch } from "./stopwatch.js";
import { Store, uuid } from "./store.js";

const STALE_MS = 10 * 60_000;
const SLOW_MS = 500;
const REMEMBERED = 20;

const $ = (id) => document.getElementById(id);
const box = $("box");
const note = $("note");
const limit = Number(document.body.dataset.limit);
const store = new Store(document.body.dataset.school);
const watch = new Stopwatch();
const outbox = new Outbox(store, { changed: showMark, kept, refused });
const ahead = new Ahead({ person: () => person, held, arrived });
const refusals = new Refused($("refused"), store, { edit, again: (entry) => outbox.put(entry) });

let person = store.get("person", "me");
let current = null; // the question on the screen
let shownAt = 0;
let putAt = 0;
let keptOne = false;

function held() {
  return [...(current ? [current.id] : []), ...outbox.answered()];
}

// What is on the screen, so that it can be put aside and come back.
function onScreen() {
  return { question: current, text: box.value, note: note.value, seconds: watch.read() };
}

function saveDraft() {
  const later = ahead.items.filter((item) => item.text || item.note);
  store.setDraft({ now: current && { ...onScreen(), at: shownAt }, later });
}

function show({ question, text = "", note: why = "", seconds = 0, at = Date.now() }) {
  current = question;
  shownAt = at;
  $("context").textContent = question.text;
  box.value = text;
  note.value = why;
  hint("");
  watch.start(seconds);
  showParts();
  fit();
  saveDraft();
  box.focus({ preventScroll: true });
  box.scrollIntoView({ block: "nearest" });
}

function next() {
  current = null;
  const item = ahead.take();
  if (item) show(item);
  else {
    saveDraft();
    showParts();
  }
}

function showParts() {
  $("form").hidden = !current;
  $("empty").hidden = Boolean(current) || ahead.state !== "empty";
  $("away").hidden = Boolean(current) || ahead.state !== "away";
}

function arrived() {
  if (!current && ahead.items.length) next();
  else showParts();
  alarm();
}

// Replies ---------------------------------------------------------------------------------------

function reply(kind) {
  if (!current) return;
  const text = kind === "answer" ? box.value : "";
  if (kind === "answer" && !text.trim()) {
    hint("Type an answer first. If there is none: Esc, then S, C or B.");
    box.focus();
    return;
  }
  const length = [...text].length;
  if (length > limit) {
    hint(`${length - limit} characters too long: at most ${limit} are kept.`);
    return;
  }
  const answer = {
    id: uuid(),
    question_id: current.id,
    person,
    reply: kind,
    text,
    seconds: Math.round(watch.read() * 100) / 100,
    note: note.value,
  };
  putAt = Date.now();
  outbox.put({ question: current, answer });
  const { question, text: typed, note: why, seconds } = onScreen();
  const done = { id: answer.id, person, question, text: typed, note: why, seconds };
  store.set("history", [...store.get("history", []), done].slice(-REMEMBERED));
  count(1);
  next();
}

async function undo() {
  const history = store.get("history", []);
  const at = history.findLastIndex((done) => done.person === person);
  if (at >= 0) {
    const [done] = history.splice(at, 1);
    store.set("history", history);
    outbox.put({ undo: true, answer: { person, answer_id: done.id } });
    comeBack(done);
    return;
  }
  try {
    const told = await call("/api/undo", { person });
    if (told.answer) comeBack({ question: told.question, ...told.answer });
    else say("There is nothing to take back.");
  } catch (error) {
    say(error instanceof Refusal ? error.message : "The school cannot be reached to take it back.");
  }
}

function comeBack(done) {
  count(-1);
  aside();
  show({ question: done.question, text: done.text, note: done.note, seconds: done.seconds });
  say("Taken back.");
}

// Make room on the screen without losing what is typed there.
function aside() {
  if (current) ahead.putBack(onScreen());
}

function edit(entry) {
  aside();
  show({ question: entry.question, text: entry.answer.text, note: entry.answer.note });
}

function kept() {
  keptOne = true;
  if (!current) ahead.wake(); // the queue may be filled again only now
}

function refused(entry) {
  if (entry.undo) {
    say(`Not taken back: ${entry.message}`);
    return;
  }
  store.set("history", store.get("history", []).filter((done) => done.id !== entry.answer.id));
  count(-1);
  refusals.show();
}

// What the page says ----------------------------------------------------------------------------

function showMark() {
  const mark = $("mark");
  const waiting = outbox.entries().length;
  const failing = waiting > 0 && outbox.failures > 0;
  if (failing !== mark.classList.contains("waiting")) {
    say(failing ? "Not reached. Your answers wait in this browser." : "All answers are kept.");
  }
  mark.classList.toggle("waiting", failing);
  const under = waiting > 0 && !failing;
  if (under && Date.now() - putAt < SLOW_MS) setTimeout(showMark, SLOW_MS); // no flicker
  else mark.textContent = failing ? `waiting (${waiting})` : under ? "sending" : keptOne ? "kept" : "";
  mark.classList.toggle("kept", mark.textContent === "kept");
  mark.hidden = !mark.textContent;
  alarm();
}

function count(more) {
  const day = new Date().toDateString();
  const today = store.get("today", {});
  const counts = today.day === day ? today.counts : {};
  counts[person] = Math.max(0, (counts[person] ?? 0) + more);
  store.set("today", { day, counts });
  $("today").textContent = counts[person];
}

function hint(text) {
  $("hint").textContent = text;
}

function alarm() {
  const unsafe = "This browser stores nothing: keep this tab open until all is kept.";
  const text = ahead.state === "refused" ? ahead.message : store.safe ? "" : unsafe;
  $("alarm").textContent = text;
  $("alarm").hidden = !text;
}

// Long contexts scroll by page, with the cursor staying in the box.
function turn(pages) {
  const sheet = document.querySelector(".page");
  sheet.scrollBy({ top: pages * 0.85 * sheet.clientHeight });
}

let silent = 0;
function say(text) {
  $("spoken").textContent = text;
  $("spoken").classList.add("seen");
  clearTimeout(silent);
  silent = setTimeout(() => $("spoken").classList.remove("seen"), 4_000);
}

// Where CSS cannot size the box to its text yet.
function fit() {
  if (CSS.supports("field-sizing", "content")) return;
  const widest = Math.max(...box.value.split("\n").map((line) => line.length));
  box.style.width = `${Math.max(8, widest + 2)}ch`;
  box.style.height = "auto";
  box.style.height = `${box.scrollHeight}px`;
}

// Begin -----------------------------------------------------------------------------------------

function rename() {
  const name = $("person").value.trim() || "me";
  $("person").value = name;
  if (name === person) return;
  person = name;
  store.set("person", person);
  ahead.reset();
  count(0);
  if (!box.value && !note.value) next();
}

// After a long pause the lease is over, and a night may have chosen better questions.
function freshen() {
  if (document.hidden || !current || Date.now() - shownAt < STALE_MS) return;
  shownAt = Date.now();
  ahead.reset();
  if (!box.value && !note.value) next();
}

function restore() {
  const draft = store.draft() ?? {};
  const done = new Set([...outbox.answered(), ...store.get("history", []).map((d) => d.question.id)]);
  const useful = (item) => item?.question && !done.has(item.question.id);
  ahead.items = (draft.later ?? []).filter(useful);
  const now = draft.now;
  if (!useful(now)) return;
  if (now.text || now.note || Date.now() - now.at < STALE_MS) show(now);
}

const actions = {
  answer: () => reply("answer"),
  skip: () => reply("skip"),
  cant_tell: () => reply("cant_tell"),
  bad_question: () => reply("bad_question"),
  undo,
  help: () => $("help").showModal(),
  note: () => note.focus(),
  up: () => turn(-1),
  down: () => turn(1),
  back: () => (current ? box.focus() : document.activeElement.blur()),
};

listenToKeys(actions);
$("form").addEventListener("submit", (event) => {
  event.preventDefault();
  actions.answer();
});
document.addEventListener("click", (event) => actions[event.target.closest("[data-do]")?.dataset.do]?.());
$("help").addEventListener("close", () => actions.back());
$("person").value = person;
$("person").addEventListener("change", rename);
for (const field of [box, note]) {
  field.addEventListener("input", () => {
    hint("");
    fit();
    saveDraft();
  });
}
addEventListener("pagehide", saveDraft);
addEventListener("beforeunload", (event) => {
  if (!store.safe && outbox.entries().length) event.preventDefault();
});
document.addEventListener("visibilitychange", () => {
  saveDraft();
  ahead.wake();
  freshen();
});
addEventListener("storage", (event) => {
  outbox.wake();
  showMark();
  refusals.show();
  count(0);
  // Another tab answered what this one shows.
  if (current && !box.value && outbox.answered().includes(current.id)) next();
});

count(0);
refusals.show();
restore();
showMark();
outbox.run();
ahead.run();
