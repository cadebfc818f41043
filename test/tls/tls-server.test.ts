import { spawn } from "node:child_process";
import { once } from "node:events";
import { connect as connectTcp } from "node:net";
import type { Server, TLSSocket } from "node:tls";
import {
  type CertificatePair,
  createTlsServer,
  fixedCertificates,
  sessionTicketKeys,
  tlsProfile,
  TlsError,
  type TlsServerEvent,
  type TlsServerOptions,
} from "@hauberk/tls";
import { expect } from "chai";
import { describe, it } from "mocha";
import { changeableSource } from "../support/changeable-source.ts";
import { requireProgram } from "../support/external.ts";
import { rejection } from "../support/rejection.ts";
import { testAuthority } from "../support/test-authority.ts";
import { handshake, listenForTest, openTls } from "../support/tls-handshake.ts";

const root = testAuthority();
const first = root.issue();
const second = root.issue();
const client = { ca: root.certificate, servername: "localhost" };
const tls12 = { ...client, minVersion: "TLSv1.2", maxVersion: "TLSv1.2" } as const;
const tls13 = { ...client, minVersion: "TLSv1.3", maxVersion: "TLSv1.3" } as const;

function ending(server: Server): Server {
  return server.on("secureConnection", (socket) => socket.end("."));
}

async function listening(options: TlsServerOptions = {}): Promise<number> {
  return listenForTest(ending(createTlsServer(fixedCertificates(first), options)));
}

describe("protocols and ciphers of createTlsServer()", () => {
  it("speak TLS 1.2 and 1.3 under intermediate, the default", async () => {
    const port = await listening();
    expect((await handshake(port, tls12)).protocol).to.equal("TLSv1.2");
    expect((await handshake(port, tls13)).protocol).to.equal("TLSv1.3");
  });

  it("refuse TLS 1.2 under modern", async () => {
    const port = await listening({ profile: "modern" });
    const error = await rejection(handshake(port, tls12));
    expect(error.code).to.equal("ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION");
    expect((await handshake(port, client)).protocol).to.equal("TLSv1.3");
  });

  it("refuse TLS 1.1", async () => {
    const port = await listening();
    const old = { minVersion: "TLSv1.1", maxVersion: "TLSv1.1", ciphers: "DEFAULT:@SECLEVEL=0" };
    const error = await rejection(handshake(port, { ...client, ...old } as never));
    expect(error.code).to.match(/PROTOCOL_VERSION/);
  });

  it("agree on each TLS 1.2 cipher of the profile that fits the key", async () => {
    const port = await listening();
    for (const cipher of tlsProfile("intermediate").ciphers.filter((name) =>
      name.includes("ECDSA"),
    )) {
      expect((await handshake(port, { ...tls12, ciphers: cipher })).cipher).to.equal(cipher);
    }
  });

  for (const cipher of [
    "ECDHE-ECDSA-AES128-SHA",
    "ECDHE-ECDSA-AES128-SHA256",
    "AES128-GCM-SHA256",
  ]) {
    it(`refuse ${cipher}, which the profile does not list`, async () => {
      const port = await listening();
      const error = await rejection(handshake(port, { ...tls12, ciphers: cipher }));
      expect(error.code).to.match(/HANDSHAKE_FAILURE/);
    });
  }

  it("agree on each cipher suite of TLS 1.3", async () => {
    const port = await listening();
    for (const suite of tlsProfile("modern").cipherSuites) {
      expect((await handshake(port, { ...tls13, ciphers: suite })).cipher).to.equal(suite);
    }
  });

  for (const profile of ["intermediate", "modern"] as const) {
    it(`give a client of ${profile} ChaCha20 when it puts that first`, async () => {
      const port = await listening({ profile });
      const ciphers = "TLS_CHACHA20_POLY1305_SHA256:TLS_AES_128_GCM_SHA256";
      expect((await handshake(port, { ...tls13, ciphers })).cipher).to.match(/CHACHA20/);
    });
  }

  it("follow the client's order under modern and the profile's under intermediate", async () => {
    const aes256First = { ...tls13, ciphers: "TLS_AES_256_GCM_SHA384:TLS_AES_128_GCM_SHA256" };
    const modern = await listening({ profile: "modern" });
    expect((await handshake(modern, aes256First)).cipher).to.equal("TLS_AES_256_GCM_SHA384");
    const intermediate = await listening();
    expect((await handshake(intermediate, aes256First)).cipher).to.equal("TLS_AES_128_GCM_SHA256");
  });

  it("refuse a client that knows none of the groups", async () => {
    const port = await listening();
    const error = await rejection(handshake(port, { ...tls13, ecdhCurve: "secp521r1" }));
    expect(error.code).to.match(/HANDSHAKE_FAILURE/);
  });

  it("agree on the hybrid group X25519MLKEM768 where OpenSSL is 3.5 or newer", async function () {
    const [major = 0, minor = 0] = process.versions.openssl.split(".").map(Number);
    if (major === 3 && minor < 5) this.skip();
    const port = await listening();
    const hybrid = { ...tls13, ecdhCurve: "X25519MLKEM768" };
    expect((await handshake(port, hybrid)).protocol).to.equal("TLSv1.3");
  });

  for (const sigalgs of ["ECDSA+SHA1", "ECDSA+SHA224"]) {
    it(`refuse a client that verifies ${sigalgs} alone`, async () => {
      const port = await listening();
      const weak = { ...tls12, sigalgs, ciphers: "DEFAULT:@SECLEVEL=0" };
      const error = await rejection(handshake(port, weak));
      expect(error.code).to.match(/HANDSHAKE_FAILURE/);
    });
  }

  it("refuse renegotiation by the client", async function () {
    const openssl = requireProgram(this, "openssl");
    const server = createTlsServer(fixedCertificates(first));
    const port = await listenForTest(server);
    const peer = spawn(openssl, ["s_client", "-tls1_2", "-connect", `127.0.0.1:${port}`]);
    let output = "";
    for (const stream of [peer.stdout, peer.stderr]) {
      stream.on("data", (chunk: Buffer) => (output += chunk.toString()));
    }
    await once(server, "secureConnection");
    peer.stdin.write("R\n");
    await once(peer, "close");
    expect(output).to.match(/RENEGOTIATING/);
    expect(output).to.match(/no renegotiation/);
  });
});

