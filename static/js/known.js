// Whether a recording is on the server already, found before it is sent.

import { request } from "./http.js";

const MOST_BYTES = 64 * 1024 * 1024; // the browser hashes a file in one piece, in memory
const LIVE_OR_DONE = "queued,running,completed";

/** The newest job of this very file with the same model, task and language, or null. */
export async function knownJob(file, { model, task, language }) {
  const sha256 = await digestOf(file);
  if (!sha256) return null;
  const query = new URLSearchParams({ sha256, status: LIVE_OR_DONE });
  const { jobs } = await (await request(`/api/v1/jobs?${query}`)).json();
  const isSame = (job) =>
    job.model === model && job.task === task && (!language || job.language === language);
  return jobs.find(isSame) ?? null;
}

/** SHA-256 in hexadecimal; null for large files and on pages that are not secure. */
async function digestOf(file) {
  if (!crypto.subtle || file.size > MOST_BYTES) return null;
  const digest = await crypto.subtle.digest("SHA-256", await file.arrayBuffer());
  return [...new Uint8Array(digest)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}
