import { checkAuthority, openAuthority } from "@hauberk/cert";
import {
  AUTHORITY_OPTIONS,
  authorityLocation,
  authorityPassphrase,
  CONSTRAINT_OPTIONS,
  nameConstraints,
  warnOfNames,
} from "./authority-options.ts";
import { trustAdvice } from "./cert-report.ts";
import { choice, noPositionals, parseCommand } from "./command.ts";
import { KEY_KINDS } from "./key-kinds.ts";

/** `hauberk ca create`: makes a CA with options of its own; never replaces one. */
export async function caCreate(args: readonly string[]): Promise<void> {
  const { values, positionals } = parseCommand(args, {
    ...AUTHORITY_OPTIONS,
    ...CONSTRAINT_OPTIONS,
    key: { type: "string" },
    encrypt: { type: "boolean" },
  });
  noPositionals("ca create", positionals);
  const location = authorityLocation(values);
  const { findings, certificateFile } = await checkAuthority(location);
  if (!findings.some(({ fault }) => fault === "missing")) {
    throw new Error(
      `there is a CA already: ${certificateFile}; see hauberk ca show, or name another one with --ca`,
    );
  }
  const authority = await openAuthority({
    ...location,
    ...(values.key !== undefined && { key: choice("--key", values.key, KEY_KINDS) }),
    ...(await nameConstraints(values)),
    passphrase: authorityPassphrase(values, values.encrypt),
  });
  process.stdout.write(
    `Made a development CA: ${authority.certificateFile}\n` +
      `  key    ${authority.key}, ${authority.encrypted ? "encrypted" : "not encrypted"}\n\n` +
      trustAdvice(authority.certificateFile, location),
  );
  await warnOfNames(location);
}
