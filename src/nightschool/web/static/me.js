// Oneself: another password, and tokens for machines.

import { change, copies, refresh, secret, times } from "./telling.js";
import { t } from "./texts.js";

const $ = (id) => document.getElementById(id);

$("password")?.addEventListener("submit", async (event) => {
  event.preventDefault();
  const form = event.target;
  const [old, fresh] = [form.elements.old.value, form.elements.new.value];
  if (await change("/api/password", { old, new: fresh })) {
    form.reset();
    await refresh(t("changed"));
  }
});

$("token")?.addEventListener("submit", async (event) => {
  event.preventDefault();
  const told = await change("/api/tokens", { name: event.target.elements.name.value });
  if (!told) return;
  event.target.reset();
  await refresh(t("done_token"));
  secret(told.token);
});

document.addEventListener("click", async (event) => {
  const id = event.target.closest("[data-revoke]")?.closest("li").dataset.id;
  if (id && (await change("/api/tokens/revoke", { id }))) await refresh(t("done_revoke"));
});

times();
copies();
