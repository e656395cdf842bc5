// The page on which somebody answers: shows a question, takes a reply, shows the next at once.

import { Ahead } from "./ahead.js";
import { Refusal, call } from "./api.js";
import { Drafts } from "./drafts.js";
import { listenToKeys } from "./keys.js";
import { partFor } from "./kinds/kinds.js";
import { Lesson } from "./lesson.js";
import { Outbox } from "./outbox.js";
import { Refused } from "./refused.js";
import { token } from "./session.js";
import { Stopwatch } from "./stopwatch.js";
import { Store, uuid } from "./store.js";
import { t } from "./texts.js";
import { Today } from "./today.js";

const STALE_MS = 10 * 60_000;
const SLOW_MS = 500;
const REMEMBERED = 20;
const LONGEST_MEMORY = 1_000_000; // characters

const $ = (id) => document.getElementById(id);
const note = $("note");
const limit = Number(document.body.dataset.limit);
const store = new Store(document.body.dataset.school);
const drafts = new Drafts(store);
const watch = new Stopwatch();
const outbox = new Outbox(store, { changed: showMark, kept, refused });
const ahead = new Ahead({ person: () => person, held, arrived });
const part = partFor(document.body.dataset.kind, { limit, changed, hint, say });
const refusals = new Refused($("refused"), store, {
  told: (entry) => part.told(entry.answer),
  edit,
  again: (entry) => outbox.put(entry),
});

const today = new Today(store, $("today"), {
  person: () => person,
  waiting: () => outbox.entries().length,
});
const lesson = new Lesson($("lesson"), store, { person: () => person });

// Who is signed in; without accounts whoever says so.
let person = document.body.dataset.person || store.get("person", "me");
let current = null; // the question on the screen
let shownAt = 0;
let putAt = 0;
let keptOne = false;

function held() {
  return [...(current ? [current.id] : []), ...outbox.answered()];
}

// What is on the screen, so that it can be put aside and come back.
function onScreen() {
  return { question: current, draft: part.draft(), note: note.value, seconds: watch.read() };
}

// Whether something was begun there.
function begun() {
  return Boolean(current && (part.draft() || note.value));
}

function changed() {
  hint("");
  saveDraft();
}

function saveDraft() {
  const later = ahead.items.filter(holds);
  drafts.set({ now: current && { ...onScreen(), at: shownAt }, later });
  alarm();
}

// The tab is hidden or left: even a line that is being drawn is kept.
function leave() {
  part.finish?.();
  saveDraft();
}

function show({ question, draft = null, note: why = "", seconds = 0, at = Date.now() }) {
  current = question;
  shownAt = at;
  part.show(question, draft);
  note.value = why;
  hint("");
  watch.start(seconds);
  showParts();
  saveDraft();
  part.focus();
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
  $("send").hidden = !part.takes;
  $("empty").hidden = Boolean(current) || ahead.state !== "empty";
  $("away").hidden = Boolean(current) || ahead.state !== "away";
  lesson.show(Boolean(current));
}

function arrived() {
  if (!current && ahead.items.length) next();
  else showParts();
  alarm();
}

// Replies ---------------------------------------------------------------------------------------

function reply(kind) {
  if (!current) return;
  part.finish?.();
  const problem = kind === "answer" ? part.problem() : "";
  if (problem) {
    hint(problem);
    part.focus();
    return;
  }
  const answer = {
    id: uuid(),
    question_id: current.id,
    person,
    reply: kind,
    text: "",
    ...(kind === "answer" ? part.read() : {}),
    seconds: Math.round(watch.read() * 100) / 100,
    note: note.value,
  };
  putAt = Date.now();
  outbox.put({ question: current, answer });
  remember({ id: answer.id, person, ...onScreen() });
  today.add(1);
  lesson.answered();
  next();
}

function remember(done) {
  let history = [...store.get("history", []), done].slice(-REMEMBERED);
  while (history.length > 1 && JSON.stringify(history).length > LONGEST_MEMORY) {
    history = history.slice(1);
  }
  store.set("history", history);
}

async function undo() {
  part.finish?.();
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
    const { answer, question } = told;
    if (!answer) say(t("nothing_to_undo"));
    else comeBack({ question, draft: part.begun(answer), note: answer.note });
  } catch (error) {
    say(error instanceof Refusal ? error.message : t("cannot_undo"));
  }
}

function comeBack(done) {
  keptOne = false;
  showMark();
  today.add(-1);
  aside();
  show({ ...since(done), at: Date.now() });
  say(t("taken_back"));
}

// Make room on the screen without losing what was begun there.
function aside() {
  if (current) ahead.putBack(onScreen());
}

function edit(entry) {
  aside();
  const { question, answer } = entry;
  show({ question, draft: part.begun(answer), note: answer.note });
}

function kept(entry) {
  keptOne = !entry.undo; // of an answer that was taken back nothing is kept
  if (!current) ahead.wake(); // the queue may be filled again only now
}

function refused(entry) {
  if (entry.undo) {
    say(t("not_taken_back", { reason: entry.message }));
    return;
  }
  store.set("history", store.get("history", []).filter((done) => done.id !== entry.answer.id));
  today.add(-1);
  refusals.show();
}

