// How many replies a person gave today: counted here at once, set right by the school now and then
// (they may have answered on another device as well).

import { call } from "./api.js";

export class Today {
  // `person()` says who answers; `waiting()` how many replies the school does not have yet.
  constructor(store, shown, { person, waiting }) {
    Object.assign(this, { store, shown, person, waiting });
    this.changes = 0;
  }

  add(more) {
    this.changes += 1;
    this.set(Math.max(0, this.read() + more));
  }

  show() {
    this.shown.textContent = this.read();
  }

  async sync() {
    const { changes } = this;
    const query = new URLSearchParams({ person: this.person(), since: midnight() });
    try {
      const { replies } = await call(`/api/today?${query}`);
      if (changes === this.changes && !this.waiting()) this.set(replies);
    } catch {
      // What was counted here stands.
    }
  }

  read() {
    const { day, counts } = this.store.get("today", {});
    return day === new Date().toDateString() ? (counts[this.person()] ?? 0) : 0;
  }

  set(n) {
    const day = new Date().toDateString();
    const today = this.store.get("today", {});
    const counts = today.day === day ? today.counts : {};
    counts[this.person()] = n;
    this.store.set("today", { day, counts });
    this.show();
  }
}

function midnight() {
  return Math.floor(new Date().setHours(0, 0, 0, 0) / 1000);
}
