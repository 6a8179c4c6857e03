// Figures over time as columns; the first one is the time in seconds, rising.

const GAP_S = 20; // without a sample for so long, nothing was measured

export class Columns {
  constructor(count) {
    this.data = Array.from({ length: count }, () => []);
  }

  get length() {
    return this.data[0].length;
  }

  clear() {
    for (const column of this.data) column.length = 0;
  }

  /** Columns of the same order, of newer rows. A time without figures becomes a gap in the lines. */
  add(columns) {
    columns[0].forEach((time, row) => {
      const last = this.data[0].at(-1);
      if (time - last > GAP_S) this.#push([last + 1, ...Array(columns.length - 1).fill(null)]);
      this.#push(columns.map((column) => column[row]));
    });
  }

  dropBefore(time) {
    const kept = this.data[0].findIndex((one) => one >= time);
    const count = kept < 0 ? this.length : kept;
    for (const column of this.data) column.splice(0, count);
  }

  /** Of one column: { now, lowest, mean, highest }, or null without figures. */
  summary(index) {
    const known = this.data[index].filter((value) => value !== null);
    if (known.length === 0) return null;
    return {
      now: known.at(-1),
      lowest: Math.min(...known),
      mean: known.reduce((sum, value) => sum + value, 0) / known.length,
      highest: Math.max(...known),
    };
  }

  #push(values) {
    values.forEach((value, index) => this.data[index].push(value));
  }
}
