import { createTlsServer, fixedCertificates, TlsError, type CertificateSource } from "@hauberk/tls";
import { expect } from "chai";
import { describe, it } from "mocha";
import { testAuthority } from "../support/test-authority.ts";
import { handshake, listenForTest } from "../support/tls-handshake.ts";

const root = testAuthority();
const standard = root.issue({ names: ["localhost"] });
const exact = root.issue({ names: ["www.example.test"] });
const wildcard = root.issue({ names: ["*.example.test"] });
const source = fixedCertificates([standard, exact, wildcard]);
const checkServerIdentity = (): undefined => undefined;

async function namesFor(servername: string | undefined, from: CertificateSource = source) {
  const server = createTlsServer(from);
  server.on("secureConnection", (socket) => socket.end("."));
  const port = await listenForTest(server);
  const options = servername === undefined ? {} : { servername };
  return (await handshake(port, { ...options, ca: root.certificate, checkServerIdentity })).names;
}

describe("fixedCertificates()", () => {
  it("answers with the exact name before the wildcard before the default", () => {
    expect(source.certificateFor("www.example.test")).to.equal(exact);
    expect(source.certificateFor("api.example.test")).to.equal(wildcard);
    expect(source.certificateFor("unknown.test")).to.equal(standard);
    expect(source.certificateFor(undefined)).to.equal(standard);
  });

  it("lets a wildcard cover one label, not none and not two (RFC 9525 section 6.3)", () => {
    expect(source.certificateFor("example.test")).to.equal(standard);
    expect(source.certificateFor("a.b.example.test")).to.equal(standard);
    expect(source.certificateFor("*.example.test")).to.equal(wildcard);
  });

  it("takes the earlier of two pairs for one name", () => {
    const later = root.issue({ names: ["www.example.test"] });
    expect(fixedCertificates([exact, later]).certificateFor("www.example.test")).to.equal(exact);
  });

  it("does not read names out of an address or a quoted value", () => {
    const hostile = root.issue({ names: ['x", DNS:evil.test, DNS:"y', "10.0.0.1"] });
    const lookup = fixedCertificates([standard, hostile]);
    expect(lookup.certificateFor("evil.test")).to.equal(standard);
    expect(lookup.certificateFor("10.0.0.1")).to.equal(standard);
  });

  it("refuses an empty list and a pair that cannot be used", () => {
    expect(() => fixedCertificates([])).to.throw(TypeError, /at least one pair/);
    expect(() => fixedCertificates([standard, { ...exact, key: standard.key }])).to.throw(TlsError);
    expect(() => fixedCertificates(standard, { now: () => 0 })).to.throw(TlsError, /valid from/);
  });
});

describe("SNI of createTlsServer()", () => {
  const cases = [
    ["www.example.test", "DNS:www.example.test"],
    ["WWW.Example.TEST", "DNS:www.example.test"],
    ["www.example.test.", "DNS:www.example.test"],
    ["api.example.test", "DNS:*.example.test"],
    ["API.EXAMPLE.TEST", "DNS:*.example.test"],
    ["a.b.example.test", "DNS:localhost"],
    ["unknown.test", "DNS:localhost"],
    ["../../etc/passwd", "DNS:localhost"],
    ["__proto__", "DNS:localhost"],
    ["www.example.test\u0001", "DNS:localhost"],
    [`${"a".repeat(64)}.example.test`, "DNS:localhost"],
    [`${"a.".repeat(120)}example.test`, "DNS:localhost"],
    [undefined, "DNS:localhost"],
  ] as const;
  for (const [servername, names] of cases) {
    it(`presents ${names} to a client that asks for ${JSON.stringify(servername)}`, async () => {
      expect(await namesFor(servername)).to.equal(names);
    });
  }

  it("hands its source the canonical name only", async () => {
    const asked: (string | undefined)[] = [];
    const recording: CertificateSource = {
      ...source,
      certificateFor: (name) => {
        asked.push(name);
        return source.certificateFor(name);
      },
    };
    await namesFor("WWW.Example.Test.", recording);
    await namesFor("not a name", recording);
    expect(asked).to.deep.equal([undefined, "www.example.test", undefined]);
  });

  it("presents the default when the source throws, and says so", async () => {
    const failing: CertificateSource = {
      ...source,
      certificateFor: (name) => {
        if (name !== undefined) throw new Error("database is away");
        return standard;
      },
    };
    const events: string[] = [];
    const server = createTlsServer(failing, {
      onEvent: (event) => {
        if (event.kind === "certificate-rejected") {
          events.push(`${String(event.serverName)} ${String(event.error)}`);
        }
      },
    });
    server.on("secureConnection", (socket) => socket.end("."));
    const port = await listenForTest(server);
    const seen = await handshake(port, {
      servername: "www.example.test",
      ca: root.certificate,
      checkServerIdentity,
    });
    expect(seen.names).to.equal("DNS:localhost");
    expect(events).to.deep.equal(["www.example.test Error: database is away"]);
  });

  it("presents the default for a pair that cannot be used, and says so once", async () => {
    const mismatched = { ...exact, key: standard.key };
    const broken: CertificateSource = {
      ...source,
      certificateFor: (name) => (name === undefined ? standard : mismatched),
    };
    const codes: unknown[] = [];
    const server = createTlsServer(broken, {
      onEvent: (event) => {
        if (event.kind === "certificate-rejected") codes.push((event.error as TlsError).code);
      },
    });
    server.on("secureConnection", (socket) => socket.end("."));
    const port = await listenForTest(server);
    for (let round = 0; round < 3; round++) {
      const options = { servername: "www.example.test", ca: root.certificate, checkServerIdentity };
      expect((await handshake(port, options)).names).to.equal("DNS:localhost");
    }
    expect(codes).to.deep.equal(["ERR_TLS_KEY_MISMATCH"]);
  });
});
