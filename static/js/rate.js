// How fast bytes go, and sizes in words.

const SMOOTHING = 0.3; // weight of the newest measurement
const MEASURE_MS = 500;
const UNITS = ["kB", "MB", "GB", "TB"];

/** Decimal units, as file managers show them. */
export function sizeWords(bytes) {
  if (bytes < 1_000) return `${bytes}\u00a0B`;
  let value = bytes / 1_000;
  let unit = 0;
  while (value >= 999.5 && unit < UNITS.length - 1) {
    value /= 1_000;
    unit += 1;
  }
  return `${value < 9.95 ? value.toFixed(1).replace(".0", "") : value.toFixed(0)}\u00a0${UNITS[unit]}`;
}

/** Bytes a second, smoothed; nothing is told before it has been measured. */
export class Rate {
  /** From `bytes` on. */
  constructor(bytes) {
    this.at = performance.now();
    this.bytes = bytes;
    this.perSecond = 0;
  }

  /** ", 8.2 MB/s" once that is known. */
  words(loaded) {
    const elapsedMs = performance.now() - this.at;
    if (elapsedMs >= MEASURE_MS) {
      const newest = (1_000 * (loaded - this.bytes)) / elapsedMs;
      const isFirst = this.perSecond === 0;
      this.perSecond = isFirst ? newest : this.perSecond + SMOOTHING * (newest - this.perSecond);
      this.at = performance.now();
      this.bytes = loaded;
    }
    return this.perSecond ? `, ${sizeWords(Math.round(this.perSecond))}/s` : "";
  }
}
