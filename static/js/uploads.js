// Files on their way to the server: two at a time, each with a row of its own.

import { awayProblem, Problem, problemOf } from "./http.js";
import { Rate, sizeWords } from "./rate.js";

const AT_ONCE = 2;

export class Uploads {
  /** onAccepted() is awaited before an accepted file's row goes. */
  constructor({ list, template, maxBytes, maxText, onAccepted }) {
    Object.assign(this, { list, template, maxBytes, maxText, onAccepted });
    this.waiting = [];
    this.sending = 0;
    addEventListener("beforeunload", (event) => {
      if (this.list.querySelector(".is-unsent")) event.preventDefault();
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
    this.next();
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
  }

  /** It no longer waits for its turn. */
  withdraw(upload) {
    this.waiting = this.waiting.filter((other) => other !== upload);
  }
}

class Upload {
  constructor(uploads, file, fields) {
    Object.assign(this, { uploads, file, fields });
    this.row = uploads.template.content.firstElementChild.cloneNode(true);
    this.part("name").textContent = file.name;
    this.bar = this.row.querySelector("progress");
    this.bar.setAttribute("aria-label", `Sending ${file.name}`);
    for (const name of ["dismiss", "again", "pause"]) this.nameButton(name);
    this.part("dismiss").addEventListener("click", () => this.stop());
    this.part("again").addEventListener("click", () => uploads.enqueue(this));
    this.part("pause").addEventListener("click", () => this.pauseOrResume());
    uploads.list.append(this.row);
  }

  part(name) {
    return this.row.querySelector(`[data-${name}]`);
  }

  /** Many rows have the same buttons: each one's name tells its file. */
  nameButton(name, text = this.part(name).textContent) {
    this.part(name).textContent = text;
    this.part(name).setAttribute("aria-label", `${text} ${this.file.name}`);
  }

  /** `kind`: unsent (its file would be lost with the page), or failed. */
  show(state, { sent = "", kind = "unsent", percent = 0 } = {}) {
    this.row.classList.toggle("is-unsent", kind === "unsent");
    this.row.classList.toggle("is-failed", kind === "failed");
    this.part("state").textContent = state;
    this.part("sent").textContent = sent;
    this.part("error").textContent = "";
    this.part("again").hidden = kind !== "failed";
    this.part("pause").hidden = kind === "failed";
    this.nameButton("dismiss", kind === "failed" ? "Dismiss" : "Cancel");
    this.bar.hidden = kind === "failed";
    this.bar.value = percent;
  }

  showWaiting() {
    this.isPaused = false;
    this.nameButton("pause", "Pause");
    this.show("Waiting to be sent", { sent: sizeWords(this.file.size) });
  }

  /** Rejects with a Problem, or with null when it was stopped or paused. */
  send() {
    const form = new FormData();
    for (const [name, value] of this.fields) form.append(name, value);
    form.append("file", this.file, this.file.name); // last: fields are judged with the file
    const xhr = (this.xhr = new XMLHttpRequest());
    this.rate = new Rate();
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
    if (percent === 100) {
      this.show("Being stored", { sent: sizeWords(this.file.size), percent });
      this.part("pause").hidden = true; // the server has all of it
      return;
    }
    const sent = `${sizeWords(loaded)} of ${sizeWords(total)}${this.rate.words(loaded)}`;
    this.show(`Sending ${percent} %`, { sent, percent });
  }

  /** The server takes a file whole or not at all, so a paused one begins anew. */
  pauseOrResume() {
    if (this.isPaused) return this.uploads.enqueue(this);
    const wasSending = Boolean(this.xhr);
    this.isPaused = true;
    this.uploads.withdraw(this);
    this.xhr?.abort();
    this.show(wasSending ? "Paused. Resume sends it again from the start" : "Paused, nothing sent yet", {
      sent: sizeWords(this.file.size),
    });
    this.nameButton("pause", "Resume");
  }

  fail(problem) {
    this.show("Not sent", { sent: sizeWords(this.file.size), kind: "failed" });
    this.part("error").textContent = problem.text;
  }

  stop() {
    this.uploads.withdraw(this);
    this.xhr?.abort();
    this.row.remove();
  }
}
