import { inlineHashes } from "../inline-hashes.ts";
import { escaped, type Markup } from "./html-text.ts";
import type { PolicyProposal } from "./policy-proposal.ts";
import { dailyChart, directiveChart } from "./report-charts.ts";
import type { IntakeTotals } from "./report-intake.ts";
import { REPORT_PAGE_STYLE } from "./report-page-style.ts";
import type { ReportEntry } from "./violation.ts";

/** What the page shows. */
export interface ReportPageContent {
  readonly entries: readonly ReportEntry[];
  readonly totals: IntakeTotals;
  /** Undefined where the collector was not told the policy. */
  readonly proposal: PolicyProposal | undefined;
  readonly minReporters: number;
  /** Milliseconds since the epoch. */
  readonly now: number;
}

const MAX_ROWS = 200;
const MAX_DECLINED = 50;
const STYLE_ELEMENT = `<style>${REPORT_PAGE_STYLE}</style>`;

/** The strictest policy under which a page is still one: its own style, nothing else, no scripts at all. */
const POLICY = [
  "default-src 'none'",
  `style-src ${inlineHashes(STYLE_ELEMENT)
    .styles.map((hash) => `'${hash}'`)
    .join(" ")}`,
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
  "require-trusted-types-for 'script'",
  "trusted-types 'none'",
  "sandbox",
].join("; ");

/** Fields of the page; they replace those of the site. */
export const REPORT_PAGE_FIELDS: Readonly<Record<string, string>> = {
  "content-security-policy": POLICY,
  "content-type": "text/html; charset=utf-8",
  "cache-control": "no-store",
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-resource-policy": "same-origin",
  "referrer-policy": "no-referrer",
  "x-content-type-options": "nosniff",
  "x-frame-options": "DENY",
};

/** Returns the page that shows what was blocked, where and how often, and what to change about it. */
export function reportPage(content: ReportPageContent): string {
  const { entries, now } = content;
  const page = escaped`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width" />
        <meta name="robots" content="noindex" />
        <title>Policy reports</title>
        ${{ markup: STYLE_ELEMENT }}
      </head>
      <body>
        <h1>Policy reports</h1>
        <p class="quiet">
          What browsers blocked, or would have blocked, as they told it. Anybody can send a report:
          believe none that you cannot explain. As of ${time(now)}.
        </p>
        ${figures(content)}
        ${entries.length === 0 ? emptySection() : chartSections(entries, now)}
        ${proposalSection(content)}
        ${entries.length === 0 ? [] : tableSection(entries)}
      </body>
    </html>`;
  return page.markup;
}

function figures({ entries, totals }: ReportPageContent): Markup {
  const { dropped } = totals;
  return escaped`<dl class="figures">
    ${figure("reports kept", sum(entries.map(({ count }) => count)))}
    ${figure("different ones", entries.length)}
    ${figure("pages", new Set(entries.map(({ page }) => page)).size)}
    ${figure("from extensions, left out", dropped.extension)}
    ${figure("of other sites, left out", dropped["foreign-page"])}
    ${figure("refused bodies", totals.refusedBodies)}
  </dl>`;
}

function figure(name: string, value: number): Markup {
  return escaped`<div>
    <dt>${name}</dt>
    <dd>${value.toLocaleString("en")}</dd>
  </div>`;
}

function emptySection(): Markup {
  return escaped`<section>
    <h2>Nothing was reported</h2>
    <p>
      Either nothing is blocked, or no report arrives: the policy must name this collector in
      report-to and report-uri, and Reporting-Endpoints must say where it is.
    </p>
  </section>`;
}

function chartSections(entries: readonly ReportEntry[], now: number): Markup {
  return escaped`<section>
      <h2>Per day</h2>
      ${dailyChart(entries, now)}
      <ul class="key">
        <li>
          <svg viewBox="0 0 10 10" aria-hidden="true">
            <rect class="enforced" width="10" height="10" />
          </svg>
          blocked
        </li>
        <li>
          <svg viewBox="0 0 10 10" aria-hidden="true">
            <rect class="reported" width="10" height="10" />
          </svg>
          only reported
        </li>
      </ul>
    </section>
    <section>
      <h2>By directive</h2>
      ${directiveChart(entries)}
    </section>`;
}

