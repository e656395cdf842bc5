// What the model learned from a person's last answers: a card under the question, which never takes
// the cursor, goes away by itself while somebody answers, and for good when it is dismissed.

import { call } from "./api.js";
import { html } from "./figure/make.js";
import { t } from "./texts.js";

const DAY_S = 24 * 3600;
const OUT_OF_THE_WAY = 5; // answers, after which it is hidden until the queue is empty

export class Lesson {
  constructor(section, store, { person }) {
    Object.assign(this, { section, store, person });
    this.lesson = null;
    this.answers = 0;
  }

  async ask() {
    const person = this.person();
    try {
      const { lesson } = await call(`/api/yesterday?${new URLSearchParams({ person })}`);
      if (person !== this.person()) return;
      this.lesson = lesson;
      this.draw();
    } catch {
      // The next arrival asks again.
    }
  }

  answered() {
    this.answers += 1;
  }

  // `busy`: a question is on the screen.
  show(busy) {
    const { lesson } = this;
    const dismissed = lesson && this.store.get("lesson", {})[this.person()] === lesson.night;
    this.busy = busy;
    this.section.hidden = !lesson || dismissed || (busy && this.answers >= OUT_OF_THE_WAY);
  }

  draw() {
    const { lesson } = this;
    if (lesson) {
      const close = html("button", { type: "button", class: "plain", "aria-label": t("lesson_close") }, "×");
      close.addEventListener("click", () => this.dismiss());
      this.section.replaceChildren(close, ...told(lesson));
    }
    this.show(this.busy);
  }

  dismiss() {
    this.store.set("lesson", { ...this.store.get("lesson", {}), [this.person()]: this.lesson.night });
    this.show(this.busy);
    document.querySelector("#form:not([hidden]) [data-answer]")?.focus();
  }
}

function told({ at, lead, first, others, changed, exam }) {
  const when = age(at);
  const title = t(["group", "all"].includes(lead) ? `lesson_title_${lead}${when}` : `lesson_title_${lead}`,
    { what: first?.name });
  const score = exam ? t("lesson_exam", { ...exam, before: points(exam.before), after: points(exam.after) })
    : t(lead === "same" ? "lesson_score_same" : "lesson_score", first);
  const head = html("p", { class: "head" }, html("strong", {}, title), " ", score);
  const moved = others.map((part) =>
    html("li", {}, t("lesson_other", { ...part, what: part.name || t("lesson_rest") })));
  const list = moved.length ? [html("ul", { class: "others quiet" }, ...moved)] : [];
  return [head, ...list, ...changes(changed)];
}

// Which answers taught it, as the end of a text's name: what a night before six in the morning
// learned is the day before's.
function age(at) {
  const day = (seconds) => new Date(1000 * (seconds - 6 * 3600)).toDateString();
  const now = Date.now() / 1000;
  return { [day(now - DAY_S)]: "", [day(now)]: "_today" }[day(at)] ?? "_night";
}

const points = (mark) => (100 * mark).toFixed(1);

// The very questions whose answers changed, each with what the model said before and says now.
function changes(changed) {
  if (!changed.length) return [];
  const items = changed.map((one) => html("li", { class: one.better ? "better" : "worse" },
    html("p", { class: "asked" }, one.context, " ", html("b", {}, one.answer)),
    html("p", { class: "quiet" },
      html("span", { class: "outcome" }, t(one.better ? "lesson_better" : "lesson_worse")), " ",
      ...words(one)),
  ));
  return [html("details", {}, html("summary", {}, t("lesson_show")), html("ul", { class: "changed" }, ...items))];
}

function words({ before, after }) {
  if (!before && !after) return [];
  return [`${t("lesson_was")} `, html("q", {}, before || "…"), `, ${t("lesson_now")} `, html("q", {}, after || "…")];
}
