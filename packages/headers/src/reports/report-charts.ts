import { escaped, type Markup } from "./html-text.ts";
import type { ReportEntry } from "./violation.ts";

const DAY_MS = 86_400_000;
const DAYS = 30;
const CHART = { width: 720, height: 170, top: 12, bottom: 28, left: 44 } as const;
const BAR_ROW = { height: 26, label: 190, width: 720 } as const;
const MAX_ROWS = 8;

interface DayCount {
  readonly day: string;
  readonly enforced: number;
  readonly reported: number;
}

/** Returns a chart of the reports of the last 30 days: what was blocked, and what was only reported. */
export function dailyChart(entries: readonly ReportEntry[], now: number): Markup {
  const days = countDays(entries, now);
  const greatest = Math.max(...days.map(({ enforced, reported }) => enforced + reported));
  const scale = roundUp(greatest);
  const { width, height, top, bottom, left } = CHART;
  const inner = height - top - bottom;
  const step = (width - left) / DAYS;
  const heightOf = (count: number): number => round((count / scale) * inner);
  const bars = days.map(({ day, enforced, reported }, index) => {
    const x = round(left + index * step + 2);
    const [lower, upper] = [heightOf(enforced), heightOf(reported)];
    const base = height - bottom;
    const barWidth = round(step - 4);
    return escaped`<g>
      <title>${day}: ${enforced} blocked, ${reported} only reported</title>
      <rect class="hit" x="${x}" y="${top}" width="${barWidth}" height="${inner}" />
      <rect
        class="enforced"
        x="${x}"
        y="${round(base - lower)}"
        width="${barWidth}"
        height="${lower}"
      />
      <rect
        class="reported"
        x="${x}"
        y="${round(base - lower - upper)}"
        width="${barWidth}"
        height="${upper}"
      />
    </g>`;
  });
  const lines = [0, 0.5, 1].map((part) => {
    const y = round(height - bottom - part * inner);
    return escaped`<line x1="${left}" x2="${width}" y1="${y}" y2="${y}" />
      <text x="${left - 8}" y="${y + 4}" text-anchor="end">${scale * part}</text>`;
  });
  const ends = [days[0]?.day ?? "", days.at(-1)?.day ?? ""] as const;
  return escaped`<svg
    class="daily"
    viewBox="0 0 ${width} ${height}"
    role="img"
    aria-label="Reports per day"
  >
    ${lines} ${bars}
    <text x="${left}" y="${height - 8}">${ends[0]}</text>
    <text x="${width}" y="${height - 8}" text-anchor="end">${ends[1]}</text>
  </svg>`;
}

/** Returns a bar for each of the directives that most reports are about. */
export function directiveChart(entries: readonly ReportEntry[]): Markup {
  const counts = new Map<string, number>();
  for (const { directive, count } of entries) {
    counts.set(directive, (counts.get(directive) ?? 0) + count);
  }
  const rows = [...counts].toSorted(([, a], [, b]) => b - a).slice(0, MAX_ROWS);
  const greatest = Math.max(1, ...rows.map(([, count]) => count));
  const { height, label, width } = BAR_ROW;
  const bars = rows.map(([directive, count], index) => {
    const barWidth = round(Math.max(2, (count / greatest) * (width - label - 90)));
    const y = index * height;
    return escaped`<text x="${label - 10}" y="${y + 17}" text-anchor="end">${directive}</text>
      <rect
        class="enforced"
        x="${label}"
        y="${y + 5}"
        width="${barWidth}"
        height="${height - 10}"
        rx="2"
      />
      <text x="${label + barWidth + 8}" y="${y + 17}">${count.toLocaleString("en")}</text>`;
  });
  return escaped`<svg
    viewBox="0 0 ${width} ${Math.max(1, rows.length) * height}"
    role="img"
    aria-label="Reports by directive"
  >
    ${bars}
  </svg>`;
}

function countDays(entries: readonly ReportEntry[], now: number): DayCount[] {
  return Array.from({ length: DAYS }, (_, index) => {
    const day = new Date(now - (DAYS - 1 - index) * DAY_MS).toISOString().slice(0, 10);
    const sum = (disposition: ReportEntry["disposition"]): number =>
      entries.reduce(
        (total, entry) => total + (entry.disposition === disposition ? (entry.days[day] ?? 0) : 0),
        0,
      );
    return { day, enforced: sum("enforce"), reported: sum("report") };
  });
}

/** Returns the least of 2, 4, 10, 20, 40, 100, ... that is not below `count`: half of it is whole. */
function roundUp(count: number): number {
  for (let power = 1; ; power *= 10) {
    const fit = [2, 4, 10].map((factor) => factor * power).find((scale) => scale >= count);
    if (fit !== undefined) return fit;
  }
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
