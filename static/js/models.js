// The models: download with progress, cancel, delete.

import { confirmed } from "./actions.js";
import { request } from "./http.js";
import { element, morph } from "./morph.js";
import { startPolling } from "./poll.js";

const find = (name) => document.querySelector(`[data-${name}]`);
const page = find("models");
const errors = new Map(); // what the last action said, by model: it outlives a new look

const address = (model) => `/api/v1/models/${encodeURIComponent(model)}`;
const REQUESTS = {
  download: (model) => [`${address(model)}/download`, { method: "POST" }],
  cancel: (model) => [`${address(model)}/download`, { method: "DELETE" }],
  delete: (model, own) => [`${address(model)}?own=${own}`, { method: "DELETE" }],
};
const SPOKEN = { downloading: "is being downloaded", present: "is on this machine", failed: "could not be downloaded" };

function states() {
  return new Map([...page.querySelectorAll("[data-model]")].map(({ dataset }) => [dataset.model, dataset.state]));
}

function showErrors() {
  for (const row of page.querySelectorAll("[data-model]")) {
    const text = errors.get(row.dataset.model) ?? "";
    const line = row.querySelector("[data-error]");
    if (line.textContent !== text) line.textContent = text;
  }
}

function show({ html }) {
  const before = states();
  morph(page.firstElementChild, element(html));
  showErrors();
  for (const [model, state] of states()) {
    const words = before.get(model) !== state && SPOKEN[state];
    if (words) find("announce").textContent = `${model} ${words}.`;
  }
}

const polling = startPolling({
  path: "/ui/models",
  revision: page.dataset.revision,
  nextPollMs: Number(page.dataset.nextPollMs),
  whileHidden: false,
  onChanges: show,
});

function meant(model, isOwn) {
  find("delete-own").hidden = !isOwn;
  find("delete-published").hidden = isOwn;
  return confirmed({ title: "Delete this model?", name: model });
}

page.addEventListener("click", async ({ target }) => {
  const button = target.closest("[data-action]");
  if (!button) return;
  const { model } = button.closest("[data-model]").dataset;
  const { action } = button.dataset;
  const isOwn = "own" in button.dataset;
  if (action === "delete" && !(await meant(model, isOwn))) return;
  button.disabled = true;
  errors.delete(model);
  try {
    await request(...REQUESTS[action](model, isOwn));
    await polling.now();
  } catch (problem) {
    errors.set(model, problem.text);
  } finally {
    button.disabled = false;
    showErrors();
    if (document.activeElement === document.body) row(model)?.querySelector("button:enabled")?.focus();
  }
});

function row(model) {
  return page.querySelector(`[data-model="${CSS.escape(model)}"]`);
}
