// Files on their way to the server: two at a time, each with a row of its own.

import { awayProblem, Problem, problemOf } from "./http.js";

const AT_ONCE = 2;

export class Uploads {
  /** onAccepted() is awaited before an accepted file's row goes. */
  constructor({ list, template, maxBytes, maxText, onAccepted }) {
    Object.assign(this, { list, template, maxBytes, maxText, onAccepted });
    this.waiting = [];
    this.sending = 0;
    addEventListener("beforeunload", (event) => {
      if (this.sending || this.waiting.length) event.preventDefault();
    });
  }

  /** `fields` are those of the form at this moment, as name-value pairs. */
  add(files, fields) {
    for (const file of files) this.enqueue(new Upload(this, file, fields));
  }

  enqueue(upload) {
    const fault = this.faultOf(upload.file);
    if (fault) return upload.fail(fault);
    upload.showWaiting();
    this.waiting.push(upload);
    this.next();
  }

  faultOf(file) {
    if (file.size === 0) {
      return new Problem("The file is empty.", "An interrupted copy often leaves an empty file.");
    }
    if (file.size > this.maxBytes) {
      return new Problem(`The file is larger than ${this.maxText}.`, "Send a smaller file, or raise MAX_FILE_SIZE.");
    }
    return null;
  }

  async next() {
    if (this.sending >= AT_ONCE || !this.waiting.length) return;
    const upload = this.waiting.shift();
    this.sending += 1;
    try {
      await upload.send();
      await this.onAccepted();
      upload.row.remove();
    } catch (problem) {
      if (problem) upload.fail(problem);
    } finally {
      this.sending -= 1;
      this.next();
    }
    this.next();
  }

  drop(upload) {
    this.waiting = this.waiting.filter((other) => other !== upload);
    upload.row.remove();
  }
}

class Upload {
  constructor(uploads, file, fields) {
    Object.assign(this, { uploads, file, fields });
    this.row = uploads.template.content.firstElementChild.cloneNode(true);
    this.part("name").textContent = file.name;
    this.bar = this.row.querySelector("progress");
    this.bar.setAttribute("aria-label", `Sending ${file.name}`);
    this.part("dismiss").addEventListener("click", () => this.stop());
    this.part("again").addEventListener("click", () => uploads.enqueue(this));
    uploads.list.append(this.row);
  }

  part(name) {
    return this.row.querySelector(`[data-${name}]`);
  }

  showWaiting() {
    this.row.classList.remove("is-failed");
    this.part("state").textContent = "Waiting to be sent";
    this.part("error").textContent = "";
    this.part("again").hidden = true;
    this.part("dismiss").textContent = "Cancel";
    this.bar.value = 0;
    this.bar.hidden = false;
  }

  /** Rejects with a Problem, or with null when it was cancelled. */
  send() {
    const form = new FormData();
    for (const [name, value] of this.fields) form.append(name, value);
    form.append("file", this.file, this.file.name); // last: fields are judged with the file
    const xhr = (this.xhr = new XMLHttpRequest());
    return new Promise((resolve, reject) => {
      xhr.upload.addEventListener("progress", (event) => this.showSent(event));
      xhr.addEventListener("load", () =>
        xhr.status === 202 ? resolve() : reject(problemOf(xhr.status, xhr.responseText)),
      );
      xhr.addEventListener("error", () => reject(awayProblem()));
      xhr.addEventListener("abort", () => reject(null));
      xhr.open("POST", "/api/v1/jobs");
      xhr.send(form);
    }).finally(() => (this.xhr = null));
  }

  showSent({ loaded, total }) {
    const percent = Math.floor((100 * loaded) / total);
    this.bar.value = percent;
    this.part("state").textContent = percent < 100 ? `Sending ${percent} %` : "Being stored";
  }

  fail(problem) {
    this.row.classList.add("is-failed");
    this.part("state").textContent = "Not sent";
    this.part("error").textContent = problem.text;
    this.part("again").hidden = false;
    this.part("dismiss").textContent = "Dismiss";
    this.bar.hidden = true;
  }

  stop() {
    this.xhr?.abort();
    this.uploads.drop(this);
  }
}
