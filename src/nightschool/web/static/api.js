// Calls to the school. Three ends: an answer, a refusal in words, or silence (try again).

export class Refusal extends Error {}
export class Silence extends Error {}

const PATIENCE_MS = 15_000;
const LATER = new Set([408, 425, 429]);

export async function call(path, body, patience = PATIENCE_MS) {
  let response, told;
  try {
    response = await fetch(path, {
      method: body === undefined ? "GET" : "POST",
      headers: body === undefined ? {} : { "Content-Type": "application/json" },
      body: body === undefined ? undefined : JSON.stringify(body),
      // The request goes on when the tab is closed meanwhile.
      keepalive: body !== undefined && JSON.stringify(body).length < 20_000,
      signal: AbortSignal.timeout(patience),
    });
    told = await response.json();
  } catch {
    throw new Silence("no answer");
  }
  if (response.ok) return told;
  // Only the school refuses with a reason; anything else that happens to sit on this port, or a
  // server in trouble, is a cause to wait.
  const refused = response.status >= 400 && response.status < 500 && !LATER.has(response.status);
  if (refused && typeof told?.error === "string") throw new Refusal(told.error);
  throw new Silence(typeof told?.error === "string" ? told.error : `status ${response.status}`);
}
