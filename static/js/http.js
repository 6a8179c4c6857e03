// Requests to our own API; a failure is a Problem with the server's words.

const NO_ANSWER = 0;

export class Problem extends Error {
  /**
   * `status` is 0 when no answer came, null when nothing was asked; `code` is the server's;
   * `retryAfterS` is null where it did not say.
   */
  constructor(message, remedy = "", { status = null, code = "", retryAfterS = null } = {}) {
    super(message);
    Object.assign(this, { remedy, status, code, retryAfterS });
  }

  get text() {
    return `${this.message} ${this.remedy}`.trim();
  }

  get isAway() {
    return this.status === NO_ANSWER;
  }
}

const AWAY = ["The server cannot be reached.", "Check that it runs, then try again."];

/** `retryAfter` is the header's value: seconds, or nothing. */
export function problemOf(status, body, retryAfter = null) {
  const retryAfterS = retryAfter ? Number(retryAfter) || null : null;
  try {
    const { detail, remedy, code } = JSON.parse(body);
    if (detail) return new Problem(detail, remedy, { status, code, retryAfterS });
  } catch {
    // not one of our answers: a proxy's page, or nothing
  }
  const message = `The server answered with an error (${status}).`;
  return new Problem(message, "Try again.", { status, retryAfterS });
}

export const awayProblem = () => new Problem(...AWAY, { status: NO_ANSWER });

/** The response, or null for 304; throws Problem. */
export async function request(path, options = {}) {
  let response;
  try {
    response = await fetch(path, { cache: "no-store", credentials: "same-origin", ...options });
  } catch {
    throw awayProblem();
  }
  if (response.status === 304) return null;
  if (response.status === 401) location.reload(); // the page asks for the key
  if (response.ok) return response;
  throw problemOf(response.status, await response.text(), response.headers.get("Retry-After"));
}
