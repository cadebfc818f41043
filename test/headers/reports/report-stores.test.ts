import { appendFileSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import {
  hasSqlite,
  memoryReportStore,
  openJsonLinesReportStore,
  openReportStore,
  openSqliteReportStore,
  redisReportStore,
  type ReportStore,
  type ReportStoreOptions,
} from "@hauberk/headers/reports";
import { expect } from "chai";
import { Redis } from "ioredis";
import { after, before, describe, it, type Context } from "mocha";
import { requireProgram } from "../../support/external.ts";
import { startRedis, type RedisServer } from "../../support/redis-server.ts";
import { rejection } from "../../support/rejection.ts";
import { NOON, reportEntry } from "../../support/report-entries.ts";
import { tempDirectory } from "../../support/temp-directory.ts";

const folder = tempDirectory();
let files = 0;

function newFile(ending: string): string {
  files += 1;
  return join(folder, `reports-${files}${ending}`);
}

let server: RedisServer | undefined;
let redis: Redis | undefined;

async function openRedisStore(context: Context, options: ReportStoreOptions): Promise<ReportStore> {
  requireProgram(context, "redis-server");
  server ??= await startRedis(folder);
  redis ??= new Redis(server.url);
  files += 1;
  return redisReportStore(redis, { ...options, prefix: `test:${files}` });
}

/** Skips the running test where this Node.js has no SQLite. */
function requireSqlite(context: Context): void {
  if (!hasSqlite()) context.skip();
}

type Opener = (context: Context, options: ReportStoreOptions) => ReportStore | Promise<ReportStore>;

const STORES: Readonly<Record<string, Opener>> = {
  "memoryReportStore()": (_context, options) => memoryReportStore(options),
  "openJsonLinesReportStore()": (_context, options) =>
    openJsonLinesReportStore(newFile(".jsonl"), options),
  "openSqliteReportStore()": (context, options) => {
    requireSqlite(context);
    return openSqliteReportStore(newFile(".sqlite"), options);
  },
  "redisReportStore()": openRedisStore,
};

describe("report stores", function () {
  this.timeout(10_000);

  after(async () => {
    redis?.disconnect();
    await server?.kill();
  });

  for (const [name, openStore] of Object.entries(STORES)) {
    describe(name, () => {
      it("folds what is the same: counts, days, clients, first and last", async function () {
        const store = await openStore(this, {});
        await store.add([
          reportEntry(),
          reportEntry({ reporters: ["client-2"], lastAt: NOON + 5 }),
        ]);
        await store.add([
          reportEntry({
            firstAt: NOON - 9,
            lastAt: NOON - 9,
            days: { "2026-11-21": 1 },
            source: "https://site.example/old.js",
          }),
        ]);
        expect(await store.entries()).to.deep.equal([
          reportEntry({
            count: 3,
            firstAt: NOON - 9,
            lastAt: NOON + 5,
            days: { "2026-11-21": 1, "2026-11-22": 2 },
            reporters: ["client-1", "client-2"],
          }),
        ]);
        await store.close();
      });

      it("keeps apart what differs in page, directive, blocked, disposition or sample", async function () {
        const store = await openStore(this, {});
        const different = [
          reportEntry({ page: "https://site.example/other" }),
          reportEntry({ directive: "font-src" }),
          reportEntry({ blocked: "data:" }),
          reportEntry({ disposition: "report" }),
          reportEntry({ sample: "alert(1)" }),
          reportEntry({ kind: "coep" }),
        ];
        await store.add(different);
        expect(await store.entries()).to.have.deep.members(different);
        await store.close();
      });

      it("lists the most recent first", async function () {
        const store = await openStore(this, {});
        await store.add([3, 1, 2].map((at) => reportEntry({ sample: String(at), lastAt: at })));
        const samples = (await store.entries()).map(({ sample }) => sample);
        expect(samples).to.deep.equal(["3", "2", "1"]);
        await store.close();
      });

      it("drops what one client alone reported before what several did", async function () {
        const store = await openStore(this, { maxEntries: 10 });
        const confirmed = reportEntry({ sample: "confirmed", reporters: ["client-1", "client-2"] });
        await store.add([confirmed]);
        for (let flood = 1; flood <= 40; flood++) {
          await store.add([reportEntry({ sample: `flood ${flood}`, lastAt: NOON + flood })]);
        }
        const samples = (await store.entries()).map(({ sample }) => sample);
        expect(samples).to.have.lengthOf(10);
        expect(samples).to.include("confirmed");
        expect(samples[0]).to.equal("flood 40");
        await store.close();
      });

      it("keeps 30 days and 16 clients of an entry", async function () {
        const store = await openStore(this, {});
        for (let day = 0; day < 40; day++) {
          const date = new Date(NOON + day * 86_400_000).toISOString().slice(0, 10);
          await store.add([reportEntry({ days: { [date]: 1 }, reporters: [`client-${day}`] })]);
        }
        const [entry] = await store.entries();
        expect(entry?.count).to.equal(40);
        expect(Object.keys(entry?.days ?? {})).to.have.lengthOf(30);
        expect(entry?.days).to.have.property("2026-12-31", 1).and.not.have.property("2026-11-22");
        expect(entry?.reporters).to.have.lengthOf(16);
        await store.close();
      });
    });
  }
});

describe("openJsonLinesReportStore()", () => {
  it("finds after a restart what was there, and nobody else may read the file", async () => {
    const file = newFile(".jsonl");
    const first = await openJsonLinesReportStore(file);
    await first.add([reportEntry(), reportEntry()]);
    await first.close();
    const second = await openJsonLinesReportStore(file);
    expect(await second.entries()).to.deep.equal([
      reportEntry({ count: 2, days: { "2026-11-22": 2 } }),
    ]);
    await second.close();
    expect(statSync(file).mode & 0o777).to.equal(0o600);
  });

  it("skips lines that a crash or somebody else damaged, and goes on after them", async () => {
    const file = newFile(".jsonl");
    const good = JSON.stringify(reportEntry());
    const hostile = JSON.stringify({ ...reportEntry(), days: { "<script>": 1 } });
    writeFileSync(file, `${good}\n${hostile}\nnull\n[]\n{"kind":"csp"}\n${good.slice(0, 40)}`);
    const store = await openJsonLinesReportStore(file);
    await store.add([reportEntry({ directive: "font-src" })]);
    await store.close();
    const again = await openJsonLinesReportStore(file);
    const directives = (await again.entries()).map(({ directive }) => directive);
    expect(directives).to.have.members(["img-src", "font-src"]);
    await again.close();
  });

  it("writes the file anew before it grows without end", async function () {
    this.timeout(10_000);
    const file = newFile(".jsonl");
    const store = await openJsonLinesReportStore(file, { maxEntries: 10 });
    const sample = "x".repeat(40);
    const batch = Array.from({ length: 100 }, (_, index) =>
      reportEntry({ sample: `${index}`, page: `https://site.example/${sample}` }),
    );
    for (let written = 0; written < 60; written++) await store.add(batch);
    expect(statSync(file).size).to.be.lessThan(1_048_576);
    await store.close();
    expect(readFileSync(file, "utf8").split("\n").length).to.be.greaterThan(10);
    const again = await openJsonLinesReportStore(file, { maxEntries: 10 });
    expect(await again.entries()).to.have.lengthOf(10);
    await again.close();
  });

  it("says which file it cannot use", async () => {
    const error = await rejection(
      openJsonLinesReportStore(join(folder, "missing", "reports.jsonl")),
    );
    expect(error.code).to.equal("ERR_HEADERS_REPORT_STORE");
    expect(error.message).to.include("missing/reports.jsonl");
  });
});

describe("openSqliteReportStore()", () => {
  it("shares a file between two connections, which nobody else may read", function () {
    requireSqlite(this);
    const file = newFile(".sqlite");
    const [one, other] = [openSqliteReportStore(file), openSqliteReportStore(file)];
    void one.add([reportEntry()]);
    void other.add([reportEntry({ reporters: ["client-2"] })]);
    expect(one.entries()).to.deep.equal([
      reportEntry({ count: 2, days: { "2026-11-22": 2 }, reporters: ["client-1", "client-2"] }),
    ]);
    void one.close();
    void other.close();
    expect(statSync(file).mode & 0o777).to.equal(0o600);
  });

  it("refuses a file that is no database", function () {
    requireSqlite(this);
    const file = newFile(".sqlite");
    appendFileSync(file, "this is no database, it is a text of some length");
    expect(() => openSqliteReportStore(file))
      .to.throw()
      .with.property("code", "ERR_HEADERS_REPORT_STORE");
  });

  it("says what to do where Node.js has no SQLite", function () {
    if (hasSqlite()) this.skip();
    expect(() => openSqliteReportStore(newFile(".sqlite")))
      .to.throw(/22\.13 or newer.*\.jsonl/)
      .with.property("code", "ERR_HEADERS_SQLITE_UNAVAILABLE");
  });
});

describe("redisReportStore()", function () {
  this.timeout(10_000);

  before(function () {
    requireProgram(this, "redis-server");
  });

  it("tells that Redis is gone", async () => {
    const gone = await startRedis(folder);
    const client = new Redis(gone.url, { maxRetriesPerRequest: 0, retryStrategy: () => null });
    client.on("error", () => undefined);
    const store = redisReportStore(client);
    await store.add([reportEntry()]);
    await gone.kill();
    const error = await rejection(Promise.resolve(store.add([reportEntry()])));
    expect(error.code).to.equal("ERR_HEADERS_REPORT_STORE");
    client.disconnect();
  });

  it("refuses a client without the commands, and a prefix that is none", () => {
    expect(() => redisReportStore({} as never)).to.throw(TypeError, /eval, hvals/);
    const client = { eval: () => Promise.resolve(), hvals: () => Promise.resolve([]) };
    expect(() => redisReportStore(client, { prefix: "a{b}" })).to.throw(RangeError, /prefix/);
  });
});

describe("openReportStore()", () => {
  it("takes the ending for the kind, and what there is already", async () => {
    const lines = newFile("");
    writeFileSync(`${lines}.jsonl`, `${JSON.stringify(reportEntry())}\n`);
    const store = await openReportStore(lines);
    expect(await store.entries()).to.deep.equal([reportEntry()]);
    await store.close();
  });

  it("makes SQLite where Node.js has it, JSON lines elsewhere", async () => {
    const file = newFile("");
    const store = await openReportStore(file);
    await store.add([reportEntry()]);
    await store.close();
    expect(statSync(file + (hasSqlite() ? ".sqlite" : ".jsonl")).size).to.be.greaterThan(0);
  });

  for (const maxEntries of [9, 100_001, 1.5, Number.NaN]) {
    it(`refuses ${maxEntries} for maxEntries`, async () => {
      const error = await rejection(openReportStore(newFile(".jsonl"), { maxEntries }));
      expect(error).to.be.instanceOf(RangeError);
    });
  }
});
