// Tries again by itself while the server is away or has no room.

const WORTH_WAITING = new Set([0, 408, 409, 423, 429, 502, 503, 504, 507]);
const LONGEST_S = 5; // where the server did not say how long

export class Patience {
  /** onWait(problem, seconds) before each pause. */
  constructor(onWait) {
    this.onWait = onWait;
    this.failures = 0;
    this.wake = () => {}; // ends a pause early
  }

  /** The value of attempt(); throws the Problem that waiting does not solve. */
  async persist(attempt) {
    this.gotFurther();
    for (;;) {
      try {
        return await attempt();
      } catch (problem) {
        if (!isWorthWaiting(problem)) throw problem;
        await this.pause(problem);
      }
    }
  }

  /** The next failure is the first again. */
  gotFurther() {
    this.failures = 0;
  }

  pause(problem) {
    const seconds = problem.retryAfterS ?? Math.min(LONGEST_S, 2 ** this.failures);
    this.failures += 1;
    this.onWait(problem, seconds);
    return new Promise((resolve) => {
      const end = () => {
        clearTimeout(timer);
        removeEventListener("online", end);
        resolve();
      };
      const timer = setTimeout(end, 1_000 * seconds);
      addEventListener("online", end);
      this.wake = end;
    });
  }
}

function isWorthWaiting({ status, code }) {
  return WORTH_WAITING.has(status) && code !== "wrong_state";
}