// What the page says ----------------------------------------------------------------------------

function showMark() {
  const mark = $("mark");
  const waiting = outbox.entries().length;
  const failing = waiting > 0 && outbox.failures > 0;
  if (failing !== mark.classList.contains("waiting")) {
    say(t(failing ? "waits_here" : "all_kept"));
  }
  mark.classList.toggle("waiting", failing);
  const under = waiting > 0 && !failing;
  if (under && Date.now() - putAt < SLOW_MS) setTimeout(showMark, SLOW_MS); // no flicker
  else {
    const done = !failing && !under && keptOne;
    const words = failing ? t("waiting", { n: waiting }) : under ? t("sending") : done ? t("kept") : "";
    if (words !== mark.textContent) mark.textContent = words;
    mark.classList.toggle("kept", done);
  }
  mark.hidden = !mark.textContent;
  alarm();
}

function hint(text) {
  $("hint").textContent = text;
}

function alarm() {
  const text = ahead.state === "refused" ? ahead.message : store.safe ? "" : t("unsafe");
  if ($("alarm").textContent !== text) $("alarm").textContent = text;
  $("alarm").hidden = !text;
}

let silent = 0;
function say(text) {
  $("spoken").textContent = text;
  $("spoken").classList.add("seen");
  clearTimeout(silent);
  silent = setTimeout(() => $("spoken").classList.remove("seen"), 4_000);
}

// Begin -----------------------------------------------------------------------------------------

function rename() {
  const name = $("person").value.trim() || "me";
  $("person").value = name;
  if (name === person) return;
  person = name;
  store.set("person", person);
  ahead.reset();
  arrive();
  if (!begun()) next();
}

// What there is to tell a person who comes: their count, and what the model learned from them.
function arrive() {
  today.show();
  today.sync();
  lesson.ask();
}

// After a long pause the lease is over, and a night may have chosen better questions.
function freshen() {
  if (document.hidden || !current || Date.now() - shownAt < STALE_MS) return;
  shownAt = Date.now();
  ahead.reset();
  if (!begun()) next();
}

// What was stored by an earlier page has its text in another place.
function since(item) {
  return { ...item, draft: item.draft ?? (item.text || null) };
}

// Whether there is something of the person's own in what was put aside.
function holds(item) {
  return Boolean(item?.draft || item?.note || item?.text);
}

// What was begun comes back, even where another tab has answered: the person decides.
function restore() {
  const [own = {}, ...closed] = drafts.take();
  const done = new Set([...outbox.answered(), ...store.get("history", []).map((d) => d.question.id)]);
  const useful = (item) => item?.question && (holds(item) || !done.has(item.question.id));
  const fresh = holds(own.now) || Date.now() - own.now?.at < STALE_MS;
  const left = closed.flatMap((draft) => [draft.now, ...(draft.later ?? [])]).filter(holds);
  const items = [...(fresh ? [own.now] : []), ...(own.later ?? []), ...left].filter(useful);
  ahead.items = distinct(items.map(since));
  if (ahead.items.length) next();
}

function distinct(items) {
  const told = (item) => JSON.stringify([item.question.id, item.draft, item.note]);
  return [...new Map(items.map((item) => [told(item), item])).values()];
}

let helpedFrom = null; // whoever was in command mode stays there

const actions = {
  answer: () => reply("answer"),
  skip: () => reply("skip"),
  cant_tell: () => reply("cant_tell"),
  bad_question: () => reply("bad_question"),
  undo,
  help: () => {
    helpedFrom = document.activeElement;
    $("help").showModal();
  },
  note: () => note.focus(),
  up: () => part.turn?.(-1),
  down: () => part.turn?.(1),
  back: () => (current ? part.focus() : document.activeElement.blur()),
};

await drafts.begin();
listenToKeys(actions);
$("form").addEventListener("submit", (event) => {
  event.preventDefault();
  actions.answer();
});
document.addEventListener("click", (event) => actions[event.target.closest("[data-do]")?.dataset.do]?.());
$("help").addEventListener("close", () => (helpedFrom === document.body ? document.activeElement.blur() : actions.back()));
if ($("person")) {
  $("person").value = person;
  $("person").addEventListener("change", rename);
}
note.addEventListener("input", changed);
addEventListener("pagehide", leave);
addEventListener("beforeunload", (event) => {
  const waits = outbox.entries().length || begun() || ahead.items.some(holds);
  if (!store.safe && waits) event.preventDefault();
});
document.addEventListener("visibilitychange", () => {
  leave();
  ahead.wake();
  if (!document.hidden) today.sync();
  freshen();
});
addEventListener("storage", (event) => {
  outbox.wake();
  showMark();
  refusals.show();
  today.show();
  // Another tab answered what this one shows.
  if (current && !begun() && outbox.answered().includes(current.id)) next();
});

refusals.show();
restore();
showMark();
outbox.run();
ahead.run();
arrive();
token().catch(() => {}); // so that the first answer need not wait for it
