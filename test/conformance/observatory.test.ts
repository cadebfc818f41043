import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { ServerConfig } from "@hauberk/server";
import { expect } from "chai";
import { before, describe, it } from "mocha";
import { requireThorough } from "../support/external.ts";
import {
  installObservatory,
  type ObservatoryReport,
  scanWithObservatory,
} from "../support/observatory.ts";
import { repositoryRoot } from "../support/repository.ts";
import { runServer } from "../support/running-server.ts";
import { sessionSite } from "../support/session-site.ts";
import { tempDirectory } from "../support/temp-directory.ts";

const SITE = join(repositoryRoot, "examples", "site");

describe("Mozilla's Observatory, algorithm 4, gives the sample site", function () {
  const folder = tempDirectory();
  this.timeout(120_000);
  before(function () {
    requireThorough(this, "half a minute");
    installObservatory();
  });

  async function reportOn(config: Partial<ServerConfig>): Promise<ObservatoryReport> {
    const server = await runServer({ host: "localhost", ...config });
    try {
      const caFile = join(folder, "ca.pem");
      writeFileSync(caFile, server.ca);
      return await scanWithObservatory(server.port, caFile);
    } finally {
      await server.close();
    }
  }

  function lost({ tests }: ObservatoryReport): readonly string[] {
    return Object.values(tests)
      .filter(({ scoreModifier }) => scoreModifier < 0)
      .map(({ result }) => result);
  }

  const cases = [
    ["125 points under site", { root: SITE, headers: { preset: "site" } }, 125],
    ["135 points under strict", { root: SITE, headers: { preset: "strict" } }, 135],
    [
      "140 points under strict with a session cookie that hardenCookies() made safe",
      { app: sessionSite(SITE, "strict"), headers: { preset: "strict" } },
      140,
    ],
  ] as const;
  for (const [what, config, points] of cases) {
    it(what, async () => {
      const report = await reportOn(config);
      expect(report.scan.algorithmVersion).to.equal(4);
      expect(lost(report)).to.deep.equal([]);
      expect(report.scan.score, JSON.stringify(report.tests)).to.be.at.least(points);
      expect(report.scan.grade).to.equal("A+");
    });
  }

  it("under 50 points without these headers, so that the scan is one", async () => {
    const headers = {
      contentSecurityPolicy: false,
      crossOriginResourcePolicy: false,
      referrerPolicy: false,
      strictTransportSecurity: false,
      xContentTypeOptions: false,
      xFrameOptions: false,
    } as const;
    const report = await reportOn({ root: SITE, headers });
    expect(report.scan.score).to.be.below(50);
  });
});
