import { readTrustAnchor, trustStores } from "@hauberk/cert/trust-store";
import { AUTHORITY_OPTIONS, authorityLocation } from "./authority-options.ts";
import { noPositionals, parseCommand } from "./command.ts";
import { chosenStores, STORE_OPTIONS } from "./trust-options.ts";
import { describeChange } from "./trust-report.ts";

const WORDS = { changed: "no longer trusted", unchanged: "was not trusted" };

/** `hauberk ca uninstall`: takes the CA out of the trust stores; its files stay. */
export async function caUninstall(args: readonly string[]): Promise<void> {
  const options = { ...AUTHORITY_OPTIONS, ...STORE_OPTIONS, sudo: { type: "boolean" } } as const;
  const { values, positionals } = parseCommand(args, options);
  noPositionals("ca uninstall", positionals);
  const stores = await trustStores({
    names: chosenStores(values.store),
    sudo: values.sudo === true,
  });
  const ca = await readTrustAnchor(authorityLocation(values));
  process.stdout.write(`CA: ${ca.certificateFile}\n`);
  let failures = 0;
  for (const store of stores) {
    const change = await store.uninstall(ca);
    if (change.outcome === "failed") failures += 1;
    process.stdout.write(describeChange(store, change, WORDS));
  }
  if (failures > 0) {
    throw new Error(`${failures} of ${stores.length} trust stores may still trust the CA`);
  }
}
