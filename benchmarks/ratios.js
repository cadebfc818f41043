// @ts-check

/** @param {readonly number[]} list */
export function median(list) {
  return percentile(list, 50);
}

/**
 * @param {readonly number[]} list
 * @param {number} percent
 */
export function percentile(list, percent) {
  const sorted = list.toSorted((a, b) => a - b);
  const index = Math.min(sorted.length - 1, Math.floor((sorted.length * percent) / 100));
  return sorted[index] ?? Number.NaN;
}

/**
 * Returns a Markdown table: a row a case, a column a statistic, and the ratio of the first statistic
 * to that of `base`.
 *
 * @param {Readonly<Record<string, readonly number[]>>} samples
 * @param {string} base
 * @param {Readonly<Record<string, (list: readonly number[]) => number>>} statistics
 */
export function ratioTable(samples, base, statistics) {
  const [first = median] = Object.values(statistics);
  const unit = first(samples[base] ?? []);
  const head = ["", ...Object.keys(statistics), `ratio to ${base}`];
  const rows = Object.entries(samples).map(([name, list]) => [
    name,
    ...Object.values(statistics).map((statistic) => statistic(list).toFixed(2)),
    (first(list) / unit).toFixed(2),
  ]);
  const line = (/** @type {readonly string[]} */ cells) => `| ${cells.join(" | ")} |`;
  return [head, head.map(() => "---"), ...rows].map(line).join("\n");
}
