// The system page: tiles made by the server, charts that grow with each answer.

import { confirmed } from "./actions.js";
import { Chart } from "./chart.js";
import { request } from "./http.js";
import { element, morph } from "./morph.js";
import { startPolling } from "./poll.js";

const find = (name) => document.querySelector(`[data-${name}]`);

/** One figure of all our processes together, for each sample. */
function ofProcesses({ time, processes }, name) {
  const columns = Object.values(processes).map((process) => process[name]);
  return time.map((_time, row) => columns.reduce((sum, column) => sum + column[row], 0));
}

function ofGpu({ time, gpus }, index) {
  const gpu = gpus.find((one) => one.index === index);
  return time.map((_time, row) => gpu?.percent[row] ?? null);
}

const percent = (value) => `${Math.round(value)} %`;
const gigabytes = (value) => `${(value / 1e9).toFixed(value > 0 && value < 9.95e9 ? 1 : 0)} GB`;
const count = (value) => (Number.isInteger(value) ? String(value) : value.toFixed(1));
const factor = (value) => (value === 0 ? "0" : value.toFixed(value < 0.1 ? 3 : 2));

/** Each kind of chart: its looks, and the columns that it takes from the history. */
const CHARTS = {
  cpu: {
    range: () => [0, 100],
    format: percent,
    take: ({ samples }) => [samples.time, ofProcesses(samples, "cpu_percent"), samples.cpu_percent],
  },
  memory: {
    range: (highest) => [0, Math.max(1e9, 1.1 * highest)],
    format: gigabytes,
    take: ({ samples }) => [
      samples.time,
      ofProcesses(samples, "memory_bytes"),
      samples.memory_used_bytes,
    ],
  },
  gpu: {
    range: () => [0, 100],
    format: percent,
    take: ({ samples }, { gpu }) => [samples.time, ofGpu(samples, Number(gpu))],
  },
  queue: {
    range: (highest) => [0, Math.max(4, highest + 1)],
    format: count,
    style: "steps",
    take: ({ samples }) => [samples.time, samples.running, samples.queued],
  },
  speed: {
    range: (highest) => [0, Math.max(1, 1.1 * highest)],
    format: factor,
    style: "points",
    take: ({ jobs }) => [jobs.time, jobs.real_time_factor],
  },
};

const charts = [...document.querySelectorAll("[data-chart]")].map((figure) => {
  const { take, ...looks } = CHARTS[figure.dataset.chart];
  const chart = new Chart(figure, looks);
  return { chart, grow: (history, span) => chart.add(take(history, figure.dataset), span) };
});
let from = Infinity; // the time of the first figure: all charts show the same stretch

function showCharts(history) {
  if (history.reset) from = Infinity;
  from = Math.min(from, ...history.samples.time.slice(0, 1), ...history.jobs.time.slice(0, 1));
  for (const { grow } of charts) grow(history, { ...history, from });
  find("figures").replaceChildren(...charts.flatMap(({ chart }) => chart.rows()).map(tableRow));
}

function tableRow([name, ...texts]) {
  const row = document.createElement("tr");
  const head = document.createElement("th");
  head.scope = "row";
  head.textContent = name;
  row.append(head);
  for (const text of texts) row.insertCell().textContent = text;
  return row;
}

const polling = startPolling({
  path: "/ui/system",
  revision: 0,
  nextPollMs: 0,
  whileHidden: false,
  onChanges({ html, history }) {
    morph(find("now").firstElementChild, element(html));
    showCharts(history);
  },
});

find("now").addEventListener("click", async ({ target }) => {
  const button = target.closest("[data-clear-cache]");
  if (!button) return;
  if (!(await confirmed({ title: "Forget the kept results?", name: button.dataset.kept }))) return;
  button.disabled = true;
  try {
    const { removed } = await (await request("/api/v1/cache", { method: "DELETE" })).json();
    await polling.now();
    find("cache-said").textContent = removed === 1 ? "One result was forgotten." : `${removed} results were forgotten.`;
  } catch (problem) {
    button.disabled = false;
    find("cache-said").textContent = problem.text;
  }
});
