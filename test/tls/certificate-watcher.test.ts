import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import {
  type CertificateFiles,
  type CertificatePair,
  type CertificateWatcher,
  type CertificateWatcherEvent,
  type CertificateWatcherOptions,
  createTlsServer,
  type TlsError,
  watchCertificates,
} from "@hauberk/tls";
import { expect } from "chai";
import { afterEach, describe, it } from "mocha";
import { rejection } from "../support/rejection.ts";
import { tempDirectory } from "../support/temp-directory.ts";
import { testAuthority } from "../support/test-authority.ts";
import { handshake, listenForTest } from "../support/tls-handshake.ts";

const DAY_MS = 86_400_000;
const root = testAuthority();
const first = root.issue({ names: ["first.test"] });
const second = root.issue({ names: ["second.test"] });
const never = { intervalMs: DAY_MS };
const often = { intervalMs: 10 };

const running = new Set<CertificateWatcher>();

afterEach(() => {
  for (const watcher of running) watcher.close();
  running.clear();
});

describe("watchCertificates()", () => {
  const directory = tempDirectory();

  function pairFiles(pair: CertificatePair): CertificateFiles {
    const folder = mkdtempSync(join(directory, "pair-"));
    const files = { certFile: join(folder, "cert.pem"), keyFile: join(folder, "key.pem") };
    write(files, pair);
    return files;
  }

  it("refuses to start with files that cannot be used, and names them", async () => {
    const files = pairFiles({ ...first, key: second.key });
    const error = await rejection(watchCertificates([files], never));
    expect(error.code).to.equal("ERR_TLS_KEY_MISMATCH");
    expect(error.message).to.include(files.certFile).and.to.include(files.keyFile);
  });

  it("refuses to start with a missing file, a folder and a file of more than 1 MiB", async () => {
    const { certFile, keyFile } = pairFiles(first);
    const missing = { certFile: `${certFile}.not`, keyFile };
    expect((await rejection(watchCertificates([missing]))).code).to.equal(
      "ERR_TLS_FILE_UNREADABLE",
    );
    const folder = { certFile, keyFile: directory };
    expect((await rejection(watchCertificates([folder]))).message).to.include(directory);
    writeFileSync(certFile, "x".repeat(1_048_577));
    const error = await rejection(watchCertificates([{ certFile, keyFile }]));
    expect(error.message).to.match(/not a regular file of at most 1048576 bytes/);
  });

  it("refuses options it does not know, intervals out of range and an empty list", async () => {
    const files = [pairFiles(first)];
    const start = (options: object) => rejection(watchCertificates(files, options));
    expect(await start({ interval: 5 })).to.be.instanceOf(TypeError);
    expect(await start({ intervalMs: 9 })).to.be.instanceOf(RangeError);
    expect(await rejection(watchCertificates([]))).to.be.instanceOf(TypeError);
  });

  it("answers by name over several pairs, the first being the default", async () => {
    const watcher = await watching([pairFiles(first), pairFiles(second)], never);
    expect(watcher.certificateFor("second.test")).to.deep.equal(second);
    expect(watcher.certificateFor("third.test")).to.deep.equal(first);
    expect(watcher.certificateFor(undefined)).to.deep.equal(first);
  });

  it("returns the same object until the files change", async () => {
    const watcher = await watching([pairFiles(first)], never);
    const before = watcher.certificateFor(undefined);
    expect(await watcher.reload()).to.deep.equal([]);
    expect(watcher.certificateFor(undefined)).to.equal(before);
  });

  const changes: Readonly<Record<string, (files: CertificateFiles) => void>> = {
    "rewritten in place": (files) => {
      write(files, second);
    },
    "replaced by rename": ({ certFile, keyFile }) => {
      const fresh = pairFiles(second);
      renameSync(fresh.keyFile, keyFile);
      renameSync(fresh.certFile, certFile);
    },
    "deleted and made anew": (files) => {
      rmSync(files.certFile);
      rmSync(files.keyFile);
      write(files, second);
    },
  };
  for (const [what, change] of Object.entries(changes)) {
    it(`notices files that are ${what}`, async () => {
      const files = pairFiles(first);
      const events = eventQueue();
      const watcher = await watching([files], { ...often, onEvent: events.push });
      change(files);
      const event = await events.next("replaced");
      expect(event).to.deep.include(files);
      expect(watcher.certificateFor(undefined)).to.deep.equal(second);
    });
  }

  it("notices a swapped symbolic link above the files, as Kubernetes does it", async () => {
    const mount = mkdtempSync(join(directory, "mount-"));
    for (const [name, pair] of [["v1", first] as const, ["v2", second] as const]) {
      mkdirSync(join(mount, name));
      write(
        { certFile: join(mount, name, "tls.crt"), keyFile: join(mount, name, "tls.key") },
        pair,
      );
    }
    symlinkSync("v1", join(mount, "..data"));
    const files = { certFile: join(mount, "tls.crt"), keyFile: join(mount, "tls.key") };
    symlinkSync("..data/tls.crt", files.certFile);
    symlinkSync("..data/tls.key", files.keyFile);
    const events = eventQueue();
    const watcher = await watching([files], { ...often, onEvent: events.push });
    symlinkSync("v2", join(mount, "..data_tmp"));
    renameSync(join(mount, "..data_tmp"), join(mount, "..data"));
    await events.next("replaced");
    expect(watcher.certificateFor("second.test")).to.deep.equal(second);
  });

  const half = Math.floor(second.cert.length / 2);
  const expired = root.issue({ notAfter: new Date(Date.now() - 1000) });
  const bad: readonly (readonly [string, CertificatePair, string])[] = [
    [
      "half-written",
      { ...second, cert: second.cert.slice(0, half) },
      "ERR_TLS_CERTIFICATE_INVALID",
    ],
    ["half replaced", { ...first, key: second.key }, "ERR_TLS_KEY_MISMATCH"],
    ["swapped", { key: second.cert, cert: second.key }, "ERR_TLS_CERTIFICATE_INVALID"],
    ["empty", { key: "", cert: "" }, "ERR_TLS_CERTIFICATE_INVALID"],
    ["expired", expired, "ERR_TLS_CERTIFICATE_EXPIRED"],
  ];
  for (const [what, pair, code] of bad) {
    it(`keeps the old pair while the files are ${what}, then takes the good one`, async () => {
      const files = pairFiles(first);
      const events = eventQueue();
      const watcher = await watching([files], { ...often, onEvent: events.push });
      write(files, pair);
      const rejected = await events.next("rejected");
      expect(rejected.kind === "rejected" && rejected.error.code).to.equal(code);
      expect(watcher.certificateFor(undefined)).to.deep.equal(first);
      write(files, second);
      await events.next("replaced");
      expect(watcher.certificateFor(undefined)).to.deep.equal(second);
    });
  }

  it("keeps the old pair while a file is gone", async () => {
    const files = pairFiles(first);
    const watcher = await watching([files], never);
    rmSync(files.keyFile);
    const [event] = await watcher.reload();
    expect(event?.kind === "rejected" && event.error.code).to.equal("ERR_TLS_FILE_UNREADABLE");
    expect(watcher.certificateFor(undefined)).to.deep.equal(first);
  });

  it("says nothing about files that are still being written", async () => {
    const files = pairFiles(first);
    const events = eventQueue();
    await watching([files], { ...often, onEvent: events.push });
    for (let written = 1; written < 100; written++) {
      writeFileSync(files.certFile, second.cert.slice(0, written));
      await setTimeout(1);
    }
    write(files, second);
    await events.next("replaced");
  });

  it("reports a refusal once, however often it looks", async () => {
    const files = pairFiles(first);
    const events: CertificateWatcherEvent[] = [];
    let looks = 0;
    let lookedFiveTimes: (() => void) | undefined;
    const fiveLooks = new Promise<void>((resolve) => (lookedFiveTimes = resolve));
    await watching([files], {
      ...often,
      onEvent: (event) => events.push(event),
      now: () => {
        if (++looks === 6) lookedFiveTimes?.();
        return Date.now();
      },
    });
    write(files, expired);
    await fiveLooks;
    expect(events.map(({ kind }) => kind)).to.deep.equal(["rejected"]);
  });

  it("takes a certificate from the future once its time has come", async () => {
    const files = pairFiles(first);
    const future = root.issue({
      names: ["future.test"],
      notBefore: new Date(Date.now() + DAY_MS),
    });
    let skewMs = 0;
    const events = eventQueue();
    const now = (): number => Date.now() + skewMs;
    const watcher = await watching([files], { ...often, now, onEvent: events.push });
    write(files, future);
    const { error } = (await events.next("rejected")) as { error: TlsError };
    expect(error.code).to.equal("ERR_TLS_CERTIFICATE_NOT_YET_VALID");
    skewMs = 2 * DAY_MS;
    await events.next("replaced");
    expect(watcher.certificateFor("future.test")).to.deep.equal(future);
  });

  it("replaces one pair while another is bad", async () => {
    const [one, two] = [pairFiles(first), pairFiles(first)];
    const watcher = await watching([one, two], never);
    write(one, { key: "", cert: "" });
    write(two, second);
    const events = await watcher.reload();
    expect(events.map(({ kind }) => kind)).to.deep.equal(["rejected", "replaced"]);
    expect(watcher.certificateFor(undefined)).to.deep.equal(first);
    expect(watcher.certificateFor("second.test")).to.deep.equal(second);
  });

  it("calls listeners after the change until they unsubscribe", async () => {
    const files = pairFiles(first);
    const watcher = await watching([files], never);
    const seen: unknown[] = [];
    const unsubscribe = watcher.onChange(() => seen.push(watcher.certificateFor(undefined)));
    write(files, second);
    await watcher.reload();
    unsubscribe();
    write(files, first);
    await watcher.reload();
    expect(seen).to.deep.equal([second]);
  });

  it("stops looking when closed or aborted and keeps its last answer", async () => {
    const files = pairFiles(first);
    const controller = new AbortController();
    const watcher = await watching([files], { ...often, signal: controller.signal });
    controller.abort();
    write(files, second);
    expect(await watcher.reload()).to.deep.equal([]);
    expect(watcher.certificateFor(undefined)).to.deep.equal(first);
    const error = await rejection(watchCertificates([files], { signal: controller.signal }));
    expect(error.name).to.equal("AbortError");
  });

  it("changes what a server presents, from file to handshake", async () => {
    const files = pairFiles(root.issue());
    const watcher = await watching([files], never);
    const server = createTlsServer(watcher, { profile: "modern" });
    server.on("secureConnection", (socket) => socket.end("."));
    const port = await listenForTest(server);
    const client = { ca: root.certificate, servername: "localhost" };
    const before = await handshake(port, client);
    write(files, root.issue());
    await watcher.reload();
    const after = await handshake(port, { ...client, session: before.session });
    expect(after.isResumed).to.equal(true);
    const fresh = await handshake(port, client);
    expect(fresh.fingerprint256).to.not.equal(before.fingerprint256);
    expect(fresh.protocol).to.equal("TLSv1.3");
  });
});

async function watching(
  files: readonly CertificateFiles[],
  options: CertificateWatcherOptions,
): Promise<CertificateWatcher> {
  const watcher = await watchCertificates(files, options);
  running.add(watcher);
  return watcher;
}

function write({ certFile, keyFile }: CertificateFiles, { cert, key }: CertificatePair): void {
  writeFileSync(keyFile, key);
  writeFileSync(certFile, cert);
}

/** Events in order; `next` resolves with the next event, which must be of that kind. */
function eventQueue() {
  const waiting: CertificateWatcherEvent[] = [];
  let wake: (() => void) | undefined;
  return {
    push: (event: CertificateWatcherEvent): void => {
      waiting.push(event);
      wake?.();
    },
    next: async (kind: CertificateWatcherEvent["kind"]): Promise<CertificateWatcherEvent> => {
      if (waiting.length === 0) await new Promise<void>((resolve) => (wake = resolve));
      const event = waiting.shift();
      if (event?.kind === kind) return event;
      throw new Error(`Expected ${kind}, got ${JSON.stringify(event)}`);
    },
  };
}
