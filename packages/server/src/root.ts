import { realpathSync, statSync } from "node:fs";
import { ServerError } from "./errors.ts";

/**
 * Returns the real path of a folder that can be served.
 *
 * @throws {ServerError} ERR_SERVER_ROOT_UNREADABLE when it is missing, unreadable or no folder.
 */
export function requireRoot(folder: string): string {
  try {
    const root = realpathSync(folder);
    if (statSync(root).isDirectory()) return root;
  } catch (error) {
    throw unreadableRoot(folder, "it does not exist or cannot be read", error);
  }
  throw unreadableRoot(folder, "it is not a folder");
}

function unreadableRoot(folder: string, reason: string, cause?: unknown): ServerError {
  const message = `Cannot serve ${JSON.stringify(folder)}: ${reason}; name a readable folder`;
  return new ServerError("ERR_SERVER_ROOT_UNREADABLE", message, { cause });
}
