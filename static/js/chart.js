// One live chart over the last hour, with its values in words for those who do not see it.

import uPlot from "../vendor/uplot-1.6.32/uPlot.esm.js";
import { Columns } from "./columns.js";

const HOUR_S = 3600;
const SHORTEST_S = 600; // a young history is not stretched over the whole width
const DARK = matchMedia("(prefers-color-scheme: dark)");

const color = (name) => getComputedStyle(document.documentElement).getPropertyValue(name);
const clock = new Intl.DateTimeFormat([], { hour: "2-digit", minute: "2-digit" });
const clockWithSeconds = new Intl.DateTimeFormat([], { timeStyle: "medium" });
const timeText = (format, seconds) => format.format(new Date(seconds * 1000));

const AXIS = {
  stroke: () => color("--muted"),
  font: "12px system-ui, sans-serif",
  grid: { stroke: () => color("--line"), width: 1 },
  ticks: { show: false },
};
const FIRST = { stroke: () => color("--accent"), width: 1.75 };
const SECOND = { stroke: () => color("--control-line"), width: 1.25, dash: [5, 4] };

export class Chart {
  /**
   * `range(highest)` gives the ends of the axis; `format` makes text of a value; `style` is
   * lines, steps or points. The figure's keys are its series.
   */
  constructor(figure, { range, format, style = "lines" }) {
    this.figure = figure;
    this.format = format;
    this.plot = figure.querySelector("[data-plot]");
    this.values = [...figure.querySelectorAll("[data-value]")];
    this.names = [...figure.querySelectorAll("[data-key]")].map((key) =>
      key.firstChild.data.trim(),
    );
    this.columns = new Columns(1 + this.names.length);
    this.times = [0, SHORTEST_S];
    this.chart = new uPlot(this.#options(range, style), this.columns.data, this.plot);
    DARK.addEventListener("change", () => this.chart.redraw());
    new ResizeObserver(() => this.chart.setSize(this.#size())).observe(this.plot);
  }

  /** `columns` as in Columns; `from` and `until` are the times of the first and the newest figure. */
  add(columns, { from, until, reset }) {
    if (reset) this.columns.clear();
    this.columns.add(columns);
    this.columns.dropBefore(until - HOUR_S);
    this.times = [Math.max(until - HOUR_S, Math.min(from, until - SHORTEST_S)), until];
    this.chart.setData(this.columns.data);
    this.#describe();
  }

  /** Rows of a table: the series' name, then now, lowest, mean and highest. */
  rows() {
    return this.names.map((name, index) => {
      const found = this.columns.summary(index + 1);
      const { now, lowest, mean, highest } = found ?? {};
      const texts = [now, lowest, mean, highest].map((value) => this.#text(value));
      return [`${this.figure.dataset.name}: ${name.toLowerCase()}`, ...texts];
    });
  }

  #describe() {
    const parts = this.rows().map(
      ([, now, lowest, , highest], index) =>
        `${this.names[index]}: now ${now}, lowest ${lowest}, highest ${highest}.`,
    );
    const isEmpty = this.columns.length === 0;
    const words = isEmpty ? ["No figures."] : parts;
    this.plot.setAttribute(
      "aria-label",
      `${this.figure.dataset.name} over the last hour. ${words.join(" ")}`,
    );
    const empty = this.figure.querySelector("[data-empty]");
    if (empty) empty.hidden = !isEmpty;
    if (this.chart.cursor.idx == null) this.#show(null);
  }

  /** Beside the keys: the values under the pointer, else the newest ones. */
  #show(row) {
    const { data } = this.columns;
    this.values.forEach((place, index) => {
      const column = data[index + 1];
      const value = row === null ? column.at(-1) : column[row];
      place.textContent = value == null ? "" : this.format(value);
    });
    const time = row === null ? "" : timeText(clockWithSeconds, data[0][row]);
    this.figure.querySelector("[data-time]").textContent = time;
  }

  #text(value) {
    return value == null ? "–" : this.format(value);
  }

  #size() {
    return { width: this.plot.clientWidth, height: this.plot.clientHeight };
  }

  #options(range, style) {
    return {
      ...this.#size(),
      legend: { show: false },
      padding: [8, 8, 0, 0],
      cursor: { y: false, drag: { x: false, y: false }, points: { size: 7 } },
      scales: { x: { range: () => this.times }, y: { range: (_u, _low, high) => range(high) } },
      axes: [
        {
          ...AXIS,
          size: 26,
          gap: 8,
          space: 70,
          grid: { show: false },
          values: (_u, times) => times.map((time) => timeText(clock, time)),
        },
        {
          ...AXIS,
          size: 58,
          space: 32,
          values: (_u, values) => values.map((value) => this.format(value)),
        },
      ],
      series: [{}, ...this.names.map((_name, index) => series(index, style))],
      hooks: { setCursor: [(chart) => this.#show(chart.cursor.idx ?? null)] },
    };
  }
}

function series(index, style) {
  const look = index === 0 ? FIRST : SECOND;
  if (style === "points") {
    return { ...look, paths: () => null, points: { show: true, size: 8, fill: look.stroke } };
  }
  const paths = style === "steps" ? uPlot.paths.stepped({ align: 1 }) : uPlot.paths.linear();
  return { ...look, paths, points: { show: false } };
}
