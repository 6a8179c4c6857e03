// Files on their way to the server: two at a time, each with a row of its own.

import { Problem, request } from "./http.js";
import { arrivedBytes } from "./transfer.js";
import { forget, isFileOf, watchUnfinished } from "./unfinished.js";
import { Unfinished } from "./unfinished_row.js";
import { Upload } from "./upload.js";
import { UploadRow } from "./upload_row.js";

const AT_ONCE = 2;
const SETTLING_MS = 1_000; // a job is made last of all: its answer follows at once

export class Uploads {
  /** onAccepted() shows the newest jobs; it is awaited before an accepted file's row goes. */
  constructor({ list, template, maxBytes, maxText, announce, onAccepted }) {
    Object.assign(this, { list, template, maxBytes, maxText, announce, onAccepted });
    this.waiting = [];
    this.running = new Set();
    this.asked = new Set(); // requests for jobs that are on their way
    this.accepted = new Map(); // job's id -> its upload, as long as that has a row
    this.unfinished = new Map(); // address -> row
    addEventListener("beforeunload", (event) => {
      if (this.list.querySelector("[data-kind=unsent]")) event.preventDefault();
    });
    watchUnfinished({
      show: (entry) => this.showUnfinished(entry),
      drop: (url) => this.dropUnfinished(url),
    });
  }

  newRow(name, on) {
    return new UploadRow({ list: this.list, template: this.template, name, on });
  }

  /** `fields` are those of the form at this moment. */
  add(files, fields) {
    for (const file of files) {
      const begun = [...this.unfinished.values()].find(({ entry }) => isFileOf(entry, file));
      if (begun) begun.goOn(file);
      else this.enqueue(new Upload(this, file, { fields }));
    }
  }

  enqueue(upload) {
    const fault = this.faultOf(upload.file);
    if (fault) return upload.fail(fault);
    if (this.isRunning(upload) || this.waiting.includes(upload)) return;
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
    if (this.running.size >= AT_ONCE || !this.waiting.length) return;
    const upload = this.waiting.shift();
    this.running.add(upload);
    this.next();
    try {
      const jobId = await upload.run();
      if (jobId) await this.handOver(upload, jobId);
    } catch (problem) {
      if (!upload.isStopped) upload.fail(problem);
    } finally {
      this.running.delete(upload);
      this.next();
    }
  }

  isRunning(upload) {
    return this.running.has(upload);
  }

  /** It no longer waits for its turn. */
  withdraw(upload) {
    this.waiting = this.waiting.filter((other) => other !== upload);
  }

  /** The id of the job that a sent upload becomes; throws Problem. */
  accept(upload, uploadId) {
    const body = new URLSearchParams({ upload: uploadId });
    const asking = (async () => {
      const answer = await request("/api/v1/jobs", { method: "POST", body });
      const { id } = await answer.json();
      this.accepted.set(id, upload);
      return id;
    })();
    this.asked.add(asking);
    return asking.finally(() => this.asked.delete(asking));
  }

  /**
   * When it is known of all jobs whose they are: a file has one row, never two. Before a file
   * is a job it may be looked at for minutes: that is not waited for.
   */
  async settled() {
    if (!this.asked.size) return;
    const enough = new Promise((resolve) => setTimeout(resolve, SETTLING_MS));
    await Promise.race([Promise.allSettled(this.asked), enough]);
  }

  async handOver(upload, jobId) {
    if (!upload.isStopped) {
      this.announce(`${upload.file.name}: sent`);
      await this.onAccepted();
    }
    this.accepted.delete(jobId);
    if (upload.isStopped) return upload.takeBack(jobId);
    upload.row.remove(); // its job is not among those that the list shows
  }

  /** rowOf(id) is the row of a job in the list, or null. */
  giveWay(rowOf) {
    for (const [jobId, { row }] of this.accepted) {
      const job = rowOf(jobId);
      if (job) row.remove(job.querySelector("a.job-name"));
    }
  }

  async showUnfinished(entry) {
    const { url, fields, name, size } = entry;
    this.dropUnfinished(url);
    const row = new Unfinished(this, entry);
    this.unfinished.set(url, row);
    try {
      const arrived = await arrivedBytes(url);
      if (this.unfinished.get(url) !== row) return;
      if (arrived < size) return row.showArrived(arrived);
      this.dropUnfinished(url);
      this.enqueue(new Upload(this, { name, size }, { url, fields, isSent: true }));
    } catch (problem) {
      if (problem.status !== 404) return;
      forget(url); // the server keeps unfinished files for a while only
      this.dropUnfinished(url);
    }
  }

  dropUnfinished(url) {
    this.unfinished.get(url)?.row.remove();
    this.unfinished.delete(url);
  }
}
