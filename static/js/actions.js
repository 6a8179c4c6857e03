// Cancel, retry and delete: buttons with data-action, wherever they stand.

import { request } from "./http.js";

const REQUESTS = {
  cancel: (id) => [`/api/v1/jobs/${id}/cancel`, { method: "POST" }],
  retry: (id) => [`/api/v1/jobs/${id}/retry`, { method: "POST" }],
  delete: (id) => [`/api/v1/jobs/${id}`, { method: "DELETE" }],
};

/** onDone(action, id) after a success, onError(problem, button) else. */
export function wireActions({ onDone, onError }) {
  document.addEventListener("click", async (event) => {
    const button = event.target.closest("[data-action]");
    if (!button) return;
    const { action, job, name } = button.dataset;
    if (action === "delete" && !(await confirmed(name))) return;
    button.disabled = true;
    try {
      await request(...REQUESTS[action](job));
      await onDone(action, job);
    } catch (problem) {
      onError(problem, button);
    } finally {
      button.disabled = false;
    }
  });
}

function confirmed(name) {
  const dialog = document.querySelector("[data-delete-dialog]");
  dialog.querySelector("[data-delete-name]").textContent = name;
  dialog.returnValue = "keep"; // Escape closes without a value of its own
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => resolve(dialog.returnValue === "delete"), { once: true });
  });
}
