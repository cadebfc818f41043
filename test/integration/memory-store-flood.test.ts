import { fork } from "node:child_process";
import { once } from "node:events";
import { expect } from "chai";
import { describe, it } from "mocha";
import { IS_THOROUGH } from "../support/external.ts";
import type { FloodReport } from "../support/flood-of-keys.ts";

const KEYS = IS_THOROUGH ? 10_000_000 : 400_000;
const MEBIBYTE = 1_048_576;

describe("MemoryStore under a flood of unique keys", function () {
  this.timeout(120_000);

  it(`keeps its memory flat and 200 abusers blocked through ${KEYS.toLocaleString("en")} keys`, async () => {
    const script = new URL("../support/flood-of-keys.js", import.meta.url);
    const child = fork(script, [String(KEYS)]);
    const [report] = (await once(child, "message")) as [FloodReport];
    const [early, late] = report.residentBytes;
    expect(report.slots).to.equal(131_072);
    expect(report.abuserAttempts).to.equal((KEYS / 200_000) * 200);
    expect(report.abusersAdmitted).to.equal(0);
    expect((late - early) / MEBIBYTE, "growth of resident memory, MiB").to.be.below(16);
    expect(late / MEBIBYTE, "resident memory, MiB").to.be.below(200);
  });
});
