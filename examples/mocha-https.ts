// A test of an HTTPS server with a certificate that is verified: npx mocha build/examples/mocha-https.js
import { equal } from "node:assert/strict";
import { once } from "node:events";
import type { IncomingMessage } from "node:http";
import { createServer, get, type Server } from "node:https";
import { text } from "node:stream/consumers";
import { devCertificate } from "@hauberk/cert";
import { after, before, describe, it } from "mocha";

describe("the server", () => {
  let server: Server;
  let ca: string;

  before(async () => {
    const certificate = await devCertificate(["localhost"]);
    ({ ca } = certificate);
    server = createServer(certificate, (_request, response) => response.end("hello"));
    await once(server.listen(0, "localhost"), "listening");
  });

  after(() => {
    server.close();
  });

  it("says hello", async () => {
    const address = server.address();
    const port = typeof address === "object" ? address?.port : undefined;
    const response = await new Promise<IncomingMessage>((resolve, reject) => {
      get({ host: "localhost", port, ca, agent: false }, resolve).on("error", reject);
    });
    equal(response.statusCode, 200);
    equal(await text(response), "hello");
  });
});
