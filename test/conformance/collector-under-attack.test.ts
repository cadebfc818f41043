import { fork, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { Agent, request, type IncomingMessage } from "node:http";
import { fileURLToPath } from "node:url";
import type { IntakeTotals } from "@hauberk/headers/reports";
import { expect } from "chai";
import { after, before, describe, it } from "mocha";
import { requireThorough } from "../support/external.ts";

interface Measured {
  readonly heapUsed: number;
  readonly rss: number;
  readonly totals: IntakeTotals;
}

const MIB = 1_048_576;
const HEAP_MIB = 64;

describe("a collector of reports under attack", function () {
  this.timeout(120_000);
  const agent = new Agent({ keepAlive: true, maxSockets: 50 });
  let child: ChildProcess;
  let port: number;
  let idle: Measured;

  before(async function () {
    requireThorough(this, "a minute");
    const program = fileURLToPath(new URL("../support/collector-program.js", import.meta.url));
    child = fork(program, { execArgv: ["--expose-gc", `--max-old-space-size=${HEAP_MIB}`] });
    [{ port }] = (await once(child, "message")) as [{ port: number }];
    await send(JSON.stringify([report(0)]));
    idle = await measure();
  });

  after(() => {
    agent.destroy();
    // The suite may have been skipped before it started one.
    (child as ChildProcess | undefined)?.kill("SIGKILL");
  });

  async function measure(): Promise<Measured> {
    child.send("measure");
    const [measured] = (await once(child, "message")) as [Measured];
    return measured;
  }

  /** Resolves with the status, or the code of the error when the connection was cut. */
  function send(body: string | Buffer): Promise<number | string> {
    return new Promise((resolve) => {
      const sent = request(
        {
          host: "127.0.0.1",
          port,
          path: "/.well-known/reports/csp",
          method: "POST",
          agent,
          headers: { "content-type": "application/reports+json" },
        },
        (response: IncomingMessage) => {
          response.resume().on("end", () => {
            resolve(response.statusCode ?? 0);
          });
        },
      );
      sent.on("error", (error: NodeJS.ErrnoException) => {
        resolve(error.code ?? "");
      });
      // In pieces without a length, so that nothing but counting can notice it.
      for (let start = 0; start < body.length; start += MIB)
        sent.write(body.slice(start, start + MIB));
      sent.end();
    });
  }

  function report(number: number): unknown {
    return {
      type: "csp-violation",
      url: `http://127.0.0.1:${port}/${number}`,
      body: {
        documentURL: `http://127.0.0.1:${port}/${number}${"p".repeat(300)}`,
        blockedURL: `https://cdn.example/${number}${"b".repeat(300)}`,
        effectiveDirective: "img-src",
        sample: `${number}<script>alert(1)</script>`,
        sourceFile: `https://cdn.example/${"s".repeat(300)}`,
      },
    };
  }

  it("holds no more memory after 100 bodies of 10 MB each", async () => {
    const body = Buffer.alloc(10 * MIB, "[");
    for (let round = 0; round < 10; round++) {
      const outcomes = await Promise.all(Array.from({ length: 10 }, () => send(body)));
      expect(outcomes.every((outcome) => outcome === 413 || typeof outcome === "string")).to.equal(
        true,
      );
    }
    const { rss, heapUsed } = await measure();
    expect(rss - idle.rss).to.be.lessThan(100 * MIB);
    expect(heapUsed - idle.heapUsed).to.be.lessThan(8 * MIB);
  });

  it("reads nothing of an array of 100,000 reports that has 40 MB", async () => {
    const outcome = await send(
      JSON.stringify(Array.from({ length: 100_000 }, (_, number) => report(number))).slice(
        0,
        40 * MIB,
      ),
    );
    expect(outcome).to.be.oneOf([413, "EPIPE", "ECONNRESET"]);
  });

  it("keeps 2000 of more than 100,000 different reports, in a heap that holds no more", async () => {
    let number = 0;
    for (let round = 0; round < 50; round++) {
      const bodies = Array.from({ length: 50 }, () =>
        JSON.stringify(Array.from({ length: 45 }, () => report((number += 1)))),
      );
      const outcomes = await Promise.all(bodies.map(send));
      expect(new Set(outcomes)).to.deep.equal(new Set([204]));
    }
    const { heapUsed, totals } = await measure();
    expect(totals.accepted).to.be.greaterThan(100_000);
    expect(heapUsed - idle.heapUsed).to.be.lessThan(16 * MIB);
  });

  it("survives deep JSON, broken JSON, long strings and numbers beyond all bounds", async () => {
    const bodies = [
      "[".repeat(60_000),
      `${'{"a":'.repeat(9_000)}1${"}".repeat(9_000)}`,
      `[{"type":"csp-violation","url":"${"x".repeat(60_000)}","body":{}}]`,
      `[{"type":"csp-violation","url":"http://127.0.0.1/","body":{"lineNumber":1e999}}]`,
      `[${"1e400,".repeat(9000)}1]`,
      `{"__proto__":{"type":"csp-violation"}}`,
      `[{"type":"__proto__","body":{}},{"type":"csp-violation","body":{"toString":1,"documentURL":{}}}]`,
    ];
    const outcomes = await Promise.all(bodies.map(send));
    expect(outcomes.every((outcome) => outcome === 204 || outcome === 400)).to.equal(true);
    expect(await send("[]")).to.equal(204);
  });
});
