import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { once } from "node:events";
import { join } from "node:path";
import { connect, type TLSSocket } from "node:tls";
import { expect } from "chai";
import { afterEach, describe, it } from "mocha";
import { type Running, startHauberk } from "../support/hauberk-process.ts";
import { tempDirectory } from "../support/temp-directory.ts";

describe("hauberk serve", () => {
  const folder = tempDirectory();
  mkdirSync(join(folder, "public"));
  writeFileSync(join(folder, "public", "index.html"), "<!doctype html><title>Page</title>");
  const env = { HAUBERK_HOME: join(folder, "home") };
  let running: Running | undefined;

  afterEach(async () => {
    running?.child.kill("SIGKILL");
    await running?.finished;
  });

  async function start(...args: string[]): Promise<{ port: number; ca: Buffer }> {
    const ports = ["--port", "0", "--http-port", "0"];
    running = startHauberk(["serve", "public", ...ports, ...args], { cwd: folder, env });
    const [, port] = await running.waitFor(/https:\/\/\S*:(\d+)\/\n[^]*Ctrl\+C/);
    return { port: Number(port), ca: readFileSync(join(folder, "home", "authority", "ca.pem")) };
  }

  async function stop(): Promise<string> {
    running?.child.kill("SIGTERM");
    const finished = await running?.finished;
    expect(finished?.code).to.equal(0);
    return finished?.stdout ?? "";
  }

  async function send(port: number, ca: Buffer, bytes: string): Promise<string> {
    const socket = connect({ host: "localhost", port, ca });
    let answer = "";
    socket.on("data", (chunk: Buffer) => (answer += chunk.toString()));
    socket.write(bytes, "latin1");
    await once(socket, "close");
    return answer;
  }

  const HOSTILE =
    'GET /?a="b" HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n' +
    'User-Agent: x" 200 \\ \t\xe9 127.0.0.1 - -\r\nReferer: https://a.test/\r\n\r\n';

  it("writes a combined log that no request can forge a line of", async () => {
    const { port, ca } = await start("--log", "combined");
    await send(port, ca, HOSTILE);
    await send(port, ca, "nonsense\r\n\r\n");
    const lines = (await stop()).split("\n").filter((line) => line.includes(" - - ["));
    expect(lines.length).to.equal(2);
    expect(lines[0]).to.match(
      /^(?:127\.0\.0\.1|::1) - - \[\d\d\/[A-Z][a-z]{2}\/\d{4}:\d\d:\d\d:\d\d \+0000\] "GET \/\?a=\\x22b\\x22 HTTP\/1\.1" 200 34 "https:\/\/a\.test\/" "x\\x22 200 \\x5C \\x09\\xC3\\xA9 127\.0\.0\.1 - -"$/,
    );
    expect(lines[1]).to.match(/"- - HTTP\/1\.1" 400 \d+ "-" "-"$/);
  });

  it("writes a JSON log with nothing else on standard output", async () => {
    const { port, ca } = await start("--log", "json");
    await send(port, ca, HOSTILE);
    const [line = "", ...rest] = (await stop()).trimEnd().split("\n");
    expect(rest).to.deep.equal([]);
    const record = JSON.parse(line) as Record<string, unknown>;
    expect(record).to.include({ method: "GET", status: 200, bytes: 34, protocol: "HTTP/1.1" });
    expect(record["userAgent"]).to.equal('x" 200 \\ \t\xe9 127.0.0.1 - -');
    expect(record["durationMs"]).to.be.within(0, 5000);
  });

  it("sends no HSTS with a development certificate, and does with one of your own", async () => {
    const request = "GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    const first = await start();
    expect(await send(first.port, first.ca, request)).to.not.match(/strict-transport-security/i);
    await stop();
    const second = await start(...ownPair(folder, "own"));
    expect(await send(second.port, second.ca, request)).to.match(
      /strict-transport-security: max-age=63072000/i,
    );
    await stop();
  });

  it("swaps in a renewed certificate while a connection lives on", async () => {
    const names = "localhost+2";
    const pair = ownPair(folder, "watched");
    const { port, ca } = await start(...pair);
    const before = await openConnection(port, ca);
    const renewal = startHauberk(["cert", "--force"], { cwd: folder, env });
    await renewal.finished;
    copyFileSync(join(folder, "certs-dev", `${names}.pem`), join(folder, "watched.pem"));
    await running?.waitFor(/certificate replaced/);
    const after = await openConnection(port, ca);
    expect(after.getPeerX509Certificate()?.serialNumber).to.not.equal(
      before.getPeerX509Certificate()?.serialNumber,
    );
    before.write("GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    const [answer] = (await once(before, "data")) as [Buffer];
    expect(answer.toString()).to.match(/^HTTP\/1\.1 200 /);
    after.destroy();
    before.destroy();
    await stop();
  });

  it("renews its development certificate while a connection lives on", async () => {
    const { port, ca } = await start("--log", "off");
    const before = await openConnection(port, ca);
    await startHauberk(["cert", "--force"], { cwd: folder, env }).finished;
    await running?.waitFor(/^Renewed certs-dev\/localhost\+2\.pem until /m);
    const after = await openConnection(port, ca);
    expect(after.getPeerX509Certificate()?.serialNumber).to.not.equal(
      before.getPeerX509Certificate()?.serialNumber,
    );
    before.write("GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    const [answer] = (await once(before, "data")) as [Buffer];
    expect(answer.toString()).to.match(/^HTTP\/1\.1 200 /);
    after.destroy();
    before.destroy();
    expect(await stop()).to.not.include("Renewed");
  });

  it("says which port is in use, and ends with 1", async () => {
    const { port } = await start();
    const second = startHauberk(["serve", "public", "--port", String(port)], { cwd: folder, env });
    const { code, stderr } = await second.finished;
    expect(code).to.equal(1);
    expect(stderr).to.include(`port ${port}: the port is in use`);
    await stop();
  });
});

/** Copies the development pair under a name of its own and returns the options that serve it. */
function ownPair(folder: string, name: string): string[] {
  const [cert, key] = [join(folder, `${name}.pem`), join(folder, `${name}-key.pem`)];
  copyFileSync(join(folder, "certs-dev", "localhost+2.pem"), cert);
  copyFileSync(join(folder, "certs-dev", "localhost+2-key.pem"), key);
  return ["--cert", cert, "--key", key, "--host", "localhost"];
}

async function openConnection(port: number, ca: Buffer): Promise<TLSSocket> {
  const socket = connect({ host: "localhost", port, ca });
  await once(socket, "secureConnect");
  return socket;
}
