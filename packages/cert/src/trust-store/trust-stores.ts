import { booleanOption, checkOptionKeys } from "../options.ts";
import { quote } from "../quote.ts";
import { findJavaKeystores, javaStore } from "./java-store.ts";
import { linuxSystemStore } from "./linux-system-store.ts";
import { localMachine, type Machine } from "./machine.ts";
import { macosKeychain } from "./macos-keychain.ts";
import { findNssDatabases } from "./nss-databases.ts";
import { nssStore } from "./nss-store.ts";
import { trustStore, type Mechanism, type TrustStore, type TrustStoreName } from "./trust-store.ts";
import { isWsl, windowsRootStore, wslRootStore } from "./windows-root-store.ts";

/** Every name that `trustStores` takes, in the order in which stores are changed. */
export const TRUST_STORE_NAMES: readonly TrustStoreName[] = ["system", "windows", "nss", "java"];

/** Options of `trustStores`. */
export interface TrustStoresOptions {
  /**
   * Which stores; for "nss" also a database for Chromium that would have to be made.
   *
   * @default all that are there
   */
  readonly names?: readonly TrustStoreName[] | undefined;
  /**
   * Whether to run commands that need root through sudo, which may ask for a password in the terminal.
   *
   * @default false (the commands are in the failure, for the user to run)
   */
  readonly sudo?: boolean | undefined;
  /**
   * The computer.
   *
   * @default localMachine()
   */
  readonly machine?: Machine | undefined;
}

const OPTION_KEYS = {
  names: true,
  sudo: true,
  machine: true,
} satisfies Record<keyof TrustStoresOptions, true>;

/**
 * Finds the trust stores of this user and computer. One that is asked for by name and not there is
 * in the list too, as "absent".
 *
 * @throws {TypeError} If an option is unknown or malformed
 */
export async function trustStores(
  options: TrustStoresOptions = {},
): Promise<readonly TrustStore[]> {
  checkOptionKeys("trustStores", options, OPTION_KEYS);
  const sudo = booleanOption("sudo", options.sudo);
  const machine = options.machine ?? localMachine();
  const names = namesOption(options.names);
  const mechanisms: Mechanism[] = [];
  for (const name of TRUST_STORE_NAMES.filter((one) => names?.includes(one) ?? true)) {
    const found = await FINDERS[name](machine, names !== undefined);
    const isListed = found.length === 0 && (names !== undefined || name !== "windows");
    mechanisms.push(...(isListed ? [absent(name)] : found));
  }
  return mechanisms.map((mechanism) => trustStore(mechanism, { machine, sudo }));
}

function namesOption(
  names: readonly TrustStoreName[] | undefined,
): readonly TrustStoreName[] | undefined {
  const unknown = names?.find((name) => !TRUST_STORE_NAMES.includes(name));
  if (unknown === undefined) return names;
  throw new TypeError(`names may hold ${TRUST_STORE_NAMES.join(", ")}; got ${quote(unknown)}`);
}

type Finder = (machine: Machine, isWanted: boolean) => Promise<readonly Mechanism[]>;

const FINDERS: Readonly<Record<TrustStoreName, Finder>> = {
  system: async (machine) => {
    if (machine.platform === "darwin") return [macosKeychain(machine)];
    if (machine.platform === "win32") return [windowsRootStore(machine)];
    const store = await linuxSystemStore(machine);
    return store === undefined ? [] : [store];
  },
  windows: async (machine) => ((await isWsl(machine)) ? [await wslRootStore(machine)] : []),
  nss: async (machine, isWanted) =>
    (await findNssDatabases(machine, isWanted)).map((database) => nssStore(machine, database)),
  java: async (machine) =>
    (await findJavaKeystores(machine)).map((keystore) => javaStore(machine, keystore)),
};

const ABSENT_TITLES: Readonly<Record<TrustStoreName, string>> = {
  system: "system store",
  windows: "Windows root store",
  nss: "Firefox and Chromium",
  java: "Java",
};

function absent(name: TrustStoreName): Mechanism {
  return {
    name,
    title: ABSENT_TITLES[name],
    location: "",
    status: async () => ({ state: "absent" }),
    installation: async () => [],
    removal: async () => [],
  };
}
