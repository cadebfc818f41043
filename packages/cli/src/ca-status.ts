import { inspectCertificate } from "@hauberk/cert";
import {
  readTrustAnchor,
  trustStores,
  type TrustStatus,
  type TrustStore,
} from "@hauberk/cert/trust-store";
import { AUTHORITY_OPTIONS, authorityLocation } from "./authority-options.ts";
import { noPositionals, parseCommand } from "./command.ts";
import { chosenStores, STORE_OPTIONS } from "./trust-options.ts";
import { describeStatus, obstacleOf } from "./trust-report.ts";

/** `hauberk ca status`: tells which trust stores trust the CA. */
export async function caStatus(args: readonly string[]): Promise<void> {
  const options = { ...AUTHORITY_OPTIONS, ...STORE_OPTIONS, json: { type: "boolean" } } as const;
  const { values, positionals } = parseCommand(args, options);
  noPositionals("ca status", positionals);
  const stores = await trustStores({ names: chosenStores(values.store) });
  const ca = await readTrustAnchor(authorityLocation(values));
  if (values.json === true) {
    const { subject, fingerprint256, notAfter } = inspectCertificate(ca.certificate);
    const entries: object[] = [];
    for (const store of stores) entries.push(toJson(store, await store.status(ca)));
    const { certificateFile } = ca;
    const report = { certificateFile, subject, fingerprint256, notAfter, stores: entries };
    process.stdout.write(`${JSON.stringify(report, null, 2)}\n`);
    return;
  }
  process.stdout.write(`CA: ${ca.certificateFile}\n`);
  for (const store of stores) process.stdout.write(describeStatus(store, await store.status(ca)));
}

function toJson({ name, title, location }: TrustStore, status: TrustStatus): object {
  const obstacle = obstacleOf(status);
  return { store: name, title, location, state: status.state, ...obstacle };
}
