import { spawnSync } from "node:child_process";
import { createPrivateKey, generateKeyPairSync, type KeyObject } from "node:crypto";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { verifyCertificate } from "@hauberk/cert/inspect";
import {
  authorityExtensions,
  leafExtensions,
  makeChain,
  type ChainRecipe,
  type LinkRecipe,
  type MadeChain,
} from "./certificate-chain.ts";
import { nameConstraints } from "./certificate-maker.ts";

const DAY_MS = 86_400_000;

/** A chain and what `verifyCertificate` should say of it. */
export interface Case {
  readonly title: string;
  readonly chain: () => MadeChain;
  readonly host?: string;
  /** "valid", or the code of ours; openssl must agree on whether it is valid. */
  readonly expected: string;
}

/** Makes a case's chain when it is asked for. */
export function link(recipe: ChainRecipe): () => MadeChain {
  return () => makeChain(recipe);
}

/** Position of each good extension, for `replacing`. */
export const CA = { basic: 0, usage: 1, subjectKey: 2, authorityKey: 3 } as const;
export const LEAF = {
  basic: 0,
  usage: 1,
  purpose: 2,
  names: 3,
  subjectKey: 4,
  authorityKey: 5,
} as const;

/** A CA with these extensions besides those of a good one. */
export function authorityWith(...more: readonly Buffer[]): LinkRecipe {
  return {
    extensions: (key, issuerKey) => [...authorityExtensions(key, issuerKey), ...more],
  };
}

/** A CA under name constraints. */
export function constrained(
  permitted: readonly string[],
  excluded: readonly string[] = [],
): LinkRecipe {
  return authorityWith(nameConstraints(permitted, excluded));
}

export function leafFor(...names: readonly string[]): LinkRecipe {
  return { extensions: (key, issuerKey) => leafExtensions(key, issuerKey, ...names) };
}

/** A leaf or CA without one of the good extensions, by its position, or with another in its place. */
export function replacing(
  base: typeof authorityExtensions | typeof leafExtensions,
  position: number,
  ...replacement: readonly Buffer[]
): LinkRecipe {
  return {
    extensions: (key, issuerKey) => base(key, issuerKey).toSpliced(position, 1, ...replacement),
  };
}

/** Returns a date that many days from now. */
export function daysAhead(days: number): Date {
  return new Date(Date.now() + days * DAY_MS);
}

/** Returns a new RSA private key. */
export function rsa(modulusLength: number): KeyObject {
  const { privateKey } = generateKeyPairSync("rsa", {
    modulusLength,
    privateKeyEncoding: { type: "pkcs8", format: "pem" },
    publicKeyEncoding: { type: "spki", format: "pem" },
  });
  return createPrivateKey(privateKey);
}

/** Returns the verdict of `verifyCertificate`: "valid" or its code, and its reason. */
export async function judge(
  made: MadeChain,
  host: string | undefined,
): Promise<{ code: string; reason: string }> {
  const verdict = await verifyCertificate(made.leaf, {
    authorities: made.root,
    intermediates: made.intermediates,
    host,
  });
  return verdict.kind === "valid" ? { code: "valid", reason: "" } : verdict;
}

/** Returns what `openssl verify -x509_strict -auth_level 2` says: "OK" or its complaint. */
export function opensslVerdict(
  program: string,
  directory: string,
  made: MadeChain,
  host: string | undefined,
): string {
  const write = (name: string, text: string): string => {
    const file = join(directory, name);
    writeFileSync(file, text);
    return file;
  };
  const isAddress = host !== undefined && /^[\d.]+$|:/.test(host);
  const { stdout, stderr } = spawnSync(
    program,
    [
      "verify",
      "-x509_strict",
      "-auth_level",
      "2",
      "-purpose",
      "sslserver",
      "-CAfile",
      write("root.pem", made.root),
      "-no-CApath",
      "-no-CAstore",
      ...(made.intermediates.length > 0
        ? ["-untrusted", write("intermediates.pem", made.intermediates.join(""))]
        : []),
      ...(host === undefined ? [] : [isAddress ? "-verify_ip" : "-verify_hostname", host]),
      write("leaf.pem", made.leaf),
    ],
    { encoding: "utf8" },
  );
  return /: OK$/m.test(stdout) ? "OK" : stderr;
}
