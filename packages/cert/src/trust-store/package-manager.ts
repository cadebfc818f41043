import { findProgram, type Command, type Machine } from "./machine.ts";

/** Programs that install packages, and how. */
const MANAGERS = [
  { manager: "apt-get", args: ["install", "--yes"] },
  { manager: "dnf", args: ["install", "--assumeyes"] },
  { manager: "pacman", args: ["--sync", "--noconfirm"] },
  { manager: "zypper", args: ["--non-interactive", "install"] },
  { manager: "apk", args: ["add"] },
  { manager: "brew", args: ["install"] },
] as const;

/** What a package is called, by the program that installs it. */
export type PackageNames = Readonly<Partial<Record<(typeof MANAGERS)[number]["manager"], string>>>;

/** Resolves with the command that installs a package here; none when no known program is there. */
export async function packageInstallation(
  machine: Machine,
  names: PackageNames,
): Promise<readonly Command[]> {
  for (const { manager, args } of MANAGERS) {
    const name = names[manager];
    if (name === undefined || (await findProgram(machine, manager)) === undefined) continue;
    const isEnough = machine.isRoot || manager === "brew";
    if (isEnough) return [{ program: manager, args: [...args, name] }];
    return [{ program: "sudo", args: [manager, ...args, name] }];
  }
  return [];
}