function proposalSection({ proposal, minReporters }: ReportPageContent): Markup {
  if (proposal === undefined) {
    return escaped`<section>
      <h2>Proposed change</h2>
      <p>Tell the collector the policy, and this page says what would have to change about it.</p>
    </section>`;
  }
  const { changes, declined } = proposal;
  const change =
    changes.length === 0
      ? escaped`<p>
          None: nothing that ${minReporters === 1 ? "a client" : `${minReporters} clients`} reported
          calls for one.
        </p>`
      : escaped`<p>
            For what at least ${minReporters === 1 ? "one client" : `${minReporters} clients`}
            reported. Nothing changes by itself: if you expect every line, put it into your
            configuration.
          </p>
          <pre>${diffLines(proposal.diff)}</pre>
          <details>
            <summary>the whole policy</summary>
            <pre class="whole">${proposal.policy}</pre>
          </details>
          <table>
            <thead>
              <tr>
                <th>Source</th>
                <th>For</th>
                <th class="number">Reports</th>
                <th class="number">Clients</th>
                <th>Pages</th>
              </tr>
            </thead>
            <tbody>
              ${changes.map(
                ({ directive, source, count, reporters, pages, caution }) =>
                  escaped`<tr>
                    <td>
                      <code>${source}</code>
                      ${caution === undefined ? [] : escaped`<small>${caution}</small>`}
                    </td>
                    <td class="name">${directive}</td>
                    <td class="number">${count}</td>
                    <td class="number">${reporters}</td>
                    <td>${pages.map((page) => escaped`<small>${page}</small>`)}</td>
                  </tr>`,
              )}
            </tbody>
          </table>`;
  return escaped`<section>
      <h2>Proposed change</h2>
      ${change}
    </section>
    ${declined.length === 0 ? [] : declinedSection(declined)}`;
}

function declinedSection(declined: PolicyProposal["declined"]): Markup {
  return escaped`<section>
    <h2>No change proposed for</h2>
    <table>
      <thead>
        <tr>
          <th>Blocked</th>
          <th>By</th>
          <th class="number">Reports</th>
          <th class="number">Clients</th>
          <th>Why not</th>
        </tr>
      </thead>
      <tbody>
        ${declined.slice(0, MAX_DECLINED).map(
          ({ directive, blocked, count, reporters, reason }) =>
            escaped`<tr>
              <td><code>${blocked || "not said"}</code></td>
              <td class="name">${directive}</td>
              <td class="number">${count}</td>
              <td class="number">${reporters}</td>
              <td>${reason}</td>
            </tr>`,
        )}
      </tbody>
    </table>
  </section>`;
}

function diffLines(diff: string): Markup[] {
  return diff
    .split("\n")
    .map((line) => (line.startsWith("+") ? escaped`<ins>${line}</ins>\n` : escaped`${line}\n`));
}

function tableSection(entries: readonly ReportEntry[]): Markup {
  const rows = entries.slice(0, MAX_ROWS).map(
    (entry) =>
      escaped`<tr>
        <td class="name">
          ${entry.directive}
          <small>${entry.kind}${entry.disposition === "report" ? ", only reported" : ""}</small>
        </td>
        <td class="wide">
          <code>${entry.blocked || "not said"}</code>
          ${entry.source === "" ? [] : escaped`<small>by ${entry.source}</small>`}
          ${entry.sample === "" ? [] : escaped`<small>begins <code>${entry.sample}</code></small>`}
        </td>
        <td class="address">${entry.page}</td>
        <td class="number">${entry.count.toLocaleString("en")}</td>
        <td class="number">${entry.reporters.length}</td>
        <td class="time">${time(entry.lastAt)}</td>
      </tr>`,
  );
  const note =
    entries.length > MAX_ROWS
      ? escaped`<p class="quiet">The latest ${MAX_ROWS} of ${entries.length}.</p>`
      : [];
  return escaped`<section>
    <h2>Reports</h2>
    ${note}
    <table>
      <thead>
        <tr>
          <th>Directive</th>
          <th>Blocked</th>
          <th>Page</th>
          <th class="number">Reports</th>
          <th class="number">Clients</th>
          <th>Last</th>
        </tr>
      </thead>
      <tbody>
        ${rows}
      </tbody>
    </table>
  </section>`;
}

function time(at: number): string {
  return `${new Date(at).toISOString().slice(0, 16).replace("T", " ")} UTC`;
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
