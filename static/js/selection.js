// The selected rows, and what is done with all of them: one request for each action.

import { confirmed } from "./actions.js";
import { request } from "./http.js";

const LIVE = ["queued", "running"];
const ENDED = ["completed", "failed", "cancelled"];
const FITS = { cancel: LIVE, retry: ["failed", "cancelled"], delete: ENDED, download: ["completed"] };
const DONE = { cancel: "Cancelled", retry: "Queued again:", delete: "Deleted", download: "Downloaded" };

const recordings = (count) => `${count} ${count === 1 ? "recording" : "recordings"}`;

export class Selection {
  /** onDone() is awaited after an action; onError(problem) when none could be done. */
  constructor({ list, bar, actions, all, picked, format, report, onDone, onError }) {
    Object.assign(this, { list, bar, actions, all, picked, format, report, onDone, onError });
    list.addEventListener("change", (event) => event.target.matches("[data-pick]") && this.show());
    all.addEventListener("change", () => this.pickAll(all.checked));
    actions.addEventListener("click", (event) => {
      const button = event.target.closest("[data-bulk-action]");
      if (button) this.act(button.dataset.bulkAction);
    });
    this.show();
  }

  get boxes() {
    return [...this.list.querySelectorAll("[data-pick]")];
  }

  get rows() {
    return this.boxes.filter((box) => box.checked).map((box) => box.closest("[data-key]"));
  }

  pickAll(checked) {
    for (const box of this.boxes) box.checked = checked;
    this.show();
  }

  /** Rows or their states have changed. */
  show() {
    const { rows } = this;
    const count = this.boxes.length;
    this.bar.hidden = count === 0;
    this.bar.classList.toggle("is-used", rows.length > 0);
    this.all.checked = rows.length > 0 && rows.length === count;
    this.all.indeterminate = rows.length > 0 && rows.length < count;
    this.picked.textContent = rows.length ? `${rows.length} selected` : "Select all shown";
    this.actions.hidden = rows.length === 0;
    for (const button of this.actions.querySelectorAll("[data-bulk-action]")) {
      button.disabled = !this.fitting(button.dataset.bulkAction).length;
    }
  }

  fitting(action) {
    return this.rows.filter((row) => FITS[action].includes(row.dataset.status));
  }

  async act(action) {
    const rows = action === "download" ? this.fitting(action) : this.rows;
    const left = this.rows.length - rows.length;
    if (action === "delete" && !(await this.isSure())) return;
    this.report.textContent = "";
    this.actions.inert = true;
    try {
      const ids = rows.map((row) => row.dataset.key);
      const words = action === "download" ? await this.download(ids, left) : await change(action, ids);
      await this.onDone();
      this.report.textContent = words;
      this.pickAll(false);
    } catch (problem) {
      this.onError(problem);
    } finally {
      this.actions.inert = false;
    }
  }

  isSure() {
    const what = recordings(this.fitting("delete").length);
    return confirmed({ title: `Delete ${what}?`, name: what });
  }

  async download(ids, left) {
    const body = new URLSearchParams({ ids, formats: this.format.value });
    const response = await request("/api/v1/jobs/export", { method: "POST", body });
    save(await response.blob(), "transcripts.zip");
    const rest = left ? ` ${recordings(left)} left out: not done, so without text.` : "";
    return `${DONE.download} ${recordings(ids.length)} as one zip.${rest}`;
  }
}

async function change(action, ids) {
  const body = JSON.stringify({ action, ids });
  const headers = { "Content-Type": "application/json" };
  const response = await request("/api/v1/jobs/bulk", { method: "POST", headers, body });
  const { done, failed } = await response.json();
  return [`${DONE[action]} ${recordings(done.length)}.`, ...reasons(failed)].join(" ");
}

/** Equal reasons are told once, with their number. */
function reasons(failed) {
  const counts = new Map();
  for (const { message } of failed) counts.set(message, (counts.get(message) ?? 0) + 1);
  return [...counts].map(([message, count]) => `Left as it was: ${recordings(count)}. ${message}`);
}

function save(blob, name) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}
