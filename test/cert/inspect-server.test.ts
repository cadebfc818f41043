import { createServer, type Server as TlsServer, type TlsOptions } from "node:tls";
import { createServer as createTcpServer } from "node:net";
import { createAuthority, issueCertificate, type IssuedCertificate } from "@hauberk/cert";
import { inspectServer, type ServerInspection } from "@hauberk/cert/inspect";
import { expect } from "chai";
import { before, describe, it } from "mocha";
import { makeChain, type MadeChain } from "../support/certificate-chain.ts";
import { newKey } from "../support/certificate-maker.ts";
import { rejection } from "../support/rejection.ts";
import { listenForTest } from "../support/tls-handshake.ts";

describe("inspectServer()", () => {
  const key = newKey();
  const pem = key.export({ type: "pkcs8", format: "pem" }).toString();
  let chain: MadeChain;
  let pair: IssuedCertificate;
  before(async () => {
    chain = makeChain([{}, {}, {}, { key }]);
    pair = await issueCertificate(await createAuthority(), { names: ["app.test", "127.0.0.1"] });
  });

  async function serve(options: TlsOptions): Promise<number> {
    const server: TlsServer = createServer(options, (socket) => socket.end());
    server.on("tlsClientError", () => undefined);
    return listenForTest(server);
  }

  for (const [protocol, ciphers] of [
    ["TLSv1.2", "ECDHE-ECDSA-AES128-GCM-SHA256"],
    ["TLSv1.3", "TLS_AES_128_GCM_SHA256"],
    ["TLSv1.3", "TLS_AES_256_GCM_SHA384"],
    ["TLSv1.3", "TLS_CHACHA20_POLY1305_SHA256"],
  ] as const) {
    it(`shows the chain in the order sent over ${protocol} with ${ciphers}`, async () => {
      const [lower = "", upper = ""] = chain.intermediates;
      for (const [cert, codes] of [
        [chain.leaf + lower + upper, ["chain-unfinished"]],
        [chain.leaf + upper + lower, ["chain-order", "chain-unfinished"]],
        [chain.leaf + upper, ["chain-gap", "chain-unfinished"]],
        [chain.leaf + lower + upper + chain.root, ["root-included"]],
        [chain.leaf + lower + lower, ["chain-gap", "duplicate", "chain-unfinished"]],
      ] as const) {
        const port = await serve({
          key: pem,
          cert,
          ciphers,
          minVersion: protocol,
          maxVersion: protocol,
        });
        const found = await inspectServer({
          host: "127.0.0.1",
          port,
          serverName: "app.test",
          authorities: chain.root,
        });
        expect(found.protocol).to.equal(protocol);
        expect(found.isChainAsSent).to.equal(true);
        expect(found.entries).to.have.lengthOf(cert.split("BEGIN CERTIFICATE").length - 1);
        const seen = codesOf(found).filter((code) => code !== "untrusted");
        expect(seen).to.have.members(codes);
      }
    });
  }

  it("finds nothing wrong where name and chain are good, and calls a stranger's root untrusted", async () => {
    const port = await serve({ key: pair.key, cert: pair.cert });
    const address = { host: "127.0.0.1", port } as const;
    const good = await inspectServer({ ...address, serverName: "app.test", authorities: pair.ca });
    expect(codesOf(good)).to.deep.equal(["chain-unfinished"]);
    const byAddress = await inspectServer({ ...address, authorities: pair.ca });
    expect(codesOf(byAddress)).to.deep.equal(["chain-unfinished"]);
    expect(byAddress.serverName).to.equal(undefined);
    const stranger = await inspectServer({ ...address, serverName: "app.test" });
    expect(stranger.findings[0]?.code).to.equal("untrusted");
    expect(stranger.findings[0]?.message).to.match(
      /^its issuer "O=Hauberk development CA, CN=.*" is neither given nor trusted$/,
    );
  });

  it("says which names a certificate has when the host is another", async () => {
    const port = await serve({ key: pair.key, cert: pair.cert });
    const { findings } = await inspectServer({
      host: "127.0.0.1",
      port,
      serverName: "www.app.test",
      authorities: pair.ca,
    });
    expect(findings[0]).to.deep.include({
      severity: "error",
      code: "host-mismatch",
      message: 'it is for "app.test, 127.0.0.1", not for "www.app.test"',
    });
  });

  it("asks for the name by SNI, and for none where the host is an address", async () => {
    const asked: string[] = [];
    const port = await serve({
      key: pair.key,
      cert: pair.cert,
      SNICallback: (name, done) => {
        asked.push(name);
        done(null);
      },
    });
    const named = await inspectServer({ host: "127.0.0.1", port, serverName: "APP.test." });
    expect(named.serverName).to.equal("app.test");
    await inspectServer({ host: "127.0.0.1", port });
    expect(asked).to.deep.equal(["app.test"]);
  });

  it("judges an expired certificate once, however it looks at it", async () => {
    const old = makeChain([{}, { key, notAfter: new Date(Date.now() - 86_400_000) }]);
    const port = await serve({ key: pem, cert: old.leaf });
    const found = await inspectServer({
      host: "127.0.0.1",
      port,
      serverName: "app.test",
      authorities: old.root,
    });
    expect(codesOf(found)).to.deep.equal(["expired", "chain-unfinished"]);
  });

  it("looks at servers that demand a certificate of the client, in both protocols", async () => {
    for (const version of ["TLSv1.2", "TLSv1.3"] as const) {
      const port = await serve({
        key: pair.key,
        cert: pair.cert,
        ca: pair.ca,
        requestCert: true,
        rejectUnauthorized: true,
        minVersion: version,
        maxVersion: version,
      });
      const found = await inspectServer({
        host: "127.0.0.1",
        port,
        serverName: "app.test",
        authorities: pair.ca,
      });
      // A server that knows the CA sends it along.
      expect(codesOf(found), version).to.deep.equal(["root-included"]);
    }
  });

  it("tells what stands in the way: nobody there, no TLS, silence, an early end", async () => {
    const closed = await serve({});
    const plain = await listenForTest(createTcpServer((socket) => socket.end("220 mail\r\n")));
    const silent = await listenForTest(createTcpServer(() => undefined));
    const hasty = await listenForTest(createTcpServer((socket) => socket.destroy()));
    for (const [port, message] of [
      [closed, /handshake failure|no shared cipher|no suitable/i],
      [plain, /wrong version number/i],
      [silent, /no answer within 50 ms/],
      [hasty, /hung up during the handshake|ECONNRESET|disconnected/i],
      [1, /ECONNREFUSED/],
    ] as const) {
      const error = await rejection(
        inspectServer({ host: "127.0.0.1", port, timeoutMs: port === silent ? 50 : 5000 }),
      );
      expect(error.code, error.message).to.equal("ERR_CERT_CONNECTION");
      expect(error.message)
        .to.match(/^Cannot look at 127\.0\.0\.1:\d+: /)
        .and.to.match(message);
    }
  });

  it("ends at once when the signal says so", async () => {
    const silent = await listenForTest(createTcpServer(() => undefined));
    const controller = new AbortController();
    const attempt = rejection(
      inspectServer({ host: "127.0.0.1", port: silent, signal: controller.signal }),
    );
    controller.abort(new Error("enough"));
    expect((await attempt).message).to.equal("enough");
  });

  it("refuses what is no address", async () => {
    for (const [options, message] of [
      [{ host: "" }, 'host must be a host name or an IP address, got ""'],
      [{ host: "a b" }, 'host must be a host name or an IP address, got "a b"'],
      [{ host: "a.test", port: 0 }, "port must be an integer from 1 to 65535, got 0"],
      [{ host: "a.test", sni: "b" }, 'inspectServer: unknown option "sni"'],
    ] as const) {
      const error = await rejection(inspectServer(options as never));
      expect(error.message).to.include(message);
    }
  });
});

function codesOf({ findings }: ServerInspection): string[] {
  return findings.map(({ code }) => code);
}
