// A server of plain node:https that renews its certificate: node build/examples/node-https.js [port]
import { createServer } from "node:https";
import { keepDevCertificate } from "@hauberk/cert";

const [port = "8443"] = process.argv.slice(2);

const certificates = await keepDevCertificate(["localhost", "127.0.0.1", "::1"]);
const { key, cert, caFile } = certificates.certificateFor();

const server = createServer({ key, cert }, (_request, response) => response.end("hello\n"));
certificates.onChange(() => {
  const renewed = certificates.certificateFor();
  server.setSecureContext({ key: renewed.key, cert: renewed.cert });
});

server.listen(Number(port), "localhost", () => {
  const address = server.address();
  const bound = typeof address === "object" && address !== null ? address.port : port;
  process.stdout.write(`Try: curl --cacert "${caFile}" https://localhost:${bound}/\n`);
});

for (const signal of ["SIGINT", "SIGTERM"] as const) {
  process.once(signal, () => {
    certificates.close();
    server.close();
  });
}
