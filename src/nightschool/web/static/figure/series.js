// Series of states: made continuous, and read between two steps.

const TURN = 2 * Math.PI;

// Angles without jumps by a whole turn; the first of them near those of `start`.
export function unwrapped(states, angles, start) {
  const made = states.map((state) => [...state]);
  for (const k of angles) {
    let before = start[k];
    for (const state of made) {
      state[k] -= TURN * Math.round((state[k] - before) / TURN);
      before = state[k];
    }
  }
  return made;
}

// The state at a step, whole or not; the last one after its end.
export function at(states, step) {
  const before = Math.min(Math.floor(step), states.length - 1);
  const after = Math.min(before + 1, states.length - 1);
  const share = Math.min(1, step - before);
  return states[before].map((value, k) => value + share * (states[after][k] - value));
}
