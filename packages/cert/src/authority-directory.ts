import { homedir } from "node:os";
import { posix, win32 } from "node:path";

/**
 * Returns the folder that keeps the development CA of this user: HAUBERK_HOME, else the data folder
 * of the platform (XDG_DATA_HOME or ~/.local/share, ~/Library/Application Support, %LOCALAPPDATA%)
 * with `hauberk` below it. Creates nothing.
 *
 * @see XDG Base Directory Specification (a relative XDG_DATA_HOME is to be ignored)
 */
export function authorityDirectory(
  env: Readonly<Record<string, string | undefined>> = process.env,
  platform: NodeJS.Platform = process.platform,
): string {
  const path = platform === "win32" ? win32 : posix;
  const { HAUBERK_HOME: chosen, HOME, USERPROFILE, LOCALAPPDATA, XDG_DATA_HOME: xdg } = env;
  if (chosen !== undefined && chosen !== "") return path.resolve(chosen);
  const home = (platform === "win32" ? USERPROFILE : HOME) || homedir();
  if (platform === "win32") {
    return path.join(LOCALAPPDATA || path.join(home, "AppData", "Local"), "hauberk");
  }
  if (platform === "darwin") return path.join(home, "Library", "Application Support", "hauberk");
  const isAbsolute = xdg !== undefined && path.isAbsolute(xdg);
  return path.join(isAbsolute ? xdg : path.join(home, ".local", "share"), "hauberk");
}
