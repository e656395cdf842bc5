// Who is signed in here: the mark that every write carries, and the ways out.

let asked = null;

// The mark of this page's own requests; "" in a school without accounts. Throws while the school
// cannot be reached.
export async function token() {
  asked ??= ask();
  try {
    return (await asked).csrf;
  } catch (error) {
    asked = null;
    throw error;
  }
}

async function ask() {
  const response = await fetch("/api/session", { signal: AbortSignal.timeout(10_000) });
  if (!response.ok) throw new Error(`status ${response.status}`);
  return response.json();
}

// The mark was refused: the next `token()` asks for a new one.
export function forget() {
  asked = null;
}

// Who is signed in, as {person, role, rights, accounts}; person is "" for nobody.
export async function session() {
  await token();
  return asked;
}

// The session is over: sign in, and come back here.
export function signedOut() {
  if (location.pathname === "/login") return;
  location.assign(`/login?next=${encodeURIComponent(location.pathname + location.search)}`);
}

export async function signOut() {
  const headers = { "Content-Type": "application/json", "X-CSRFToken": await token() };
  await fetch("/api/session/end", { method: "POST", headers, body: "{}" });
  location.assign("/login");
}

document.addEventListener("click", (event) => {
  if (event.target.closest("[data-session=out]")) signOut();
});
