// The warehouse's pages need no script but for times in local words.

import { times } from "./telling.js";

times();

// What is empty would only make addresses long.
document.querySelector("form[role=search]")?.addEventListener("formdata", (event) => {
  for (const [name, value] of [...event.formData]) if (!value) event.formData.delete(name);
});
