// Controls that change one job, wherever they stand: buttons with data-action, and its priority.

import { request } from "./http.js";

const REQUESTS = {
  cancel: (id) => [`/api/v1/jobs/${id}/cancel`, { method: "POST" }],
  retry: (id) => [`/api/v1/jobs/${id}/retry`, { method: "POST" }],
  delete: (id) => [`/api/v1/jobs/${id}`, { method: "DELETE" }],
};

/** onDone(action, id) after a success, onError(problem, control) else. */
export function wireActions({ onDone, onError }) {
  async function send(control, action, path, options) {
    control.disabled = true;
    try {
      await request(path, options);
      await onDone(action, control.dataset.job);
      return true;
    } catch (problem) {
      onError(problem, control);
      return false;
    } finally {
      control.disabled = false;
      if (document.activeElement === document.body) control.focus(); // it was lost with "disabled"
    }
  }

  document.addEventListener("click", async (event) => {
    const button = event.target.closest("[data-action]");
    if (!button) return;
    const { action, job, name } = button.dataset;
    if (action === "delete" && !(await confirmed({ title: "Delete this recording?", name }))) return;
    await send(button, action, ...REQUESTS[action](job));
  });

  document.addEventListener("change", async (event) => {
    const select = event.target;
    if (!select.matches("[data-priority]")) return;
    const before = [...select.options].find((option) => option.defaultSelected).value;
    const options = {
      method: "PATCH",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ priority: select.value }),
    };
    const isDone = await send(select, "priority", `/api/v1/jobs/${select.dataset.job}`, options);
    if (!isDone) select.value = before;
  });
}

/** Whether the reader means it: "The audio and the text of `name` are removed for good." */
export function confirmed({ title, name }) {
  const dialog = document.querySelector("[data-delete-dialog]");
  dialog.querySelector("[data-delete-title]").textContent = title;
  dialog.querySelector("[data-delete-name]").textContent = name;
  dialog.returnValue = "keep"; // Escape closes without a value of its own
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => resolve(dialog.returnValue === "delete"), { once: true });
  });
}
