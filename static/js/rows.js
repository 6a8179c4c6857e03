// The rows of the list: the server makes them, this keeps them in place.

import { request } from "./http.js";
import { element, morph } from "./morph.js";
import { showTimes } from "./times.js";

export class Rows {
  /** query() is the filter as the server takes it; onShown(counts) after each change. */
  constructor({ list, more, problem, query, announce, onShown }) {
    Object.assign(this, { list, more, problem, query, announce, onShown });
    this.cursor = list.dataset.cursor;
    this.loads = 0;
    this.hasFailed = false;
    this.more.hidden = !this.cursor;
  }

  get count() {
    return this.list.childElementCount;
  }

  async apply({ rows, deleted, reset, queue, counts }) {
    if (reset) return this.load();
    for (const id of deleted) this.row(id)?.remove();
    for (const { seq, html } of rows) this.put(seq, element(html));
    this.showPositions(queue);
    this.shown(counts);
  }

  row(id) {
    return this.list.querySelector(`[data-key="${CSS.escape(id)}"]`);
  }

  put(seq, fresh) {
    const old = this.row(fresh.dataset.key);
    if (old) return this.replace(old, fresh);
    const after = [...this.list.children].find((other) => Number(other.dataset.seq) < seq);
    if (!after && this.cursor) return; // older than all that is shown: "Show more" brings it
    this.list.insertBefore(fresh, after ?? null);
  }

  replace(old, fresh) {
    const before = stateWords(old);
    morph(old, fresh);
    const state = stateWords(old);
    if (state !== before) this.announce(`${old.querySelector(".job-name").textContent}: ${state}`);
  }

  showPositions(queue) {
    const places = new Map(queue.map((id, index) => [id, index]));
    for (const span of this.list.querySelectorAll("[data-position]")) {
      const place = places.get(span.dataset.position);
      const text = place === undefined ? "" : place ? `, number ${place + 1} in line` : ", next in line";
      if (span.textContent !== text) span.textContent = text;
    }
  }

  shown(counts) {
    this.more.hidden = !this.cursor;
    showTimes(this.list);
    this.onShown(counts);
  }

  showError(id, problem) {
    const row = this.row(id);
    if (!row) return;
    const line = document.createElement("p");
    line.className = "job-error";
    line.setAttribute("role", "alert");
    line.textContent = problem.text;
    row.querySelector(".job-body").append(line);
  }

  /** The first page of what the filter shows. Returns its revision, or null when it was outrun. */
  async load() {
    const load = (this.loads += 1);
    this.list.setAttribute("aria-busy", "true");
    this.problem.textContent = "";
    this.hasFailed = false;
    try {
      const answer = await (await request(`/ui/jobs?${this.query()}`)).json();
      if (load !== this.loads) return null; // the filter has changed again
      this.list.replaceChildren(...answer.rows.map(({ html }) => element(html)));
      this.cursor = answer.next_cursor ?? "";
      this.shown(answer.counts);
      return answer.revision;
    } catch (problem) {
      if (load === this.loads) this.fail(problem);
      return null;
    } finally {
      if (load === this.loads) this.list.removeAttribute("aria-busy");
    }
  }

  /** Rows of another filter are worse than none. */
  fail(problem) {
    this.hasFailed = true;
    this.problem.textContent = problem.text;
    this.list.replaceChildren();
    this.cursor = "";
    this.shown();
  }

  async showMore() {
    const load = this.loads;
    this.more.disabled = true;
    this.problem.textContent = "";
    try {
      const answer = await (await request(`/ui/jobs?cursor=${this.cursor}&${this.query()}`)).json();
      if (load !== this.loads) return;
      this.cursor = answer.next_cursor ?? "";
      for (const { html } of answer.rows) this.list.append(element(html));
      this.shown(answer.counts);
    } catch (problem) {
      this.problem.textContent = problem.text;
    } finally {
      this.more.disabled = false;
    }
  }
}

/** Without the percentage: a screen reader is not told every step. */
function stateWords(row) {
  return row.querySelector(".state").textContent.replace(/\d+ %/, "").trim();
}
