// One file from being chosen to its job: looked up, sent, accepted.

import { request } from "./http.js";
import { knownJob } from "./known.js";
import { Patience } from "./patience.js";
import { Rate, sizeWords } from "./rate.js";
import { Transfer } from "./transfer.js";
import { forget, hold, remember } from "./unfinished.js";

const SENDING = { pause: "Pause", dismiss: "Cancel" };
const HELD = { pause: "Resume", dismiss: "Cancel" };
const FAILED = { again: "Try again", dismiss: "Dismiss" };
const UNFIT = { dismiss: "Dismiss" };
const KNOWN = { again: "Send anyway", dismiss: "Dismiss" };
const STORING = { dismiss: "Cancel" };

export class Upload {
  /**
   * `fields` are the job's options; `url` is where an earlier page began to send it;
   * `isSent`: all of it has arrived there, so `file` need not be a file that can be read.
   */
  constructor(uploads, file, { fields = {}, url = "", isSent = false }) {
    Object.assign(this, { uploads, file, fields, isSent });
    this.mayBeKnown = !url;
    this.sentBytes = 0;
    this.isPaused = false;
    this.isStopped = false;
    this.release = () => {};
    this.row = uploads.newRow(file.name, this);
    const onWait = (problem, seconds) => this.showWait(problem, seconds);
    this.patience = new Patience(onWait);
    this.transfer = new Transfer({
      file,
      metadata: { filename: file.name, ...fields },
      url,
      onUrl: (place) => this.keep(place),
      onProgress: (bytes) => this.showSent(bytes),
      onWait,
    });
    if (url) this.keep(url);
  }

  /** The id of its job; null when it was paused, stopped or is known. Throws Problem. */
  async run() {
    this.rate = null;
    if (this.mayBeKnown && (await this.isKnown())) return null;
    if (!this.isSent) this.isSent = await this.transfer.send();
    if (this.isSent && !this.isStopped) return this.accepted();
    if (this.isPaused) this.showPaused();
    return null;
  }

  async isKnown() {
    this.show("Looking whether it is known", { buttons: SENDING });
    const job = await knownJob(this.file, this.fields).catch(() => null); // it is sent then
    if (!job || this.isStopped) return false;
    this.mayBeKnown = false;
    const name = job.filename === this.file.name ? "" : `, as ${job.filename}`;
    this.show("Known already", {
      kind: "known",
      note: `This recording is in the list${name}. It was not sent again.`,
      buttons: KNOWN,
    });
    this.row.showLink(`/jobs/${job.id}`);
    this.uploads.announce(`${this.file.name}: known already`);
    return true;
  }

  async accepted() {
    const id = this.transfer.url.split("/").at(-1);
    const jobId = await this.patience.persist(() => {
      if (this.isStopped) return null;
      this.show("Being stored", { percent: 100, buttons: STORING });
      return this.uploads.accept(this, id);
    });
    if (jobId) this.end();
    return jobId;
  }

  /** The job that was made of it while it was being dismissed. Throws Problem. */
  takeBack(jobId) {
    return this.patience.persist(() => request(`/api/v1/jobs/${jobId}`, { method: "DELETE" }));
  }

  keep(url) {
    this.end(); // of a place that the server has given up
    this.url = url;
    this.release = hold(url);
    remember(url, this.file, this.fields);
  }

  end() {
    if (this.url) forget(this.url);
    this.release();
  }

  show(state, details) {
    this.row.show(state, { sent: sizeWords(this.file.size), ...details });
  }

  get percent() {
    return Math.floor((100 * this.sentBytes) / this.file.size);
  }

  get sentWords() {
    return `${sizeWords(this.sentBytes)} of ${sizeWords(this.file.size)}`;
  }

  showWaiting() {
    this.show("Waiting to be sent", { buttons: SENDING });
  }

  showSent(bytes) {
    this.sentBytes = bytes;
    this.rate ??= new Rate(bytes);
    this.show(`${this.isPaused ? "Pausing" : "Sending"} ${this.percent} %`, {
      sent: `${this.sentWords}${this.rate.words(bytes)}`,
      percent: this.percent,
      buttons: this.isPaused ? HELD : SENDING,
    });
  }

  showPaused() {
    this.show(this.sentBytes ? `Paused at ${this.percent} %` : "Paused, nothing sent yet", {
      ...(this.sentBytes && { sent: this.sentWords, percent: this.percent }),
      buttons: HELD,
    });
  }

  showWait(problem, seconds) {
    this.rate = null;
    if (this.isPaused || this.isStopped) return;
    const state = problem.isAway ? "Waiting for the server" : "Waiting";
    const when = problem.isAway ? "It goes on by itself." : `It goes on by itself within ${seconds} s.`;
    const isNews = this.row.state !== state;
    this.show(state, {
      ...(this.sentBytes && { sent: this.sentWords, percent: this.percent }),
      note: problem.isAway ? when : `${problem.message} ${when}`,
      buttons: this.isSent ? STORING : SENDING,
    });
    if (isNews) this.uploads.announce(`${this.file.name}: ${state}`);
  }

  fail(problem) {
    this.isSent = false; // the server tells how much it has
    const buttons = problem.status === null ? UNFIT : FAILED; // the file itself will not change
    this.show("Not sent", { kind: "failed", error: problem.text, buttons });
  }

  again() {
    this.isPaused = this.transfer.isHeld = false;
    this.uploads.enqueue(this);
  }

  /** Resumes when it is paused. */
  pause() {
    if (this.isPaused) return this.again();
    this.isPaused = true;
    this.transfer.hold();
    if (this.uploads.isRunning(this)) return this.showSent(this.sentBytes); // until its piece has arrived
    this.uploads.withdraw(this);
    this.showPaused();
  }

  /** Takes it back, from the server too. */
  dismiss() {
    this.isStopped = true;
    this.uploads.withdraw(this);
    this.transfer.stop();
    this.patience.wake();
    this.end();
    this.row.remove();
  }
}
