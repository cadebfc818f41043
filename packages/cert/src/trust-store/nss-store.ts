import { createHash, type X509Certificate } from "node:crypto";
import { join } from "node:path";
import { readX509 } from "../inspect.ts";
import { keyBits } from "../key-identifier.ts";
import { findProgram, type CommandResult, type Machine } from "./machine.ts";
import type { NssDatabase } from "./nss-databases.ts";
import { packageInstallation } from "./package-manager.ts";
import { anchorLabel, type TrustAnchor } from "./trust-anchor.ts";
import { lastWords, type Mechanism, type Step, type TrustStatus } from "./trust-store.ts";

/** Trusted to issue certificates of web sites, and nothing else. */
const TRUST_FLAGS = "C,,";

/** Returns one database of Firefox or Chromium, changed by the certutil of NSS. */
export function nssStore(machine: Machine, database: NssDatabase): Mechanism {
  const { directory, title } = database;
  const location = ["-d", `sql:${directory}`];

  const certutil = async (...args: readonly string[]): Promise<CommandResult> => {
    const program = (await findCertutil(machine)) ?? "certutil";
    return machine.run({ program, args: [...args, ...location] });
  };
  const change = async (args: readonly string[]): Promise<Step> => {
    const program = (await findCertutil(machine)) ?? "certutil";
    const needsRoot = !database.isMissing && !(await isWritable(machine, directory));
    return { program, args: [...args, ...location], needsRoot };
  };
  const exists = (): Promise<boolean> => machine.exists(join(directory, "cert9.db"));
  return {
    name: "nss",
    title,
    location: directory,
    async status(ca) {
      if ((await findCertutil(machine)) === undefined) return certutilMissing(machine);
      if (!(await exists())) return { state: "untrusted" };
      return toStatus(await certutil("-L", "-n", certificateUri(ca)), ca);
    },
    async installation(ca) {
      const args = ["-A", "-n", anchorLabel(ca), "-t", TRUST_FLAGS, "-i", ca.certificateFile];
      const addition = await change(args);
      if (await exists()) return [addition];
      return [
        { program: "mkdir", args: ["-p", "-m", "0700", directory] },
        await change(["-N", "--empty-password"]),
        addition,
      ];
    },
    async removal(ca) {
      if (!(await exists())) return [];
      const uri = certificateUri(ca);
      const { stdout } = await certutil("-L", "-n", uri);
      if (blockOf(stdout, ca) === undefined) return [];
      const label = anchorLabel(ca);
      const nicknames = (await certutil("-L")).stdout.split("\n");
      // A CA that was made anew with its old key has the same URI; the label has the fingerprint.
      const isLabelled = nicknames.some((line) => line.startsWith(`${label} `));
      return [await change(["-D", "-n", isLabelled ? label : uri])];
    },
    explain(result) {
      const words = lastWords(result);
      if (/SEC_ERROR_BAD_PASSWORD|SEC_ERROR_TOKEN_NOT_LOGGED_IN/.test(words)) {
        return "the database has a password, which certutil asks for in a terminal";
      }
      if (words.includes("SEC_ERROR_READ_ONLY")) return "the database is read-only for this user";
      return undefined;
    },
  };
}

async function findCertutil(machine: Machine): Promise<string | undefined> {
  const onPath = await findProgram(machine, "certutil");
  if (onPath !== undefined || machine.platform !== "darwin") return onPath;
  for (const prefix of ["/opt/homebrew", "/usr/local"]) {
    const program = `${prefix}/opt/nss/bin/certutil`;
    if (await machine.exists(program)) return program;
  }
  return undefined;
}

async function certutilMissing(machine: Machine): Promise<TrustStatus> {
  const commands = await packageInstallation(machine, {
    "apt-get": "libnss3-tools",
    dnf: "nss-tools",
    pacman: "nss",
    zypper: "mozilla-nss-tools",
    apk: "nss-tools",
    brew: "nss",
  });
  return { state: "unknown", obstacle: { reason: "certutil of NSS is not installed", commands } };
}

/** Both are written to: SQLite puts a journal beside the database. */
async function isWritable(machine: Machine, directory: string): Promise<boolean> {
  const paths = [directory, join(directory, "cert9.db")];
  const answers = await Promise.all(paths.map((path) => machine.isWritable(path)));
  return answers.every(Boolean);
}

/**
 * Names a certificate by its key, as NSS numbers them. A nickname would not do: any number of
 * certificates may share one, and `certutil -D` then takes whichever comes first.
 *
 * @see RFC 7512 section 2.3
 */
function certificateUri(ca: TrustAnchor): string {
  const id = createHash("sha1")
    .update(keyValue(readX509(ca.certificate)))
    .digest("hex");
  return `pkcs11:type=cert;id=${id.replaceAll(/../g, "%$&")}`;
}

/** NSS hashes the modulus of an RSA key, the point of any other. */
function keyValue({ publicKey }: X509Certificate): Buffer {
  if (publicKey.asymmetricKeyType !== "rsa") return keyBits(publicKey);
  return Buffer.from(publicKey.export({ format: "jwk" }).n ?? "", "base64url");
}

function toStatus(result: CommandResult, ca: TrustAnchor): TrustStatus {
  const isUnanswered = result.code !== 0 && !/could not find/i.test(result.stderr);
  if (isUnanswered) {
    const reason = `certutil cannot read the database: ${lastWords(result)}`;
    return { state: "unknown", obstacle: { reason, commands: [] } };
  }
  const flags = /^ *SSL Flags:\n(.*?)^ *Email Flags:/ms.exec(blockOf(result.stdout, ca) ?? "")?.[1];
  return { state: /^ *Trusted CA$/m.test(flags ?? "") ? "trusted" : "untrusted" };
}

/** `certutil -L` prints every certificate with the subject of the one asked for. */
function blockOf(listing: string, ca: TrustAnchor): string | undefined {
  const { fingerprint256 } = readX509(ca.certificate);
  return listing.split(/^Certificate:$/m).find((block) => block.includes(fingerprint256));
}
