import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { readText, repositoryRoot } from "./repository.ts";

/**
 * Returns the module that a block of a guide is: the text behind ```` ```js <name> ````, exactly as
 * readers copy it.
 */
export async function importFromGuide(guide: string, name: string): Promise<unknown> {
  const block = new RegExp(`^\`\`\`js ${name}\n([^]*?)^\`\`\`$`, "m").exec(readText(guide));
  if (block === null) throw new Error(`${guide} has no block "js ${name}"`);
  const folder = join(repositoryRoot, "build", "guides");
  mkdirSync(folder, { recursive: true });
  const file = join(folder, `${name}.mjs`);
  writeFileSync(file, block[1] ?? "");
  return import(pathToFileURL(file).href);
}
