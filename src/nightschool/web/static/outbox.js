// The outbox: every reply is written down here first, then sent until the school has it.
//
// Entries are sent one by one in the order in which they were made, so that an undo arrives after
// the answer it takes back. An entry leaves only when the school says that it is kept, or refuses
// it in words; then it moves to `refused`, with its text, for the person to decide.

import { Refusal, call } from "./api.js";
import { uuid } from "./store.js";

const FIRST_WAIT_MS = 400;
const LONGEST_WAIT_MS = 8_000;

export class Outbox {
  constructor(store, { changed, kept, refused }) {
    this.store = store;
    this.changed = changed;
    this.kept = kept;
    this.refused = refused;
    this.failures = 0;
    this.wake = () => {};
    for (const event of ["online", "focus"]) addEventListener(event, () => this.wake());
  }

  names() {
    return this.store.names("outbox");
  }

  entries() {
    return this.names().map((name) => this.store.get(name)).filter(Boolean);
  }

  // Questions that were answered here and whose answers the school may not have yet.
  answered() {
    const taken = new Set(this.entries().filter((e) => e.undo).map((e) => e.answer.answer_id));
    return this.entries().filter((e) => !e.undo && !taken.has(e.answer.id)).map((e) => e.question.id);
  }

  put(entry) {
    const names = this.names();
    const last = names.length ? Number(names.at(-1).split("/")[1].split("-")[0]) : 0;
    // The clock may be set back; the order may not.
    const order = Math.max(Date.now(), last + 1);
    this.store.set(`outbox/${String(order).padStart(16, "0")}-${uuid()}`, entry);
    this.changed();
    this.wake();
  }

  async run() {
    for (;;) {
      try {
        const wait = await alone(() => this.sendFirst());
        this.changed();
        if (wait) await this.woken(wait);
      } catch (error) {
        console.error(error); // whatever it is, sending goes on
        await this.woken(LONGEST_WAIT_MS);
      }
    }
  }

  // Sends the oldest entry; returns how many milliseconds to wait before the next.
  async sendFirst() {
    const name = this.names()[0];
    const entry = name && this.store.get(name);
    if (!entry) {
      this.failures = 0;
      if (name) this.store.remove(name);
      return Infinity;
    }
    try {
      const told = await call(entry.undo ? "/api/undo" : "/api/answers", entry.answer);
      if (!entry.undo && told.kept !== true) throw new Error("something else answers on this port");
      this.store.remove(name);
      this.failures = 0;
      this.kept(entry);
    } catch (error) {
      if (!(error instanceof Refusal)) {
        this.failures += 1;
        const wait = Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** (this.failures - 1));
        return wait * (0.75 + Math.random() / 2);
      }
      this.failures = 0;
      this.giveUp(name, { ...entry, message: error.message });
    }
    return 0;
  }

  giveUp(name, told) {
    const undo = this.names().find((n) => {
      const other = this.store.get(n);
      return other?.undo && !told.undo && other.answer.answer_id === told.answer.id;
    });
    if (undo) {
      this.store.remove(undo); // it was taken back already: nothing is left to decide
    } else if (!told.undo) {
      this.store.set(`refused/${name.split("/")[1]}`, told);
    }
    this.store.remove(name);
    if (!undo) this.refused(told);
  }

  woken(ms) {
    return new Promise((done) => {
      const timer = ms === Infinity ? 0 : setTimeout(done, ms);
      this.wake = () => {
        clearTimeout(timer);
        done();
      };
      // Something may have been put in between the look and the wait.
      if (ms === Infinity && this.names().length) this.wake();
    });
  }
}

// Several tabs share one outbox; one of them sends at a time.
function alone(work) {
  return navigator.locks ? navigator.locks.request("nightschool-outbox", work) : work();
}
