import { execFile } from "node:child_process";
import { connect, type AddressInfo } from "node:net";
import { createServer } from "node:http";
import { once } from "node:events";
import { text } from "node:stream/consumers";
import { promisify } from "node:util";
import { securityHeaders } from "@hauberk/headers";
import { expect } from "chai";
import { after, before, describe, it } from "mocha";

const run = promisify(execFile);
const REQUESTS = 500;

describe("a nonce", () => {
  const secure = securityHeaders();
  const server = createServer((request, response) => {
    secure(request, response, () => response.end());
  });
  let port: number;

  before(async () => {
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    ({ port } = server.address() as AddressInfo);
  });

  after(() => {
    server.close();
  });

  /** Sends requests without waiting for answers, on one connection, and returns their nonces. */
  async function pipelined(methods: readonly string[]): Promise<string[]> {
    const socket = connect(port, "127.0.0.1");
    const requests = methods.map((method, index) => {
      const connection = index === methods.length - 1 ? "close" : "keep-alive";
      return `${method} / HTTP/1.1\r\nHost: site.example\r\nConnection: ${connection}\r\n\r\n`;
    });
    socket.write(requests.join(""));
    const answers = await text(socket);
    return [...answers.matchAll(/^content-security-policy: .*?'nonce-([\w-]+)'/gim)].map(
      ([, nonce = ""]) => nonce,
    );
  }

  it("is never that of another response: pipelined, concurrent, across refills of the pool", async () => {
    const methods = Array<string>(REQUESTS).fill("GET");
    const nonces = (await Promise.all([pipelined(methods), pipelined(methods)])).flat();
    expect(nonces).to.have.lengthOf(2 * REQUESTS);
    expect(new Set(nonces).size).to.equal(2 * REQUESTS);
  });

  it("of HEAD is not that of GET, nor that of a request that is repeated", async () => {
    const nonces = await pipelined(["HEAD", "GET", "GET"]);
    expect(new Set(nonces).size).to.equal(3);
  });

  it("is never that of another process: each fills a pool of its own", async () => {
    const entry = import.meta.resolve("@hauberk/headers");
    const program = `import { createNonce } from ${JSON.stringify(entry)};
      console.log(Array.from({ length: ${REQUESTS} }, createNonce).join("\\n"));`;
    const args = ["--input-type=module", "--eval", program];
    const outputs = await Promise.all([run(process.execPath, args), run(process.execPath, args)]);
    const nonces = outputs.flatMap(({ stdout }) => stdout.trim().split("\n"));
    expect(new Set(nonces).size).to.equal(2 * REQUESTS);
  });
});
