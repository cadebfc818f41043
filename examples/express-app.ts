// An Express application over HTTPS and HTTP/2: node build/examples/express-app.js [port] [httpPort]
import { devCertificate } from "@hauberk/cert";
import { cspNonce, securityHeaders } from "@hauberk/headers";
import { rateLimit } from "@hauberk/rate-limit";
import { createServer } from "@hauberk/server";
import express from "express";

const [port = "8443", httpPort = "8080"] = process.argv.slice(2);

// A browser that remembers HSTS for localhost refuses every plain HTTP server there.
const headers = { preset: "strict", strictTransportSecurity: false } as const;

const app = express();
app.use(securityHeaders(headers));
app.use(rateLimit({ windowMs: 60_000, limit: 100 }));
app.use(express.json({ limit: "10kb" }));

app.get("/", (_request, response) => {
  const nonce = cspNonce(response);
  response.send(`<!doctype html><title>Hello</title><script nonce="${nonce}">/* admitted */</script>
    <p>Only the script that carries the nonce of this response runs.</p>`);
});

app.post("/echo", (request, response) => {
  response.json(request.body);
});

const { key, cert, caFile } = await devCertificate(["localhost", "127.0.0.1", "::1"]);
const server = createServer({
  app,
  headers,
  certificate: { key, cert },
  port: Number(port),
  httpPort: Number(httpPort),
});
const { https } = await server.listen();
process.stdout.write(`${https}\nTry: curl --cacert "${caFile}" ${https}\n`);

process.once("SIGINT", () => void server.close());
process.once("SIGTERM", () => void server.close());
