// The first page: choose, drop, watch.

import { wireActions } from "./actions.js";
import { wireDrop } from "./drop.js";
import { Filter } from "./filter.js";
import { request } from "./http.js";
import { News, wireSwitch } from "./notify.js";
import { startPolling } from "./poll.js";
import { Rows } from "./rows.js";
import { Selection } from "./selection.js";
import { keepTimes } from "./times.js";
import { Uploads } from "./uploads.js";

const find = (name) => document.querySelector(`[data-${name}]`);
const form = find("drop");
const files = document.querySelector("#files");
const model = form.elements.model;
const announce = (text) => (find("announce").textContent = text);

const list = find("jobs");
const filter = new Filter({
  views: document.querySelector(".views"),
  search: find("search"),
  clear: find("clear"),
  onChange: load,
});
const rows = new Rows({
  list,
  more: find("more"),
  problem: find("list-error"),
  query: () => filter.query,
  announce,
  onShown,
});
const polling = startPolling({
  path: "/ui/changes",
  query: () => filter.query,
  revision: Number(list.dataset.revision),
  nextPollMs: Number(list.dataset.nextPollMs),
  onChanges: async (answer) => {
    await uploads.settled();
    await rows.apply(answer);
    news.tell(answer.ended);
  },
});
const news = new News();
const selection = new Selection({
  list,
  bar: find("bulk"),
  actions: find("bulk-actions"),
  all: find("pick-all"),
  picked: find("picked"),
  format: find("bulk-format"),
  report: find("bulk-report"),
  onDone: polling.now,
  onError: (problem) => (find("list-error").textContent = problem.text),
});
keepTimes(list);
wireSwitch({ box: find("tell"), label: find("tell-label"), note: find("tell-note") });

const uploads = new Uploads({
  list: find("uploads"),
  template: find("upload-template"),
  maxBytes: Number(form.dataset.maxBytes),
  maxText: form.dataset.maxText,
  announce,
  onAccepted: polling.now,
});

async function load() {
  const revision = await rows.load();
  if (revision !== null) polling.restartFrom(revision);
}

function onShown(counts) {
  uploads.giveWay((id) => rows.row(id));
  if (counts) filter.showCounts(counts);
  find("list-again").hidden = !rows.hasFailed;
  const isEmpty = rows.count === 0 && !rows.hasFailed;
  find("nothing").hidden = !isEmpty || !filter.isSet;
  find("empty").hidden = !isEmpty || filter.isSet;
  find("tools").hidden = !filter.total && !filter.isSet;
  selection.show();
}
onShown();
find("list-again").addEventListener("click", load);

function send(chosen) {
  const fields = Object.fromEntries([...new FormData(form)].filter(([, value]) => value !== ""));
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
