// Whether a recording is on the server already, found before it is sent.

import { request } from "./http.js";

const MOST_BYTES = 64 * 1024 * 1024; // the browser hashes a file in one piece, in memory
const LIVE_OR_DONE = "queued,running,completed";
const TOLD = new Set(["model", "task", "language", "priority"]); // a job tells these, or they do not matter
const USUAL = { vad_filter: "true" }; // what the form holds where nothing was chosen

/**
 * The newest job of this very file with the same model, task and language, or null.
 * `fields` are the form's; with options that a job does not tell, none is the same.
 */
export async function knownJob(file, fields) {
  if (!isTold(fields)) return null;
  const sha256 = await digestOf(file);
  if (!sha256) return null;
  const query = new URLSearchParams({ sha256, status: LIVE_OR_DONE });
  const { jobs } = await (await request(`/api/v1/jobs?${query}`)).json();
  return jobs.find((job) => isSame(job, fields)) ?? null;
}

function isTold(fields) {
  return Object.entries(fields).every(([name, value]) => TOLD.has(name) || USUAL[name] === value);
}

function isSame(job, { model, task, language = "" }) {
  const isDetected = job.language === null || job.language_probability !== null;
  const isLanguage = language ? job.language === language && !isDetected : isDetected;
  return job.model === model && job.task === task && job.engine === null && isLanguage;
}

/** SHA-256 in hexadecimal; null for large files and on pages that are not secure. */
async function digestOf(file) {
  if (!crypto.subtle || file.size > MOST_BYTES) return null;
  const digest = await crypto.subtle.digest("SHA-256", await file.arrayBuffer());
  return [...new Uint8Array(digest)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}
