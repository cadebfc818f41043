#!/usr/bin/env node
import { existsSync } from "node:fs";

const main = new URL("../dist/main.js", import.meta.url);
if (existsSync(main)) {
  const code = await (await import(main)).main(process.argv.slice(2));
  process.exitCode = code || process.exitCode;
} else {
  process.stderr.write("hauberk: this checkout is not built yet; run npm run build\n");
  process.exitCode = 1;
}
