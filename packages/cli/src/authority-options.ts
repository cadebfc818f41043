import type { Passphrase, PermittedNames } from "@hauberk/cert";
import type { parseCommand } from "./command.ts";
import { misuse } from "./misuse.ts";
import { passphrase } from "./passphrase.ts";

/** Which CA a command works with; every command that needs one takes these. */
export const AUTHORITY_OPTIONS = {
  ca: { type: "string" },
  "ca-dir": { type: "string" },
  "passphrase-env": { type: "string" },
} as const;

/** What a CA that is made may sign. */
export const CONSTRAINT_OPTIONS = {
  permit: { type: "string", multiple: true },
  unconstrained: { type: "boolean" },
} as const;

type AuthorityValues = ReturnType<typeof parseCommand<typeof AUTHORITY_OPTIONS>>["values"];
type ConstraintValues = ReturnType<typeof parseCommand<typeof CONSTRAINT_OPTIONS>>["values"];

/** Where a CA is, as the functions of `@hauberk/cert` take it. */
export interface AuthorityLocation {
  readonly directory?: string;
  readonly name?: string;
}

/** Returns the folder and the name that `--ca-dir` and `--ca` give. */
export function authorityLocation(values: AuthorityValues): AuthorityLocation {
  return {
    ...(values["ca-dir"] !== undefined && { directory: values["ca-dir"] }),
    ...(values.ca !== undefined && { name: values.ca }),
  };
}

/** Returns the arguments that have a command work with the CA that is there. */
export function locationArguments({ directory, name }: AuthorityLocation): string[] {
  return [
    ...(directory === undefined ? [] : ["--ca-dir", directory]),
    ...(name === undefined ? [] : ["--ca", name]),
  ];
}

/** Returns where the passphrase of the CA comes from; `isNew` has a new one asked for. */
export function authorityPassphrase(values: AuthorityValues, isNew: boolean = false): Passphrase {
  return passphrase(values["passphrase-env"], isNew);
}

/**
 * Returns what `--permit` and `--unconstrained` say a new CA may sign, nothing without them.
 *
 * @throws {MisuseError} Both are given.
 */
export async function nameConstraints({ permit, unconstrained }: ConstraintValues): Promise<{
  readonly nameConstraints?: PermittedNames | false;
}> {
  if (unconstrained === true && permit !== undefined) {
    throw misuse("--permit and --unconstrained exclude each other");
  }
  if (unconstrained === true) return { nameConstraints: false };
  if (permit === undefined) return {};
  const { widenNames } = await import("@hauberk/cert");
  return { nameConstraints: widenNames(permit) };
}

/** Says loudly when a CA that was made may sign more than names for development. */
export async function warnOfNames(location: AuthorityLocation): Promise<void> {
  const { checkAuthority } = await import("@hauberk/cert");
  const { findings } = await checkAuthority(location);
  for (const { fault, problem } of findings) {
    if (fault !== "unconstrained" && fault !== "widened") continue;
    process.stderr.write(`hauberk: WARNING: ${problem}\n`);
  }
}
