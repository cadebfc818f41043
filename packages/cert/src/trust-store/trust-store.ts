import type { Command, CommandResult, Machine } from "./machine.ts";
import type { TrustAnchor } from "./trust-anchor.ts";

/**
 * What a user chooses stores by: the list of the system, the databases of Firefox and Chromium,
 * the keystores of Java, and under WSL the list of Windows.
 */
export type TrustStoreName = "system" | "nss" | "java" | "windows";

/** Why something cannot be done, and how to get on. */
export interface Obstacle {
  /** A clause without a full stop, such as "certutil is not installed". */
  readonly reason: string;
  /** What the user can run, in this order; may be empty. */
  readonly commands: readonly Command[];
}

/** Whether a store trusts a CA. "absent" means that there is no such store on this computer. */
export type TrustStatus =
  | { readonly state: "trusted" | "untrusted" | "absent" }
  | { readonly state: "unknown"; readonly obstacle: Obstacle };

/** What came of `install` or `uninstall`. */
export type TrustChange =
  | { readonly outcome: "changed"; readonly commands: readonly Command[] }
  | { readonly outcome: "unchanged" | "absent" }
  | { readonly outcome: "failed"; readonly obstacle: Obstacle };

/** One list of trusted CAs. Its methods do not reject: what goes wrong is in the value. */
export interface TrustStore {
  readonly name: TrustStoreName;
  /** For people, such as "Firefox profile k3x9.default (snap)". */
  readonly title: string;
  /** A file, a folder or what else tells it from others of its name; may be empty. */
  readonly location: string;
  status(ca: TrustAnchor): Promise<TrustStatus>;
  /** Makes the store trust the CA; "changed" only when it does afterwards. */
  install(ca: TrustAnchor): Promise<TrustChange>;
  /** Takes the CA with this fingerprint out of the store, and no other of the same name. */
  uninstall(ca: TrustAnchor): Promise<TrustChange>;
}

const SUDO = "sudo";

/** A command that changes a store. */
export interface Step extends Command {
  readonly needsRoot?: boolean;
  /** An environment variable that it reads, which sudo would clear. */
  readonly secretVariable?: string | undefined;
}

/** The part of a store that differs from one to the next. */
export interface Mechanism extends Pick<TrustStore, "name" | "title" | "location" | "status"> {
  /** What makes the store trust the CA. */
  installation(ca: TrustAnchor): Promise<readonly Step[]>;
  /** What takes it out; empty when nothing of it is there. */
  removal(ca: TrustAnchor): Promise<readonly Step[]>;
  /** Returns a better reason for a failed command than its last words. */
  explain?(result: CommandResult): string | undefined;
}

/** What may be done for a store. */
export interface Permission {
  readonly machine: Machine;
  /** Whether commands that need root may go through sudo. */
  readonly sudo: boolean;
}

/**
 * Makes a store of a mechanism: idempotent, judged by what the store says afterwards rather than by
 * exit codes (`certutil -delstore` of Windows and `security` of macOS end with 0 when they did
 * nothing), and without half an installation left behind.
 */
export function trustStore(mechanism: Mechanism, permission: Permission): TrustStore {
  const { name, title, location } = mechanism;
  return {
    name,
    title,
    location,
    status: (ca) => mechanism.status(ca),
    install: (ca) => install(mechanism, permission, ca),
    uninstall: (ca) => uninstall(mechanism, permission, ca),
  };
}

async function install(
  mechanism: Mechanism,
  permission: Permission,
  ca: TrustAnchor,
): Promise<TrustChange> {
  const before = await mechanism.status(ca);
  if (before.state === "trusted") return { outcome: "unchanged" };
  if (before.state === "absent") return { outcome: "absent" };
  if (before.state === "unknown") return { outcome: "failed", obstacle: before.obstacle };
  const isFresh = (await mechanism.removal(ca)).length === 0;
  const { commands, obstacle } = await perform(mechanism, permission, mechanism.installation(ca));
  const after = await mechanism.status(ca);
  if (after.state === "trusted") return { outcome: "changed", commands };
  if (isFresh) await perform(mechanism, permission, mechanism.removal(ca));
  return { outcome: "failed", obstacle: obstacle ?? ineffective(after, commands, "not trusted") };
}

async function uninstall(
  mechanism: Mechanism,
  permission: Permission,
  ca: TrustAnchor,
): Promise<TrustChange> {
  const before = await mechanism.status(ca);
  if (before.state === "absent") return { outcome: "absent" };
  if (before.state === "unknown") return { outcome: "failed", obstacle: before.obstacle };
  const { commands, obstacle } = await perform(mechanism, permission, mechanism.removal(ca));
  const after = await mechanism.status(ca);
  const isGone = after.state === "untrusted" && (await mechanism.removal(ca)).length === 0;
  if (isGone)
    return commands.length === 0 ? { outcome: "unchanged" } : { outcome: "changed", commands };
  return { outcome: "failed", obstacle: obstacle ?? ineffective(after, commands, "trusted") };
}

function ineffective(after: TrustStatus, commands: readonly Command[], state: string): Obstacle {
  if (after.state === "unknown") return after.obstacle;
  return { reason: `the CA is still ${state}, although no command failed`, commands };
}

interface Performance {
  readonly commands: readonly Command[];
  /** What is in the way, if anything is; its commands are those that were not done. */
  readonly obstacle: Obstacle | undefined;
}

/** Runs the steps until one fails. */
async function perform(
  mechanism: Mechanism,
  { machine, sudo }: Permission,
  steps: Promise<readonly Step[]>,
): Promise<Performance> {
  const commands = (await steps).map((step) => elevated(machine, step));
  if (!sudo && commands.some(({ program }) => program === SUDO)) {
    return { commands, obstacle: { reason: "it needs the rights of root", commands } };
  }
  for (const [index, command] of commands.entries()) {
    const result = await machine.run(command);
    if (result.code === 0) continue;
    const reason = mechanism.explain?.(result) ?? `${command.program} failed: ${lastWords(result)}`;
    return { commands, obstacle: { reason, commands: commands.slice(index) } };
  }
  return { commands, obstacle: undefined };
}

function elevated(machine: Machine, step: Step): Command {
  const { program, args, needsRoot, secretVariable } = step;
  const isEnough = machine.isRoot || machine.platform === "win32";
  if (needsRoot !== true || isEnough) return { program, args };
  const env = secretVariable === undefined ? [] : [`--preserve-env=${secretVariable}`];
  return { program: SUDO, args: [...env, program, ...args] };
}

/** Returns the last line that a command wrote, else its exit code. */
export function lastWords({ code, stdout, stderr }: CommandResult): string {
  const lines = `${stdout}\n${stderr}`.split("\n").map((line) => line.trim());
  return lines.findLast((line) => line !== "") ?? `exit code ${code}`;
}
