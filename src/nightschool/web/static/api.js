// Calls to the school. Three ends: an answer, a refusal in words, or silence (try again).

import { forget, signedOut, token } from "./session.js";

export class Refusal extends Error {}
export class Silence extends Error {
  // `told` is what the school said of it, where it said something.
  constructor(message, told = "") {
    super(message);
    this.told = told;
  }
}

const PATIENCE_MS = 15_000;
const CHARACTERS_PER_MS = 10; // a slow line must do for large drawings
const LATER = new Set([408, 425, 429]);

// `abort` is the signal of who asks, where the answer may become useless meanwhile.
export async function call(path, body, patience = PATIENCE_MS, abort = null) {
  const sent = body === undefined ? undefined : JSON.stringify(body);
  const limit = AbortSignal.timeout(patience + (sent?.length ?? 0) / CHARACTERS_PER_MS);
  let response, told;
  try {
    response = await fetch(path, {
      method: sent === undefined ? "GET" : "POST",
      headers: sent === undefined ? {} : await marked(),
      body: sent,
      // The request goes on when the tab is closed meanwhile.
      keepalive: sent !== undefined && sent.length < 20_000,
      signal: abort ? AbortSignal.any([abort, limit]) : limit,
    });
    told = await response.json();
  } catch {
    throw new Silence("no answer");
  }
  if (response.ok) return told;
  // Neither is a word on what was sent: it waits until somebody signs in, or goes again.
  if (told?.code === "signed_out") signedOut();
  if (told?.code === "csrf") forget();
  if (["signed_out", "csrf"].includes(told?.code)) throw new Silence(told.error, told.error);
  // Only the school refuses with a reason; anything else that happens to sit on this port, or a
  // server in trouble, is a cause to wait.
  const refused = response.status >= 400 && response.status < 500 && !LATER.has(response.status);
  if (refused && typeof told?.error === "string") throw new Refusal(told.error);
  const said = typeof told?.error === "string" ? told.error : "";
  throw new Silence(said || `status ${response.status}`, said);
}

// Every write carries the mark of this school's own pages, where there are accounts.
async function marked() {
  const mark = await token();
  const type = { "Content-Type": "application/json" };
  return mark ? { ...type, "X-CSRFToken": mark } : type;
}
