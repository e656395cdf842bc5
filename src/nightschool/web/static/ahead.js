// Questions fetched ahead, so that the next one is there at once, network or not.

import { Refusal, call } from "./api.js";

const DEPTH = 3;
const EMPTY_WAIT_MS = 3_000;
const LONGEST_WAIT_MS = 8_000;

export class Ahead {
  // `held()` gives the ids that must not come again: on the screen, or answered and not sent.
  constructor({ person, held, arrived }) {
    this.person = person;
    this.held = held;
    this.arrived = arrived;
    this.items = [];
    this.state = "asking"; // or "here", "empty", "away", "refused"
    this.message = "";
    this.round = 0;
    this.failures = 0;
    this.wake = () => {};
    for (const event of ["online", "focus"]) addEventListener(event, () => this.wake());
  }

  take() {
    const item = this.items.shift();
    this.wake();
    return item;
  }

  // What was on the screen comes next again, with what was begun.
  putBack(item) {
    this.items.unshift(item);
  }

  // Forget what was fetched (but nothing that was begun), and ask anew.
  reset() {
    this.round += 1;
    this.items = this.items.filter((item) => item.draft || item.note);
    this.state = "asking";
    this.wake();
  }

  async run() {
    for (;;) {
      try {
        const wait = this.items.length < DEPTH && !document.hidden ? await this.ask() : Infinity;
        if (wait) await this.woken(wait);
      } catch (error) {
        console.error(error); // whatever it is, asking goes on
        await this.woken(LONGEST_WAIT_MS);
      }
    }
  }

  async ask() {
    const round = this.round;
    const query = new URLSearchParams({ person: this.person(), hold: this.ids().join(",") });
    let wait = 0;
    try {
      const { question } = await call(`/api/next?${query}`);
      if (round !== this.round) return 0;
      this.failures = 0;
      this.state = question ? "here" : "empty";
      if (!question) wait = EMPTY_WAIT_MS;
      else if (this.ids().includes(question.id)) wait = 300; // given out before it was held
      else this.items.push({ question, at: Date.now() });
    } catch (error) {
      if (round !== this.round) return 0;
      this.failures += 1;
      this.state = error instanceof Refusal ? "refused" : "away";
      this.message = error.message;
      wait = Math.min(LONGEST_WAIT_MS, 400 * 2 ** (this.failures - 1));
    }
    this.arrived();
    return wait;
  }

  ids() {
    return [...new Set([...this.held(), ...this.items.map((item) => item.question.id)])];
  }

  woken(ms) {
    return new Promise((done) => {
      const timer = ms === Infinity ? 0 : setTimeout(done, ms);
      this.wake = () => {
        clearTimeout(timer);
        done();
      };
    });
  }
}
