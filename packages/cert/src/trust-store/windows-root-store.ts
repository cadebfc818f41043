import { win32 } from "node:path";
import { readX509 } from "../inspect.ts";
import { findProgram, type CommandResult, type Machine } from "./machine.ts";
import type { TrustAnchor } from "./trust-anchor.ts";
import { lastWords, type Mechanism } from "./trust-store.ts";

/** The root store of the current user, which needs no administrator. */
const STORE = ["-user"] as const;
/** NTE_NOT_FOUND and CRYPT_E_NOT_FOUND: the words around them follow the language of Windows. */
const NOT_FOUND = /0x80090011|0x80092004/i;

/**
 * Returns the root store of the Windows user, which Edge, Chrome and (since 120) Firefox read.
 * Windows asks in a window before it adds or deletes a root.
 *
 * @see https://learn.microsoft.com/en-us/windows-server/administration/windows-commands/certutil
 */
export function windowsRootStore(machine: Machine): Mechanism {
  const folder = machine.env["SystemRoot"] ?? String.raw`C:\Windows`;
  // Not from the PATH: the certutil there may be that of NSS.
  const program = win32.join(folder, "System32", "certutil.exe");
  return rootStore(machine, { name: "system", program, toWindowsPath: async (path) => path });
}

/** Whether this is a Linux under Windows. */
export async function isWsl(machine: Machine): Promise<boolean> {
  if (machine.platform !== "linux") return false;
  const release = (await machine.readText("/proc/sys/kernel/osrelease")) ?? "";
  return /microsoft/i.test(release);
}

/** Returns the root store of the Windows around a WSL: its browsers do not look into the Linux one. */
export async function wslRootStore(machine: Machine): Promise<Mechanism> {
  const convert = async (option: string, path: string): Promise<string | undefined> => {
    const { code, stdout } = await machine.run({ program: "wslpath", args: [option, path] });
    return code === 0 ? stdout.trim() : undefined;
  };
  const program =
    (await findProgram(machine, "certutil.exe")) ??
    (await convert("-u", String.raw`C:\Windows\System32\certutil.exe`)) ??
    "certutil.exe";
  return rootStore(machine, {
    name: "windows",
    program,
    toWindowsPath: async (path) => (await convert("-w", path)) ?? path,
  });
}

interface Variant {
  readonly name: "system" | "windows";
  readonly program: string;
  readonly toWindowsPath: (path: string) => Promise<string>;
}

function rootStore(machine: Machine, { name, program, toWindowsPath }: Variant): Mechanism {
  const find = (ca: TrustAnchor): Promise<CommandResult> =>
    machine.run({ program, args: [...STORE, "-store", "Root", sha1(ca)] });
  return {
    name,
    title: "Windows root store",
    location: String.raw`Cert:\CurrentUser\Root`,
    async status(ca) {
      const result = await find(ca);
      if (isListed(result, ca)) return { state: "trusted" };
      const output = `${result.stdout}${result.stderr}`;
      if (result.code === 0 || NOT_FOUND.test(output)) return { state: "untrusted" };
      const reason = `certutil.exe cannot read the store: ${lastWords(result)}`;
      return { state: "unknown", obstacle: { reason, commands: [] } };
    },
    async installation(ca) {
      const file = await toWindowsPath(ca.certificateFile);
      return [{ program, args: [...STORE, "-addstore", "Root", file] }];
    },
    async removal(ca) {
      if (!isListed(await find(ca), ca)) return [];
      return [{ program, args: [...STORE, "-delstore", "Root", sha1(ca)] }];
    },
  };
}

/** Older releases print the hash with spaces between its bytes. */
function isListed({ code, stdout }: CommandResult, ca: TrustAnchor): boolean {
  return code === 0 && stdout.replaceAll(/\s/g, "").toLowerCase().includes(sha1(ca));
}

function sha1({ certificate }: TrustAnchor): string {
  return readX509(certificate).fingerprint.replaceAll(":", "").toLowerCase();
}
