// One file on its way by tus: in pieces, so that it goes on where it was held or broke off.

import "../vendor/tus-js-client-4.3.1/tus.min.js"; // sets window.tus
import { awayProblem, Problem, problemOf, request } from "./http.js";
import { Patience } from "./patience.js";

const ENDPOINT = "/files";
const MOST_BYTES = 8 * 1024 * 1024;
const LEAST_BYTES = 256 * 1024;
const PIECE_S = 2; // at most so much is sent in vain when it breaks off
const GONE = new Set([404, 410]);
const VERSION = { "Tus-Resumable": "1.0.0" };

export class Transfer {
  /**
   * `metadata` are the file's name and the job's options; `url` is where an earlier page began.
   * onUrl(url) when the server has a place for it, onProgress(bytes), onWait(problem, seconds).
   */
  constructor({ file, metadata, url, onUrl, onProgress, onWait }) {
    Object.assign(this, { file, metadata, url, onUrl, onProgress });
    this.patience = new Patience(onWait);
    this.pieceBytes = LEAST_BYTES;
    this.isHeld = false;
  }

  /** True when the server has all of it, false when it was held; throws Problem. */
  send() {
    return this.patience.persist(() => !this.isHeld && this.attempt());
  }

  /** After the piece that is on its way; nothing is sent twice. */
  hold() {
    this.isHeld = true;
    this.patience.wake();
  }

  /** At once, and the server forgets what it has. */
  stop() {
    this.hold();
    this.end();
    if (this.url) forgetUpload(this.url);
  }

  attempt() {
    const place = this.url ? { uploadUrl: this.url } : { endpoint: ENDPOINT, metadata: this.metadata };
    return new Promise((resolve, reject) => {
      this.settle = resolve;
      this.tus = new window.tus.Upload(this.file, {
        ...place,
        chunkSize: this.pieceBytes,
        retryDelays: null, // Patience knows Retry-After
        storeFingerprintForResuming: false,
        onUploadUrlAvailable: () => this.begin(),
        onProgress: (bytes) => this.onProgress(bytes),
        onChunkComplete: (bytes, sent) => {
          this.measure(bytes);
          if (this.isHeld && sent < this.file.size) this.end(); // before the next piece
        },
        onSuccess: () => resolve(true),
        onError: (error) => this.recover(error).then(resolve, reject),
      });
      this.tus.start();
    });
  }

  end() {
    this.tus?.abort();
    this.settle?.(false);
  }

  begin() {
    this.pieceAt = performance.now();
    if (!this.url) {
      this.url = new URL(this.tus.url, location).pathname;
      this.onUrl(this.url);
    }
    if (this.isHeld) this.end();
  }

  /** The next piece takes about PIECE_S. */
  measure(bytes) {
    this.patience.gotFurther();
    const seconds = (performance.now() - this.pieceAt) / 1_000;
    const fitting = Math.round((PIECE_S * bytes) / Math.max(seconds, 0.001));
    this.pieceBytes = Math.min(MOST_BYTES, Math.max(LEAST_BYTES, fitting));
    this.tus.options.chunkSize = this.pieceBytes;
    this.pieceAt = performance.now();
  }

  async recover({ originalResponse: response }) {
    if (!response) throw (await isReadable(this.file)) ? awayProblem() : changedProblem();
    const status = response.getStatus();
    if (!this.url || !GONE.has(status)) {
      throw problemOf(status, response.getBody(), response.getHeader("Retry-After"));
    }
    this.url = ""; // the server keeps unfinished files for a while only
    return this.attempt();
  }
}

function changedProblem() {
  return new Problem("The file can no longer be read.", "It was changed or moved. Choose it again.");
}

async function isReadable(file) {
  try {
    await file.slice(0, 1).arrayBuffer();
    return true;
  } catch {
    return false;
  }
}

/** How many bytes of an upload have arrived; throws Problem. */
export async function arrivedBytes(url) {
  const { headers } = await request(url, { method: "HEAD", headers: VERSION });
  return Number(headers.get("Upload-Offset"));
}

/** What fails here ends by itself: the server forgets unfinished files after a while. */
export async function forgetUpload(url) {
  await request(url, { method: "DELETE", headers: VERSION }).catch(() => {});
}
