import { randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import {
  compileSecurityHeaders,
  hardenCookies,
  inlineHashes,
  type PresetName,
} from "@hauberk/headers";
import express from "express";

/**
 * Returns an application that serves a folder of pages to visitors with a session: an ordinary
 * `res.cookie("__Host-session", id)`, made safe by `hardenCookies()`.
 */
export function sessionSite(root: string, preset: PresetName): express.Express {
  const page = readFileSync(join(root, "index.html"));
  const fields = compileSecurityHeaders({ preset }).fieldsWithHashes({
    secure: true,
    hashes: inlineHashes(page),
  });
  const app = express();
  app.use(hardenCookies());
  app.use((request, response, next) => {
    if (request.headers.cookie === undefined) response.cookie("__Host-session", randomUUID());
    next();
  });
  app.get("/", (_request, response) => {
    for (let index = 0; index < fields.length; index += 2) {
      response.setHeader(fields[index] ?? "", fields[index + 1] ?? "");
    }
    response.type("html").send(page);
  });
  return app.use(express.static(root));
}
