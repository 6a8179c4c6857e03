// Times of day as the reader's clock tells them: elements <time data-time datetime>.

const MINUTE_MS = 60_000;
const languages = [...navigator.languages.filter((name) => name.startsWith("en")), "en-GB"];
const clock = new Intl.DateTimeFormat(languages, { timeStyle: "short" });
const day = new Intl.DateTimeFormat(languages, { day: "numeric", month: "short" });
const full = new Intl.DateTimeFormat(languages, { dateStyle: "medium", timeStyle: "short" });

function words(then, now) {
  const minutes = Math.floor((now - then) / MINUTE_MS);
  if (minutes < 1) return "just now";
  if (minutes < 60) return `${minutes} min ago`;
  if (then.toDateString() === now.toDateString()) return `today, ${clock.format(then)}`;
  if (then.getFullYear() === now.getFullYear()) return `${day.format(then)}, ${clock.format(then)}`;
  return full.format(then);
}

export function showTimes(root) {
  const now = new Date();
  for (const element of root.querySelectorAll("[data-time]")) {
    const then = new Date(element.dateTime);
    element.title = full.format(then);
    element.textContent = words(then, now);
  }
}

/** From now on, and again each minute. */
export function keepTimes(root) {
  showTimes(root);
  setInterval(() => document.hidden || showTimes(root), MINUTE_MS);
}
