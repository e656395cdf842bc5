// An experiment is answered by the system itself; a person sees what the model expects of it.

import { Refusal, call } from "../api.js";
import { Player } from "../figure/player.js";

const PATIENCE_MS = 120_000;
const AGAIN_MS = 3_000;

const $ = (id) => document.getElementById(id);

export class Experiment {
  takes = false;

  constructor(root) {
    this.root = root;
    this.question = null;
    this.player = null;
  }

  show(question) {
    this.question = question;
    $("experiment").textContent = question.text;
    this.say("Thinking …");
    this.expect(question);
  }

  draft() {
    return null;
  }

  problem() {
    return "The system answers by itself. If it should not try this: S, C or B.";
  }

  begun() {
    return null;
  }

  told() {
    return document.createElement("p");
  }

  focus() {
    $("experiment").focus({ preventScroll: true });
  }

  async expect(question) {
    let shown = null;
    try {
      shown = await call(`/api/expected/${encodeURIComponent(question.id)}`, undefined, PATIENCE_MS);
    } catch (error) {
      if (question !== this.question) return;
      this.say(error instanceof Refusal ? error.message : "The school cannot be reached.");
      if (!(error instanceof Refusal)) setTimeout(() => this.again(question), AGAIN_MS);
      return;
    }
    if (question !== this.question) return;
    this.player?.stop();
    if (shown.expected) this.player = new Player($("expected"), shown);
    else this.say("The version that asked is not at hand to say what it expects.");
  }

  again(question) {
    if (question === this.question) this.expect(question);
  }

  say(text) {
    this.player?.stop();
    const line = Object.assign(document.createElement("p"), { textContent: text });
    line.className = "quiet";
    $("expected").replaceChildren(line);
  }
}
