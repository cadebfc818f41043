import { X509Certificate } from "node:crypto";
import { readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import {
  DEVELOPMENT_NAMES,
  devCertificate,
  loadAuthority,
  openAuthority,
  rotateAuthority,
  widenNames,
} from "@hauberk/cert";
import { expect } from "chai";
import { beforeEach, describe, it } from "mocha";
import { rejection } from "../support/rejection.ts";
import { tempDirectory } from "../support/temp-directory.ts";

const NOW = new Date("2026-11-22T10:00:00.500Z");
const ASIDE = "authority.20261122T100000Z";

describe("rotateAuthority()", () => {
  const root = tempDirectory();
  let directory: string;
  let round = 0;

  beforeEach(() => {
    round += 1;
    directory = join(root, String(round));
  });

  it("puts a new CA in the place of the old one and keeps the old one loadable", async () => {
    const old = await openAuthority({ directory, now: NOW });
    const rotated = await rotateAuthority({ directory, now: NOW });
    expect(rotated.certificateFile).to.equal(old.certificateFile);
    expect(rotated.fingerprint256).not.to.equal(old.fingerprint256);
    expect(rotated.previousName).to.equal(ASIDE);
    expect(rotated.previousCertificate).to.equal(old.certificate);
    const current = await loadAuthority({ directory, now: NOW });
    expect(current.fingerprint256).to.equal(rotated.fingerprint256);
    const kept = await loadAuthority({ directory, name: ASIDE, now: NOW });
    expect(kept.fingerprint256).to.equal(old.fingerprint256);
    expect(readdirSync(directory).toSorted()).to.deep.equal(["authority", ASIDE]);
  });

  it("makes folders 0700, keys 0600 and plain files", async () => {
    await openAuthority({ directory, now: NOW });
    await rotateAuthority({ directory, now: NOW });
    for (const name of ["authority", ASIDE]) {
      const folder = join(directory, name);
      expect(readdirSync(folder).toSorted()).to.deep.equal(["ca-key.pem", "ca.pem"]);
      const modes = [folder, join(folder, "ca-key.pem"), join(folder, "ca.pem")].map((path) =>
        (statSync(path).mode & 0o777).toString(8),
      );
      expect(modes).to.deep.equal(["700", "600", "644"]);
    }
  });

  it("gives every old CA a name of its own when it is called twice in a second", async () => {
    await openAuthority({ directory, now: NOW });
    await rotateAuthority({ directory, now: NOW });
    const { previousName } = await rotateAuthority({ directory, now: NOW });
    expect(previousName).to.equal("authority.20261122T100001Z");
  });

  it("has devCertificate renew the leaves of the old CA", async () => {
    const options = { authorityDirectory: directory, directory: join(directory, "certs") };
    const before = await devCertificate(["app.test"], options);
    await rotateAuthority({ directory });
    const after = await devCertificate(["app.test"], options);
    expect(after.status).to.equal("renewed");
    expect(after.key).to.equal(before.key);
    const issuer = new X509Certificate(after.ca);
    expect(new X509Certificate(after.cert).verify(issuer.publicKey)).to.equal(true);
  });

  it("lets the new CA sign what the old one could, unless told otherwise", async () => {
    const wide = widenNames(["example.com", "203.0.113.7"]);
    const old = await openAuthority({ directory, nameConstraints: wide });
    const same = await rotateAuthority({ directory });
    expect(same.nameConstraints).to.deep.equal(old.nameConstraints);
    const none = await rotateAuthority({ directory, nameConstraints: false });
    expect(none.nameConstraints).to.equal(undefined);
    expect((await rotateAuthority({ directory })).nameConstraints).to.equal(undefined);
    const narrow = await rotateAuthority({ directory, nameConstraints: DEVELOPMENT_NAMES });
    expect(narrow.nameConstraints?.permitted.dns).to.deep.equal(DEVELOPMENT_NAMES.dns);
  });

  it("makes the kind of key asked for", async () => {
    await openAuthority({ directory, key: "ed25519" });
    expect((await rotateAuthority({ directory, key: "p384" })).key).to.equal("p384");
    expect((await rotateAuthority({ directory })).key).to.equal("p256");
  });

  it("does not take the passphrase off a key unless told to", async () => {
    await openAuthority({ directory, passphrase: "old" });
    const error = await rejection(rotateAuthority({ directory }));
    expect(error.code).to.equal("ERR_CERT_AUTHORITY_PASSPHRASE");
    expect(readdirSync(directory)).to.deep.equal(["authority"]);
    // The old passphrase is not needed: the old key is copied as it is.
    const sealed = await rotateAuthority({ directory, passphrase: "new" });
    expect(sealed.encrypted).to.equal(true);
    await loadAuthority({ directory, passphrase: "new" });
    await loadAuthority({ directory, name: sealed.previousName, passphrase: "old" });
    expect((await rotateAuthority({ directory, passphrase: false })).encrypted).to.equal(false);
  });

  it("replaces what is expired, incomplete or damaged, and keeps the remains", async () => {
    const expired = new Date(NOW.getTime() + 3651 * 86_400_000);
    await openAuthority({ directory, now: NOW });
    expect((await rotateAuthority({ directory, now: expired })).notAfter > expired).to.equal(true);

    const { certificateFile, keyFile } = await loadAuthority({ directory, now: expired });
    const remains = readFileSync(certificateFile, "utf8");
    rmSync(keyFile);
    const { previousName } = await rotateAuthority({ directory });
    expect(readdirSync(join(directory, previousName))).to.deep.equal(["ca.pem"]);
    expect(readFileSync(join(directory, previousName, "ca.pem"), "utf8")).to.equal(remains);

    writeFileSync(certificateFile, "damaged");
    const again = await rotateAuthority({ directory });
    expect(again.previousCertificate).to.equal(undefined);
    expect(readFileSync(join(directory, again.previousName, "ca.pem"), "utf8")).to.equal("damaged");
    expect(again.constrained).to.equal(true);
  });

  it("rotates one of several CAs and leaves the others alone", async () => {
    const first = await openAuthority({ directory });
    await openAuthority({ directory, name: "work" });
    const { previousName } = await rotateAuthority({ directory, name: "work", now: NOW });
    expect(previousName).to.equal("work.20261122T100000Z");
    expect((await loadAuthority({ directory })).fingerprint256).to.equal(first.fingerprint256);
  });

  it("reports that there is none, and refuses one that is put aside", async () => {
    const missing = await rejection(rotateAuthority({ directory }));
    expect(missing.code).to.equal("ERR_CERT_AUTHORITY_MISSING");
    const aside = await rejection(rotateAuthority({ directory, name: ASIDE }));
    expect(aside).to.be.instanceOf(TypeError);
    expect(aside.message).to.include("name must be that of a CA in use");
    const unknown = await rejection(rotateAuthority({ directory, dayz: 1 } as never));
    expect(unknown.message).to.equal('rotateAuthority: unknown option "dayz"');
  });
});
