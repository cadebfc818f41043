import { CertError, inspectCertificate, openAuthority } from "@hauberk/cert";
import { readTrustAnchor, trustStores, type TrustAnchor } from "@hauberk/cert/trust-store";
import { AUTHORITY_OPTIONS, authorityLocation, authorityPassphrase } from "./authority-options.ts";
import { noPositionals, parseCommand } from "./command.ts";
import { chosenStores, STORE_OPTIONS } from "./trust-options.ts";
import { describeChange } from "./trust-report.ts";

const WORDS = { changed: "trusted now", unchanged: "trusted already" };

/** `hauberk ca install`: makes the trust stores of this user and computer trust the CA. */
export async function caInstall(args: readonly string[]): Promise<void> {
  const options = { ...AUTHORITY_OPTIONS, ...STORE_OPTIONS, sudo: { type: "boolean" } } as const;
  const { values, positionals } = parseCommand(args, options);
  noPositionals("ca install", positionals);
  const stores = await trustStores({
    names: chosenStores(values.store),
    sudo: values.sudo === true,
  });
  const ca = await findOrMake(values);
  warn(ca);
  process.stdout.write(`CA: ${ca.certificateFile}\n`);
  let failures = 0;
  for (const store of stores) {
    const change = await store.install(ca);
    if (change.outcome === "failed") failures += 1;
    process.stdout.write(describeChange(store, change, WORDS));
  }
  if (failures > 0) {
    throw new Error(
      `${failures} of ${stores.length} trust stores could not be made to trust the CA`,
    );
  }
}

type Values = Parameters<typeof authorityPassphrase>[0];

async function findOrMake(values: Values): Promise<TrustAnchor> {
  const location = authorityLocation(values);
  try {
    return await readTrustAnchor(location);
  } catch (error) {
    if (!(error instanceof CertError) || error.code !== "ERR_CERT_AUTHORITY_MISSING") throw error;
    return openAuthority({ ...location, passphrase: authorityPassphrase(values) });
  }
}

function warn({ certificate }: TrustAnchor): void {
  const { permitted } = inspectCertificate(certificate).nameConstraints ?? {};
  if (permitted === undefined || permitted.dns.length === 0 || permitted.ip.length === 0) {
    process.stderr.write(
      "hauberk: WARNING: this CA may sign for every site: whoever gets its key can impersonate " +
        "any of them to what trusts it\n",
    );
  }
  const { SUDO_USER: user } = process.env;
  if (user !== undefined && process.getuid?.() === 0) {
    process.stderr.write(
      `hauberk: WARNING: under sudo the CA and the browsers of root are meant; for those of ${user} ` +
        "run it without sudo and with --sudo\n",
    );
  }
}
