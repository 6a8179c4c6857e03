// The rows of the list: the server makes them, this keeps them in place.

import { request } from "./http.js";
import { element, morph } from "./morph.js";

export class Rows {
  constructor({ list, more, empty, announce }) {
    Object.assign(this, { list, more, empty, announce });
    this.cursor = list.dataset.cursor;
    this.showEmpty();
  }

  async apply({ rows, deleted, reset, queue }) {
    if (reset) return this.reload();
    for (const id of deleted) this.row(id)?.remove();
    for (const { seq, html } of rows) this.put(seq, element(html));
    this.showPositions(queue);
    this.showEmpty();
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

  showEmpty() {
    this.empty.hidden = this.list.childElementCount > 0;
    this.more.hidden = !this.cursor;
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

  async reload() {
    const answer = await (await request("/ui/jobs")).json();
    this.list.replaceChildren(...answer.rows.map(({ html }) => element(html)));
    this.cursor = answer.next_cursor ?? "";
    this.showEmpty();
  }

  async showMore() {
    this.more.disabled = true;
    try {
      const answer = await (await request(`/ui/jobs?cursor=${this.cursor}`)).json();
      this.cursor = answer.next_cursor ?? "";
      for (const { html } of answer.rows) this.list.append(element(html));
    } catch (problem) {
      this.announce(problem.text);
    } finally {
      this.more.disabled = false;
      this.showEmpty();
    }
  }
}

/** Without the percentage: a screen reader is not told every step. */
function stateWords(row) {
  return row.querySelector(".state").textContent.replace(/\d+ %/, "").trim();
}
