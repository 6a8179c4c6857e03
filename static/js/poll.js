// One poll for everything on the page: quick while jobs run, slow while nobody looks.

const HIDDEN_MS = 30_000;
const MAX_BACKOFF_MS = 30_000;
const NEWS = "voice-transcriber-news"; // other tabs of ours

const jitter = (ms) => ms * (0.8 + 0.4 * Math.random());

/**
 * Calls onChanges(answer) for every answer with news; query() is what else is asked.
 * Returns { now, restartFrom }: now() polls at once, resolves when the answer has been
 * shown, and tells other tabs; restartFrom(revision) drops an answer that is on its way.
 * `whileHidden: false` asks nothing while nobody sees the page.
 */
export function startPolling({
  path,
  query = () => "",
  revision,
  nextPollMs,
  whileHidden = true,
  onChanges,
}) {
  const banner = document.querySelector("[data-offline]");
  const tabs = new BroadcastChannel(NEWS);
  let since = revision;
  let restarts = 0;
  let pauseMs = nextPollMs;
  let failures = 0;
  let timer = 0;
  let running = null;

  async function ask() {
    const headers = { "If-None-Match": `"${since}"` };
    const asked = restarts;
    const address = `${path}?since=${since}&${query()}`;
    const response = await fetch(address, { headers, cache: "no-store" });
    if (response.status === 304) return;
    if (response.status === 401) return location.reload();
    if (!response.ok) throw new Error(`status ${response.status}`);
    const answer = await response.json();
    if (asked !== restarts) return;
    await onChanges(answer);
    since = answer.revision;
    pauseMs = answer.next_poll_ms;
  }

  async function tick() {
    clearTimeout(timer);
    try {
      await ask();
      failures = 0;
    } catch {
      failures += 1;
    }
    banner.hidden = failures < 2; // one lost request is no news
    schedule();
  }

  function schedule() {
    if (document.hidden && !whileHidden) return; // visibilitychange goes on
    const backoffMs = Math.min(MAX_BACKOFF_MS, 500 * 2 ** failures);
    const waitMs = failures ? backoffMs : document.hidden ? Math.max(pauseMs, HIDDEN_MS) : pauseMs;
    timer = setTimeout(next, jitter(waitMs));
  }

  function next() {
    running ??= tick().finally(() => (running = null));
    return running;
  }

  async function now() {
    tabs.postMessage(null);
    await running; // it may have asked before the change
    await next();
  }

  function restartFrom(revision) {
    restarts += 1;
    since = revision;
  }

  tabs.addEventListener("message", next);
  document.addEventListener("visibilitychange", () => document.hidden || next());
  addEventListener("online", next);
  schedule();
  return { now, restartFrom };
}
