// An experiment is answered by the system itself; a person sees what the model expects of it.

import { Refusal, call } from "../api.js";
import { Player } from "../figure/player.js";
import { t } from "../texts.js";

const PATIENCE_MS = 120_000;
const AGAIN_MS = 3_000;

const $ = (id) => document.getElementById(id);

export class Experiment {
  takes = false;

  constructor(root) {
    this.root = root;
    this.asking = new AbortController();
    this.player = null;
  }

  show(question) {
    this.asking.abort(); // nobody waits for the last one's any more
    this.asking = new AbortController();
    $("experiment").textContent = question.text;
    this.say(t("thinking"));
    this.expect(question, this.asking.signal);
  }

  draft() {
    return null;
  }

  problem() {
    return t("by_itself");
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

  async expect(question, abort) {
    const path = `/api/expected/${encodeURIComponent(question.id)}`;
    let shown = null;
    try {
      shown = await call(path, undefined, PATIENCE_MS, abort);
    } catch (error) {
      if (!abort.aborted) this.fail(error, () => this.expect(question, abort));
      return;
    }
    if (abort.aborted) return;
    this.player?.stop();
    if (shown.expected) this.player = new Player($("expected"), shown);
    else this.say(t("no_expectation"));
  }

  // A refusal is final; after a silence it is asked again.
  fail(error, again) {
    const refused = error instanceof Refusal;
    this.say(refused ? error.message : error.told || t("unreached"));
    if (!refused) setTimeout(again, AGAIN_MS);
  }

  say(text) {
    this.player?.stop();
    const line = Object.assign(document.createElement("p"), { textContent: text });
    line.className = "quiet";
    $("expected").replaceChildren(line);
  }
}
