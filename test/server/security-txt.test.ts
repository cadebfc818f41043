import { createServer, type ServerEvent } from "@hauberk/server";
import { expect } from "chai";
import { after, before, describe, it } from "mocha";
import { fetchFrom, PROTOCOLS } from "../support/http-client.ts";
import { type RunningServer, runServer } from "../support/running-server.ts";
import { tempDirectory } from "../support/temp-directory.ts";
import { testAuthority } from "../support/test-authority.ts";

const DAY_MS = 86_400_000;
const contact = "mailto:security@a.example";
const inDays = (days: number): Date => new Date(Date.now() + days * DAY_MS);

describe("security.txt of the server", () => {
  const root = tempDirectory();
  let server: RunningServer;
  before(async () => {
    server = await runServer({ root, securityTxt: { contact, expires: inDays(100) } });
  });
  after(() => server.close());

  for (const protocol of PROTOCOLS) {
    it(`is served with the security headers over ${protocol}`, async () => {
      const { status, headers, text } = await fetchFrom(
        server,
        protocol,
        "/.well-known/security.txt",
      );
      expect(status).to.equal(200);
      expect(text).to.match(/^Contact: mailto:security@a\.example\nExpires: \d{4}-/);
      expect(headers["content-type"]).to.equal("text/plain; charset=utf-8");
      expect(headers["x-content-type-options"]).to.equal("nosniff");
    });
  }

  it("leaves other paths to the files", async () => {
    expect((await fetchFrom(server, "HTTP/1.1", "/.well-known/other.txt")).status).to.equal(404);
  });
});

describe("an expired security.txt", () => {
  it("is not served, does not keep the server from starting, and is an event", async () => {
    const events: ServerEvent[] = [];
    const server = await runServer({
      root: tempDirectory(),
      securityTxt: { contact, expires: inDays(-1) },
      onEvent: (event) => events.push(event),
    });
    try {
      const { status } = await fetchFrom(server, "HTTP/1.1", "/.well-known/security.txt");
      expect(status).to.equal(404);
    } finally {
      await server.close();
    }
    expect(events.map(({ kind }) => kind)).to.deep.equal(["security-txt-expired"]);
  });

  it("is announced in its last 30 days", async () => {
    const events: ServerEvent[] = [];
    const server = await runServer({
      root: tempDirectory(),
      securityTxt: { contact, expires: inDays(20) },
      onEvent: (event) => events.push(event),
    });
    await server.close();
    expect(events.map(({ kind }) => kind)).to.deep.equal(["security-txt-expiring"]);
  });
});

describe("the option securityTxt", () => {
  it("names itself in the complaint about a field", () => {
    const certificate = testAuthority().issue({ names: ["localhost"] });
    const securityTxt = { contact: "security@a.example", expires: inDays(9) };
    expect(() => createServer({ certificate, root: ".", securityTxt })).to.throw(
      TypeError,
      /option "securityTxt": contact refuses "security@a.example"/,
    );
  });
});
