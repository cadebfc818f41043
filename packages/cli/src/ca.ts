import type { Command } from "./command.ts";
import { misuse } from "./misuse.ts";
import { nearest } from "./nearest.ts";

/** Every subcommand is loaded when it is called. */
const SUBCOMMANDS: Readonly<Record<string, () => Promise<Command>>> = {
  create: async () => (await import("./ca-create.ts")).caCreate,
  env: async () => (await import("./ca-env.ts")).caEnv,
  export: async () => (await import("./ca-export.ts")).caExport,
  install: async () => (await import("./ca-install.ts")).caInstall,
  rotate: async () => (await import("./ca-rotate.ts")).caRotate,
  show: async () => (await import("./ca-show.ts")).caShow,
  status: async () => (await import("./ca-status.ts")).caStatus,
  uninstall: async () => (await import("./ca-uninstall.ts")).caUninstall,
};

/** `hauberk ca`: everything about the development CA itself. */
export async function ca([name, ...args]: readonly string[]): Promise<number | void> {
  const names = Object.keys(SUBCOMMANDS);
  if (name === undefined || name.startsWith("-")) {
    throw misuse(`ca takes one of ${names.join(", ")}; see hauberk help ca`);
  }
  const load = Object.hasOwn(SUBCOMMANDS, name) ? SUBCOMMANDS[name] : undefined;
  if (load === undefined) {
    const suggestion = nearest(name, names);
    throw misuse(`unknown command ca ${JSON.stringify(name)}; did you mean "ca ${suggestion}"?`);
  }
  const run = await load();
  return run(args);
}