describe("ALPN of createTlsServer()", () => {
  const alpnProtocols = ["h2", "http/1.1"];

  it("chooses the server's first choice among what the client offers", async () => {
    const port = await listening({ alpnProtocols });
    const offer = { ...client, ALPNProtocols: ["http/1.1", "h2"] };
    expect((await handshake(port, offer)).alpnProtocol).to.equal("h2");
    expect(
      (await handshake(port, { ...client, ALPNProtocols: ["http/1.1"] })).alpnProtocol,
    ).to.equal("http/1.1");
  });

  it("refuses a client without a common protocol (RFC 7301 section 3.2)", async () => {
    const port = await listening({ alpnProtocols });
    const error = await rejection(handshake(port, { ...client, ALPNProtocols: ["spdy/3"] }));
    expect(error.code).to.equal("ERR_SSL_TLSV1_ALERT_NO_APPLICATION_PROTOCOL");
  });

  it("lets a client without ALPN in", async () => {
    const port = await listening({ alpnProtocols });
    expect((await handshake(port, client)).alpnProtocol).to.equal(false);
  });
});

describe("hot swap of createTlsServer()", () => {
  it("presents the new certificate to new handshakes and keeps the profile", async () => {
    const source = changeableSource(first);
    const server = createTlsServer(source, { profile: "modern", alpnProtocols: ["h2"] });
    const port = await listenForTest(ending(server));
    const offer = { ...client, ALPNProtocols: ["h2"] };
    const before = await handshake(port, offer);
    source.replace(second);
    const after = await handshake(port, offer);
    expect(after.fingerprint256).to.not.equal(before.fingerprint256);
    expect(after.alpnProtocol).to.equal("h2");
    expect(after.cipher).to.equal(before.cipher);
    const error = await rejection(handshake(port, tls12));
    expect(error.code).to.equal("ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION");
    const group = await rejection(handshake(port, { ...tls13, ecdhCurve: "secp521r1" }));
    expect(group.code).to.match(/HANDSHAKE_FAILURE/);
  });

  it("drops no open connection", async () => {
    const source = changeableSource(first);
    const server = createTlsServer(source);
    server.on("secureConnection", (socket) => socket.on("data", (chunk) => socket.write(chunk)));
    const socket = await openTls(await listenForTest(server), client);
    source.replace(second);
    socket.write("still here");
    const [answer] = (await once(socket, "data")) as [Buffer];
    expect(answer.toString()).to.equal("still here");
  });

  for (const [version, options] of Object.entries({ "TLS 1.2": tls12, "TLS 1.3": tls13 })) {
    it(`resumes ${version} sessions before and after`, async () => {
      const source = changeableSource(first);
      const port = await listenForTest(ending(createTlsServer(source)));
      const { session, isResumed } = await handshake(port, options);
      expect(isResumed).to.equal(false);
      expect((await handshake(port, { ...options, session })).isResumed).to.equal(true);
      source.replace(second);
      const after = await handshake(port, { ...options, session });
      expect(after.isResumed).to.equal(true);
    });

    it(`resumes ${version} sessions of a name that is not the default`, async () => {
      const named = root.issue({ names: ["b.test"] });
      const port = await listenForTest(ending(createTlsServer(fixedCertificates([first, named]))));
      const offer = { ...options, servername: "b.test" };
      const { session, names } = await handshake(port, offer);
      expect(names).to.equal("DNS:b.test");
      expect((await handshake(port, { ...offer, session })).isResumed).to.equal(true);
    });
  }

  const expired = root.issue({ notAfter: new Date(Date.now() - 1000) });
  const refused = [
    ["an empty pair", { key: "", cert: "" }, "ERR_TLS_CERTIFICATE_INVALID"],
    ["a key that does not match", { ...second, key: first.key }, "ERR_TLS_KEY_MISMATCH"],
    ["an expired certificate", expired, "ERR_TLS_CERTIFICATE_EXPIRED"],
    ["no pair at all", undefined, "ERR_TLS_CERTIFICATE_MISSING"],
  ] as const;
  for (const [what, pair, code] of refused) {
    it(`keeps the old certificate when it is given ${what}, and takes the next good one`, async () => {
      const source = changeableSource(first);
      const events: TlsServerEvent[] = [];
      const server = createTlsServer(source, {
        onEvent: (event) => {
          const isForName = event.kind === "certificate-rejected" && event.serverName !== undefined;
          if (!isForName) events.push(event);
        },
      });
      const port = await listenForTest(ending(server));
      const before = await handshake(port, client);
      source.replace(pair);
      const kept = await handshake(port, client);
      expect(kept.fingerprint256).to.equal(before.fingerprint256);
      source.replace(second);
      expect((await handshake(port, client)).fingerprint256).to.not.equal(before.fingerprint256);
      expect(events.map(({ kind }) => kind)).to.deep.equal([
        "certificate-rejected",
        "certificate-replaced",
      ]);
      const [rejected] = events;
      expect(rejected?.kind === "certificate-rejected" && rejected.error).to.include({ code });
    });
  }

  it("survives 200 swaps without leaking a listener, and lets go of its source when closed", async () => {
    const source = changeableSource(first);
    const server = createTlsServer(source);
    const port = await listenForTest(ending(server));
    const listeners = (): number[] => server.eventNames().map((name) => server.listenerCount(name));
    const before = listeners();
    for (let round = 0; round < 100; round++) {
      source.replace(second);
      source.replace(first);
    }
    expect(listeners()).to.deep.equal(before);
    expect(source.listenerCount()).to.equal(1);
    expect((await handshake(port, client)).names).to.equal("DNS:localhost");
    server.close();
    await once(server, "close");
    expect(source.listenerCount()).to.equal(0);
  });
});

