// The first page: choose, drop, watch.

import { wireActions } from "./actions.js";
import { wireDrop } from "./drop.js";
import { request } from "./http.js";
import { startPolling } from "./poll.js";
import { Rows } from "./rows.js";
import { Uploads } from "./uploads.js";

const find = (name) => document.querySelector(`[data-${name}]`);
const form = find("drop");
const files = document.querySelector("#files");
const model = form.elements.model;
const announce = (text) => (find("announce").textContent = text);

const rows = new Rows({ list: find("jobs"), more: find("more"), empty: find("empty"), announce });
const { revision, nextPollMs } = find("jobs").dataset;
const polling = startPolling({
  path: "/ui/changes",
  revision: Number(revision),
  nextPollMs: Number(nextPollMs),
  onChanges: (answer) => rows.apply(answer),
});
const uploads = new Uploads({
  list: find("uploads"),
  template: find("upload-template"),
  maxBytes: Number(form.dataset.maxBytes),
  maxText: form.dataset.maxText,
  onAccepted: polling.now,
});

function send(chosen) {
  const fields = [...new FormData(form)].filter(([, value]) => value !== "");
  uploads.add(chosen, fields);
}

files.addEventListener("change", () => {
  send([...files.files]);
  files.value = ""; // the same file may be chosen again
});
form.addEventListener("submit", (event) => event.preventDefault());
wireDrop({ veil: find("veil"), onFiles: send });

wireActions({
  onDone: polling.now,
  onError: (problem, button) => rows.showError(button.dataset.job, problem),
});

find("sample").addEventListener("click", async ({ currentTarget: button }) => {
  button.disabled = true;
  find("sample-error").textContent = "";
  try {
    await request("/api/v1/jobs/sample", { method: "POST" });
    await polling.now();
  } catch (problem) {
    find("sample-error").textContent = problem.text;
  } finally {
    button.disabled = false;
  }
});

find("more").addEventListener("click", () => rows.showMore());

// What was chosen last time is chosen again.
function remember(select) {
  const key = `choice-${select.name}`;
  const last = localStorage.getItem(key);
  if ([...select.options].some((option) => option.value === last)) select.value = last;
  select.addEventListener("change", () => localStorage.setItem(key, select.value));
}

function showNote() {
  find("model-note").textContent = model.selectedOptions[0]?.dataset.note ?? "";
}

remember(model);
remember(form.elements.language);
model.addEventListener("change", showNote);
showNote();
