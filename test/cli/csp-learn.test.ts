import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { hasSqlite, openReportStore, type ReportEntry } from "@hauberk/headers/reports";
import { expect } from "chai";
import { describe, it } from "mocha";
import { type Finished, runHauberk } from "../support/hauberk-process.ts";
import { reportEntry } from "../support/report-entries.ts";
import { tempDirectory } from "../support/temp-directory.ts";

const folder = tempDirectory();
const three = ["client-1", "client-2", "client-3"];

const ENTRIES: readonly ReportEntry[] = [
  reportEntry({ reporters: three, count: 7 }),
  reportEntry({
    directive: "script-src-elem",
    blocked: "https://cdn.example/a.js",
    reporters: three,
  }),
  reportEntry({ directive: "script-src-elem", blocked: "inline", reporters: three }),
  reportEntry({ directive: "connect-src", blocked: "https://one.example/" }),
];

function linesFile(name: string, entries: readonly ReportEntry[]): string {
  const file = join(folder, name);
  writeFileSync(file, entries.map((entry) => `${JSON.stringify(entry)}\n`).join(""));
  return file;
}

function learn(...args: readonly string[]): Promise<Finished> {
  return runHauberk(["csp", "learn", ...args], { cwd: folder });
}

describe("hauberk csp learn", function () {
  this.timeout(10_000);
  const lines = linesFile("reports.jsonl", ENTRIES);

  it("shows what would have to change, why not, and the whole policy", async () => {
    const { code, stdout } = await learn(lines, "--policy", "default-src 'self'");
    expect(code).to.equal(0);
    expect(stdout).to.equal(
      [
        "10 reports of 4 different things, 2026-11-22 to 2026-11-22",
        "",
        "Proposed change, to be made by hand",
        "  img-src",
        "+   https://cdn.example",
        "  script-src",
        "+   https://cdn.example/a.js",
        "",
        "  img-src https://cdn.example: 7 reports by 3 clients",
        "  script-src https://cdn.example/a.js: 1 report by 3 clients",
        "      runs as part of every page under this policy; make sure that you load it",
        "",
        "The policy would be",
        "  default-src 'self'; img-src 'self' https://cdn.example; script-src 'self' https://cdn.example/a.js",
        "",
        "No change proposed for",
        "  script-src-elem inline: 1 report by 3 clients",
        "      inline code without nonce or hash: if it is yours give it the nonce, hash the page or move it into a file; if not, the policy did its work",
        "  connect-src https://one.example/: 1 report by one client",
        "      reported by 1 of the 3 clients that are needed",
        "",
      ].join("\n"),
    );
  });

  it("takes the site preset for the policy, and another when told to", async () => {
    const site = await learn(lines, "--json");
    const { policy, changes } = JSON.parse(site.stdout) as { policy: string; changes: unknown[] };
    expect(policy).to.include("img-src 'self' data: https://cdn.example");
    expect(changes).to.have.lengthOf(2);
    const strict = await learn(lines, "--preset", "strict");
    expect(strict.stdout).to.include("default-src 'none'");
  });

  it("believes one client when told to", async () => {
    const { stdout } = await learn(lines, "--min-reporters", "1");
    expect(stdout).to.include("+   https://one.example");
  });

  it("reads the SQLite file of a collector", async function () {
    if (!hasSqlite()) this.skip();
    const file = join(folder, "reports.sqlite");
    const store = await openReportStore(file);
    await store.add(ENTRIES);
    await store.close();
    const { stdout } = await learn(file);
    expect(stdout).to.include("+   https://cdn.example\n");
  });

  it("makes what could drive the terminal visible (attack)", async () => {
    const hostile = linesFile("hostile.jsonl", [
      reportEntry({ blocked: "\u001b]0;evil\u0007\u202e", directive: "img-src" }),
    ]);
    const { stdout } = await learn(hostile);
    expect(stdout)
      .to.match(/^[\n\x20-\x7e]*$/)
      .and.include("\\u{1b}");
  });

  it("says so when there are no reports", async () => {
    const { code, stdout } = await learn(linesFile("empty.jsonl", []));
    expect(code).to.equal(0);
    expect(stdout).to.equal("No reports\n");
  });

  for (const [args, code, message] of [
    [[], 2, /takes one file/],
    [["missing.jsonl"], 1, /missing\.jsonl.*ERR_HEADERS_REPORT_STORE/],
    [[lines, "--min-reporters", "0"], 2, /--min-reporters/],
    [[lines, "--preset", "strikt"], 2, /did you mean strict/],
    [[lines, "--preset", "site", "--policy", "img-src *"], 2, /leave one out/],
  ] as const) {
    it(`ends with ${code} for ${JSON.stringify(args.map((arg) => arg.replace(folder, "")))}`, async () => {
      const outcome = await learn(...args);
      expect(outcome.code).to.equal(code);
      expect(outcome.stderr).to.match(message);
    });
  }
});
