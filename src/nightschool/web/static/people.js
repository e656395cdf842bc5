// Everybody: roles, invitations, and what an owner may do about a person.

import { change, copies, refresh, secret, times } from "./telling.js";
import { t } from "./texts.js";

const SURE = { disable: "confirm_disable", sign_out: "confirm_sign_out", withdraw: "confirm_withdraw", erase: "confirm_erase" };
const $ = (id) => document.getElementById(id);
let person = "";

async function act(what, reason = "") {
  const name = person;
  if (what === "renew") {
    const told = await change("/api/invitations", { person, renew: true });
    if (told) await linked(told);
    return;
  }
  const body = what === "withdraw" ? { person, reason } : { person };
  const told = await change(`/api/people/${what}`, body);
  if (told) await refresh(t(`done_${what}`, { name }));
}

// A link was made: it is shown, and so is what the trail and the list say of it.
async function linked({ path }) {
  await refresh(t("done_link"));
  secret(location.origin + path);
}

// Asks once more before what cannot simply be taken back.
function sure(what) {
  const dialog = $("sure");
  $("sure-text").textContent = t(SURE[what], { name: person });
  const reason = dialog.querySelector("[name=reason]");
  reason.value = "";
  reason.required = what === "withdraw";
  $("sure-why").hidden = !reason.required;
  dialog.querySelector("form").onsubmit = (event) => {
    event.preventDefault();
    dialog.close();
    act(what, reason.value);
  };
  dialog.showModal();
  if (reason.required) reason.focus(); // else the cursor is on the way back
}

document.addEventListener("click", async (event) => {
  const at = (name) => event.target.closest(name);
  if (at("[data-more]")) {
    const row = at("tr");
    person = row.dataset.person;
    $("more-title").textContent = person;
    const known = Boolean(row.querySelector("select"));
    for (const button of $("more").querySelectorAll("[data-act]")) {
      const { act: what } = button.dataset;
      const out = row.classList.contains("out");
      const account = !["withdraw", "erase"].includes(what);
      button.hidden = (account && !known) || (what === "enable" ? !out : out && account);
    }
    $("more").showModal();
  }
  const what = at("[data-act]")?.dataset.act;
  if (what) {
    $("more").close();
    if (what in SURE) sure(what);
    else act(what);
  }
  if (at("[data-back]")) $("sure").close();
  const id = at("[data-cancel]")?.closest("li").dataset.id;
  if (id && (await change("/api/invitations/cancel", { id }))) await refresh(t("done_cancel"));
});

document.addEventListener("change", async (event) => {
  if (event.target.dataset.change !== "role") return;
  const { person: name } = event.target.closest("tr").dataset;
  const told = await change("/api/people/role", { person: name, role: event.target.value });
  if (told) await refresh(t("done_role", { name, role: t(told.role) }));
  else event.target.value = [...event.target.options].find((o) => o.defaultSelected).value;
});

$("invite")?.addEventListener("submit", async (event) => {
  event.preventDefault();
  const { person: name, role, days } = Object.fromEntries(new FormData(event.target));
  const told = await change("/api/invitations", { person: name, role, days: Number(days) });
  if (told) await linked(told);
});

times();
copies();
