// Oneself: another password, and tokens for machines.

import { call } from "./api.js";
import { copies, secret, tell, times } from "./telling.js";
import { t } from "./texts.js";

const $ = (id) => document.getElementById(id);

async function change(path, body) {
  try {
    return await call(path, body);
  } catch (error) {
    tell(error.message || t("away"));
    return null;
  }
}

$("password")?.addEventListener("submit", async (event) => {
  event.preventDefault();
  const form = event.target;
  const [old, fresh] = [form.elements.old.value, form.elements.new.value];
  if (await change("/api/password", { old, new: fresh })) {
    form.reset();
    for (const button of document.querySelectorAll("[data-revoke]")) button.closest("li").remove();
    tell(t("changed"));
  }
});

$("token")?.addEventListener("submit", async (event) => {
  event.preventDefault();
  const told = await change("/api/tokens", { name: event.target.elements.name.value });
  if (told) secret(told.token);
});

document.addEventListener("click", async (event) => {
  const id = event.target.closest("[data-revoke]")?.closest("li").dataset.id;
  if (id && (await change("/api/tokens/revoke", { id }))) location.reload();
});

times();
copies();
