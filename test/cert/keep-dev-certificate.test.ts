import { chmodSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import {
  devCertificate,
  keepDevCertificate,
  rotateAuthority,
  type KeepDevCertificateOptions,
  type KeepEvent,
  type KeptDevCertificate,
} from "@hauberk/cert";
import type { CertificateSource } from "@hauberk/tls";
import { expect } from "chai";
import { afterEach, beforeEach, describe, it } from "mocha";
import { rejection } from "../support/rejection.ts";
import { tempDirectory } from "../support/temp-directory.ts";

const DAY_MS = 86_400_000;
const NOW_MS = Date.parse("2026-11-22T10:00:00Z");

describe("keepDevCertificate()", () => {
  const root = tempDirectory();
  const authorityDirectory = join(root, "home");
  let directory: string;
  let round = 0;
  let presentMs: number;
  let kept: KeptDevCertificate | undefined;
  let events: KeepEvent[];
  let told: () => void;

  beforeEach(() => {
    round += 1;
    directory = join(root, `certs-${round}`);
    presentMs = NOW_MS;
    events = [];
    told = () => undefined;
  });

  afterEach(() => {
    kept?.close();
  });

  async function keep(options: KeepDevCertificateOptions = {}): Promise<KeptDevCertificate> {
    kept = await keepDevCertificate(["app.test"], {
      directory,
      authorityDirectory,
      clock: () => presentMs,
      lookEveryMs: 10,
      onEvent: (event) => {
        events.push(event);
        told();
      },
      ...options,
    });
    return kept;
  }

  function nextEvent(): Promise<KeepEvent> {
    return new Promise((resolve) => {
      told = () => {
        const event = events.at(-1);
        if (event !== undefined) resolve(event);
      };
    });
  }

  it("is a certificate source that gives one object for every name", async () => {
    const source: CertificateSource = await keep();
    const certificate = source.certificateFor("app.test");
    expect(certificate?.cert).to.include("BEGIN CERTIFICATE");
    expect(source.certificateFor(undefined)).to.equal(certificate);
    expect(source.certificateFor("other.test")).to.equal(certificate);
  });

  it("renews when the clock has jumped past two thirds of the life, and tells", async () => {
    const keeper = await keep();
    const before = keeper.certificateFor();
    let changes = 0;
    const stop = keeper.onChange(() => (changes += 1));
    keeper.onChange(() => (changes += 10));
    const renewed = nextEvent();
    presentMs += 61 * DAY_MS;
    expect((await renewed).kind).to.equal("renewed");
    const after = keeper.certificateFor();
    expect(after.notAfter.getTime() - before.notAfter.getTime()).to.equal(61 * DAY_MS);
    expect(after.key).to.equal(before.key);
    expect(changes).to.equal(11);
    stop();
    const again = nextEvent();
    presentMs += 61 * DAY_MS;
    await again;
    expect(changes).to.equal(21);
  });

  it("notices a certificate that somebody else renewed", async () => {
    const keeper = await keep();
    const renewed = nextEvent();
    const now = new Date(presentMs);
    const forced = await devCertificate(["app.test"], {
      directory,
      authorityDirectory,
      now,
      force: true,
    });
    await renewed;
    expect(keeper.certificateFor().cert).to.equal(forced.cert);
  });

  it("notices a removed certificate and a rotated CA", async () => {
    const home = join(directory, "home");
    const keeper = await keep({ authorityDirectory: home });
    const { certFile, cert, ca } = keeper.certificateFor();
    const restored = nextEvent();
    rmSync(certFile);
    await restored;
    expect(readFileSync(certFile, "utf8")).to.equal(keeper.certificateFor().cert);
    expect(keeper.certificateFor().cert).not.to.equal(cert);
    const moved = nextEvent();
    await rotateAuthority({ directory: home, now: new Date(presentMs) });
    await moved;
    expect(keeper.certificateFor().ca).not.to.equal(ca);
  });

  it("keeps the present certificate when it cannot renew, says so once, and goes on trying", async () => {
    const home = join(directory, "home");
    const keeper = await keep({ authorityDirectory: home });
    const { cert } = keeper.certificateFor();
    const keyFile = join(home, "authority", "ca-key.pem");
    const failed = nextEvent();
    chmodSync(keyFile, 0o644);
    const event = await failed;
    expect(event.kind === "failed" && event.error).to.include({
      code: "ERR_CERT_AUTHORITY_PERMISSIONS",
    });
    expect(keeper.certificateFor().cert).to.equal(cert);
    const other = nextEvent();
    writeFileSync(keyFile, "damaged");
    chmodSync(keyFile, 0o600);
    expect((await other).kind).to.equal("failed");
    expect(events).to.have.lengthOf(2);
  });

  it("forces a new certificate at the start only", async () => {
    const now = new Date(presentMs);
    const old = await devCertificate(["app.test"], { directory, authorityDirectory, now });
    const keeper = await keep({ force: true });
    const forced = keeper.certificateFor();
    expect(forced.cert).not.to.equal(old.cert);
    const renewed = nextEvent();
    presentMs += 61 * DAY_MS;
    await renewed;
    expect(events).to.have.lengthOf(1);
  });

  it("renews no more after it is closed, by hand or by a signal", async () => {
    for (const end of ["close", "abort"] as const) {
      const controller = new AbortController();
      const keeper = await keep({ signal: controller.signal });
      const { cert } = keeper.certificateFor();
      if (end === "close") keeper.close();
      else controller.abort();
      const other = await keep();
      const renewed = nextEvent();
      presentMs += 61 * DAY_MS;
      await renewed;
      other.close();
      expect(keeper.certificateFor().cert).to.equal(cert);
    }
  });

  it("refuses malformed options", async () => {
    for (const [options, kind, message] of [
      [{ lookEveryMs: 9 }, RangeError, "lookEveryMs must be an integer from 10 to 3600000, got 9"],
      [{ lookEvery: 1 }, TypeError, 'unknown option "lookEvery"'],
      [{ days: 0 }, RangeError, "days must be an integer from 1 to 825, got 0"],
    ] as const) {
      const error = await rejection(keep(options as never));
      expect(error).to.be.instanceOf(kind);
      expect(error.message).to.include(message);
    }
  });
});
