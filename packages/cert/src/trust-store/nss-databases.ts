import { basename, dirname, isAbsolute, join } from "node:path";
import { findProgram, type Machine } from "./machine.ts";

/** A folder with a cert9.db. */
export interface NssDatabase {
  readonly title: string;
  readonly directory: string;
  /** Whether it has to be made first. */
  readonly isMissing: boolean;
}

const CHROMIUM_PROGRAMS = [
  "chromium",
  "chromium-browser",
  "google-chrome",
  "google-chrome-stable",
  "brave-browser",
  "microsoft-edge",
  "vivaldi",
  "opera",
] as const;

/** A home folder of its own that a packaged program sees. */
interface Home {
  /** Such as " (snap)". */
  readonly note: string;
  readonly home: string;
  readonly config: string;
  readonly data: string;
}

/**
 * Finds the databases of this user: those that Chromium and its relatives share, and one per profile
 * of Firefox, each also in the homes that snap and flatpak give their programs.
 * With `isWanted` a shared one is named even where no Chromium is found, as in a CI image that
 * brings its own; otherwise only where one is.
 *
 * @see https://chromium.googlesource.com/chromium/src/+/main/docs/linux/cert_management.md
 */
export async function findNssDatabases(
  machine: Machine,
  isWanted: boolean,
): Promise<readonly NssDatabase[]> {
  // On Windows no certutil of NSS is at hand, and Firefox reads the root store since 120.
  if (machine.platform === "win32") return [];
  const homes = await findHomes(machine);
  const isLinux = machine.platform === "linux";
  const found = [
    ...(isLinux ? await sharedDatabases(machine, homes, isWanted) : []),
    ...(await firefoxProfiles(machine, homes)),
  ];
  return withoutAliases(machine, found);
}

async function findHomes(machine: Machine): Promise<readonly Home[]> {
  const { home, env, platform } = machine;
  if (platform === "darwin") return [{ note: "", home, config: home, data: home }];
  const snaps = await machine.list(join(home, "snap"));
  const flatpaks = await machine.list(join(home, ".var", "app"));
  return [
    {
      note: "",
      home,
      config: xdgFolder(env["XDG_CONFIG_HOME"]) ?? join(home, ".config"),
      data: xdgFolder(env["XDG_DATA_HOME"]) ?? join(home, ".local", "share"),
    },
    ...snaps.flatMap((name) =>
      ["current", "common"].map((part) => packagedHome(" (snap)", join(home, "snap", name, part))),
    ),
    ...flatpaks.map((name) => {
      const folder = join(home, ".var", "app", name);
      const note = " (flatpak)";
      return { note, home: folder, config: join(folder, "config"), data: join(folder, "data") };
    }),
  ];
}

function packagedHome(note: string, home: string): Home {
  return { note, home, config: join(home, ".config"), data: join(home, ".local", "share") };
}

function xdgFolder(value: string | undefined): string | undefined {
  return value !== undefined && isAbsolute(value) ? value : undefined;
}

/**
 * Since M146 Chromium makes `pki/nssdb` in the data folder, but uses ~/.pki/nssdb where that is there.
 * So a new one goes to ~/.pki, which every version reads, and never beside one that would be hidden by it.
 */
async function sharedDatabases(
  machine: Machine,
  homes: readonly Home[],
  isWanted: boolean,
): Promise<readonly NssDatabase[]> {
  const candidates = homes.flatMap(({ note, home, data }) =>
    [join(home, ".pki", "nssdb"), join(data, "pki", "nssdb")].map((directory) => ({
      title: `Chromium${note}`,
      directory,
      isMissing: false,
    })),
  );
  const present = await withDatabase(machine, candidates);
  const [standard] = candidates;
  const isOwnPresent = present.some(({ title }) => title === standard?.title);
  if (standard === undefined || isOwnPresent) return present;
  const isNeeded = isWanted || (await hasChromium(machine));
  return isNeeded ? [{ ...standard, isMissing: true }, ...present] : present;
}

async function hasChromium(machine: Machine): Promise<boolean> {
  for (const program of CHROMIUM_PROGRAMS) {
    if ((await findProgram(machine, program)) !== undefined) return true;
  }
  return false;
}

async function firefoxProfiles(
  machine: Machine,
  homes: readonly Home[],
): Promise<readonly NssDatabase[]> {
  const roots =
    machine.platform === "darwin"
      ? [{ note: "", root: join(machine.home, "Library", "Application Support", "Firefox") }]
      : homes.flatMap(({ note, home, config }) => [
          { note, root: join(home, ".mozilla", "firefox") },
          // Where a new profile goes since Firefox 147.
          { note, root: join(config, "mozilla", "firefox") },
          { note, root: join(home, ".librewolf") },
        ]);
  const databases: NssDatabase[] = [];
  for (const { note, root } of roots) {
    const folders = await profileFolders(machine, root);
    databases.push(
      ...folders.map((directory) => ({
        title: `Firefox profile ${basename(directory)}${note}`,
        directory,
        isMissing: false,
      })),
    );
  }
  return withDatabase(machine, databases);
}

/** Profiles are below the folder of profiles.ini, unless it names one elsewhere. */
async function profileFolders(machine: Machine, root: string): Promise<readonly string[]> {
  const ini = (await machine.readText(join(root, "profiles.ini"))) ?? "";
  const named = [...ini.matchAll(/^Path=(.+)$/gm)].map((match) => (match[1] ?? "").trim());
  const nested = (await machine.list(join(root, "Profiles"))).map((name) => join("Profiles", name));
  const paths = [...(await machine.list(root)), ...nested, ...named];
  return [...new Set(paths.map((path) => (isAbsolute(path) ? path : join(root, path))))];
}

async function withDatabase(
  machine: Machine,
  databases: readonly NssDatabase[],
): Promise<readonly NssDatabase[]> {
  const present = await Promise.all(
    databases.map(({ directory }) => machine.exists(join(directory, "cert9.db"))),
  );
  return databases.filter((_, index) => present[index] === true);
}

/** The folder `current` of a snap is a link to that of its revision. */
async function withoutAliases(
  machine: Machine,
  databases: readonly NssDatabase[],
): Promise<readonly NssDatabase[]> {
  const byPath = new Map<string, NssDatabase>();
  for (const database of databases) {
    const parent = await machine.realPath(dirname(database.directory));
    const path = await machine.realPath(join(parent, basename(database.directory)));
    if (!byPath.has(path)) byPath.set(path, database);
  }
  return [...byPath.values()];
}
