// The page of one job: live text, a player that follows it, copy.

import { wireActions } from "./actions.js";
import { request } from "./http.js";
import { element, morph } from "./morph.js";
import { News } from "./notify.js";
import { Follower } from "./player.js";
import { startPolling } from "./poll.js";
import { keepTimes, showTimes } from "./times.js";

const find = (name) => document.querySelector(`[data-${name}]`);
const page = find("job-page");
const id = page.dataset.jobPage;
const announce = (text) => (find("announce").textContent = text);

const player = find("player");
const follower = new Follower(player, page);
player.addEventListener("error", () => (find("player-error").hidden = false));
player.addEventListener("loadedmetadata", () =>
  player.classList.toggle("sound-only", player.videoWidth === 0),
);
if (player.error) find("player-error").hidden = false; // it came before this script

const news = new News();
const name = document.title;
let notBefore = 0; // a long text is fetched less often than it changes

async function refresh() {
  const started = performance.now();
  const html = await (await request(`/ui/jobs/${id}`)).text();
  const article = page.querySelector("article");
  const before = article.dataset.status;
  morph(article, element(html));
  follower.textChanged();
  showTimes(article);
  if (article.dataset.status !== before) announce(article.querySelector(".state").textContent);
  news.name(titleOf(article));
  notBefore = performance.now() + 10 * (performance.now() - started);
}

/** A running job's percent stands in the tab. */
function titleOf(article) {
  const percent = article.dataset.status === "running" && article.querySelector(".state").textContent.match(/\d+ %/);
  return percent ? `${percent[0]} · ${name}` : name;
}

async function onChanges({ jobs, deleted, reset }) {
  news.tell(jobs.filter(({ status }) => ["completed", "failed"].includes(status)));
  if (deleted.includes(id)) return location.assign("/");
  const changed = jobs.find((job) => job.id === id);
  if (!changed && !reset) return;
  const isLive = changed && ["queued", "running"].includes(changed.status);
  if (isLive && performance.now() < notBefore) return; // the next change brings it
  await refresh();
}

const polling = startPolling({
  path: "/api/v1/jobs/changes",
  revision: Number(page.dataset.revision),
  nextPollMs: Number(page.dataset.nextPollMs),
  onChanges,
});

keepTimes(page);

wireActions({
  onDone: (action) => (action === "delete" ? location.assign("/") : polling.now()),
  onError: (problem) => (find("action-error").textContent = problem.text),
});

page.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-copy]");
  if (!button) return;
  const lines = [...page.querySelectorAll("[data-segments] p")].map((line) => line.textContent);
  const copied = await copy(lines.join("\n"));
  button.textContent = copied ? "Copied" : "Copying failed";
  announce(button.textContent);
  setTimeout(() => (button.textContent = "Copy text"), 2_000);
});

async function copy(text) {
  if (navigator.clipboard) {
    return navigator.clipboard.writeText(text).then(() => true, () => false);
  }
  const area = document.createElement("textarea"); // the clipboard needs https or localhost
  area.value = text;
  area.className = "hidden";
  document.body.append(area);
  area.select();
  const copied = document.execCommand("copy");
  area.remove();
  return copied;
}
