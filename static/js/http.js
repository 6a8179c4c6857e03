// Requests to our own API; a failure is a Problem with the server's words.

export class Problem extends Error {
  constructor(message, remedy = "") {
    super(message);
    this.remedy = remedy;
  }

  get text() {
    return `${this.message} ${this.remedy}`.trim();
  }
}

const AWAY = ["The server cannot be reached.", "Check that it runs, then try again."];

export function problemOf(status, body) {
  try {
    const { detail, remedy } = JSON.parse(body);
    if (detail) return new Problem(detail, remedy);
  } catch {
    // not one of our answers: a proxy's page, or nothing
  }
  return new Problem(`The server answered with an error (${status}).`, "Try again.");
}

export const awayProblem = () => new Problem(...AWAY);

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
  if (!response.ok) throw problemOf(response.status, await response.text());
  return response;
}
