// Whether a recording is on the server already, found before it is sent.

import { request } from "./http.js";

const MOST_BYTES = 64 * 1024 * 1024; // the browser hashes a file in one piece, in memory
const LIVE_OR_DONE = "queued,running,completed";
const COMPARED = new Set(["model", "task", "language", "priority"]); // the last does not matter
const USUAL = { vad_filter: "true" }; // what the form holds where nothing was chosen
// What a job tells of such a form.
const USUAL_OPTIONS = Object.entries({
  prompt: null,
  hotwords: null,
  word_timestamps: false,
  vad_filter: true,
  from: 0,
  to: null,
  audio_track: null,
});

/**
 * The newest job of this very file with the same model, task and language, or null.
 * `fields` are the form's; with other options, or only a part of the recording, none is the same.
 */
export async function knownJob(file, fields) {
  if (!isUsual(fields)) return null;
  const sha256 = await digestOf(file);
  if (!sha256) return null;
  const query = new URLSearchParams({ sha256, status: LIVE_OR_DONE });
  const { jobs } = await (await request(`/api/v1/jobs?${query}`)).json();
  return jobs.find((job) => isSame(job, fields)) ?? null;
}

function isUsual(fields) {
  return Object.entries(fields).every(([name, value]) => COMPARED.has(name) || USUAL[name] === value);
}

function isSame(job, { model, task, language = "" }) {
  const isDetected = job.language === null || job.language_probability !== null;
  const isLanguage = language ? job.language === language && !isDetected : isDetected;
  const isWhole = USUAL_OPTIONS.every(([name, value]) => job.options[name] === value);
  return job.model === model && job.task === task && job.engine === null && isLanguage && isWhole;
}

/** SHA-256 in hexadecimal; null for large files and on pages that are not secure. */
async function digestOf(file) {
  if (!crypto.subtle || file.size > MOST_BYTES) return null;
  const digest = await crypto.subtle.digest("SHA-256", await file.arrayBuffer());
  return [...new Uint8Array(digest)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}
