import { get } from "node:http";
import { type NginxLimitReq, createLimiter, nginxPolicy } from "@hauberk/rate-limit";
import { expect } from "chai";
import { after, before, describe, it } from "mocha";
import { requireProgram } from "../support/external.ts";
import { type Nginx, startNginx } from "../support/nginx.ts";
import { tempDirectory } from "../support/temp-directory.ts";

/** What nginx counts in whole milliseconds, and when it reads its clock. */
const ROUNDING_MS = 2;

const SETTINGS: Readonly<Record<string, NginxLimitReq>> = {
  plain: { rate: "10r/s" },
  burst: { rate: "10r/s", burst: 6 },
  nodelay: { rate: "10r/s", burst: 6, nodelay: true },
  delay: { rate: "10r/s", burst: 6, delay: 3 },
  minute: { rate: "100r/m", burst: 2, nodelay: true },
};

/** Pauses before the requests of the trace. Milliseconds. */
const TRACE: readonly number[] = [
  [0, 0, 0, 0, 0, 0, 0, 0, 0],
  [140, 10, 75, 130, 0, 0],
  [330, 0, 0, 0, 0, 0, 0],
  [61, 47, 83, 112, 95, 38],
  [570, 0, 0, 0, 0, 0, 0, 0, 0],
].flat();

/** A request as nginx saw it. */
interface Logged {
  readonly setting: string;
  readonly status: "PASSED" | "DELAYED" | "REJECTED";
  /** Since 1970. Milliseconds. */
  readonly arrivedMs: number;
  readonly tookMs: number;
}

function directiveOf(name: string, { burst = 0, delay, nodelay = false }: NginxLimitReq): string {
  const parameters = [
    `zone=${name}`,
    ...(burst > 0 ? [`burst=${burst}`] : []),
    ...(delay === undefined ? [] : [`delay=${delay}`]),
    ...(nodelay ? ["nodelay"] : []),
  ];
  return `location /${name} { limit_req ${parameters.join(" ")}; empty_gif; }`;
}

function parseLog(log: string): Logged[] {
  const requests = log
    .trim()
    .split("\n")
    .map((line) => line.split(" "))
    .map(([path = "", status = "", loggedAt = "", took = ""]): Logged => {
      const tookMs = Math.round(Number(took) * 1000);
      return {
        setting: path.slice(1),
        status: status as Logged["status"],
        arrivedMs: Math.round(Number(loggedAt) * 1000) - tookMs,
        tookMs,
      };
    });
  // Within a millisecond nginx first lets pass, then delays, then rejects.
  const order = ["PASSED", "DELAYED", "REJECTED"];
  return requests.toSorted(
    (a, b) =>
      a.arrivedMs - b.arrivedMs ||
      order.indexOf(a.status) - order.indexOf(b.status) ||
      a.tookMs - b.tookMs,
  );
}

async function replayTrace(port: number): Promise<void> {
  const answered: Promise<void>[] = [];
  for (const pauseMs of TRACE) {
    if (pauseMs > 0) await new Promise((resolve) => setTimeout(resolve, pauseMs));
    for (const name of Object.keys(SETTINGS)) {
      answered.push(
        new Promise((resolve, reject) => {
          get({ host: "127.0.0.1", port, path: `/${name}`, agent: false }, (response) => {
            response.resume().once("close", resolve);
          }).once("error", reject);
        }),
      );
    }
  }
  await Promise.all(answered);
}

describe("nginxPolicy() beside nginx", function () {
  this.timeout(30_000);
  const folder = tempDirectory();
  let logged: readonly Logged[] = [];

  before(async function () {
    const program = requireProgram(this, "nginx");
    const zones = Object.entries(SETTINGS)
      .map(([name, { rate }]) => `limit_req_zone $server_addr zone=${name}:1m rate=${rate};`)
      .join("\n");
    const format = "log_format trace '$uri $limit_req_status $msec $request_time';";
    const locations = Object.entries(SETTINGS)
      .map(([name, setting]) => directiveOf(name, setting))
      .join("\n");
    const nginx: Nginx = await startNginx(program, folder, `${format}\n${zones}`, locations);
    try {
      await replayTrace(nginx.port);
    } finally {
      await nginx.stop();
    }
    logged = parseLog(nginx.log());
  });

  after(() => {
    logged = [];
  });

  for (const [name, setting] of Object.entries(SETTINGS)) {
    const directive = directiveOf(name, setting).replace(/^.*\{ (.*); empty_gif.*$/, "$1");

    it(`admits, delays and refuses the same requests as ${directive} at ${setting.rate}`, () => {
      const requests = logged.filter((request) => request.setting === name);
      expect(requests).to.have.lengthOf(TRACE.length);
      const kinds = new Set(requests.map(({ status }) => status));
      expect(kinds).to.include("PASSED");
      expect(kinds).to.include("REJECTED");

      const startMs = requests[0]!.arrivedMs - 1000;
      let now = 0;
      const limiter = createLimiter(nginxPolicy(setting), { clock: () => now });
      for (const [index, { status, arrivedMs, tookMs }] of requests.entries()) {
        const earliest = now;
        const times = [0, 1, -1, ROUNDING_MS, -ROUNDING_MS].map((shiftMs) =>
          Math.max(arrivedMs - startMs + shiftMs, earliest),
        );
        const statuses = times.map((time) => {
          now = time;
          return statusOf(limiter.peek("client"));
        });
        expect(statuses, `request ${index}`).to.include(status);
        now = times[statuses.indexOf(status)]!;
        const decision = limiter.consume("client");
        if (decision.kind === "admitted") {
          expect(tookMs).to.be.at.least(decision.delayMs - 2 * ROUNDING_MS);
        }
      }
    });
  }
});

function statusOf(decision: ReturnType<ReturnType<typeof createLimiter>["peek"]>): string {
  if (decision.kind === "limited") return "REJECTED";
  return decision.delayMs > 0 ? "DELAYED" : "PASSED";
}
