// What has ended while nobody looked: in the title, and as a notification for who asked for it.

const CHOICE = "tell-when-done";
const BLOCKED = "The browser blocks notifications of this page. Allow them in its settings for this site.";
const WORDS = { completed: "is done", failed: "has failed" };
const isSupported = "Notification" in window && isSecureContext;

export class News {
  constructor() {
    this.title = document.title;
    this.told = new Set();
    this.unseen = 0;
    addEventListener("focus", () => this.seen());
    document.addEventListener("visibilitychange", () => document.hidden || this.seen());
  }

  /** The page's own title has changed. */
  name(title) {
    this.title = title;
    this.show();
  }

  show() {
    document.title = this.unseen ? `(${this.unseen} done) ${this.title}` : this.title;
  }

  /** `jobs`: id, filename, status and finished_at of those that have ended; each end is told once. */
  tell(jobs) {
    const fresh = jobs.filter((job) => !this.told.has(endOf(job)));
    for (const job of fresh) this.told.add(endOf(job));
    if (!fresh.length || isLookedAt()) return;
    this.unseen += fresh.length;
    this.show();
    if (isWanted()) fresh.forEach(notify);
  }

  seen() {
    this.unseen = 0;
    this.show();
  }
}

const endOf = ({ id, finished_at: at }) => `${id} ${at}`;

const isLookedAt = () => !document.hidden && document.hasFocus();

function isWanted() {
  const isChosen = localStorage.getItem(CHOICE) === "yes";
  return isChosen && isSupported && Notification.permission === "granted";
}

function notify({ id, filename, status }) {
  let notification;
  try {
    notification = new Notification(`${filename} ${WORDS[status]}`, {
      tag: id, // all tabs tell it, the browser shows it once
      icon: "/static/icon.svg",
    });
  } catch {
    return; // browsers of phones let only service workers notify
  }
  notification.addEventListener("click", () => {
    focus();
    location.assign(`/jobs/${id}`);
  });
}

/** The switch: the browser is asked only when somebody turns it on. */
export function wireSwitch({ box, label, note }) {
  if (!isSupported) return;
  label.hidden = false;
  box.checked = isWanted();
  box.addEventListener("change", async () => {
    note.textContent = "";
    if (box.checked && (await Notification.requestPermission()) !== "granted") {
      box.checked = false;
      note.textContent = BLOCKED;
    }
    localStorage.setItem(CHOICE, box.checked ? "yes" : "no");
  });
}