describe("createTlsServer()", () => {
  it("resumes a session on another server that shares the secret of the ticket keys", async () => {
    const secret = "a secret of at least thirty-two bytes";
    const start = (pair: CertificatePair): Promise<number> => {
      const ticketKeys = sessionTicketKeys({ secret });
      return listenForTest(ending(createTlsServer(fixedCertificates(pair), { ticketKeys })));
    };
    const port = await start(first);
    // Node binds sessions to a hash of process.argv unless told otherwise.
    process.argv.push("--as-if-started-otherwise");
    const otherPort = await start(second).finally(() => process.argv.pop());
    const { session } = await handshake(port, client);
    expect((await handshake(otherPort, { ...client, session })).isResumed).to.equal(true);
    const stranger = await listening();
    expect((await handshake(stranger, { ...client, session })).isResumed).to.equal(false);
  });

  it("ends a connection that does not complete the handshake in time", async () => {
    const events: TlsServerEvent[] = [];
    const port = await listening({
      handshakeTimeoutMs: 100,
      onEvent: (event) => events.push(event),
    });
    const socket = connectTcp(port, "127.0.0.1");
    await once(socket.resume(), "close");
    const [event] = events;
    expect(event?.kind === "handshake-failed" && event.error).to.include({
      code: "ERR_TLS_HANDSHAKE_TIMEOUT",
    });
  });

  it("reports garbage instead of a handshake with the client's address", async () => {
    const events: TlsServerEvent[] = [];
    const port = await listening({ onEvent: (event) => events.push(event) });
    const socket = connectTcp(port, "127.0.0.1");
    socket.end("GET / HTTP/1.1\r\n\r\n");
    await once(socket.resume(), "close");
    expect(events.map(({ kind }) => kind)).to.deep.equal(["handshake-failed"]);
  });

  it("outlives an error on an established connection and reports it", async () => {
    const events: TlsServerEvent[] = [];
    const server = createTlsServer(fixedCertificates(first), {
      onEvent: (event) => events.push(event),
    });
    const port = await listenForTest(server);
    const accepted = once(server, "secureConnection") as Promise<[TLSSocket]>;
    await openTls(port, client);
    const [socket] = await accepted;
    const closed = new Promise((resolve) => socket.once("close", resolve));
    const error = new Error("malformed frame");
    socket.destroy(error);
    await closed;
    expect(events).to.deep.equal([
      { kind: "connection-failed", remoteAddress: "127.0.0.1", error },
    ]);
  });

  it("refuses unknown options, wrong types and values out of range", () => {
    const source = fixedCertificates(first);
    const build = (options: object) => () => createTlsServer(source, options);
    expect(build({ profil: "modern" })).to.throw(
      TypeError,
      /createTlsServer\.profil: did you mean "profile"/,
    );
    expect(build({ profile: "old" })).to.throw(TypeError, /Unknown TLS profile "old"/);
    expect(build({ handshakeTimeoutMs: 5 })).to.throw(RangeError, /between 100 and 120000, got 5/);
    expect(build({ handshakeTimeoutMs: "5 s" })).to.throw(TypeError, /integer, got "5 s"/);
    expect(build({ alpnProtocols: [] })).to.throw(TypeError, /alpnProtocols must be a list/);
    expect(build({ alpnProtocols: "h2" })).to.throw(TypeError, /got "h2"/);
  });

  it("refuses a source without a default", () => {
    const empty = { certificateFor: () => undefined, onChange: () => () => undefined };
    expect(() => createTlsServer(empty))
      .to.throw(TlsError)
      .with.property("code", "ERR_TLS_CERTIFICATE_MISSING");
  });
});
