import { execFile } from "node:child_process";
import { access, constants, readdir, readFile, realpath } from "node:fs/promises";
import { homedir } from "node:os";
import { join, posix, win32, type PlatformPath } from "node:path";

/** A program and its arguments, as they are given to the system: no shell reads them. */
export interface Command {
  readonly program: string;
  readonly args: readonly string[];
}

/** How a command ended. A program that could not be started has the code 127. */
export interface CommandResult {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/**
 * The computer as trust stores see it. They read files through it, and change things by `run` alone,
 * so that every change is a command that can be shown.
 */
export interface Machine {
  readonly platform: NodeJS.Platform;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** The home folder of the user. */
  readonly home: string;
  /** Whether commands run as root. */
  readonly isRoot: boolean;
  /** Runs a command to its end; never rejects. */
  readonly run: (command: Command) => Promise<CommandResult>;
  /** Resolves with the text of a file, undefined when it cannot be read. */
  readText(path: string): Promise<string | undefined>;
  /** Resolves with the names in a folder, none when it cannot be read. */
  list(path: string): Promise<readonly string[]>;
  exists(path: string): Promise<boolean>;
  isWritable(path: string): Promise<boolean>;
  /** Resolves with the path without symbolic links, the path itself when there is nothing. */
  realPath(path: string): Promise<string>;
}

/** What to replace in `localMachine`. */
export interface MachineOptions extends Partial<
  Pick<Machine, "platform" | "env" | "home" | "isRoot" | "run">
> {
  /**
   * Folder that stands for "/" when files are read, as the mounted system of a container.
   *
   * @default "/"
   */
  readonly root?: string | undefined;
}

const NOT_STARTED = 127;
/** Bytes: the certificates of a Java keystore take 0.3 MB of text. */
const MAX_OUTPUT = 16_777_216;

/** Returns the computer that this process runs on. */
export function localMachine(options: MachineOptions = {}): Machine {
  const { env = process.env, root = "/" } = options;
  const at = (path: string): string => (root === "/" ? path : join(root, path));
  return {
    platform: options.platform ?? process.platform,
    env,
    home: options.home ?? (env["HOME"] || homedir()),
    isRoot: options.isRoot ?? process.getuid?.() === 0,
    run: options.run ?? ((command) => execute(command, env)),
    readText: (path) => readFile(at(path), "utf8").catch(() => undefined),
    list: (path) => readdir(at(path)).catch(() => []),
    exists: (path) => isAccessible(at(path), constants.F_OK),
    isWritable: (path) => isAccessible(at(path), constants.W_OK),
    realPath: async (path) => (root === "/" ? realpath(path).catch(() => path) : path),
  };
}

/** Resolves with the path of a program on the PATH, undefined when it is not there. */
export async function findProgram(machine: Machine, name: string): Promise<string | undefined> {
  const paths = pathsOf(machine);
  const file = machine.platform === "win32" ? `${name}.exe` : name;
  for (const folder of (machine.env["PATH"] ?? "").split(paths.delimiter)) {
    const path = paths.join(folder, file);
    // A relative folder would run whatever lies in the folder that the user happens to be in.
    if (paths.isAbsolute(folder) && (await machine.exists(path))) return path;
  }
  return undefined;
}

/** Returns the path rules of the machine's platform. */
export function pathsOf({ platform }: Machine): PlatformPath {
  return platform === "win32" ? win32 : posix;
}

function execute({ program, args }: Command, env: Machine["env"]): Promise<CommandResult> {
  return new Promise((resolve) => {
    const child = execFile(
      program,
      args,
      { env, maxBuffer: MAX_OUTPUT },
      (error, stdout, stderr) => {
        if (error === null) resolve({ code: 0, stdout, stderr });
        else if (typeof error.code === "number") resolve({ code: error.code, stdout, stderr });
        else resolve({ code: NOT_STARTED, stdout, stderr: stderr || error.message });
      },
    );
    child.stdin?.on("error", () => undefined).end();
  });
}

function isAccessible(path: string, mode: number): Promise<boolean> {
  return access(path, mode).then(
    () => true,
    () => false,
  );
}
