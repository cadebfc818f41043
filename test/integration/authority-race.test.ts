import { execFile } from "node:child_process";
import { X509Certificate, createPrivateKey } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import type { DevCertificate } from "@hauberk/cert";
import { expect } from "chai";
import { describe, it } from "mocha";
import { IS_THOROUGH } from "../support/external.ts";
import { tempDirectory } from "../support/temp-directory.ts";

const PROCESSES = 8;
/** A round takes two thirds of a second on two cores. */
const ROUNDS = IS_THOROUGH ? 50 : 3;

const PROGRAM = `
  import { devCertificate } from ${JSON.stringify(import.meta.resolve("@hauberk/cert"))};
  const [home, directory, ...names] = process.argv.slice(1);
  const made = await devCertificate(names, { authorityDirectory: home, directory });
  process.stdout.write(JSON.stringify(made));
`;

const run = promisify(execFile);

describe(`${PROCESSES} processes that need a CA at once`, () => {
  const root = tempDirectory();

  it(`end with one CA and leaves that it signed, in ${ROUNDS} rounds`, async function () {
    this.timeout(ROUNDS * 10_000);
    for (let round = 0; round < ROUNDS; round += 1) {
      const home = join(root, `home-${round}`);
      const directory = join(root, `certs-${round}`);
      const made = await startAll(home, directory);

      const authority = new X509Certificate(readFileSync(join(home, "authority", "ca.pem")));
      const key = createPrivateKey(readFileSync(join(home, "authority", "ca-key.pem")));
      expect(authority.checkPrivateKey(key)).to.equal(true);
      expect(made.filter(({ authorityCreated }) => authorityCreated)).to.have.lengthOf(1);
      for (const one of made) expectGoodPair(one, authority);
      expect(readdirSync(home)).to.deep.equal(["authority"]);
      expect(
        readdirSync(directory).filter((name) => !/^app\d?\.test(-key)?\.pem$/.test(name)),
      ).to.deep.equal([]);
    }
  });
});

/** Half of the processes want the same certificate, each of the others one of its own. */
async function startAll(home: string, directory: string): Promise<DevCertificate[]> {
  return Promise.all(
    Array.from({ length: PROCESSES }, async (_, index) => {
      const name = index % 2 === 0 ? "app.test" : `app${index}.test`;
      const args = ["--input-type=module", "--eval", PROGRAM, home, directory, name];
      const { stdout } = await run(process.execPath, args);
      return JSON.parse(stdout) as DevCertificate;
    }),
  );
}

function expectGoodPair(made: DevCertificate, authority: X509Certificate): void {
  const onDisk = new X509Certificate(readFileSync(made.certFile));
  const key = createPrivateKey(readFileSync(made.keyFile));
  for (const certificate of [new X509Certificate(made.cert), onDisk]) {
    expect(certificate.verify(authority.publicKey)).to.equal(true);
    expect(certificate.checkPrivateKey(key)).to.equal(true);
  }
  expect(new X509Certificate(made.ca).fingerprint256).to.equal(authority.fingerprint256);
}
