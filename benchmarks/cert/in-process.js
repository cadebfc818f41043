// @ts-check
import "reflect-metadata";
import { webcrypto } from "node:crypto";
import * as x509 from "@peculiar/x509";
import selfsigned from "selfsigned";
import { createAuthority, issueCertificate } from "../../packages/cert/dist/index.js";
import { median, percentile, ratioTable } from "../ratios.js";

/** A P-256 key and its certificate for localhost, in one process; milliseconds a pair. */
const ROUNDS = 300;
const WARM_UP = 50;

const authority = await createAuthority();
x509.cryptoProvider.set(webcrypto);
const algorithm = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" };

const cases = {
  "@hauberk/cert": () => issueCertificate(authority, { names: ["localhost"] }),
  "@peculiar/x509": async () => {
    const keys = await webcrypto.subtle.generateKey(algorithm, true, ["sign", "verify"]);
    await x509.X509CertificateGenerator.createSelfSigned({
      name: "CN=localhost",
      keys,
      signingAlgorithm: algorithm,
      extensions: [new x509.SubjectAlternativeNameExtension([{ type: "dns", value: "localhost" }])],
    });
  },
  selfsigned: () =>
    selfsigned.generate([{ name: "commonName", value: "localhost" }], {
      keyType: "ec",
      algorithm: "sha256",
    }),
};

/** @type {Record<string, number[]>} */
const times = Object.fromEntries(Object.keys(cases).map((name) => [name, []]));
for (let round = -WARM_UP; round < ROUNDS; round++) {
  for (const [name, run] of Object.entries(cases)) {
    const start = performance.now();
    await run();
    if (round >= 0) times[name]?.push(performance.now() - start);
  }
}
console.log(`P-256 key and certificate in process, ms (Node ${process.versions.node})\n`);
console.log(ratioTable(times, "@hauberk/cert", { median, p95: (list) => percentile(list, 95) }));
