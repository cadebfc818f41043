import { connect as connectHttp2 } from "node:http2";
import { get } from "node:https";
import { once } from "node:events";
import { expect } from "chai";
import { describe, it } from "mocha";
import { forkServer, type ServerEndpoint } from "../support/forked-server.ts";

async function getHttp1({ port, ca }: ServerEndpoint, path: string, agent: string): Promise<void> {
  const headers = { "user-agent": agent };
  const request = get({ host: "127.0.0.1", port, ca, path, headers, agent: false });
  request.on("response", (response) => response.resume());
  await once(request, "close");
}

async function getHttp2({ port, ca }: ServerEndpoint, path: string, agent: string): Promise<void> {
  const session = connectHttp2(`https://127.0.0.1:${port}`, { ca });
  const stream = session.request({ ":path": path, "user-agent": agent });
  await once(stream.resume(), "close");
  session.destroy();
}

describe("the access log", () => {
  it("has the target as the client sent it, and the length, for mounted applications too", async () => {
    const server = await forkServer({ log: "json" });
    await getHttp1(server, "/mounted/a?b", "one");
    await getHttp2(server, "/mounted/a?b", "two");
    await server.close();
    const records = server.log
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as object);
    const common = {
      method: "GET",
      target: "/mounted/a?b",
      status: 200,
      bytes: 4,
      isAborted: false,
    };
    expect(records[0]).to.include({ ...common, protocol: "HTTP/1.1", userAgent: "one" });
    expect(records[1]).to.include({ ...common, protocol: "HTTP/2.0", userAgent: "two" });
  });
});
