import { writeFileSync } from "node:fs";
import { createServer as createTcpServer, type AddressInfo } from "node:net";
import { join } from "node:path";
import { expect } from "chai";
import { describe, it } from "mocha";
import { createServer, nodeReleaseWarning } from "@hauberk/server";
import { rejection } from "../support/rejection.ts";
import { tempDirectory } from "../support/temp-directory.ts";
import { testAuthority } from "../support/test-authority.ts";

const certificate = testAuthority().issue();
const app = (): void => undefined;

function failure(config: object): Error & { code?: string } {
  try {
    createServer({ certificate, app, ...config });
  } catch (error) {
    return error as Error;
  }
  throw new Error("The configuration was accepted");
}

describe("createServer()", () => {
  const folder = tempDirectory();

  it("offers the nearest name for an unknown option", () => {
    for (const [config, message] of [
      [{ prot: 1 }, 'unknown option "prot"; did you mean "port"?'],
      [
        { timeouts: { handshake: 1 } },
        'unknown option "timeouts.handshake"; did you mean "handshakeMs"?',
      ],
      [
        { memory: { maxfilebytes: 1 } },
        'unknown option "memory.maxfilebytes"; did you mean "maxFileBytes"?',
      ],
    ] as const) {
      const error = failure(config);
      expect(error).to.be.instanceOf(TypeError);
      expect(error.message).to.include(message);
    }
    expect(failure({ headers: { hstss: true } }).message).to.match(/did you mean/);
    expect(failure({ rateLimit: { limit: 1, windowms: 1 } }).message).to.include("windowMs");
  });

  it("names the option whose value is wrong", () => {
    for (const [config, type, option] of [
      [{ port: "443" }, TypeError, '"port"'],
      [{ port: 70_000 }, RangeError, '"port"'],
      [{ port: -1 }, RangeError, '"port"'],
      [{ httpPort: true }, TypeError, '"httpPort"'],
      [{ app: {} }, TypeError, '"app"'],
      [{ certificate: { key: 1 } }, TypeError, '"certificate"'],
      [{ tlsProfile: "old" }, TypeError, '"tlsProfile"'],
      [{ port: 80.5 }, TypeError, '"port"'],
      [{ timeouts: { idleMs: 10 } }, RangeError, '"timeouts.idleMs"'],
      [{ timeouts: { handshakeMs: 200_000 } }, RangeError, '"timeouts.handshakeMs"'],
      [{ hosts: ["localhost:8443"] }, TypeError, 'option "hosts'],
      [{ hosts: ["[::1]"] }, TypeError, 'option "hosts'],
      [{ hosts: ["*.app.test"] }, TypeError, 'option "hosts'],
      [{ hosts: [] }, TypeError, 'option "hosts'],
      [{ hosts: ["a b"] }, TypeError, 'option "hosts'],
      [{ cacheControl: "a\r\nb" }, TypeError, '"cacheControl"'],
      [{ rateLimit: { limit: Number.NaN, windowMs: 1000 } }, RangeError, '"rateLimit": "limit"'],
      [{ rateLimit: { limit: 5 } }, TypeError, '"rateLimit": "windowMs"'],
      [{ trustedProxies: ["10.0.0.0/99"] }, Error, '"trustedProxies"'],
    ] as const) {
      const error = failure(config);
      expect(error, JSON.stringify(config)).to.be.instanceOf(type);
      expect(error.message).to.include(option);
    }
  });

  it("repeats the value that is wrong", () => {
    expect(failure({ port: -1 }).message).to.match(/, got -1$/);
    expect(failure({ httpPort: true }).message).to.match(/or false, got true$/);
    expect(failure({ tlsProfile: "old" }).message).to.match(/, got "old"$/);
  });

  it("takes host names and addresses to speak for", () => {
    createServer({ certificate, app, hosts: ["App.test", "127.0.0.1", "::1"] });
  });

  it("wants something to serve", () => {
    expect(failure({ app: undefined }).message).to.include("root folder, an app, or both");
  });

  it("refuses a root that is missing or no folder", () => {
    const file = join(folder, "file");
    writeFileSync(file, "");
    for (const root of [join(folder, "missing"), file]) {
      expect(failure({ root }).code).to.equal("ERR_SERVER_ROOT_UNREADABLE");
    }
  });

  it("never repeats the private key in an error", () => {
    const { message } = failure({ certificate: { key: certificate.key, cert: "" } });
    expect(message).to.not.include("PRIVATE");
    expect(message).to.not.include(certificate.key.slice(40, 60));
  });
});

describe("listen()", () => {
  it("says which port is in use and what to do, and leaves nothing listening", async () => {
    const taken = createTcpServer();
    await new Promise<void>((resolve) => taken.listen(0, "127.0.0.1", resolve));
    const { port } = taken.address() as AddressInfo;
    const server = createServer({ certificate, app, host: "127.0.0.1", port: 0, httpPort: port });
    try {
      const error = await rejection(server.listen());
      expect(error.code).to.equal("ERR_SERVER_LISTEN_FAILED");
      expect(error.message).to.include(`127.0.0.1 port ${port}: the port is in use`);
      taken.close();
      expect((await server.listen()).http).to.equal(`http://127.0.0.1:${port}/`);
    } finally {
      await server.close();
      taken.close();
    }
  });

  it("listens on every address of localhost", async () => {
    const server = createServer({ certificate, app, host: "localhost", port: 0, httpPort: false });
    try {
      const { https, http } = await server.listen();
      expect(https).to.match(/^https:\/\/localhost:\d+\/$/);
      expect(http).to.equal(undefined);
    } finally {
      await server.close();
    }
  });
});

describe("nodeReleaseWarning()", () => {
  it("warns of every release below the security floor and of no other", () => {
    for (const version of [
      "18.20.0",
      "20.20.2",
      "22.23.1",
      "23.11.0",
      "24.18.0",
      "25.9.0",
      "26.5.0",
    ]) {
      expect(nodeReleaseWarning(version), version).to.include(version);
    }
    for (const version of [
      "22.23.2",
      "22.24.0",
      "24.18.1",
      "24.21.0",
      "26.5.1",
      "26.10.0",
      "28.0.0",
    ]) {
      expect(nodeReleaseWarning(version), version).to.equal(undefined);
    }
  });
});
