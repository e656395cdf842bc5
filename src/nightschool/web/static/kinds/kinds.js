// The kinds of questions. A part of the page shows those of one kind and takes their answers:
//
//   show(question, draft)  shows it, with what was begun before (null: nothing)
//   draft()                what is there now, for `show` to bring back; null when there is nothing
//   finish()               ends what the hand is still at (where there is such a thing)
//   problem()              why it cannot be sent, in words; empty when it can
//   read()                 what is sent: {text}, or {picture, strokes}
//   begun(answer)          the draft of something that was sent
//   told(answer)           an element that shows what was sent
//   focus()                puts the cursor where the answer is made
//   takes                  whether a person can answer it at all

import { Caption } from "./caption.js";
import { Experiment } from "./experiment.js";
import { Text } from "./text.js";

const KINDS = { text: Text, caption: Caption, experiment: Experiment };

// The part for a kind. A school asks questions of one kind, and the page has its part alone; a kind
// that is unknown here is shown as text.
export function partFor(kind, page) {
  const name = kind in KINDS ? kind : "text";
  return new KINDS[name](document.getElementById(`kind-${name}`), page);
}
