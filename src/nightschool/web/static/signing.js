// Sign in, or join by a link; then on to the page that somebody wanted to see.

import { session, token, forget } from "./session.js";

const PATHS = { login: "/api/session", join: "/api/join" };
const form = document.querySelector("form[data-do]");

// Only a page of this very school: a link may name any address as `next`.
function next() {
  const wanted = new URLSearchParams(location.search).get("next") ?? "/";
  const url = new URL(wanted, location.origin);
  // The whole address: a path alone may begin with two slashes, which leads to another host.
  return url.origin === location.origin && wanted.startsWith("/") ? url.href : "/";
}

function tell(text) {
  form.querySelector(".problem").textContent = text;
}

async function send(body, again = true) {
  const headers = { "Content-Type": "application/json", "X-CSRFToken": await token() };
  const path = PATHS[form.dataset.do];
  const response = await fetch(path, { method: "POST", headers, body: JSON.stringify(body) });
  const told = await response.json();
  if (told.code === "csrf" && again) {
    forget();
    return send(body, false);
  }
  return { ok: response.ok, told };
}

// The button says that it works; it stays in place, so that the cursor is not lost.
function busy(now) {
  const button = form.querySelector("button");
  const [words, other] = [button.textContent, button.dataset.other];
  if (now === (form.ariaBusy === "true")) return;
  form.ariaBusy = String(now);
  button.ariaDisabled = String(now);
  [button.textContent, button.dataset.other] = [other, words];
}

form?.addEventListener("submit", async (event) => {
  event.preventDefault();
  if (form.ariaBusy === "true") return;
  tell("");
  busy(true);
  const body = Object.fromEntries(new FormData(form));
  if (form.dataset.link) body.link = form.dataset.link;
  try {
    const { ok, told } = await send(body);
    if (ok) {
      location.assign(next()); // it goes on saying so until the other page is there
      return;
    }
    tell(told.error);
    form.elements.password.select();
  } catch {
    tell(form.dataset.away);
  }
  busy(false);
});
// Back from the next page, the browser may show this one as it was left.
addEventListener("pageshow", () => form && busy(false));

// A link from elsewhere hides the session's cookie from the first request: look again from here.
if (form?.dataset.do === "login") {
  session().then(({ person }) => person && location.replace(next())).catch(() => {});
}
